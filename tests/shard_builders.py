"""Small shards and datasets for tests: smooth tracks, a little mesh, noise for sound."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from blendvoca.arkit import BLENDVOCA_NAMES
from blendvoca.audio import Waveform
from blendvoca.certificate import FitCertificate
from blendvoca.clip import Clip
from blendvoca.crop import Crop
from blendvoca.mesh import Mesh
from blendvoca.rig import BlendshapeRig
from blendvoca.shard.manifest import Manifest, write_manifest
from blendvoca.shard.schema import LicenceClass
from blendvoca.shard.writer import write_shard
from blendvoca.track import CoefficientTrack

RATE = 22_000


def certificate(**changes: object) -> FitCertificate:
    values: dict[str, object] = {
        "status": "optimal", "solver": "test", "iterations": 9, "rate_limit": 0.1, "objective": 0.5,
        "primal_residual": 0.0, "dual_residual": 1e-13, "duality_gap": 1e-12, "error_mean_mm": 0.25,
        "error_p95_mm": 0.5, "error_max_mm": 1.5, "lips_mean_mm": 0.5, "lips_p95_mm": 1.0, "lips_max_mm": 2.0,
        "rate_limit_share": 0.125,
    }  # fmt: skip
    return FitCertificate(**{**values, **changes})  # type: ignore[arg-type]


def track(rng: np.random.Generator, frames: int, names: tuple[str, ...] = BLENDVOCA_NAMES) -> CoefficientTrack:
    """Slow sines: far inside [0, 1] and the rate limit."""
    time = np.arange(frames)[:, None] / 60
    phase, speed = rng.uniform(0, 6, len(names)), rng.uniform(1, 6, len(names))
    return CoefficientTrack(0.5 + 0.4 * np.sin(speed * time + phase), names, 60.0)


def clip(rng: np.random.Generator, speaker: str, sentence: str, frames: int = 30, audio: bool = True) -> Clip:
    motion = track(rng, frames)
    sound = Waveform(rng.uniform(-0.5, 0.5, round(motion.duration * RATE)).astype(np.float32), RATE) if audio else None
    return Clip(speaker, sentence, motion, sound, certificate(), {"source_sha256": "0" * 64})


def rig(rng: np.random.Generator, n_vertices: int = 24) -> BlendshapeRig:
    neutral = Mesh(rng.normal(size=(n_vertices, 3)), np.arange(n_vertices // 3 * 3).reshape(-1, 3))
    return BlendshapeRig(neutral, 0.01 * rng.normal(size=(32, n_vertices, 3)), BLENDVOCA_NAMES)


def shard(
    folder: Path,
    speaker: str = "alice",
    sentences: int = 3,
    licence_class: str = "open",
    seed: int = 0,
    frames: int = 30,
    audio: bool = True,
    landmarks: int = 4,
) -> Path:
    """One speaker's file, with a crop of every second vertex and a few landmarks."""
    rng = np.random.default_rng([seed, *speaker.encode()])
    clips = [clip(rng, speaker, f"sentence{n:02d}", frames + n, audio) for n in range(1, sentences + 1)]
    return write_shard(
        folder / f"{speaker}.h5",
        speaker,
        clips,
        rig(rng),
        LicenceClass(licence_class),
        crop=Crop(np.arange(0, 48, 2), 48),
        landmarks=[place * 3 % 24 for place in range(landmarks)],
        sources={"templates/x.ply": "1" * 64},
    )


def dataset(
    folder: Path, speakers: tuple[str, ...] = ("alice", "bob", "carol"), licence_class: str = "open", **options: int
) -> Manifest:
    """A folder of shards with its manifest: one speaker a split."""
    for speaker in speakers:
        shard(folder, speaker, licence_class=licence_class, **options)
    return write_manifest(folder)
