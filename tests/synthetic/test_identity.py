"""Speakers differ, and stay samplings of one surface with the same true shapes."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from blendvoca.errors import ConfigurationError
from blendvoca.synthetic.head import CanonicalHead, SyntheticHead
from blendvoca.synthetic.identity import Identity, carry_identity, shape_identity


@pytest.fixture(scope="module")
def speaker(canonical: CanonicalHead) -> SyntheticHead:
    return SyntheticHead(Identity.random(np.random.default_rng(3)), canonical)


def test_at_least_eight_parameters_each_with_an_effect(canonical: CanonicalHead) -> None:
    names = [field.name for field in fields(Identity) if field.name != "lip_gap"]  # the mask has no inner lips
    assert len(names) >= 8
    rest = canonical.mask.sites.rest
    moves = np.array([shape_identity(Identity(**{name: 1.0}), rest) - rest for name in names])
    assert np.linalg.norm(moves, axis=2).max(axis=1).min() > 0.5
    assert np.linalg.matrix_rank(moves.reshape(len(names), -1)) == len(names)


def test_the_average_is_left_alone(canonical: CanonicalHead) -> None:
    rest = canonical.mask.sites.rest
    assert (shape_identity(Identity(), rest) == rest).all()


@pytest.mark.parametrize("value", [3.5, float("nan"), float("inf")])
def test_parameters_out_of_range_are_named(value: float) -> None:
    with pytest.raises(ConfigurationError, match="nose_width"):
        Identity(nose_width=value)


def test_speakers_differ_and_are_not_symmetric(canonical: CanonicalHead, speaker: SyntheticHead) -> None:
    mesh, _ = speaker.mask()
    average = 1e-3 * canonical.mask.sites.rest
    assert np.linalg.norm(mesh.vertices - average, axis=1).max() > 2e-3
    lopsided = mesh.vertices[canonical.mask.mirror] * [-1, 1, 1] - mesh.vertices
    assert 1e-4 < np.linalg.norm(lopsided, axis=1).max() < 8e-3


def test_both_samplings_of_a_speaker_carry_the_same_shapes(speaker: SyntheticHead) -> None:
    names = ("jawOpen", "mouthSmileLeft", "eyeBlinkRight")
    head, mask = speaker.rig("head", names), speaker.rig("mask", names)
    here, there = speaker.landmarks("head"), speaker.landmarks("mask")
    np.testing.assert_allclose(head.neutral.vertices[here], mask.neutral.vertices[there], atol=2e-4)
    np.testing.assert_allclose(head.deltas[:, here], mask.deltas[:, there], atol=5e-5)


def test_lips_of_a_speaker_close_over_the_open_jaw(speaker: SyntheticHead) -> None:
    rig, marks = speaker.rig("head", ("jawOpen", "mouthClose")), speaker.landmarks("head")
    closed = rig.pose([1.0, 1.0])
    gap = np.linalg.norm(closed[marks[[61, 62, 63]]] - closed[marks[[67, 66, 65]]], axis=1)
    assert gap.max() < 2.5e-3


def test_eyeballs_stay_round(canonical: CanonicalHead, speaker: SyntheticHead) -> None:
    mesh, _ = speaker.head()
    ball = np.flatnonzero(canonical.head.sites.region == 4)
    before = 1e-3 * canonical.head.sites.rest[ball]
    after = mesh.vertices[ball]
    scale = np.linalg.norm(after - after.mean(0), axis=1) / np.linalg.norm(before - before.mean(0), axis=1)
    assert np.ptp(scale) < 0.02


def test_shapes_are_carried_by_the_derivative() -> None:
    rng = np.random.default_rng(0)
    identity = Identity.random(rng)
    points, moves = rng.uniform(-80, 80, (50, 3)), rng.standard_normal((50, 3))
    tiny = 1e-4
    secant = (shape_identity(identity, points + tiny * moves) - shape_identity(identity, points)) / tiny
    np.testing.assert_allclose(carry_identity(identity, points, moves), secant, atol=1e-4)
    doubled = carry_identity(identity, points, 2.0 * moves)
    np.testing.assert_allclose(doubled, 2.0 * carry_identity(identity, points, moves), atol=1e-6)
