"""Frames go out evenly behind their sound, whatever the sound and the machine do."""

from __future__ import annotations

import time

import numpy as np
import pytest

from said_model.config import SAMPLE_RATE
from said_model.live.clock import STALL, Pacer, SoundClock
from said_model.live.frame import Frame


class Sink:
    """Keeps frames with the moment at which they came."""

    def __init__(self) -> None:
        self.frames: list[tuple[float, Frame]] = []

    def send(self, frame: Frame) -> None:
        self.frames.append((time.monotonic(), frame))

    def close(self) -> None:
        return


def test_sound_has_one_clock():
    moment = [100.0]
    clock = SoundClock(lambda: moment[0])
    assert clock.heard(320) == 0.0
    assert clock.when(0.0) == pytest.approx(100 - 0.02)
    # A pipe that is faster than sound is early by what it is ahead.
    assert clock.heard(16_000) == pytest.approx(0.98)
    # Jitter does not move the clock, a stall does.
    moment[0] = 101.0
    assert clock.heard(16_000) == 0.0
    assert clock.when(0.0) == pytest.approx(100 - 0.02)
    moment[0] = 102.5
    clock.heard(2 * 16_000)
    assert clock.when(2.0) == pytest.approx(102.5)


def test_frames_in_bunches_go_out_one_by_one():
    clock, sink = SoundClock(), Sink()
    clock.heard(0)
    pacer = Pacer(clock, 0.2, 60.0, [sink], print)
    for first in range(0, 60, 10):
        for number in range(first, first + 10):
            pacer.put(Frame(number, number / 60, {}))
    pacer.finish()
    assert [frame.number for _, frame in sink.frames] == list(range(60))
    late = np.array([moment - clock.when(frame.time) - 0.2 for moment, frame in sink.frames])
    assert late.min() > -0.002
    assert np.median(late) < 0.02


def test_late_frames_are_dropped_not_bunched():
    clock, sink, notes = SoundClock(), Sink(), []
    clock.heard(0)
    pacer = Pacer(clock, 0.05, 60.0, [sink], notes.append)
    time.sleep(0.3)  # the machine was busy: frames 0 to 13 or so are due already
    for number in range(40):
        pacer.put(Frame(number, number / 60, {}))
    pacer.finish()
    numbers = [frame.number for _, frame in sink.frames]
    assert pacer.dropped >= 10
    assert numbers == list(range(40 - len(numbers), 40))
    late = [moment - clock.when(frame.time) - 0.05 for moment, frame in sink.frames]
    assert min(late) > -0.002
    assert "came too late and were dropped" in notes[-1]


def test_a_machine_that_is_always_late_gets_more_time():
    clock, sink, notes = SoundClock(), Sink(), []
    clock.heard(0)
    pacer = Pacer(clock, 0.0, 60.0, [sink], notes.append)
    time.sleep(0.4)
    for number in range(90):
        while clock.now() - clock.when(number / 60) < 0.4:
            time.sleep(0.002)
        pacer.put(Frame(number, number / 60, {}))
    pacer.finish()
    assert pacer.delay > 0.35
    assert sum("too slowly" in note for note in notes) == 1
    assert len(sink.frames) > 30


def test_stalls_are_longer_than_jitter():
    assert 0.1 < STALL < 1
    assert SAMPLE_RATE == 16_000
