"""Blinks, eyes and head: natural in number and size, seeded, and nothing to do with the lips."""

from __future__ import annotations

import numpy as np

from blendvoca.arkit import BLENDVOCA_NAMES
from blendvoca.track import CoefficientTrack
from said_model.synthesis.idle import IDLE_NAMES, Idle, with_idle


def _runs(closed: np.ndarray) -> int:
    return int((np.diff(closed.astype(int)) == 1).sum())


def test_frames_do_not_depend_on_how_they_are_asked_for():
    whole, head = Idle(3, 60).at(0, 900)
    idle, parts, heads = Idle(3, 60), [], []
    for first in range(0, 900, 10):
        values, angles = idle.at(first, 10)
        parts.append(values)
        heads.append(angles)
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    np.testing.assert_array_equal(np.concatenate(heads), head)
    assert not np.array_equal(Idle(4, 60).at(0, 900)[0], whole)


def test_people_blink_fifteen_to_thirty_times_a_minute():
    rates, gaps = [], []
    for seed in range(8):
        lids = Idle(seed, 60).at(0, 3600)[0][:, 0]
        rates.append(_runs(lids > 0.5))
        starts = np.flatnonzero(np.diff((lids > 0.5).astype(int)) == 1) / 60
        gaps.extend(np.diff(starts))
        assert lids.max() <= 1
        assert lids.min() >= 0
    assert 15 <= np.mean(rates) <= 30
    # Not a metronome: intervals differ as much as half their mean.
    assert np.std(gaps) > 0.4 * np.mean(gaps)
    # Lids fall faster than they rise.
    lids = Idle(0, 240).at(0, 240 * 60)[0][:, 0]
    change = np.diff(lids)
    assert -change.min() < change.max()


def test_eyes_go_together_and_the_head_keeps_small():
    values, head = Idle(1, 60).at(0, 3600)
    eyes = dict(zip(IDLE_NAMES, values.T))
    np.testing.assert_array_equal(eyes["eyeLookOutLeft"], eyes["eyeLookInRight"])
    np.testing.assert_array_equal(eyes["eyeLookInLeft"], eyes["eyeLookOutRight"])
    np.testing.assert_array_equal(eyes["eyeLookDownLeft"], eyes["eyeLookDownRight"])
    assert not (eyes["eyeLookOutLeft"] * eyes["eyeLookOutRight"]).any()
    assert 0.05 < eyes["eyeLookOutLeft"].max() <= 0.16
    assert np.degrees(np.abs(head).max(axis=0)).max() < 3.1
    assert np.degrees(head.std(axis=0)).min() > 0.2
    # Never a jump.
    assert np.degrees(np.abs(np.diff(head, axis=0)).max()) < 0.15


def test_lips_are_left_alone():
    speech = CoefficientTrack(np.random.default_rng(0).uniform(size=(200, 32)), BLENDVOCA_NAMES, 60)
    track, head = with_idle(speech, 5)
    assert track.names == (*BLENDVOCA_NAMES, *IDLE_NAMES)
    np.testing.assert_array_equal(track.select(list(BLENDVOCA_NAMES)).values, speech.values)
    assert head.shape == (200, 3)
    # A face that blinks already keeps its blinks.
    shut = CoefficientTrack(np.ones((200, 1)), ("eyeBlinkLeft",), 60)
    np.testing.assert_array_equal(with_idle(shut, 5)[0].select(["eyeBlinkLeft"]).values, 1.0)
