"""A corpus of many voices: speech of every engine on the machine, as shards with the true coefficients, no meshes.

It is what the demo model learns from: people are replaced by voices, each with its own rates and pitches, all of which
speak clearly; sentences mean nothing and hold every sound. A last speaker, ``nobody``, holds sound without speech and a
face at rest.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from blendvoca.clip import Clip
from blendvoca.errors import BlendvocaError, ConfigurationError, OutputError
from blendvoca.internal.progress import Progress, no_progress
from blendvoca.shard.manifest import write_manifest
from blendvoca.shard.schema import SHARD_SUFFIX, LicenceClass
from blendvoca.shard.writer import write_shard
from blendvoca.synthetic.config import VoicesConfig as VoicesConfig
from blendvoca.synthetic.performance.articulation import Articulation
from blendvoca.synthetic.performance.coarticulation import Style, coefficients
from blendvoca.synthetic.performance.visemes import PHONES
from blendvoca.synthetic.speakers import stream
from blendvoca.synthetic.voice.engines import ENGINES, Voice, VoiceSource
from blendvoca.synthetic.voice.nonspeech import KINDS, nonspeech
from blendvoca.synthetic.voice.recordings import recorded
from blendvoca.synthetic.voice.sentences import random_text
from blendvoca.synthetic.voice.speech import Utterance, say

NOBODY = "nobody"
#: A voice of an engine, a folder of recordings, or nobody.
Source = Voice | Path | None
#: What clips say of where their tracks come from.
ORIGIN = "synthetic: coarticulation of the spoken phones"
#: Every so many voices of an engine, one is for validation.
_HELD_OUT = 8
_ATTEMPTS = 5


@dataclass(frozen=True)
class VoicesReport:
    """What was written.

    :param voices: how many.
    :param clips: how many.
    :param missing: engines that this machine lacks, with the remedy.
    """

    voices: int
    clips: int
    missing: dict[str, str]


def write_voices(
    out: str | os.PathLike[str], config: VoicesConfig, progress: Progress = no_progress, jobs: int = 1
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
    if unknown := sorted(set(config.engines) - set(ENGINES)):
        raise ConfigurationError("unknown speech engine", expected=sorted(ENGINES), found=unknown)
    sources = [ENGINES[name] for name in config.engines or ENGINES]
    missing = {source.name: source.remedy for source in sources if not source.available()}
    voices = [voice for source in sources if source.name not in missing for voice in source.voices()]
    split = _split(voices, config)
    voices += [mixed for source in sources if source.name not in missing for mixed in _mixed(source, split, config)]
    if not voices:
        raise ConfigurationError("no speech engine is on this machine", expected=sorted(config.engines or ENGINES),
                                 remedy="; ".join(missing.values()))  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    work: list[tuple[Path, Source, VoicesConfig]] = [(folder, voice, config) for voice in voices]
    work += [(folder, Path(place), config) for place in config.recordings] + [(folder, None, config)]
    clips = 0
    with ProcessPoolExecutor(jobs) as pool:
        for done, (name, count) in enumerate(pool.map(_write_speaker, work), start=1):
            clips += count
            progress(name, done, len(work))
    everyone = {name: split.get(name, "train") for name in (*map(speaker_name, voices), *split)}
    write_manifest(folder, everyone, name="voices", known_gaps=())
    return VoicesReport(len(voices) + len(config.recordings), clips, missing)


def spelled(utterance: Utterance) -> str:
    """Return an utterance's phones in one line, as :data:`.PHONES` describes it."""
    return " ".join(f"{phoneme.symbol} {phoneme.end:.3f}" for phoneme in utterance.phonemes)


def speaker_name(voice: Voice) -> str:
    """Return the name that a voice has as a speaker, fit for a file."""
    return f"{voice.engine}_{voice.name}".translate(str.maketrans("+: ", "___"))


def _mixed(source: VoiceSource, split: dict[str, str], config: VoicesConfig) -> tuple[Voice, ...]:
    """Return new voices between those of an engine that are for training."""
    known = [voice for voice in source.voices() if split[speaker_name(voice)] == "train"]
    return source.mixed(known, config.mixed_voices, stream(config.seed, source.name, "mixed"))


def _split(voices: list[Voice], config: VoicesConfig) -> dict[str, str]:
    split = {NOBODY: "train", **{f"recorded_{Path(place).name}": "train" for place in config.recordings}}
    for engine in ENGINES:
        for place, voice in enumerate(voice for voice in voices if voice.engine == engine):
            chosen = place % _HELD_OUT == 2 if not config.held_out else f"{engine}/{voice.name}" in config.held_out
            split[speaker_name(voice)] = "validation" if chosen else "train"
    return split


def _write_speaker(work: tuple[Path, Source, VoicesConfig]) -> tuple[str, int]:
    folder, source, config = work
    name, facts = NOBODY, {"corpus": "voices"}
    if isinstance(source, Voice):
        name, spoken = speaker_name(source), _spoken(source, config)
        facts |= {key: str(value) for key, value in asdict(source).items()}
    elif source is not None:
        name, spoken = f"recorded_{source.name}", recorded(source)
    else:
        spoken = _nothing(config)
    # All speak clearly: who learns lips from sound should not learn that a sound may close them or not.
    style = Style(lean=Style.random(stream(config.seed, name, "style")).lean)
    clips = []
    for sentence, utterance in spoken:
        rng = stream(config.seed, name, sentence, "track")
        track = coefficients(utterance, style, rng, Articulation.clear(rng))
        told = {"origin": ORIGIN, PHONES: spelled(utterance)}
        clips.append(Clip(name, sentence, track, utterance.sound, provenance=told))
    write_shard(folder / f"{name}{SHARD_SUFFIX}", name, clips, None, LicenceClass.OPEN, sources=facts)
    return name, len(clips)


def _spoken(voice: Voice, config: VoicesConfig) -> Iterator[tuple[str, Utterance]]:
    """Speak random sentences at random rates and pitches, with random pauses around them."""
    name = speaker_name(voice)
    count = int(getattr(config, ENGINES[voice.engine].sentences))
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
        yield sentence, _say_something(manner, float(lead_in), float(lead_out), rng)


def _say_something(voice: Voice, lead_in: float, lead_out: float, rng: np.random.Generator) -> Utterance:
    """Say a random sentence; engines fail on some words, so another is tried then.

    :raises BlendvocaError: if the engine fails on every one.
    """
    for _ in range(_ATTEMPTS - 1):
        with suppress(BlendvocaError):
            return say(random_text(rng), voice, lead_in, lead_out)
    return say(random_text(rng), voice, lead_in, lead_out)


def _nothing(config: VoicesConfig) -> Iterator[tuple[str, Utterance]]:
    """Make sound without speech."""
    for kind in KINDS:
        for number in range(1, config.silences + 1):
            sentence = f"{kind}{number:03d}"
            rng = stream(config.seed, NOBODY, sentence)
            yield sentence, nonspeech(kind, 3 * int(rng.integers(50, 100)), rng)
