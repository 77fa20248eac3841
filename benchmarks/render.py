"""How long a 512×512 picture takes with OpenGL and in software, and how much memory 500 frames of video add.

Run ``python benchmarks/render.py SHARD.h5 [--out results.json]``. Both backends draw the same poses in turn; times are
medians. A frame of video is posed, drawn, encoded and written, with its sound. Memory is the most that the process
holds from the 50th frame on over what it held at the 50th. Exits with 1 where a bound does not hold: 30 ms a picture
with OpenGL, 20 MB.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, ClassVar
from unittest import mock

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import machine
from blendvoca.audio import Waveform
from blendvoca.errors import BlendvocaError
from blendvoca.export.rigs import load_rig
from blendvoca.rig import BlendshapeRig
from blendvoca.track import CoefficientTrack
from blendvoca.view.camera import Camera
from blendvoca.view.render import Picture, Renderer
from blendvoca.view.video import write_video

SIZE, FRAMES, WARM = 512, 500, 50
MOST_MS, MOST_MB = 30.0, 20.0


def resident_mb() -> float:
    """Return the memory that this process holds, in MB (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def moving(rig: BlendshapeRig, frames: int) -> CoefficientTrack:
    """Return a track in which every shape moves slowly."""
    phase = np.arange(frames)[:, None] / 60 + np.arange(len(rig.names)) * 0.7
    return CoefficientTrack(0.15 + 0.15 * np.sin(2 * np.pi * phase), rig.names, 60.0)


def pictures(rig: BlendshapeRig, rounds: int) -> dict[str, dict[str, float]]:
    """Return median and worst milliseconds of a picture for each backend that is to be had."""
    renderers = {}
    for backend in ("opengl", "software"):
        try:
            renderers[backend] = Renderer(rig.neutral, (SIZE, SIZE), backend)
        except BlendvocaError as error:
            print(f"{backend}: {error}")
    times: dict[str, list[float]] = {backend: [] for backend in renderers}
    for values in moving(rig, rounds + 3).values:
        pose = rig.pose(values)
        for backend, renderer in renderers.items():
            start = time.perf_counter()
            renderer.draw(pose)
            times[backend].append(1e3 * (time.perf_counter() - start))
    for renderer in renderers.values():
        renderer.backend.release()
    return {name: {"median_ms": round(float(np.median(taken[3:])), 2), "worst_ms": round(max(taken[3:]), 2)}
            for name, taken in times.items()}  # fmt: skip


class Watched(Renderer):
    """A renderer that notes when each picture was done and how much the process held then."""

    seconds: ClassVar[list[float]] = []
    held_mb: ClassVar[list[float]] = []

    def draw(self, *arguments: Any, **options: Any) -> Picture:
        """Draw, and take notes."""
        picture = super().draw(*arguments, **options)
        self.seconds.append(time.perf_counter())
        self.held_mb.append(resident_mb())
        return picture


def video(rig: BlendshapeRig, backend: str) -> dict[str, float]:
    """Return milliseconds a frame of video, encoding included, and the memory that it adds."""
    camera, track = Camera.framing(rig.neutral.vertices), moving(rig, FRAMES)
    noise = np.random.default_rng(0).normal(0, 0.05, round(16_000 * track.duration))
    Watched.seconds.clear()
    Watched.held_mb.clear()
    with tempfile.TemporaryDirectory() as folder, mock.patch("blendvoca.view.video.Renderer", Watched):
        sound = Waveform(noise.astype(np.float32), 16_000)
        write_video(Path(folder) / "video.mp4", rig, [track], camera, sound, SIZE, backend)
    times, held = 1e3 * np.diff(Watched.seconds), Watched.held_mb
    return {"median_ms": round(float(np.median(times)), 2), "mean_ms": round(float(times.mean()), 2),
            "growth_mb": round(max(held[WARM:]) - held[WARM], 2)}  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rig", help="shard, rig file, glTF or folder of OBJ files")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "render.json")
    options = parser.parse_args()
    rig = load_rig(options.rig)
    drawn = pictures(rig, options.rounds)
    written = {backend: video(rig, backend) for backend in drawn}
    result = {"machine": machine.describe(), "vertices": rig.neutral.n_vertices, "faces": rig.neutral.n_faces,
              "size": SIZE, "video_frames": FRAMES, "pictures": drawn, "video": written}  # fmt: skip
    for backend, figures in drawn.items():
        print(f"{backend:9} picture {figures['median_ms']:6.1f} ms, video {written[backend]['mean_ms']:6.1f} ms "
              f"a frame, {written[backend]['growth_mb']:+.1f} MB over {FRAMES} frames")  # fmt: skip
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    slow = drawn.get("opengl", {}).get("median_ms", 0.0) > MOST_MS
    sys.exit(slow or any(figures["growth_mb"] > MOST_MB for figures in written.values()))


if __name__ == "__main__":
    main()
