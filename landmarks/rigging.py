"""Blendshapes on any head: unit, repairs, landmarks, transfer, and the way back to the file's own vertices."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blendvoca.crop import Crop
from blendvoca.errors import MeshError
from blendvoca.geometry import vertex_components
from blendvoca.mesh import Mesh
from blendvoca.rig import BlendshapeRig
from blendvoca.transfer import TransferConfig, TransferResult, transfer_rig
from blendvoca.transfer.parts import describe_parts
from landmarks.check import LandmarkReport, require_landmarks
from landmarks.files import checked_indices
from landmarks.repair import looks_inwards, weld
from landmarks.sources import SourceRig
from landmarks.units import Unit, unit_named

#: Largest head that is tried: above it the geodesic bounds alone need gigabytes.
MAX_VERTICES = 2_000_000


@dataclass(frozen=True, eq=False)
class RiggedHead:
    """A head with its new blendshapes.

    :param rig: in metres, on the vertices of the file.
    :param landmarks: (68,) vertices.
    :param unit: of the file.
    :param notes: what was repaired or is worth knowing, in sentences.
    :param check: the landmark check.
    :param result: the transfer, on the repaired mesh in metres.
    :param seconds: wall time of each phase.
    """

    rig: BlendshapeRig
    landmarks: NDArray[np.int64]
    unit: Unit
    notes: tuple[str, ...]
    check: LandmarkReport
    result: TransferResult
    seconds: dict[str, float]

    @property
    def parts(self) -> list[str]:
        """What was found beside the skin, and what it does, in sentences."""
        return describe_parts(self.result.parts, self.rig.names)

    def to_json(self, head: str, source: SourceRig) -> dict[str, Any]:
        """Return the whole report as plain data.

        :param head: what to call the head.
        :param source: the rig that was transferred.
        """
        return {
            "head": {"file": head, "vertices": self.rig.neutral.n_vertices, "triangles": self.rig.neutral.n_faces},
            "unit": asdict(self.unit),
            "notes": list(self.notes),
            "parts": self.parts,
            "source": {"name": source.name, "licence": source.licence},
            "landmarks": {
                "figures": self.check.figures,
                "warnings": [finding.message for finding in self.check.warnings],
            },
            "region_vertices": len(self.result.region.kept),
            "seconds": self.seconds,
            "quality": self.result.report.to_json(),
        }


def rig_head(
    head: Mesh,
    landmarks: ArrayLike,
    source: SourceRig,
    config: TransferConfig | None = None,
    *,
    units: str = "auto",
    region: Crop | None = None,
    still: Sequence[NDArray[np.integer]] = (),
    jaw: Sequence[NDArray[np.integer]] = (),
) -> RiggedHead:
    """Give any head the blendshapes of a source.

    Unit and pose of the head do not matter. Lower teeth and tongue follow the jaw, eyeballs turn, other parts without
    landmarks stay at rest (:mod:`blendvoca.transfer.parts`).

    :param head: the mesh as its file has it.
    :param landmarks: 68 vertices of it.
    :param source: the rig that is transferred, with its landmarks (:func:`landmarks.load_source`).
    :param config: how shapes are transferred; None takes the defaults.
    :param units: ``auto`` (guessed from the size of the face) or one of :data:`landmarks.units.UNITS`.
    :param region: vertices that may move; None finds the face from the landmarks.
    :param still: vertices of parts that stay, whatever they look like.
    :param jaw: vertices of parts that follow the jaw.
    :raises LandmarkError: if the landmarks fail their check.
    :raises MeshError: for a mesh that cannot be repaired, or has more than :data:`MAX_VERTICES` vertices.
    """
    start = time.perf_counter()
    if head.n_vertices > MAX_VERTICES:
        raise MeshError(
            "the head is too detailed",
            expected=f"at most {MAX_VERTICES} vertices",
            found=head.n_vertices,
            remedy="Decimate it, transfer, and carry the shapes over to the detailed mesh.",
        )
    marks = checked_indices(landmarks, head.n_vertices)
    unit = unit_named(units, head.vertices[marks])
    whole = head.with_vertices(head.vertices * unit.metres)
    notes: list[str] = []
    if looks_inwards(whole, marks):
        whole = whole.turned()
        notes.append("the triangles looked inwards and were turned")
    mesh, group = _joined(whole, marks)
    if mesh.n_vertices < whole.n_vertices:
        notes.append(f"{whole.n_vertices - mesh.n_vertices} vertices at the place of others were joined for the work")
    _, report = require_landmarks(mesh, group[marks])
    ready = time.perf_counter()
    on_mesh = None if region is None else Crop.of(group[region.kept], mesh.n_vertices)
    told = [[group[vertices] for vertices in each] for each in (still, jaw)]
    result = transfer_rig(source.rig, source.landmarks, mesh, group[marks], config, on_mesh, *told)
    # The output has the vertices and faces of the file, in its order.
    rig = BlendshapeRig(whole, result.rig.deltas[:, group], result.rig.names)
    seconds = {"check": ready - start, **result.seconds}
    return RiggedHead(rig, marks, unit, (*notes, *result.prepared.notes), report, result, seconds)


def _joined(mesh: Mesh, marks: NDArray[np.int64]) -> tuple[Mesh, NDArray[np.int64]]:
    """Join vertices at one place where the landmarks lie on pieces that do not touch (a mesh split at its seams).

    :returns: the mesh, and for every vertex its vertex there.
    """
    labels = vertex_components(mesh.faces, mesh.n_vertices)[marks]
    if (labels == labels[0]).all():
        return mesh, np.arange(mesh.n_vertices)
    return weld(mesh)
