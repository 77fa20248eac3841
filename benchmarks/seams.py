"""Do long clips, sections, streams and edits show where they were joined?

    python benchmarks/seams.py MODEL SHARDS [--seconds 40] [--shifts 8] [--out results.json]

Motion depends on what is said, so seams are compared with the same moments of speech: the sound starts a little later
in every run, which moves the seams through it. ``velocity`` and ``acceleration`` are the mean change from frame to
frame, and the change of that, within two frames of a seam, relative to the same frames of the runs that have no seam
there; ± is the standard error over half seconds of speech. For edits, it is relative to the true track at the same
frames.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import machine
import numpy as np
from numpy.typing import NDArray

from blendvoca.audio import Waveform
from blendvoca.dataset import BlendVOCA
from said_model.config import SAMPLE_RATE
from said_model.diffusion.sections import WindowConfig, window_starts
from said_model.model import SAiD
from said_model.synthesis.edit import build_mask
from said_model.synthesis.settings import StreamConfig

NEAR, BLOCK = 2, 30
Draw = Callable[[Waveform], NDArray[np.float64]]
Seams = Callable[[int], Sequence[int]]


def compare(speech: Waveform, draw: Draw, seams: Seams, shifts: Sequence[int], fps: float) -> dict[str, float]:
    """Return size of motion at seams relative to the same speech without, of order one and two, and standard errors."""
    n_frames = round(speech.duration * fps)
    size, seam = (np.full((2, len(shifts), n_frames), np.nan) for _ in range(2))
    for row, shift in enumerate(shifts):
        values = draw(Waveform(speech.samples[round(shift / fps * speech.rate) :], speech.rate))
        for order in (1, 2):
            # A change belongs between its frames: of order one between n and n + 1, of order two around n + 1.
            change = np.abs(np.diff(values, n=order, axis=0)).mean(axis=1)
            place = np.arange(len(change)) + order / 2
            gaps = np.abs(place[:, None] - (np.asarray(seams(len(values))) - 0.5)).min(axis=1)
            inside = slice(shift, min(shift + len(change), n_frames))
            size[order - 1, row, inside] = change[: inside.stop - inside.start]
            seam[order - 1, row, inside] = (gaps <= NEAR)[: inside.stop - inside.start]
    return {f"{name}{end}": value for name, order in (("velocity", 0), ("acceleration", 1))
            for end, value in zip(("", "_error"), ratio(size[order], seam[order]))}  # fmt: skip


def ratio(size: NDArray[np.float64], seam: NDArray[np.float64]) -> tuple[float, float]:
    """Return mean at seams over mean elsewhere, of frames (columns) that have both, and its standard error."""
    with warnings.catch_warnings():
        # Frames that no run has are left out below.
        warnings.simplefilter("ignore", RuntimeWarning)
        at, off = (np.nanmean(np.where(seam == kind, size, np.nan), axis=0) for kind in (1, 0))
    both = np.isfinite(at) & np.isfinite(off)
    blocks = np.flatnonzero(both) // BLOCK
    sums = np.array([[part[both][blocks == block].sum() for part in (at, off)] for block in np.unique(blocks)])
    total = sums.sum(axis=0)
    left_out = (total - sums)[:, 0] / (total - sums)[:, 1]
    count = len(sums)
    return total[0] / total[1], float(np.sqrt((count - 1) / count * np.square(left_out - left_out.mean()).sum()))


def edits(model: SAiD, clips: list, repeats: int) -> dict[str, float]:
    """Return motion at the borders of regenerated middles, relative to the true track's at the same frames."""
    sums = np.zeros((2, 2))
    for number, clip in enumerate(clips):
        seconds = clip.track.duration
        keep = [f"0:{0.3 * seconds:g}", f"{0.6 * seconds:g}:"]
        mask = build_mask(len(clip.track), clip.track.names, clip.track.fps, keep=keep)
        kept = mask[:, 0] > 0.5
        seams = np.flatnonzero(kept[1:] != kept[:-1]) + 1
        for edited in model.edit(clip.track, clip.waveform, mask, repeats, 100 * number):
            for row, values in enumerate((edited.track.values, clip.track.values)):
                for order in (1, 2):
                    change = np.abs(np.diff(values, n=order, axis=0)).mean(axis=1)
                    place = np.arange(len(change)) + order / 2
                    near = np.abs(place[:, None] - (seams - 0.5)).min(axis=1) <= NEAR
                    sums[row, order - 1] += change[near].mean()
    return {"velocity": sums[0, 0] / sums[1, 0], "acceleration": sums[0, 1] / sums[1, 1]}


def speech_of(dataset: BlendVOCA, seconds: float) -> Waveform:
    """Join the split's clips, with the pauses that they begin and end with."""
    samples: list[NDArray[np.float32]] = []
    row = 0
    while sum(map(len, samples)) < seconds * SAMPLE_RATE:
        samples.append(dataset[(7 * row) % len(dataset)].waveform.samples)
        row += 1
    return Waveform(np.concatenate(samples)[: round(seconds * SAMPLE_RATE)], SAMPLE_RATE)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("shards", type=Path)
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--shifts", type=int, default=8)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    model = SAiD.load(options.model, "cpu")
    dataset = BlendVOCA(options.shards, split="test", audio_rate=SAMPLE_RATE)
    speech, fps = speech_of(dataset, options.seconds), model.config.fps
    windows, section = WindowConfig(), WindowConfig(section=600)
    chain = StreamConfig().chain

    def of_windows(n_frames: int) -> list[int]:
        starts = window_starts(n_frames, windows)
        return sorted({*starts[1:], *(start + windows.frames for start in starts[:-1])})

    hop = section.section - 2 * section.overlap
    kinds: list[tuple[str, Draw, Seams, int]] = [
        ("windows", lambda sound: model.sample(sound, windows=windows).values, of_windows, 210),
        ("sections", lambda sound: model.sample(sound, windows=section).values, lambda n: range(hop, n, hop), hop),
        ("stream", lambda sound: model.sample_like_stream(sound).values, lambda n: range(chain.hop, n, chain.hop),
         chain.hop),
    ]  # fmt: skip
    print(f"{'joined':>10} {'velocity':>18} {'acceleration':>18}")
    rows: dict[str, dict[str, float]] = {}
    for name, draw, seams, period in kinds:
        # Spread over one distance between seams, so that every moment of speech is at a seam in some run or other.
        shifts = [round(number * period / options.shifts) for number in range(options.shifts)]
        rows[name] = row = compare(speech, draw, seams, shifts, fps)
        print(f"{name:>10} {row['velocity']:>9.3f} ± {row['velocity_error']:.3f}  {row['acceleration']:>9.3f} ± "
              f"{row['acceleration_error']:.3f}", flush=True)  # fmt: skip
    clips = [dataset[row] for row in range(0, len(dataset), max(len(dataset) // 12, 1))]
    rows["edit"] = edits(model, clips, 2)
    print(f"{'edit':>10} {rows['edit']['velocity']:>9.3f} {rows['edit']['acceleration']:>18.3f}")
    if options.out is not None:
        record = {"machine": machine.describe(), "seconds": options.seconds, "shifts": options.shifts, "rows": rows}
        options.out.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
