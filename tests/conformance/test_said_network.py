"""The network and the authors' sampler against numbers computed elsewhere; every size comes from the files."""

from __future__ import annotations

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="pip install 'blendvoca[said]' to run this test")
pytest.importorskip("transformers", reason="pip install 'blendvoca[said]' to run this test")

from reference.said_plain import denoise as plain_denoise  # noqa: E402
from reference.said_plain import guided_step as plain_guided_step  # noqa: E402
from reference.said_weights import reference_state  # noqa: E402

from blendvoca.audio import Waveform  # noqa: E402
from blendvoca.track import CoefficientTrack  # noqa: E402
from said_model import SAiD  # noqa: E402
from said_model.checkpoints.authors import network_of  # noqa: E402
from said_model.checkpoints.state_dict import read_weights  # noqa: E402
from said_model.config import SamplerConfig  # noqa: E402
from said_model.diffusion.guidance import guided  # noqa: E402
from said_model.diffusion.sampler import InpaintingConstraint, sample  # noqa: E402
from said_model.diffusion.schedule import alpha_bars, make_schedule  # noqa: E402
from said_model.network.guided import GuidedDenoiser  # noqa: E402
from said_model.synthesis.clip import Drawing  # noqa: E402
from said_model.synthesis.settings import PAPER  # noqa: E402


def arrays(folder, name):
    with np.load(folder / name) as content:
        return {key: torch.from_numpy(np.asarray(content[key])) for key in content}


@pytest.fixture(scope="module")
def shapes(conformance):
    return json.loads((conformance / "said_keys_tiny.json").read_text())


@pytest.fixture(scope="module")
def settings(conformance):
    return json.loads((conformance / "wav2vec2_tiny_config.json").read_text())


@pytest.fixture(scope="module")
def network(shapes, settings):
    return network_of(reference_state(shapes), settings)


@pytest.fixture(scope="module")
def forward(conformance):
    return arrays(conformance, "said_forward.npz")


@pytest.fixture(scope="module")
def sampling(conformance):
    return arrays(conformance, "said_sampling.npz")


def largest(difference):
    return float(difference.abs().max())


def test_names_and_shapes_are_the_published_ones(shapes, network):
    assert {key: list(value.shape) for key, value in network.state_dict().items()} == shapes


@pytest.mark.parametrize("spelling", ["parametrized", "older"])
def test_an_authors_file_loads_without_missing_or_left_over_keys(shapes, settings, spelling, tmp_path):
    state = reference_state(shapes)
    if spelling == "older":
        state = {
            key.replace("parametrizations.weight.original0", "weight_g").replace(
                "parametrizations.weight.original1", "weight_v"
            ): value
            for key, value in state.items()
        }
    assert any(key.endswith("weight_g") for key in state) == (spelling == "older")
    torch.save(state, tmp_path / "SAiD.pth")
    loaded = network_of(read_weights(tmp_path / "SAiD.pth"), settings).state_dict()
    for key, value in reference_state(shapes).items():
        assert torch.equal(loaded[key], value), key


def test_encoder(network, forward):
    with torch.inference_mode():
        features = network.encode(forward["waveform"], forward["noisy"].shape[1])
    assert largest(features - forward["audio_features"]) <= 2e-5


@pytest.mark.parametrize(("context", "expected"), [("audio_features", "eps"), ("context_short", "eps_short")])
def test_denoiser(network, shapes, forward, context, expected):
    noisy, timesteps, audio = forward["noisy"], forward["timesteps"], forward[context]
    with torch.inference_mode():
        assert largest(network(noisy, timesteps, audio) - forward[expected]) <= 2e-5
        plain = plain_denoise(reference_state(shapes), noisy, timesteps, audio)
    assert largest(plain - forward[expected]) <= 2e-5


@pytest.mark.parametrize(("context", "expected"), [("audio_features", "eps"), ("context_short", "eps_short")])
def test_denoiser_laid_out_for_sampling(network, forward, context, expected):
    for row, timestep in enumerate(forward["timesteps"].tolist()):
        denoiser = GuidedDenoiser(network).condition(forward[context][row : row + 1], forward["noisy"].shape[1])
        conditional, _ = denoiser.pair(forward["noisy"][row : row + 1], float(timestep))
        assert largest(conditional - forward[expected][row : row + 1]) <= 2e-5


def authors_setting(sampling):
    return SamplerConfig("said-ddim", int(sampling["steps"]), float(sampling["guidance"]))


def test_noise_levels(network, sampling):
    assert largest(alpha_bars(network.config.diffusion) - sampling["alphas_cumprod"]) == 0
    schedule = make_schedule(network.config.diffusion, authors_setting(sampling))
    assert list(schedule.timesteps) == sampling["timesteps"].tolist()


@pytest.fixture(scope="module", params=["as trained", "laid out for sampling"])
def denoise(request, network, sampling):
    """The guided denoiser of the sampling file, both ways that the network can be run."""
    frames = sampling["start_noise"].shape[1]
    with torch.inference_mode():
        audio = network.encode(sampling["waveform"], frames)
    if request.param == "laid out for sampling":
        return guided(GuidedDenoiser(network).condition(audio, frames).pair, float(sampling["guidance"]))
    null = network.null_features(*audio.shape[:2])

    def pair(x, timestep):
        timesteps = torch.full((len(x),), timestep)
        return network(x, timesteps, audio), network(x, timesteps, null)

    return guided(pair, float(sampling["guidance"]))


@torch.inference_mode()
def test_sampling(network, sampling, denoise):
    schedule = make_schedule(network.config.diffusion, authors_setting(sampling))
    assert largest(sample(denoise, schedule, sampling["start_noise"]) - sampling["generated"]) <= 2e-4


@torch.inference_mode()
def test_editing(network, sampling, denoise):
    schedule = make_schedule(network.config.diffusion, authors_setting(sampling))
    kept = InpaintingConstraint(sampling["reference"], sampling["mask"], sampling["edit_noise"])
    start = schedule.noised(kept.reference, kept.noise, 0)
    edited = sample(denoise, schedule, start, kept)
    assert largest(edited - sampling["edited"]) <= 2e-4
    assert largest((edited - kept.reference) * kept.mask) == 0


class TestPaperPreset:
    """``--preset paper`` through the model itself, against the files and against a loop that is written out here."""

    @pytest.fixture
    def model(self, network):
        return SAiD(network)

    @pytest.fixture
    def noise(self, monkeypatch, sampling):
        def put(name):
            monkeypatch.setattr(Drawing, "noise", lambda self, seeds, n_frames, number=0: sampling[name])

        return put

    def test_sampling(self, model, sampling, noise):
        noise("start_noise")
        sound = Waveform(sampling["waveform"][0].numpy(), 16_000)
        track = model.sample(sound, sampler=authors_setting(sampling), conventions=PAPER)
        assert largest(torch.tensor(track.values) - sampling["generated"][0]) <= 2e-4

    def test_editing(self, model, sampling, noise):
        noise("edit_noise")
        sound = Waveform(sampling["waveform"][0].numpy(), 16_000)
        track = CoefficientTrack(sampling["reference"][0].double().numpy(), model.config.names, 60.0)
        mask = sampling["mask"][0].numpy()
        (edited,) = model.edit(track, sound, mask, sampler=authors_setting(sampling), conventions=PAPER)
        assert largest(torch.tensor(edited.track.values) - sampling["edited"][0]) <= 2e-4
        (ours,) = model.edit(track, sound, mask, sampler=authors_setting(sampling))
        assert largest(torch.tensor(ours.track.values) - sampling["edited"][0]) > 1e-2

    @pytest.mark.parametrize("guidance", [1.0, 2.0])
    def test_a_long_clip_of_an_odd_length(self, model, network, shapes, sampling, guidance):
        sound = (0.2 + 0.1 * np.random.default_rng(0).standard_normal(85_300)).astype(np.float32)
        steps, n_frames = 4, 321
        track = model.sample(Waveform(sound, 16_000), 3, SamplerConfig("said-ddim", steps, guidance), None, PAPER)
        padded = np.append(sound, np.zeros(300)).astype(np.float64)
        normal = torch.from_numpy((padded - padded.mean()) / np.sqrt(padded.var() + 1e-7)).float()[None]
        weights, levels = reference_state(shapes), sampling["alphas_cumprod"].double()
        x = torch.randn((n_frames, 32), generator=torch.Generator().manual_seed(3))[None]
        with torch.inference_mode():
            audio = network.encode(normal, n_frames)
            for timestep in range(1000 - 1000 // steps, -1, -1000 // steps):
                eps = plain_guided_step(weights, x, timestep, audio, guidance if guidance > 1 else 0.0)
                level, after = levels[timestep], levels[timestep - 250] if timestep >= 250 else torch.ones(()).double()
                clean = ((x - (1 - level).sqrt() * eps) / level.sqrt()).clamp(-1, 1)
                x = (after.sqrt() * clean + (1 - after).sqrt() * eps).float()
        assert len(track) == 319
        assert largest(torch.tensor(track.values) - x[0, :319].clamp(0, 1)) <= 2e-4
