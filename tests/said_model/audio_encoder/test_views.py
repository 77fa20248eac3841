"""Acoustic views: cached beside the clean features, and drawn one a window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")

import shard_builders  # noqa: E402

from blendvoca.dataset import BlendVOCA  # noqa: E402
from blendvoca.errors import ConfigurationError  # noqa: E402
from said_model.audio_encoder.features import (  # noqa: E402
    FeatureCache,
    Shifts,
    Views,
    encode,
    shifted,
    view_seed,
    view_shifts,
)
from said_model.audio_encoder.log_mel import LogMelEncoder  # noqa: E402
from said_model.training.tasks.said import training_clips  # noqa: E402


@dataclass(frozen=True)
class Noise:
    """Adds noise to the sound."""

    name: str = "noise"
    version: int = 1

    def apply(self, samples, seed):
        return samples + np.random.default_rng(seed).normal(0, 0.05, samples.shape).astype(np.float32)


@pytest.fixture
def dataset(tmp_path):
    shard_builders.dataset(tmp_path, frames=40, sentences=1)
    return BlendVOCA(tmp_path, "train", audio_rate=16_000)


def test_half_of_the_views_are_unshifted_and_the_rest_go_through_the_shifts():
    assert view_shifts(8, 5) == [2, 0, 2, 1, 2, 3, 2]
    assert view_shifts(4, 1) == [0, 0, 0]
    with pytest.raises(ConfigurationError, match="acoustic views"):
        Views(Noise(), 1)


def test_views_are_the_encoder_s_answer_to_the_changed_sound(dataset):
    encoder = LogMelEncoder()
    cache = FeatureCache(dataset.root, encoder, "log-mel", 60.0, Shifts(3), Views(Noise(), 3))
    assert cache.fill(dataset) == len(dataset) and cache.fill(dataset) == 0
    clip, views = dataset[0], cache.read_views(dataset, 0)
    for view, by in ((1, 0), (2, Shifts(3).samples[0])):
        changed = Noise().apply(clip.waveform.samples, view_seed(clip.speaker, clip.sentence, view))
        expected = encode(encoder, shifted(changed, by), len(clip.track))
        np.testing.assert_allclose(views[view - 1], expected, atol=3e-3)
    # The clean features are the same files with views and without.
    clean = cache.clean_only()
    assert clean.path(dataset, 0) == cache.path(dataset, 0) and clean.missing(dataset) == []
    assert clean.read_views(dataset, 0) is None
    # Another number of views is another set; the clean features are not computed again.
    more = FeatureCache(dataset.root, encoder, "log-mel", 60.0, Shifts(3), Views(Noise(), 4))
    assert len(more.missing(dataset)) == len(dataset)


def test_training_clips_carry_the_views(dataset):
    cache = FeatureCache(dataset.root, LogMelEncoder(), "log-mel", 60.0, Shifts(3), Views(Noise(), 3))
    cache.fill(dataset)
    clip = training_clips(dataset, dataset.names, cache)[0]
    assert clip.views.shape == (2, *clip.features.shape[1:])
