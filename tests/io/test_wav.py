"""Sound: formats, mixing, round trips, and what is no sound."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from blendvoca.audio import Waveform
from blendvoca.errors import AudioError, FormatError, MissingInputError
from blendvoca.io import wav
from blendvoca.io.wav import decode_audio, encode_wav, read_audio, write_wav


@pytest.fixture
def tone() -> Waveform:
    return Waveform(0.5 * np.sin(np.arange(4400) * 0.1), 22_000)


def test_sixteen_bits_come_back_exactly(tmp_path: Path, tone: Waveform) -> None:
    whole = Waveform.from_int16(tone.to_int16(), tone.rate)
    write_wav(tmp_path / "a.wav", whole)
    back = read_audio(tmp_path / "a.wav")
    assert back.rate == 22_000
    assert np.array_equal(back.samples, whole.samples)
    samples, rate = soundfile.read(tmp_path / "a.wav", dtype="int16")
    assert rate == 22_000
    assert np.array_equal(samples, tone.to_int16())


@pytest.mark.parametrize(
    ("form", "subtype"), [("WAV", "PCM_24"), ("WAV", "FLOAT"), ("FLAC", "PCM_16"), ("OGG", "VORBIS")]
)
def test_other_formats(tone: Waveform, form: str, subtype: str) -> None:
    buffer = io.BytesIO()
    soundfile.write(buffer, tone.samples, tone.rate, format=form, subtype=subtype)
    back = decode_audio(buffer.getvalue())
    assert len(back) == len(tone)
    assert np.abs(back.samples - tone.samples).max() < (0.05 if form == "OGG" else 1e-4)


def test_channels_are_averaged(tone: Waveform) -> None:
    buffer = io.BytesIO()
    soundfile.write(buffer, np.stack([tone.samples, np.zeros(len(tone))], axis=1), tone.rate, "FLOAT", format="WAV")
    assert np.allclose(decode_audio(buffer.getvalue()).samples, tone.samples / 2)


def test_a_cut_file_gives_what_it_holds_or_an_error(tone: Waveform) -> None:
    data = encode_wav(tone)
    assert len(decode_audio(data[: 44 + 2000])) == 1000
    with pytest.raises((FormatError, AudioError)):
        decode_audio(data[:44])
    with pytest.raises(FormatError, match=r"^(?!.* at 0x)"):
        decode_audio(b"no sound at all")
    with pytest.raises(FormatError, match=r"broken\.wav"):
        decode_audio(data[:20], "broken.wav")


def test_a_header_that_claims_more_allocates_nothing(tone: Waveform) -> None:
    data = bytearray(encode_wav(tone))
    data[40:44] = (0xFFFFFFF0).to_bytes(4, "little")
    assert len(decode_audio(bytes(data))) == len(tone)


def test_silence_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wav, "MAX_SECONDS", 1.0)
    buffer = io.BytesIO()
    soundfile.write(buffer, np.zeros(200_000), 48_000, format="FLAC")
    with pytest.raises(AudioError, match="too long"):
        decode_audio(buffer.getvalue())


def test_a_small_file_cannot_fill_the_memory() -> None:
    buffer = io.BytesIO()
    soundfile.write(buffer, np.zeros(6_000_000), 48_000, format="FLAC")
    assert len(buffer.getvalue()) < 20_000
    with pytest.raises(AudioError, match="size can hold"):
        decode_audio(buffer.getvalue())


def test_what_is_no_sound(tmp_path: Path, tone: Waveform) -> None:
    for data in (b"", b"RIFF", b"hello world" * 20):
        with pytest.raises(FormatError):
            decode_audio(data)
    buffer = io.BytesIO()
    soundfile.write(buffer, np.array([0, np.nan, 0.5]), 22_000, "FLOAT", format="WAV")
    with pytest.raises(AudioError, match="not finite"):
        decode_audio(buffer.getvalue())
    buffer = io.BytesIO()
    soundfile.write(buffer, tone.samples, 100, format="WAV")
    with pytest.raises(AudioError, match="rate"):
        decode_audio(buffer.getvalue(), "slow.wav")
    with pytest.raises(MissingInputError):
        read_audio(tmp_path / "nothing.wav")


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 48_000])
def test_reading_at_another_rate_is_reading_then_resampling(tmp_path: Path, rate: int) -> None:
    sound = 0.3 * np.random.default_rng(0).standard_normal((5 * rate + 7, 2))
    soundfile.write(tmp_path / "a.wav", sound, rate, "FLOAT")
    heard, source = wav.read_resampled(tmp_path / "a.wav", 16_000)
    assert heard.rate == 16_000
    assert np.array_equal(heard.samples, read_audio(tmp_path / "a.wav").resampled(16_000).samples)
    assert (source.rate, source.samples) == (rate, len(sound))
    mixed = sound.mean(axis=1)
    assert source.level == pytest.approx(np.sqrt(np.mean(mixed**2)), rel=1e-4)
    assert source.clipped == pytest.approx(np.mean(np.abs(mixed) >= wav.FULL_SCALE), abs=1e-4)


def test_reading_at_another_rate_refuses_what_reading_refuses(tmp_path: Path) -> None:
    samples = np.zeros(9000, np.float32)
    samples[8000] = np.nan
    soundfile.write(tmp_path / "nan.wav", samples, 48_000, "FLOAT")
    with pytest.raises(AudioError, match=r"nan\.wav.*not finite.*sample 8000"):
        wav.read_resampled(tmp_path / "nan.wav", 16_000)
    soundfile.write(tmp_path / "none.wav", samples[:0], 48_000)
    with pytest.raises(AudioError, match="empty"):
        wav.read_resampled(tmp_path / "none.wav", 16_000)
    (tmp_path / "text.wav").write_text("no sound")
    with pytest.raises(FormatError, match=r"text\.wav"):
        wav.read_resampled(tmp_path / "text.wav", 16_000)
    for path in (tmp_path / "nowhere.wav", tmp_path, "a\0b"):
        with pytest.raises(MissingInputError):
            wav.read_resampled(path, 16_000)


def test_a_single_sample_and_hours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    soundfile.write(tmp_path / "one.wav", np.zeros(1), 48_000)
    assert len(wav.read_resampled(tmp_path / "one.wav", 16_000)[0]) == 1
    soundfile.write(tmp_path / "long.wav", np.zeros(80_000, np.int16), 1_000)
    monkeypatch.setattr(wav, "MAX_SECONDS_RESAMPLED", 60.0)
    with pytest.raises(AudioError, match=r"at most 60 s.*Cut it into pieces"):
        wav.read_resampled(tmp_path / "long.wav", 16_000)
