"""How many frames a second can be read: ASCII and binary PLY, ``.npy`` and zip, one process and two, beside trimesh.

Run ``python benchmarks/reading.py [--frames 256] [--out results.json]``. The files are in the page cache: what is
measured is the reading code, as it has to keep up with the fit.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import machine
from blendvoca.io.mesh.ply_write import write_ply_frames
from blendvoca.io.sequence.frames import open_sequence

V, F = 5023, 9976


def make_files(folder: Path, frames: NDArray[np.float32], faces: NDArray[np.int32]) -> dict[str, Path]:
    """Write the same frames in every form and return where they lie."""
    write_ply_frames(folder / "ascii", frames, faces, binary=False)
    write_ply_frames(folder / "binary", frames, faces, binary=True)
    np.save(folder / "frames.npy", frames)
    with zipfile.ZipFile(folder / "binary.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((folder / "binary").iterdir()):
            archive.write(path, path.name)
    return {
        "ASCII PLY": folder / "ascii",
        "binary PLY": folder / "binary",
        "binary PLY in zip": folder / "binary.zip",
        "npy": folder / "frames.npy",
    }


def milliseconds(task: Callable[[], object], repeats: int = 5) -> float:
    """Return the best of several times of a task."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        task()
        times.append(time.perf_counter() - start)
    return 1e3 * min(times)


def read_all(path: Path, faces: NDArray[np.int32]) -> None:
    """Open a sequence and read all of its blocks."""
    for block in open_sequence(path, 60.0, faces if path.suffix == ".npy" else None).blocks():
        # A memory map is only read when its pages are touched.
        block.sum()


def read_slowly(paths: list[Path]) -> None:
    """Read single files with trimesh."""
    import trimesh

    for path in paths:
        trimesh.load(path, process=False)


def in_two_processes(pool: ProcessPoolExecutor, path: Path, faces: NDArray[np.int32]) -> None:
    """Read a sequence twice at once."""
    for done in [pool.submit(read_all, path, faces) for _ in range(2)]:
        done.result()


def measure(count: int) -> dict[str, float]:
    """Return milliseconds a frame for every form."""
    generator = np.random.default_rng(0)
    frames = generator.normal(0, 0.08, (count, V, 3)).astype(np.float32)
    faces = generator.integers(0, V, (F, 3), dtype=np.int32)
    with tempfile.TemporaryDirectory() as folder:
        places = make_files(Path(folder), frames, faces)
        result = {name: milliseconds(partial(read_all, place, faces)) / count for name, place in places.items()}
        with ProcessPoolExecutor(2) as pool:
            for name, place in list(places.items()):
                both = milliseconds(partial(in_two_processes, pool, place, faces))
                result[f"{name}, two processes"] = both / (2 * count)
        for name in ("ASCII PLY", "binary PLY"):
            few = sorted(places[name].iterdir())[:8]
            result[f"{name}, trimesh"] = milliseconds(partial(read_slowly, few)) / len(few)
    return result


def main() -> None:
    """Measure, print a table and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=256)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "reading.json")
    options = parser.parse_args()
    result = measure(options.frames)
    print(f"{'form':<32}{'ms a frame':>12}{'frames/s':>12}")
    for name, cost in result.items():
        print(f"{name:<32}{cost:>12.3f}{1e3 / cost:>12.0f}")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "vertices": V,
        "faces": F,
        "frames": options.frames,
        "machine": machine.describe(),
        "milliseconds": result,
    }
    options.out.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
