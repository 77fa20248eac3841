"""Blender add-on: load a coefficient track onto the shape keys of any mesh.

Reads the authors' CSV, Live Link Face CSV and ARKit JSON. Needs nothing but Blender; without Blender the file can be
imported too, and everything above the last section (reading, matching names) works.
"""

from __future__ import annotations

import csv
import difflib
import itertools
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

try:
    import bpy
except ModuleNotFoundError:
    bpy = None

bl_info = {
    "name": "BlendVOCA track",
    "author": "BlendVOCA contributors",
    "version": (1, 0, 0),
    "blender": (3, 6, 0),
    "location": "File > Import > Blendshape track",
    "description": "Load blendshape coefficients (CSV, Live Link Face, ARKit JSON) onto shape keys",
    "category": "Animation",
}

#: Frames per second of files that do not say, as BlendVOCA's CSV.
DEFAULT_FPS = 60.0
#: Columns of captures that are no blendshapes, and those that carry the time.
NO_SHAPES = re.compile(r"blendshapecount|(head|lefteye|righteye)(yaw|pitch|roll)|_neutral", re.IGNORECASE)
FRAME_NUMBERS = re.compile(r"|frame|frame.?(number|index|id|no)|index|unnamed: 0", re.IGNORECASE)
CLOCKS = re.compile(
    rf"timecode|time|timestamp|time.?stamp.?ms|time.?ms|time.?s|seconds|{FRAME_NUMBERS.pattern}", re.IGNORECASE
)


class TrackError(ValueError):
    """The file is no track; the message says what was expected and what was found."""


@dataclass(frozen=True)
class Track:
    """Frames of named coefficients: ``rows[frame][column]``; ``fps`` is ``None`` where the file does not say."""

    names: tuple
    rows: list
    fps: float | None = None


# ---- reading -------------------------------------------------------------------------------------


def read_track(path):
    """Read a track by what the file holds.

    :raises TrackError: if it is none.
    :raises OSError: if it cannot be read.
    """
    data = Path(path).read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TrackError(f"{path}: expected text (CSV or JSON), found other bytes") from error
    try:
        track = _read_json(text) if text.lstrip()[:1] in ("{", "[") else _read_csv(text)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise TrackError(f"{path}: expected a coefficient CSV, Live Link CSV or ARKit JSON, found {error}") from error
    if any(not -1e6 < value < 1e6 for row in track.rows for value in row):
        raise TrackError(f"{path}: expected finite coefficients")
    return track


def _read_json(text):
    document = json.loads(text)
    frames = document if isinstance(document, list) else document.get("frames")
    table = document if isinstance(document, dict) else {}
    rate = next((table[key] for key in ("fps", "exportFps", "frameRate") if table.get(key) is not None), None)
    if rate is not None and not 0 < float(rate) < 1e4:
        raise ValueError(f"{rate} frames a second")
    listed = next((table[key] for key in ("names", "facsNames", "blendShapeNames") if key in table), ())
    matrix = next((table[key] for key in ("weights", "weightMat", "values") if key in table), None)
    if matrix is not None:
        if any(len(row) != len(listed) for row in matrix):
            raise ValueError("weights and names that do not match")
        return _placed(tuple(listed), [list(map(float, row)) for row in matrix], None, rate)
    shapes = [_shapes(frame, listed) for frame in frames]
    names = tuple(name for name in shapes[0] if not NO_SHAPES.fullmatch(name) and not CLOCKS.fullmatch(name))
    rows = [[float(shape[name]) for name in names] for shape in shapes]
    clock = next((key for key in frames[0] if CLOCKS.fullmatch(key)), None) if isinstance(frames[0], dict) else None
    return _placed(names, rows, None if clock is None else (clock, [frame[clock] for frame in frames]), rate)


def _shapes(frame, listed):
    """Return the shapes of one frame: named, in categories as MediaPipe writes them, or beside a list of names."""
    if isinstance(frame, dict):
        known = ("blendShapes", "blendshapes", "faceBlendshapes", "weights")
        inner = next((frame[key] for key in known if key in frame), None)
        return frame if inner is None else _shapes(inner, listed)
    while frame and isinstance(frame[0], list):
        frame = frame[0]
    if frame and isinstance(frame[0], dict):
        if "categories" in frame[0]:
            return _shapes(frame[0]["categories"], listed)
        return {entry.get("categoryName", entry.get("name")): entry.get("score", entry.get("value")) for entry in frame}
    if len(frame) != len(listed):
        raise ValueError("weights and names that do not match")
    return dict(zip(listed, frame))


def _read_csv(text):
    lines = [line for line in text.splitlines() if line.strip(" ,;\t") and not line.startswith(("#", "sep="))]
    separator = next((mark for mark in "\t;," if lines and mark in re.sub(r'"[^"]*"', "", lines[0])), ",")
    header, *lines = list(csv.reader(lines, delimiter=separator)) or [[]]
    while header and not header[-1].strip():
        header.pop()
    names = [name.strip() for name in header]
    lines = [line[: len(names)] if not any(map(str.strip, line[len(names) :])) else line for line in lines]
    if not lines:
        raise ValueError("a header without frames")
    if any(len(line) != len(names) for line in lines):
        raise ValueError("lines of different length")
    if all(re.fullmatch(r"[-+.\deE]*", name) for name in names):
        raise ValueError("a first line without names")
    columns = [i for i, name in enumerate(names) if not NO_SHAPES.fullmatch(name) and not CLOCKS.fullmatch(name)]
    # Words, such as an emotion, are no coefficients.
    columns = [i for i in columns if any(map(_is_number, [lines[0][i], lines[-1][i]])) or len(columns) == 1]
    rows = [[_number(line[i]) for i in columns] for line in lines]
    clock = next((i for i, name in enumerate(names) if CLOCKS.fullmatch(name)), None)
    times = None if clock is None else (names[clock], [line[clock] for line in lines])
    return _placed(tuple(names[i] for i in columns), rows, times, None)


def _number(cell):
    cell = cell.strip()
    return float(cell.replace(",", ".") if cell.count(",") == 1 and "." not in cell else cell)


def _is_number(cell):
    try:
        _number(cell)
    except ValueError:
        return False
    return True


def _placed(names, rows, clock, rate):
    """Put rows on the frames that their clock, a name and its values, says: lost ones interpolated, doubled dropped."""
    places, clock_rate = (None, None) if clock is None else _frames(*clock, rate)
    rate = rate or clock_rate
    if places is None:
        return Track(names, rows, None if rate is None else float(rate))
    kept = {}
    for place, row in zip(places, rows):
        kept.setdefault(place, row)
    order = sorted(kept)
    if order[-1] > 20 * len(rows) + 1000:
        raise ValueError(f"gaps of {order[-1] + 1 - len(rows)} frames in {len(rows)}")
    filled = []
    for before, after in zip(order, [*order[1:], None]):
        filled.append(kept[before])
        for place in range(before + 1, after or 0):
            part = (place - before) / (after - before)
            filled.append([a + part * (b - a) for a, b in zip(kept[before], kept[after])])
    return Track(names, filled, None if rate is None else float(rate))


def _frames(name, values, rate):
    """Return the frame of every row, from 0, and the frames per second by the clock."""
    values = [str(value).strip() for value in values]
    if re.fullmatch(r"(?i)timecode", name) and ":" in values[0]:
        return _code_frames(values)
    numbers = [_number(value) for value in values]
    if FRAME_NUMBERS.fullmatch(name):
        return [round(number - numbers[0]) for number in numbers], None
    steps = sorted(b - a for a, b in itertools.pairwise(numbers) if b > a)
    if not steps or any(b < a for a, b in itertools.pairwise(numbers)):
        return None, None
    unit = 1e-3 if "ms" in name.lower() or steps[len(steps) // 2] >= 1 else 1.0
    counts = [round((b - a) / steps[len(steps) // 2]) for a, b in itertools.pairwise(numbers)]
    clock_rate = rate or sum(counts) / ((numbers[-1] - numbers[0]) * unit)
    if rate is None and abs(clock_rate - round(clock_rate)) < 0.02 * clock_rate:
        clock_rate = float(round(clock_rate))
    if rate is None:
        return [0, *itertools.accumulate(counts)], clock_rate
    return [round((number - numbers[0]) * unit * clock_rate) for number in numbers], clock_rate


def _code_frames(codes):
    parts = [re.split(r"[:;]", code) if len(re.split(r"[:;]", code)) == 4 else re.split(r"[:;.]", code, maxsplit=3)
             for code in codes]  # fmt: skip
    seconds = [3600 * int(h) + 60 * int(m) + int(s) for h, m, s, _ in parts]
    counts = [float(last) for *_, last in parts]
    if all(len(last) == 3 for *_, last in parts):
        stamps = [second + count / 1000 for second, count in zip(seconds, counts)]
        return _frames("time", [repr(stamp - stamps[0]) for stamp in stamps], None)
    rate = frame_rate(codes)
    steps = sorted(b - a for a, b, s, t in zip(counts, counts[1:], seconds, seconds[1:]) if s == t and b > a)
    if rate is None or not steps:
        return None, rate
    step = max(round(steps[len(steps) // 2]), 1)
    places = [round(((second - seconds[0]) * rate * step + count - counts[0]) / step)
              for second, count in zip(seconds, counts)]  # fmt: skip
    return (places if places == sorted(places) else None), rate


def frame_rate(timecodes):
    """Return the frames per second of time codes, from where the count goes on after a second turns, or ``None``."""
    parts = [re.split(r"[:;.]", code.strip(), maxsplit=3) for code in timecodes]
    codes = [(60 * int(m) + int(s), float(last)) for _, m, s, last in parts]
    steps = sorted(b[1] - a[1] for a, b in itertools.pairwise(codes) if a[0] == b[0] and b[1] > a[1])
    turns = [(a[1], b[1]) for a, b in itertools.pairwise(codes) if b[0] == a[0] + 1]
    if not turns or not steps:
        return None
    step = max(round(steps[len(steps) // 2]), 1)
    bases = [round(last + step - first) for last, first in turns]
    return max(set(bases), key=lambda base: (bases.count(base), base)) / step


# ---- names ---------------------------------------------------------------------------------------


# ---- the same in both files ------------------------------------------------------------------------------

SIDES = {"l": "left", "left": "left", "r": "right", "right": "right"}
#: Words of a key that may be its name, counted from its end.
MOST_WORDS = 6
#: What VRM 1.0's expressions and Oculus' visemes are called elsewhere: VRM 0.x, VRoid (``Fcl_MTH_A``), Ready Player Me.
#: A single letter is a name by itself only; more words may have others before them.
ALIASES = {
    "aa": ("A", "MTH A"),
    "ih": ("I", "MTH I", "viseme I"),
    "ou": ("U", "MTH U", "viseme U"),
    "ee": ("E", "MTH E", "viseme E"),
    "oh": ("O", "MTH O", "viseme O"),
    "E": ("viseme E", "v E"),
    "blink": ("EYE Close",),
    "blinkLeft": ("EYE Close L",),
    "blinkRight": ("EYE Close R",),
    "happy": ("Joy", "ALL Joy"),
    "angry": ("ALL Angry",),
    "sad": ("Sorrow", "ALL Sorrow"),
    "relaxed": ("Fun", "ALL Fun"),
    "surprised": ("ALL Surprised",),
}


def split_name(name: str) -> tuple[tuple[str, ...], str]:
    """Split a spelling into its words and its side.

    ``eyeBlink_L``, ``EyeBlinkLeft``, ``L.eye_blink`` and ``EYE BLINK LEFT`` are all ``("eye", "blink"), "left"``; the
    side is empty where none is named. Of two sides the last counts, and what stands before the first is left out.
    """
    spaced = re.sub(r"([a-z0-9])([A-Z])|([A-Z])(?=[A-Z][a-z])", r"\1\3 \2", name)
    words = [word.lower() for word in re.split(r"[^A-Za-z0-9]+", spaced) if word]
    sides = [place for place, word in enumerate(words) if word in SIDES]
    if sides:
        first = sides[-2] + 1 if len(sides) > 1 else 0
        return tuple(word for word in words[first:] if word not in SIDES), SIDES[words[sides[-1]]]
    for side in ("left", "right"):
        # All in one case, word borders are lost; the side still can.
        if words and words[-1].endswith(side):
            return (*words[:-1], words[-1].removesuffix(side)), side
        if len(words) == 1 and words[0].startswith(side):
            return (words[0].removeprefix(side),), side
    return tuple(words), ""


def match_names(names: list[str], keys: list[str]) -> dict[str, list[str]]:
    """Find the keys of a mesh, rig or table that are meant by names.

    A key of the very same name comes first, then one of the same words and side, then one whose last words they are
    (an unknown prefix). Where two keys fit equally well, none is taken.

    :param names: such as ARKit's, or those of a track.
    :param keys: such as those of a mesh.
    :return: name to keys, for those that are found. A name without a side whose shape the keys hold in two halves has
        both of them.
    """
    exact: dict[tuple[str, str], list[str]] = {}
    tails: dict[tuple[str, ...], list[str]] = {}
    for key in dict.fromkeys(keys):
        words, side = split_name(key)
        exact.setdefault(("".join(words), side), []).append(key)
        for count in range(1, min(len(words), MOST_WORDS) + 1):
            tails.setdefault((side, *words[-count:]), []).append(key)
    known, matched = set(keys), {}
    for name in names:
        words, side = split_name(name)

        def find(side: str, words: tuple[str, ...] = words) -> list[str]:
            alone = exact.get(("".join(words), side))
            found = alone or ([] if len(words[0]) == len(words) == 1 else tails.get((side, *words), []))
            return found if len(found) == 1 else []

        found = [name] if name in known else find(side) if words else []
        for spelling in () if found else ALIASES.get(name, ()):
            also, side_of_it = split_name(spelling)
            found = found or find(side_of_it, also)
        if words and not found and not side:
            halves = [find("left"), find("right")]
            found = halves[0] + halves[1] if all(halves) else []
        if found:
            matched[name] = found
    return matched


# ---- the same in both files, to here ---------------------------------------------------------------------


def match_keys(names, keys, prefix="", suffix="", mirror=False):
    """Find the shape keys of a track's names, as :func:`match_names`.

    :param prefix: what the mesh's names begin with besides.
    :param suffix: what they end with besides.
    :param mirror: exchange left and right.
    """
    bare = {}
    for key in keys:
        low = key.lower()
        if low.startswith(prefix.lower()) and low.endswith(suffix.lower()):
            bare[key[len(prefix) : len(key) - len(suffix)]] = key
    asked = {name: other_side(name) if mirror else name for name in names}
    matched = match_names(list(asked.values()), list(bare))
    return {name: [bare[key] for key in matched[other]] for name, other in asked.items() if other in matched}


def other_side(name):
    """Return a spelling of the shape on the other side of the face."""
    words, side = split_name(name)
    return " ".join((*words, {"left": "right", "right": "left"}[side])) if side else name


@dataclass
class Report:
    """What became of the names: ``matched`` of a mesh, names it lacks, shape keys that the track leaves alone."""

    mesh: str
    matched: dict
    missing: list
    untouched: list = field(default_factory=list)

    def lines(self):
        """Yield what to tell the user."""
        yield f"{self.mesh}: {len(self.matched)} of {len(self.matched) + len(self.missing)} names found"
        for name in self.missing:
            near = difflib.get_close_matches(name.lower(), [key.lower() for key in self.untouched], 1)
            close = [key for key in self.untouched if [key.lower()] == near]
            yield f"{self.mesh}: no shape key for {name}" + (f" (nearest: {close[0]})" if close else "")


# ---- Blender -------------------------------------------------------------------------------------


def animate(mesh, track, fps, start, scene_fps, prefix="", suffix="", mirror=False, scale=1.0):
    """Put a track on a mesh object's shape keys, one key a frame, linear in between; return a :class:`Report`.

    Frame n of the track stands at scene frame ``start + n * scene_fps / fps``.
    """
    shapes = mesh.data.shape_keys
    keys = [block.name for block in shapes.key_blocks if block != shapes.reference_key]
    matched = match_keys(track.names, keys, prefix, suffix, mirror)
    used = {key for found in matched.values() for key in found}
    report = Report(mesh.name, matched, [name for name in track.names if name not in matched],
                    [key for key in keys if key not in used])  # fmt: skip
    if not matched:
        return report
    # A new action each time: what the mesh did before stays in the file.
    data = shapes.animation_data or shapes.animation_data_create()
    data.action = bpy.data.actions.new(f"{mesh.name} track")
    places = [start + frame * scene_fps / fps for frame in range(len(track.rows))]
    for column, name in enumerate(track.names):
        values = [row[column] * scale for row in track.rows]
        for key in matched.get(name, ()):
            block = shapes.key_blocks[key]
            # Blender clamps values to the slider's range.
            block.slider_min, block.slider_max = min(block.slider_min, *values), max(block.slider_max, *values)
            path = f'key_blocks["{bpy.utils.escape_identifier(key)}"].value'
            _fill(_curve(data.action, shapes, path), places, values)
    return report


def _curve(action, shapes, path):
    if hasattr(action, "fcurve_ensure_for_datablock"):  # Blender 4.4 and later
        return action.fcurve_ensure_for_datablock(shapes, path)
    return action.fcurves.new(path)


def _fill(curve, places, values):
    curve.keyframe_points.add(len(places))
    curve.keyframe_points.foreach_set("co", [number for pair in zip(places, values) for number in pair])
    for point in curve.keyframe_points:
        point.interpolation = "LINEAR"
    curve.update()


def add_sound(scene, path, start):
    """Lay a sound under the scene on a free channel."""
    editor = scene.sequence_editor or scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    channel = 1 + max((strip.channel for strip in strips), default=0)
    return strips.new_sound(Path(path).stem, str(path), channel, start)


if bpy is not None:
    from bpy.props import BoolProperty, FloatProperty, IntProperty, StringProperty
    from bpy_extras.io_utils import ImportHelper

    class BLENDVOCA_OT_import_track(bpy.types.Operator, ImportHelper):
        """Load blendshape coefficients onto the shape keys of the selected meshes"""

        bl_idname = "blendvoca.import_track"
        bl_label = "Import blendshape track"
        bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 (Blender reads it)

        filter_glob: StringProperty(default="*.csv;*.json", options={"HIDDEN"})
        fps: FloatProperty(
            name="Track's frame rate",
            default=0.0,
            min=0.0,
            max=1000.0,
            description="Frames per second of the file; 0: as the file says, else 60",
        )
        start: IntProperty(name="First frame", default=1)
        set_rate: BoolProperty(name="Set the scene's frame rate and range", default=True)
        prefix: StringProperty(name="Prefix", description="What the mesh's shape keys begin with, such as bs_")
        suffix: StringProperty(name="Suffix", description="What the mesh's shape keys end with")
        mirror: BoolProperty(name="Exchange left and right", default=False)
        scale: FloatProperty(name="Scale", default=1.0, min=-10.0, max=10.0, description="Factor of all coefficients")
        sound: StringProperty(name="Sound", subtype="FILE_PATH", description="Sound file to lay under the scene")

        def execute(self, context):
            meshes = [o for o in context.selected_objects if o.type == "MESH" and o.data.shape_keys]
            active = context.active_object
            if not meshes and active is not None and active.type == "MESH" and active.data.shape_keys:
                meshes = [active]
            if not meshes:
                self.report({"ERROR"}, "Select a mesh with shape keys first")
                return {"CANCELLED"}
            sound = bpy.path.abspath(self.sound) if self.sound else ""
            try:
                track = read_track(self.filepath)
                if sound and not Path(sound).is_file():
                    raise TrackError(f"{sound}: no such sound file")
            except (TrackError, OSError) as error:
                self.report({"ERROR"}, str(error))
                return {"CANCELLED"}
            return self._apply(context.scene, meshes, track, sound)

        def _apply(self, scene, meshes, track, sound):
            fps = self.fps or track.fps or DEFAULT_FPS
            if self.set_rate:
                scene.render.fps = max(round(fps), 1)
                scene.render.fps_base = scene.render.fps / fps
            rate = scene.render.fps / scene.render.fps_base
            # Datablocks that several objects share are animated once.
            own = list({mesh.data.shape_keys: mesh for mesh in meshes}.values())
            reports = [animate(mesh, track, fps, self.start, rate, self.prefix, self.suffix, self.mirror, self.scale)
                       for mesh in own]  # fmt: skip
            for report in reports:
                for line in report.lines():
                    self.report({"WARNING"} if "no shape key" in line else {"INFO"}, line)
            if not any(report.matched for report in reports):
                self.report({"ERROR"}, "No name of the track is a shape key of the selected meshes; try a prefix")
                return {"CANCELLED"}
            if self.set_rate:
                last = self.start + (len(track.rows) - 1) * rate / fps
                scene.frame_start, scene.frame_end = self.start, max(round(last), self.start)
            try:
                if sound:
                    add_sound(scene, sound, self.start)
            except RuntimeError as error:  # a build of Blender without sound, or a file it cannot play
                self.report({"WARNING"}, f"The track is loaded, its sound is not: {error}")
            return {"FINISHED"}

    def _menu(self, context):
        self.layout.operator(BLENDVOCA_OT_import_track.bl_idname, text="Blendshape track (.csv, .json)")

    def register():
        bpy.utils.register_class(BLENDVOCA_OT_import_track)
        bpy.types.TOPBAR_MT_file_import.append(_menu)

    def unregister():
        bpy.types.TOPBAR_MT_file_import.remove(_menu)
        bpy.utils.unregister_class(BLENDVOCA_OT_import_track)


if __name__ == "__main__" and bpy is not None:
    register()
