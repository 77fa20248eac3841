"""What is asked of lips: they close by the gap that they have at rest, and no other motion is touched."""

from __future__ import annotations

import numpy as np

from blendvoca.ibug68 import MOUTH
from blendvoca.synthetic.head import SyntheticHead
from blendvoca.transfer.quality.lip_gaps import asked_of_lips

UP = np.array([0.0, 1.0, 0.0])


def points() -> np.ndarray:
    mesh, marks = SyntheticHead().mask()
    return mesh.vertices[marks].copy()


def with_gap(gap: float) -> np.ndarray:
    rest = points()
    for upper, lower in MOUTH.pairs:
        middle = 0.5 * (rest[upper, 1] + rest[lower, 1])
        rest[upper, 1], rest[lower, 1] = middle + gap / 2, middle - gap / 2
    return rest


def rolling(amount: float) -> np.ndarray:
    """The upper lip goes down and back, the lower one stays."""
    moves = np.zeros((1, 68, 3))
    moves[0, [*MOUTH.upper, *MOUTH.outer_upper]] = [0.0, -amount, -0.005]
    return moves


def test_lips_that_stand_apart_are_asked_for_all_of_it() -> None:
    moves = rolling(0.003)
    assert np.array_equal(asked_of_lips(moves, with_gap(0.004), ("mouthRollUpper",), UP), moves)


def test_the_surplus_is_taken_off_both_lips() -> None:
    for gap in (0.0, 0.002):
        asked = asked_of_lips(rolling(0.006), with_gap(gap), ("mouthRollUpper",), UP)[0]
        for upper, lower in MOUTH.pairs:
            assert np.isclose(asked[upper, 1] - asked[lower, 1], -gap, atol=2e-5)
            assert np.isclose(asked[lower, 1], -(0.006 - gap) / 2, atol=2e-5)
        assert np.allclose(asked[list(MOUTH.upper), 2], -0.005)
        still = np.setdiff1d(np.arange(68), MOUTH.upper + MOUTH.lower + MOUTH.outer_upper + MOUTH.outer_lower)
        assert not asked[still].any()


def test_other_shapes_and_an_open_jaws_closing_stay() -> None:
    moves = np.concatenate([rolling(0.03), rolling(0.03)])
    assert np.array_equal(asked_of_lips(moves, with_gap(0.001), ("mouthClose", "mouthFunnel"), UP), moves)


def test_the_heads_pose_does_not_matter() -> None:
    turn, _ = np.linalg.qr(np.random.default_rng(2).normal(size=(3, 3)))
    rest, moves = with_gap(0.001), rolling(0.006)
    plain = asked_of_lips(moves, rest, ("mouthRollUpper",), UP)
    turned = asked_of_lips(moves @ turn.T, rest @ turn.T, ("mouthRollUpper",), turn @ UP)
    assert np.allclose(turned, plain @ turn.T)
