"""Published weights: a repository of the Hugging Face hub, found where it was downloaded before, or fetched."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

from blendvoca.errors import DownloadError, IntegrityError, MissingInputError
from blendvoca.internal.names import first_line
from said_model.checkpoints import authors
from said_model.checkpoints import folder as checkpoint
from said_model.checkpoints.state_dict import read_weights
from said_model.config import SamplerConfig
from said_model.extras import require_package
from said_model.network.said import SaidNetwork

#: The authors' repository, and the file in it.
PRETRAINED, WEIGHTS_NAME = "yunik1004/SAiD", "SAiD.pth"
_PAIR = (checkpoint.CONFIG_FILE, checkpoint.WEIGHTS_FILE)


def fetch(repository: str = PRETRAINED, revision: str | None = None) -> Path:
    """Return where published weights lie: a ``.pth`` of the authors, or the folder of a checkpoint.

    What was downloaded before is used without asking the hub; large files are compared with the checksum that the
    hub's cache keeps.

    :param repository: name on the hub; ``NAME@REVISION`` states the revision too.
    :param revision: commit, tag or branch; the main branch by default.
    :raises DownloadError: if there is no network, no such repository, or no weights in it.
    :raises IntegrityError: if a downloaded file has changed since.
    """
    name, _, stated = repository.partition("@")
    revision = revision or stated or None
    hub = require_package("huggingface_hub", "fetching published weights")
    cached = _downloaded_before(hub, name, revision)
    if cached is not None:
        return cached
    try:
        return _fetched(hub, name, revision)
    except DownloadError:
        raise
    except Exception as error:  # the hub's client raises errors of several libraries
        raise DownloadError(
            f"cannot fetch {repository}",
            found=first_line(error),
            remedy="Download the .pth elsewhere and run `said import-weights FILE.pth`.",
        ) from error


def _fetched(hub: Any, repository: str, revision: str | None) -> Path:
    names = list(hub.list_repo_files(repository, revision=revision))
    if set(_PAIR) <= set(names):
        files = [Path(hub.hf_hub_download(repository, name, revision=revision)) for name in _PAIR]
        return files[0].parent
    weights = [name for name in names if name.endswith(".pth")]
    if not weights:
        raise DownloadError("the repository holds no weights", found=repository,
                            expected=f"a .pth file, or {' and '.join(_PAIR)}")  # fmt: skip
    return Path(hub.hf_hub_download(repository, weights_among(weights), revision=revision))


def weights_among(names: list[str]) -> str:
    """Return the file that holds the model: by its published name, else the shortest that is no VAE's."""
    for name in names:
        if Path(name).name == WEIGHTS_NAME:
            return name
    return min(names, key=lambda name: ("vae" in Path(name).stem.lower(), len(name), name))


def _downloaded_before(hub: Any, repository: str, revision: str | None) -> Path | None:
    try:
        snapshot = Path(hub.snapshot_download(repository, revision=revision, local_files_only=True))
    except Exception:  # not there, or a name that is none of the hub's: asking the hub says which
        return None
    if all((snapshot / name).is_file() for name in _PAIR):
        for name in _PAIR:
            _check(snapshot / name)
        return snapshot
    names = [path.relative_to(snapshot).as_posix() for path in sorted(snapshot.rglob("*.pth"))]
    if not names or "vae" in Path(weights_among(names)).stem.lower():
        return None
    found = snapshot / weights_among(names)
    _check(found)
    return found


def _check(file: Path) -> None:
    """Compare a large file with its name in the hub's cache, which is its SHA-256.

    :raises IntegrityError: if they differ.
    """
    stored = file.resolve()
    if file.is_symlink() and re.fullmatch("[0-9a-f]{64}", stored.name):
        with stored.open("rb") as content:
            found = hashlib.file_digest(content, "sha256").hexdigest()
        if found != stored.name:
            raise IntegrityError("a downloaded file has changed", expected=f"SHA-256 {stored.name}", found=found,
                                 path=stored, remedy="Delete it; it is then fetched again.")  # fmt: skip


def commit_of(path: Path) -> str | None:
    """Return the commit that a file or folder of the hub's cache was downloaded at; nothing for other places."""
    for part, below in zip(path.parts, path.parts[1:]):
        if part == "snapshots" and re.fullmatch("[0-9a-f]{40}", below):
            return below
    return None


def open_weights(path: Path) -> tuple[SaidNetwork, SamplerConfig | None]:
    """Build the network of what :func:`fetch` returned, and how it is drawn from where a checkpoint says it.

    :raises MissingInputError: if there is nothing.
    :raises FormatError: if it holds no weights of this model.
    """
    if path.is_dir():
        return checkpoint.load(path, fetch=True), checkpoint.read_sampler(path)
    if not path.is_file():
        raise MissingInputError("no weights here", expected="a .pth file or a checkpoint folder", path=path)
    return authors.network_of(read_weights(path), path=path), None
