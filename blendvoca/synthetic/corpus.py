"""The embedded sample: synthetic speakers in exactly VOCASET's folder form, with the truth beside it.

::

    templates/<speaker>.ply                                      text
    unposedcleaneddata/<speaker>/<sentence>/<sentence>.%06d.ply  60 fps, binary or text
    audio/<speaker>/<sentence>.wav                               22,000 Hz, mono, 16 bit
    truth/tracks/<speaker>/<sentence>.csv                        the coefficients that moved the frames
    truth/takes/<speaker>/<sentence>/take%02d.csv                further articulations of the same sound, from 2
    truth/rigs/<speaker>.<head or mask>.npz                      vertices, faces, deltas (K, V, 3), names, landmarks
    landmarks/head.txt, landmarks/mask.txt                       68 vertices, iBUG order
    splits.json                                                  {split: [speakers]}
    sample.json                                                  configuration, texts, voices, known gaps; written last
"""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from blendvoca.arkit import BLENDVOCA_NAMES
from blendvoca.audio import Waveform
from blendvoca.errors import BlendvocaError, OutputError
from blendvoca.internal.progress import Progress, no_progress
from blendvoca.io.atomic import write_bytes, write_text
from blendvoca.io.json_file import anything, mapping, read_json, table
from blendvoca.io.mesh.ply_write import write_ply, write_ply_frames
from blendvoca.io.sound.wav import write_wav
from blendvoca.io.track.csv import write_track
from blendvoca.rig import BlendshapeRig
from blendvoca.speakers import default_split
from blendvoca.synthetic.config import SampleConfig as SampleConfig
from blendvoca.synthetic.head import REGIONS, CanonicalHead, SyntheticHead
from blendvoca.synthetic.performance.coarticulation import coefficients
from blendvoca.synthetic.performance.motion import frames
from blendvoca.synthetic.performance.upper_face import FACE_NAMES, with_upper_face
from blendvoca.synthetic.speakers import Speaker, make_speaker, stream
from blendvoca.synthetic.voice.sentences import SENTENCE_TEXTS
from blendvoca.synthetic.voice.speech import Utterance, say, sentence_text
from blendvoca.track import CoefficientTrack

FORMAT, VERSION = "blendvoca-sample", 2
MARKER = "sample.json"


def write_sample(
    out: str | os.PathLike[str],
    config: SampleConfig,
    progress: Progress | None = None,
    canonical: CanonicalHead | None = None,
) -> bool:
    """Write the sample to a folder; the same configuration gives the same bytes.

    The folder is filled under a temporary name beside it and renamed at the end. A folder that holds this very sample
    already is left alone.

    :param progress: called with a clip's name, how many clips are done, and how many there are.
    :param canonical: the average head, if the caller has it.
    :returns: whether anything was written.
    :raises OutputError: if the folder holds something else.
    :raises MissingDependencyError: without ``espeakng_loader``.
    """
    target = Path(out)
    if _holds(target, config):
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part{os.getpid()}")
    try:
        _fill(part, config, progress or no_progress, canonical or CanonicalHead())
        if target.is_dir():
            target.rmdir()
        os.replace(part, target)
    except OSError as error:
        raise OutputError("writing the sample failed", found=error.strerror or str(error), path=target) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return True


def _holds(target: Path, config: SampleConfig) -> bool:
    """Return whether the folder holds this sample.

    :raises OutputError: if it holds anything else.
    """
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return False
    try:
        stated = read_json(target / MARKER, table({"configuration": mapping(anything)}), "no sample")
        found = stated["configuration"]
    except BlendvocaError:
        found = None
    if found == asdict(config):
        return True
    raise OutputError(
        "the output folder is not empty",
        expected="a new folder, or one that holds this sample",
        found="a sample made with other settings" if found is not None else "other files",
        remedy="Choose another folder or remove this one.",
        path=target,
    )


def _fill(folder: Path, config: SampleConfig, progress: Progress, canonical: CanonicalHead) -> None:
    people = [make_speaker(number, config.seed) for number in range(1, config.speakers + 1)]
    total = config.speakers * config.sentences
    done = 0
    for speaker in people:
        head = SyntheticHead(speaker.identity, canonical)
        rig = _write_rigs(folder, speaker, head, config)
        for sentence in _write_clips(folder, speaker, rig, config):
            done += 1
            progress(f"{speaker.name}/{sentence}", done, total)
    for region in REGIONS:
        indices = canonical.surface(region).landmarks
        write_text(folder / "landmarks" / f"{region}.txt", "".join(f"{k}\n" for k in indices))
    _write_tables(folder, config, people)


def _write_rigs(folder: Path, speaker: Speaker, head: SyntheticHead, config: SampleConfig) -> BlendshapeRig:
    for region in REGIONS:
        rig = head.rig(region)
        buffer = io.BytesIO()
        np.savez(
            buffer,
            vertices=rig.neutral.vertices,
            faces=rig.neutral.faces,
            deltas=rig.deltas.astype(np.float32),
            names=np.array(rig.names),
            landmarks=head.landmarks(region),
        )
        write_bytes(folder / "truth" / "rigs" / f"{speaker.name}.{region}.npz", buffer.getvalue())
    rig = head.rig("head", BLENDVOCA_NAMES if config.shapes == "blendvoca" else FACE_NAMES)
    write_ply(folder / "templates" / f"{speaker.name}.ply", rig.neutral, binary=False)
    return rig


def _write_clips(folder: Path, speaker: Speaker, rig: BlendshapeRig, config: SampleConfig) -> Iterator[str]:
    """Write all sentences of a speaker, yielding each name when it is done."""
    gaps = config.known_gaps()
    for number in range(1, config.sentences + 1):
        sentence = f"sentence{number:02d}"
        utterance = say(sentence_text(number), speaker.voice)
        takes = [_take(utterance, speaker, sentence, number, config) for number in range(1, config.takes + 1)]
        utterance, takes = _cut(utterance, takes, config.max_frames)
        write_wav(folder / "audio" / speaker.name / f"{sentence}.wav", utterance.sound)
        if (speaker.name, sentence) not in gaps:
            write_track(folder / "truth" / "tracks" / speaker.name / f"{sentence}.csv", takes[0])
            for take, other in enumerate(takes[1:], start=2):
                write_track(folder / "truth" / "takes" / speaker.name / sentence / f"take{take:02d}.csv", other)
            positions = frames(rig, takes[0], stream(config.seed, speaker.name, sentence, "motion"))
            place = folder / "unposedcleaneddata" / speaker.name / sentence
            write_ply_frames(place, positions, rig.neutral.faces, config.binary)
        yield sentence


def _take(utterance: Utterance, speaker: Speaker, sentence: str, take: int, config: SampleConfig) -> CoefficientTrack:
    """Articulate a sentence once more."""
    track = coefficients(utterance, speaker.style, stream(config.seed, speaker.name, sentence, f"take {take}"))
    if config.shapes == "blendvoca":
        return track
    return with_upper_face(track, utterance, stream(config.seed, speaker.name, sentence, f"upper face {take}"))


def _cut(
    utterance: Utterance, takes: list[CoefficientTrack], max_frames: int | None
) -> tuple[Utterance, list[CoefficientTrack]]:
    if max_frames is None or utterance.frames <= max_frames:
        return utterance, takes
    samples = utterance.sound.samples[: len(utterance.sound) * max_frames // utterance.frames]
    shorter = replace(utterance, sound=Waveform(samples, utterance.sound.rate), frames=max_frames)
    return shorter, [CoefficientTrack(take.values[:max_frames], take.names, take.fps) for take in takes]


def _write_tables(folder: Path, config: SampleConfig, people: list[Speaker]) -> None:
    split: dict[str, list[str]] = {"train": [], "validation": [], "test": []}
    for name, part in default_split(speaker.name for speaker in people).items():
        split[part].append(name)
    write_text(folder / "splits.json", json.dumps(split, indent=1) + "\n")
    content = {
        "format": FORMAT,
        "version": VERSION,
        "configuration": asdict(config),
        "known_gaps": [list(gap) for gap in config.known_gaps()],
        "sentences": {f"sentence{k + 1:02d}": SENTENCE_TEXTS[k] for k in range(config.sentences)},
        "speakers": {speaker.name: asdict(speaker.voice) for speaker in people},
        "licence": "Apache-2.0; made by this toolkit, no person was recorded",
    }
    write_text(folder / MARKER, json.dumps(content, indent=1) + "\n")
