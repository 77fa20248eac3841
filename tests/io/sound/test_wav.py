"""Sound: formats, mixing, round trips, and what is no sound."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from blendvoca.audio import Waveform
from blendvoca.errors import AudioError, FormatError, MissingDependencyError, MissingInputError
from blendvoca.io.sound import wav
from blendvoca.io.sound.wav import decode_audio, encode_wav, read_audio, write_wav


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


# ---- headers that lie, formats of phones, floats in other units --------------------------------------------


def heard(data: bytes) -> tuple[np.ndarray, list[str]]:
    notes: list[str] = []
    return decode_audio(data, "a.wav", notes.append).samples, notes


@pytest.mark.parametrize("length", [0, 0xFFFFFFFF, 0x7FFFFFFF])
def test_a_streamed_header_means_to_the_end(tmp_path: Path, tone: Waveform, length: int) -> None:
    data = encode_wav(tone)
    open_length = length.to_bytes(4, "little")
    streamed = data[:4] + open_length + data[8:40] + open_length + data[44:]
    samples, notes = heard(streamed)
    assert notes == []
    np.testing.assert_array_equal(samples, decode_audio(data).samples)
    (tmp_path / "a.wav").write_bytes(streamed)
    again, source = wav.read_resampled(tmp_path / "a.wav", tone.rate)
    np.testing.assert_array_equal(again.samples, samples)
    assert source.notes == ()


def test_what_was_cut_off_is_told(tmp_path: Path, tone: Waveform) -> None:
    data = encode_wav(tone)
    samples, notes = heard(data[: 44 + 2200 * 2])
    assert notes == ["the file is cut off: 50% of its sound is missing at the end"]
    assert len(samples) == 2200
    (tmp_path / "a.wav").write_bytes(data[:-44])
    assert wav.read_resampled(tmp_path / "a.wav", 16_000)[1].notes == (
        "the file is cut off: 0.50% of its sound is missing at the end",
    )
    # A chunk after the sound, and one before it, are not sound.
    listed = data[:36] + b"LIST\x04\0\0\0abcd" + data[36:] + b"LIST\x04\0\0\0abcd"
    samples, notes = heard(listed)
    assert (len(samples), notes) == (len(tone), [])


@pytest.mark.parametrize(("unit", "bits"), [(2.0**15, 16), (2.0**23, 24), (2.0**31, 32)])
def test_floats_in_the_units_of_integers(tone: Waveform, unit: float, bits: int) -> None:
    def stored(samples: np.ndarray) -> bytes:
        buffer = io.BytesIO()
        soundfile.write(buffer, samples, tone.rate, "DOUBLE", format="WAV")
        return buffer.getvalue()

    samples, notes = heard(stored(tone.samples * unit))
    np.testing.assert_allclose(samples, tone.samples, atol=1e-6)
    assert len(notes) == 1 and notes[0].endswith(f"in units of {bits} bits")
    quiet = np.round(tone.samples * 40)
    np.testing.assert_allclose(heard(stored(quiet))[0], quiet / 2**15, atol=1e-9)
    # A hot recording is above full scale, and stays so.
    samples, notes = heard(stored(tone.samples * 3.3))
    np.testing.assert_allclose(samples, tone.samples * 3.3, atol=1e-6)
    assert notes == []


@pytest.mark.parametrize(
    ("container", "codec", "rate"),
    [("ipod", "aac", 44_100), ("mp4", "aac", 48_000), ("adts", "aac", 16_000), ("webm", "libopus", 48_000),
     ("ipod", "alac", 22_050), ("ogg", "libopus", 48_000), ("matroska", "pcm_s16le", 32_000)],
)  # fmt: skip
@pytest.mark.parametrize("layout", ["mono", "stereo"])
def test_formats_of_phones_and_browsers(tmp_path: Path, container: str, codec: str, rate: int, layout: str) -> None:
    av = pytest.importorskip("av", reason="pip install 'blendvoca[audio]' to read AAC, Opus in WebM, …")
    tone = 0.4 * np.sin(2 * np.pi * 220 * np.arange(2 * rate) / rate)
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as out:
        stream = out.add_stream(codec, rate=rate, layout=layout)
        channels = 1 if layout == "mono" else 2
        frame = av.AudioFrame.from_ndarray(np.tile(tone.astype(np.float32), (channels, 1)), "fltp", layout)
        frame.sample_rate = rate
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            out.mux(packet)
    (tmp_path / "memo").write_bytes(buffer.getvalue())
    read = read_audio(tmp_path / "memo")
    assert read.rate == rate and abs(read.duration - 2.0) < 0.15
    middle = read.samples[rate // 2 : rate].astype(np.float64)
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.4 / np.sqrt(2), rel=0.03)
    resampled, source = wav.read_resampled(tmp_path / "memo", 16_000)
    assert source.rate == rate and abs(resampled.duration - 2.0) < 0.15
    with pytest.raises((FormatError, AudioError), match="cut"):
        read_audio(write_part(tmp_path / "cut", buffer.getvalue()[:200]))


def write_part(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_without_pyav_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingDependencyError, match=r"blendvoca\[audio\]"):
        decode_audio(b"\0\0\0\x20ftypM4A \0\0\0\0" + bytes(64))
    # What no one knows needs no package.
    with pytest.raises(FormatError, match="not a sound file"):
        decode_audio(b"something else entirely, of some length")
