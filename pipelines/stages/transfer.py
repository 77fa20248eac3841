"""Stage ``transfer``: the source's shapes on a speaker's cropped template (Sumner and Popović 2004)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from blendvoca.rig import BlendshapeRig
from blendvoca.transfer import TransferConfig, prepare
from pipelines.artefact import write_artefact
from pipelines.records import pack_rig, unpack_crop, unpack_mesh, unpack_registration, unpack_rig
from pipelines.stage import Stage
from pipelines.workspace import BuildWorkspace


class Transfer(Stage):
    """Solve for the shapes of a speaker."""

    name, title, settings = "transfer", "deformation transfer", ("method",)
    version = 5

    def items(self, work: BuildWorkspace) -> list[str]:
        """Return the speakers."""
        return work.speakers

    def inputs(self, work: BuildWorkspace, item: str) -> dict[str, str]:
        """Return hashes of the source rig, the regions and the registration."""
        return {
            "source": work.fingerprint("source", "rig"),
            "template": work.fingerprint("landmarks", item),
            "crop": work.fingerprint("crop", item),
            "registration": work.fingerprint("correspond", item),
        }

    def run(self, work: BuildWorkspace, item: str, target: Path) -> dict[str, Any]:
        """Transfer all shapes to the region; `reattach` measures what comes of them."""
        source, registered = unpack_rig(work.load("source", "rig")), work.load("correspond", item)
        template = unpack_mesh("template", work.load("landmarks", item))
        cropped = unpack_crop("region", work.load("crop", item)).apply(template)
        config = TransferConfig(work.config.method)
        prepared = prepare(source.neutral, cropped, registered["pairs"], config, unpack_registration(registered))
        rig = BlendshapeRig(cropped, prepared.shapes(prepared.asked(source)), source.names)
        facts = {"band": config.band * prepared.space.target_unit}
        write_artefact(target, facts, covered=prepared.covered, **pack_rig(rig))
        return {"notes": list(prepared.notes)}
