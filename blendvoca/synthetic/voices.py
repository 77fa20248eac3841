"""A corpus of many voices: speech of every engine on the machine, as shards with the true coefficients, no meshes.

It is what the demo model learns from: people are replaced by voices, each with its own manner, rates and pitches; sentences
mean nothing and hold every sound. A last speaker, ``nobody``, holds sound without speech and a face at rest.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from blendvoca.clip import Clip
from blendvoca.errors import ConfigurationError, OutputError
from blendvoca.shard.manifest import write_manifest
from blendvoca.shard.schema import SHARD_SUFFIX, LicenceClass
from blendvoca.shard.writer import write_shard
from blendvoca.synthetic.coarticulation import Style, coefficients
from blendvoca.synthetic.engines import ENGINES, Voice
from blendvoca.synthetic.nonspeech import KINDS, nonspeech
from blendvoca.synthetic.sentences import random_text
from blendvoca.synthetic.speakers import stream
from blendvoca.synthetic.speech import Utterance, say

Progress = Callable[[str, int, int], None]
NOBODY = "nobody"
#: Every so many voices of an engine, one is for validation.
_HELD_OUT = 8


@dataclass(frozen=True)
class VoicesConfig:
    """What the corpus holds.

    :param sentences: for each voice of espeak-ng.
    :param recorded_sentences: for each voice of an engine that was made from recordings (flite, festival).
    :param engines: names of engines; those that the machine lacks are left out, and reported.
    :param held_out: voices ``engine/name`` for validation; by default every eighth of an engine's.
    :param seed: of everything random.
    :raises ConfigurationError: for numbers out of range or an unknown engine.
    """

    sentences: int = 16
    recorded_sentences: int = 90
    engines: tuple[str, ...] = tuple(ENGINES)
    held_out: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.sentences, self.recorded_sentences) < 1:
            raise ConfigurationError("wrong number of sentences", expected="1 or more", found=self)
        if unknown := sorted(set(self.engines) - set(ENGINES)):
            raise ConfigurationError("unknown speech engine", expected=sorted(ENGINES), found=unknown)


@dataclass(frozen=True)
class VoicesReport:
    """What was written.

    :param voices: how many. :param clips: how many. :param missing: engines that this machine lacks, with the remedy.
    """

    voices: int
    clips: int
    missing: dict[str, str]


def write_voices(
    out: str | os.PathLike[str], config: VoicesConfig, progress: Progress | None = None, jobs: int = 1
) -> VoicesReport:
    """Write the corpus as shards with a manifest; the same configuration and engines give the same shards.

    :param progress: called with a voice's name, how many voices are done, and how many there are.
    :param jobs: voices that speak at once.
    :raises OutputError: if the folder holds something already.
    :raises ConfigurationError: if no engine is on this machine.
    """
    folder = Path(out)
    if folder.exists() and any(folder.iterdir()):
        raise OutputError("the output folder is not empty", expected="a new folder", path=folder)
    sources = [ENGINES[name] for name in config.engines]
    missing = {source.name: source.remedy for source in sources if not source.available()}
    voices = [voice for source in sources if source.name not in missing for voice in source.voices()]
    if not voices:
        raise ConfigurationError("no speech engine is on this machine", expected=sorted(config.engines),
                                 remedy="; ".join(missing.values()))  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    work = [*((folder, voice, config) for voice in voices), (folder, None, config)]
    clips = 0
    with ProcessPoolExecutor(jobs) as pool:
        for done, (name, count) in enumerate(pool.map(_write_speaker, work), start=1):
            clips += count
            if progress is not None:
                progress(name, done, len(work))
    write_manifest(folder, _split(voices, config), name="voices", known_gaps=())
    return VoicesReport(len(voices), clips, missing)


def speaker_name(voice: Voice) -> str:
    """Return the name that a voice has as a speaker, fit for a file."""
    return f"{voice.engine}_{voice.name}".replace("+", "_").replace(" ", "_")


def _split(voices: list[Voice], config: VoicesConfig) -> dict[str, str]:
    split = {NOBODY: "train"}
    for engine in ENGINES:
        for place, voice in enumerate(voice for voice in voices if voice.engine == engine):
            chosen = place % _HELD_OUT == 2 if not config.held_out else f"{engine}/{voice.name}" in config.held_out
            split[speaker_name(voice)] = "validation" if chosen else "train"
    return split


def _write_speaker(work: tuple[Path, Voice | None, VoicesConfig]) -> tuple[str, int]:
    folder, voice, config = work
    name = NOBODY if voice is None else speaker_name(voice)
    style = Style.random(stream(config.seed, name, "style"))
    spoken = _nothing(config) if voice is None else _spoken(voice, config)
    clips = []
    for sentence, utterance in spoken:
        track = coefficients(utterance, style, stream(config.seed, name, sentence, "track"))
        clips.append(Clip(name, sentence, track, utterance.sound))
    facts = {"corpus": "voices", **({} if voice is None else {key: str(value) for key, value in asdict(voice).items()})}
    write_shard(folder / f"{name}{SHARD_SUFFIX}", name, clips, None, LicenceClass.OPEN, sources=facts)
    return name, len(clips)


def _spoken(voice: Voice, config: VoicesConfig) -> Iterator[tuple[str, Utterance]]:
    """Speak random sentences at random rates and pitches, with random pauses around them."""
    name = speaker_name(voice)
    count = config.sentences if voice.engine == "espeak" else config.recorded_sentences
    for number in range(1, count + 1):
        sentence = f"sentence{number:03d}"
        rng = stream(config.seed, name, sentence, "voice")
        manner = replace(
            voice,
            words_per_minute=round(voice.words_per_minute * float(np.exp(0.2 * rng.standard_normal()).clip(0.65, 1.6))),
            pitch=int(np.clip(voice.pitch + 16 * rng.standard_normal(), 5, 95)),
            pitch_range=int(np.clip(50 + 20 * rng.standard_normal(), 10, 95)),
        )
        lead_in, lead_out = rng.choice([0.12, 0.3, 0.7], 2) + rng.uniform(0.0, 0.3, 2)
        yield sentence, say(random_text(rng), manner, float(lead_in), float(lead_out))


def _nothing(config: VoicesConfig) -> Iterator[tuple[str, Utterance]]:
    """Make sound without speech, as many clips of each kind as an espeak voice has sentences, at least four."""
    for kind in KINDS:
        for number in range(1, max(config.sentences, 4) + 1):
            sentence = f"{kind}{number:03d}"
            rng = stream(config.seed, NOBODY, sentence)
            yield sentence, nonspeech(kind, 3 * int(rng.integers(50, 100)), rng)
