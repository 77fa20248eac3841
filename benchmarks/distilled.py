"""What does distillation cost, and what does it save? A teacher and its student over numbers of steps.

    python benchmarks/distilled.py TEACHER STUDENT SHARDS --vae VAE [--sync SYNC] [--clips 16] [--samples 4]

Every setting draws the same clips of SHARDS' test split from the same noise: FD, WInD, multimodality in the VAE's
latents, confidence of the sync expert, recall of the truth's closures, share of fast motion, motion at the borders of
regenerated middles (as ``benchmarks/seams.py``), and the processor's seconds for four seconds of sound with encoder.
Settings take turns at the clock within one run; ``faster`` is against the teacher's ten steps.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path

import machine
import numpy as np
import torch
from seams import edits

from blendvoca.audio import Waveform
from blendvoca.dataset import BlendVOCA
from blendvoca.track import CoefficientTrack
from said_model.config import SAMPLE_RATE, SamplerConfig
from said_model.evaluation.evaluate import Instruments, evaluate
from said_model.evaluation.outputs import Outputs
from said_model.evaluation.sync_expert import load_sync
from said_model.evaluation.vae import load_vae
from said_model.model import SAiD
from said_model.training.recipes import load_encoder

STEPS = (1, 2, 4, 10)
FIGURES = ("fd", "wind", "multimodality", "sync_confidence", "closure_recall", "jitter_share", "mae")
SECONDS = 4


def settings(teacher: SAiD, student: SAiD) -> dict[str, tuple[SAiD, SamplerConfig]]:
    """Return what is compared, by name."""
    guidance = teacher.sampler.guidance_scale
    rows = {f"teacher {steps}": (teacher, SamplerConfig("dpm", steps, guidance)) for steps in STEPS}
    return rows | {f"student {steps}": (student, SamplerConfig("distilled", steps, guidance)) for steps in STEPS}


def quality(
    model: SAiD, sampler: SamplerConfig, truth: BlendVOCA, rows: list[int], samples: int, instruments: Instruments
) -> dict[str, float]:
    """Return a setting's figures."""
    keys, tracks = truth.keys(), {}
    for row in rows:
        clip = truth[row]
        if clip.waveform is None:
            continue
        drawn = model.samples(clip.waveform, samples, 100 * row, sampler)
        length = len(clip.track)
        tracks[keys[row]] = tuple(CoefficientTrack(one.values[:length], one.names, one.fps) for one in drawn)
    found = evaluate(Outputs(tracks, (), ()), truth, instruments, "")
    figures = {name: found.overall[name] for name in FIGURES if name in found.overall}
    model.sampler, before = sampler, model.sampler
    figures |= {f"border_{name}": value for name, value in edits(model, [truth[row] for row in rows[:6]], 2).items()}
    model.sampler = before
    return figures


def clock(rows: dict[str, tuple[SAiD, SamplerConfig]], rounds: int) -> dict[str, float]:
    """Return medians of the processor's seconds, every setting once a round."""
    sound = Waveform(
        np.random.default_rng(0).standard_normal(SECONDS * SAMPLE_RATE).astype(np.float32) * 0.1, SAMPLE_RATE
    )
    taken: dict[str, list[float]] = {name: [] for name in rows}
    for _ in range(rounds + 1):
        for name, (model, sampler) in rows.items():
            start = time.process_time()
            model.sample(sound, 0, sampler)
            taken[name].append(time.process_time() - start)
    return {name: statistics.median(values[1:]) for name, values in taken.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("teacher", "student", "shards"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--vae", type=Path, required=True)
    parser.add_argument("--sync", type=Path)
    parser.add_argument("--split", default="test")
    parser.add_argument("--clips", type=int, default=16)
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = settings(SAiD.load(options.teacher, "cpu"), SAiD.load(options.student, "cpu"))
    truth = BlendVOCA(options.shards, options.split, audio_rate=SAMPLE_RATE)
    clips = list(range(0, len(truth), max(len(truth) // options.clips, 1)))[: options.clips]
    expert = load_sync(options.sync) if options.sync else None
    encoder = load_encoder(expert.config.encoder)[0] if expert else None
    instruments = Instruments(load_vae(options.vae), expert, encoder, repeats=5)
    seconds = clock(rows, options.rounds)
    results = {}
    for name, (model, sampler) in rows.items():
        found = quality(model, sampler, truth, clips, options.samples, instruments)
        results[name] = {**found, "seconds": seconds[name], "faster": seconds["teacher 10"] / seconds[name]}
        print(f"{name:<10}", *(f"{figure} {value:.4g}" for figure, value in results[name].items()), flush=True)
    if options.out:
        facts = {"machine": machine.describe(), "clips": len(clips), "samples": options.samples, "settings": results}
        options.out.write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main()
