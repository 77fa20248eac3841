"""The user's door: sampling, editing and streaming with a tiny model, and what bad input gets."""

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
from said_model.diffusion.windows import Chain, WindowConfig  # noqa: E402
from said_model.model import pick_device  # noqa: E402
from said_model.synthesis.clip import out_of_memory  # noqa: E402
from said_model.synthesis.edit import build_mask, mask_of_track  # noqa: E402
from said_model.synthesis.stream import StreamConfig  # noqa: E402

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
        heard = min(start + chunk, len(samples)) / 16_000
        late = max(late, heard - sum(map(len, frames)) / 60 - chunk / 16_000)
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
    heard = []
    features = tiny_model.features
    tiny_model.features = lambda speech, n_frames, span: heard.append(speech) or features(speech, n_frames, span)
    tiny_model.edit(track, longer, mask, sampler=FEW)
    tiny_model.edit(track, Waveform(babble.samples[:-1600], 16_000), mask, sampler=FEW)
    assert [len(speech.samples) for speech in heard] == [48_000, 48_000]
    assert float(heard[1].samples[-1600:].abs().max()) == 0.0


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
