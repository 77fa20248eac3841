"""Lips that do not pass through each other: the measure against cases that are known, and what mends them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from blendvoca.geometry.surface import Surface
from blendvoca.rig import BlendshapeRig
from blendvoca.transfer import TransferResult, transfer_rig
from blendvoca.transfer.openings.passing import POSES, Lip, Lips
from blendvoca.transfer.quality.crossing import lip_crossings
from landmarks.sources import load_source


def sheets(gap: float) -> Lips:
    """Two flat lips of 5 × 5 vertices, the upper one at `gap` above the lower, their fronts facing each other."""
    side = np.linspace(0.0, 1.0, 5)
    x, z = (each.ravel() for each in np.meshgrid(side, side, indexing="ij"))
    corner = (np.arange(4)[:, None] * 5 + np.arange(4)).ravel()
    up = np.concatenate([np.stack([corner, corner + 1, corner + 6], 1), np.stack([corner, corner + 6, corner + 5], 1)])
    lower = Lip(np.arange(25), up, -1)
    upper = Lip(np.arange(25, 50), up[:, ::-1] + 25, 1)
    vertices = np.concatenate([np.stack([x, 0 * x, z], 1), np.stack([x + 0.02, 0 * x + gap, z + 0.01], 1)])
    surface = Surface(vertices, np.concatenate([lower.faces, upper.faces]))
    return Lips(np.arange(50), surface, ((upper, lower), (lower, upper)), np.zeros(0, dtype=np.int64))


def falling(amount: float) -> np.ndarray:
    """The upper lip moves down, the lower one stays."""
    move = np.zeros((50, 3))
    move[25:, 1] = -amount
    return move


@pytest.mark.parametrize(("amount", "half", "full"), [(0.09, 0, 0), (0.15, 0, 16), (0.30, 16, 16)])
def test_a_lip_passes_when_it_went_through(amount: float, half: int, full: int) -> None:
    """Of the upper lip's 25 vertices, 16 stand over the lower: the last row and column lie outside of it."""
    passed = sheets(0.1).passed(falling(amount))
    assert [len(passed[weight][0]) for weight in (0.5, 1.0)] == [half, full]


def test_sheets_that_touch_without_passing_do_not_count() -> None:
    lips = sheets(0.1)
    aside = np.zeros((50, 3))
    aside[25:] = [0.5, -0.09, 0.0]
    assert not any(len(each) for weight in (0.5, 1.0) for each in lips.passed(aside)[weight])


def test_the_samples_own_shapes_do_not_cross(sample) -> None:  # type: ignore[no-untyped-def]
    """They are made not to: the truth is an independent reference of the measure."""
    found = lip_crossings(sample.head, sample.head_landmarks)
    assert set(found) == {" + ".join(pose) for pose in POSES} and max(found.values()) == 0


def test_depth_is_the_distance_that_was_gone_too_far(sample) -> None:  # type: ignore[no-untyped-def]
    """The whole lower lip is lifted into the upper; it lies deeper by what more it is lifted."""
    head, marks = sample.head.neutral, sample.head_landmarks
    lips = Lips.of(Surface(head.vertices, head.faces), marks)
    lower = lips.kept[lips.pairs[1][0].vertices]
    deltas = np.zeros((2, head.n_vertices, 3))
    deltas[0, lower, 1], deltas[1, lower, 1] = 0.0040, 0.0045
    deep, deeper = (
        lip_crossings(BlendshapeRig(head, deltas[[row]], ("mouthPucker",)), marks)["mouthPucker"] for row in (0, 1)
    )
    assert 0.001 < deep < deeper < deep + 0.0006


def test_where_no_lips_meet_nothing_changes(sample, result: TransferResult) -> None:  # type: ignore[no-untyped-def]
    prepared = replace(result.prepared, mouth=None)
    shapes, plain = prepared.shapes(sample.mask), prepared.apply(sample.mask.deltas)
    touching = {name for pose in POSES for name in pose if name != "jawOpen"}
    others = [row for row, name in enumerate(sample.mask.names) if name not in touching]
    assert np.array_equal(shapes[others], plain[others])
    assert max(lip_crossings(result.rig, sample.head_landmarks).values()) < 0.0003


def test_arkits_rolls_are_kept_apart(assets, sample) -> None:  # type: ignore[no-untyped-def]
    """ARKit's own lips pass through each other when both roll; on a head with inner lips that must not be."""
    names = tuple(dict.fromkeys(name for pose in POSES for name in pose))
    source = load_source("arkit", assets=assets / "said").select(names)
    assert lip_crossings(source.rig, source.landmarks)["mouthRollUpper + mouthRollLower"] > 0.005
    rigged = transfer_rig(source.rig, source.landmarks, sample.head.neutral, sample.head_landmarks)
    assert max(lip_crossings(rigged.rig, sample.head_landmarks).values()) < 0.0003
    assert rigged.report.figures["lip_crossing_mm"] < 0.3
    assert rigged.report.figures["cosine_worst"] > 0.92 and rigged.report.figures["ratio_least"] > 0.86
    # Both lips give way smoothly: a jagged line where they meet would do as well by the figure above.
    assert rigged.report.figures["roughness_mm"] < 3.5
    assert sum(shape.flips for shape in rigged.report.shapes if "Roll" in shape.name) < 10
