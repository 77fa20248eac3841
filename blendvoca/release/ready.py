"""Datasets that are ready to open in one step: the authors' release as shards, and the sample of the wheel."""

from __future__ import annotations

import shutil
from importlib.resources import as_file, files
from pathlib import Path

from blendvoca.errors import ConfigurationError, IntegrityError, OutputError
from blendvoca.fetch.download import DEFAULT_DOWNLOAD, DownloadConfig, download
from blendvoca.fetch.package import SUMS_NAME, check_sums
from blendvoca.fetch.places import cache_folder
from blendvoca.internal.progress import Progress
from blendvoca.io.atomic import atomic_path
from blendvoca.release.complete import Completion, complete
from blendvoca.release.importer import import_release
from blendvoca.shard.manifest import read_manifest
from blendvoca.shard.schema import MANIFEST_NAME
from blendvoca.shard.verify import verify

#: What can be had ready to open, with what it is.
READY: dict[str, str] = {
    "sample": "a small package of the embedded sample that comes with this program: 3 speakers, meshes and sound",
    "blendvoca": "BlendVOCA as shards: the authors' release fetched, verified and imported; --vocaset DIR completes it",
}
#: What of the registry `blendvoca` is made of.
_RELEASE = "blendvoca-release"


def ready_dataset(
    name: str,
    out: Path | None = None,
    vocaset: Path | None = None,
    *,
    config: DownloadConfig = DEFAULT_DOWNLOAD,
    progress: Progress | None = None,
) -> tuple[Path, Completion]:
    """Bring a dataset that :class:`blendvoca.dataset.BlendVOCA` opens as it is.

    :param name: one of :data:`READY`.
    :param out: folder for the shards; ``<cache>/<name>`` where it is not given.
    :param vocaset: the user's own VOCASET, whose meshes and sound complete ``blendvoca``.
    :param config: how files are fetched.
    :param progress: is called with every block that comes.
    :returns: the folder, and what it holds and lacks.
    :raises ConfigurationError: for another name, or VOCASET beside the sample.
    :raises DownloadError, IntegrityError, OutputError: as :func:`blendvoca.fetch.download.download` does.
    :raises FormatError, UnsafePickleError: if the release cannot be read.
    """
    if name not in READY:
        raise ConfigurationError(f"no ready dataset is called {name!r}", expected=f"one of {sorted(READY)}")
    folder = out or cache_folder() / name
    if name == "sample":
        if vocaset is not None:
            raise ConfigurationError("the sample is complete", remedy="Leave --vocaset out.")
        _copy_sample(folder)
        return folder, Completion(read_manifest(folder), ())
    release = download(_RELEASE, config=config, progress=progress)
    manifest = import_release(release, folder)
    for problem in verify(folder):
        raise IntegrityError("the imported release does not verify", found=str(problem), path=folder)
    return folder, complete(folder, vocaset) if vocaset is not None else Completion(manifest, ())


def _copy_sample(folder: Path) -> None:
    """Copy the package that comes with this program, the manifest last, and check its sums."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        others = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise OutputError("cannot write here", found=error.strerror, path=folder) from error
    with as_file(files(__package__) / "sample") as source:
        names = sorted((path.name for path in source.iterdir()), key=lambda name: (name == MANIFEST_NAME, name))
        foreign = [name for name in others if name not in names]
        if foreign:
            raise OutputError("the folder holds something else", found=", ".join(foreign[:5]),
                              remedy="Choose another --out.", path=folder)  # fmt: skip
        for name in names:
            with atomic_path(folder / name) as temporary:
                shutil.copyfile(source / name, temporary)
    if (folder / SUMS_NAME).is_file():
        check_sums(folder)
