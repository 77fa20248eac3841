"""Views packed with meshopt: streams of its own encoder (meshoptimizer 1.2.0 for JavaScript) on made-up data."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from gltf_builders import Gltf

from blendvoca.errors import FormatError
from blendvoca.io.gltf.meshopt import unpacked
from blendvoca.io.mesh.anymesh import read_mesh

WIDTH, HEIGHT = 7, 6
X, Y = (axis.ravel() for axis in np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT)))
#: A wavy grid, and two triangles that share nothing.
POSITIONS = np.stack([X / 8, Y / 8, (X * 5 + Y * 3) % 7 / 16], axis=1).astype("<f4")
_FIRST = (np.arange(HEIGHT - 1)[:, None] * WIDTH + np.arange(WIDTH - 1)).ravel()
_CELLS = np.stack([_FIRST, _FIRST + 1, _FIRST + WIDTH, _FIRST + 1, _FIRST + WIDTH + 1, _FIRST + WIDTH], axis=1)
CORNERS = np.concatenate([_CELLS.ravel(), [41, 0, 20, 3, 17, 38]])
#: Four bytes an element: wild, rising, now and then, none.
_PLACES = np.arange(WIDTH * HEIGHT)
BYTES = np.stack([_PLACES * 37 % 256 - 128, _PLACES, np.where(_PLACES % 5 == 0, 100, 0), 0 * _PLACES], 1).astype("i1")

PACKED_POSITIONS = base64.b64decode(
    "oAAAHwAA/4CAQEB/AP+AgEBAfwD/gIBAQH8A/4CAQEB/AP+A/z/wAIBAQH//gIBAQBUwg8IPfH18fXwIPCDwfXx9fIPCAAB9fAAA"
    "FQAAAAz/ADAAwICAAwAAAEAFAAMAAHwAAACAAAAfAL+/gIB//4CAgH//AL9Af/8Av7+A/wC/v4CAf0C/gIDz/PAAf///gH//v78V"
    "MYBg8Hx7fDxvGAZ7fHt8D4PAAHt6e3wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="
)
PACKED_BYTES = base64.b64decode(
    "oB8ASkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSv//8ABKSkpKSkpKSkpKFSqqqqqqqqqqqqqgABUwPA8Dx8jHyMfIwPA8"
    "D8fIx8jHyMcDwPAAyMfIxwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAgABkAA=="
)
PACKED_TRIANGLES = base64.b64decode(
    "4f4eEA4QDhAOEA4QDv4eGw4aDhkOGA4XDv8eFw4XDhcOFw4XDv8eFw4XDhcOFw4XDv8eFw4XDhcOFw4XDv//Dw6/Am8LDm8LDm8L"
    "Dv8AUSj3IRwAdodWZ3iphmWJaJgBaQAA"
)
PACKED_INDICES = base64.b64decode(
    "0QAEGBYcAhYEGBYcAhYEGBYcAhYEGBYcAhYEGBYcAhYEGBYcAhIEGBYcAhYEGBYcAhYEGBYcAhYEGBYcAhYEGBYcAhYEGBYcAhIE"
    "GBYcAhYEGBYcAhYEGBYcAhYEGBYcAhYEGBYcAhYEGBYcAhIEGBYcAhYEGBYcAhYEGBYcAhYEGBYcAhYEGBYcAhYEGBYcAhIEGBYc"
    "AhYEGBYcAhYEGBYcAhYEGBYcAhYEGBYcAhYEGBYcAgQBUUM5VQAAAAA="
)
PACKED_EXPONENTIAL = base64.b64decode(
    "oAAAGgREMiuAQyK0RDIrREMisiKrqqAACwUwgyIExgMIECAAAAAVAAMxDAgDBgwwMIADCAUCAAAABTCDIgTGAwgQIAAAFQAAADz/"
    "/wwwPMP///////8DwMAA////GgozQRp4NRSDM0EUOjVhARZU1dAABgQFMIMiBMYDCBAgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "iQAAAIkAAACJ"
)


def plain(data: bytes, mode: str, count: int, stride: int, kind: str = "NONE") -> bytes:
    return unpacked(memoryview(data), {"mode": mode, "count": count, "byteStride": stride, "filter": kind})


def test_attributes():
    assert plain(PACKED_POSITIONS, "ATTRIBUTES", 42, 12) == POSITIONS.tobytes()
    assert plain(PACKED_BYTES, "ATTRIBUTES", 42, 4) == BYTES.tobytes()


def test_triangles():
    found = np.frombuffer(plain(PACKED_TRIANGLES, "TRIANGLES", len(CORNERS), 2), "<u2").reshape(-1, 3)
    # The encoder turns triangles, and turns them only.
    rolled = [np.roll(triangle, -int(triangle.argmin())).tolist() for triangle in found]
    assert rolled == [np.roll(triangle, -int(triangle.argmin())).tolist() for triangle in CORNERS.reshape(-1, 3)]
    wide = plain(PACKED_TRIANGLES, "TRIANGLES", len(CORNERS), 4)
    np.testing.assert_array_equal(np.frombuffer(wide, "<u4").reshape(-1, 3), found)


def test_indices():
    assert plain(PACKED_INDICES, "INDICES", len(CORNERS), 2) == CORNERS.astype("<u2").tobytes()


def test_the_exponential_filter():
    found = np.frombuffer(plain(PACKED_EXPONENTIAL, "ATTRIBUTES", 42, 12, "EXPONENTIAL"), "<f4").reshape(-1, 3)
    np.testing.assert_allclose(found, POSITIONS, atol=2e-6)


@pytest.mark.parametrize(
    ("data", "mode", "count", "stride", "kind"),
    [
        (PACKED_POSITIONS[:60], "ATTRIBUTES", 42, 12, "NONE"),
        (PACKED_POSITIONS, "ATTRIBUTES", 4200, 12, "NONE"),
        (b"\xa1" + PACKED_POSITIONS[1:], "ATTRIBUTES", 42, 12, "NONE"),
        (b"", "ATTRIBUTES", 42, 12, "NONE"),
        (PACKED_POSITIONS, "ATTRIBUTES", 42, 12, "OCTAHEDRAL"),
        (PACKED_TRIANGLES[:60], "TRIANGLES", len(CORNERS), 2, "NONE"),
        (PACKED_TRIANGLES, "TRIANGLES", 10**9, 2, "NONE"),
        (PACKED_TRIANGLES[:20] + b"\xff" * 100, "TRIANGLES", len(CORNERS), 2, "NONE"),
        (PACKED_INDICES, "INDICES", 10**9, 4, "NONE"),
        (b"\xd1" + b"\xff" * 300, "INDICES", 40, 2, "NONE"),
    ],
)
def test_damaged_streams(data, mode, count, stride, kind):
    with pytest.raises(FormatError, match="meshopt"):
        plain(data, mode, count, stride, kind)


@pytest.mark.parametrize(("mode", "stride"), [("ATTRIBUTES", 6), ("ATTRIBUTES", 512), ("TRIANGLES", 3), ("LINES", 2)])
def test_modes_and_strides_that_are_none(mode, stride):
    with pytest.raises(ValueError, match="elements of"):
        plain(PACKED_POSITIONS, mode, 42, stride)


def test_a_scene_with_packed_views(tmp_path):
    made = Gltf()
    views = []
    for data, mode, count, stride in (
        (PACKED_POSITIONS, "ATTRIBUTES", 42, 12), (PACKED_TRIANGLES, "TRIANGLES", len(CORNERS), 2),
    ):  # fmt: skip
        packed = made.view(data)
        source = made.document["bufferViews"][packed]
        extension = {key: source[key] for key in ("buffer", "byteOffset", "byteLength")}
        extension |= {"mode": mode, "count": count, "byteStride": stride}
        source["extensions"] = {"EXT_meshopt_compression": extension}
        views.append(packed)
    made.document["accessors"] = [
        {"bufferView": views[0], "componentType": 5126, "count": 42, "type": "VEC3"},
        {"bufferView": views[1], "componentType": 5123, "count": len(CORNERS), "type": "SCALAR"},
    ]
    made.node(mesh=made.mesh({"attributes": {"POSITION": 0}, "indices": 1}))
    made.document["extensionsRequired"] = ["EXT_meshopt_compression"]
    mesh = read_mesh(made.write(tmp_path / "a.glb"))
    np.testing.assert_array_equal(mesh.vertices.astype("f4"), POSITIONS)
    assert mesh.n_faces == len(CORNERS) // 3
