"""Stage ``manifest``: what the shards are, written only for those that were read back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from blendvoca.errors import IntegrityError
from blendvoca.io.digest import digest_json
from blendvoca.shard.manifest import describe, shard_files
from blendvoca.shard.schema import MANIFEST_NAME, SHARD_SUFFIX
from blendvoca.speakers import default_split
from pipelines.stage import Stage
from pipelines.workspace import BuildWorkspace, UpstreamMissingError


class WriteManifest(Stage):
    """Write ``manifest.json``."""

    name, title, unit = "manifest", "manifest", "file"
    final = True

    def items(self, work: BuildWorkspace) -> list[str]:
        """Return the one manifest."""
        return ["manifest"]

    def inputs(self, work: BuildWorkspace, item: str) -> dict[str, str]:
        """Return the hashes of all shards, and what the manifest says beside them.

        :raises UpstreamMissingError: if there is no good shard.
        """
        good = _good(work)
        if not good:
            raise UpstreamMissingError("no shard was packed")
        about = [work.dataset_name, sorted(work.corpus.known_gaps), _split(work)]
        return {"dataset": digest_json(about), **{name: work.fingerprint("pack", name) for name in good}}

    def target(self, work: Any, item: str) -> Path:
        """Return the manifest's final path."""
        return Path(work.out) / MANIFEST_NAME

    def run(self, work: BuildWorkspace, item: str, target: Path) -> dict[str, Any]:
        """Describe the folder.

        :raises IntegrityError: naming shards that this build did not make or could not read back.
        """
        wanted = {f"{name}{SHARD_SUFFIX}" for name in _good(work)}
        strange = sorted({path.name for path in shard_files(work.out)} - wanted)
        if strange:
            raise IntegrityError("shards that this build did not make", found=strange, remedy="Move them away.",
                                 path=work.out)  # fmt: skip
        manifest = describe(work.out, _split(work), name=work.dataset_name, known_gaps=work.corpus.known_gaps)
        target.write_text(manifest.to_json(), encoding="utf-8")
        return {"shards": len(manifest.shards)}


def _good(work: BuildWorkspace) -> list[str]:
    return [speaker for speaker in work.speakers if work.done("audit", speaker)]


def _split(work: BuildWorkspace) -> dict[str, str]:
    return work.corpus.splits or default_split(work.speakers)
