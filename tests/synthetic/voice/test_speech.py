"""The machine voice: the same bytes each time, whole frames, phonemes in order."""

from __future__ import annotations

import importlib.util
import re

import numpy as np
import pytest

from blendvoca.errors import BlendvocaError, MissingDependencyError
from blendvoca.synthetic.voice.engines import Voice, espeak
from blendvoca.synthetic.voice.sentences import SENTENCE_TEXTS
from blendvoca.synthetic.voice.speech import VOICES, say, sentence_text

spoken = pytest.mark.skipif(
    importlib.util.find_spec("espeakng_loader") is None, reason="pip install 'blendvoca[demo]' brings the voice"
)


def test_forty_different_sentences() -> None:
    assert len(set(SENTENCE_TEXTS)) == 40
    assert sentence_text(1) == SENTENCE_TEXTS[0]
    words = {word for text in SENTENCE_TEXTS for word in re.findall(r"[a-z]+", text.lower())}
    assert len(words) > 180


@spoken
def test_sound_is_the_same_bytes_whatever_was_said_before() -> None:
    first = say("Both puppies jumped.", VOICES[0])
    say("Something else.", VOICES[1])
    again = say("Both puppies jumped.", VOICES[0])
    assert (first.sound.samples == again.sound.samples).all()
    assert first.phonemes == again.phonemes


@spoken
@pytest.mark.parametrize("voice", VOICES, ids=lambda voice: voice.name)
def test_sound_lasts_whole_frames_and_phonemes_follow_each_other(voice: Voice) -> None:
    spoken_ = say("A thin thread.", voice)
    assert spoken_.sound.rate == 22_000
    assert len(spoken_.sound) * 60 == spoken_.frames * 22_000
    assert 0.1 < np.abs(spoken_.sound.samples).max() <= 1.0
    starts = [phoneme.start for phoneme in spoken_.phonemes]
    ends = [phoneme.end for phoneme in spoken_.phonemes]
    assert starts[0] == 0.0
    assert ends[-1] == pytest.approx(spoken_.frames / 60)
    np.testing.assert_allclose(starts[1:], ends[:-1])
    if voice.name.startswith("en-us"):
        assert sum(phoneme.symbol == "T" for phoneme in spoken_.phonemes) == 2


@spoken
def test_voices_differ() -> None:
    a, b = (say("Papa bought a calm black horse.", VOICES[k]) for k in (0, 1))
    assert len(a.sound) != len(b.sound) or not np.allclose(a.sound.samples, b.sound.samples)


@spoken
def test_unknown_voice_is_named() -> None:
    with pytest.raises(BlendvocaError, match="klingon-xx"):
        say("Hello.", Voice("klingon-xx"))


def test_without_the_package_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(espeak.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"blendvoca\[demo\]"):
        say("Hello.", VOICES[0])
