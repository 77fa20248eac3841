"""Training: exact augmentation, losses by hand, real learning, and a resumed run that ends where it would have."""

from __future__ import annotations

import csv
import math
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")
pytest.importorskip("diffusers")

import shard_builders  # noqa: E402

from blendvoca.arkit import BLENDVOCA_NAMES, mirror_permutation  # noqa: E402
from blendvoca.audio import Waveform  # noqa: E402
from blendvoca.dataset import BlendVOCA  # noqa: E402
from blendvoca.errors import (  # noqa: E402
    AudioError,
    ConfigurationError,
    FormatError,
    IntegrityError,
    MissingInputError,
    OutputError,
    SolverError,
)
from said_model.audio_encoder.features import FeatureCache, Shifts, encode, encoder_key, shifted  # noqa: E402
from said_model.audio_encoder.log_mel import LogMelEncoder  # noqa: E402
from said_model.checkpoints import folder as checkpoint  # noqa: E402
from said_model.checkpoints.folder import read_sampler  # noqa: E402
from said_model.config import SAMPLE_RATE, EncoderConfig, SamplerConfig  # noqa: E402
from said_model.training.engine import Engine  # noqa: E402
from said_model.training.losses import Aperture, diffusion_loss  # noqa: E402
from said_model.training.recipes import said_recipe  # noqa: E402
from said_model.training.run_folder import only_run  # noqa: E402
from said_model.training.settings import AugmentConfig, LoopConfig, LossConfig  # noqa: E402
from said_model.training.tasks.said import SaidTask, train, training_clips  # noqa: E402
from said_model.training.windows import TrainingClip, WindowSource  # noqa: E402

SMALL = {"width": 32, "batch": 4, "frames": 24, "learning_rate": 2e-3, "warmup": 5, "evaluate_every": 4, "ema": 0.9}


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shards")
    shard_builders.dataset(folder, ("alice", "bob", "carol", "dave"), frames=40)
    return folder


@pytest.fixture
def clips():
    rng = np.random.default_rng(0)
    made = []
    for number in range(3):
        values = rng.uniform(size=(30 + number, 32)).astype(np.float32)
        samples = rng.normal(size=round(len(values) / 60 * SAMPLE_RATE)).astype(np.float32)
        made.append(TrainingClip(values, None, samples, number))
    return made


def test_shifts_move_the_sound_by_up_to_a_sixtieth_of_a_second():
    assert Shifts(5).samples == (-267, -133, 0, 133, 267)
    assert Shifts(1).samples == (0,)
    samples = np.arange(10, dtype=np.float32) + 1
    np.testing.assert_array_equal(shifted(samples, 3), [0, 0, 0, 1, 2, 3, 4, 5, 6, 7])
    np.testing.assert_array_equal(shifted(samples, -3), [4, 5, 6, 7, 8, 9, 10, 0, 0, 0])
    # A sound shorter than its shift is silence.
    assert not shifted(samples[:5], 8).any() and not shifted(samples[:5], -8).any()
    with pytest.raises(ConfigurationError, match="1, 3, 5"):
        Shifts(2)


@pytest.mark.parametrize("surplus", [-2000, 3000])
def test_features_stay_in_step_where_the_sound_ends_early_or_late(shards, surplus):
    """Recordings are a little longer or shorter than the motion: features must not be spread over the difference."""

    class Recordings(BlendVOCA):
        def __getitem__(self, key):
            clip, tail = super().__getitem__(key), np.full(surplus, 0.1, np.float32) if surplus > 0 else ()
            samples = np.append(clip.waveform.samples[: min(surplus, 0) or None], tail).astype(np.float32)
            return replace(clip, waveform=Waveform(samples, SAMPLE_RATE))

    dataset = Recordings(shards, "validation", audio_rate=SAMPLE_RATE)
    cache = FeatureCache(shards, LogMelEncoder(), "log-mel", shifts=Shifts(1))
    for row in range(len(dataset)):
        cache.path(dataset, row).unlink(missing_ok=True)
    assert cache.fill(dataset) == len(dataset)
    found = cache.read(dataset, 0)[0]
    for row in range(len(dataset)):
        cache.path(dataset, row).unlink()
    clip = BlendVOCA(shards, "validation", audio_rate=SAMPLE_RATE)[0]
    exact = clip.waveform.samples.copy()
    if surplus < 0:
        exact[surplus:] = 0.0
    expected = encode(LogMelEncoder(), exact, len(clip.track))
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_cached_features_are_the_encoder_s_own(shards):
    encoder = LogMelEncoder()
    dataset = BlendVOCA(shards, "train", audio_rate=SAMPLE_RATE)
    cache = FeatureCache(shards, encoder, "log-mel")
    assert cache.fill(dataset) in (0, len(dataset))
    assert cache.fill(dataset) == 0
    clip = dataset[1]
    for place, by in enumerate(Shifts().samples):
        expected = encode(encoder, shifted(clip.waveform.samples, by), len(clip.track))
        np.testing.assert_allclose(cache.read(dataset, 1)[place], expected, atol=2e-3)
    # Between cached shifts nothing surprising happens: half way lies near the mean of its neighbours.
    between = encode(encoder, shifted(clip.waveform.samples, 66), len(clip.track))
    neighbours = cache.read(dataset, 1)[2:4].astype(float)
    spread = np.abs(neighbours[0] - neighbours[1]).mean()
    assert np.abs(between - neighbours.mean(axis=0)).mean() < spread


def test_the_key_covers_settings_weights_and_shifts():
    encoder = LogMelEncoder()
    key = encoder_key(encoder, "log-mel", 60, Shifts(5))
    assert key == encoder_key(LogMelEncoder(), "log-mel", 60, Shifts(5))
    layer = torch.nn.Linear(2, 2)
    keys = {key, encoder_key(encoder, "log-mel", 30, Shifts(5)), encoder_key(encoder, "log-mel", 60, Shifts(3))}
    keys |= {encoder_key(layer, "x", 60, Shifts(1))}
    with torch.no_grad():
        layer.weight[0, 0] += 1e-6
    assert len(keys | {encoder_key(layer, "x", 60, Shifts(1))}) == 5


def test_a_damaged_cache_is_refused(shards):
    dataset = BlendVOCA(shards, "test", audio_rate=SAMPLE_RATE)
    cache = FeatureCache(shards, LogMelEncoder(), "log-mel", shifts=Shifts(1))
    cache.fill(dataset)
    path = cache.path(dataset, 0)
    np.save(path, np.zeros((1, 3, 4), np.float16))
    with pytest.raises(IntegrityError, match="another shape"):
        cache.read(dataset, 0)
    path.write_bytes(b"no array")
    with pytest.raises(IntegrityError, match="said features"):
        cache.read(dataset, 0)
    # What the error advises mends it.
    assert cache.fill(dataset) == 1
    assert cache.read(dataset, 0).shape == (1, dataset.entry(0).frames, 512)


def source_of(clips, names=BLENDVOCA_NAMES, **settings):
    return WindowSource(clips, names, AugmentConfig(**settings), SAMPLE_RATE, 60.0)


def one(source, step, size, seed=0):
    """Return one step of what is drawn, and its windows."""
    drawn = {name: value[0] for name, value in source.draw(step, 1, size, seed).items()}
    return drawn, source.cut(drawn)


def test_windows_pair_sound_with_motion_and_never_touch_the_clip(clips):
    before = [clip.values.copy() for clip in clips]
    order = mirror_permutation(BLENDVOCA_NAMES)
    drawn, batch = one(source_of(clips, frames=20, shift_probability=0.0, mirror_probability=1.0), 3, 6, 1)
    for row in range(6):
        clip, start = clips[int(drawn["clip"][row])], int(drawn["start"][row])
        np.testing.assert_array_equal(batch.coefficients[row], clip.values[start : start + 20, order])
        first = round(start * SAMPLE_RATE / 60)
        np.testing.assert_array_equal(batch.waveform[row], clip.samples[first : first + batch.waveform.shape[1]])
    assert len(set(drawn["start"].tolist())) > 1
    for clip, values in zip(clips, before):
        np.testing.assert_array_equal(clip.values, values)


def test_shifted_sound_is_the_clip_s_shifted_sound(clips):
    drawn, batch = one(source_of(clips, frames=20, shift_probability=1.0, mirror_probability=0.0), 0, 6)
    assert len(set(drawn["shift"].tolist())) > 3 and drawn["shift"].abs().max() <= 267
    for row in range(6):
        clip = clips[int(drawn["clip"][row])]
        first = round(int(drawn["start"][row]) * SAMPLE_RATE / 60)
        expected = shifted(clip.samples, int(drawn["shift"][row]))[first : first + batch.waveform.shape[1]]
        np.testing.assert_array_equal(batch.waveform[row, : len(expected)], expected)


def test_names_with_an_unpaired_side_are_not_mirrored(clips):
    names = (*(name for name in BLENDVOCA_NAMES if name != "jawLeft"), "other")
    drawn, batch = one(source_of(clips, names, frames=20, mirror_probability=1.0), 0, 3)
    for row in range(3):
        start = int(drawn["start"][row])
        np.testing.assert_array_equal(batch.coefficients[row], clips[drawn["clip"][row]].values[start : start + 20])


def test_every_clip_is_drawn_once_an_epoch_whatever_the_block(clips):
    """A step draws the same alone, in a block of any size, and after anything else."""
    source = source_of(clips, frames=20)
    together = source.draw(5, 8, 2, 3)
    # Two windows a step of three clips: every three consecutive places from a multiple of three on are an epoch.
    flat = source.draw(0, 9, 2, 3)["clip"].flatten().tolist()
    assert all(sorted(flat[at : at + 3]) == [0, 1, 2] for at in range(0, 18, 3))
    assert len({tuple(flat[at : at + 3]) for at in range(0, 18, 3)}) > 1
    for step in range(5, 13):
        alone = source_of(clips, frames=20).draw(step, 1, 2, 3)
        assert all(torch.equal(alone[name][0], together[name][step - 5]) for name in alone)
    assert not torch.equal(source.draw(5, 8, 2, 3, rank=1)["start"], together["start"])


def test_clips_with_replacement_windows_over_the_ends_and_of_random_length(clips):
    many = source_of(clips, frames=20, replacement=True).draw(0, 40, 3, 0)["clip"]
    assert any(len(set(row)) < 3 for row in many.tolist())
    source = source_of(clips, frames=20, overhang=True, mirror_probability=0.0)
    starts = source.draw(0, 200, 3, 0)["start"]
    assert starts.min() == -19 and starts.max() >= 29
    drawn, batch = next(pair for pair in (one(source, step, 3) for step in range(99)) if pair[0]["start"][0] < 0)
    first = -int(drawn["start"][0])
    clip = clips[drawn["clip"][0]]
    np.testing.assert_array_equal(batch.coefficients[0, :first], np.repeat(clip.values[:1], first, axis=0))
    assert batch.mask.all() and not batch.waveform[0, : int(first * SAMPLE_RATE / 60) - 300].any()
    random = source_of(clips, frames=20, random_length=True)
    lengths = [one(random, step, 2)[1].coefficients.shape[1] for step in range(60)]
    assert min(lengths) == 20 and 30 <= max(lengths) <= 31
    for step in range(10):
        drawn, batch = one(random, step, 2)
        assert batch.coefficients.shape[1] <= min(len(clips[clip].values) for clip in drawn["clip"].tolist())


def test_one_view_is_drawn_for_each_window():
    rng = np.random.default_rng(0)
    clip = TrainingClip(np.zeros((30, 32), np.float32), rng.normal(size=(5, 30, 3)).astype(np.float16), None, 0,
                        rng.normal(size=(4, 30, 3)).astype(np.float16))  # fmt: skip
    source = source_of([clip], frames=20)
    rows = source.draw(0, 400, 2, 0)["row"]
    share = torch.bincount(rows.flatten(), minlength=9) / rows.numel()
    # A fifth of the windows has each further view; half of the clean ones are unshifted, and a fifth of the others.
    assert (share[5:] - 0.2).abs().max() < 0.05 and abs(share[2] - 0.2 * 0.6) < 0.04 and share[:2].min() > 0
    drawn, batch = one(source, 1, 8)
    everything = np.concatenate([clip.features, clip.views])
    for row in range(8):
        start = int(drawn["start"][row])
        np.testing.assert_array_equal(batch.features[row], everything[drawn["row"][row], start : start + 20])
    # Where sound must not be moved, neither are the views: every second one is.
    unmoved = source_of([clip], frames=20, shift_probability=0.0).draw(0, 100, 2, 0)["row"]
    assert set(unmoved.flatten().tolist()) == {2, 5, 7}


def test_short_clips_are_filled_and_masked(clips):
    _, batch = one(source_of(clips[:1], frames=40, shift_probability=0, mirror_probability=0), 0, 1)
    assert batch.mask.sum() == 30
    torch.testing.assert_close(batch.coefficients[0, 30:], batch.coefficients[0, 29:30].expand(10, -1))
    assert not batch.waveform[0, -1]


@pytest.mark.parametrize("error", ["absolute", "squared"])
def test_loss_is_the_paper_s(error):
    rng = torch.Generator().manual_seed(0)
    prediction, target = torch.randn(2, 6, 3, generator=rng), torch.randn(2, 6, 3, generator=rng)
    mask = torch.ones(2, 6, dtype=torch.bool)
    mask[1, 4:] = False
    losses = diffusion_loss(LossConfig(error, 0.5), prediction, target, mask)
    power = 1 if error == "absolute" else 2
    noise = [abs(float(prediction[b, n, k] - target[b, n, k])) ** power
             for b in range(2) for n in range(6 if b == 0 else 4) for k in range(3)]  # fmt: skip
    miss = prediction - target
    velocity = [abs(float(miss[b, n + 1, k] - miss[b, n, k])) ** power
                for b in range(2) for n in range(5 if b == 0 else 3) for k in range(3)]  # fmt: skip
    assert float(losses["noise"]) == pytest.approx(np.mean(noise), rel=1e-6)
    assert float(losses["loss"]) == pytest.approx(np.mean(noise) + 0.5 * np.mean(velocity), rel=1e-6)


@pytest.mark.parametrize(("error", "least"), [("absolute", 0.0), ("squared", 0.2)])
def test_a_shape_mostly_at_rest_has_its_least_absolute_error_at_rest(error, least):
    """Why short trainings take the squared error: the median of a shape that moves in a fifth of the frames is 0."""
    target = torch.zeros(1, 100, 1)
    target[:, 80:] = 1.0
    guesses = torch.linspace(0, 1, 51)
    losses = [
        float(diffusion_loss(LossConfig(error), guess.expand_as(target), target, torch.ones(1, 100) > 0)["loss"])
        for guess in guesses
    ]
    assert float(guesses[int(np.argmin(losses))]) == pytest.approx(least)


def test_a_checkpoint_is_drawn_from_with_the_guidance_of_its_training(shards, tmp_path):
    for guidance, out in ((None, tmp_path / "paper"), (0.25, tmp_path / "own")):
        options = {} if guidance is None else {"guidance": guidance}
        recipe = said_recipe(shards, steps=1, prediction="sample", **SMALL, **options)
        train(shards, out, recipe.config, network=recipe.network, device="cpu")
    assert read_sampler(tmp_path / "paper") == SamplerConfig("dpm", guidance_scale=2.0)
    assert read_sampler(tmp_path / "own") == SamplerConfig("dpm", guidance_scale=0.25)


def test_lips_that_should_touch_count_by_themselves():
    names, rng = ("mouthClose", "mouthSmileLeft", "jawOpen"), torch.Generator().manual_seed(0)
    prediction, target = torch.randn(2, 6, 3, generator=rng), torch.randn(2, 6, 3, generator=rng)
    mask = torch.ones(2, 6, dtype=torch.bool)
    mask[1, 4:] = False
    aperture = Aperture.of(target.flatten(0, 1).numpy(), names)
    parted = [(p[2] - p[0]) - (t[2] - t[0]) for p, t in zip(prediction[mask], target[mask])]
    plain, lips = (diffusion_loss(LossConfig(lip_weight=weight), prediction, target, mask, None, aperture)["loss"]
                   for weight in (0.0, 2.0))  # fmt: skip
    spread = float((target[..., 2] - target[..., 0]).std(correction=0))
    assert float(lips - plain) == pytest.approx(2 * np.mean(np.abs(parted)) / spread, rel=1e-5)
    assert Aperture.of(np.zeros((4, 1)), ("jawOpen",)) is None


def test_closures_count_more_and_lips_close_at_a_smaller_chance():
    names, mask = ("jawOpen", "mouthClose"), torch.ones(1, 100, dtype=torch.bool)
    # Four of ten times the lips touch, and nothing tells when.
    truth = torch.tensor([[0.3, 0.3]] * 40 + [[0.3, 0.0]] * 60)[None]
    aperture = Aperture.of(truth[0].numpy(), names)

    def loss(close, weight):
        guess = torch.tensor([0.3, close]).expand_as(truth)
        config = LossConfig(lip_weight=1e3, closure_weight=weight)
        return float(diffusion_loss(config, guess, truth, mask, None, aperture, truth)["loss"])

    assert loss(0.0, 1.0) < loss(0.15, 1.0) < loss(0.3, 1.0)
    assert loss(0.3, 2.0) < loss(0.15, 2.0) < loss(0.0, 2.0)
    with pytest.raises(ConfigurationError, match="weight of closures"):
        LossConfig(closure_weight=0.0)


def test_a_resumed_run_ends_where_an_undisturbed_one_does(shards, tmp_path):
    def weights(out, *lengths):
        for steps in lengths:
            recipe = said_recipe(shards, steps=steps, **SMALL)
            train(shards, out, recipe.config, network=recipe.network, device="cpu")
        return torch.load(out / "state.pt", weights_only=True)

    whole, parts = weights(tmp_path / "whole", 12), weights(tmp_path / "parts", 4, 12)
    assert whole["step"] == parts["step"] == 12
    for name, value in whole["module"].items():
        torch.testing.assert_close(parts["module"][name], value, rtol=0, atol=0)
    for mine, other in zip(whole["average"], parts["average"]):
        torch.testing.assert_close(mine, other, rtol=0, atol=0)


def test_a_run_that_was_killed_begins_again_or_goes_on(shards, tmp_path, monkeypatch):
    def go(steps=8):
        recipe = said_recipe(shards, steps=steps, **SMALL)
        config = replace(recipe.config, loop=replace(recipe.config.loop, log_every=1))
        return train(shards, tmp_path / "run", config, network=recipe.network, device="cpu")

    def killed_at(step):
        def one_step(self, drawn):
            if next(calls) == step:
                raise KeyboardInterrupt
            before(self, drawn)

        before, calls = Engine.step, iter(range(99))
        with monkeypatch.context() as patch:
            patch.setattr(Engine, "step", one_step)
            with pytest.raises(KeyboardInterrupt):
                go()

    killed_at(2)  # before the first state
    assert not (tmp_path / "run" / "state.pt").exists()
    killed_at(6)  # after it, at step 4: steps 5 and 6 are reported already
    assert go().steps == 8
    rows = list(csv.DictReader((tmp_path / "run" / "log.csv").open()))
    assert [int(row["step"]) for row in rows] == list(range(1, 9))


def test_a_run_whose_files_are_damaged_says_so(shards, tmp_path):
    recipe = said_recipe(shards, steps=4, **SMALL)
    train(shards, tmp_path / "run", recipe.config, device="cpu")
    state, settings = tmp_path / "run" / "state.pt", tmp_path / "run" / "training.json"
    state.write_bytes(state.read_bytes()[:5000])
    with pytest.raises(FormatError, match="delete this file"):
        train(shards, tmp_path / "run", recipe.config, device="cpu")
    settings.write_text("{")
    with pytest.raises(FormatError, match="settings of the run"):
        train(shards, tmp_path / "run", recipe.config, device="cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize(("device", "complaint"), [("cuda", "no CUDA device"), ("gpu", "unknown device")])
def test_a_training_is_never_moved_to_another_device_in_silence(shards, tmp_path, device, complaint):
    recipe = said_recipe(shards, steps=1, **SMALL)
    with pytest.raises(ConfigurationError, match=complaint):
        train(shards, tmp_path / "run", recipe.config, device=device)


def test_an_encoder_without_weights_cannot_be_fine_tuned(shards):
    with pytest.raises(ConfigurationError, match="no weights to fine-tune"):
        said_recipe(shards, finetune_encoder=True, **SMALL)


def test_two_trainings_never_share_a_folder(shards, tmp_path):
    recipe = said_recipe(shards, steps=1, **SMALL)
    with only_run(tmp_path / "run"), pytest.raises(OutputError, match="another training"):
        train(shards, tmp_path / "run", recipe.config, device="cpu")
    train(shards, tmp_path / "run", recipe.config, device="cpu")


def test_a_full_disk_is_said(shards, tmp_path, monkeypatch):
    def full(state, path):
        raise RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 1878976 vs 1878868")

    recipe = said_recipe(shards, steps=1, **SMALL)
    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OutputError, match="Free some space"):
        train(shards, tmp_path / "run", recipe.config, device="cpu")


def test_weights_that_are_no_numbers_never_reach_the_state(shards, tmp_path, monkeypatch):
    recipe = said_recipe(shards, steps=4, **SMALL)
    monkeypatch.setattr(SaidTask, "validate", lambda self: float("nan"))
    with pytest.raises(SolverError, match="diverged"):
        train(shards, tmp_path / "run", recipe.config, device="cpu")
    assert not (tmp_path / "run" / "state.pt").exists()


def test_training_learns_keeps_the_best_and_logs(shards, tmp_path):
    recipe = said_recipe(shards, steps=60, **{**SMALL, "evaluate_every": 20})
    reports = []
    outcome = train(shards, tmp_path / "run", recipe.config, on_report=reports.append, device="cpu")
    chance = math.sqrt(2 / math.pi) + 2 / math.sqrt(math.pi)
    assert outcome.best_validation < 0.9 * chance
    assert reports[-1].step == 60
    record = checkpoint.read_record(tmp_path / "run")
    assert record["notes"]["validation"] == pytest.approx(outcome.best_validation)
    network = checkpoint.load(tmp_path / "run")
    assert network.config.names == BLENDVOCA_NAMES
    rows = list(csv.DictReader((tmp_path / "run" / "log.csv").open()))
    assert [row["step"] for row in rows] == ["50", "60"]


def first_step(task):
    return {name: value[0] for name, value in task.draw(0, 1).items()}


def test_the_frozen_encoder_gets_no_gradient_and_stays_in_evaluation_mode(shards):
    recipe = said_recipe(shards, steps=1, encoder_input="window", **SMALL)
    dataset = BlendVOCA(shards, "train", audio_rate=SAMPLE_RATE)
    encoder = torch.nn.Linear(1, 512)
    encoder.forward = lambda waveform, frames: torch.nn.functional.linear(waveform[:, :frames, None], encoder.weight)
    encoder.feature_dim = 512
    recipe.network.audio_encoder = encoder
    clips = training_clips(dataset, recipe.config.model.names, None)
    task = SaidTask(recipe.network, recipe.config, clips, clips)
    task.module.train()
    task.loss(first_step(task))["loss"].backward()
    assert encoder.weight.grad is None
    assert not encoder.training
    assert recipe.network.null_cond_emb.requires_grad
    tuned = SaidTask(recipe.network, replace(recipe.config, finetune_encoder=True), clips, clips)
    encoder.weight.requires_grad_(True)
    # The published output convolutions start at zero and let no gradient through: give them weights.
    with torch.no_grad():
        for name, value in recipe.network.denoiser.named_parameters():
            if not value.any():
                value.normal_(generator=torch.Generator().manual_seed(len(name)))
    tuned.loss(first_step(tuned))["loss"].backward()
    assert encoder.weight.grad.abs().sum() > 0


def test_the_scale_multiplies_the_coefficients_that_are_noised(shards):
    """A network that predicts clean coefficients of zero misses by what it should have said."""
    found = {}
    for scale in (1.0, 8.0):
        config = said_recipe(shards, prediction="sample", scale=scale, **SMALL).config
        clips = [TrainingClip(np.full((40, len(config.model.names)), 0.1, np.float32),
                              np.zeros((5, 40, 512), np.float16), None, 0)]  # fmt: skip
        task = SaidTask(said_recipe(shards, **SMALL).network, config, clips, clips)
        task.module = lambda noisy, timesteps, audio, bands: torch.zeros_like(noisy)
        found[scale] = float(task.loss(first_step(task))["noise"])
    assert found[1.0] == pytest.approx(0.1)
    assert found[8.0] == pytest.approx(0.8)


def test_the_learning_rate_warms_up_and_falls_as_a_cosine(shards, tmp_path):
    loop = LoopConfig(steps=100, learning_rate=2.0, warmup=10, decay="cosine")
    rates = np.array([loop.rate_at(step) for step in range(100)])
    assert rates[0] == pytest.approx(0.2)
    assert rates[50] == pytest.approx(1.0)
    assert rates[99] < 1e-3
    assert (np.diff(rates[9:]) < 0).all()
    assert LoopConfig(steps=100, learning_rate=2.0, warmup=10).rate_at(99) == 2.0
    train(shards, tmp_path / "run", said_recipe(shards, steps=4, decay="cosine", **SMALL).config, device="cpu")
    longer = said_recipe(shards, steps=8, decay="cosine", **SMALL)
    with pytest.raises(ConfigurationError, match="other settings"):
        train(shards, tmp_path / "run", longer.config, device="cpu")


def test_divergence_is_an_error_and_other_settings_are_refused(shards, tmp_path):
    recipe = said_recipe(shards, steps=4, **SMALL)
    train(shards, tmp_path / "run", recipe.config, device="cpu")
    other = said_recipe(shards, steps=4, **{**SMALL, "batch": 2})
    with pytest.raises(ConfigurationError, match="other settings"):
        train(shards, tmp_path / "run", other.config, device="cpu")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("dear")
    with pytest.raises(OutputError, match="something else"):
        train(shards, tmp_path / "full", recipe.config, device="cpu")
    broken = said_recipe(shards, steps=4, **SMALL)
    with torch.no_grad():
        next(broken.network.denoiser.parameters()).fill_(float("nan"))
    with pytest.raises(SolverError, match="diverged"):
        train(shards, tmp_path / "nan", broken.config, network=broken.network, device="cpu")


def test_bad_shards_are_refused(shards, tmp_path):
    shard_builders.dataset(tmp_path / "mute", ("alice", "bob", "carol"), audio=False)
    recipe = said_recipe(tmp_path / "mute", steps=1, **SMALL)
    with pytest.raises(AudioError, match="blendvoca complete"):
        train(tmp_path / "mute", tmp_path / "run", recipe.config, device="cpu")
    good = said_recipe(shards, steps=1, **SMALL).config
    with pytest.raises(ConfigurationError, match="other blendshapes"):
        training_clips(BlendVOCA(shards, "train"), (*good.model.names[:-1], "tongueOut"), None)
    with pytest.raises(MissingInputError):
        said_recipe(tmp_path / "none", steps=1)
    assert EncoderConfig().name == "log-mel"
