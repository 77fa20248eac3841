"""Lids judged by the aperture they reach: identities on landmarks, and a head with wide eyes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from blendvoca.ibug68 import LEFT_EYE, N_LANDMARKS
from blendvoca.synthetic.head import SyntheticHead
from blendvoca.transfer import TransferConfig, transfer_rig
from blendvoca.transfer.face_method import FaceConfig
from blendvoca.transfer.quality.apertures import apertures_off, asked_of_lids

Array = NDArray[np.float64]
UPPER, LOWER = (list(rows) for rows in (LEFT_EYE.upper, LEFT_EYE.lower))


@pytest.fixture(scope="module")
def face(canonical) -> Array:  # type: ignore[no-untyped-def]
    speaker = SyntheticHead(None, canonical)
    return np.asarray(speaker.head()[0].vertices[speaker.landmarks()])


def opened(points: Array, factor: float) -> Array:
    """The left eye's landmarks with its gaps multiplied, the lower lid at rest."""
    result = points.copy()
    result[UPPER] = points[LOWER] + factor * (points[UPPER] - points[LOWER])
    return result


def blink(points: Array, share: float = 1.0) -> Array:
    """One shape that moves the upper landmarks of the left eye by a share of their gap."""
    move = np.zeros((1, N_LANDMARKS, 3))
    move[0, UPPER] = share * (points[LOWER] - points[UPPER])
    return move


def test_eyes_that_are_open_alike_are_asked_for_the_same(face: Array) -> None:
    wanted = np.random.default_rng(0).normal(size=(3, N_LANDMARKS, 3))
    assert np.abs(asked_of_lids(wanted, face, face, 0.06) - wanted).max() < 1e-12


def test_a_blink_is_asked_to_go_as_far_as_the_eye_is_open(face: Array) -> None:
    wide = opened(face, 1.7)
    assert np.allclose(asked_of_lids(blink(face), face, wide, 0.06), blink(wide))
    assert np.allclose(asked_of_lids(blink(face, -0.3), face, wide, 0.06), blink(wide, -0.3))
    across = np.zeros((1, N_LANDMARKS, 3))
    gap = face[UPPER] - face[LOWER]
    across[0, UPPER] = np.cross(gap, [0.3, 0.1, 1.0])
    assert np.allclose(asked_of_lids(across, face, wide, 0.06), across)


def test_the_aperture_that_is_reached_is_compared(face: Array) -> None:
    wide, names = opened(face, 1.7), ("eyeBlinkLeft",)

    def off(found: Array) -> float:
        return apertures_off(names, blink(face), found, face, wide, 0.06)["eyeBlinkLeft"]

    assert off(blink(wide)) == pytest.approx(0.0, abs=1e-12)
    assert off(blink(face)) == pytest.approx(1.0 - 1.0 / 1.7)  # the source's own millimetres leave it open
    assert off(blink(wide, 1.25)) == pytest.approx(-0.25)
    assert apertures_off(("jawOpen",), blink(face), blink(wide), face, wide, 0.06) == {}
    assert apertures_off(names, blink(face), blink(wide), face, opened(face, 0.01), 0.06) == {}


def test_wide_eyes_do_not_fail_but_lids_that_stop_short_do(canonical) -> None:  # type: ignore[no-untyped-def]
    speaker = SyntheticHead(None, canonical)
    names = tuple(shape + side for shape in ("eyeBlink", "eyeWide", "eyeLookUp") for side in ("Left", "Right"))
    own, marks = speaker.rig("head", names), speaker.landmarks()
    wide = own.neutral.with_vertices(
        own.neutral.vertices + 1.5 * (own.delta("eyeWideLeft") + own.delta("eyeWideRight"))
    )
    mask, fitted, as_it_is = speaker.rig("mask", names), TransferConfig(), TransferConfig(face=FaceConfig(lids=False))
    good, short = (
        transfer_rig(mask, speaker.landmarks("mask"), wide, marks, config).report for config in (fitted, as_it_is)
    )
    assert good.failed_shapes == () and abs(good.figures["aperture_off"] or 1.0) < 0.15
    assert "aperture_off" in short.failed_figures and short.figures["aperture_off"] > 0.25  # type: ignore[operator]
    assert set(short.failed_shapes) >= {"eyeBlinkLeft", "eyeBlinkRight"}
