"""Schedules, samplers, masks and windows over denoisers whose answer is known."""

import itertools

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="pip install 'blendvoca[said]' to run this test")
pytest.importorskip("diffusers", reason="pip install 'blendvoca[said]' to run this test")

from blendvoca.errors import ConfigurationError, InputError, TrackError  # noqa: E402
from said_model.config import DiffusionConfig, SamplerConfig  # noqa: E402
from said_model.diffusion.guidance import guide, guided  # noqa: E402
from said_model.diffusion.sampler import InpaintingConstraint, draw_noise, sample  # noqa: E402
from said_model.diffusion.schedule import LOG_SNR_START, alpha_bars, make_schedule  # noqa: E402
from said_model.diffusion.sections import Chain, WindowConfig, batches, window_starts  # noqa: E402
from said_model.diffusion.windows import blended, window_weights  # noqa: E402
from said_model.synthesis.edit import build_mask, match_names, measure_borders, parse_range  # noqa: E402

MEAN, SPREAD = 0.5, 0.1


def level(timestep, diffusion):
    """Alpha-bar at a timestep between whole ones: the log of the signal-to-noise ratio is interpolated."""
    table = alpha_bars(diffusion).double().numpy()
    log_snr = np.interp(timestep, np.arange(len(table)), np.log(table) - np.log1p(-table))
    return float(1 / (1 + np.exp(-log_snr)))


def gaussian_denoiser(diffusion, covariance=None):
    """The exact denoiser of coefficients that are normal around MEAN: independent, or correlated over frames."""

    def denoise(x, timestep):
        a = level(timestep, diffusion)
        independent = torch.eye(x.shape[1], dtype=torch.float64) * SPREAD**2
        covered = (independent if covariance is None else covariance(x.shape[1])) * diffusion.scale**2
        mean = MEAN * diffusion.scale
        gain = a * covered + (1 - a) * torch.eye(x.shape[1], dtype=torch.float64)
        centred = x.double() - a**0.5 * mean
        clean = mean + a**0.5 * torch.einsum("mn,bnk->bmk", covered @ torch.linalg.inv(gain), centred)
        noise = (x - a**0.5 * clean) / (1 - a) ** 0.5
        kinds = {"epsilon": noise, "sample": clean, "v_prediction": a**0.5 * noise - (1 - a) ** 0.5 * clean}
        return kinds[diffusion.prediction].float()

    return denoise


def smooth(n):
    """Covariance of a smooth motion: neighbours within a few frames move together."""
    place = torch.arange(n, dtype=torch.float64)
    return SPREAD**2 * torch.exp(-((place[:, None] - place) ** 2) / (2 * 4.0**2)) + 1e-8 * torch.eye(n)


@pytest.mark.parametrize("scale", [1.0, 8.0])
@pytest.mark.parametrize("prediction", ["epsilon", "sample", "v_prediction"])
@pytest.mark.parametrize(
    ("name", "steps", "tolerance"), [("dpm", 30, 0.006), ("dpm", 20, 0.01), ("said-ddim", 200, 0.02)]
)
def test_samplers_follow_the_exact_flow(prediction, scale, name, steps, tolerance):
    """For normal data the probability flow is known: x0 = mean + spread * (start noise), as ends of one trajectory."""
    diffusion = DiffusionConfig(prediction=prediction, scale=scale)
    schedule = make_schedule(diffusion, SamplerConfig(name, steps))
    noise = draw_noise(0, (4, 6, 5)) * 0.9
    found = sample(gaussian_denoiser(diffusion), schedule, noise)
    a = float(schedule.signal[0]) ** 2
    spread = (a * (scale * SPREAD) ** 2 + 1 - a) ** 0.5
    expected = MEAN + SPREAD * (noise - a**0.5 * scale * MEAN) / spread
    assert float((found - expected.clamp(0, 1)).abs().max()) < tolerance


def test_levels_and_timesteps_belong_together():
    diffusion = DiffusionConfig()
    for name, steps in (("dpm", 12), ("said-ddim", 50)):
        schedule = make_schedule(diffusion, SamplerConfig(name, steps))
        assert len(schedule) == steps == len(schedule.signal) - 1
        assert torch.allclose(schedule.signal**2 + schedule.noise**2, torch.ones(steps + 1), atol=1e-6)
        assert (float(schedule.signal[-1]), float(schedule.noise[-1])) == (1.0, 0.0)
        for step, timestep in enumerate(schedule.timesteps):
            assert float(schedule.signal[step]) ** 2 == pytest.approx(level(timestep, diffusion), rel=2e-3)
    schedule = make_schedule(diffusion, SamplerConfig("dpm", 12))
    log_snr = (schedule.signal[:-1] / schedule.noise[:-1]).log()
    assert float(log_snr[0]) == pytest.approx(LOG_SNR_START, abs=1e-3)
    assert torch.allclose(log_snr.diff(), log_snr.diff().mean(), rtol=1e-3)
    with pytest.raises(ConfigurationError, match="at most 1000"):
        make_schedule(diffusion, SamplerConfig("said-ddim", 1001))


def test_guidance_zero_is_the_conditional_model():
    a, b = torch.ones(1, 2, 3), torch.zeros(1, 2, 3)
    assert torch.equal(guide(a, b, 0.0), a)
    assert torch.equal(guide(a, b, 2.0), 3 * a)
    assert torch.equal(guided(lambda x, t: (x, b), 1.0)(a, 5.0), 2 * a)


@pytest.mark.parametrize("scale", [1.0, 8.0])
def test_kept_parts_come_back_exactly_and_fit_their_surroundings(scale):
    diffusion = DiffusionConfig(scale=scale)
    denoise = gaussian_denoiser(diffusion, smooth)
    schedule = make_schedule(diffusion, SamplerConfig())
    reference = torch.full((1, 40, 2), 0.5)
    reference[:, :20] += 0.25
    noise = draw_noise(3, (1, 40, 2))
    mask = torch.zeros(1, 40, 2)
    mask[:, :20] = 1
    kept = InpaintingConstraint(reference, mask, noise)
    found = sample(denoise, schedule, kept.impose(noise, schedule, 0), kept)
    assert torch.equal(found[:, :20], reference[:, :20])
    # The motion is smooth over some four frames: the free part begins where the kept part ends.
    assert float((found[:, 20] - reference[:, 19]).abs().max()) < 0.1


@pytest.mark.parametrize(
    ("frames", "length", "overlap"), [(10, 30, 10), (30, 30, 10), (31, 30, 10), (200, 30, 10), (95, 40, 20)]
)
def test_windows_cover_a_clip_evenly(frames, length, overlap):
    config = WindowConfig(length, overlap)
    starts = window_starts(frames, config)
    if frames <= length:
        assert starts == [0]
        return
    assert starts[0] == 0
    assert starts[-1] == frames - length
    assert all(0 < b - a <= length - overlap for a, b in itertools.pairwise(starts))
    weights = window_weights(starts, length, frames)
    total = torch.zeros(frames)
    for start, weight in zip(starts, weights, strict=True):
        total[start : start + length] += weight
    assert torch.allclose(total, torch.ones(frames), atol=1e-5)
    for at_once in (1, 3, 100):
        assert [i for rows in batches(len(starts), at_once) for i in rows] == list(range(len(starts)))


def long_motion(frames, config, seeds):
    diffusion = DiffusionConfig()
    denoise = gaussian_denoiser(diffusion, smooth)
    starts = window_starts(frames, config)
    noise = torch.cat([draw_noise(seed, (1, frames, 8)) for seed in range(seeds)])
    parts = [denoise for _ in batches(len(starts), config.at_once)]
    whole = blended(parts, starts, min(config.frames, frames), frames)
    return starts, sample(whole, make_schedule(diffusion, SamplerConfig()), noise).double()


def test_blended_windows_show_no_seam():
    """Velocity and acceleration where windows begin and end, against elsewhere, over an exact denoiser."""
    config = WindowConfig(frames=60, overlap=20, at_once=3)
    starts, motion = long_motion(420, config, seeds=24)
    seams = sorted({edge for start in starts for edge in (start, start + 60)} - {0, 420})
    near = np.unique(np.concatenate([np.arange(seam - 2, seam + 2) for seam in seams]))
    for order in (1, 2):
        size = motion.diff(n=order, dim=1).abs().mean((0, 2)).numpy()
        inside = np.arange(20, len(size) - 20)
        at_seams = size[np.intersect1d(near, inside)].mean()
        elsewhere = size[np.setdiff1d(inside, near)].mean()
        assert at_seams == pytest.approx(elsewhere, rel=0.05), order
    assert float(motion.std()) == pytest.approx(SPREAD, rel=0.1)


def test_windows_of_one_sample_do_not_depend_on_the_batch():
    few, many = (long_motion(150, WindowConfig(60, 20, at_once), 2)[1] for at_once in (1, 50))
    assert torch.allclose(few, many, atol=1e-5)


@pytest.mark.parametrize("frames", [1, 29, 30, 31, 100, 119])
def test_a_chain_emits_every_frame_once(frames):
    chain = Chain(past=20, hop=30, lookahead=7)
    place = 0
    for section in chain.sections(frames):
        assert section.start + section.given == place
        assert section.stop <= frames
        assert section.given == min(place, 20)
        place += section.emitted
    assert place == frames


def test_masks():
    names, fps = ("jawOpen", "mouthLeft", "mouthRight"), 10.0
    mask = build_mask(40, names, fps, keep=["0:1.2", "2.5:"], pin=["jawOpen"], redo=["mouth*"])
    free = np.argwhere(mask == 0)
    assert set(free[:, 0]) == set(range(12, 25))
    assert set(free[:, 1]) == {1, 2}
    assert build_mask(40, names, fps).sum() == 0
    assert match_names(["*Left"], names).tolist() == [False, True, False]
    assert parse_range(":3", fps, 40) == slice(0, 30)
    for text in ("3", "a:b", "5:", "2:1", "-1:2", "nan:", "1:2:3"):
        with pytest.raises(InputError):
            parse_range(text, fps, 40)
    with pytest.raises(TrackError, match="jawOpen"):
        match_names(["jawOpn"], names)
    with pytest.raises(InputError, match="nothing is left"):
        build_mask(40, names, fps, keep=[":"])


def test_borders_are_measured():
    mask = np.ones((10, 2))
    mask[4:7, 0] = 0
    values = np.zeros((10, 2))
    values[4:7, 0] = 0.5
    borders = measure_borders(values, mask)
    assert (borders.count, borders.velocity, borders.worst, borders.usual_velocity) == (2, 0.5, 0.5, 0.0)
    assert "2 borders" in str(borders)
    assert str(measure_borders(values, np.ones((10, 2)))) == "no borders in time"


@pytest.mark.parametrize("prediction", ["epsilon", "sample", "v_prediction"])
def test_predictions_are_kept_to_possible_coefficients_and_exact_ones_are_left_alone(prediction):
    schedule = make_schedule(DiffusionConfig(prediction=prediction), SamplerConfig(steps=10))
    rng = torch.Generator().manual_seed(0)
    clean, noise = torch.rand(1, 4, 3, generator=rng), torch.randn(1, 4, 3, generator=rng)
    for step in (0, 4, 9):
        signal, spread, timestep = schedule.signal[step], schedule.noise[step], schedule.timesteps[step]
        x = signal * clean + spread * noise

        def predicted(coefficients, x=x, signal=signal, spread=spread):
            eps = (x - signal * coefficients) / spread
            forms = {"epsilon": eps, "sample": coefficients, "v_prediction": signal * eps - spread * coefficients}
            return forms[prediction]

        # Round-off in the noise counts 1 / signal times, and in v not at all.
        close = {"rtol": 0, "atol": 1e-3}
        torch.testing.assert_close(schedule.thresholded(predicted(clean), x, timestep), predicted(clean), **close)
        outside = schedule.thresholded(predicted(clean + 2.0), x, timestep)
        torch.testing.assert_close(outside, predicted(torch.ones_like(clean)), **close)
    authors = make_schedule(DiffusionConfig(), SamplerConfig("said-ddim", 10))
    assert authors.thresholded(noise, clean, authors.timesteps[0]) is noise
