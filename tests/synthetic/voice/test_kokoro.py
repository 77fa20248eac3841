"""Kokoro: sounds of English as its network reads them, times of phones that agree with the sound."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("espeakng_loader", reason="pip install 'blendvoca[demo]' to run this test")

from blendvoca.audio import Waveform
from blendvoca.errors import BlendvocaError, ConfigurationError
from blendvoca.synthetic.performance.visemes import kinds
from blendvoca.synthetic.voice.engines import ENGINES, Voice, kokoro
from blendvoca.synthetic.voice.engines.ipa import MNEMONICS, sounds
from blendvoca.synthetic.voice.sentences import SENTENCE_TEXTS
from blendvoca.synthetic.voice.speech import say


def test_every_sound_has_a_mouth_of_its_own() -> None:
    for ipa, symbol in MNEMONICS.items():
        assert kinds(symbol) != ("schwa",) or symbol.startswith("@"), ipa


@pytest.mark.parametrize("accent", ["en-us", "en-gb-x-rp"])
def test_sentences_are_written_in_known_sounds(accent: str) -> None:
    for text in SENTENCE_TEXTS[:6]:
        said = sounds(text, accent)
        assert said[-1].symbol == "_" and said[-1].ipa == text[-1]
        spoken = [sound.symbol for sound in said if sound.symbol not in ("", "_")]
        # Letters for p, b and m that are spoken are closed lips, doubled ones and mb count once.
        assert sum(kinds(symbol)[0] == "lips" for symbol in spoken) >= text.lower().count("p") // 2
    commas = sounds("Oh no, the coat froze!", accent)
    assert [sound.ipa for sound in commas if sound.symbol == "_"] == [",", "!"]


def test_a_voice_of_espeak_that_is_none_is_an_error() -> None:
    with pytest.raises(BlendvocaError, match="no voice 'xx'"):
        sounds("Hello.", "xx")


def test_mixed_voices_lie_between_two(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in (("af_one", 0.0), ("bm_two", 1.0)):
        np.full((510, 256), value, "<f4").tofile(tmp_path / f"{name}.bin")
    monkeypatch.setenv(kokoro.FOLDER, str(tmp_path))
    kokoro._styles.cache_clear()
    kokoro._table.cache_clear()
    source = kokoro.Kokoro()
    made, again = (source.mixed(source.voices(), 5, np.random.default_rng(3)) for _ in range(2))
    assert made == again and len({voice.name for voice in made}) == 5
    for voice in made:
        both, _, share = voice.name.partition(":")
        assert sorted(both.split("+")) == ["af_one", "bm_two"] and 25 <= int(share) <= 75
        second = float(both.endswith("two"))
        np.testing.assert_allclose(kokoro._style(voice.name), abs(1 - second - int(share) / 100), atol=1e-6)
    assert source.mixed(source.voices()[:1], 5, np.random.default_rng(3)) == ()
    for wrong in ("af_one+bm_two", "af_one+bm_two:0", "af_one+bm_two:x"):
        with pytest.raises(ConfigurationError, match="wrong mixed voice"):
            kokoro._style(wrong)
    kokoro._styles.cache_clear()
    kokoro._table.cache_clear()


def test_a_pause_begins_where_the_sound_ends() -> None:
    tone = np.sin(np.arange(24_000) * 0.3).astype(np.float32)
    tone[14_400:] *= 1e-3
    starts = (("_", 0.0), ("m", 0.1), ("A", 0.3), ("_", 0.9), ("_", 0.95))
    found = kokoro.until_silent(starts, Waveform(tone, 24_000))
    assert [symbol for symbol, _ in found] == [symbol for symbol, _ in starts]
    np.testing.assert_allclose([start for _, start in found], [0.0, 0.1, 0.3, 0.6, 0.95], atol=0.006)
    late = kokoro.until_silent((("_", 0.0), ("t", 0.7), ("_", 0.9)), Waveform(tone, 24_000))
    assert late[-1] == ("_", pytest.approx(0.73))


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> kokoro.Kokoro:
    source = ENGINES["kokoro"]
    if not source.available():
        pytest.skip(f"Kokoro is not on this machine: {source.remedy}")
    monkeypatch.delenv(kokoro.FOLDER, raising=False)
    kokoro._styles.cache_clear()
    assert isinstance(source, kokoro.Kokoro)
    return source


@pytest.mark.slow
def test_phones_stand_where_an_aligner_finds_them(engine: kokoro.Kokoro) -> None:
    align = pytest.importorskip("said_model.evaluation.align")
    pytest.importorskip("pocketsphinx", reason="pip install 'blendvoca[align]' to run this test")
    text = "Papa bought a map of the big blue bay."
    voice = engine.voices()[0]
    said = say(text, voice)
    found = align.align(said.sound.resampled(align.RATE), text)
    lips = {"P", "B", "M"}
    ends = [phone.end for phone in found.phones if phone.label in lips]
    own = [phoneme.end for phoneme in said.phonemes if phoneme.symbol in ("p", "b", "m")]
    assert len(own) == len(ends) == 8
    assert abs(np.median(np.subtract(ends, own))) < 0.03
    again = say(text, voice)
    np.testing.assert_array_equal(again.sound.samples, said.sound.samples)


def test_voices_are_the_package_s_or_those_of_a_folder(
    engine: kokoro.Kokoro, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert all(voice.name[1] in "fm" and voice.name[2] == "_" for voice in engine.voices())
    monkeypatch.setenv(kokoro.FOLDER, str(tmp_path))
    kokoro._styles.cache_clear()
    with pytest.raises(ConfigurationError, match="folder without voices"):
        engine.voices()
    np.zeros((510, 256), "<f4").tofile(tmp_path / "bf_nobody.bin")
    assert [voice.name for voice in engine.voices()] == ["bf_nobody"]
    kokoro._table.cache_clear()
    with pytest.raises(ConfigurationError, match="no voice 'af_other'"):
        engine.speak("Hello.", Voice("af_other", engine="kokoro"))
    kokoro._styles.cache_clear()
