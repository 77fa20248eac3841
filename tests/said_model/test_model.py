"""The user's entry point: sampling, editing and streaming with a tiny model, and what bad input gets."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="pip install 'blendvoca[said]' to run this test")
pytest.importorskip("diffusers", reason="pip install 'blendvoca[said]' to run this test")

from blendvoca.audio import Waveform  # noqa: E402
from blendvoca.errors import (  # noqa: E402
    AudioError,
    ConfigurationError,
    FormatError,
    InputError,
    MissingInputError,
    TrackError,
)
from blendvoca.track import CoefficientTrack  # noqa: E402
from said_model import SAiD, SamplerConfig  # noqa: E402
from said_model.audio_encoder.speech import features_of, load_speech  # noqa: E402
from said_model.checkpoints import folder as checkpoint  # noqa: E402
from said_model.config import DiffusionConfig, default_sampler  # noqa: E402
from said_model.diffusion.sections import Chain, WindowConfig  # noqa: E402
from said_model.model import pick_device  # noqa: E402
from said_model.synthesis.clip import out_of_memory  # noqa: E402
from said_model.synthesis.edit import build_mask, mask_of_track  # noqa: E402
from said_model.synthesis.settings import PAPER, Conventions, StreamConfig  # noqa: E402

FEW = SamplerConfig(steps=3)


def test_three_lines(tiny_model, babble, tmp_path):
    checkpoint.save(tmp_path / "run", tiny_model.network, {"made": "for a test"})
    model = SAiD.load(tmp_path / "run", device="cpu")
    track = model.sample(babble, seed=0, sampler=FEW)
    track.to_csv(tmp_path / "speech.csv")
    assert track.values.shape == (180, 32)
    assert track.fps == 60
    assert track.values.std() > 0.05
    assert np.array_equal(track.values, tiny_model.sample(babble, seed=0, sampler=FEW).values)
    assert checkpoint.read_record(tmp_path / "run")["notes"] == {"made": "for a test"}


def test_seeds_reproduce_whatever_is_drawn_beside_them(tiny_model, babble):
    alone = tiny_model.sample(babble, seed=4, sampler=FEW).values
    beside = [track.values for track in tiny_model.samples(babble, 3, seed=3, sampler=FEW)]
    assert np.allclose(alone, beside[1], atol=1e-4)
    assert all(np.abs(alone - other).max() > 0.1 for other in (beside[0], beside[2]))


def test_audio_matters_and_guidance_strengthens_it(tiny_model, babble):
    other = Waveform(babble.samples[::-1].copy(), babble.rate)
    distance = []
    for guidance in (0.0, 2.0):
        settings = SamplerConfig(steps=3, guidance_scale=guidance)
        one, two = (tiny_model.sample(sound, 1, settings).values for sound in (babble, other))
        distance.append(np.abs(one - two).mean())
    assert 0 < distance[0] < distance[1]


def test_any_rate_and_channels(tiny_model, babble, tmp_path):
    import soundfile

    stereo = np.repeat(babble.resampled(44_100).samples[:, None], 2, axis=1)
    soundfile.write(tmp_path / "speech.flac", stereo, 44_100)
    found = tiny_model.sample(tmp_path / "speech.flac", sampler=FEW).values
    assert found.shape == (180, 32)
    assert np.abs(found - tiny_model.sample(babble, sampler=FEW).values).mean() < 0.05


def test_long_clips_in_windows_and_sections(tiny_model, babble):
    windows = WindowConfig(frames=60, overlap=20, at_once=2)
    blended = tiny_model.sample(babble, sampler=FEW, windows=windows).values
    assert blended.shape == (180, 32)
    chained = tiny_model.sample(babble, sampler=FEW, windows=WindowConfig(60, 20, 2, section=100)).values
    assert chained.shape == (180, 32)
    assert not np.array_equal(blended, chained)


def test_features_in_chunks_are_those_of_the_whole(tiny_model, babble):
    speech = load_speech(babble)
    encoder = tiny_model.network.audio_encoder
    whole, chunked = (features_of(encoder, speech.samples, 180, chunk)[0] for chunk in (1000, 40))
    # The chunks end between two spectra, the whole does not: rounding of times is all that may differ.
    assert float((whole - chunked).abs().mean()) < 0.02 * float(whole.abs().mean())


@pytest.mark.parametrize("chunk", [400, 1600, 100_000])
def test_a_stream_gives_what_the_whole_clip_gives(tiny_model, babble, chunk):
    config = StreamConfig(Chain(past=20, hop=15, lookahead=10), context=0.2)
    expected = tiny_model.sample_like_stream(babble, config, seed=3, sampler=FEW).values
    streamer = tiny_model.stream(config, seed=3, sampler=FEW)
    samples, frames, late = babble.samples, [], 0.0
    for start in range(0, len(samples), chunk):
        frames.append(streamer.push(samples[start : start + chunk]))
        received = min(start + chunk, len(samples)) / 16_000
        late = max(late, received - sum(map(len, frames)) / 60 - chunk / 16_000)
    frames.append(streamer.finish())
    found = torch.cat(frames).numpy()
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 1e-5
    assert late <= config.latency(60.0) + 1e-9


def test_a_stream_hears_nothing_beyond_its_lookahead(tiny_model, babble):
    config = StreamConfig(Chain(past=20, hop=15, lookahead=10), context=0.2)
    changed = babble.samples.copy()
    changed[round(25 * 16_000 / 60) :] = 0.0  # all that follows the first section
    both = (torch.from_numpy(samples.copy()) for samples in (babble.samples, changed))
    first, other = (tiny_model.stream(config, 0, FEW).push(samples)[:15] for samples in both)
    assert torch.equal(first, other)


def test_editing_keeps_exactly_what_it_should(tiny_model, babble):
    track = tiny_model.sample(babble, sampler=FEW)
    order = list(reversed(track.names))
    track = CoefficientTrack(np.c_[track.select(order).values, np.linspace(0, 1, 180)], (*order, "tongueOut"), 60.0)
    mask = build_mask(180, track.names, 60.0, keep=["0:1.2"], pin=["jawOpen", "tongueOut"])
    one, two = tiny_model.edit(track, babble, mask, count=2, seed=8, sampler=FEW)
    for edited in (one, two):
        assert edited.track.names == track.names
        assert np.array_equal(edited.track.values[mask == 1], track.values[mask == 1])
        assert edited.borders.count == 31
    free = mask == 0
    free[:, -1] = False
    assert np.abs(one.track.values - two.track.values)[free].mean() > 0.05
    table = CoefficientTrack(mask[:, ::-1], tuple(reversed(track.names)), 60.0)
    assert np.array_equal(mask_of_track(table, track), mask)


def test_edits_keep_sound_and_frames_in_step(tiny_model, babble):
    """Sound that goes on after the track is not squeezed into it."""
    track = tiny_model.sample(babble, sampler=FEW)
    longer = Waveform(np.append(babble.samples, np.zeros(2400, np.float32)), 16_000)
    mask = build_mask(len(track), track.names, track.fps, keep=["0:1"])
    received = []
    features = tiny_model.features
    tiny_model.features = lambda speech, *place: received.append(speech) or features(speech, *place)
    tiny_model.edit(track, longer, mask, sampler=FEW)
    tiny_model.edit(track, Waveform(babble.samples[:-1600], 16_000), mask, sampler=FEW)
    assert [len(speech.samples) for speech in received] == [48_000, 48_000]
    assert float(received[1].samples[-1600:].abs().max()) == 0.0


def test_edits_that_cannot_be(tiny_model, babble):
    track = tiny_model.sample(babble, sampler=FEW)
    with pytest.raises(TrackError, match="differ in length"):
        tiny_model.edit(track, Waveform(babble.samples[:16_000], 16_000), 1.0)
    with pytest.raises(TrackError, match="lacks blendshapes of the model"):
        tiny_model.edit(track.select(track.names[1:]), babble, 1.0)
    with pytest.raises(TrackError, match="frame rate"):
        tiny_model.edit(track.resampled(30), babble, 1.0)
    for mask, error, complaint in (
        (np.ones(7), TrackError, "does not fit the track"),
        (np.full(track.values.shape, np.nan), InputError, "0 .generated. to 1"),
        (np.full(32, -1.0), InputError, "0 .generated. to 1"),
        (1.0, InputError, "nothing is left"),
    ):
        with pytest.raises(error, match=complaint):
            tiny_model.edit(track, babble, mask)
    with pytest.raises(ConfigurationError, match="nothing to draw"):
        tiny_model.edit(track, babble, 0.0, count=0)
    more = CoefficientTrack(np.c_[track.values, track.values[:, :1]], (*track.names, "tongueOut"), 60.0)
    with pytest.raises(InputError, match="nothing is left"):  # the model does not know this one
        tiny_model.edit(more, babble, build_mask(len(more), more.names, 60.0, redo=["tongueOut"]))
    with pytest.raises(TrackError, match="another length"):
        mask_of_track(track.resampled(50), track)


def tone(seconds, rate, gain=0.1):
    return Waveform(gain * np.sin(np.arange(max(round(seconds * rate), 1)) * 700 / rate).astype(np.float32), rate)


@pytest.mark.parametrize(
    ("sound", "frames", "note"),
    [
        (Waveform(np.zeros(16_000), 16_000), 60, "silent"),
        (Waveform(np.sign(tone(1, 16_000).samples), 16_000), 60, "clipped"),
        (tone(0.05, 16_000), 3, "too short"),
        (tone(1, 8_000), 60, "8000 Hz"),
        (tone(1e-4, 16_000), 1, "too short"),
        (tone(1, 48_000), 60, None),
    ],
)
def test_odd_sound_gives_sensible_motion_and_a_note(tiny_model, sound, frames, note):
    track = tiny_model.sample(sound, sampler=FEW)
    assert len(track) == frames
    assert np.isfinite(track.values).all()
    notes = " ".join(load_speech(sound).notes)
    assert note in notes if note else notes == ""


def test_sound_that_is_none(tiny_model, tmp_path):
    (tmp_path / "a.wav").write_text("no sound at all")
    with pytest.raises(FormatError, match=r"a.wav"):
        tiny_model.sample(tmp_path / "a.wav")
    with pytest.raises(MissingInputError):
        tiny_model.sample(tmp_path / "b.wav")
    with pytest.raises(AudioError):
        tiny_model.sample(Waveform(np.full(9, np.nan), 16_000))
    with pytest.raises(AudioError, match="finite"):
        tiny_model.stream().push(torch.tensor([float("nan")]))


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_cuda_where_there_is_none():
    with pytest.raises(ConfigurationError, match="--device cpu"):
        pick_device("cuda")


@pytest.mark.parametrize("name", ["mps", "meta", "xpu:1"])
def test_devices_of_other_kinds_are_refused(name):
    with pytest.raises(ConfigurationError, match="unknown device"):
        pick_device(name)


def test_unknown_device():
    with pytest.raises(ConfigurationError):
        pick_device("abacus")


def test_out_of_memory_says_what_would_fit():
    for windows, samples, advice in (
        (WindowConfig(), 8, "at most 4 samples"), (WindowConfig(at_once=4), 1, "--at-once 2"),
        (WindowConfig(at_once=1), 1, "--window 150"),
    ):  # fmt: skip
        with pytest.raises(ConfigurationError, match=advice), out_of_memory(windows, samples):
            raise torch.OutOfMemoryError("CUDA out of memory")
    with pytest.raises(RuntimeError, match="other"), out_of_memory(WindowConfig(), 1):
        raise RuntimeError("other")


def test_sound_is_filled_up_before_it_is_normalised():
    samples = (0.3 + 0.1 * np.random.default_rng(0).standard_normal(4_100)).astype(np.float32)
    speech = load_speech(Waveform(samples, 16_000))
    filled = speech.filled(60.0)
    padded = np.append(samples, np.zeros(700)).astype(np.float64)
    expected = (padded - padded.mean()) / np.sqrt(padded.var() + 1e-7)
    assert np.abs(filled.samples.numpy() - expected).max() < 1e-5
    assert (speech.whole_frames(60.0), filled.whole_frames(60.0)) == (15, 18)
    assert filled.filled(60.0) is filled
    assert len(speech.filled(25.0).samples) == 4_480
    with pytest.raises(ConfigurationError, match="whole frame rate"):
        speech.filled(29.97)


@pytest.mark.parametrize(("samples", "drawn", "kept"), [(47_733, 180, 178), (48_000, 180, 180), (48_100, 183, 180)])
def test_the_authors_lengths(tiny_model, samples, drawn, kept):
    sound = Waveform(np.random.default_rng(0).standard_normal(samples).astype(np.float32) * 0.1, 16_000)
    seen = []
    features = tiny_model.features
    tiny_model.features = lambda speech, n_frames, *rest, **named: seen.append(n_frames) or features(
        speech, n_frames, *rest, **named)  # fmt: skip
    track = tiny_model.sample(sound, sampler=FEW, conventions=PAPER)
    assert (seen, len(track)) == ([drawn], kept)
    mask = build_mask(len(track), track.names, 60.0, keep=["0:1"])
    (edited,) = tiny_model.edit(track, sound, mask, 1, 5, FEW, conventions=PAPER)
    assert (seen[1], len(edited.track)) == (drawn, kept)
    assert np.array_equal(edited.track.values[:60], track.values[:60])


def test_a_clip_is_one_window_and_low_guidance_none_where_the_authors_do_so(tiny_model):
    sound = Waveform(np.random.default_rng(0).standard_normal(96_000).astype(np.float32) * 0.1, 16_000)
    few = WindowConfig(60, 20)
    whole = tiny_model.sample(sound, sampler=FEW, windows=WindowConfig(400)).values
    cut = tiny_model.sample(sound, sampler=FEW, windows=few).values
    theirs = tiny_model.sample(sound, sampler=FEW, windows=few, conventions=PAPER).values
    assert np.abs(theirs - whole).max() < 1e-5 < np.abs(cut - whole).max()
    low = [tiny_model.sample(sound, sampler=FEW.changed(guidance_scale=scale), conventions=PAPER).values
           for scale in (0.0, 0.5, 1.0, 1.01)]  # fmt: skip
    assert np.array_equal(low[0], low[1]) and np.array_equal(low[0], low[2]) and not np.array_equal(low[0], low[3])
    half = tiny_model.sample(sound, sampler=FEW.changed(guidance_scale=0.5)).values
    assert not np.array_equal(half, tiny_model.sample(sound, sampler=FEW.changed(guidance_scale=0.0)).values)


def test_edits_start_from_the_noised_track_and_are_not_bent_where_the_authors_do_so(tiny_model, babble):
    track = tiny_model.sample(babble, sampler=FEW)
    other = CoefficientTrack(track.values[::-1].copy(), track.names, 60.0)
    mask = build_mask(len(track), track.names, 60.0, keep=["0:1"])
    same = np.full((60, 32), 0.2)  # what is kept is the same in both: only the start differs
    track, other = (CoefficientTrack(np.vstack([same, each.values[60:]]), track.names, 60.0) for each in (track, other))

    def free(of, conventions):
        return tiny_model.edit(of, babble, mask, 1, 5, FEW, conventions=conventions)[0].track.values[60:]

    assert np.array_equal(free(track, None), free(other, None))
    assert not np.array_equal(free(track, PAPER), free(other, PAPER))
    unbent = Conventions(bent_borders=False)
    assert not np.array_equal(free(track, unbent)[:15], free(track, None)[:15])
    assert np.array_equal(free(track, unbent)[15:], free(track, None)[15:])


def test_the_sampler_belongs_to_the_checkpoint(tiny_network, tmp_path):
    """Noise predictors are drawn from as the authors do; a model that predicts coefficients in ten steps."""
    assert SAiD(tiny_network).sampler == SamplerConfig("said-ddim")
    assert default_sampler(DiffusionConfig(prediction="sample")) == SamplerConfig("dpm")
    checkpoint.save(tmp_path / "a", tiny_network)
    assert SAiD.load(tmp_path / "a", "cpu").sampler == SamplerConfig("said-ddim")
    own = SamplerConfig("dpm", 7, 1.5)
    checkpoint.save(tmp_path / "b", tiny_network, sampler=own)
    assert SAiD.load(tmp_path / "b", "cpu").sampler == own
    record = json.loads((tmp_path / "b" / "config.json").read_text())
    del record["sampler"]
    (tmp_path / "b" / "config.json").write_text(json.dumps(record))
    assert SAiD.load(tmp_path / "b", "cpu").sampler == SamplerConfig("said-ddim")
    (tmp_path / "b" / "config.json").write_text(json.dumps({**record, "sampler": {"stepz": 3}}))
    with pytest.raises(FormatError, match="stepz"):
        SAiD.load(tmp_path / "b", "cpu")
    assert own.changed("said-ddim") == SamplerConfig("said-ddim", None, 1.5)
    assert own.changed("dpm", guidance_scale=0.0) == SamplerConfig("dpm", 7, 0.0)
