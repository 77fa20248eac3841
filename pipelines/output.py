"""The output folder: may it be used, and what is in it that no stage makes."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager
from importlib import metadata
from pathlib import Path

from blendvoca.errors import BlendvocaError, OutputError
from blendvoca.io.atomic import write_text
from blendvoca.io.json_file import read_json, table, text
from blendvoca.io.lock import LOCK_NAME, locked
from blendvoca.version import __version__
from pipelines.ledger import Ledger

#: Names that every output folder has and that say nothing about whose it is.
_OURS = {LOCK_NAME, ".stages"}
_SIGN = "blendvoca-build"
#: Packages whose version can show in the last bits of a result.
_PACKAGES = ("numpy", "scipy", "h5py", "cvxopt", "libigl", "soxr", "scikit-sparse")


def prepare_output(out: Path, corpus: Path) -> None:
    """Make the output folder, or check that an existing one is empty or was made by an earlier build.

    :raises OutputError: if it holds something else, cannot be written, or is part of the corpus.
    """
    here, data = out.resolve(), corpus.resolve()
    if here == data or data in here.parents or here in data.parents:
        raise OutputError("the output folder and the corpus lie in one another", found=corpus, path=out,
                          remedy="Choose an --out beside the corpus.")  # fmt: skip
    try:
        out.mkdir(parents=True, exist_ok=True)
        entries = {path.name for path in out.iterdir() if not path.name.startswith(".") or path.name not in _OURS}
    except OSError as error:
        raise OutputError("cannot write here", found=error.strerror, path=out) from error
    if entries and not is_build(out):
        raise OutputError(
            "the output folder holds something else",
            expected="an empty folder, or one that blendvoca build made",
            found=", ".join(sorted(entries)[:5]) + (" …" if len(entries) > 5 else ""),
            remedy="Choose another --out.",
            path=out,
        )


def sign(out: Path) -> None:
    """Write down that the folder is a build's; only for the holder of its lock."""
    if not is_build(out):
        write_text(_sign_path(out), json.dumps({"format": _SIGN}) + "\n")


def is_build(out: Path) -> bool:
    """Return whether an output folder was made by a build."""
    try:
        return bool(read_json(_sign_path(out), table({"format": text()}), "no sign of a build")["format"] == _SIGN)
    except BlendvocaError:
        return False


def only_build(out: Path) -> AbstractContextManager[None]:
    """Hold an output folder for one build.

    :raises OutputError: if another process builds there, or the folder cannot be written.
    """
    remedy = "Wait for it, stop it, or choose another --out."
    return locked(out / LOCK_NAME, "another build is writing here", remedy)


def refuse_others(ledger: Ledger, stage: str, items: Iterable[str], force: bool) -> None:
    """Check that no shard of an earlier build would be removed because this corpus lacks its speaker.

    :raises OutputError: naming those shards, unless ``force``.
    """
    others = ledger.orphans(stage, items)
    if others and not force:
        raise OutputError(
            "the output folder holds shards of speakers that this corpus lacks",
            found=", ".join(others),
            remedy="Choose another --out, or pass --force to remove them.",
            path=ledger.out,
        )


def write_environment(out: Path) -> None:
    """Write which software built the shards to ``environment.json``; it is part of no hash."""
    from threadpoolctl import threadpool_info

    versions, libraries = {}, threadpool_info()
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    facts = {
        "blendvoca": __version__,
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "machine": platform.machine(),
        "packages": versions,
        "kernels": sorted({f"{lib['internal_api']} {lib.get('architecture', '')}".strip() for lib in libraries}),
    }
    content = json.dumps(facts, indent=1, sort_keys=True) + "\n"
    path = out / "environment.json"
    if not path.is_file() or path.read_bytes() != content.encode():
        write_text(path, content)


def _sign_path(out: Path) -> Path:
    return out / ".stages" / "build.json"
