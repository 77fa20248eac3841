"""The user's entry point: names, order, laziness, and workers of both kinds."""

from __future__ import annotations

import multiprocessing
import pickle
from pathlib import Path

import numpy as np
import pytest
import shard_builders as build

from blendvoca.dataset import BlendVOCA
from blendvoca.errors import ConfigurationError, IntegrityError, LicenceError, MissingInputError
from blendvoca.shard.manifest import write_manifest


@pytest.fixture
def root(tmp_path: Path) -> Path:
    build.dataset(tmp_path)
    return tmp_path


def _mean(dataset: BlendVOCA, row: int) -> float:
    clip = dataset[row]
    assert clip.waveform is not None
    return float(clip.track.values.mean() + clip.waveform.samples.mean())


def test_splits_names_and_order(root: Path) -> None:
    whole = BlendVOCA(root)
    assert (len(whole), whole.speakers) == (9, ("alice", "bob", "carol"))
    train = BlendVOCA(root, split="train")
    assert train.speakers == ("alice",)
    assert train.keys() == [("alice", f"sentence{n:02d}") for n in (1, 2, 3)]
    assert [clip.sentence for clip in train] == ["sentence01", "sentence02", "sentence03"]
    assert train["alice", "sentence02"] is train[1]
    assert train[-1].sentence == "sentence03"
    assert ("alice", "sentence02") in train
    assert ("bob", "sentence02") not in train
    assert len(train.names) == 32
    assert train.entry(1).frames == len(train[1].track)


def test_table_has_a_row_a_clip(root: Path) -> None:
    table = BlendVOCA(root, split="validation").table()
    assert [row["sentence"] for row in table] == ["sentence01", "sentence02", "sentence03"]
    assert table[0] == {
        "speaker": "bob", "sentence": "sentence01", "split": "validation", "licence_class": "open", "frames": 31,
        "fps": 60.0, "seconds": 0.516667, "samples": 11367, "audio_rate": 22000, "fit_error_mm": 0.25,
        "rate_limit_share": 0.125,
    }  # fmt: skip


def test_rigs(root: Path) -> None:
    dataset = BlendVOCA(root)
    assert dataset.rig("bob").deltas.shape == (32, 24, 3)
    assert dataset.parts("bob").crop is not None
    with pytest.raises(MissingInputError, match="did you mean 'bob'"):
        dataset.rig("bop")
    build.dataset(root, licence_class="coefficients")
    published = BlendVOCA(root)
    with pytest.raises(LicenceError):
        published.rig("bob")
    assert published.parts("bob").deltas is not None
    assert published[0].waveform is None


def test_audio_is_resampled_on_request(root: Path) -> None:
    clip = BlendVOCA(root, audio_rate=16_000)[0]
    assert clip.waveform is not None
    assert clip.waveform.rate == 16_000
    assert clip.waveform.duration == pytest.approx(clip.track.duration, abs=1e-3)
    assert BlendVOCA(root, audio=False)[0].waveform is None


def test_only_asked_for_clips_are_read(root: Path) -> None:
    dataset = BlendVOCA(root)
    path = root / "carol.h5"
    path.write_bytes(b"x" * path.stat().st_size)
    assert dataset["alice", "sentence01"].track.fps == 60
    with pytest.raises(IntegrityError, match=r"carol\.h5"):
        dataset["carol", "sentence01"]


def test_cache_keeps_to_its_size(root: Path) -> None:
    unlimited = BlendVOCA(root)
    assert unlimited[0] is unlimited[0]
    none = BlendVOCA(root, cache_bytes=0)
    assert none[0] is not none[0]
    size = unlimited[0].track.values.nbytes + unlimited[0].waveform.samples.nbytes  # type: ignore[union-attr]
    two = BlendVOCA(root, cache_bytes=int(2.5 * size))
    first = two[0]
    list(two)
    assert two[0] is not first
    assert len(two._cache) == 2


def test_pickling_leaves_the_cache_behind(root: Path) -> None:
    dataset = BlendVOCA(root)
    empty = len(pickle.dumps(dataset))
    list(dataset)
    assert len(pickle.dumps(dataset)) < empty + 5_000
    copy = pickle.loads(pickle.dumps(dataset))
    np.testing.assert_array_equal(copy[4].track.values, dataset[4].track.values)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers(root: Path, method: str) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system cannot {method}")
    dataset = BlendVOCA(root, audio_rate=16_000)
    expected = [_mean(dataset, row) for row in range(len(dataset))]
    fresh = BlendVOCA(root, audio_rate=16_000)
    fresh[0]  # a parent that has read already
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.starmap(_mean, [(fresh, row) for row in range(len(fresh))]) == expected


def test_bad_questions(root: Path) -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'train'"):
        BlendVOCA(root, split="trian")
    dataset = BlendVOCA(root, split="train")
    with pytest.raises(IndexError):
        dataset[3]
    with pytest.raises(MissingInputError, match="no clip 'sentence99'"):
        dataset["alice", "sentence99"]
    with pytest.raises(MissingInputError, match="no speaker 'bob'"):
        dataset["bob", "sentence01"]
    for key in ("alice", 1.5, slice(0, 2), ("alice", "sentence01", 3)):
        with pytest.raises(TypeError, match=r"dataset\[speaker, sentence\]"):
            dataset[key]  # type: ignore[index]
    assert dataset[np.int64(1)] is dataset[1]
    for rate in (0, -16000, 10**9):
        with pytest.raises(ConfigurationError, match="sample rate"):
            BlendVOCA(root, audio_rate=rate)


def test_bad_folders(root: Path) -> None:
    with pytest.raises(MissingInputError, match="no such dataset folder"):
        BlendVOCA(root / "none")
    (root / "empty").mkdir()
    with pytest.raises(MissingInputError, match="no manifest"):
        BlendVOCA(root / "empty")
    (root / "bob.h5").write_bytes(b"short")
    with pytest.raises(IntegrityError, match=r"bob\.h5"):
        BlendVOCA(root)
    (root / "bob.h5").unlink()
    with pytest.raises(MissingInputError, match=r"bob\.h5"):
        BlendVOCA(root)


def test_shards_alone_are_a_dataset(root: Path) -> None:
    with_manifest = BlendVOCA(root).table()
    (root / "manifest.json").unlink()
    assert BlendVOCA(root).table() == with_manifest
    write_manifest(root, {"alice": "test"})
    assert BlendVOCA(root, split="test").speakers == ("alice", "carol")
