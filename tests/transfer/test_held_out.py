"""Landmarks that are left free: the figure on distances that are known, and on landmarks that are scattered."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import cKDTree

from blendvoca.ibug68 import INNER
from blendvoca.transfer import TransferConfig, TransferResult
from blendvoca.transfer.prepared import register_heads
from blendvoca.transfer.quality.held_out import HELD_OUT, not_held


def test_every_second_inner_landmark_is_left_free() -> None:
    assert len(HELD_OUT) == 25 and set(HELD_OUT) < set(INNER.tolist())
    assert set(np.diff(HELD_OUT)) == {2}


def test_distances_that_are_known(result: TransferResult) -> None:
    made = result.prepared
    arguments = (made.space, made.pairs, made.target.vertices)
    assert not_held(made.registration, *arguments)["not_held_worst_mm"] == pytest.approx(0.0, abs=1e-9)
    moved = made.registration.vertices.copy()
    moved[made.pairs[HELD_OUT[3], 0]] += [0.0, 0.05, 0.0]  # 3 mm of an adult's face
    found = not_held(replace(made.registration, vertices=moved), *arguments)
    assert found["not_held_worst_mm"] == pytest.approx(3.0)
    assert found["not_held_mm"] == pytest.approx(3.0 / len(HELD_OUT))


def test_landmarks_left_free_are_not_met_and_the_others_are(result: TransferResult) -> None:
    made = result.prepared
    free = register_heads(made.source, made.target, made.pairs, TransferConfig(unconstrained=HELD_OUT))
    off = free.vertices[made.pairs[:, 0]] - made.space.target_points(made.target.vertices[made.pairs[:, 1]])
    apart = np.linalg.norm(off, axis=1)
    held = np.setdiff1d(np.arange(68), HELD_OUT)
    assert apart[held].max() < 1e-9 < 1e-4 < np.median(apart[list(HELD_OUT)])


def test_scattered_landmarks_are_seen(sample, result: TransferResult) -> None:  # type: ignore[no-untyped-def]
    good = result.report.figures
    assert 0.0 < good["not_held_mm"] < 0.2 and "not_held_mm" not in result.report.failed_figures
    vertices, skin, rng = sample.head.neutral.vertices, result.region.kept, np.random.default_rng(0)
    tree, scattered = cKDTree(vertices[skin]), np.zeros(68, dtype=np.int64)
    while len(set(scattered.tolist())) < 68:
        wanted = vertices[sample.head_landmarks] + rng.normal(scale=3.5e-3, size=(68, 3))
        scattered = skin[tree.query(wanted)[1]]
    off = replace(sample, head_landmarks=scattered).transfer().report
    assert "not_held_mm" in off.failed_figures
    assert off.figures["not_held_mm"] > good["not_held_mm"] + 2.0  # type: ignore[operator]
