"""Many files at once: an entry of the registry, or whatever an address leads to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from blendvoca.errors import BlendvocaError, DownloadError, MissingDependencyError, MissingInputError
from blendvoca.fetch.hashes import is_good
from blendvoca.fetch.places import cache_folder
from blendvoca.fetch.registry import Entry, HubSource, RemoteFile, find_entry
from blendvoca.fetch.transfer import DEFAULT_TRANSFER, TransferConfig, fetch_file
from blendvoca.internal.names import inside
from blendvoca.internal.progress import Progress


@dataclass(frozen=True)
class DownloadConfig:
    """How files are fetched.

    :param jobs: files at a time.
    :param offline: only use what is there already.
    :param transfer: how patient each transfer is.
    """

    jobs: int = 4
    offline: bool = False
    transfer: TransferConfig = DEFAULT_TRANSFER


#: Four files at a time.
DEFAULT_DOWNLOAD = DownloadConfig()


def download(
    name: str,
    out: Path | None = None,
    *,
    patterns: tuple[str, ...] = (),
    config: DownloadConfig = DEFAULT_DOWNLOAD,
    progress: Progress | None = None,
) -> Path:
    """Bring an entry of the registry, unless it is there already.

    :param name: the entry (``blendvoca download --list``).
    :param out: folder for its files; ``<cache>/<name>``, or Hugging Face's own cache, where it is not given.
    :param patterns: only files that fit one of these (``*.txt``).
    :param progress: is called with every block, from several threads.
    :returns: the folder.
    :raises ConfigurationError: for an unknown name or a pattern that fits nothing.
    :raises DownloadError, IntegrityError, OutputError: if a file cannot be had, is not what was promised, or cannot be
        written; the other files are brought all the same.
    """
    entry: Entry = find_entry(name)
    if entry.hub is not None:
        return _from_hub(entry.hub, out, patterns, config.offline)
    folder = out or cache_folder() / name
    fetch_all(entry.select(patterns), folder, config, progress)
    return folder


def fetch_all(
    files: Iterable[RemoteFile],
    folder: Path,
    config: DownloadConfig = DEFAULT_DOWNLOAD,
    progress: Progress | None = None,
) -> list[Path]:
    """Bring several files into a folder, several at a time; a failure does not stop the others.

    :returns: their paths.
    :raises DownloadError: if several failed; if one did, its own error.
    :raises FormatError: if a name leads out of the folder.
    """
    wanted = [(file, inside(folder, file.path)) for file in files]
    if config.offline:
        missing = [file.path for file, path in wanted if not _is_here(file, path)]
        if missing:
            raise MissingInputError("not all files are here, and offline was asked for", expected=missing, path=folder,
                                    remedy="Run the same without --offline.")  # fmt: skip
        return [path for _, path in wanted]

    def bring(item: tuple[RemoteFile, Path]) -> BlendvocaError | None:
        try:
            fetch_file(*item, config.transfer, progress)
        except BlendvocaError as error:
            return error
        return None

    with ThreadPoolExecutor(max(config.jobs, 1)) as pool:
        errors = [error for error in pool.map(bring, wanted) if error is not None]
    if len(errors) == 1:
        raise errors[0]
    if errors:
        others = "; the others are here" if len(errors) < len(wanted) else ""
        reasons = [error.what + (f" ({error.found})" if error.found is not None else "") for error in errors[:5]]
        raise DownloadError(
            f"{len(errors)} of {len(wanted)} files failed{others}",
            found="; ".join([*reasons, *["…"] * (len(errors) > 5)]),
            remedy="Run the same again to fetch the rest.",
            path=folder,
        )
    return [path for _, path in wanted]


def _is_here(file: RemoteFile, path: Path) -> bool:
    known = file.sha256 is not None or file.git_blob_sha1 is not None
    return is_good(path, file) if known else path.is_file()


def _from_hub(hub: HubSource, out: Path | None, patterns: tuple[str, ...], offline: bool) -> Path:
    """Bring files of a Hugging Face repository through its own client, which resumes and checks them itself."""
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    except ModuleNotFoundError as error:
        raise MissingDependencyError("huggingface_hub", "hub", "downloading from Hugging Face") from error
    call: Callable[..., str] = snapshot_download
    try:
        return Path(
            call(
                hub.repository,
                revision=hub.revision,
                allow_patterns=list(patterns or hub.patterns),
                local_dir=out,
                local_files_only=offline,
            )
        )
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError, ValueError) as error:
        raise DownloadError(
            f"{hub.repository} cannot be had from Hugging Face",
            found=f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}",
            remedy="Check the connection; what came is kept and will be continued.",
        ) from error
