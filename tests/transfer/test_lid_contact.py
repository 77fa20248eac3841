"""Lids over eyeballs: distances and areas against what is known of a sphere, and lids that slide and meet."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from blendvoca.geometry.adjacency import umbrella
from blendvoca.geometry.surface import Surface
from blendvoca.ibug68 import LEFT_EYE
from blendvoca.mesh import Mesh
from blendvoca.rig import BlendshapeRig
from blendvoca.synthetic.head import CanonicalHead, SyntheticHead
from blendvoca.synthetic.identity import Identity
from blendvoca.transfer import TransferResult
from blendvoca.transfer.openings.eyes import Eye, find_eyes
from blendvoca.transfer.openings.lid_contact import slide_lids
from blendvoca.transfer.parts import Part, find_parts
from blendvoca.transfer.quality.eyeballs import eyeball_figures

Array = NDArray[np.float64]
NAMES = ("jawOpen", "eyeBlinkLeft", "eyeBlinkRight", "eyeSquintLeft", "eyeLookDownLeft", "eyeLookInLeft")
RADIUS = 0.2


def sphere(radius: float, rings: int = 60) -> Surface:
    """A sphere of latitudes and longitudes about the origin."""
    polar, turn = np.linspace(0, np.pi, rings + 1), np.linspace(0, 2 * np.pi, 2 * rings, endpoint=False)
    a, b = (each.ravel() for each in np.meshgrid(polar, turn, indexing="ij"))
    points = radius * np.stack([np.sin(a) * np.cos(b), np.cos(a), np.sin(a) * np.sin(b)], axis=1)
    return Surface(points, grid(rings + 1, 2 * rings, closed=True))


def grid(rows: int, columns: int, closed: bool = False) -> NDArray[np.int64]:
    """Triangles of a grid of vertices, row by row; `closed` joins its last column to its first."""
    row, column = (each.ravel() for each in np.mgrid[: rows - 1, : columns - (not closed)])
    beside = (column + 1) % columns
    here, right, below, across = (
        r * columns + c for r, c in ((row, column), (row, beside), (row + 1, column), (row + 1, beside))
    )
    return np.concatenate([np.stack([here, below, right], 1), np.stack([right, below, across], 1)])


def plate(low: float, high: float, depth: float, side: int = 13) -> Surface:
    """A wall across the eye between two heights, facing forward."""
    across = np.linspace(-0.3, 0.3, side)
    y, x = (each.ravel() for each in np.meshgrid(np.linspace(high, low, side), across, indexing="ij"))
    return Surface(np.stack([x, y, np.full(x.shape, depth)], axis=1), grid(side, side))


def eye_with(skin: Surface) -> Eye:
    """An eye whose eyeball has the radius 0.2, behind one piece of skin."""
    ball = sphere(RADIUS)
    count, members = len(skin), len(skin) + np.arange(len(ball))
    return Eye(
        "Left", LEFT_EYE, 1.0, np.arange(count), skin, np.zeros(count, dtype=bool), np.ones(count, dtype=np.int8),
        members, ball, np.eye(3), np.zeros(3), 0.45,
    )  # fmt: skip


def seen(eye: Eye) -> tuple[float, float]:
    view = eye.view(np.zeros((len(eye.kept) + len(eye.members), 3)), 301, 301)
    return float(view.gap.sum() * view.pixel), float(view.through.sum() * view.pixel)


def test_distances_from_an_eyeball_are_those_of_a_sphere() -> None:
    eye = eye_with(plate(0.0, 0.3, 0.3))
    points = np.random.default_rng(0).normal(size=(500, 3))
    points *= (np.random.default_rng(1).uniform(0.15, 0.25, 500) / np.linalg.norm(points, axis=1))[:, None]
    distance, way = eye.distances(points, eye.ball.vertices)
    assert np.abs(distance - (np.linalg.norm(points, axis=1) - RADIUS)).max() < 1e-3
    assert ((way * points).sum(axis=1) > 0.99 * np.linalg.norm(points, axis=1)).all()


def test_the_area_seen_is_that_of_a_disc() -> None:
    disc = np.pi * RADIUS**2
    far_above = eye_with(plate(0.3, 0.5, 0.3))
    assert seen(far_above)[0] == pytest.approx(disc, rel=0.01) and seen(far_above)[1] == 0.0
    upper_half = eye_with(plate(0.0, 0.3, 0.25))
    assert seen(upper_half)[0] == pytest.approx(0.5 * disc, rel=0.02)
    assert seen(eye_with(plate(-0.3, 0.3, 0.25))) == (0.0, 0.0)


def test_what_stands_through_a_lid_is_a_cap() -> None:
    """A wall at the depth d cuts the sphere in a circle of radius √(r² − d²)."""
    depth = 0.17
    gap, through = seen(eye_with(plate(-0.3, 0.3, depth)))
    assert gap == 0.0
    assert through == pytest.approx(np.pi * (RADIUS**2 - depth**2), rel=0.02)


@pytest.fixture(scope="module")
def speaker(canonical: CanonicalHead) -> SyntheticHead:
    return SyntheticHead(Identity.random(np.random.default_rng(3)), canonical)


def standing_out(speaker: SyntheticHead, forward: float) -> Mesh:
    """The speaker's head with eyeballs that are set forward, in metres."""
    mesh, _ = speaker.head()
    vertices = mesh.vertices.copy()
    for name in ("left eyeball", "right eyeball"):
        vertices[speaker.parts()[name], 2] += forward
    return mesh.with_vertices(vertices)


@pytest.fixture(scope="module")
def plain(speaker: SyntheticHead) -> tuple[BlendshapeRig, NDArray[np.integer], tuple[Part, ...]]:
    """The speaker's own shapes on a head whose eyeballs stand 2.5 mm farther forward."""
    mesh, marks = standing_out(speaker, 2.5e-3), speaker.landmarks()
    rig = speaker.rig("head", NAMES)
    return BlendshapeRig(mesh, rig.deltas, NAMES), marks, find_parts(mesh, marks)


@pytest.fixture(scope="module")
def slid(plain: tuple[BlendshapeRig, NDArray[np.integer], tuple[Part, ...]]) -> BlendshapeRig:
    rig, marks, parts = plain
    return BlendshapeRig(rig.neutral, slide_lids(rig.neutral, marks, NAMES, rig.deltas, parts), NAMES)


def test_lids_slide_over_an_eyeball_that_stands_out(plain, slid: BlendshapeRig) -> None:  # type: ignore[no-untyped-def]
    rig, marks, parts = plain
    before, after = (eyeball_figures(each, marks, parts) for each in (rig, slid))
    assert before["eyeball_through_mm2"] > 10.0
    assert after["eyeball_through_mm2"] < 1.0 and after["eyeball_seen_mm2"] < 1.0
    assert after["lid_crossing_mm"] < 0.3
    apart = umbrella(rig.neutral.faces, rig.neutral.n_vertices)
    rough = [np.linalg.norm(apart @ slid.delta(name), axis=1).max() for name in NAMES if name.startswith("eye")]
    assert max(rough) < 2e-3


def test_lids_are_outside_at_half_weight_too(plain, slid: BlendshapeRig) -> None:  # type: ignore[no-untyped-def]
    """A straight way between two places on a sphere cuts its corner."""
    rig, marks, parts = plain
    for eye in find_eyes(rig.neutral, marks, parts):
        lids = np.flatnonzero(eye.keeps == 1.0)
        for weight in (0.5, 1.0):
            before, after = (
                eye.distances(eye.posed(each.delta("eyeBlink" + eye.side), weight)[0][lids], eye.ball.vertices)[0]
                for each in (rig, slid)
            )
            assert before.min() < -5e-3 and after.min() > 1e-3


def test_only_the_skin_around_the_eyes_is_touched(plain, slid: BlendshapeRig) -> None:  # type: ignore[no-untyped-def]
    rig, marks, parts = plain
    change = np.abs(slid.deltas - rig.deltas).max(axis=2)
    eyes = find_eyes(rig.neutral, marks, parts)
    far = np.setdiff1d(np.arange(rig.neutral.n_vertices), np.concatenate([eye.kept for eye in eyes]))
    assert not change[:, far].any() and not change[NAMES.index("jawOpen")].any()
    for eye in eyes:
        assert change[:, eye.kept[eye.fixed]].max() < 1e-6
    right_lids = eyes[0].kept[np.isfinite(eyes[0].keeps)]
    assert change[NAMES.index("eyeBlinkLeft"), right_lids].max() < 1e-6


def test_where_lids_keep_off_and_meet_nothing_changes(plain, slid: BlendshapeRig) -> None:  # type: ignore[no-untyped-def]
    rig, marks, parts = plain
    again = slide_lids(rig.neutral, marks, NAMES, slid.deltas, parts)
    assert np.abs(again - slid.deltas).max() < 5e-5
    assert np.array_equal(slide_lids(rig.neutral, marks, NAMES, rig.deltas, ()), rig.deltas)
    assert np.array_equal(slide_lids(rig.neutral, marks[:51], NAMES, rig.deltas, parts), rig.deltas)
    jaw = slide_lids(rig.neutral, marks, ("jawOpen",), rig.deltas[:1], parts)
    assert np.array_equal(jaw, rig.deltas[:1])


def test_units_and_poses_drop_out(plain, slid: BlendshapeRig) -> None:  # type: ignore[no-untyped-def]
    rig, marks, parts = plain
    turn, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))
    turn *= np.linalg.det(turn)
    moved = rig.neutral.with_vertices(100.0 * rig.neutral.vertices @ turn.T + 3.0)
    found = slide_lids(moved, marks, NAMES, 100.0 * rig.deltas @ turn.T, parts) @ turn / 100.0
    assert np.abs(found - slid.deltas).max() < 1e-4


def test_a_blink_that_is_not_meant_to_close_stays_open(plain) -> None:  # type: ignore[no-untyped-def]
    rig, marks, parts = plain
    half = slide_lids(rig.neutral, marks, NAMES, 0.4 * rig.deltas, parts)
    figures = eyeball_figures(BlendshapeRig(rig.neutral, half, NAMES), marks, parts)
    assert figures["eyeball_seen_mm2"] > 50.0


def test_a_rig_closes_its_eyes(result: TransferResult) -> None:
    figures = result.report.figures
    assert figures["eyeball_seen_mm2"] < 1.0 and figures["eyeball_through_mm2"] < 1.0
    assert figures["lid_crossing_mm"] < 0.4


def test_lids_that_overshoot_are_kept_apart(plain) -> None:  # type: ignore[no-untyped-def]
    rig, marks, parts = plain
    far = BlendshapeRig(rig.neutral, 1.2 * rig.deltas, NAMES)
    mended = BlendshapeRig(rig.neutral, slide_lids(rig.neutral, marks, NAMES, far.deltas, parts), NAMES)
    before, after = (eyeball_figures(each, marks, parts)["lid_crossing_mm"] for each in (far, mended))
    assert before > 0.5 and after < 0.3
