"""Teeth, tongue and eyeballs: told apart by their place, moved as on the sample, whose true motion is known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from blendvoca.mesh import Mesh
from blendvoca.rig import BlendshapeRig
from blendvoca.synthetic.head import CanonicalHead, SyntheticHead
from blendvoca.synthetic.identity import Identity
from blendvoca.transfer import TransferResult, transfer_rig
from blendvoca.transfer.parts import GLANCES, component_numbers, describe_parts, find_parts
from blendvoca.transfer.quality.eyeballs import eyeball_figures

NAMES = ("jawOpen", "jawLeft", "jawForward", "mouthClose", "eyeLookUpLeft", "eyeLookInLeft", "eyeLookOutRight")


@pytest.fixture(scope="module")
def speaker(canonical: CanonicalHead) -> SyntheticHead:
    return SyntheticHead(Identity.random(np.random.default_rng(3)), canonical)


@pytest.fixture(scope="module")
def rigged(speaker: SyntheticHead) -> TransferResult:
    mesh, marks = speaker.head()
    return transfer_rig(speaker.rig("mask", NAMES), speaker.landmarks("mask"), mesh, marks)


def test_parts_are_told_apart_in_any_unit_and_pose(speaker: SyntheticHead) -> None:
    mesh, marks = speaker.head()
    turn, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))
    turn *= np.linalg.det(turn)
    for vertices in (mesh.vertices, 1000.0 * mesh.vertices @ turn.T + 5.0):
        found = {part.what: part for part in find_parts(mesh.with_vertices(vertices), marks)}
        truth = speaker.parts()
        for name in ("upper teeth", "lower teeth", "tongue", "left eyeball", "right eyeball"):
            assert np.array_equal(found[name].vertices, truth[name])
        assert len(found) == 5


def test_single_teeth_are_told_apart_as_a_row_is(speaker: SyntheticHead) -> None:
    mesh, marks = speaker.head()
    row = speaker.parts()["lower teeth"]
    # Cut into pieces from right to left: every triangle belongs to the slab of its middle.
    own = np.isin(mesh.faces, row).all(axis=1)
    slab = np.digitize(mesh.vertices[mesh.faces[own]].mean(axis=1)[:, 0], np.linspace(-0.02, 0.02, 9))
    pieces, faces, vertices = [], [mesh.faces[~own]], [mesh.vertices]
    count = mesh.n_vertices
    for number in np.unique(slab):
        kept, renamed = np.unique(mesh.faces[own][slab == number], return_inverse=True)
        # A hair apart, so that the pieces do not count as one surface torn at its seams.
        vertices.append(mesh.vertices[kept] + 1e-5 * number)
        faces.append(renamed.reshape(-1, 3) + count)
        pieces.append(np.arange(count, count + len(kept)))
        count += len(kept)
    parts = find_parts(Mesh(np.concatenate(vertices), np.concatenate(faces).astype(np.int32)), marks)
    jaw = np.concatenate([part.vertices for part in parts if part.role == "jaw"])
    assert set(np.concatenate(pieces).tolist()) <= set(jaw.tolist())


def test_lower_teeth_and_tongue_follow_the_jaw(speaker: SyntheticHead, rigged: TransferResult) -> None:
    truth, parts = speaker.rig("head", NAMES), speaker.parts()
    for name in ("jawOpen", "jawLeft", "jawForward"):
        for part in ("lower teeth", "tongue"):
            wanted, found = (each.delta(name)[parts[part]] for each in (truth, rigged.rig))
            assert np.linalg.norm(wanted, axis=1).max() > 8e-3
            assert np.linalg.norm(found - wanted, axis=1).max() < 2e-3
        assert not rigged.rig.delta(name)[parts["upper teeth"]].any()
    assert not rigged.rig.delta("mouthClose")[parts["lower teeth"]].any()


def test_eyeballs_turn_about_their_middle(speaker: SyntheticHead, rigged: TransferResult) -> None:
    mesh, _ = speaker.head()
    ball = speaker.parts()["left eyeball"]
    front = ball[mesh.vertices[ball, 2].argmax()]
    up, inward = (rigged.rig.delta(name) for name in ("eyeLookUpLeft", "eyeLookInLeft"))
    assert up[front, 1] > 3e-3 and inward[front, 0] < -3e-3
    rest = mesh.vertices[ball] - mesh.vertices[ball].mean(axis=0)
    moved = rest + up[ball] - up[ball].mean(axis=0)
    assert np.allclose(np.linalg.norm(moved, axis=1), np.linalg.norm(rest, axis=1), atol=2e-4)
    assert not rigged.rig.delta("eyeLookOutRight")[ball].any()
    assert set(GLANCES) >= {"eyeLookOutLeft", "eyeLookDownRight"}


def test_a_source_with_eyeballs_says_how_they_turn(speaker: SyntheticHead) -> None:
    names = ("eyeLookUpLeft", "eyeLookInLeft")
    source = speaker.rig("head", names)
    mesh, marks = speaker.head()
    found = transfer_rig(source, speaker.landmarks(), mesh, marks)
    ball = speaker.parts()["left eyeball"]
    for name in names:
        assert np.linalg.norm(found.rig.delta(name)[ball] - source.delta(name)[ball], axis=1).max() < 4e-4


def test_what_a_user_says_overrules(speaker: SyntheticHead) -> None:
    mesh, marks = speaker.head()
    parts = speaker.parts()
    rig = speaker.rig("mask", ("jawOpen",))
    told = transfer_rig(
        rig, speaker.landmarks("mask"), mesh, marks, still=[parts["tongue"]], jaw=[parts["upper teeth"]]
    )
    assert not told.rig.delta("jawOpen")[parts["tongue"]].any()
    assert np.linalg.norm(told.rig.delta("jawOpen")[parts["upper teeth"]], axis=1).min() > 5e-3
    lines = describe_parts(told.parts, rig.names)
    assert any("tongue, as you say: still" in line for line in lines)
    assert any("eyeball: still (no eyeLook shape)" in line for line in lines)


def test_a_surface_torn_at_its_seams_is_one_component(speaker: SyntheticHead) -> None:
    mesh, _ = speaker.head()
    corners: NDArray[np.integer] = mesh.faces.ravel()
    torn = Mesh(mesh.vertices[corners], np.arange(len(corners)).reshape(-1, 3).astype(np.int32))
    assert np.array_equal(component_numbers(torn), component_numbers(mesh)[corners])


def test_what_shows_of_an_eyeball_after_a_blink_is_measured(speaker: SyntheticHead) -> None:
    mesh, marks = speaker.head()
    names = ("eyeBlinkLeft", "eyeBlinkRight")
    found = transfer_rig(speaker.rig("mask", names), speaker.landmarks("mask"), mesh, marks)

    def seen(scale: float, size: float = 1.0) -> float:
        rig = BlendshapeRig(mesh.with_vertices(size * mesh.vertices), scale * size * found.rig.deltas, names)
        return float(eyeball_figures(rig, marks, found.parts)["eyeball_seen_mm2"] or 0.0)

    shut, half, open_eye = seen(1.0), seen(0.5), seen(0.0)
    assert found.report.figures["eyeball_seen_mm2"] == shut
    assert shut < 5.0 < half < open_eye
    assert 100.0 < open_eye < 300.0
    assert seen(0.5, 100.0) == pytest.approx(half, rel=0.02)
    assert eyeball_figures(found.rig, marks, ()) == {}
