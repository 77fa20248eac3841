"""Shards: what is written is read back, the same inputs give the same bytes, and nothing half-written stays."""

from __future__ import annotations

import hashlib
import multiprocessing
import pickle
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
import shard_builders as build

from blendvoca.arkit import BLENDVOCA_NAMES
from blendvoca.clip import Clip
from blendvoca.errors import (
    FormatError,
    InputError,
    IntegrityError,
    LicenceError,
    MissingInputError,
    OutputError,
    TrackError,
    VersionError,
)
from blendvoca.shard import schema
from blendvoca.shard.reader import open_shard
from blendvoca.shard.schema import LicenceClass, ShardRig
from blendvoca.shard.writer import write_shard


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def _rewrite(path: Path, **attributes: str) -> None:
    with h5py.File(path, "r+") as file:
        for name, value in attributes.items():
            file.attrs[name] = np.bytes_(value.encode())


def test_clips_and_rig_come_back(tmp_path: Path, rng: np.random.Generator) -> None:
    clips = [build.clip(rng, "alice", f"sentence{n:02d}", 20 + n) for n in (3, 1, 2)]
    rig = build.rig(rng)
    sources = {"a.ply": "f" * 64}
    path = write_shard(tmp_path / "alice.h5", "alice", clips, rig, "open", landmarks=[0, 5], sources=sources)

    shard = open_shard(path)
    assert (shard.speaker, shard.licence_class, shard.version) == ("alice", LicenceClass.OPEN, "1.0")
    assert shard.sources == {"a.ply": "f" * 64}
    assert shard.sentences == ("sentence01", "sentence02", "sentence03")
    for clip in clips:
        read = shard.clip(clip.sentence)
        np.testing.assert_array_equal(read.track.values, clip.track.values.astype(np.float32))
        assert (read.track.names, read.track.fps) == (clip.track.names, clip.track.fps)
        assert clip.waveform is not None
        assert read.waveform is not None
        assert np.abs(read.waveform.samples - clip.waveform.samples).max() <= 0.5 / 32768
        assert read.waveform.rate == clip.waveform.rate
        assert read.certificate == clip.certificate
        assert read.provenance == clip.provenance
    stored = shard.rig()
    np.testing.assert_array_equal(stored.deltas, rig.deltas.astype(np.float32))
    np.testing.assert_array_equal(stored.neutral.vertices, rig.neutral.vertices.astype(np.float32))
    np.testing.assert_array_equal(stored.neutral.faces, rig.neutral.faces)
    np.testing.assert_array_equal(shard.parts().landmarks, [0, 5])


def test_audio_of_16_bits_comes_back_exactly(tmp_path: Path, rng: np.random.Generator) -> None:
    from blendvoca.audio import Waveform

    integers = rng.integers(-32768, 32768, 11_000).astype(np.int16)
    clip = build.clip(rng, "alice", "s1")
    whole = Clip("alice", "s1", clip.track, Waveform.from_int16(integers, 22_000))
    waveform = open_shard(write_shard(tmp_path / "a.h5", "alice", [whole])).clip("s1").waveform
    assert waveform is not None
    np.testing.assert_array_equal(waveform.to_int16(), integers)


def test_same_inputs_same_bytes_in_any_order(tmp_path: Path) -> None:
    digests = set()
    for name, order in (("one", 1), ("two", -1)):
        rng = np.random.default_rng(0)
        clips = [build.clip(rng, "alice", f"s{n}") for n in range(5)]
        path = write_shard(tmp_path / name / "alice.h5", "alice", clips[::order], build.rig(rng), "open")
        digests.add(hashlib.sha256(path.read_bytes()).hexdigest())
        time.sleep(1.1)  # HDF5 can store whole seconds
    assert len(digests) == 1


def test_another_process_writes_the_same_bytes(tmp_path: Path) -> None:
    here = build.shard(tmp_path / "here")
    process = multiprocessing.get_context("spawn").Process(target=build.shard, args=(tmp_path / "there",))
    process.start()
    process.join()
    assert here.read_bytes() == (tmp_path / "there" / "alice.h5").read_bytes()


def test_coefficients_class_holds_neither_mesh_nor_audio(tmp_path: Path) -> None:
    path = build.shard(tmp_path, licence_class="coefficients")
    with h5py.File(path) as file:
        assert set(file["rig"]) == {"names", "deltas", "crop", "landmarks"}
        assert all(set(group) == {"coefficients"} for group in file["clips"].values())
    shard = open_shard(path)
    assert shard.clip("sentence01").waveform is None
    assert shard.parts().deltas is not None
    with pytest.raises(LicenceError, match="blendvoca complete"):
        shard.rig()


def test_tracks_without_a_rig_keep_their_names(tmp_path: Path, rng: np.random.Generator) -> None:
    shard = open_shard(write_shard(tmp_path / "a.h5", "alice", [build.clip(rng, "alice", "s1", audio=False)]))
    assert shard.names == BLENDVOCA_NAMES
    assert shard.parts().deltas is None
    with pytest.raises(InputError, match="no deltas"):
        shard.rig()


def test_shard_is_picklable(tmp_path: Path) -> None:
    shard = pickle.loads(pickle.dumps(open_shard(build.shard(tmp_path))))
    assert len(list(shard.clips())) == 3


@pytest.mark.parametrize("speaker", ["", "../alice", "a/b", ".hidden", "ü"])
def test_names_that_cannot_name_a_file(tmp_path: Path, rng: np.random.Generator, speaker: str) -> None:
    with pytest.raises(InputError, match="speaker"):
        write_shard(tmp_path / "a.h5", speaker, [build.clip(rng, speaker or "x", "s1")])
    assert not list(tmp_path.iterdir())


def test_wrong_clips(tmp_path: Path, rng: np.random.Generator) -> None:
    clip = build.clip(rng, "alice", "s1")
    path = tmp_path / "a.h5"
    with pytest.raises(InputError, match="no clips"):
        write_shard(path, "alice", [])
    with pytest.raises(InputError, match="another speaker"):
        write_shard(path, "bob", [clip])
    with pytest.raises(InputError, match="two clips s1"):
        write_shard(path, "alice", [clip, clip])
    other = Clip("alice", "s2", clip.track.select(BLENDVOCA_NAMES[::-1]))
    with pytest.raises(TrackError, match="alice/s2"):
        write_shard(path, "alice", [clip, other])
    with pytest.raises(InputError, match="licence class"):
        write_shard(path, "alice", [clip], licence_class="secret")
    assert not list(tmp_path.iterdir())


def test_rig_parts_must_agree() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match="counts"):
        ShardRig(("a",), rng.normal(size=(1, 5, 3)), build.rig(rng).neutral)
    with pytest.raises(InputError, match="landmark"):
        ShardRig(("a",), rng.normal(size=(1, 5, 3)), landmarks=np.array([5]))


def test_a_crash_leaves_the_old_file(tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    path = build.shard(tmp_path)
    before = path.read_bytes()

    def crash(*_: object) -> str:
        raise RuntimeError("power cut")

    monkeypatch.setattr("blendvoca.shard.writer.content_digest", crash)
    with pytest.raises(RuntimeError, match="power cut"):
        build.shard(tmp_path, seed=1)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["alice.h5"]


def test_a_full_disk(tmp_path: Path) -> None:
    """A limit on file size makes writing fail the way a full disk does."""
    program = f"""
import resource, signal, sys
sys.path.insert(0, {str(Path(build.__file__).parent)!r})
from pathlib import Path
import shard_builders as build
from blendvoca.errors import OutputError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
for limit in (0, 5_000, 50_000):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        build.shard(Path(sys.argv[1]))
    except OutputError as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.count("alice.h5: writing failed; found File too large") == 3
    assert not done.stderr
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made(tmp_path: Path, rng: np.random.Generator) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        write_shard(tmp_path / "file" / "a.h5", "alice", [build.clip(rng, "alice", "s1")])


def test_versions(tmp_path: Path) -> None:
    path = build.shard(tmp_path)
    _rewrite(path, format_version="1.7")
    assert len(list(open_shard(path).clips())) == 3
    _rewrite(path, format_version="2.0")
    with pytest.raises(VersionError, match=r"expected 1\.x, found 2\.0.*--upgrade"):
        open_shard(path)
    _rewrite(path, format_version="one")
    with pytest.raises(VersionError):
        open_shard(path)


def test_what_newer_minor_versions_add_is_left_aside(tmp_path: Path) -> None:
    path = build.shard(tmp_path)
    with h5py.File(path, "r+") as file:
        file["clips/sentence01"].attrs["fit_elapsed_s"] = 0.5
        file.create_group("text")
        file["clips/sentence01"]["emotion"] = np.zeros(3)
    assert open_shard(path).clip("sentence01").certificate == build.certificate()


def test_other_files(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match="no such shard"):
        open_shard(tmp_path / "none.h5")
    (tmp_path / "text.h5").write_text("no HDF5 at all")
    with pytest.raises(IntegrityError, match=r"text\.h5"):
        open_shard(tmp_path / "text.h5")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = 1
    with pytest.raises(FormatError, match="no shard"):
        open_shard(tmp_path / "other.h5")


@pytest.mark.parametrize("keep", [1, 40, 500, 5_000, -1])
def test_truncated_files(tmp_path: Path, keep: int) -> None:
    path = build.shard(tmp_path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(IntegrityError, match="damaged"):
        list(open_shard(path).clips())


def test_a_shard_that_is_open_elsewhere(tmp_path: Path) -> None:
    path = build.shard(tmp_path)
    with h5py.File(path) as file:
        assert open_shard(path).clip("sentence01").track.values[0, 0] == file["clips/sentence01/coefficients"][0, 0]


def test_missing_and_wrong_parts(tmp_path: Path) -> None:
    path = build.shard(tmp_path)
    with pytest.raises(MissingInputError, match="did you mean 'sentence01'"):
        open_shard(path).clip("sentense01")
    with h5py.File(path, "r+") as file:
        del file["clips/sentence01/coefficients"]
        file["clips/sentence01/coefficients"] = np.full((10, 32), 7.0)
        del file["clips/sentence02/coefficients"]
        file["clips/sentence02/coefficients"] = np.zeros((10, 32), np.int32)
        del file["clips/sentence03/coefficients"]
    shard = open_shard(path)
    for sentence, said in (("sentence01", "out of range"), ("sentence02", "another kind"), ("sentence03", "exist")):
        with pytest.raises(FormatError, match=said):
            shard.clip(sentence)


def test_licence_classes() -> None:
    assert LicenceClass.strictest([LicenceClass.OPEN, LicenceClass.RESTRICTED]) is LicenceClass.RESTRICTED
    assert [entry.publishable for entry in LicenceClass] == [True, True, False]
    assert [entry.holds_media for entry in LicenceClass] == [True, False, True]
    assert schema.FORMAT_VERSION == "1.0"
