"""Stage ``landmarks``: every speaker's template, and the 68 landmark vertices on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import MeshError, MissingInputError
from blendvoca.io.digest import digest_bytes, digest_file
from blendvoca.mesh import Mesh
from landmarks.check import require_landmarks
from landmarks.files import read_landmarks
from landmarks.schemes import recognise, topology_landmarks
from landmarks.units import guess_unit
from pipelines.artefact import write_artefact
from pipelines.records import pack_mesh
from pipelines.stage import Stage
from pipelines.workspace import BuildWorkspace


class FindLandmarks(Stage):
    """Take the landmarks that the user names, those the corpus brings, or those of the template's topology."""

    name, title = "landmarks", "landmarks"

    def items(self, work: BuildWorkspace) -> list[str]:
        """Return the speakers."""
        return work.speakers

    def inputs(self, work: BuildWorkspace, item: str) -> dict[str, str]:
        """Return what the template is, and what the landmark list holds."""
        path = landmark_file(work, item)
        return {
            "template": digest_bytes(work.corpus.stamp(item).encode()),
            "landmark file": "of its topology" if path is None else digest_file(path),
        }

    def run(self, work: BuildWorkspace, item: str, target: Path) -> dict[str, Any]:
        """Read the template, and check the landmarks against it."""
        template = work.corpus.template(item)
        path = landmark_file(work, item)
        topology = recognise(template.n_vertices, template.n_faces)
        if path is not None:
            indices = read_landmarks(path, template.n_vertices, template.faces)
        elif topology is not None:
            indices = topology_landmarks(topology.name)
        else:
            raise MissingInputError(
                f"no landmarks for {item}",
                expected=f"a topology that is known, or a list for these {template.n_vertices} vertices",
                remedy="Name a file with --landmarks; 'blendvoca landmarks pick' or 'transfer' makes one.",
            )
        checked, _ = require_landmarks(template, indices, path)
        require_metres(template, checked, item)
        facts = {"topology": topology.name if topology else None}
        write_artefact(target, facts, landmarks=checked, **pack_mesh("template", template))
        return facts


def require_metres(template: Mesh, indices: NDArray[np.int64], speaker: str) -> None:
    """Refuse a template that is in centimetres or millimetres: shards are in metres, and so are its frames expected.

    :raises MeshError: naming the unit.
    """
    unit = guess_unit(template.vertices[indices])
    if unit.name in ("cm", "mm"):
        raise MeshError(
            f"the template of {speaker} is not in metres",
            expected="metres, as VOCASET is",
            found=f"{unit.name}: {unit.reason}",
            remedy=f"Scale templates and frames by {unit.metres:g}.",
        )


def landmark_file(work: BuildWorkspace, speaker: str) -> Path | None:
    """Return the landmark file of a speaker: the user's, else the corpus's; ``None`` where there is none.

    :raises MissingInputError: if the user's is not there.
    """
    given = work.config.landmarks
    if given is not None and not given.is_dir():
        return given
    folder = given if given is not None else work.config.corpus / "landmarks"
    for stem in (speaker, "head", "landmarks"):
        for suffix in (".txt", ".json"):
            if (folder / f"{stem}{suffix}").is_file():
                return folder / f"{stem}{suffix}"
    if given is not None:
        raise MissingInputError(f"no landmarks of {speaker}", expected=f"{speaker}.txt or .json", path=given)
    return None
