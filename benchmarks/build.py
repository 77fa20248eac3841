"""The fit stage on a corpus with VOCASET's sequence lengths: frames a second and peak memory, by file form.

Run ``OMP_NUM_THREADS=1 python benchmarks/build.py``; ``--every 1`` fits all 478 sequences (7 GB as ``.npy``, 23 GB as
binary PLY, 40 GB as ASCII), the default every 20th. Meshes are made up: 5,023 vertices of which the rig keeps 4,580, 32
shapes, smooth motion with half a millimetre of noise. What is timed is everything between opening a sequence and
its certified track: reading, projection, QP, error figures; the rig is made ready once a worker. Files are in the page
cache. On a machine that does other work too, frames a CPU second times the workers is what an idle one would reach.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import machine
from blendvoca.arkit import BLENDVOCA_NAMES
from blendvoca.crop import Crop
from blendvoca.fit.fitter import Fitter
from blendvoca.io.mesh.ply_write import write_ply_frames
from blendvoca.io.sequence.frames import open_sequence
from blendvoca.mesh import Mesh
from blendvoca.rig import BlendshapeRig

LENGTHS = Path(__file__).resolve().parent.parent.parent / "shared/facts/vocaset_sequence_frames.json"
V, KEPT = 5023, 4580
FACES = np.stack([np.arange(9976) % (V - 2), np.arange(9976) % (V - 2) + 1, np.arange(9976) % (V - 2) + 2], axis=1)
CROP = Crop(np.arange(KEPT), V)

_worker: dict[str, Fitter] = {}


def whole_rig() -> BlendshapeRig:
    """Return a made-up head of 0.2 m whose shapes are bumps at 32 places."""
    rng = np.random.default_rng(0)
    directions = rng.standard_normal((V, 3))
    points = 0.1 * directions / np.linalg.norm(directions, axis=1, keepdims=True)
    centres = points[rng.choice(KEPT, 32, replace=False)]
    near = np.exp(-((np.linalg.norm(points - centres[:, None], axis=2) / 0.04) ** 2))
    deltas = 0.01 * near[:, :, None] * rng.standard_normal((32, 1, 3))
    return BlendshapeRig(Mesh(points, FACES), deltas, BLENDVOCA_NAMES)


def make_frames(rig: BlendshapeRig, count: int, seed: int) -> np.ndarray:
    """Return (count, V, 3) float32 of a smooth motion with noise."""
    rng = np.random.default_rng(seed)
    time_axis = np.arange(count)[:, None] / 60
    u = 0.25 + 0.4 * np.sin(2 * np.pi * (rng.uniform(0.3, 3, 32) * time_axis + rng.random(32)))
    frames = rig.pose(u.clip(0, 1)).astype(np.float32)
    frames += 0.0005 * rng.standard_normal(frames.shape, dtype=np.float32)
    return frames


def write(form: str, folder: Path, rig: BlendshapeRig, lengths: list[int]) -> list[tuple[Path, int]]:
    """Write all sequences in one form and return their paths and lengths."""
    written = []
    for number, count in enumerate(lengths):
        path = folder / f"sequence{number:03d}"
        frames = make_frames(rig, count, number)
        if form == "npy":
            path = path.with_suffix(".npy")
            np.save(path, frames)
        else:
            write_ply_frames(path, frames, FACES, binary=form == "binary PLY")
        written.append((path, count))
    return written


def prepare() -> None:
    """Make the rig ready in a worker."""
    _worker["fitter"] = Fitter(whole_rig().cropped(CROP), crop=CROP)


def fit_one(path: Path) -> tuple[int, float, float, float]:
    """Fit one sequence and return its frames, relative gap, the worker's peak memory so far in MiB, and CPU seconds."""
    start = time.process_time()
    faces = FACES if path.suffix == ".npy" else None
    result = _worker["fitter"].fit(open_sequence(path, 60.0, faces))
    if result.certificate.problems():
        raise SystemExit(f"{path}: {result.certificate.problems()}")
    return len(result.track), result.certificate.duality_gap, peak_mib(), time.process_time() - start


def peak_mib() -> float:
    """Return this process's own peak of resident memory; getrusage would count its parent's before exec."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(form: str, sequences: list[tuple[Path, int]], workers: int) -> dict[str, object]:
    """Fit all sequences and return the row of the table."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=prepare) as pool:
        list(pool.map(fit_one, [path for path, _ in sequences[:workers]]))  # workers are up, pages are warm
        start = time.perf_counter()
        longest_first = sorted(sequences, key=lambda item: -item[1])
        done = list(pool.map(fit_one, [path for path, _ in longest_first]))
        seconds = time.perf_counter() - start
    frames = sum(count for count, *_ in done)
    return {
        "form": form,
        "workers": workers,
        "sequences": len(done),
        "frames": frames,
        "longest": max(count for _, count in sequences),
        "frames_per_second": round(frames / seconds, 1),
        "frames_per_cpu_second": round(frames / sum(used for *_, used in done), 1),
        "peak_mib_per_worker": round(max(peak for _, _, peak, _ in done), 1),
        "largest_gap": max(gap for _, gap, *_ in done),
    }


def main() -> None:
    """Measure, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lengths", type=Path, default=LENGTHS, help="JSON {speaker: {sentence: frames}}")
    parser.add_argument("--every", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--long", type=int, default=6000, help="frames of one long .npy, to see that memory stays")
    parser.add_argument("--folder", type=Path, help="where to put the corpus for the time of the run")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results/build.json")
    arguments = parser.parse_args()
    if os.environ.get("OMP_NUM_THREADS") != "1":
        parser.error("set OMP_NUM_THREADS=1: workers with many threads each slow one another down")
    table = json.loads(arguments.lengths.read_text())
    lengths = [count for sentences in table.values() for count in sentences.values()][:: arguments.every]
    rig, rows = whole_rig(), []
    print(f"{'form':12}{'workers':>8}{'sequences':>11}{'frames':>8}{'frames/s':>10}"
          f"{'frames/CPU s':>14}{'peak MiB/worker':>17}{'gap':>9}")  # fmt: skip
    forms = [("npy", lengths), ("binary PLY", lengths), ("ASCII PLY", lengths)]
    for form, counts in [*forms, *([("npy", [arguments.long])] if arguments.long else [])]:
        folder = Path(tempfile.mkdtemp(dir=arguments.folder))
        try:
            row = measure(form, write(form, folder, rig, counts), arguments.workers if len(counts) > 1 else 1)
        finally:
            shutil.rmtree(folder)
        rows.append(row)
        rate = f"{row['frames_per_second']:10.0f}{row['frames_per_cpu_second']:14.0f}"
        print(f"{row['form']:12}{row['workers']:8}{row['sequences']:11}{row['frames']:8}{rate}"
              f"{row['peak_mib_per_worker']:17.0f}{row['largest_gap']:9.0e}", flush=True)  # fmt: skip
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps({"machine": machine.describe(), "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
