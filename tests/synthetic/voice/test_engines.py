"""Speech engines: phone sets, voices, and phones at the time when they sound."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from blendvoca.audio import Waveform
from blendvoca.dataset import BlendVOCA
from blendvoca.errors import ConfigurationError, FormatError, MissingInputError, OutputError
from blendvoca.io.phones import write_phones
from blendvoca.io.sound.wav import write_wav
from blendvoca.phones import Phone, PhoneTrack
from blendvoca.shard.verify import verify
from blendvoca.synthetic.performance.visemes import PHONES, kind_frames, kinds
from blendvoca.synthetic.voice.engines import ENGINES, Spoken, Voice, VoiceSource, source_of
from blendvoca.synthetic.voice.engines.phone_sets import ARPABET, EUROPEAN, translate
from blendvoca.synthetic.voice.nonspeech import KINDS, nonspeech
from blendvoca.synthetic.voice.recordings import recorded
from blendvoca.synthetic.voice.sentences import random_text
from blendvoca.synthetic.voice.speech import say
from blendvoca.synthetic.voices import NOBODY, VoicesConfig, write_voices


@pytest.mark.parametrize("phones", [ARPABET, EUROPEAN])
def test_every_phone_has_a_mouth_of_its_own(phones: dict[str, str]) -> None:
    for phone, symbol in phones.items():
        assert kinds(symbol) != ("schwa",) or symbol.startswith("@"), phone
    assert translate("pau", phones) == "_"


def test_marks_of_stress_and_length_are_passed_over_and_unknown_phones_named() -> None:
    assert [translate(phone, EUROPEAN) for phone in ("a1", "O1", "p:", "pp", "tS")] == ["a", "O", "p", "p", "tS"]
    with pytest.raises(FormatError, match="'qqq'"):
        translate("qqq", ARPABET)


@pytest.mark.parametrize("engine", sorted(ENGINES))
def test_phones_stand_where_they_sound(engine: str) -> None:
    source = ENGINES[engine]
    if not source.available():
        pytest.skip(f"{engine} is not on this machine: {source.remedy}")
    voices = source.voices()
    assert len({voice.name for voice in voices}) == len(voices)
    said = say("Mama sees a ship.", voices[0], lead_in=0.4, lead_out=0.4)
    assert [kinds(phoneme.symbol)[0] for phoneme in said.phonemes if phoneme.symbol == "m"] == ["lips"] * 2
    assert sum(phoneme.symbol == "p" for phoneme in said.phonemes) == 1
    loud = np.abs(said.sound.samples)
    assert 0.05 < loud.max() <= 0.96

    def level(symbols: str) -> float:
        parts = [loud[int(p.start * 22000) : int(p.end * 22000)] for p in said.phonemes if p.symbol in symbols.split()]
        return float(np.concatenate(parts).mean())

    assert level("i A a 0 A: V @") > 5 * level("_")


def test_a_missing_engine_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'flite'"):
        source_of(Voice("rms", engine="flit"))
    monkeypatch.setattr(type(ENGINES["flite"]), "available", lambda self: False)
    with pytest.raises(ConfigurationError, match="apt install flite"):
        source_of(Voice("rms", engine="flite"))


class Pair(VoiceSource):
    """Two voices that hold a note, and what lies between them."""

    name, sentences, remedy = "espeak", "sentences", ""

    def available(self) -> bool:
        return True

    def voices(self) -> tuple[Voice, ...]:
        return (Voice("low"), Voice("high"))

    def mixed(self, voices: Sequence[Voice], count: int, rng: np.random.Generator) -> tuple[Voice, ...]:
        return tuple(Voice(f"{voices[0].name}+{voices[-1].name}:{50 + number}") for number in range(count))

    def speak(self, text: str, voice: Voice) -> Spoken:
        return Spoken(Waveform(np.full(16_000, 0.1, np.float32), 16_000), (("_", 0.0), ("m", 0.2), ("A", 0.4)))


def test_mixed_voices_are_trained_on_and_of_no_voice_that_is_held_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENGINES, "espeak", Pair())
    config = VoicesConfig(1, 1, ("espeak",), held_out=("espeak/high",), silences=1, mixed_voices=2)
    report = write_voices(tmp_path / "new", config)
    assert report.voices == 4
    train, held = (BlendVOCA(tmp_path / "new", split) for split in ("train", "validation"))
    assert set(train.speakers) == {"espeak_low", "espeak_low_low_50", "espeak_low_low_51", NOBODY}
    assert held.speakers == ("espeak_high",)
    with pytest.raises(ConfigurationError, match="mixed voices"):
        VoicesConfig(mixed_voices=-1)


def test_random_sentences_follow_from_their_seed() -> None:
    texts = [random_text(np.random.default_rng(seed)) for seed in range(30)]
    assert texts == [random_text(np.random.default_rng(seed)) for seed in range(30)]
    assert len(set(texts)) > 25


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_sound_without_speech(kind: str) -> None:
    made = nonspeech(kind, 90, np.random.default_rng(0))
    assert (made.frames, len(made.sound)) == (90, 33_000)
    assert [phoneme.symbol for phoneme in made.phonemes] == ["_"]
    assert (np.abs(made.sound.samples).max() == 0) == (kind == "silence")


def test_recordings_with_phone_times_are_one_more_voice(tmp_path: Path) -> None:
    place = tmp_path / "anna"
    for name in ("one", "two", "quiet"):
        write_wav(place / f"{name}.wav", Waveform(np.full(16_000, 0.1, np.float32), 16_000))
    phones = [("SIL", 0.0, 0.2), ("M", 0.2, 0.3), ("AA1", 0.3, 0.5), ("P", 0.6, 0.7)]
    spoken = PhoneTrack(tuple(Phone("" if label == "SIL" else label, a, b) for label, a, b in phones), "mop")
    write_phones(place / "phones.json", {"one.wav": spoken, "quiet.wav": PhoneTrack(())})
    ((name, said),) = recorded(place)
    assert (name, said.frames, len(said.sound)) == ("one", 60, 22_000)
    assert [phoneme.symbol for phoneme in said.phonemes] == ["_", "m", "A", "_", "p", "_"]
    np.testing.assert_allclose([phoneme.start for phoneme in said.phonemes], [0, 0.2, 0.3, 0.5, 0.6, 0.7])
    assert said.phonemes[-1].end == 1.0
    with pytest.raises(MissingInputError, match=r"phones\.json"):
        list(recorded(tmp_path))
    write_phones(place / "phones.json", {"one.wav": PhoneTrack((Phone("ø", 0.0, 0.5),))})
    with pytest.raises(FormatError, match="ø"):
        list(recorded(place))


def test_a_corpus_of_voices_is_shards_with_a_face_at_rest_among_them(tmp_path: Path) -> None:
    source = ENGINES["espeak"]
    if not source.available():
        pytest.skip(source.remedy)
    few = source.voices()[:2]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(source), "voices", lambda self: few)
        config = VoicesConfig(1, 1, ("espeak",), held_out=(f"espeak/{few[1].name}",), silences=2)
        report = write_voices(tmp_path / "one", config)
        write_voices(tmp_path / "two", config)
        with pytest.raises(OutputError, match="not empty"):
            write_voices(tmp_path / "one", config)
        with pytest.raises(ConfigurationError, match="siri"):
            write_voices(tmp_path / "three", VoicesConfig(engines=("siri",)))
    assert (report.voices, report.clips, report.missing) == (2, 2 + 2 * len(KINDS), {})
    assert verify(tmp_path / "one") == []
    for path in (tmp_path / "one").iterdir():
        assert (tmp_path / "two" / path.name).read_bytes() == path.read_bytes()
    train, held = (BlendVOCA(tmp_path / "one", split) for split in ("train", "validation"))
    assert set(train.speakers) == {"espeak_en-us_f1", NOBODY}
    assert len(held) == 1
    assert all(len(kind_frames(clip.provenance[PHONES], len(clip.track), 60)) == len(clip.track) for clip in train)
    jaw, close = (train.names.index(name) for name in ("jawOpen", "mouthClose"))
    for row, (speaker, _) in enumerate(train.keys()):
        if speaker == NOBODY:
            values = train[row].track.values
            assert (values[:, close] >= values[:, jaw]).mean() > 0.99
