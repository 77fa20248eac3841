"""What is fuzzed of rigs and scenes: glTF in all its forms, archives of arrays, zips of shapes."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fuzz_targets import FACES, VERTICES, Target
from blendvoca.io.gltf.write import GrowingBuffer, packed

_WORDS = (
    *(b'"count":1000000000', b'"count":3000000000', b'"byteOffset":-4', b'"byteStride":0', b'"byteStride":-1'),
    *(b'"sparse":{}', b'"uri":"../a.bin"', b'"uri":"/dev/zero"', b'"children":[0]', b'"skin":0', b'"joints":[]'),
    *(b'"componentType":5125', b'"type":"MAT4"', b'"normalized":true', b'"mode":5', b'"mesh":0', b"null", b"1e999"),
    *(b'"extensionsRequired":["KHR_draco_mesh_compression"]', b'"interpolation":"CUBICSPLINE"', b"[" * 3000),
)


#: Made by meshopt's own encoder: 42 elements of four bytes, 62 triangles, 12 indices.
_MESHOPT_SEEDS = (
    base64.b64decode(
        "oB8ASkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSv//8ABKSkpKSkpKSkpKFSqqqqqqqqqqqqqgABUwPA8Dx8jHyMfIwPA8"
        "D8fIx8jHyMcDwPAAyMfIxwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAgABkAA=="
    ),
    base64.b64decode(
        "4f4eEA4QDhAOEA4QDv4eGw4aDhkOGA4XDv8eFw4XDhcOFw4XDv8eFw4XDhcOFw4XDv8eFw4XDhcOFw4XDv//Dw6/Am8LDm8LDm8L"
        "Dv8AUSj3IRwAdodWZ3iphmWJaJgBaQAA"
    ),
    b"\xd1\x00\x04\x18\x16\x1c\x02\x16\x04\x18\x16\x1c\x02" + bytes(4),
)


def rig_targets() -> dict[str, Target]:
    """Return the readers by name."""
    return {
        "gltf scene": Target(_read_scene, lambda: (_glb(_scene()),), _WORDS, slow=True),
        "gltf data uri": Target(
            _read_text, lambda: (_with_data_uri(_scene()),), (*_WORDS, b"data:", b";base64,"), slow=True
        ),
        "gltf into": Target(_write_into, lambda: (_glb(_scene()),), _WORDS, slow=True),
        "draco": Target(_read_draco, _draco_seeds, (b"DRACO", b"\x02\x02\x01\x00", b"\xff" * 9), slow=True),
        "meshopt": Target(_read_meshopt, lambda: _MESHOPT_SEEDS, (b"\xa0", b"\xe1", b"\xd1", b"\xff" * 9)),
        "rig npz": Target(_read_npz, _npz_seed, (b"PK\x01\x02", b"'descr'", b"|O", b"(", b"\x93NUMPY"), slow=True),
        "rig zip": Target(_read_rig_zip, _rig_zip_seed, (b"../", b"PK\x01\x02", b"v ", b"f ", b"1e999"), slow=True),
    }


def _scene() -> tuple[dict[str, Any], GrowingBuffer]:
    """Return a head under an armature, a skinned neck, quantised and sparse shapes, animations of all kinds."""
    buffer = GrowingBuffer()
    first = {
        "attributes": {"POSITION": buffer.vectors(VERTICES)},
        "indices": buffer.triangles(FACES, 4),
        "targets": [{"POSITION": buffer.deltas(np.eye(4, 3, dtype=np.float32))}, {}],
    }
    small = np.round(VERTICES * 127).astype(np.int8)
    padded = buffer.view(np.pad(small, ((0, 0), (0, 1))).tobytes())
    buffer.views[padded]["byteStride"] = 4
    quantised = {"componentType": 5120, "normalized": True, "count": 4, "type": "VEC3", "bufferView": padded}
    held = buffer.view(np.tile(np.array([0, 1, 0, 0], np.uint8), (4, 1)).tobytes())
    bind = buffer.view(np.tile(np.eye(4, dtype=np.float32), (2, 1)).tobytes())
    second = {
        "attributes": {
            "POSITION": buffer.add(quantised),
            "JOINTS_0": buffer.add({"componentType": 5121, "count": 4, "type": "VEC4", "bufferView": held}),
            "WEIGHTS_0": buffer.add({"componentType": 5126, "count": 4, "type": "VEC4", "bufferView": bind}),
        },
        "mode": 5,
        "targets": [{"POSITION": buffer.deltas(np.zeros((4, 3), np.float32))}],
    }
    times = np.array([0, 0.1, 0.25], np.float32)
    animation = buffer.animation(times, {1: np.full((3, 2), 0.5, np.float32)}, 60.0, "talk")
    cubic = buffer.scalars(np.full(9, 0.25, np.float32))
    animation["samplers"].append({"input": 0, "output": cubic, "interpolation": "CUBICSPLINE"})
    animation["samplers"][-1]["input"] = animation["samplers"][0]["input"]
    animation["channels"].append({"sampler": 1, "target": {"node": 2, "path": "weights"}})
    document: dict[str, Any] = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [
            {"name": "Armature", "scale": [0.01] * 3, "rotation": [-0.7, 0, 0, 0.7], "children": [1, 2, 3]},
            {"name": "Head", "mesh": 0},
            {"name": "Neck", "mesh": 1, "skin": 0},
            {"name": "Joint", "matrix": np.eye(4).ravel().tolist()},
        ],
        "meshes": [
            {"primitives": [first], "extras": {"targetNames": ["jawOpen", "mouthSmile_L"]}},
            {"primitives": [second], "weights": [0.0]},
        ],
        "skins": [{"joints": [3, 0], "inverseBindMatrices": buffer.add(
            {"componentType": 5126, "count": 2, "type": "MAT4", "bufferView": bind})}],
        "animations": [animation],
    }  # fmt: skip
    return document, buffer


def _glb(scene: tuple[dict[str, Any], GrowingBuffer]) -> bytes:
    return packed(*scene)


def _with_data_uri(scene: tuple[dict[str, Any], GrowingBuffer]) -> bytes:
    document, buffer = scene
    uri = "data:application/octet-stream;base64," + base64.b64encode(buffer.content).decode()
    document |= {"accessors": buffer.accessors, "bufferViews": buffer.views}
    return json.dumps(document | {"buffers": [{"byteLength": len(buffer.content), "uri": uri}]}).encode()


def _read(path: Path) -> object:
    from blendvoca.io.mesh.anymesh import read_mesh
    from blendvoca.io.rig.gltf_read import read_gltf_rig, read_gltf_track

    return read_mesh(path), read_gltf_rig(path), read_gltf_track(path)


def _read_scene(data: bytes, folder: Path) -> object:
    (folder / "a.glb").write_bytes(data)
    return _read(folder / "a.glb")


def _read_text(data: bytes, folder: Path) -> object:
    (folder / "a.gltf").write_bytes(data)
    return _read(folder / "a.gltf")


def _write_into(data: bytes, folder: Path) -> object:
    from blendvoca.io.mesh.anymesh import read_mesh
    from blendvoca.io.rig.gltf_into import NewShapes, write_into
    from blendvoca.track import CoefficientTrack

    (folder / "a.glb").write_bytes(data)
    mesh = read_mesh(folder / "a.glb")
    shapes = NewShapes(("jawOpen", "jawLeft"), np.ones((2, mesh.n_vertices, 3)))
    track = CoefficientTrack(np.full((3, 1), 0.5), ("jawOpen",), 60.0)
    return write_into(folder / "b.glb", folder / "a.glb", shapes=shapes, track=track, on_report=len)


def _draco_seeds() -> tuple[bytes, ...]:
    try:
        import DracoPy
    except ImportError:
        return (b"DRACO",)
    ways = ({"quantization_bits": 11}, {"quantization_bits": 14, "preserve_order": True})
    return tuple(DracoPy.encode(VERTICES, FACES, **way) for way in ways)


def _read_draco(data: bytes, folder: Path) -> object:
    from blendvoca.io.gltf.draco import decode_draco

    return decode_draco(data)


def _read_meshopt(data: bytes, folder: Path) -> object:
    from blendvoca.io.gltf.meshopt import unpacked

    mode, count = {0xA0: ("ATTRIBUTES", 42), 0xE1: ("TRIANGLES", 186)}.get(data[0] if data else 0, ("INDICES", 12))
    return unpacked(memoryview(data), {"mode": mode, "count": count, "byteStride": 4})


def _npz_seed() -> tuple[bytes, ...]:
    stream = io.BytesIO()
    vertices = np.random.default_rng(0).uniform(-0.08, 0.08, (68, 3)).astype(np.float32)
    arrays = {"faces": FACES, "names": np.array(["jawOpen", "jawLeft"]), "landmarks": np.arange(68)}
    np.savez(stream, neutral=vertices, deltas=np.full((2, 68, 3), 0.1, np.float32), **arrays)
    return (stream.getvalue(),)


def _read_npz(data: bytes, folder: Path) -> object:
    from landmarks.sources import load_source

    (folder / "a.npz").write_bytes(data)
    return load_source(folder / "a.npz")


def _rig_zip_seed() -> tuple[bytes, ...]:
    stream = io.BytesIO()
    vertices = "".join(f"v {x:g} {y:g} {z:g}\n" for x, y, z in VERTICES)
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rig/Neutral.obj", vertices + "f 1 2 3\nf 1 3 4\n")
        archive.writestr("rig/Head_jawOpen.obj", vertices + "f 3 4 1\nf 1 2 3\n")
    return (stream.getvalue(),)


def _read_rig_zip(data: bytes, folder: Path) -> object:
    from blendvoca.io.rig.obj_folder import read_rig_folder

    (folder / "a.zip").write_bytes(data)
    return read_rig_folder(folder / "a.zip")
