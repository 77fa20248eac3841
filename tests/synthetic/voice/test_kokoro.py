"""Kokoro: sounds of English as its network reads them, times of phones that agree with the sound."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("espeakng_loader", reason="pip install 'blendvoca[demo]' to run this test")

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
    kokoro._style.cache_clear()
    with pytest.raises(ConfigurationError, match="no voice 'af_other'"):
        engine.speak("Hello.", Voice("af_other", engine="kokoro"))
    kokoro._styles.cache_clear()
