"""How fast a dataset of VOCASET's size opens and reads, how fast it feeds torch, and how large its shards are.

Run ``python benchmarks/dataset.py [--out results.json]``. Makes 478 clips of 12 speakers in a temporary folder (smooth
random tracks, noise shaped like speech at 22 kHz, rigs of 4,580 vertices), reads them from the page cache, and
compares with the targets: open < 50 ms, clip with sound < 5 ms, 2,000 windows a second with two workers, shards at
most 1.3 × their raw content.
"""

from __future__ import annotations

import argparse
import json
import platform
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from blendvoca.arkit import BLENDVOCA_NAMES
from blendvoca.audio import Waveform
from blendvoca.certificate import FitCertificate
from blendvoca.clip import Clip
from blendvoca.dataset import BlendVOCA
from blendvoca.mesh import Mesh
from blendvoca.rig import BlendshapeRig
from blendvoca.shard.manifest import write_manifest
from blendvoca.shard.schema import LicenceClass
from blendvoca.shard.writer import write_shard
from blendvoca.speakers import KNOWN_GAPS, SENTENCES, VOCASET_SPEAKERS
from blendvoca.track import CoefficientTrack

V, F, RATE = 4580, 9081, 22_000
PROOF = FitCertificate("optimal", "benchmark", 9, 0.1, 0.5, 0.0, 1e-13, 1e-12, 0.3, 0.6, 2.0, 0.4, 0.8, 2.0, 0.1)


def smooth_noise(rng: np.random.Generator, length: int, columns: int, knots_every: float) -> np.ndarray:
    """Return noise (length, columns) that changes over about so many frames."""
    knots = rng.normal(size=(int(length / knots_every) + 2, columns))
    at = np.arange(length) / knots_every
    return np.stack([np.interp(at, np.arange(len(knots)), column) for column in knots.T], axis=1)


def make_clip(rng: np.random.Generator, speaker: str, sentence: str) -> Clip:
    """Make a clip of VOCASET's length: 126 to 469 frames, 258 in the mean."""
    frames = int(np.clip(rng.normal(258, 60), 126, 469))
    values = 1 / (1 + np.exp(1 - smooth_noise(rng, frames, 32, 8.0)))
    samples = round(frames / 60 * RATE)
    loudness = np.exp(1.5 * smooth_noise(rng, samples, 1, 2000.0)[:, 0] - 3.5)
    colour = np.convolve(rng.normal(size=samples), np.hanning(9), "same")
    sound = Waveform(np.clip(0.3 * loudness * colour, -1, 1).astype(np.float32), RATE)
    return Clip(speaker, sentence, CoefficientTrack(values, BLENDVOCA_NAMES, 60.0), sound, PROOF)


def make_speaker(folder: Path, speaker: str, rng: np.random.Generator) -> None:
    """Write one speaker's shard."""
    neutral = Mesh(rng.normal(scale=0.1, size=(V, 3)), rng.integers(0, V, (F, 3)).astype(np.int32))
    # A delta is zero over most of the head.
    reach = rng.uniform(size=(32, V, 1)) < 0.4
    rig = BlendshapeRig(neutral, reach * rng.normal(scale=2e-3, size=(32, V, 3)), BLENDVOCA_NAMES)
    clips = [make_clip(rng, speaker, s) for s in SENTENCES if (speaker, s) not in KNOWN_GAPS]
    write_shard(folder / f"{speaker}.h5", speaker, clips, rig, LicenceClass.RESTRICTED)


def raw_bytes(dataset: BlendVOCA) -> dict[str, int]:
    """Return the float32/int16/int32 content of every shard in bytes."""
    rig = 32 * V * 3 * 4 + V * 3 * 4 + F * 3 * 4
    size = dict.fromkeys(dataset.speakers, rig)
    for row in dataset.table():
        size[row["speaker"]] += row["frames"] * 32 * 4 + row["samples"] * 2
    return size


def timed(task: object, repeats: int) -> list[float]:
    """Return the milliseconds of every run of a task."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        task()  # type: ignore[operator]
        times.append(1e3 * (time.perf_counter() - start))
    return times


def random_access(root: Path, rng: np.random.Generator, **options: object) -> float:
    """Return the median milliseconds of reading a random clip, decoded anew each time, files in the page cache."""
    dataset = BlendVOCA(root, cache_bytes=0, **options)  # type: ignore[arg-type]
    list(dataset)
    rows = iter(rng.permutation(len(dataset)))
    return float(np.median(timed(lambda: dataset[int(next(rows))], 400)))


def windows_a_second(root: Path, **options: object) -> tuple[float, float]:
    """Return windows of 120 frames a second with two workers, shuffled: first pass and later passes."""
    import torch
    from torch.utils.data import DataLoader

    from said_model.training.data import ClipWindows

    torch.set_num_threads(1)
    windows = ClipWindows(BlendVOCA(root, "train", **options), 120, 10)  # type: ignore[arg-type]
    loader = DataLoader(windows, 32, shuffle=True, num_workers=2, persistent_workers=True, prefetch_factor=4)
    rates = []
    for _ in range(4):
        start, count = time.perf_counter(), 0
        for batch in loader:
            count += len(batch["coefficients"])
        rates.append(count / (time.perf_counter() - start))
    return rates[0], float(np.median(rates[1:]))


def measure(root: Path) -> Iterator[tuple[str, float, str, bool]]:
    """Yield (question, answer, target, reached)."""
    rng = np.random.default_rng(1)
    opening = float(np.median(timed(lambda: BlendVOCA(root), 20)))
    yield "open the dataset, ms", opening, "< 50", opening < 50
    for name, options in (
        ("random clip with sound, ms", {}),
        ("random clip with sound at 16 kHz, ms", {"audio_rate": 16_000}),
        ("random clip without sound, ms", {"audio": False}),
    ):
        access = random_access(root, rng, **options)
        yield name, access, "< 5", access < 5
    for name, options in (
        ("windows/s, 2 workers", {"audio": False}),
        ("windows/s with sound, 2 workers", {"audio_rate": 16_000}),
    ):
        first, later = windows_a_second(root, **options)
        yield f"{name}, first epoch", first, ">= 2000", first >= 2000
        yield f"{name}, later epochs", later, ">= 2000", later >= 2000
    raw = raw_bytes(BlendVOCA(root))
    ratio = max((root / f"{speaker}.h5").stat().st_size / size for speaker, size in raw.items())
    yield "largest shard / raw content", ratio, "<= 1.3", ratio <= 1.3


def main() -> None:
    """Make the dataset, measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "dataset.json")
    out = parser.parse_args().out
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        start = time.perf_counter()
        for number, speaker in enumerate(VOCASET_SPEAKERS):
            make_speaker(root, speaker, np.random.default_rng(number))
        manifest = write_manifest(root)
        clips = sum(len(entry.clips) for entry in manifest.shards)
        print(f"{clips} clips, {sum(e.bytes for e in manifest.shards) / 1e6:.0f} MB, made in "
              f"{time.perf_counter() - start:.0f} s\n")  # fmt: skip
        results = []
        for question, answer, target, reached in measure(root):
            print(f"{question:45} {answer:10.2f}   {target:>8}  {'reached' if reached else 'MISSED'}", flush=True)
            results.append({"question": question, "answer": answer, "target": target, "reached": reached})
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps({"machine": platform.machine(), "python": platform.python_version(),
                               "clips": clips, "results": results}, indent=1) + "\n")  # fmt: skip


if __name__ == "__main__":
    main()
