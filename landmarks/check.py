"""Are these 68 landmarks a face's, on the skin, in order, and not mirrored?

Every test works in the face's own frame (:mod:`landmarks.alignment`), so unit and pose of the mesh do not matter.
Limits are millimetres on an adult-sized face. On eight neutral faces (ARKit's and seven of ICT's) the largest values
were: fit 2.4, stray point 6.2 (8 on the contour), pair asymmetry 0; wrong lists lie far beyond the limits below.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from os import PathLike

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blendvoca.errors import LandmarkError
from blendvoca.geometry import vertex_components
from blendvoca.ibug68 import EYE_PLACES, GROUPS, INDEX, INNER, MIRROR, MOUTH, NAMES, OPENINGS
from blendvoca.mesh import Mesh
from landmarks.alignment import FaceFrame, align_face, asymmetry, stray
from landmarks.files import checked_indices
from landmarks.order import misordered
from landmarks.repair import looks_inwards
from landmarks.slits import FrontView, wrong_sides

#: Root mean square distance from a plain face: beyond the first unusual, beyond the second no face.
FIT_LIMITS = (7.0, 13.0)
#: Distance of one point from where its neighbours say it is: inner points, contour.
STRAY_LIMITS = {"inner": (11.0, 18.0), "contour": (15.0, 30.0)}
#: Distance of a pair from mirror symmetry that is worth a look.
ASYMMETRY_LIMIT = 9.0

_SPAN = ("eye_right_outer", "eye_left_outer")
#: Distances as shares of that between the outer eye corners: points, least and greatest share on a face.
PROPORTIONS: dict[str, tuple[tuple[str, str], tuple[float, float]]] = {
    "inner eye corners": (("eye_right_inner", "eye_left_inner"), (0.15, 0.60)),
    "right eye": (("eye_right_outer", "eye_right_inner"), (0.17, 0.45)),
    "left eye": (("eye_left_outer", "eye_left_inner"), (0.17, 0.45)),
    "nose wings": (("nose_right_wing", "nose_left_wing"), (0.10, 0.65)),
    "mouth": (("mouth_right_corner", "mouth_left_corner"), (0.25, 1.00)),
    "nose length": (("nose_bridge_1", "nose_base"), (0.25, 1.00)),
    "nose to chin": (("nose_base", "chin"), (0.35, 1.60)),
    "contour width": (("contour_right_1", "contour_left_1"), (1.10, 2.40)),
}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong or unusual.

    :param code: short name of the test.
    :param message: what is expected and what was found.
    :param points: names of the landmarks concerned.
    :param error: whether the list must not be used.
    """

    code: str
    message: str
    points: tuple[str, ...] = ()
    error: bool = True


@dataclass(frozen=True)
class LandmarkReport:
    """What the check found; ``figures`` are in mm on an adult-sized face, ratios or degrees.

    :param findings: errors and warnings.
    :param figures: by name, in mm on an adult-sized face, as ratios or in degrees.
    """

    findings: tuple[Finding, ...]
    figures: dict[str, float] = field(default_factory=dict)

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that forbid using the list."""
        return tuple(finding for finding in self.findings if finding.error)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that deserve a look."""
        return tuple(finding for finding in self.findings if not finding.error)

    @property
    def ok(self) -> bool:
        """Whether the list can be used."""
        return not self.errors


def check_landmarks(mesh: Mesh, landmarks: ArrayLike) -> LandmarkReport:
    """Check a landmark list against its mesh; wrong lists are reported, not raised.

    :param mesh: the head, in any unit.
    :param landmarks: 68 vertex indices.
    """
    try:
        indices = checked_indices(landmarks, mesh.n_vertices)
        frame = align_face(mesh.vertices[indices])
    except LandmarkError as error:
        return LandmarkReport((Finding("list", str(error)),))
    figures = {"fit_mm": frame.rms, "size": frame.to_mesh.scale, "turned_deg": frame.to_mesh.angle_deg}
    mirrored = _mirrored(mesh.vertices[indices], frame)
    if mirrored:
        return LandmarkReport((*mirrored, *_components(mesh, indices)), figures)
    symmetry = asymmetry(frame.points)
    figures["asymmetry_mm"] = float(symmetry.max())
    figures["stray_mm"] = float(stray(frame.offsets)[INNER].max())
    found = [*_components(mesh, indices), *_coincident(frame), *_shape(frame)]
    if any(finding.code == "shape" and finding.error for finding in found):
        return LandmarkReport(tuple(found), figures)
    order = misordered(frame)
    found += [Finding("order", message, points) for message, points in order]
    # Points in the wrong order stray, mislead their neighbours and shift proportions: that is said once.
    found += [] if order else _stray(frame)
    if not found:
        found += _proportions(frame)
    if not found and symmetry.max() > ASYMMETRY_LIMIT:
        worst = int(symmetry.argmax())
        pair = tuple(dict.fromkeys((NAMES[worst], NAMES[MIRROR[worst]])))
        message = f"{' and '.join(pair)} are {symmetry[worst]:.0f} mm from being mirror images"
        found.append(Finding("symmetry", message, pair, error=False))
    # Points that lie elsewhere altogether are said once.
    sides = [] if any(finding.error for finding in found) else _sides(mesh, indices)
    return LandmarkReport((*found, *_openings(frame), *sides, *_winding(mesh, indices)), figures)


def require_landmarks(
    mesh: Mesh, landmarks: ArrayLike, path: str | PathLike[str] | None = None
) -> tuple[NDArray[np.int64], LandmarkReport]:
    """Return the checked list (68,) and its report.

    :raises LandmarkError: with the first error, if there is one.
    """
    report = check_landmarks(mesh, landmarks)
    if report.errors:
        more = f" (and {len(report.errors) - 1} more)" if len(report.errors) > 1 else ""
        raise LandmarkError(f"{report.errors[0].message}{more}", remedy="See 'blendvoca landmarks check'.", path=path)
    return checked_indices(landmarks, mesh.n_vertices), report


def _mirrored(positions: NDArray[np.float64], frame: FaceFrame) -> list[Finding]:
    """Compare with the same points read from the other side."""
    other = align_face(positions[MIRROR])
    if other.rms < 0.6 * frame.rms and other.rms < FIT_LIMITS[1]:
        message = (
            "left and right are exchanged (or the mesh itself is mirrored): the first points belong to the person's "
            f"right, -x of a face that looks along +z; the other way the fit is {other.rms:.1f} instead of "
            f"{frame.rms:.1f} mm"
        )
        return [Finding("mirrored", message)]
    return []


def _components(mesh: Mesh, indices: NDArray[np.int64]) -> list[Finding]:
    """All landmarks lie on one piece of the surface: not on an eyeball, a tooth or a vertex without faces."""
    found = []
    used = np.zeros(mesh.n_vertices, dtype=bool)
    used[mesh.faces] = True
    loose = [NAMES[point] for point in np.flatnonzero(~used[indices])]
    if loose:
        found.append(Finding("component", f"no face of the mesh uses the vertex of {_list(loose)}", tuple(loose)))
    labels = vertex_components(mesh.faces, mesh.n_vertices)[indices]
    main = np.bincount(labels).argmax()
    apart = [NAMES[point] for point in np.flatnonzero((labels != main) & used[indices])]
    if apart:
        message = f"{_list(apart)} off the face's skin, on another part of the mesh (an eyeball, teeth, hair?)"
        found.append(Finding("component", message, tuple(apart)))
    return found


def _coincident(frame: FaceFrame) -> list[Finding]:
    """Two vertices at one place (a seam of the file) are one point as well."""
    distance = np.linalg.norm(frame.points[:, None] - frame.points[None], axis=2)
    pairs = np.argwhere(np.triu(distance < 0.02, k=1))
    return [
        Finding("doubled", f"{NAMES[first]} and {NAMES[second]} are at one place", (NAMES[first], NAMES[second]))
        for first, second in pairs[:5].tolist()
    ]


def _shape(frame: FaceFrame) -> list[Finding]:
    usual, limit = FIT_LIMITS
    if frame.rms <= usual:
        return []
    what = f"{frame.rms:.0f} mm from a plain face on average (usual is up to {usual:.0f})"
    if frame.rms > limit:
        return [
            Finding("shape", f"in this order the points form no face, {what}: another scheme, or another mesh's list?")
        ]
    return [Finding("shape", f"unusual proportions, {what}", error=False)]


def _stray(frame: FaceFrame) -> list[Finding]:
    found = []
    distance = stray(frame.offsets)
    for point in np.argsort(-distance):
        name = NAMES[point]
        usual, limit = STRAY_LIMITS["contour" if point in GROUPS["contour"] else "inner"]
        if distance[point] <= usual:
            continue
        message = f"{name} is off its place on the face, {distance[point]:.0f} mm from where its neighbours put it"
        found.append(Finding("place", message, (name,), error=bool(distance[point] > limit)))
    return found[:8]


def _proportions(frame: FaceFrame) -> list[Finding]:
    def length(pair: tuple[str, str]) -> float:
        first, second = (frame.points[INDEX[name]] for name in pair)
        return float(np.linalg.norm(first - second))

    span, found = length(_SPAN), []
    for what, (pair, (least, most)) in PROPORTIONS.items():
        share = length(pair) / max(span, 1e-9)
        if not least <= share <= most:
            message = (
                f"implausible proportions: {what} {share:.2f} of the distance between the outer eye corners, "
                f"expected {least} to {most}"
            )
            found.append(Finding("proportions", message, pair))
    return found


def _openings(frame: FaceFrame) -> list[Finding]:
    """The neutral has open eyes and a closed mouth."""
    found = []
    height = frame.points[:, 1]
    upper = np.array([INDEX[f"inner_upper_{side}"] for side in ("right", "middle", "left")])
    lower = np.array([INDEX[f"inner_lower_{side}"] for side in ("right", "middle", "left")])
    gap = height[upper] - height[lower]
    if gap.max() > 10.0:
        found.append(Finding("mouth", f"the mouth of the neutral is open by {gap.max():.0f} mm", error=False))
    if gap.min() < -3.0:
        names = tuple(NAMES[point] for point in (upper[gap.argmin()], lower[gap.argmin()]))
        found.append(
            Finding("mouth", f"{names[0]} is {-gap.min():.0f} mm below {names[1]}: lips exchanged?", names, error=False)
        )
    for side in ("right", "left"):
        at = {place: frame.points[INDEX[f"eye_{side}_{place}"]] for place in EYE_PLACES}
        open_by = at["upper_outer"][1] + at["upper_inner"][1] - at["lower_outer"][1] - at["lower_inner"][1]
        if open_by < 0.1 * abs(at["outer"][0] - at["inner"][0]):
            found.append(Finding("eyes", f"the {side} eye of the neutral is closed", error=False))
    return found


def _sides(mesh: Mesh, indices: NDArray[np.int64]) -> list[Finding]:
    """Upper and lower points of lids and lips lie on opposite sides of the opening, which must be there."""
    if not mesh.n_faces:
        return []
    mesh = mesh.turned() if looks_inwards(mesh, indices) else mesh
    found = []
    sides = wrong_sides(FrontView(mesh, indices, mesh.vertices[indices]), indices)
    for opening in OPENINGS:
        rims = "lips" if opening is MOUTH else "lids"
        if opening.name not in sides:
            words = f"no slit between the {rims} of the {opening.name}: grown together, or the landmarks lie elsewhere"
            found.append(Finding("closed", words, error=False))
            continue
        for points, rim, other in (
            (sides[opening.name].below, "upper", "lower"), (sides[opening.name].above, "lower", "upper"),
        ):  # fmt: skip
            names = tuple(NAMES[point] for point in points)
            if names:
                words = f"{_list(list(names))} on the {other} side of the {opening.name}'s opening, not the {rim}"
                found.append(Finding("side", words, names))
    return found


def _winding(mesh: Mesh, indices: NDArray[np.int64]) -> list[Finding]:
    if mesh.n_faces and looks_inwards(mesh, indices):
        words = "the faces look inwards: their corners run clockwise seen from outside"
        return [Finding("winding", words, error=False)]
    return []


def _list(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
