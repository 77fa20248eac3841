"""What is attacked: every reader with a proper file of its kind to start from.

The fuzz targets (``benchmarks/fuzz_targets.py``) are used where they hold a proper file already; the others are made
here. Another reader joins by one more entry in ``readers``.
"""

from __future__ import annotations

import io
import json
import sys
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.fuzz_rigs import _glb, _npz_seed, _rig_zip_seed, _scene, _with_data_uri
from benchmarks.fuzz_targets import (
    FACES,
    VERTICES,
    _csv_seeds,
    _landmark_seeds,
    _livelink_seeds,
    _obj_seeds,
    _pickle_seeds,
    _ply_seeds,
    _rig,
    _stl_seeds,
    _track_json_seeds,
)  # fmt: skip
from blendvoca.errors import FormatError, IntegrityError

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))


def _nothing(folder: Path) -> None:
    """Put nothing into a folder."""


@dataclass(frozen=True)
class Reader:
    """A reader under attack.

    :param read: takes the path of the file, whose folder holds what belongs to it.
    :param name: of the file.
    :param proper: content of a proper one.
    :param beside: puts what belongs to it into the folder.
    :param is_json: whether the content is a JSON document.
    :param optional: whether the file may be missing or empty.
    """

    read: Callable[[Path], object]
    name: str
    proper: Callable[[], bytes]
    beside: Callable[[Path], object] = _nothing
    is_json: bool = False
    optional: bool = False


def readers() -> dict[str, Reader]:
    """Return all readers by name."""
    return {**_meshes(), **_tracks(), **_corpora(), **_shards(), **_models(), **_builds()}


def _dump(document: Any) -> Callable[[], bytes]:
    return lambda: json.dumps(document).encode()


def _meshes() -> dict[str, Reader]:
    from blendvoca.io.mesh.anymesh import read_mesh
    from blendvoca.io.rig.gltf_read import read_gltf_rig, read_gltf_track
    from blendvoca.io.rig.ict import read_ict
    from blendvoca.io.rig.obj_folder import read_rig_folder
    from landmarks.sources import load_source

    def scene(path: Path) -> object:
        return read_mesh(path), read_gltf_rig(path), read_gltf_track(path)

    return {
        "obj": Reader(read_mesh, "a.obj", lambda: _obj_seeds()[1]),
        "ply": Reader(read_mesh, "a.ply", lambda: _ply_seeds()[0]),
        "ply, binary": Reader(read_mesh, "a.ply", lambda: _ply_seeds()[1]),
        "stl": Reader(read_mesh, "a.stl", lambda: _stl_seeds()[0]),
        "glb": Reader(scene, "a.glb", lambda: _glb(_scene())),
        "gltf": Reader(scene, "a.gltf", lambda: _with_data_uri(_scene()), is_json=True),
        "rig npz": Reader(load_source, "a.npz", lambda: _npz_seed()[0]),
        "rig zip": Reader(read_rig_folder, "a.zip", lambda: _rig_zip_seed()[0]),
        "ICT indices": Reader(
            lambda path: read_ict(path.parent), "vertex_indices.json",
            _dump({"idx_to_landmark_verts": list(range(68)), "expressions": ["jawOpen"]}), _ict, True,
        ),
    }  # fmt: skip


def _ict(folder: Path) -> None:
    vertices = "".join(f"v {n} {n % 7} {n % 3}\n" for n in range(70))
    (folder / "generic_neutral_mesh.obj").write_text(vertices + "f 1 2 3\n")
    (folder / "jawOpen.obj").write_text(vertices + "f 1 2 3\n")


def _tracks() -> dict[str, Reader]:
    from blendvoca.export.retarget import read_map
    from blendvoca.io.phones import read_phones
    from blendvoca.io.sound.wav import encode_wav, read_audio
    from blendvoca.io.track.read import read_track_file
    from blendvoca.io.vertex_list import read_vertex_list
    from landmarks.files import read_landmarks

    def sound() -> bytes:
        import av as av  # loaded once, as it executes code of its own on import

        from blendvoca.audio import Waveform

        return encode_wav(Waveform(0.5 * np.sin(np.arange(400) * 0.1), 16_000))

    def arrays() -> bytes:
        stream = io.BytesIO()
        np.savez(stream, weights=np.full((3, 2), 0.5), names=np.array(["jawOpen", "jawLeft"]), fps=30.0)
        return stream.getvalue()

    moved = {"jawOpen": {"to": "open", "scale": 0.5, "offset": 0.0, "flip": False, "low": 0, "high": 1}, "jawLeft": "l"}
    phones = {"a.wav": {"text": "ah", "phones": [["a", 0.0, 0.5], ["_", 0.5, 0.9]]}}
    return {
        "table": Reader(read_track_file, "a.csv", lambda: _csv_seeds()[0]),
        "Live Link": Reader(read_track_file, "a.csv", lambda: _livelink_seeds()[0]),
        "track JSON": Reader(read_track_file, "a.json", lambda: _track_json_seeds()[0], is_json=True),
        "MediaPipe": Reader(read_track_file, "a.json", lambda: _track_json_seeds()[3], is_json=True),
        "track arrays": Reader(read_track_file, "a.npz", arrays),
        "map": Reader(read_map, "map.json", _dump(moved), is_json=True),
        "phones": Reader(read_phones, "a.json", _dump(phones), is_json=True),
        "sound": Reader(read_audio, "a.wav", sound),
        "landmarks": Reader(lambda path: read_landmarks(path, 5023), "a.json", lambda: _landmark_seeds()[1],
                            is_json=True),
        "landmarks, text": Reader(lambda path: read_landmarks(path, 5023), "a.txt", lambda: _landmark_seeds()[0]),
        "vertices": Reader(lambda path: read_vertex_list(path, 10), "a.txt", lambda: b"0\n3\n5\n"),
    }  # fmt: skip


def _corpora() -> dict[str, Reader]:
    from blendvoca.io.mesh.ply_write import PlyEncoder
    from blendvoca.io.pickle.safe_pickle import read_pickle
    from blendvoca.io.sequence.frames import open_sequence
    from blendvoca.io.vocaset.source import open_corpus

    def frames() -> bytes:
        stream = io.BytesIO()
        np.save(stream, np.stack([VERTICES, VERTICES]))
        return stream.getvalue()

    def corpus() -> bytes:
        stream = io.BytesIO()
        head = PlyEncoder(FACES).encode(VERTICES)
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("templates/anna.ply", head)
            for frame in range(1, 4):
                archive.writestr(f"anna/sentence01/sentence01.{frame:06d}.ply", head)
        return stream.getvalue()

    def whole(path: Path) -> object:
        found = open_corpus(path)
        return [found.motion(*clip).source.read(0, 9) for clip in found.clips()]

    return {
        "pickle": Reader(read_pickle, "a.pkl", lambda: _pickle_seeds()[2]),
        "frames": Reader(lambda path: open_sequence(path, 60.0).frames(), "a.npy", frames),
        "corpus zip": Reader(whole, "unposedcleaneddata.zip", corpus),
    }


def _shards() -> dict[str, Reader]:
    from blendvoca.arkit import BLENDVOCA_NAMES
    from blendvoca.audio import Waveform
    from blendvoca.clip import Clip
    from blendvoca.dataset import BlendVOCA
    from blendvoca.fetch.package import SUMS_NAME, unpack
    from blendvoca.io.digest import digest_file
    from blendvoca.shard.manifest import write_manifest
    from blendvoca.shard.reader import open_shard
    from blendvoca.shard.verify import verify
    from blendvoca.shard.writer import write_shard
    from blendvoca.track import CoefficientTrack

    def made(folder: str | Path) -> Path:
        track = CoefficientTrack(np.full((6, 32), 0.5), BLENDVOCA_NAMES, 60.0)
        sound = Waveform(np.zeros(2200, np.float32), 22_000)
        clip = Clip("anna", "sentence01", track, sound, None, {"origin": "test"})
        return write_shard(Path(folder, "anna.h5"), "anna", [clip], _rig(), "open")

    def shard() -> bytes:
        with TemporaryDirectory() as folder:
            return made(folder).read_bytes()

    def manifest() -> bytes:
        with TemporaryDirectory() as folder:
            made(folder)
            return write_manifest(folder).to_json().encode()

    def package() -> bytes:
        with TemporaryDirectory() as place:
            made(place)
            write_manifest(place)
            stream, files = io.BytesIO(), sorted(Path(place).iterdir())
            Path(place, SUMS_NAME).write_text("".join(f"{digest_file(file)}  {file.name}\n" for file in files))
            with tarfile.open(fileobj=stream, mode="w") as tar:
                for file in sorted(Path(place).iterdir()):
                    tar.add(file, file.name)
            return stream.getvalue()

    def whole(path: Path) -> object:
        opened = open_shard(path)
        return opened.parts(), list(opened.clips())

    def dataset(path: Path) -> object:
        found = BlendVOCA(path.parent)
        return found.keys(), found[0], refused(path.parent)

    def refused(path: Path) -> object:
        """Verify reports instead of raising; a report is as good as an error."""
        found = verify(path)
        if found:
            raise IntegrityError(str(found[0]))
        return found

    return {
        "shard": Reader(whole, "anna.h5", shard),
        "verify": Reader(refused, "anna.h5", shard),
        "manifest": Reader(dataset, "manifest.json", manifest, made, True),
        "package": Reader(lambda path: unpack(path, path.parent / "out"), "a.tar", package,
                          lambda folder: (folder / "out").mkdir()),
    }  # fmt: skip


def _models() -> dict[str, Reader]:
    import torch
    from reference.said_tiny import tiny_config

    from said_model.checkpoints import authors
    from said_model.checkpoints import folder as checkpoint
    from said_model.checkpoints.state_dict import read_weights
    from said_model.evaluation.sync_expert import SyncConfig, SyncExpert, load_sync, save_sync
    from said_model.network.said import SaidNetwork

    def network() -> SaidNetwork:
        torch.manual_seed(0)
        return SaidNetwork(tiny_config())

    def saved(name: str) -> bytes:
        with TemporaryDirectory() as place:
            checkpoint.save(place, network())
            return Path(place, name).read_bytes()

    def sync(name: str) -> bytes:
        with TemporaryDirectory() as place:
            save_sync(place, SyncExpert(SyncConfig(("a", "b"), 60.0, 4, width=8)), {})
            return Path(place, name).read_bytes()

    def weights() -> bytes:
        stream = io.BytesIO()
        torch.save(network().state_dict(), stream)
        return stream.getvalue()

    def beside(made: Callable[[str], bytes], name: str) -> Callable[[Path], object]:
        return lambda place: (place / name).write_bytes(made(name))

    def load(path: Path) -> object:
        return checkpoint.load(path.parent), checkpoint.read_sampler(path.parent)

    return {
        "model configuration": Reader(load, "config.json", lambda: saved("config.json"),
                                      beside(saved, "model.safetensors"), True),
        "safetensors": Reader(load, "model.safetensors", lambda: saved("model.safetensors"),
                              beside(saved, "config.json")),
        "sync expert": Reader(lambda path: load_sync(path.parent), "sync.json", lambda: sync("sync.json"),
                              beside(sync, "sync.safetensors"), True),
        ".pth": Reader(read_weights, "a.pth", weights),
        "names": Reader(authors.read_names, "names.txt", lambda: b"jawOpen\njawLeft\n"),
        "encoder": Reader(
            authors.read_encoder_settings, "config.json", _dump({"model_type": "wav2vec2"}), _nothing, True
        ),
    }  # fmt: skip


def _builds() -> dict[str, Reader]:
    from pipelines.artefact import read_artefact, write_artefact
    from pipelines.ledger import Ledger, Mark, Recipe
    from said_model.training.run_folder import RunLog

    def artefact() -> bytes:
        with TemporaryDirectory() as place:
            write_artefact(Path(place, "a.npz"), {"a": 1}, values=np.arange(9.0))
            return Path(place, "a.npz").read_bytes()

    def mark() -> bytes:
        with TemporaryDirectory() as place:
            ledger = Ledger(Path(place))
            ledger.write("anna", Mark(Recipe("fit", 1, {"delta": 0.1}, {"a": "b"}), ".stages/fit/a.npz", "0" * 64, {}))
            return ledger.mark_path("fit", "anna").read_bytes()

    def marked(path: Path) -> object:
        """A mark that cannot be read counts as none."""
        ledger = Ledger(path.parent)
        ledger.root = path.parent
        ledger.folder = lambda stage: path.parent  # type: ignore[method-assign]
        found = ledger.read("fit", "anna")
        if found is None:
            raise FormatError("no mark")
        return found.recipe.difference(Recipe("fit", 1, {}, {}))

    def log(path: Path) -> object:
        return RunLog(path.parent).cut(5)

    return {
        "artefact": Reader(read_artefact, "a.npz", artefact),
        "ledger": Reader(marked, "anna.done", mark, is_json=True),
        "training log": Reader(log, "log.csv", lambda: b"step,loss\n5,0.1\n10,0.2\n", optional=True),
    }
