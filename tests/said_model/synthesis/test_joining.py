"""Where parts of motion meet: the demo model's sections and streams, and the borders of edits."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="pip install 'blendvoca[said]' to run this test")
pytest.importorskip("diffusers", reason="pip install 'blendvoca[said]' to run this test")

from blendvoca.audio import Waveform  # noqa: E402
from blendvoca.track import CoefficientTrack  # noqa: E402
from said_model import SAiD  # noqa: E402
from said_model.checkpoints.folder import DEMO  # noqa: E402
from said_model.diffusion.sections import Chain, Section, WindowConfig  # noqa: E402
from said_model.diffusion.windows import Past, fade_out  # noqa: E402
from said_model.synthesis.edit import build_mask, join_borders, measure_borders  # noqa: E402
from said_model.synthesis.settings import StreamConfig  # noqa: E402


@pytest.fixture(scope="module")
def demo():
    return SAiD.load(DEMO, "cpu")


@pytest.fixture(scope="module")
def syllables():
    """Ten seconds of buzzing vowels at the pace of speech."""
    time = np.arange(160_000) / 16_000
    buzz = sum(np.sin(2 * np.pi * 120 * k * time) / k for k in range(1, 20))
    pace = np.clip(np.sin(2 * np.pi * 2.3 * time) + 0.4 * np.sin(2 * np.pi * 0.61 * time), 0, 1)
    noise = np.random.default_rng(0).standard_normal(len(time)) * 0.02
    return Waveform((0.1 * buzz * pace + noise * pace).astype(np.float32), 16_000)


def test_sections_of_the_trained_model_show_no_seam(demo, syllables):
    values = demo.sample(syllables, windows=WindowConfig(60, 20, section=80)).values
    seams = range(40, len(values), 40)  # hop = section - 2 * overlap
    for order, most in ((1, 1.3), (2, 1.3)):
        change = np.abs(np.diff(values, n=order, axis=0)).mean(axis=1)
        near = np.abs(np.arange(len(change))[:, None] + order / 2 + 0.5 - np.array(seams)).min(axis=1) <= 2
        # Without the fading look-ahead the acceleration at seams is twice that of elsewhere and more.
        assert change[near].mean() < most * change[~near].mean(), order


def test_live_equals_offline_with_the_trained_model(demo, syllables):
    streamer, samples = demo.stream(StreamConfig(), 3), torch.from_numpy(syllables.samples.copy())
    parts = [streamer.push(part) for part in samples.split(1024)]
    found = torch.cat([*parts, streamer.finish()]).numpy()
    expected = demo.sample_like_stream(syllables, seed=3).values
    assert found.shape == expected.shape == (600, 32)
    assert np.abs(found - expected).max() < 1e-5


def test_an_edit_in_sections_keeps_what_it_should(demo, syllables):
    track = demo.sample(syllables, seed=1)
    mask = build_mask(len(track), track.names, 60.0, keep=["1:2", "4:8"], pin=["mouth*"])
    windows = WindowConfig(60, 20, section=120)
    (edited,) = demo.edit(track, syllables, mask, 1, 5, demo.sampler.changed(steps=4), windows)
    assert np.array_equal(edited.track.values[mask == 1], track.values[mask == 1])
    jaw = track.names.index("jawOpen")
    assert np.abs(edited.track.values - track.values)[:60, jaw].mean() > 1e-3
    assert edited.borders.count == 4 * int((mask[0] == 0).sum() or (mask[150] == 0).sum())


def test_a_section_goes_on_from_what_the_last_one_expected(demo):
    section = Chain(20, 30, 10).section(1)
    assert section == Section(10, 70, 20, 30)
    past = Past.of(torch.arange(50.0)[None, :, None], Section(0, 50, 10, 30))
    assert past.known.flatten().tolist() == list(range(40))
    assert past.ahead.flatten().tolist() == list(range(40, 50))
    weights = fade_out(10)
    assert 1 > weights[0] > 0.9 and 0 < weights[-1] < 0.1
    assert (weights.diff() < 0).all()
    assert len(fade_out(0)) == 0


@pytest.mark.parametrize(("start", "stop"), [(0, 40), (40, 80), (60, 120), (50, 53), (70, 71), (0, 120)])
def test_new_parts_go_on_in_value_and_speed(start, stop):
    kept = 0.5 + 0.2 * np.sin(np.arange(120) / 9)[:, None]
    mask, values = np.ones((120, 1)), kept.copy()
    mask[start:stop], values[start:stop] = 0, kept[start:stop] + 0.2
    joined = join_borders(values, mask)
    free = mask[:, 0] == 0
    assert np.array_equal(joined[~free], values[~free])
    steps = np.abs(np.diff(joined[:, 0]))
    # The sine moves 0.022 a frame; the jump was 0.2. A gap of a few frames has no room but to cross the kept motion.
    assert steps.max() < 0.055
    assert np.abs(np.diff(joined[:, 0], n=2)).max() < 0.03
    far = free.copy()
    far[max(start - 1, 0) : start + 15 if start else 0] = False
    far[stop - 15 if stop < 120 else 120 : stop] = False
    assert np.array_equal(joined[far], values[far])


def test_borders_are_measured_and_bent_motion_stays_in_range():
    values = np.r_[np.zeros(60), np.full(60, 0.9), np.zeros(60)][:, None]
    mask = np.r_[np.ones(60), np.zeros(60), np.ones(60)][:, None]
    before, joined = measure_borders(values, mask), join_borders(values, mask)
    after = measure_borders(joined, mask)
    assert before.count == after.count == 2
    assert before.velocity == pytest.approx(0.9)
    assert after.velocity < 0.03 and after.worst < 0.03
    CoefficientTrack(joined, ("jawOpen",), 60.0)
    assert "2 borders" in str(after)
