"""Stage ``crop``: which vertices of a speaker's head the transfer deforms, and which are published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from blendvoca.crop import Crop
from blendvoca.errors import MissingInputError
from blendvoca.io.digest import digest_file
from blendvoca.io.region import read_region, region_file
from blendvoca.transfer.region import completed_region, face_region, head_region, require_inside
from landmarks.schemes import head_indices
from pipelines.artefact import write_artefact
from pipelines.records import pack_crop, unpack_mesh
from pipelines.stage import Stage
from pipelines.workspace import BuildWorkspace


class CropRegions(Stage):
    """Find the transfer region and the published region."""

    name, title, version = "crop", "regions", 3

    def items(self, work: BuildWorkspace) -> list[str]:
        """Return the speakers."""
        return work.speakers

    def inputs(self, work: BuildWorkspace, item: str) -> dict[str, str]:
        """Return the hash of template and landmarks, and of the user's region."""
        found = {"template": work.fingerprint("landmarks", item)}
        if work.config.region is not None:
            # A mask of several in one file: its name counts too.
            file, mask = region_file(work.config.region)
            found["region"] = f"{digest_file(file)} {mask}"
        return found

    def run(self, work: BuildWorkspace, item: str, target: Path) -> dict[str, Any]:
        """Find both regions."""
        stored = work.load("landmarks", item)
        template = unpack_mesh("template", stored)
        given = work.config.region
        notes: tuple[str, ...] = ()
        if given is None:
            region = face_region(template, stored["landmarks"])
        else:
            region = read_region(given, template.n_vertices)
            require_inside(region, stored["landmarks"])
            region, notes = completed_region(template, region, stored["landmarks"])
        output = _published(stored.facts["topology"], template.n_vertices)
        if output is None:
            output = head_region(template, stored["landmarks"], region)
        write_artefact(target, None, **pack_crop("region", region), **pack_crop("output", output))
        return {"region": len(region.kept), "output": len(output.kept), "notes": list(notes)}


def _published(topology: str | None, n_vertices: int) -> Crop | None:
    """Return the published region where the topology has one and its list is at hand."""
    if topology != "flame":
        return None
    try:
        return Crop.of(head_indices(), n_vertices)
    except MissingInputError:
        return None
