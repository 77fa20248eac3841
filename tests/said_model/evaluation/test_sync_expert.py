"""Sync expert: scoring by hand, offsets that follow, sound that belongs elsewhere, refusal of other weights."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")

from blendvoca.errors import FormatError, InputError, MissingInputError  # noqa: E402
from said_model.evaluation.sync_expert import (  # noqa: E402
    SyncConfig,
    SyncExpert,
    best_shift,
    load_sync,
    save_sync,
    shift_distances,
    synchrony,
)  # fmt: skip
from said_model.training.loop import LoopConfig, run  # noqa: E402
from said_model.training.tasks.sync_expert import SyncTask  # noqa: E402
from said_model.training.windows import TrainingClip  # noqa: E402

NAMES = ("jawOpen", "mouthPucker", "mouthClose", "mouthFunnel")


def test_offset_and_confidence_are_syncnets():
    found = best_shift([5.0, 4.0, 1.0, 4.0, 6.0])
    assert (found.offset, found.confidence) == (0, 3.0)
    assert best_shift([1.0, 4.0, 5.0]).offset == -1
    with pytest.raises(InputError, match="odd"):
        best_shift([1.0, 2.0])


@pytest.mark.parametrize("shift", [-3, 0, 4])
def test_late_rows_are_found_late(shift):
    rows = np.random.default_rng(0).normal(size=(60, 3))
    assert best_shift(shift_distances(rows, np.roll(rows, shift, axis=0), 5)).offset == shift
    with pytest.raises(InputError, match="12"):
        shift_distances(rows[:11], rows[:11], 5)


def test_weights_come_back_and_others_are_refused(tmp_path):
    model = SyncExpert(SyncConfig(NAMES, 60.0, 6)).eval()
    save_sync(tmp_path, model, {})
    rng = np.random.default_rng(1)
    features, values = rng.normal(size=(50, 6)), rng.uniform(size=(50, 4))
    assert synchrony(load_sync(tmp_path), features, values) == synchrony(model, features, values)
    with pytest.raises(InputError, match="other inputs"):
        synchrony(model, features[:, :5], values)
    with pytest.raises(MissingInputError, match="train-sync"):
        load_sync(tmp_path / "nowhere")
    (tmp_path / "sync.json").write_text('{"model": {}}')
    with pytest.raises(FormatError, match="sync expert"):
        load_sync(tmp_path)


def _clip(rng: np.random.Generator, frames: int = 200) -> TrainingClip:
    """Features that are a mixture of what the motion does, and noise."""
    walk = np.cumsum(rng.normal(size=(frames + 8, 4)), axis=0)
    smooth = np.stack([np.convolve(column, np.ones(9) / 9, "valid") for column in walk.T], axis=1)
    values = (smooth - smooth.min(axis=0)) / np.ptp(smooth, axis=0)
    mixing = np.random.default_rng(9).normal(size=(4, 6))
    features = np.diff(values, axis=0, prepend=values[:1]) @ mixing * 20 + 0.1 * rng.normal(size=(frames, 6))
    return TrainingClip(values.astype(np.float32), features[None].astype(np.float16), None, 0)


@pytest.mark.slow
def test_offsets_follow_and_foreign_sound_has_no_confidence(tmp_path):
    rng = np.random.default_rng(2)
    train, held_out = [_clip(rng) for _ in range(24)], [_clip(rng) for _ in range(6)]
    loop = LoopConfig(steps=250, batch=8, learning_rate=2e-3, warmup=20, ema_decay=0.9, evaluate_every=125)
    torch.manual_seed(0)
    names = ("jawOpen", "jawForward", "mouthClose", "mouthFunnel")
    run(SyncTask(SyncExpert(SyncConfig(names, 60.0, 6)), loop, train, held_out), tmp_path, loop, {}, None, "cpu")
    model = load_sync(tmp_path)
    own, foreign = [], []
    for row, clip in enumerate(held_out):
        for shift in range(-5, 6):
            moved = np.roll(clip.values, shift, axis=0)
            found = synchrony(model, clip.features[0], moved)
            assert found.offset == shift
            own.append(found.confidence)
        foreign.append(synchrony(model, held_out[row - 1].features[0], clip.values).confidence)
    assert np.mean(foreign) < 0.4 * np.mean(own)
