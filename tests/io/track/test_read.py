"""One reader of tracks: dialects, names, time, values; every change is in a note."""

from __future__ import annotations

import contextlib
import io
import json
import time
import tracemalloc

import numpy as np
import pytest
import track_builders as build

from blendvoca.arkit import ARKIT_NAMES, BLENDVOCA_NAMES
from blendvoca.errors import BlendvocaError, FormatError, TrackError
from blendvoca.io.track.read import TrackReading, decode_track_file
from blendvoca.io.track.samples import TrackOptions

MOTION = build.motion(90, 32)
STATED = "the file states no frame rate: taken as 60"


def read(data: bytes, **options: object) -> TrackReading:
    return decode_track_file(data, TrackOptions(**options), "file")


def same(reading: TrackReading, values: np.ndarray, fps: float, names: tuple[str, ...] = BLENDVOCA_NAMES) -> None:
    """Assert that a reading holds these values, and changed nothing."""
    assert reading.notes == ()
    assert reading.track.fps == fps
    np.testing.assert_allclose(reading.track.select(names).values, values, rtol=0, atol=1e-12)


# ---- dialects --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        build.table(BLENDVOCA_NAMES, MOTION),
        build.table(BLENDVOCA_NAMES, MOTION, separator=";"),
        build.table(BLENDVOCA_NAMES, MOTION, separator="\t"),
        build.table(BLENDVOCA_NAMES, MOTION, separator="|"),
        build.table(BLENDVOCA_NAMES, MOTION, separator=" "),
        build.table(BLENDVOCA_NAMES, MOTION, separator=", "),
        build.table(BLENDVOCA_NAMES, MOTION, separator=";", cell=lambda value: repr(value).replace(".", ",")),
        build.table(BLENDVOCA_NAMES, MOTION, cell=lambda value: f'"{value!r}"', quote=True),
        build.table(BLENDVOCA_NAMES, MOTION, cell=lambda value: '"' + repr(value).replace(".", ",") + '"'),
        build.table(BLENDVOCA_NAMES, MOTION, end=","),
        build.table(BLENDVOCA_NAMES, MOTION).replace(b"\n", b",,,\n").replace(b",,,", b"", 1),
        b"\xef\xbb\xbf" + build.table(BLENDVOCA_NAMES, MOTION).replace(b"\n", b"\r\n"),
        b"sep=;\n" + build.table(BLENDVOCA_NAMES, MOTION, separator=";"),
        b"# made by a script\n\n" + build.table(BLENDVOCA_NAMES, MOTION).replace(b"\n", b"\n\n"),
        b"# " + build.table(BLENDVOCA_NAMES, MOTION),
        build.table(BLENDVOCA_NAMES, MOTION).replace(b"\n", b"\r"),
        build.table(BLENDVOCA_NAMES, MOTION, separator="\t").decode().encode("utf-16"),
        build.table(BLENDVOCA_NAMES, MOTION, {"frame": range(90)}),
        build.table(BLENDVOCA_NAMES, MOTION, {"": range(90)}),
        build.table(BLENDVOCA_NAMES, MOTION, {"Unnamed: 0": range(90)}),
        build.table(BLENDVOCA_NAMES, MOTION, {"Frame Number": range(1, 91)}),
        build.table(BLENDVOCA_NAMES, MOTION, {"": range(90)}).replace(b",jaw", b"jaw", 1),
    ],
)
def test_dialects(data):
    reading = read(data)
    same(reading, MOTION, 60.0)
    assert reading.remarks == (STATED,)
    assert reading.track.names == BLENDVOCA_NAMES


@pytest.mark.parametrize(
    ("respell", "first"),
    [
        (build.capital, "JawForward is jawForward"),
        (lambda name: f"CTRL_expressions_{name}", "CTRL_expressions_jawForward is jawForward"),
        (lambda name: f"bs.{name}", "bs.jawForward is jawForward"),
    ],
)
def test_names_become_arkits(respell, first):
    reading = read(build.table([respell(name) for name in BLENDVOCA_NAMES], MOTION))
    assert reading.track.names == BLENDVOCA_NAMES
    assert reading.notes == (f"32 names respelt as ARKit's: {first}, …",)
    np.testing.assert_array_equal(reading.track.values, MOTION)


def test_halves_are_joined_and_two_columns_of_one_shape_are_refused():
    reading = read(b"jawOpen,browInnerUp_L,browInnerUp_R\n0.5,0.2,0.4\n")
    assert reading.track.names == ("jawOpen", "browInnerUp")
    np.testing.assert_allclose(reading.track.values, [[0.5, 0.3]])
    assert reading.notes == ("halves joined by their mean: browInnerUp",)
    half = read(b"jawOpen,browInnerUp_L\n0.5,0.2\n")
    assert half.track.names == ("jawOpen",)
    assert half.notes == ("halves of shapes that are whole, or without the other half, left out: browInnerUp_L",)
    with pytest.raises(TrackError, match="two columns; found 'jawOpen' and 'JawOpen'"):
        read(b"jawOpen,JawOpen\n0.5,0.2\n")


def test_other_columns_are_left_out_and_named():
    emotions = {"Happy": ["0.5"] * 90, "emotion": ["calm"] * 90, "mouthSmileLeftt": ["0"] * 90}
    reading = read(build.table(BLENDVOCA_NAMES, MOTION, emotions))
    np.testing.assert_array_equal(reading.track.values, MOTION)
    left = "3 columns that are no ARKit blendshape left out: Happy, emotion, mouthSmileLeftt "
    assert len(reading.notes) == 1 and reading.notes[0].startswith(left)
    kept = read(build.table(["jawOpen", "lipsTogether"], MOTION[:, :2]), keep_others=True)
    assert (kept.track.names, kept.notes) == (("jawOpen", "lipsTogether"), ())
    # A table of another rig's shapes is kept whole.
    assert read(b"PP,aa\n0.5,0\n").track.names == ("PP", "aa")


# ---- values ----------------------------------------------------------------------------------------------


def test_values_out_of_range_are_clipped_and_counted():
    values = MOTION.copy()
    values[3:40, 5] = 1.05
    values[7, 3] = -0.0041
    reading = read(build.table(BLENDVOCA_NAMES, values))
    assert reading.notes == (
        "37 values of mouthFunnel above 1, up to 1.05: clipped",
        "1 value of jawOpen below 0, down to -0.0041: clipped",
    )
    np.testing.assert_array_equal(reading.track.values, values.clip(0, 1))
    np.testing.assert_array_equal(reading.unclipped, values)
    values[3, :2] = 1.5
    assert "39 values of 3 shapes above 1, jawForward up to 1.5: clipped" in read(
        build.table(BLENDVOCA_NAMES, values)
    ).notes  # fmt: skip


def test_percent_is_seen():
    reading = read(build.table(BLENDVOCA_NAMES, MOTION * 100))
    assert reading.notes == (f"values up to {MOTION.max() * 100:g} are taken as percent: divided by 100",)
    np.testing.assert_allclose(reading.track.values, MOTION)


def test_missing_values_are_filled_within_a_quarter_of_a_second():
    holes = build.table(["jawOpen", "jawLeft"], MOTION[:, :2]).split(b"\n")
    holes[11] = b",0.5"
    holes[21] = b","
    reading = read(b"\n".join(holes))
    assert reading.notes == ("3 missing values: interpolated",)
    expected = MOTION[:, :2].copy()
    expected[10] = (expected[9, 0] + expected[11, 0]) / 2, 0.5
    expected[20] = (expected[19] + expected[21]) / 2
    np.testing.assert_allclose(reading.track.values, expected)
    assert read(b"jawOpen,jawLeft\n0.5,\n0.5,\n").notes == ("1 column without a value left out: jawLeft",)
    for row in range(30, 50):
        holes[row] = b"nan,nan"
    with pytest.raises(TrackError, match=r"0\.33 s are missing from 0\.47 s on.*--fill"):
        read(b"\n".join(holes))
    assert "43 missing values: interpolated" in read(b"\n".join(holes), fill=True).notes


# ---- time ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [10, 12, 15, 23, 24, 25, 29, 30, 37, 48, 50, 59, 60, 90, 120])
@pytest.mark.parametrize("seconds", [1.2, 4.0])
@pytest.mark.parametrize("offset", [0, 7])
def test_rates_of_time_codes(rate, seconds, offset):
    values = build.motion(round(seconds * rate), 52, rate)
    same(read(build.capture(values, build.codes(len(values), rate, offset))), values, rate, ARKIT_NAMES)


@pytest.mark.parametrize("rate", [15, 24, 25, 30, 50, 60, 29.97, 23.976, 90, 17.5])
@pytest.mark.parametrize("seconds", [1.2, 10.0])
def test_rates_of_milliseconds_and_of_seconds(rate, seconds):
    exact = {29.97: 30000 / 1001, 23.976: 24000 / 1001}.get(rate, rate)
    values = build.motion(round(seconds * rate), 32, rate)
    stamps = np.arange(len(values)) / exact
    for column, told in (
        ("time", [f"{stamp:.5f}" for stamp in stamps]),
        ("timestamp", [repr(stamp + 1.7e9) for stamp in stamps.tolist()]),
        ("timestamp_us", [f"{stamp * 1e6:.0f}" for stamp in stamps]),
    ):  # fmt: skip
        reading = read(build.table(BLENDVOCA_NAMES, values, {column: told}))
        assert reading.notes == ()
        assert reading.track.fps == pytest.approx(exact, rel=2e-6)
        np.testing.assert_array_equal(reading.track.values, values)
    # Whole milliseconds tell 29.97 from 30 only over some seconds.
    reading = read(build.table(BLENDVOCA_NAMES, values, {"time_ms": [f"{stamp * 1e3:.0f}" for stamp in stamps]}))
    assert reading.notes == ()
    assert reading.track.fps == pytest.approx(exact, rel=2e-3)


@pytest.mark.parametrize(("rate", "count"), [(30, 37), (60, 90)])
def test_time_codes_in_milliseconds(rate, count):
    values = build.motion(count, 52, rate)
    for form in ("09:41:{0:02d}:{1:03d}", "09:41:{0:02d}.{1:03d}", "2026-01-02T09:41:{0:02d}.{1:03d}Z"):
        told = [form.format(12 + 1000 * n // rate // 1000, 1000 * n // rate % 1000) for n in range(count)]
        same(read(build.capture(values, told)), values, rate, ARKIT_NAMES)


def test_counts_in_sixtieths_of_which_every_second_is_written():
    values = build.motion(60, 52, 30)
    told = build.codes(120, 60, 29)[::2]
    same(read(build.capture(values, told)), values, 30, ARKIT_NAMES)


def test_drop_frame():
    form = "{h:02d}:{m:02d}:{s:02d};{f:02d}"
    short = build.motion(150, 52, 30)
    for written in (form, "{h:02d}:{m:02d}:{s:02d};{f:02d}.512", "{h:02d}:{m:02d}:{s:02d}:{f:02d}"):
        same(read(build.capture(short, build.codes(150, 30, form=written))), short, 30, ARKIT_NAMES)
    # Across a minute numbers 0 and 1 are left out, and nothing is lost.
    told = [code for code in build.codes(300, 30, 30 * 44, form) if code not in ("09:42:00;00", "09:42:00;01")]
    values = build.motion(len(told), 52, 30)
    same(read(build.capture(values, told)), values, 30000 / 1001, ARKIT_NAMES)
    # Where they are not dropped, the semicolon is only a separator; where a colon stands, they are lost.
    same(read(build.capture(build.motion(300, 52), build.codes(300, 30, 30 * 44, form))), build.motion(300, 52), 30,
         ARKIT_NAMES)  # fmt: skip
    lost = read(build.capture(values, [code.replace(";", ":") for code in told]))
    assert (lost.notes, len(lost.track)) == (("2 lost frames: interpolated",), 300)


def test_midnight_is_not_backwards():
    told = build.codes(300, 60, 60 * (86400 - 9 * 3600 - 41 * 60 - 12) - 100)
    assert told[0].startswith("23:59:58") and told[-1].startswith("00:00:03")
    same(read(build.capture(build.motion(300, 52), told)), build.motion(300, 52), 60, ARKIT_NAMES)


def test_lost_frames_are_interpolated_and_long_gaps_refused():
    values, told = build.motion(300, 52), build.codes(300, 60)
    lost = list(range(20, 300, 24))
    kept = [row for row in range(300) if row not in lost]
    reading = read(build.capture(values[kept], [told[row] for row in kept]))
    assert reading.notes == ("12 lost frames: interpolated",)
    assert len(reading.track) == 300
    np.testing.assert_array_equal(reading.track.values[kept], values[kept])
    before, after = (values[[row + step for row in lost]] for step in (-1, 1))
    np.testing.assert_allclose(reading.track.values[lost], (before + after) / 2)
    gap = [row for row in range(300) if not 100 <= row < 220]
    data = build.capture(values[gap], [told[row] for row in gap])
    with pytest.raises(TrackError, match=r"2\.00 s are missing .* --fill"):
        read(data)
    filled = read(data, fill=True)
    assert (len(filled.track), filled.track.fps) == (300, 60)
    assert filled.notes == ("120 lost frames: interpolated",)
    edge = [row for row in range(300) if not 100 <= row < 115]
    assert read(build.capture(values[edge], [told[row] for row in edge])).notes == ("15 lost frames: interpolated",)


@pytest.mark.parametrize("column", ["time", "frame"])
def test_lost_rows_of_tables(column):
    kept = [row for row in range(90) if row not in (10, 11, 40)]
    told = [repr(row / 60) if column == "time" else row for row in kept]
    reading = read(build.table(BLENDVOCA_NAMES, MOTION[kept], {column: told}))
    assert reading.notes == ("3 lost frames: interpolated",)
    np.testing.assert_array_equal(reading.track.values[kept], MOTION[kept])
    assert (len(reading.track), reading.track.fps) == (90, 60)


def test_doubled_rows_are_dropped_but_a_jittering_clock_is_not_one():
    values, told = build.motion(240, 52), build.codes(240, 60)
    rows = sorted([*range(240), *range(5, 240, 20)])
    reading = read(build.capture(values[rows], [told[row] for row in rows]))
    assert reading.notes == ("12 doubled rows: dropped",)
    np.testing.assert_array_equal(reading.track.values, values)
    jitter = [told[row - (row % 20 == 7)] for row in range(240)]
    same(read(build.capture(values, jitter)), values, 60, ARKIT_NAMES)


def test_uneven_stamps_keep_their_time():
    rng = np.random.default_rng(0)
    stamps = np.sort(np.arange(120) / 30 + rng.uniform(-0.013, 0.013, 120))
    curve = 0.5 + 0.4 * np.sin(2 * np.pi * 0.7 * stamps)
    reading = read(build.table(["jawOpen"], curve[:, None], {"time": [f"{stamp:.4f}" for stamp in stamps]}))
    assert len(reading.notes) == 1 and reading.notes[0].startswith("uneven time stamps: 120 rows brought to ")
    seconds = stamps[0] + np.arange(len(reading.track)) / reading.track.fps
    assert np.abs(reading.track.values[:, 0] - (0.5 + 0.4 * np.sin(2 * np.pi * 0.7 * seconds))).max() < 0.02
    assert reading.track.duration == pytest.approx(4, abs=0.08)


def test_a_stated_rate_overrules():
    values = build.motion(90, 52, 60)
    data = build.capture(values, build.codes(90, 60))
    same(read(data, fps=60), values, 60, ARKIT_NAMES)
    reading = read(data, fps=30)
    assert (len(reading.track), reading.track.fps) == (90, 30)
    assert reading.notes == ("its time fits 60 frames per second: read at 30, as stated",)
    # A second that never turns tells no rate.
    short = build.capture(values[:30], build.codes(30, 60, 5))
    with pytest.raises(FormatError, match="--fps-in"):
        read(short)
    same(read(short, fps=60), values[:30], 60, ARKIT_NAMES)
    words = read(build.capture(values[:2], ["noon", "later"]), fps=30)
    assert words.notes == ("its time cannot be read (a time code cannot be read): rows are taken one after the other",)
    with pytest.raises(TrackError, match="positive"):
        read(short, fps=0)


@pytest.mark.parametrize(
    ("told", "says"),
    [
        (["10:00:00:02.5", "10:00:00:01.5"], "'10:00:00:01.5' after '10:00:00:02.5'"),
        (["10:00:01:00", "10:00:00:59"], "backwards"),
        (["1.5", "1.2"], "run backwards; found -0.3 s after 0 s in row 1"),
        (["noon", "later"], "'noon' in frame 0"),
    ],
)
def test_time_that_runs_backwards(told, says):
    with pytest.raises(FormatError, match=says):
        read(build.capture(build.motion(2, 52), told))
    if "noon" not in told:
        with pytest.raises(FormatError, match="backwards"):
            read(build.capture(build.motion(2, 52), told), fps=30)


def test_a_frame_without_a_face_is_lost():
    values, told = build.motion(90, 52), build.codes(90, 60)
    lines = build.capture(values, told).split(b"\n")
    lines[31] = told[30].encode() + b",0"
    reading = read(b"\n".join(lines))
    assert reading.notes == ("52 missing values: interpolated",)
    np.testing.assert_allclose(reading.track.values[30], (values[29] + values[31]) / 2)


def test_wherever_the_columns_stand():
    values = build.motion(90, 52)
    rows = [line.split(b",") for line in build.capture(values, build.codes(90, 60)).split(b"\n")[:-1]]
    same(read(b"\n".join(b",".join(row[::-1]) for row in rows)), values, 60, ARKIT_NAMES)


# ---- bad input -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        (b"\n\n", FormatError, "empty"),
        (b"jawOpen\n", TrackError, "no frames"),
        (b"0.1,0.2\n0.3,0.4\n", FormatError, "no names.*--names"),
        (b"jawOpen,jawLeft\n0.1\n", FormatError, "line 2 .*expected 2, found 1"),
        (b"jawOpen,jawLeft\n0.1,0.2\n0.1,0.2,0.3\n", FormatError, "line 3"),
        (b"jawOpen,jawLeft\n0.1 0.2,\n", FormatError, "'0.1 0.2' in column 'jawOpen', line 2"),
        (b"jawOpen,jawLeft\n0.1,x\n", FormatError, "'x'"),
        (b"jawOpen,jawLeft\nnan,nan\n", TrackError, "not finite"),
        (b"jawOpen,jawLeft\n0.1,inf\n", FormatError, "jawLeft = inf in line 2"),
        (b"a,a\n0.1,0.5\n", TrackError, "two columns"),
        (b"a,\xff\n0.1,0.5\n", FormatError, "UTF-8"),
        (b"Timecode,BlendShapeCount,HeadYaw\n10:00:00:01.5,61,7\n", FormatError, "ARKit"),
        (b"frame,time\n1,2\n", FormatError, "ARKit"),
        (b"jawOpen,time\n" + b"0.1,1\n" * 3, FormatError, "all the same"),
        (b"frame,jawOpen,jawLeft\n0,0.1,\n0,0.1,0.5\n1,0.1,\n", TrackError, "doubled rows only; found column 2"),
        (b"a," * 3000 + b"\n" + b"1," * 3000, FormatError, "too wide"),
    ],
)
def test_wrong_tables_say_what_is_wrong(text: bytes, kind: type[BlendvocaError], says: str) -> None:
    with pytest.raises(kind, match=says) as caught:
        read(text)
    assert str(caught.value).startswith("file: ")


def test_memory_and_time_follow_the_file():
    def cost(data: bytes) -> tuple[float, float]:
        tracemalloc.start()
        start = time.process_time()
        with contextlib.suppress(BlendvocaError):
            read(data)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return time.process_time() - start, peak

    rows = build.table(BLENDVOCA_NAMES, build.motion(4000, 32))
    names = ",".join(["jawOpen"] * 100_000).encode()
    keys = b'[{"jawOpen": 0}, {' + b",".join(b'"jawOpen": 1' for _ in range(100_000)) + b"}]"
    odd = json.dumps([{f"x{n}": 0 for n in range(100_000)}, {"jawOpen": 1}]).encode()
    far = b"jawOpen,frame\n0,0\n0,1\n0,900000000\n"
    for data in (rows, names + b"\n" + b"0," * 100_000, keys, odd, far):
        seconds, peak = cost(data)
        assert seconds < 5
        assert peak < 10 * len(data) + 100e6


# ---- JSON and arrays -------------------------------------------------------------------------------------


NAMES51 = tuple(name for name in ARKIT_NAMES if name != "tongueOut")


def _json_forms() -> dict[str, tuple[object, float]]:
    rows = MOTION.tolist()
    named = [dict(zip(BLENDVOCA_NAMES, row)) for row in rows]
    stamped = [{"time": n / 25, **row} for n, row in enumerate(named)]
    return {
        "ours": ({"fps": 30, "frames": [{"time": n / 30, "blendShapes": row} for n, row in enumerate(named)]}, 30),
        "names and weights": ({"names": BLENDVOCA_NAMES, "weights": rows, "fps": 24}, 24),
        "weight matrix": ({"exportFps": 30.0, "trackPath": "a.wav", "numPoses": 32, "numFrames": 90,
                           "facsNames": BLENDVOCA_NAMES, "weightMat": rows}, 30),
        "names and frames": ({"names": BLENDVOCA_NAMES, "frames": [{"time": n / 30, "weights": row}
                                                                  for n, row in enumerate(rows)]}, 30),
        "list": (named, 60),
        "list with times": (stamped, 25),
        "list with time codes": ([{"timecode": code, "blendShapes": row}
                                  for code, row in zip(build.codes(90, 48), named)], 48),
        "columns": ({name: [row[name] for row in named] for name in BLENDVOCA_NAMES}, 60),
        "columns inside": ({"fps": 50, "blendshapes": {name: [row[name] for row in named] for name in named[0]}}, 50),
        "name and value": ([{"t": n / 30, "blendshapes": [{"name": name, "value": u} for name, u in row.items()]}
                            for n, row in enumerate(named)], 30),
        "snake categories": ([{"timestamp_ms": 40 * n, "face_blendshapes": [[{"category_name": k, "score": v}
                              for k, v in row.items()]]} for n, row in enumerate(named)], 25),
        "results": ({"results": [{"frame": n, "scores": row} for n, row in enumerate(named)], "frameRate": 72}, 72),
    }  # fmt: skip


@pytest.mark.parametrize("form", _json_forms())
def test_json_forms(form):
    document, fps = _json_forms()[form]
    same(read(json.dumps(document).encode(), names=None), MOTION, fps)


@pytest.mark.parametrize(("stamps", "fps"), [([33 * n for n in range(60)], 30), ([n * 100 // 3 for n in range(60)], 30),
                                             ([16 * n for n in range(60)], 60)])  # fmt: skip
def test_categories_of_mediapipe(stamps, fps):
    values = build.motion(60, 51, fps)
    reading = read(build.categories(values, NAMES51, stamps))
    same(reading, values, fps, NAMES51)
    assert "_neutral" not in reading.track.names
    frames = json.loads(build.categories(values, NAMES51, stamps))
    frames[7]["faceBlendshapes"] = []
    assert read(json.dumps(frames).encode()).notes == ("51 missing values: interpolated",)


def test_lines_of_json():
    lines = "\n".join(json.dumps({"jawOpen": value}) for value in MOTION[:, 0].tolist())
    same(read(lines.encode()), MOTION[:, :1], 60, ("jawOpen",))


def test_times_of_a_stated_rate_place_the_frames():
    frames = [{"time": time, "blendShapes": {"jawOpen": time / 2}} for time in (0.0, 0.1, 0.3, 0.4)]
    reading = read(json.dumps({"fps": 10, "frames": frames}).encode())
    assert reading.notes == ("1 lost frame: interpolated",)
    np.testing.assert_allclose(reading.track.values[:, 0], [0, 0.05, 0.1, 0.15, 0.2])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[]", "no frames"),
        ("{}", "no list of frames"),
        ('{"fps": true, "frames": []}', "fps is no number"),
        ('{"fps": -1, "frames": []}', "fps is -1"),
        ('{"fps": 60, "frames": {}}', "no list of frames"),
        ('{"fps": 60, "frames": [{"time": 0}]}', "frame 0 has no 'blendShapes'"),
        ('{"fps": 60, "frames": [{"blendShapes": [1]}]}', "frame 0 has 1 weights for 0 names"),
        ('{"fps": 60, "frames": [{"blendShapes": {"a": 1}}, {"blendShapes": {"b": 1}}]}', "than frame 0: a, b"),
        ('{"fps": 60, "fps": 30, "frames": [{"blendShapes": {"a": 1}}]}', "'fps'\"?. twice"),
        ('{"frames": [{"blendShapes": {"a": "x"}}]}', "'a' of frame 0 is no number"),
        ('{"frames": [{"blendShapes": {"a": true}}]}', "'a' of frame 0 is no number"),
        ('{"frames": [{"time": "0", "a": 1}, {"time": 1, "a": 1}]}', "'time' of frame 0 is no number"),
        ('{"frames": [{"time": 0, "a": 1}, {"a": 1}]}', "only some frames have a 'time'"),
        ('{"names": ["a"], "weights": [[1, 2]]}', "frame 0 has 2 values for 1 names"),
        ('{"weights": [[1, 2]]}', "weights without names"),
        ('{"fps": 60, "frames": [{"blendShapes": {"a": ' + "9" * 400 + "}}]}", "beyond all numbers"),
        ("[" * 100_000, "brackets"),
        ("{", "found"),
    ],
)
def test_json_of_the_wrong_form(text, says):
    with pytest.raises(FormatError, match=says) as caught:
        read(text.encode())
    message = str(caught.value)
    assert message.startswith("file: not a coefficient JSON")
    assert message.count("expected") == message.count("found") == 1, message


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def _npz(**arrays: object) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "fps"),
    [
        (_npy(MOTION), 60),
        (_npy(MOTION[None]), 60),
        (_npy(MOTION[None, :, None]), 60),
        (_npz(pred=MOTION[None]), 60),
        (_npz(weights=MOTION, fps=30.0, names=np.array(BLENDVOCA_NAMES)), 30),
        (_npz(weights=MOTION, time=np.arange(90) / 25), 25),
    ],
)
def test_arrays(data, fps):
    same(read(data), MOTION, fps)


def test_arrays_without_names_say_what_they_are_taken_for():
    taken = "32 columns without names are taken in the order blendvoca (--names for another)"
    assert taken in read(_npy(MOTION)).remarks
    assert read(_npy(build.motion(5, 52))).track.names == ARKIT_NAMES
    assert read(_npy(build.motion(5, 51))).track.names == NAMES51
    assert read(_npy(build.motion(5, 2)), names=("jawOpen", "jaw_left")).track.names == ("jawOpen", "jawLeft")
    for data, says in (
        (_npy(build.motion(5, 33)), "33 columns without names.*--names"), (_npy(np.zeros(5)), "no clear array"),
        (_npz(a=MOTION, b=MOTION), "no clear array"), (_npy(np.array(["a"])), "no clear array"),
        (_npy(MOTION)[:50], "not an array"), (b"PK\x03\x04", "not a zip"),
    ):  # fmt: skip
        with pytest.raises(FormatError, match=says):
            read(data)
    with pytest.raises(FormatError, match="names and columns"):
        read(_npy(MOTION), names=("jawOpen",))
