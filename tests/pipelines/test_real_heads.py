"""ARKit's reference shapes onto real heads: ICT identities, moved by a real capture, in VOCASET's folder form."""

from __future__ import annotations

import numpy as np
import pytest
from sample_builders import real_corpus

from blendvoca.dataset import BlendVOCA
from blendvoca.io.track.csv import read_track
from blendvoca.shard.verify import verify
from pipelines.build import build
from pipelines.config import BuildConfig

FRAMES = 72


@pytest.fixture(scope="module")
def shards(assets, tmp_path_factory):
    folder = tmp_path_factory.mktemp("heads")
    corpus = real_corpus(folder / "corpus", assets, heads=3, clips=1, frames=FRAMES)
    patch = pytest.MonkeyPatch()
    patch.setenv("BLENDVOCA_ASSETS", str(assets))
    result = build(BuildConfig(corpus, source_rig="arkit"), folder / "out")
    patch.undo()
    assert result.failures == []
    return folder / "out"


def test_shards_read_back(shards):
    assert verify(shards) == []
    dataset = BlendVOCA(shards)
    assert dataset.speakers == ("ict01", "ict02", "ict03")
    assert len(dataset.names) == 32
    assert dataset.manifest.licence_class == "restricted"
    for clip in dataset:
        assert len(clip.track) == FRAMES
        assert clip.certificate.problems() == []
        # Eyes and brows move too, and 32 shapes cannot follow them; ICT's mouth shapes are not ARKit's either.
        assert clip.certificate.error_mean_mm < 4.0


def test_jaw_follows_the_capture(shards, assets):
    capture = read_track(assets / "livelink" / "capture_30fps.csv").resampled(60.0)
    compared = 0
    for head, clip in enumerate(BlendVOCA(shards)):
        start = 100 + head * FRAMES
        truth = capture.values[start : start + FRAMES, capture.names.index("jawOpen")]
        found = clip.track.values[:, clip.track.names.index("jawOpen")]
        if np.ptp(truth) > 0.2:
            # The two models open the jaw by different amounts at coefficient 1, so only the course is compared.
            assert np.corrcoef(found, truth)[0, 1] > 0.95
            compared += 1
    assert compared >= 2


def test_rigs_open_the_mouth(shards):
    dataset = BlendVOCA(shards)
    for speaker in dataset.speakers:
        rig = dataset.rig(speaker)
        # The chin goes down by centimetres, the forehead stays.
        move = rig.delta("jawOpen")
        assert move[:, 1].min() < -0.01
        assert np.abs(move[rig.neutral.vertices[:, 1].argmax()]).max() < 3e-3
