"""The inside of the mouth: found by what borders on it, moved with the lips in front and with the bones behind."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import rigging_builders

from blendvoca.synthetic.anatomy.sites import MOUTH_BAG
from blendvoca.synthetic.head import SyntheticHead
from blendvoca.transfer import TransferResult, transfer_rig
from blendvoca.transfer.parts import jaw_motions
from blendvoca.transfer.quality.figures import relative_errors

NAMES = ("jawOpen", "jawLeft", "mouthFunnel", "mouthRollUpper", "mouthShrugLower", "mouthClose", "mouthLeft")


@pytest.fixture(scope="module")
def speaker() -> SyntheticHead:
    return SyntheticHead()


@pytest.fixture(scope="module")
def rigged(speaker: SyntheticHead) -> TransferResult:
    return transfer_rig(speaker.rig("mask", NAMES), speaker.landmarks("mask"), *speaker.head())


def inside(result: TransferResult) -> np.ndarray:
    """Vertices of the whole head that are taken for the mouth's inside."""
    prepared = result.prepared
    assert prepared.mouth is not None
    return result.region.kept[prepared.skin.kept[prepared.mouth.inside]]


def test_the_mouths_bag_is_found(speaker: SyntheticHead, rigged: TransferResult) -> None:
    bag = np.flatnonzero(speaker.canonical.head.sites.region == MOUTH_BAG)
    assert np.isin(inside(rigged), bag).all()
    assert np.isin(bag, inside(rigged)).mean() > 0.95


def test_the_inside_moves_more_as_the_truth_does(speaker: SyntheticHead, rigged: TransferResult) -> None:
    """Against the sample's true shapes, with and without."""
    truth = speaker.rig("head", NAMES)
    where = np.zeros(truth.neutral.n_vertices, dtype=bool)
    where[inside(rigged)] = True
    without = rigged.region.restore(replace(rigged.prepared, mouth=None).shapes(rigged.source))
    found, plain = (relative_errors(deltas, truth.deltas, where) for deltas in (rigged.rig.deltas, without))
    assert found.max() < 0.27 and (found < plain).all()
    lips = [NAMES.index(name) for name in ("mouthFunnel", "mouthRollUpper", "mouthShrugLower", "mouthLeft")]
    assert (found[lips] < 0.6 * plain[lips]).all()


def test_far_behind_the_lips_the_jaw_alone_moves_it(rigged: TransferResult) -> None:
    mouth = rigged.prepared.mouth
    assert mouth is not None
    deltas = np.zeros((2, len(mouth.surface), 3))
    marks = mouth.landmarks
    # A rigid jaw: the landmarks of the chin and the lower lip go down, a lip shape moves all that is covered.
    deltas[0, marks[5:12]] = deltas[0, marks[55:60]] = [0.0, -0.3, 0.0]
    deltas[1] = [0.0, 0.0, 0.1]
    found = mouth.moved(deltas, ("jawOpen", "mouthFunnel"))
    deep = mouth.inside[mouth.keeps < 0.75]
    lower = mouth.jaw[mouth.keeps < 0.75] == 1.0
    jaw = jaw_motions(mouth.surface.vertices, marks, ("jawOpen",), deltas[:1])[0]
    wanted = jaw.points(mouth.surface.vertices[deep]) - mouth.surface.vertices[deep]
    assert np.abs(wanted[:, 1] + 0.3).max() < 1e-9
    # With f below three quarters the jaw has more than its tenth part already, upper lips nothing.
    moved = found[0, deep, 1]
    upper = mouth.jaw[mouth.keeps < 0.75] == 0.0
    assert lower.any() and (moved[lower] < -0.03).all() and np.abs(moved[upper]).max() < 1e-9
    assert np.allclose(found[1, mouth.inside, 2], 0.1 * mouth.keeps, atol=1e-3)


@pytest.mark.parametrize("unit", [1.0, 1000.0])
def test_teeth_that_hang_on_the_skin_follow_the_jaw(
    speaker: SyntheticHead, rigged: TransferResult, unit: float
) -> None:
    mesh, marks = rigging_builders.welded_teeth()
    mesh = mesh.with_vertices(unit * mesh.vertices)
    result = transfer_rig(speaker.rig("mask", NAMES), speaker.landmarks("mask"), mesh, marks)
    assert any("hang on the skin" in note for note in result.prepared.notes)
    teeth = speaker.parts()["lower teeth"]
    apart = result.rig.delta("jawOpen")[teeth] / unit - rigged.rig.delta("jawOpen")[teeth]
    # As the parts of their own do, but for those at the ties.
    assert np.median(np.linalg.norm(apart, axis=1)) < 1e-3
    assert result.report.figures["roughness_mm"] < 5.0
