"""Is the output what its inputs give? Build again elsewhere, and compare hashes."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from blendvoca.errors import MissingInputError
from blendvoca.io.digest import digest_file
from blendvoca.shard.manifest import shard_files
from blendvoca.shard.schema import MANIFEST_NAME
from pipelines.build import build
from pipelines.config import BuildConfig
from pipelines.output import is_build
from pipelines.progress import Reporter

#: A folder in memory, where the system has one.
_MEMORY = Path("/dev/shm")
#: Bytes that a rebuild must find free there; all of VOCASET takes about a tenth.
_ROOM = 2 * 2**30


def check(config: BuildConfig, out: Path, *, jobs: int = 0, reporter: Reporter | None = None) -> list[str]:
    """Build from the inputs anew, in memory where there is room, and compare shards and manifest with those in ``out``.

    Nothing in ``out`` is used or changed, so inputs that changed without a trace are noticed too.

    :returns: one line for every file that differs; empty when all are the same bytes.
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
            different.append(f"{name}: SHA-256 {old[name][:16]}…, a fresh build gives {new[name][:16]}…")
    return different


def _hashes(folder: Path) -> dict[str, str]:
    files = [*shard_files(folder), folder / MANIFEST_NAME]
    return {path.name: digest_file(path) for path in files if path.is_file()}
