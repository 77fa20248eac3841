"""Is the output what its inputs give? Build again elsewhere, and compare hashes."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np

from blendvoca.errors import BlendvocaError, MissingInputError
from blendvoca.io.digest import digest_file
from blendvoca.shard.manifest import shard_files
from blendvoca.shard.reader import open_shard
from blendvoca.shard.schema import MANIFEST_NAME
from pipelines.build import build
from pipelines.config import BuildConfig
from pipelines.output import is_build
from pipelines.progress import Reporter
from pipelines.records import COEFFICIENT_GRID, DELTA_GRID

#: A folder in memory, where the system has one.
_MEMORY = Path("/dev/shm")
#: Bytes that a rebuild must find free there; all of VOCASET takes about a tenth.
_ROOM = 2 * 2**30

#: Steps of the grids that rounding may move a stored value by.
_ROUNDING_STEPS = 4


def check(config: BuildConfig, out: Path, *, jobs: int = 0, reporter: Reporter | None = None) -> list[str]:
    """Build from the inputs anew, in memory where there is room, and compare shards and manifest with those in ``out``.

    Nothing in ``out`` is used or changed, so inputs that changed without a trace are noticed too.

    :returns: one line for every file that differs; empty when all are the same bytes. Of a shard, the line says whether
        it differs by rounding alone, as it may on another processor.
    :raises MissingInputError: if ``out`` holds no build.
    """
    if not is_build(out):
        raise MissingInputError("no build here to compare with", remedy="Build first, without --check.", path=out)
    place = _MEMORY if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ROOM else None
    with tempfile.TemporaryDirectory(prefix="blendvoca-check-", dir=place) as folder:
        fresh = Path(folder) / "out"
        result = build(config, fresh, jobs=jobs, reporter=reporter)
        failed = [f"{failure.item}: cannot be built any more: {failure.error}" for failure in result.failures]
        return failed + _compare(out, fresh)


def _compare(out: Path, fresh: Path) -> list[str]:
    old, new = _hashes(out), _hashes(fresh)
    different = []
    for name in sorted({*old, *new}):
        if name not in new:
            different.append(f"{name}: a fresh build has no such file")
        elif name not in old:
            different.append(f"{name}: missing")
        elif old[name] != new[name]:
            why = f"; {_difference(out / name, fresh / name)}" if name != MANIFEST_NAME else ""
            different.append(f"{name}: SHA-256 {old[name][:16]}…, a fresh build gives {new[name][:16]}…{why}")
    return different


def _difference(old: Path, new: Path) -> str:
    """Say how two shards of one name differ."""
    try:
        first, second = open_shard(old), open_shard(new)
        if (first.speaker, first.names, first.sentences) != (second.speaker, second.names, second.sentences):
            return "other names or clips"
        pairs = [(a.track.values, b.track.values) for a, b in zip(first.clips(), second.clips(), strict=True)]
        if any(a.shape != b.shape for a, b in pairs):
            return "clips of other lengths"
        deltas = (first.parts().deltas, second.parts().deltas)
    except BlendvocaError as error:
        return f"it cannot be read: {error.what}"
    coefficients = max(float(np.abs(a - b).max()) for a, b in pairs)
    metres = 0.0
    if deltas[0] is not None and deltas[1] is not None and deltas[0].shape == deltas[1].shape:
        metres = float(np.abs(deltas[0] - deltas[1]).max())
    elif (deltas[0] is None) != (deltas[1] is None) or deltas[0] is not None:
        return "other deltas"
    figures = f"coefficients differ by at most {coefficients:.1e}, deltas by {metres:.1e} m"
    rounding = coefficients <= _ROUNDING_STEPS * COEFFICIENT_GRID and metres <= _ROUNDING_STEPS * DELTA_GRID
    return f"rounding alone, as of another processor ({figures})" if rounding else figures


def _hashes(folder: Path) -> dict[str, str]:
    files = [*shard_files(folder), folder / MANIFEST_NAME]
    return {path.name: digest_file(path) for path in files if path.is_file()}
