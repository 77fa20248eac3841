"""What is fuzzed: every reader with proper files to start from and the words its format is made of.

Another reader joins by one more entry in ``targets``.
"""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from blendvoca.arkit import BLENDVOCA_NAMES
from blendvoca.audio import Waveform
from blendvoca.clip import Clip
from blendvoca.io.mesh.anymesh import read_mesh
from blendvoca.io.mesh.obj import decode_obj
from blendvoca.io.mesh.ply import decode_ply
from blendvoca.io.mesh.ply_write import PlyEncoder
from blendvoca.io.pickle.safe_pickle import decode_pickle
from blendvoca.io.sequence.frames import open_sequence
from blendvoca.io.sound.wav import decode_audio, encode_wav
from blendvoca.io.stores import ZipStore
from blendvoca.io.track.read import decode_track_file
from blendvoca.mesh import Mesh
from blendvoca.rig import BlendshapeRig
from blendvoca.track import CoefficientTrack


@dataclass(frozen=True)
class Target:
    """A reader under test.

    :param read: takes a file's bytes and a folder of its own to work in.
    :param make_seeds: makes proper files.
    :param words: pieces of the format, to be put in odd places.
    :param slow: inputs take milliseconds rather than microseconds.
    :param heavy: to set up takes seconds: tests of it are slow.
    """

    read: Callable[[bytes, Path], object]
    make_seeds: Callable[[], tuple[bytes, ...]]
    words: tuple[bytes, ...] = ()
    slow: bool = False
    heavy: bool = False

    @cached_property
    def seeds(self) -> tuple[bytes, ...]:
        """The proper files."""
        return self.make_seeds()


VERTICES = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0.5]], np.float32)
FACES = np.array([[0, 1, 2], [0, 2, 3]], np.int32)


def targets() -> dict[str, Target]:
    """Return all readers by name."""
    from benchmarks.fuzz_readers import reader_targets
    from benchmarks.fuzz_rigs import rig_targets

    return {
        "obj": Target(_in_memory(decode_obj), _obj_seeds, (b"v ", b"f ", b"/", b"//", b"\\\n", b"#", b"-1 ", b"nan ")),
        "ply": Target(_in_memory(decode_ply), _ply_seeds, _PLY_WORDS),
        "csv": Target(_in_memory(decode_track_file), _csv_seeds, _TABLE_WORDS),
        "livelink": Target(_in_memory(decode_track_file), _livelink_seeds, _TABLE_WORDS),
        "sound": Target(_in_memory(decode_audio), _sound_seeds, (b"RIFF", b"WAVE", b"fmt ", b"data", b"fLaC", b"OggS")),
        "pickle": Target(_in_memory(decode_pickle), _pickle_seeds, _PICKLE_WORDS),
        "npy": Target(_read_npy, _npy_seed, (b"'descr'", b"|O", b"(", b",", b"True", b"\x93NUMPY"), slow=True),
        "zip": Target(_read_zip, _zip_seed, (b"../", b"/", b"PK\x01\x02", b"PK\x05\x06", b"\0\0"), slow=True),
        "landmarks": Target(_read_landmarks, _landmark_seeds, (b"[", b"{", b'"', b",", b"-1", b"1e999", b"[" * 3000)),
        "manifest": Target(_read_manifest, _manifest_seed, (b"[", b"{", b'"..', b",", b"null", b"1e999", b"[" * 3000)),
        "shard": Target(_read_shard, _shard_seed, (b"\x89HDF", b"TREE", b"SNOD", b"HEAP", b"OHDR"), slow=True),
        "gltf rig": Target(_read_gltf, _gltf_seed, _GLTF_WORDS, slow=True),
        "gltf mesh": Target(_read_glb_mesh, _gltf_seed, _GLTF_WORDS, slow=True),
        "stl": Target(_read_stl, _stl_seeds, (b"solid", b"facet normal", b"endsolid", b"vertex nan 0 0"), slow=True),
        "track json": Target(_in_memory(decode_track_file), _track_json_seeds, _JSON_WORDS),
        "track arrays": Target(_in_memory(decode_track_file), _array_seeds, _ARRAY_WORDS),
        **rig_targets(),
        **reader_targets(),
    }


def _in_memory(decode: Callable[[bytes], object]) -> Callable[[bytes, Path], object]:
    return lambda data, _: decode(data)


def _obj_seeds() -> tuple[bytes, ...]:
    vertices = b"".join(b"v %g %g %g\n" % tuple(row) for row in VERTICES)
    return (
        b"# head\n" + vertices + b"f 1 2 3\nf 1 3 4\n",
        b"o a\n" + vertices + b"vt 0 0\nvn 0 0 1\ng lips\nf 1/1/1 2/1/1 3/1/1 4/1/1\nf -4//-1 -3//-1 -2//-1\n",
    )


_PLY_WORDS = (
    *(b"property float x\n", b"property list uchar int vertex_indices\n", b"element face 7\n", b"end_header\n"),
    *(b"element vertex 1000000000\n", b"format ascii 1.0\n", b"format binary_big_endian 1.0\n", b"list ", b"double "),
)


def _ply_seeds() -> tuple[bytes, ...]:
    text, binary = (PlyEncoder(FACES, kind).encode(VERTICES) for kind in (False, True))
    # Mixed polygons and extra properties walk the slow ways.
    rich = b"ply\nformat ascii 1.0\nelement vertex 4\nproperty float x\nproperty float y\nproperty float z\n"
    rich += b"property uchar red\nelement face 2\nproperty list uchar int vertex_index\nproperty float q\nend_header\n"
    rich += b"0 0 0 1\n1 0 0 2\n1 1 0 3\n0 1 0 4\n4 0 1 2 3 0.5\n3 0 1 2 0.25\n"
    mixed = binary[:-13] + b"\x04" + np.array([0, 1, 2, 3], "<i4").tobytes()
    return text, binary, rich, mixed


_TABLE_WORDS = (
    *(b",", b";", b"\t", b"\n", b'"', b"#", b"sep=;\n", b"nan", b"inf", b"1e999", b"-1e308", b"\xff\xfe"),
    *(b"frame", b"time", b"timestamp_ms", b"Timecode", b"99:99:99:99.9", b"23:59:59;59", b"00:00:00.000", b"jaw_open"),
)
_JSON_WORDS = (
    *(b"[", b"{", b"null", b"1e999", b"1e308", b"[" * 3000, b'"fps":0', b'"time":', b'"names":', b'"weights":'),
    *(b'"categories":', b'"categoryName":', b'"score":', b'"timestampMs":1e18', b'"frames":', b'"blendShapes":[]'),
)
_ARRAY_WORDS = (b"'descr'", b"|O", b"<U99", b"(", b",", b"(9999999999,", b"True", b"\x93NUMPY", b"PK\x01\x02", b"fps")


def _csv_seeds() -> tuple[bytes, ...]:
    rows = [[f"{value:.4f}" for value in row] for row in np.linspace(0, 1, 96).reshape(3, 32)]
    plain = "\n".join(map(",".join, [BLENDVOCA_NAMES, *rows])).encode()
    timed = "\n".join(["time;jaw_open;Happy", *(f"{n / 30:.3f};0,{n};1" for n in range(9))]).encode()
    counted = "\n".join(["frame\tjawOpen\tbrowInnerUp_L\tbrowInnerUp_R", *(f"{2 * n}\t0.{n}\t0\t" for n in range(9))])
    return plain, timed, counted.encode()


def _livelink_seeds() -> tuple[bytes, ...]:
    head = "Timecode,BlendShapeCount,JawOpen,MouthRight,MouthLeft,HeadYaw"
    forms = ("10:00:0{0}:{1:02d}.247", "10:00:0{0};{1:02d}", "10:00:0{0}.{1:02d}3")
    return tuple(
        "\n".join([head, *(f"{form.format(n // 3, 33 * (n % 3))},61,0.1,0.2,0.3,-0.5" for n in range(9))]).encode()
        for form in forms
    )


def _array_seeds() -> tuple[bytes, ...]:
    bare, archive = io.BytesIO(), io.BytesIO()
    np.save(bare, np.full((1, 3, 32), 0.5, np.float32))
    names = np.array(["jawOpen", "jawLeft"])
    np.savez(archive, weights=np.full((3, 2), 0.5), names=names, fps=30.0, time=np.arange(3.0))
    return bare.getvalue(), archive.getvalue()


def _sound_seeds() -> tuple[bytes, ...]:
    import soundfile

    tone = Waveform(0.5 * np.sin(np.arange(200) * 0.1), 22_050)
    seeds = [encode_wav(tone)]
    for form in ("FLAC", "OGG", "AIFF", "MP3"):
        buffer = io.BytesIO()
        soundfile.write(buffer, tone.samples, tone.rate, format=form)
        seeds.append(buffer.getvalue())
    return tuple(seeds)


_PICKLE_WORDS = (
    *(b"cos\nsystem\n", b"(S'touch touched'\ntR", b"cnumpy\nndarray\n", b"cnumpy.core.multiarray\n_reconstruct\n"),
    *(
        b"cbuiltins\neval\n",
        b"cnumpy\ndtype\n(S'O8'\nI0\nI1\ntR",
        b"r\xff\xff\xff\xff",
        b"\x8e\xff\xff\xff\xff\0\0\0\0",
    ),
    *(b"R", b"b", b"t", b"(", b"u", b"e", b"2", b"\x94", b"\x93", b"\x81", b"."),
)


class _Touch:
    def __reduce__(self) -> tuple[object, ...]:
        import os

        return os.system, ("touch touched",)


def _pickle_seeds() -> tuple[bytes, ...]:
    plain = {
        "anna": {"sentence01": {0: 5, 1: 6}},
        "neutral": VERTICES,
        "audio": [np.arange(4, dtype=np.int16), 22000, 1.5],
    }
    values: list[object] = [plain, {"anna": _Touch()}, np.array([None, "x"], object)]
    return tuple(pickle.dumps(value, protocol) for value in values for protocol in (0, 1, 2, 4, 5))


def _npy_seed() -> tuple[bytes, ...]:
    buffer = io.BytesIO()
    np.save(buffer, np.stack([VERTICES, VERTICES]))
    return (buffer.getvalue(),)


def _read_npy(data: bytes, folder: Path) -> object:
    (folder / "a.npy").write_bytes(data)
    return open_sequence(folder / "a.npy", 60.0).frames()


def _zip_seed() -> tuple[bytes, ...]:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("anna/sentence01/sentence01.000001.ply", PlyEncoder(FACES).encode(VERTICES))
        archive.writestr("audio/anna/sentence01.wav", bytes(100))
    return (buffer.getvalue(),)


def _read_zip(data: bytes, folder: Path) -> object:
    (folder / "a.zip").write_bytes(data)
    store = ZipStore(folder / "a.zip")
    return [store.read(name) for name in store.names()]


_GLTF_WORDS = (
    *(
        b'"count":1000000000',
        b'"byteOffset":-4',
        b'"byteStride":-1',
        b'"sparse":{}',
        b'"uri":"../a.bin"',
        b'"uri":"/a"',
    ),
    *(b'"componentType":5125', b'"type":"MAT4"', b"null", b"1e999", b"[" * 3000),
)


def _rig() -> BlendshapeRig:
    return BlendshapeRig(Mesh(VERTICES.astype(np.float64), FACES), 0.1 * np.ones((32, 4, 3)), BLENDVOCA_NAMES)


def _track() -> CoefficientTrack:
    return CoefficientTrack(np.full((6, 32), 0.5), BLENDVOCA_NAMES, 60.0)


def _gltf_seed() -> tuple[bytes, ...]:
    from blendvoca.io.rig.gltf_write import write_glb

    with TemporaryDirectory() as folder:
        path = Path(folder, "a.glb")
        write_glb(path, _rig(), _track())
        return (path.read_bytes(),)


def _read_gltf(data: bytes, folder: Path) -> object:
    from blendvoca.io.rig.gltf_read import read_gltf

    (folder / "a.glb").write_bytes(data)
    return read_gltf(folder / "a.glb")


def _read_glb_mesh(data: bytes, folder: Path) -> object:
    (folder / "a.glb").write_bytes(data)
    return read_mesh(folder / "a.glb")


def _stl_seeds() -> tuple[bytes, ...]:
    import trimesh

    mesh = trimesh.Trimesh(VERTICES, FACES, process=False)
    return trimesh.exchange.stl.export_stl(mesh), trimesh.exchange.stl.export_stl_ascii(mesh).encode()


def _read_stl(data: bytes, folder: Path) -> object:
    (folder / "a.stl").write_bytes(data)
    return read_mesh(folder / "a.stl")


def _track_json_seeds() -> tuple[bytes, ...]:
    from blendvoca.io.track.json_write import write_json

    names, row = ["jawOpen", "jawLeft"], [0.25, 0.5]
    scores = [{"index": 0, "score": 0.5, "categoryName": "jawOpen"}]
    documents: tuple[object, ...] = (
        {"exportFps": 30.0, "facsNames": names, "weightMat": [row, row]},
        {"names": names, "frames": [{"time": 0, "weights": row}, {"time": 0.1, "weights": row}]},
        [{"timestampMs": 33 * n, "faceBlendshapes": [{"categories": scores}]} for n in range(3)],
        {"fps": 50, "blendshapes": {"jawOpen": row, "jawLeft": row}},
    )
    with TemporaryDirectory() as folder:
        write_json(Path(folder, "a.json"), _track())
        return (Path(folder, "a.json").read_bytes(), *(json.dumps(document).encode() for document in documents))


def _landmark_seeds() -> tuple[bytes, ...]:
    from landmarks.files import write_landmarks

    with TemporaryDirectory() as folder:
        paths = [Path(folder, name) for name in ("a.txt", "a.json")]
        for path in paths:
            write_landmarks(path, np.arange(68) * 7)
        return tuple(path.read_bytes() for path in paths)


def _read_landmarks(data: bytes, folder: Path) -> object:
    from landmarks.files import read_landmarks

    (folder / "a.json").write_bytes(data)
    return read_landmarks(folder / "a.json", 5023)


def _write_shard(folder: str) -> Path:
    from blendvoca.shard.writer import write_shard

    clip = Clip("anna", "sentence01", _track(), Waveform(np.zeros(2200, np.float32), 22_000))
    return write_shard(Path(folder, "anna.h5"), "anna", [clip], _rig(), "open")


def _shard_seed() -> tuple[bytes, ...]:
    with TemporaryDirectory() as folder:
        return (_write_shard(folder).read_bytes(),)


def _read_shard(data: bytes, folder: Path) -> object:
    from blendvoca.shard.reader import open_shard

    (folder / "anna.h5").write_bytes(data)
    shard = open_shard(folder / "anna.h5")
    return shard.parts(), list(shard.clips())


def _manifest_seed() -> tuple[bytes, ...]:
    from blendvoca.shard.manifest import write_manifest

    with TemporaryDirectory() as folder:
        _write_shard(folder)
        return (write_manifest(folder).to_json().encode(),)


def _read_manifest(data: bytes, folder: Path) -> object:
    from blendvoca.shard.manifest import parse_manifest

    return parse_manifest(data.decode("utf-8", "replace"), folder / "manifest.json")
