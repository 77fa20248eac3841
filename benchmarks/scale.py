"""A VOCASET-sized build, end to end: time of every stage, frames a second, memory, bytes, and how it grows.

Run ``python benchmarks/scale.py [--shares 0.25 0.5 1] [--ascii] [--jobs 2] [--scratch DIR] [--out results.json]``.
Synthetic heads of about 5,000 vertices speak as many sentences of as many frames as VOCASET's twelve speakers (the
real 478 lengths, 123,341 frames). The whole takes 23 GB as binary PLY and 40 GB as text; where the scratch folder has
less room, speakers are generated, built and removed one after the other, and their times are added up.

Making the corpus is not part of the measured time. The ledger's and the runner's share is what is spent outside the
stages: finding out what is to be done, hashing results, renaming, writing marks, starting workers.
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
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import machine

LENGTHS = json.loads((Path(__file__).parent / "vocaset_frames.json").read_text())
BYTES_A_FRAME = {"binary": 190_000, "ascii": 335_000}


@dataclass
class Cost:
    """What a build cost.

    :param stages: wall seconds by stage.
    :param overhead: seconds outside the stages' own work, on the clock.
    :param resume: seconds of a second build that finds everything done.
    """

    speakers: int = 0
    clips: int = 0
    frames: int = 0
    seconds: float = 0.0
    stages: dict[str, float] = field(default_factory=dict)
    overhead: float = 0.0
    resume: float = 0.0
    runner_mib: float = 0.0
    worker_mib: float = 0.0
    read_gb: float = 0.0
    written_gb: float = 0.0
    shard_mb: float = 0.0

    def add(self, other: Cost) -> None:
        """Add up two builds of different speakers."""
        for name, value in asdict(other).items():
            if name == "stages":
                for stage, seconds in value.items():
                    self.stages[stage] = self.stages.get(stage, 0.0) + seconds
            elif name.endswith("_mib"):
                setattr(self, name, max(getattr(self, name), value))
            else:
                setattr(self, name, getattr(self, name) + value)


def write_speaker(folder: Path, speaker: str, binary: bool) -> int:
    """Write template, sound and frames of a speaker; return the number of frames."""
    from blendvoca.arkit import BLENDVOCA_NAMES
    from blendvoca.io.mesh.ply_write import write_ply, write_ply_frames
    from blendvoca.io.sound.wav import write_wav
    from blendvoca.synthetic.head import SyntheticHead
    from blendvoca.synthetic.identity import Identity
    from blendvoca.synthetic.performance.motion import NOISE

    number = list(LENGTHS).index(speaker)
    random = np.random.default_rng(number)
    head = SyntheticHead(Identity.random(random))
    rig = head.rig("head", BLENDVOCA_NAMES)
    write_ply(folder / "templates" / f"{speaker}.ply", rig.neutral, binary=False)
    basis = rig.deltas.reshape(len(rig.names), -1).astype(np.float32)
    rest = rig.neutral.vertices.astype(np.float32)
    for sentence, frames in LENGTHS[speaker].items():
        poses = (smooth_motion(frames, len(basis), random) @ basis).reshape(frames, -1, 3)
        poses += rest + np.float32(NOISE) * random.standard_normal(poses.shape, dtype=np.float32)
        write_ply_frames(folder / "unposedcleaneddata" / speaker / sentence, poses, rig.neutral.faces, binary)
        write_wav(folder / "audio" / speaker / f"{sentence}.wav", speech(frames, random))
    (folder / "landmarks").mkdir(exist_ok=True)
    marks = "".join(f"{index}\n" for index in head.landmarks("head"))
    (folder / "landmarks" / f"{speaker}.txt").write_text(marks)
    return sum(LENGTHS[speaker].values())


def smooth_motion(frames: int, shapes: int, random: np.random.Generator) -> np.ndarray:
    """Return (frames, shapes) coefficients, most of the time near zero, as in speech."""
    seconds = np.arange(frames)[:, None] / 60
    waves = np.sin(2 * np.pi * (random.uniform(0.3, 3, shapes) * seconds + random.random(shapes)))
    return np.clip(0.5 * waves - 0.1, 0, 1).astype(np.float32)


def speech(frames: int, random: np.random.Generator):
    """Return something as hard to compress as speech: noise with a syllable's rise and fall."""
    from blendvoca.audio import Waveform

    samples = frames * 22_000 // 60
    swell = np.sin(np.arange(samples) * (2 * np.pi * 3 / 22_000)) ** 2
    noise = np.convolve(random.standard_normal(samples), np.ones(8) / 8, mode="same")
    return Waveform(0.1 * swell * noise, 22_000)


def measure(corpus: Path, out: Path, jobs: int, method: str) -> Cost:
    """Build once, then again; meant for a process of its own, whose resources are counted."""
    from pipelines.build import build
    from pipelines.config import BuildConfig

    config = BuildConfig(corpus, source_rig="synthetic", method=method)
    before = _io()
    result = build(config, out, jobs=jobs)
    after = _io()
    if result.failures:
        raise SystemExit(f"{len(result.failures)} failures, first: {result.failures[0]}")
    outside = sum(r.planning + (r.busy - r.own) / jobs for r in result.reports)
    begin = time.perf_counter()
    again = build(config, out, jobs=jobs)
    resume = time.perf_counter() - begin
    if not again.idle:
        raise SystemExit("the second build found something to do")
    clips = [f"{speaker}/{sentence}" for speaker, sentence in result.work.corpus.clips()]
    return Cost(
        speakers=len(result.work.speakers),
        clips=len(clips),
        frames=sum(result.work.mark("fit", clip).facts["frames"] for clip in clips),
        seconds=result.seconds,
        stages={report.name: report.seconds for report in result.reports if report.done},
        overhead=outside + _start_seconds(result.reports, jobs),
        resume=resume,
        runner_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        worker_mib=resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
        read_gb=(after[0] - before[0]) / 1e9,
        written_gb=(after[1] - before[1]) / 1e9,
        shard_mb=sum(path.stat().st_size for path in out.glob("*.h5")) / 1e6,
    )


def _start_seconds(reports, jobs: int) -> float:
    """Return how long the workers took to start: the first stage waits for one of them."""
    first = next(report for report in reports if report.done)
    return max(first.seconds - first.planning - first.busy, 0.0)


def _io() -> tuple[int, int]:
    """Return bytes read and written by this process and its finished children, from the cache or not."""
    lines = Path("/proc/self/io").read_text().splitlines()
    values = dict(line.split(": ") for line in lines)
    return int(values["rchar"]), int(values["wchar"])


def in_own_process(corpus: Path, out: Path, jobs: int, method: str) -> Cost:
    """Call :func:`measure` in a fresh process."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context) as pool:
        return pool.submit(measure, corpus, out, jobs, method).result()


def view(whole: Path, folder: Path, speakers: list[str]) -> Path:
    """Return a corpus of some of the speakers, by links."""
    for kind, name in (("templates", "{}.ply"), ("landmarks", "{}.txt"), ("audio", "{}"), ("unposedcleaneddata", "{}")):
        (folder / kind).mkdir(parents=True)
        for speaker in speakers:
            os.symlink(whole / kind / name.format(speaker), folder / kind / name.format(speaker))
    return folder


def at_once(scratch: Path, shares: list[float], binary: bool, jobs: int, method: str) -> list[Cost]:
    """Generate everything, then build a share after the other from scratch."""
    whole, speakers = scratch / "corpus", list(LENGTHS)[: round(max(shares) * len(LENGTHS))]
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        for done in [pool.submit(write_speaker, whole, speaker, binary) for speaker in speakers]:
            done.result()
    os.sync()
    costs = []
    for share in shares:
        some = view(whole, scratch / f"view-{share}", speakers[: round(share * len(LENGTHS))])
        costs.append(in_own_process(some, scratch / f"out-{share}", jobs, method))
        show(costs[-1])
    return costs


def one_by_one(scratch: Path, shares: list[float], binary: bool, jobs: int, method: str) -> list[Cost]:
    """Generate, build and remove a speaker after the other; a share is the sum of its speakers."""
    total, costs = Cost(), []
    for number, speaker in enumerate(list(LENGTHS)[: round(max(shares) * len(LENGTHS))], start=1):
        corpus = scratch / "corpus"
        write_speaker(corpus, speaker, binary)
        total.add(in_own_process(corpus, scratch / f"out-{speaker}", jobs, method))
        shutil.rmtree(corpus)
        if number in [round(share * len(LENGTHS)) for share in shares]:
            costs.append(Cost(**asdict(total)))
            show(costs[-1])
    return costs


def show(cost: Cost) -> None:
    """Print the figures of a build."""
    print(f"\n{cost.speakers} speakers, {cost.clips} clips, {cost.frames:,} frames")
    print(f"  {cost.seconds:7.1f} s in all, {cost.frames / cost.seconds:,.0f} frames/s, "
          f"{1000 * cost.seconds / cost.frames:.3f} ms a frame")  # fmt: skip
    for stage, seconds in cost.stages.items():
        print(f"  {seconds:7.1f} s {stage}")
    print(f"  {cost.overhead:7.2f} s ledger and runner, {100 * cost.overhead / cost.seconds:.2f} %")
    print(f"  {cost.resume:7.2f} s to find that all is done")
    print(f"  peak memory: runner {cost.runner_mib:.0f} MiB, a worker {cost.worker_mib:.0f} MiB")
    print(f"  read {cost.read_gb:.1f} GB, wrote {cost.written_gb:.2f} GB, shards {cost.shard_mb:.0f} MB", flush=True)


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shares", type=float, nargs="+", default=[0.25, 0.5, 1.0])
    parser.add_argument("--ascii", action="store_true")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--method", default="face")
    parser.add_argument("--scratch", type=Path, default=None)
    parser.add_argument("--out", type=Path, default=None)
    options = parser.parse_args()
    form = "ascii" if options.ascii else "binary"
    with tempfile.TemporaryDirectory(prefix="scale-", dir=options.scratch) as folder:
        need = 1.3 * BYTES_A_FRAME[form] * max(options.shares) * sum(sum(s.values()) for s in LENGTHS.values())
        room = shutil.disk_usage(folder).free
        way = at_once if room > need else one_by_one
        print(f"{form} PLY, {options.jobs} workers, {'all at once' if way is at_once else 'speaker by speaker'}")
        costs = way(Path(folder), sorted(options.shares), not options.ascii, options.jobs, options.method)
    a_frame = [cost.seconds / cost.frames for cost in costs]
    print(f"\ncost a frame, the largest share against the smallest: {a_frame[-1] / a_frame[0]:.3f} (linear: 1)")
    if options.out:
        table = {"machine": machine.describe(), "form": form, "jobs": options.jobs, "method": options.method,
                 "builds": [asdict(cost) for cost in costs]}  # fmt: skip
        options.out.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
