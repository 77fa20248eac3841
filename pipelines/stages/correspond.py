"""Stage ``correspond``: bend the source onto a speaker's cropped template, and pair the triangles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from blendvoca.transfer import TransferConfig
from blendvoca.transfer.prepared import register_heads
from blendvoca.transfer.quality.checks import landmark_pairs
from pipelines.artefact import write_artefact
from pipelines.records import pack_registration, unpack_crop, unpack_mesh, unpack_rig
from pipelines.stage import Stage
from pipelines.workspace import BuildWorkspace


class Correspond(Stage):
    """Register the source on a speaker's head. It depends on the source's neutral only, not on the chosen shapes."""

    name, title, settings = "correspond", "registration", ("method",)

    def items(self, work: BuildWorkspace) -> list[str]:
        """Return the speakers."""
        return work.speakers

    def inputs(self, work: BuildWorkspace, item: str) -> dict[str, str]:
        """Return hashes of the source's neutral, the regions and the landmarks."""
        return {
            "source's neutral": work.mark("source", "rig").facts["neutral"],
            "crop": work.fingerprint("crop", item),
            "landmarks": work.fingerprint("landmarks", item),
        }

    def run(self, work: BuildWorkspace, item: str, target: Path) -> dict[str, Any]:
        """Register and keep what the transfer goes on from."""
        source, marks, regions = work.load("source", "rig"), work.load("landmarks", item), work.load("crop", item)
        neutral, template = unpack_rig(source).neutral, unpack_mesh("template", marks)
        region = unpack_crop("region", regions)
        pairs = landmark_pairs(neutral.vertices, source["landmarks"], template.vertices, marks["landmarks"])
        pairs = np.column_stack([pairs[:, 0], region.indices(pairs[:, 1])])
        found = register_heads(neutral, region.apply(template), pairs, TransferConfig(work.config.method))
        facts = {"flipped": found.flipped}
        write_artefact(target, facts, pairs=pairs, **pack_registration(found))
        return facts
