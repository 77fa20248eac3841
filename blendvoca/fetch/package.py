"""A published package, or a single file, from any address: a web server's folder, a ``file://`` folder, a tar."""

from __future__ import annotations

import re
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from blendvoca.errors import ConfigurationError, DownloadError, FormatError, IntegrityError, OutputError
from blendvoca.fetch.download import DEFAULT_DOWNLOAD, DownloadConfig, fetch_all
from blendvoca.fetch.places import only_one
from blendvoca.fetch.registry import RemoteFile
from blendvoca.fetch.transfer import fetch_file
from blendvoca.internal.limits import SMALL_DOWNLOAD
from blendvoca.internal.names import inside, shown
from blendvoca.internal.progress import Progress
from blendvoca.io.digest import digest_file
from blendvoca.io.files import check_file as check_plain
from blendvoca.io.files import decode_text, read_bytes
from blendvoca.shard.manifest import check_file, parse_manifest
from blendvoca.shard.schema import MANIFEST_NAME, SHARD_SUFFIX

#: Temporary folders of downloads begin with this.
_SCRATCH = ".download-"
#: The sums of all files of a package, in the form of ``sha256sum``.
SUMS_NAME = "SHA256SUMS"


def is_address(text: str) -> bool:
    """Whether a text is an address and not a name of the registry."""
    return "://" in text


def download_address(
    url: str,
    out: Path,
    sha256: str | None = None,
    *,
    config: DownloadConfig = DEFAULT_DOWNLOAD,
    progress: Progress | None = None,
) -> Path:
    """Bring what an address leads to.

    A ``.tar`` is a package in one file: its sum is ``sha256`` or what stands in ``<url>.sha256``, and it is unpacked
    into ``out``. Other names with a suffix are single files. Everything else is the folder of a package.

    :param url: ``http``, ``https`` or ``file``.
    :param out: folder to write to.
    :param sha256: expected sum of a single file or tar.
    :returns: the folder, or the single file.
    :raises ConfigurationError: for another kind of address.
    :raises DownloadError, IntegrityError, FormatError, OutputError: as in :func:`blendvoca.fetch.download.download`.
    """
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https", "file") and (parts.port or True)
    except ValueError as error:
        raise ConfigurationError("this is no address", found=f"{shown(url)} ({error})") from error
    if not known or (parts.scheme != "file" and not parts.hostname):
        raise ConfigurationError("this kind of address is not known", expected="http, https or file", found=shown(url))
    if sha256 is not None and not re.fullmatch("[0-9a-f]{64}", sha256):
        raise ConfigurationError("no SHA-256", expected="64 hexadecimal digits", found=repr(sha256))
    name = unquote(parts.path.rstrip("/").rpartition("/")[2])
    if name.endswith(".tar"):
        return _package_tar(url, name, out, sha256, config, progress)
    if name not in (MANIFEST_NAME, SUMS_NAME) and Path(name).suffix and not parts.path.endswith("/"):
        return fetch_all([RemoteFile(name, url, sha256)], out, config, progress)[0]
    folder = url if name not in (MANIFEST_NAME, SUMS_NAME) else url[: url.rindex("/")]
    return _package_folder(folder, out, config, progress)


def read_sums(text: str, path: str) -> dict[str, str]:
    """Read the lines ``<sha256>  <name>`` of a package: name to sum.

    :raises FormatError: for another line, or a name that leads out of the folder.
    """
    sums = {}
    for line in text.splitlines():
        match = re.fullmatch(r"([0-9a-f]{64}) [ *](\S.*)", line)
        if match is None:
            raise FormatError("no list of SHA-256 sums", expected="<sha256>  <name> a line", found=line[:80], path=path)
        inside(Path(), match[2])
        sums[match[2]] = match[1]
    return sums


def wrong_sums(folder: Path) -> list[IntegrityError]:
    """Return an error for every file that ``SHA256SUMS`` of a folder lists and that is missing or another.

    :raises FormatError: if it is no such list.
    """
    path = folder / SUMS_NAME
    wrong = []
    for name, expected in read_sums(path.read_text(encoding="utf-8", errors="replace"), str(path)).items():
        file = inside(folder, name)
        found = digest_file(file) if file.is_file() else "no such file"
        if found != expected:
            wrong.append(IntegrityError(f"SHA-256 differs from {SUMS_NAME}", expected=expected, found=found, path=file))
    return wrong


def check_sums(folder: Path) -> None:
    """Check every file that ``SHA256SUMS`` of a folder lists.

    :raises IntegrityError: if one is missing or has another sum.
    """
    for error in wrong_sums(folder):
        raise error


def _package_folder(url: str, out: Path, config: DownloadConfig, progress: Progress | None) -> Path:
    """Bring a package file by file; the manifest gets its name last, when all that it lists is there."""
    if config.offline:
        text = (out / SUMS_NAME).read_text(encoding="utf-8") if (out / SUMS_NAME).is_file() else ""
        fetch_all(_listed(url, read_sums(text, url)) or [RemoteFile(SUMS_NAME, url)], out, config)
        return out
    with _scratch(out) as scratch:
        sums_text = _small(RemoteFile(SUMS_NAME, _join(url, SUMS_NAME)), scratch / SUMS_NAME, config)
        sums = read_sums(sums_text, _join(url, SUMS_NAME))
        manifest_file = RemoteFile(MANIFEST_NAME, _join(url, MANIFEST_NAME), sums.get(MANIFEST_NAME))
        manifest_text = _small(manifest_file, scratch / MANIFEST_NAME, config)
        _agree(sums, manifest_text, manifest_file.url)
        others = {name: digest for name, digest in sums.items() if name != MANIFEST_NAME}
        fetch_all(_listed(url, others), out, config, progress)
        fetch_file(manifest_file, out / MANIFEST_NAME, config.transfer)
        fetch_file(RemoteFile(SUMS_NAME, _join(url, SUMS_NAME)), out / SUMS_NAME, config.transfer)
    return out


def _agree(sums: dict[str, str], manifest_text: str, url: str) -> None:
    """Check that sums and manifest of a package speak of the same shards."""
    manifest = parse_manifest(manifest_text, url)
    listed = {entry.file: entry.sha256 for entry in manifest.shards}
    summed = {name: digest for name, digest in sums.items() if name.endswith(SHARD_SUFFIX)}
    if listed != summed:
        different = sorted(name for name in listed.keys() | summed.keys() if listed.get(name) != summed.get(name))
        raise IntegrityError(f"{MANIFEST_NAME} and {SUMS_NAME} of the package disagree", found=different, path=url,
                             remedy="Report it to whoever published the package.")  # fmt: skip


def _small(file: RemoteFile, path: Path, config: DownloadConfig) -> str:
    """Bring one of a package's small files and return its text."""
    fetch_file(file, path, config.transfer, limit=SMALL_DOWNLOAD)
    return decode_text(read_bytes(path), file.url)


def _listed(url: str, sums: dict[str, str]) -> list[RemoteFile]:
    return [RemoteFile(name, _join(url, name), digest) for name, digest in sums.items()]


def _join(url: str, name: str) -> str:
    """Return the address of a file in a folder; a query (a signature, say) stays where it was."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{quote(name)}"))


def _package_tar(
    url: str, name: str, out: Path, sha256: str | None, config: DownloadConfig, progress: Progress | None
) -> Path:
    inside(out, name)
    if sha256 is None and not config.offline:
        with _scratch(out) as scratch:
            parts = urlsplit(url)
            beside = RemoteFile(f"{name}.sha256", urlunsplit(parts._replace(path=parts.path + ".sha256")))
            sha256 = read_sums(_small(beside, scratch / beside.path, config), beside.url).get(name)
        if sha256 is None:
            raise DownloadError(f"no sum of {name} is published", remedy="Give one with --sha256.", path=beside.url)
    archive = fetch_all([RemoteFile(name, url, sha256)], out, config, progress)[0]
    unpack(archive, out)
    return out


def unpack(archive: Path, out: Path) -> list[Path]:
    """Unpack a package's tar into a folder; nothing gets its name before all of it was checked.

    :raises MissingInputError: if it cannot be read, or is a pipe or device.
    :raises FormatError: if it is no tar, or holds anything but plain files with plain names.
    :raises IntegrityError: if its files differ from its sums or its manifest.
    """
    check_plain(archive)
    with _scratch(out) as folder:
        _extract(archive, folder)
        if not (folder / SUMS_NAME).is_file() or not (folder / MANIFEST_NAME).is_file():
            raise FormatError("no package", expected=f"{MANIFEST_NAME} and {SUMS_NAME} in it", path=archive)
        check_sums(folder)
        listed = {SUMS_NAME, *read_sums(decode_text(read_bytes(folder / SUMS_NAME)), str(archive))}
        if extra := sorted(path.name for path in folder.iterdir() if path.name not in listed):
            raise IntegrityError(f"the package holds files that {SUMS_NAME} does not list", found=extra[:4],
                                 path=archive, remedy="Report it to whoever published the package.")  # fmt: skip
        for entry in parse_manifest(read_bytes(folder / MANIFEST_NAME), archive).shards:
            check_file(folder, entry)
        names = sorted(path.name for path in folder.iterdir() if path.name != MANIFEST_NAME)
        return [(folder / name).replace(out / name) for name in [*names, MANIFEST_NAME]]


def _extract(archive: Path, folder: Path) -> None:
    """Write a tar's members into a folder as new files of ordinary modes."""
    try:
        with tarfile.open(archive, "r:") as tar:
            for member in tar:
                target = inside(folder, member.name)
                # A sparse member expands to any size.
                plain = member.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and not member.issparse()
                stream = tar.extractfile(member) if plain else None
                if stream is None or target.parent != folder or target.exists():
                    raise FormatError("a package holds plain files only, each once", found=member.name, path=archive)
                with target.open("wb") as file:
                    while block := stream.read(1 << 20):
                        file.write(block)
    except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
        raise FormatError("no tar", found=str(error)[:200], path=archive) from error
    except OSError as error:
        raise OutputError("cannot unpack", found=error.strerror, remedy="Free some space.", path=folder) from error


@contextmanager
def _scratch(out: Path) -> Iterator[Path]:
    """Yield a temporary folder inside ``out``, on the same disk as what it will become; gone afterwards.

    Those that killed downloads have left are removed first; who else works here holds the lock.
    """
    with only_one(out / "package"):
        for old in out.glob(f"{_SCRATCH}*"):
            shutil.rmtree(old, ignore_errors=True)
        try:
            with tempfile.TemporaryDirectory(dir=out, prefix=_SCRATCH) as name:
                yield Path(name)
        except PermissionError as error:
            raise OutputError("cannot write here", found=error.strerror, path=out) from error
