"""Live Link captures: a real one, and our own coming back at their rates."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import track_builders as build

from blendvoca.arkit import ARKIT_NAMES, BLENDVOCA_NAMES
from blendvoca.errors import TrackError
from blendvoca.io.track.livelink import write_livelink
from blendvoca.io.track.read import read_track_file
from blendvoca.track import CoefficientTrack


def test_a_real_capture(assets: Path) -> None:
    path = assets / "livelink" / "capture_30fps.csv"
    reading = read_track_file(path)
    assert reading.notes == reading.remarks == ()
    assert reading.track.fps == 30.0
    assert reading.track.names == ARKIT_NAMES
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(reading.track) == len(rows)
    for name in ("jawLeft", "jawRight", "mouthLeft", "mouthRight", "jawOpen"):
        column = [float(row[name[0].upper() + name[1:]]) for row in rows]
        assert np.allclose(reading.track.select([name]).values[:, 0], column)
    assert reading.track.select(BLENDVOCA_NAMES).resampled(60.0).fps == 60.0


@pytest.mark.parametrize("fps", [1, 7, 12, 15, 23, 24, 25, 30, 37, 50, 59, 60, 90, 120])
@pytest.mark.parametrize("frames", [2, 5, 61, 200])
def test_ours_come_back_at_their_rate(tmp_path: Path, fps: int, frames: int) -> None:
    values = build.motion(frames, 32, fps)
    for start in (0.0, 86399.5):
        write_livelink(tmp_path / "a.csv", CoefficientTrack(values, BLENDVOCA_NAMES, fps), start)
        reading = read_track_file(tmp_path / "a.csv")
        assert (reading.track.fps, len(reading.track), reading.notes) == (fps, frames, ())
        np.testing.assert_allclose(reading.track.select(BLENDVOCA_NAMES).values, values, atol=1e-10)


def test_what_time_codes_cannot_say_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrackError, match="whole frame rate"):
        write_livelink(tmp_path / "a.csv", CoefficientTrack(np.zeros((2, 1)), ("jawOpen",), 29.97))
