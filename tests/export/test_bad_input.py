"""What an inattentive user hands to export and convert: a typed error with a remedy, never silent nonsense."""

from __future__ import annotations

import base64
import json
import struct

import numpy as np
import pytest

from blendvoca.arkit import BLENDVOCA_NAMES
from blendvoca.errors import ConfigurationError, FormatError, MissingInputError, TrackError
from blendvoca.export.convert import load_track, save
from blendvoca.export.recipes import load_recipe, to_recipe
from blendvoca.export.retarget import apply_map, read_map
from blendvoca.export.timing import resample, smooth
from blendvoca.io.rig.gltf_read import read_gltf
from blendvoca.io.rig.gltf_write import write_glb
from blendvoca.io.track.livelink import write_livelink
from blendvoca.mesh import Mesh
from blendvoca.rig import BlendshapeRig
from blendvoca.track import CoefficientTrack


@pytest.fixture
def track() -> CoefficientTrack:
    return CoefficientTrack(np.random.default_rng(0).uniform(size=(150, 32)), BLENDVOCA_NAMES, 60)


@pytest.mark.parametrize("fps", [0, -3, float("nan"), float("inf"), 1e9, 1e-9])
def test_rates_beyond_reason(track, fps):
    with pytest.raises(TrackError, match="1 to 1000"):
        resample(track, fps)


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), 1e9])
def test_widths_beyond_reason(track, seconds):
    with pytest.raises(TrackError, match="0 to 10 seconds"):
        smooth(track, seconds)


@pytest.mark.parametrize("fps", [0, -1, float("nan"), float("inf")])
def test_a_stated_rate_is_never_replaced_in_silence(tmp_path, track, fps):
    track.to_csv(tmp_path / "a.csv")
    with pytest.raises(TrackError, match="--fps-in"):
        load_track(tmp_path / "a.csv", fps)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"jawOpen": {"to": "x", "scale": NaN}}', "NaN"),
        ('{"jawOpen": {"to": "x", "scale": "2"}}', r"jawOpen\.scale; expected a number"),
        ('{"jawOpen": {"to": "x", "scale": true}}', "a number"),
        ('{"jawOpen": {"to": "x", "flip": "false"}}', "true or false"),
        ('{"jawOpen": {"to": 3}}', "jawOpen.to; expected text"),
        ('{"jawOpen": ""}', "a name"),
        ('{"jawOpen": null}', "not a map"),
        ('{"jawOpen": {"scale": 1}}', "'to'"),
        ('{"jawOpen": "x", "jawOpen": "y"}', "twice"),
        ('{"jawOpen": {"to": "x", "scal": 1}}', "found 'scal' .did you mean 'scale'"),
        ('{"jawOpen": {"to": "x", "low": 2}}', "expected 0 ≤ low ≤ high ≤ 1, finite numbers, found 'jawOpen'"),
        ("[1]", "not a map"),
        ("", "an empty file"),
        ("[" * 100_000, "brackets"),
    ],
)
def test_maps_of_the_wrong_form(tmp_path, text, says):
    (tmp_path / "map.json").write_text(text)
    with pytest.raises(FormatError, match=says) as caught:
        read_map(tmp_path / "map.json")
    _reads_well(str(caught.value))


def test_empty_map(track):
    with pytest.raises(ConfigurationError, match="empty"):
        apply_map(track, {})


def test_no_recipe_for_other_names():
    with pytest.raises(TrackError, match="jawOpen"):
        to_recipe(CoefficientTrack(np.zeros((2, 1)), ("jawOpn",), 60), load_recipe("oculus"))


@pytest.mark.parametrize(
    ("kind", "name"), [("livelink", "a.json"), ("json", "a.csv"), ("glb", "a.csv"), ("usd", "a.txt")]
)
def test_a_suffix_of_another_kind(tmp_path, track, kind, name):
    with pytest.raises(ConfigurationError, match="another suffix"):
        save(tmp_path / name, kind, track)
    assert not (tmp_path / name).exists()


def test_missing_folders_are_made(tmp_path, track):
    save(tmp_path / "new" / "deep" / "a.json", "json", track)
    assert len(load_track(tmp_path / "new" / "deep" / "a.json")) == 150


def _reads_well(message: str) -> None:
    """Assert that a message says expected and found once and names nothing of Python's."""
    assert message.count("expected") == message.count("found") == 1, message
    assert not any(word in message for word in ("Error(", "Channel", "NoneType", "__init__")), message


@pytest.mark.parametrize("document", [{"asset": {}}, {"meshes": [{"primitives": [{"attributes": {}}]}]}])
def test_gltf_without_morph_targets(tmp_path, document):
    (tmp_path / "a.gltf").write_text(json.dumps(document))
    with pytest.raises(FormatError, match="morph targets"):
        read_gltf(tmp_path / "a.gltf")


@pytest.fixture
def parts(tmp_path, track):
    """A glTF document in a folder of its own, and its buffer."""
    rng = np.random.default_rng(0)
    mesh = Mesh(rng.normal(size=(4, 3)), [[0, 1, 2], [0, 2, 3]])
    write_glb(tmp_path / "a.glb", BlendshapeRig(mesh, rng.normal(size=(32, 4, 3)), BLENDVOCA_NAMES), track)
    content = (tmp_path / "a.glb").read_bytes()
    length = struct.unpack_from("<I", content, 12)[0]
    (tmp_path / "own").mkdir()
    return json.loads(content[20 : 20 + length]), content[28 + length :], tmp_path / "own" / "a.gltf"


@pytest.mark.parametrize(
    ("uri", "place"),
    [(None, ""), ("a.bin", "a.bin"), ("data/the%20face.bin", "data/the face.bin"), ("./x/../a.bin", "a.bin")],
)
def test_gltf_with_its_buffer_in_it_or_beside_it(parts, track, uri, place):
    document, binary, path = parts
    if uri is None:
        uri = "data:application/octet-stream;base64," + base64.b64encode(binary).decode()
    else:
        (path.parent / place).parent.mkdir(exist_ok=True)
        (path.parent / place).write_bytes(binary)
    document["buffers"][0]["uri"] = uri
    path.write_text(json.dumps(document))
    rig, motion = read_gltf(path)
    whole, _ = read_gltf(path.parent.parent / "a.glb")
    np.testing.assert_array_equal(rig.deltas, whole.deltas)
    assert motion is not None
    np.testing.assert_allclose(motion.values, track.values, atol=2e-5)
    np.testing.assert_array_equal(load_track(path).values, motion.values)


@pytest.mark.parametrize(
    "uri", ["../a.bin", "%2e%2e/a.bin", "{absolute}", "file://{absolute}", "https://example.org/a.bin", "link.bin"]
)
def test_gltf_reads_nothing_outside_its_folder(parts, uri):
    document, binary, path = parts
    outside = path.parent.parent / "a.bin"
    outside.write_bytes(binary)
    (path.parent / "link.bin").symlink_to(outside)
    document["buffers"][0]["uri"] = uri.format(absolute=outside)
    path.write_text(json.dumps(document))
    with pytest.raises(FormatError, match="outside its folder"):
        read_gltf(path)


def test_gltf_whose_buffer_is_missing_or_short(parts):
    document, binary, path = parts
    document["buffers"][0]["uri"] = "b.bin"
    path.write_text(json.dumps(document))
    with pytest.raises(MissingInputError, match=r"b\.bin"):
        read_gltf(path)
    (path.parent / "b.bin").write_bytes(binary[:100])
    with pytest.raises(FormatError, match="cut off; expected 21444 bytes, found 100"):
        read_gltf(path)


def test_livelink_columns_in_any_order(tmp_path, track):
    write_livelink(tmp_path / "a.csv", track)
    rows = [line.split(",") for line in (tmp_path / "a.csv").read_text().splitlines()]
    turned = "\n".join(",".join(row[:2] + row[:1:-1]) for row in rows)
    (tmp_path / "b.csv").write_text(turned + "\n")
    again = load_track(tmp_path / "b.csv").select(track.names)
    np.testing.assert_allclose(again.values, track.values, atol=1e-9)
