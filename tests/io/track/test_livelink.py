"""Live Link captures: columns by name, frame rates by time code."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from blendvoca.arkit import ARKIT_NAMES, BLENDVOCA_NAMES
from blendvoca.errors import BlendvocaError, FormatError, TrackError
from blendvoca.io.track.livelink_read import decode_livelink, frame_rate, read_livelink


def test_a_real_capture(assets: Path) -> None:
    path = assets / "livelink" / "capture_30fps.csv"
    capture = read_livelink(path)
    assert capture.track.fps == 30.0
    assert capture.track.names == ARKIT_NAMES
    assert capture.rotation_names[:3] == ("HeadYaw", "HeadPitch", "HeadRoll")
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(capture.track) == len(rows)
    for name in ("jawLeft", "jawRight", "mouthLeft", "mouthRight", "jawOpen"):
        column = [float(row[name[0].upper() + name[1:]]) for row in rows]
        assert np.allclose(capture.track.select([name]).values[:, 0], column)
    assert np.allclose(capture.rotations[:, 0], [float(row["HeadYaw"]) for row in rows])
    assert capture.track.select(BLENDVOCA_NAMES).resampled(60.0).fps == 60.0


def test_columns_are_found_by_name_wherever_they_stand() -> None:
    text = b"Timecode,BlendShapeCount,MouthRight,MouthLeft,HeadYaw,JawOpen\n"
    text += b"".join(b"10:00:%02d:%02d.500,61,0.1,0.2,-0.3,0.4\n" % (n // 60, n % 60) for n in range(200))
    capture = decode_livelink(text)
    assert capture.track.fps == 60.0
    assert dict(zip(capture.track.names, capture.track.values[0], strict=True)) == {
        "mouthLeft": 0.2,
        "mouthRight": 0.1,
        "jawOpen": 0.4,
    }
    assert capture.rotations[0].tolist() == [-0.3]


@pytest.mark.parametrize("rate", [24, 25, 30, 50, 60])
def test_frame_rates(rate: int) -> None:
    long = tuple(f"01:02:{n // rate:02d}:{n % rate:02d}.017" for n in range(5, 4 * rate))
    assert frame_rate(long) == rate
    assert frame_rate(long[: rate + 7]) == rate


def test_a_short_capture_that_counts_in_sixtieths() -> None:
    assert frame_rate(tuple(f"13:13:{54 + n // 60}:{n % 60:02d}.247" for n in range(31, 70, 2))) == 30.0


def test_a_rate_that_cannot_be_told_must_be_stated() -> None:
    text = b"Timecode,BlendShapeCount,JawOpen\n10:00:00:01.5,61,0.1\n"
    with pytest.raises(FormatError, match="fps=60"):
        decode_livelink(text)
    assert decode_livelink(text, fps=60.0).track.fps == 60.0


HEAD = b"Timecode,BlendShapeCount,JawOpen\n"


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        (b"", FormatError, "empty"),
        (b"jawOpen\n0.1\n", FormatError, "Timecode"),
        (HEAD, TrackError, "no frames"),
        (HEAD + b"10:00:00:01.5\n", FormatError, "line 2"),
        (HEAD + b"noon,61,0.1\n", FormatError, "'noon'"),
        (HEAD + b"10:00:00:01.5,61,open\n", FormatError, "'open'"),
        (HEAD + b"10:00:00:01.5,61,7\n", FormatError, "too few"),
        (b"Timecode,BlendShapeCount,HeadYaw\n10:00:00:01.5,61,7\n", FormatError, "ARKit"),
        (HEAD + b"10:00:00:01.5,61,nan\n", FormatError, "JawOpen = nan in frame 0"),
        (HEAD[:-1] + b",HeadYaw\n10:00:00:01.5,61,0,inf\n", FormatError, "HeadYaw = inf"),
        (HEAD[:-1] + b",MouthSmileLeftt\n10:00:00:01.5,61,0,0\n", FormatError, "did you mean 'MouthSmileLeft'"),
        (HEAD[:-1] + b",Comment\n10:00:00:01.5,61,0,0\n", FormatError, "take the column out"),
        (b"BlendShapeCount,JawOpen,Timecode\n61,0,10:00:00:01.5\n", FormatError, "to the front"),
        (HEAD + b"10:00:00:02.5,61,0\n10:00:00:01.5,61,0\n", FormatError, "backwards"),
        (HEAD + b"10:00:01:00.5,61,0\n10:00:00:59.5,61,0\n", FormatError, "'10:00:00:59.5' after '10:00:01:00.5'"),
        (b"Timecode,BlendShapeCount,JawOpen,jawOpen\n10:00:00:01.5,61,0,0\n", FormatError, "two columns"),
    ],
)
def test_wrong_files_say_what_is_wrong(text: bytes, kind: type[BlendvocaError], says: str) -> None:
    with pytest.raises(kind) as caught:
        decode_livelink(text, path="wrong.csv")
    assert says in str(caught.value)
    assert "wrong.csv" in str(caught.value)
    with pytest.raises(TrackError, match="range"):
        decode_livelink(HEAD + b"10:00:00:01.5,61,7\n", fps=30.0)


def test_order_counts_with_a_stated_rate_too() -> None:
    with pytest.raises(FormatError, match="backwards"):
        decode_livelink(HEAD + b"10:00:00:02.5,61,0\n10:00:00:01.5,61,0\n", fps=30.0)
    # Codes of another kind do not matter to whoever states the rate.
    assert len(decode_livelink(HEAD + b"noon,61,0\nlater,61,0\n", fps=30.0).track) == 2


def test_midnight_is_not_backwards() -> None:
    seconds = [(n // 60, n % 60) for n in range(5_183_900, 5_184_200)]
    codes = [f"{s // 3600 % 24:02d}:{s // 60 % 60:02d}:{s % 60:02d}:{frame:02d}.5" for s, frame in seconds]
    capture = decode_livelink(HEAD + "".join(f"{code},61,0.5\n" for code in codes).encode())
    assert (capture.timecodes[0], capture.timecodes[-1]) == ("23:59:58:20.5", "00:00:03:19.5")
    assert capture.track.fps == 60.0
