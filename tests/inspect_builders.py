"""Balls that talk: rigs whose shapes move known patches, in shards with known tracks and sounds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from shard_builders import certificate
from view_builders import ball

from blendvoca.audio import Waveform
from blendvoca.clip import Clip
from blendvoca.mesh import Mesh
from blendvoca.rig import BlendshapeRig
from blendvoca.shard.manifest import write_manifest
from blendvoca.shard.schema import LicenceClass
from blendvoca.shard.writer import write_shard
from blendvoca.track import CoefficientTrack

#: Shapes of the ball and the direction of the patch that each pushes outwards.
PATCHES = {
    "jawLeft": (0.6, -0.6, 0.5), "jawRight": (-0.6, -0.6, 0.5), "jawOpen": (0, -0.8, 0.6),
    "mouthSmileLeft": (0.6, -0.1, 0.8), "mouthSmileRight": (-0.6, -0.1, 0.8),
    "browInnerUp": (0, 0.7, 0.7), "eyeBlinkLeft": (0.4, 0.4, 0.8), "eyeBlinkRight": (-0.4, 0.4, 0.8),
}  # fmt: skip
FPS = 60.0


def ball_rig(names: tuple[str, ...] = tuple(PATCHES), size: float = 0.1) -> BlendshapeRig:
    """A ball of 10 cm radius whose shapes each push out a patch by up to 3 cm."""
    unit = ball().vertices
    deltas = []
    for name in names:
        direction = np.array(PATCHES[name]) / np.linalg.norm(PATCHES[name])
        share = np.clip((unit @ direction - 0.9) / 0.1, 0, 1)
        deltas.append(0.3 * size * share[:, None] * unit)
    return BlendshapeRig(Mesh(size * unit, ball().faces), np.array(deltas), names)


def ramp(frames: int = 120, names: tuple[str, ...] = tuple(PATCHES)) -> CoefficientTrack:
    """Every shape at its own phase; jawOpen tells the frame: frame / (frames - 1)."""
    time = np.arange(frames)[:, None] / FPS
    values = 0.5 + 0.5 * np.sin(3 * time + np.arange(len(names)))
    values[:, names.index("jawOpen")] = np.arange(frames) / (frames - 1)
    return CoefficientTrack(values, names, FPS)


def tone(seconds: float, rate: int = 22_000) -> Waveform:
    """A tone that swells and ebbs."""
    time = np.arange(round(seconds * rate)) / rate
    return Waveform(0.4 * np.sin(2 * np.pi * 220 * time) * np.sin(np.pi * time / seconds), rate)


def talking_balls(
    folder: Path,
    speakers: tuple[str, ...] = ("anna", "bert"),
    sentences: tuple[str, ...] = ("one", "two"),
    licence: str = "open",
    audio: bool = True,
) -> Path:
    """A dataset of balls."""
    for speaker in speakers:
        tracks = [ramp(120 + 12 * number) for number in range(len(sentences))]
        clips = [
            Clip(speaker, sentence, track, tone(track.duration) if audio else None, certificate(),
                 {"source_sha256": "0" * 64})
            for sentence, track in zip(sentences, tracks)
        ]  # fmt: skip
        write_shard(folder / f"{speaker}.h5", speaker, clips, ball_rig(), LicenceClass(licence))
    write_manifest(folder, name="Balls")
    return folder
