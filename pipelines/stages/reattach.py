"""Stage ``reattach``: the transferred shapes on the published region of the head (paper 4.1.1)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from blendvoca.io.digest import digest_bytes
from blendvoca.rig import BlendshapeRig
from blendvoca.transfer.quality.report import verdict
from blendvoca.transfer.reattach import reattach
from blendvoca.transfer.transfer_rig import measure
from pipelines.artefact import write_artefact
from pipelines.records import (
    DELTA_GRID,
    on_grid,
    pack_crop,
    pack_rig,
    unpack_crop,
    unpack_mesh,
    unpack_registration,
    unpack_rig,
)
from pipelines.stage import Stage
from pipelines.workspace import BuildWorkspace


class Reattach(Stage):
    """Put the shapes back onto the head."""

    name, title, version = "reattach", "reattachment", 7

    def items(self, work: BuildWorkspace) -> list[str]:
        """Return the speakers."""
        return work.speakers

    def inputs(self, work: BuildWorkspace, item: str) -> dict[str, str]:
        """Return hashes of the shapes, the regions and the template."""
        return {
            "template": work.fingerprint("landmarks", item),
            "crop": work.fingerprint("crop", item),
            "shapes": work.fingerprint("transfer", item),
            "source": work.fingerprint("source", "rig"),
            "registration": work.fingerprint("correspond", item),
        }

    def run(self, work: BuildWorkspace, item: str, target: Path) -> dict[str, Any]:
        """Reattach, keep the published region, and measure how well it does what the source does."""
        stored, regions = work.load("landmarks", item), work.load("crop", item)
        moved = work.load("transfer", item)
        template, shapes = unpack_mesh("template", stored), unpack_rig(moved)
        region, output = unpack_crop("region", regions), unpack_crop("output", regions)
        marks, band = stored["landmarks"], moved.facts["band"]
        deltas = reattach(template, region, shapes.deltas, moved["covered"], band, marks)
        deltas = on_grid(deltas, DELTA_GRID)
        rig = BlendshapeRig(template, deltas, shapes.names).cropped(output)
        facts = {"template_sha256": digest_bytes(template.vertices.astype("<f4").tobytes())}
        write_artefact(
            target, facts, landmarks=output.indices(stored["landmarks"]), **pack_rig(rig), **pack_crop("output", output)
        )
        source, registered = work.load("source", "rig"), work.load("correspond", item)
        pairs = np.column_stack([source["landmarks"], output.indices(marks)])
        covered = np.isin(output.kept, region.kept[moved["covered"]])
        report = measure(unpack_rig(source), pairs, rig, unpack_registration(registered), covered)
        bad = report.failed_figures or report.failed_shapes
        return {"quality": report.to_json(), "notes": [verdict(report)] if bad else []}
