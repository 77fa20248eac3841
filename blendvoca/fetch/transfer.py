"""One file over HTTP or from disk: resumed where it broke, checked before it gets its name, retried with patience."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import unquote, urlsplit

from blendvoca.errors import BlendvocaError, DownloadError, FormatError, IntegrityError, MissingInputError, OutputError
from blendvoca.fetch.hashes import check_download, is_good
from blendvoca.fetch.places import only_one
from blendvoca.fetch.registry import RemoteFile
from blendvoca.internal.limits import DOWNLOAD, Limit
from blendvoca.internal.progress import Progress
from blendvoca.io.plain import open_plain

if TYPE_CHECKING:
    import requests

#: What a broken connection may lose.
_BLOCK = 1 << 14
_MAX_REDIRECTS = 10
#: A server that sends a little and closes, again and again, is left after so many connections.
_MAX_CONNECTIONS = 200
_TRANSIENT_STATUS = {408, 425, 429, 500, 502, 503, 504}
_DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True)
class TransferConfig:
    """How patient a transfer is.

    :param retries: connections that may fail in a row without a byte gained.
    :param pause: seconds before the first retry; doubled every time.
    :param timeout: seconds without a byte before a connection counts as dead.
    :param slowest: bytes a second, over ``patience``, under which a transfer is given up: a server that drips a byte
        now and then would hold it for ever.
    :param patience: seconds over which ``slowest`` is measured.
    """

    retries: int = 4
    pause: float = 0.5
    timeout: float = 30.0
    slowest: float = 100.0
    patience: float = 180.0


#: Four failures in a row, half a second to begin with, half a minute without a byte, 100 bytes a second.
DEFAULT_TRANSFER = TransferConfig()


class _Broken(Exception):
    """A connection failed in a way that another may not."""


def fetch_file(
    file: RemoteFile,
    target: Path,
    config: TransferConfig = DEFAULT_TRANSFER,
    progress: Progress | None = None,
    limit: Limit = DOWNLOAD,
) -> Path:
    """Bring one file to ``target``, unless it is there already and its hash is right.

    Bytes go to a hidden part file beside the target, which a later call continues; the target's name appears when size
    and hash are right. A file of that name with another content is replaced.

    :param file: what is known of it.
    :param target: its final place.
    :param config: how patient to be.
    :param progress: called with every block.
    :param limit: what is written at the most where neither registry nor server state a size.
    :raises DownloadError: if it cannot be had.
    :raises IntegrityError: if what came is not what was promised; it is deleted.
    :raises OutputError: if the disk is full or the folder cannot be written; what came is kept for the next time.
    """
    import pooch

    with only_one(target):
        if is_good(target, file):
            return target
        pooch.get_logger().setLevel("WARNING")
        # Not under its name yet: pooch would keep what stands there if it is given no hash.
        fresh = target.with_name(f".{target.name}.new")
        fresh.unlink(missing_ok=True)
        known = f"sha256:{file.sha256}" if file.sha256 else None
        downloader = ResumingDownloader(file, config, progress, limit)
        try:
            pooch.retrieve(file.url, known, fresh.name, fresh.parent, downloader=downloader)
            fresh.replace(target)
        except OSError as error:
            raise _disk(error, target) from error
    return target


@dataclass(frozen=True)
class ResumingDownloader:
    """A downloader for pooch that continues where an earlier connection or call stopped.

    :param file: what is known of the file.
    :param config: how patient to be.
    :param progress: called with every block.
    :param limit: what is written at the most where no size is stated.
    """

    file: RemoteFile
    config: TransferConfig
    progress: Progress | None = None
    limit: Limit = DOWNLOAD

    def __call__(self, url: str, output_file: Any, pooch: Any, check_only: bool = False) -> None:
        """Bring ``url`` to ``output_file``; size and hash are right when this returns."""
        output = Path(output_file)
        # Named by the address: another version of the file does not continue this one.
        mark = sha256(f"{url} {self.file.sha256} {self.file.git_blob_sha1}".encode()).hexdigest()[:12]
        part = output.parent / f".{Path(self.file.path).name}.{mark}.part"
        if self.file.sha256 is None and self.file.git_blob_sha1 is None:
            part.unlink(missing_ok=True)  # nothing shows whether an old part is of the same file
        if part.is_symlink() or (part.exists() and not part.is_file()):
            raise OutputError("what an earlier download left is no plain file", remedy="Remove it.", path=part)
        resumed = part.exists()
        self._bring(url, part)
        try:
            check_download(part, self.file)
        except IntegrityError as error:
            part.unlink()
            if resumed:  # the old part may have been of another version
                self(url, output_file, pooch)
                return
            error.remedy = "They were deleted. Try again; if it stays so, the source has changed: update blendvoca."
            error.path = url
            raise
        part.replace(output)

    def _bring(self, url: str, part: Path) -> None:
        """Fill the part file to its end, over as many connections as it takes."""
        failures, pace = 0, _Pace(self.config)
        for _ in range(_MAX_CONNECTIONS):
            before = part.stat().st_size if part.exists() else 0
            try:
                with part.open("ab") as stream:
                    (self._copy if urlsplit(url).scheme == "file" else self._connect)(url, stream, pace)
                    stream.flush()
                    os.fsync(stream.fileno())
                return
            except _Broken as broken:
                gained = part.exists() and part.stat().st_size > before
                failures = 0 if gained else failures + 1
                if failures > self.config.retries:
                    raise DownloadError(
                        f"{self.file.path} cannot be had",
                        found=str(broken),
                        remedy="Try again later; what came is kept and will be continued.",
                        path=url,
                    ) from broken
                time.sleep(self.config.pause * 2 ** max(failures - 1, 0))
            except OSError as error:
                raise _disk(error, part) from error
            finally:
                if part.exists() and part.stat().st_size == 0:
                    part.unlink()
        found = f"{_MAX_CONNECTIONS} broken connections"
        raise DownloadError(f"{self.file.path} did not arrive", found=found, path=url)

    def _connect(self, url: str, stream: BinaryIO, pace: _Pace) -> None:
        """Ask for the rest of the file and append it."""
        import requests

        done = stream.tell()
        # Compressed answers have other lengths and ranges.
        headers = {"Accept-Encoding": "identity", "User-Agent": "blendvoca"}
        if done:
            headers["Range"] = f"bytes={done}-"
        with requests.Session() as session:
            session.max_redirects = _MAX_REDIRECTS
            try:
                with session.get(url, headers=headers, stream=True, timeout=self.config.timeout) as answer:
                    total = self._admit(answer, stream)
                    if total is not None and stream.tell() == total:
                        return
                    self._receive(_blocks(answer), stream, total, pace)
            except requests.TooManyRedirects as error:
                raise DownloadError("the server redirects in a circle", found=f"{_MAX_REDIRECTS} redirects", path=url,
                                    remedy="Report it to whoever gave you the address.") from error  # fmt: skip
            except (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema,
                    requests.exceptions.InvalidSchema, UnicodeError) as error:  # fmt: skip
                raise DownloadError("no address to download from", expected="http, https or file", path=url) from error
            except requests.RequestException as error:
                raise _Broken(f"{type(error).__name__}: {_short(error)}") from error

    def _admit(self, answer: requests.Response, stream: BinaryIO) -> int | None:
        """Look at the answer's head; return the length of the whole file if it says so. Starts over if it must."""
        done, status = stream.tell(), answer.status_code
        if status == 416:  # nothing after what we have: it is whole, or it is not this file
            stated = answer.headers.get("Content-Range", "").rpartition("/")[2]
            if stated == str(done) or done == self.file.bytes:
                return done
            _restart(stream)
            raise _Broken("the part that was kept does not belong to this file")
        if status in _TRANSIENT_STATUS:
            raise _Broken(f"the server answers {status} {answer.reason}")
        if status not in (200, 206):
            raise DownloadError(f"{self.file.path} is not there", found=f"the server answers {status} {answer.reason}",
                                remedy="Check the address, or update blendvoca.", path=answer.url)  # fmt: skip
        if "text/html" in answer.headers.get("Content-Type", "") and not self.file.path.endswith((".html", ".htm")):
            raise DownloadError(
                f"the server answers with a web page instead of {self.file.path}",
                remedy="Open the address in a browser: it may ask for a login.",
                path=answer.url,
            )
        if status == 206 and not answer.headers.get("Content-Range", "").startswith(f"bytes {done}-"):
            _restart(stream)
            raise _Broken("the server continues at another place")
        if status == 200 and done:  # it does not know ranges
            _restart(stream)
            done = 0
        length = answer.headers.get("Content-Length", "")
        if answer.headers.get("Content-Encoding", "identity") != "identity":
            length = ""  # it is of the compressed bytes; what they unpack to is counted as it is written
        total = done + int(length) if length.isdigit() and len(length) < 20 else None
        if self.file.bytes is not None and total not in (None, self.file.bytes):
            raise IntegrityError(f"the server sends another length of {self.file.path}", path=answer.url,
                                 expected=f"{self.file.bytes} bytes", found=total,
                                 remedy="The source has changed: update blendvoca.")  # fmt: skip
        return total if total is not None else self.file.bytes

    def _receive(self, blocks: Iterator[bytes], stream: BinaryIO, total: int | None, pace: _Pace) -> None:
        for block in blocks:
            if total is None:
                self._check_size(stream.tell() + len(block), stream)
            stream.write(block)
            pace.check(self.file.path, len(block))
            if self.progress:
                self.progress(self.file.path, stream.tell(), total)
            if total is not None and stream.tell() > total:
                _restart(stream)
                raise _Broken(f"the server sends more than the {total} bytes it promised")
        if total is not None and stream.tell() < total:
            raise _Broken(f"the connection closed after {stream.tell()} of {total} bytes")

    def _check_size(self, size: int, stream: BinaryIO) -> None:
        """Refuse what grows beyond the limit; nothing of it is kept."""
        try:
            self.limit.check(size, path=self.file.url)
        except FormatError:
            _restart(stream)
            raise

    def _copy(self, url: str, stream: BinaryIO, pace: _Pace) -> None:
        """Copy a file of this machine from the beginning."""
        source = Path(unquote(urlsplit(url).path))
        _restart(stream)
        try:
            with open_plain(source) as opened:
                self._receive(iter(lambda: opened.read(_BLOCK), b""), stream, source.stat().st_size, pace)
        except MissingInputError as error:
            raise DownloadError(f"{self.file.path} is not there", found=error.found, path=source) from error


class _Pace:
    """Gives a transfer up that stays under the slowest pace over the patience, whatever connections it takes."""

    def __init__(self, config: TransferConfig) -> None:
        self._config, self._since, self._bytes = config, time.monotonic(), 0

    def check(self, path: str, received: int) -> None:
        """Count bytes.

        :raises DownloadError: if too few came.
        """
        self._bytes += received
        elapsed = time.monotonic() - self._since
        if elapsed < self._config.patience:
            return
        if self._bytes < self._config.slowest * elapsed:
            raise DownloadError(
                f"{path} comes too slowly",
                expected=f"{self._config.slowest:g} bytes a second",
                found=f"{self._bytes} bytes in {elapsed:.0f} s",
                remedy="Try again later; what came is kept and will be continued.",
            )
        self._since, self._bytes = time.monotonic(), 0


def _blocks(answer: requests.Response) -> Iterator[bytes]:
    """Yield what arrives as it arrives: waiting for whole blocks would hide a server that drips.

    :raises requests.RequestException: if the connection breaks.
    """
    if answer.headers.get("Content-Encoding", "identity") != "identity" or not hasattr(answer.raw, "read1"):
        yield from answer.iter_content(_BLOCK)
        return
    import requests
    import urllib3

    try:
        while block := answer.raw.read1(_BLOCK):
            yield block
    except urllib3.exceptions.HTTPError as error:
        raise requests.ConnectionError(error) from error


def _restart(stream: BinaryIO) -> None:
    stream.seek(0)
    stream.truncate()


def _disk(error: OSError, path: Path) -> BlendvocaError:
    full = error.errno in _DISK_FULL
    what, remedy = "cannot write the download", "Choose another folder with --out."
    if full:
        what, remedy = "the disk is full", "Free some space and try again; what came is kept and will be continued."
    return OutputError(what, found=error.strerror or str(error), remedy=remedy, path=path.parent)


def _short(error: Exception) -> str:
    """Return the innermost reason: connection errors wrap others, and their text says the address twice."""
    inner: Any = error.args[0] if error.args else error
    reason = getattr(inner, "reason", inner)
    text = str(getattr(reason, "args", [reason])[-1] if isinstance(reason, Exception) and reason.args else reason)
    return text.splitlines()[0].rpartition(">: ")[2][:160] if text else ""
