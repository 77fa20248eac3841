"""A small sample corpus for tests that build, and hands that spoil it."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from blendvoca.io.mesh.ply import read_ply
from blendvoca.io.mesh.ply_write import write_ply
from blendvoca.io.sound.wav import write_wav
from blendvoca.mesh import Mesh
from pipelines.config import BuildConfig

FRAMES = "unposedcleaneddata"


@cache
def quick_source() -> str:
    """Return a file with the sample's source rig: reading it is much quicker than making it for every build."""
    from landmarks.sources import load_source

    source = load_source("synthetic")
    path = Path(tempfile.mkdtemp(prefix="blendvoca-test-")) / "source.npz"
    neutral, names = source.rig.neutral, np.array(source.rig.names)
    np.savez(path, neutral=neutral.vertices, faces=neutral.faces, deltas=source.rig.deltas, names=names,
             landmarks=source.landmarks)  # fmt: skip
    atexit.register(shutil.rmtree, path.parent, ignore_errors=True)
    return str(path)


def quick(corpus: Path, **settings) -> BuildConfig:
    """Return settings of the quicker method; the tests of real heads and of the command use the default one."""
    return BuildConfig(corpus, **{"method": "sumner-popovic", "source_rig": quick_source(), **settings})


def small_sample(folder: Path, speakers: int = 2, sentences: int = 3, max_frames: int = 30) -> Path:
    """Write a sample of a few short clips; skips where the speech synthesiser is not installed."""
    pytest.importorskip("espeakng_loader", reason="pip install 'blendvoca[demo]' brings the sample's voice")
    from blendvoca.synthetic.corpus import SampleConfig, write_sample

    write_sample(folder, SampleConfig(speakers=speakers, sentences=sentences, max_frames=max_frames))
    return folder


def copied(corpus: Path, target: Path) -> Path:
    """Copy a corpus, modification times included, so that a test may spoil it."""
    shutil.copytree(corpus, target)
    return target


def frame(corpus: Path, clip: str, number: int) -> Path:
    """Return the path of one frame, counted from 0."""
    return sorted((corpus / FRAMES / clip).glob("*.ply"))[number]


def rewrite(path: Path, change: str) -> None:
    """Spoil a mesh file."""
    mesh = read_ply(path)
    vertices, faces = np.array(mesh.vertices), np.array(mesh.faces)
    if change == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    elif change == "no mesh":
        path.write_bytes(b"<html>404 Not Found</html>")
    elif change == "nan":
        content = bytearray(path.read_bytes())
        start = content.index(b"end_header\n") + len(b"end_header\n")
        content[start + 12 : start + 16] = np.float32(np.nan).tobytes()
        path.write_bytes(content)
    elif change == "one vertex more":
        write_ply(path, Mesh(np.vstack([vertices, vertices[:1]]), faces))
    elif change == "other faces":
        write_ply(path, Mesh(vertices, faces[:, [1, 0, 2]]))
    else:
        raise ValueError(change)


def hashes(out: Path) -> dict[str, bytes]:
    """Return the final files of a build, and every result and mark under ``.stages``."""
    kept = out / ".stages"
    names = [*out.glob("*.h5"), out / "manifest.json", *kept.rglob("*.npz"), *kept.rglob("*.done")]
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(names)}


def real_corpus(folder: Path, assets: Path, heads: int = 3, clips: int = 1, frames: int = 60) -> Path:
    """Write ICT identities as speakers in VOCASET's folder form, moved by a real capture at 60 fps.

    The motion holds all of ICT's ARKit shapes, eyes and brows too, so a fit of 32 shapes cannot be perfect.
    """
    from blendvoca.audio import Waveform
    from blendvoca.io.mesh.ply_write import write_ply_frames
    from blendvoca.io.rig.ict import read_ict
    from blendvoca.io.track.csv import read_track

    model = read_ict(assets / "ict_facekit" / "ict_facekit.npz")
    capture = read_track(assets / "livelink" / "capture_30fps.csv").resampled(60.0)
    random = np.random.default_rng(0)
    identities = list(model.identities)
    for head in range(heads):
        weights = {name: float(weight) for name, weight in zip(identities, random.normal(size=len(identities)))}
        rig, speaker = model.rig(weights, region="head"), f"ict{head + 1:02d}"
        write_ply(folder / "templates" / f"{speaker}.ply", rig.neutral)
        (folder / "landmarks").mkdir(exist_ok=True)
        (folder / "landmarks" / f"{speaker}.txt").write_text("".join(f"{index}\n" for index in model.landmarks))
        for clip in range(clips):
            start, sentence = 100 + (head * clips + clip) * frames, f"sentence{clip + 1:02d}"
            moving = capture.select(rig.names).values[start : start + frames]
            write_ply_frames(folder / FRAMES / speaker / sentence, rig.pose(moving), rig.neutral.faces)
            noise = random.normal(scale=0.05, size=round(frames / 60 * 22_000))
            write_wav(folder / "audio" / speaker / f"{sentence}.wav", Waveform(noise, 22_000))
    return folder
