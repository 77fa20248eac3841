"""Stage ``audit``: read every shard back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from blendvoca.errors import IntegrityError
from blendvoca.shard.verify import verify_shard
from pipelines.artefact import write_artefact
from pipelines.stage import Stage
from pipelines.workspace import BuildWorkspace


class Audit(Stage):
    """Verify the shards: format, checksums, ranges, rate limit, certificates, lengths."""

    name, title = "audit", "reading back"

    def items(self, work: BuildWorkspace) -> list[str]:
        """Return the speakers."""
        return work.speakers

    def inputs(self, work: BuildWorkspace, item: str) -> dict[str, str]:
        """Return the shard's hash."""
        return {"shard": work.fingerprint("pack", item)}

    def run(self, work: BuildWorkspace, item: str, target: Path) -> dict[str, Any]:
        """Verify a shard.

        :raises IntegrityError: naming what is wrong.
        """
        mark = work.mark("pack", item)
        problems = verify_shard(work.out / mark.result)
        if problems:
            more = f" (and {len(problems) - 1} more)" if problems[1:] else ""
            raise IntegrityError(f"{problems[0]}{more}", remedy="See 'blendvoca verify'.")
        write_artefact(target, {"sha256": mark.sha256})
        return {}
