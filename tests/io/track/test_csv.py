"""The authors' format of coefficient tables, and its round trips."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import track_builders as build

from blendvoca.arkit import BLENDVOCA_NAMES
from blendvoca.io.track.csv import read_track, write_track
from blendvoca.io.track.read import decode_track_file, read_track_file
from blendvoca.io.track.samples import TrackOptions
from blendvoca.track import CoefficientTrack


def test_float32_comes_back_to_the_last_bit(tmp_path: Path) -> None:
    values = np.random.default_rng(0).random((50, 32)).astype(np.float32)
    values[0, :4] = (0, 1, 1e-12, np.nextafter(np.float32(1), np.float32(0)))
    write_track(tmp_path / "a.csv", CoefficientTrack(values, BLENDVOCA_NAMES, 60.0))
    back = read_track(tmp_path / "a.csv", 60.0)
    assert np.array_equal(back.values.astype(np.float32), values)
    assert back.names == BLENDVOCA_NAMES
    with open(tmp_path / "a.csv", newline="") as file:
        rows = list(csv.reader(file))
    assert tuple(rows[0]) == BLENDVOCA_NAMES
    assert len(rows) == 51
    assert rows[1][:2] == ["0.0", "1.0"]


def test_names_keep_the_order_of_the_file() -> None:
    text = b"\xef\xbb\xbfjawOpen, mouthLeft\r\n0.5,0.25\r\n\r\n1,0\r\n"
    track = decode_track_file(text, TrackOptions(default_fps=30.0)).track
    assert track.names == ("jawOpen", "mouthLeft")
    assert track.values.tolist() == [[0.5, 0.25], [1, 0]]
    assert track.fps == 30.0


def test_statistics_of_the_release_are_read(assets: Path) -> None:
    track = read_track(assets / "said" / "coeffs_std.csv")
    assert track.names == BLENDVOCA_NAMES
    assert len(track) == 1


@pytest.mark.parametrize("fps", [12, 23.976, 24000 / 1001, 25, 29.97, 30, 50, 59.94, 75, 120.5])
@pytest.mark.parametrize("frames", [2, 3, 300])
def test_another_rate_comes_back_with_the_track(tmp_path: Path, fps: float, frames: int) -> None:
    values = build.motion(frames, 32, fps)
    write_track(tmp_path / "a.csv", CoefficientTrack(values, BLENDVOCA_NAMES, fps))
    reading = read_track_file(tmp_path / "a.csv")
    assert reading.track.fps == pytest.approx(fps, rel=5e-6)
    assert (reading.track.names, reading.notes, len(reading.track)) == (BLENDVOCA_NAMES, (), frames)
    assert (tmp_path / "a.csv").read_text().startswith(",".join(BLENDVOCA_NAMES) + ",time\n0")
