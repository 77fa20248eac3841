"""Coefficient tables: the authors' format, round trips, and tables that are none."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from blendvoca.arkit import BLENDVOCA_NAMES
from blendvoca.errors import BlendvocaError, FormatError, TrackError
from blendvoca.io.track.csv import decode_track, read_track, write_track
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
    track = decode_track(b"\xef\xbb\xbfjawOpen, mouthLeft\r\n0.5,0.25\r\n\r\n1,0\r\n", 30.0)
    assert track.names == ("jawOpen", "mouthLeft")
    assert track.values.tolist() == [[0.5, 0.25], [1, 0]]
    assert track.fps == 30.0


def test_statistics_of_the_release_are_read(assets: Path) -> None:
    track = read_track(assets / "said" / "coeffs_std.csv")
    assert track.names == BLENDVOCA_NAMES
    assert len(track) == 1


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        (b"", FormatError, "empty"),
        (b"jawOpen\n", TrackError, "no frames"),
        (b"0.1,0.2\n0.3,0.4\n", FormatError, "no names"),
        (b"a,b\n0.1\n", FormatError, "line 2"),
        (b"a,b\n0.1,0.2,0.3\n", FormatError, "line 2"),
        (b"a,b\n0.1,\n", FormatError, "empty cells"),
        (b"a,b\n,0.1\n0.2,0.3\n", FormatError, "cells"),
        (b"a,b\n0.1 0.2,\n", FormatError, "cell"),
        (b"a,b\n0.1,x\n", FormatError, "'x'"),
        (b"a,b\n0.1,nan\n", TrackError, "not finite"),
        (b"a,b\n0.1,1.5\n", TrackError, "range"),
        (b"a,a\n0.1,0.5\n", TrackError, "repeated"),
        (b"a,\xff\n0.1,0.5\n", FormatError, "UTF-8"),
        (b"Timecode,BlendShapeCount,JawOpen\n1,2,3\n", FormatError, "Live Link"),
    ],
)
def test_wrong_tables_say_what_is_wrong(text: bytes, kind: type[BlendvocaError], says: str) -> None:
    with pytest.raises(kind) as caught:
        decode_track(text, 60.0, "wrong.csv")
    assert says in str(caught.value)
    assert "wrong.csv" in str(caught.value)
