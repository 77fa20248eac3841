"""The check passes real faces in any unit and pose, and names every way of getting the list wrong."""

import numpy as np
import pytest

from blendvoca.errors import LandmarkError
from blendvoca.ibug68 import GROUPS, INDEX, MIRROR, NAMES
from blendvoca.mesh import Mesh
from landmarks.check import check_landmarks, require_landmarks
from landmarks.prototype import PROTOTYPE

EYES = [*GROUPS["eye_right"], *GROUPS["eye_left"]]


@pytest.fixture(scope="module")
def face() -> tuple[Mesh, np.ndarray]:
    """A dome through the prototype's points, open at lids and lips, with an eyeball behind one lid and a vertex without
    faces."""
    from scipy.spatial import Delaunay

    ring = 0.11 * np.column_stack(
        [np.sin(np.arange(24) * np.pi / 12), np.cos(np.arange(24) * np.pi / 12), np.zeros(24)]
    )
    points = np.vstack([PROTOTYPE, ring - [0, 0, 0.02]])
    # The inner lips nearly touch; spreading them in the plane keeps the triangulation proper.
    flat = points[:, :2] + 1e-4 * np.random.default_rng(0).normal(size=(len(points), 2))
    faces = Delaunay(flat).simplices
    for ring_of in ("eye_right", "eye_left", "lips_inner"):  # they are open
        faces = faces[~np.isin(faces, GROUPS[ring_of]).all(axis=1)]
    a, b, c = (flat[faces[:, k]] for k in range(3))
    clockwise = np.cross(np.c_[b - a, np.zeros(len(a))], np.c_[c - a, np.zeros(len(a))])[:, 2] < 0
    faces[clockwise] = faces[clockwise][:, ::-1]
    ball = PROTOTYPE[INDEX["eye_left_lower_inner"]] - [0, 0, 0.002] + 0.01 * np.eye(3) * [1, 1, -1]
    n = len(points)
    vertices = np.vstack([points, ball, [[0, 0, 0]]])
    return Mesh(vertices, np.vstack([faces, [[n, n + 1, n + 2]]])), np.arange(68)


def _codes(mesh: Mesh, landmarks: np.ndarray) -> set[str]:
    return {finding.code for finding in check_landmarks(mesh, landmarks).errors}


def _said(report) -> list[str]:
    """Codes of what was found; the dome's triangles are too coarse for the slit of its mouth."""
    return [finding.code for finding in report.findings if finding.code != "closed"]


def test_a_plain_face_passes(face) -> None:
    report = check_landmarks(*face)
    assert report.ok
    assert not _said(report)
    assert report.figures["fit_mm"] < 1e-6


@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0, 1000.0])
def test_unit_and_pose_do_not_matter(face, scale) -> None:
    mesh, landmarks = face
    turn, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))
    turn *= np.linalg.det(turn)
    moved = mesh.with_vertices(scale * mesh.vertices @ turn.T + [5, -7, 11])
    report = check_landmarks(moved, landmarks)
    assert report.ok
    assert not _said(report)
    assert report.figures["size"] == pytest.approx(scale)
    assert _codes(moved, landmarks[MIRROR]) == {"mirrored"}


@pytest.mark.parametrize(
    ("wrong", "code", "words"),
    [
        (lambda good: good[:-1], "list", "found 67 points"),
        (lambda good: good[17:], "list", "found 51 points, perhaps the 68 points without the contour"),
        (lambda good: np.r_[good[:40], good[41], good[41:]], "list", "two landmarks on one vertex"),
        (lambda good: np.r_[good[:67], 10**6], "list", "does not exist"),
        (lambda good: good[MIRROR], "mirrored", "left and right are exchanged"),
        (
            lambda good: np.r_[good[:36], good[42:48], good[36:42], good[48:]],
            "order",
            "eye_right and eye_left are exchanged",
        ),
        (lambda good: np.r_[good[:36], good[MIRROR][EYES], good[48:]], "order", "eye_right and eye_left are exchanged"),
        (
            lambda good: np.r_[good[:17], good[MIRROR][17:27], good[27:]],
            "order",
            "brow_right and brow_left are exchanged",
        ),
        (lambda good: np.r_[good[:17][::-1], good[17:]], "order", r"contour run in another order \(reversed\)"),
        (lambda good: np.r_[good[:42], np.roll(good[42:48], 1), good[48:]], "order", "eye_left run in another order"),
        (lambda good: np.r_[good[:48], good[48:60][::-1], good[60:]], "order", "lips_outer run in another order"),
        (lambda good: np.r_[good[17:], good[:17]], "shape", "another scheme"),
        (lambda good: np.random.default_rng(1).permutation(good), "shape", "form no face"),
        (lambda good: np.r_[good[:30], 68 + 12, good[31:]], "place", "nose_tip is off its place on the face"),
        (lambda good: np.r_[good[:47], 93, good[48:]], "component", "eye_left_lower_inner off the face's skin"),
        (lambda good: np.r_[good[:30], 95, good[31:]], "component", "no face of the mesh uses the vertex of nose_tip"),
    ],
)
def test_wrong_lists_are_named(face, wrong, code, words) -> None:
    mesh, landmarks = face
    report = check_landmarks(mesh, wrong(landmarks))
    assert code in {finding.code for finding in report.errors}
    with pytest.raises(LandmarkError, match=words):
        require_landmarks(mesh, wrong(landmarks))


def test_implausible_proportions_are_named(face) -> None:
    mesh, landmarks = face
    vertices = mesh.vertices.copy()
    mouth = [*GROUPS["lips_outer"], *GROUPS["lips_inner"]]
    vertices[mouth, 0] *= 0.2
    assert "proportions" in _codes(mesh.with_vertices(vertices), landmarks) | _codes(mesh, landmarks)
    squeezed = mesh.with_vertices(mesh.vertices * [1, 0.35, 1])
    assert not check_landmarks(squeezed, landmarks).ok


def test_seam_vertices_at_one_place_count_as_doubled(face) -> None:
    mesh, landmarks = face
    vertices = mesh.vertices.copy()
    vertices[landmarks[61]] = vertices[landmarks[62]]
    assert "doubled" in _codes(mesh.with_vertices(vertices), landmarks)


def test_harmless_oddities_are_warnings(face) -> None:
    mesh, landmarks = face
    inward = check_landmarks(Mesh(mesh.vertices, mesh.faces[:, ::-1]), landmarks)
    assert inward.ok
    assert _said(inward) == ["winding"]
    vertices = mesh.vertices.copy()
    vertices[[40, 41], 1] = vertices[[38, 37], 1] - 1e-4
    closed = check_landmarks(mesh.with_vertices(vertices), landmarks)
    assert closed.ok
    assert "the right eye of the neutral is closed" in closed.warnings[0].message


def test_real_faces_pass_and_their_wrong_lists_do_not(assets) -> None:
    from blendvoca.io.rig.ict import read_ict
    from landmarks.sources import load_source

    model = read_ict(assets / "ict_facekit" / "ict_facekit.npz")
    arkit = load_source("arkit", assets=assets)
    random = np.random.default_rng(0)
    heads = [(arkit.rig.neutral, arkit.landmarks), (model.mesh, model.landmarks)]
    for _ in range(4):
        weights = dict(zip(model.identities, 1.5 * random.normal(size=8)))
        heads.append((model.head(weights), model.landmarks))
    for mesh, landmarks in heads:
        report = check_landmarks(mesh, landmarks)
        assert report.ok
        assert not report.findings
        assert report.figures["fit_mm"] < 4.0
        assert _codes(mesh, landmarks[MIRROR]) == {"mirrored"}
        assert "order" in _codes(mesh, np.r_[landmarks[:36], landmarks[MIRROR][EYES], landmarks[48:]])
        assert "shape" in _codes(mesh, random.permutation(landmarks))
    assert _codes(arkit.rig.neutral, model.landmarks) == {"list"}
    assert "shape" in _codes(model.mesh, arkit.landmarks)
    eyeball = model.landmarks.copy()
    eyeball[INDEX["eye_right_lower_inner"]] = 24_000
    assert "component" in _codes(model.mesh, eyeball)


def test_lids_and_lips_lie_on_their_own_side() -> None:
    """Upper points set on the lower lid: a blink would tear the eye open."""
    from blendvoca.synthetic.head import SyntheticHead

    mesh, good = SyntheticHead().head()
    assert check_landmarks(mesh, good).findings == ()
    for rows, below in (((37, 38), (41, 40)), ((43, 44), (47, 46)), ((61, 62, 63), (67, 66, 65))):
        for moved, towards in ((rows, below), (below, rows)):
            wrong = good.copy()
            for point, other in zip(moved, towards):
                around = mesh.faces[(mesh.faces == good[other]).any(axis=1)]
                wrong[point] = np.setdiff1d(around, wrong)[0]
            report = check_landmarks(mesh, wrong)
            named = {name for finding in report.errors if finding.code == "side" for name in finding.points}
            assert named == {NAMES[point] for point in moved}


def test_openings_that_are_grown_together_are_said() -> None:
    from rigging_builders import closed_openings

    mesh, marks = closed_openings()
    report = check_landmarks(mesh, marks)
    assert report.ok
    assert [finding.message.split(":")[0] for finding in report.warnings if finding.code == "closed"] == [
        "no slit between the lips of the mouth",
        "no slit between the lids of the right eye",
        "no slit between the lids of the left eye",
    ]
