"""Does SAiD draw what a regression cannot, where one sound has many motions? Both on the embedded sample, to the end.

    python benchmarks/one_to_many.py WORK [--seeds 3] [--steps 6000] [--rows absolute-error …] [--out results.json]

Twelve speakers, forty sentences (`blendvoca synth --speakers 12 --sentences 40 --seed 7`), as shards with the true
coefficients, without frames and fits; and so many more speakers to test on (--test-speakers), since two speakers' 79
clips tell little apart. A speaker is a manner of moving; voices and sentences are the sample's. Both systems learn
from three takes of eight speakers' sentences; the truth of the test split is the first take, and "another take" is
a system of its own: four further articulations of the same sounds, which is what a perfect model would draw. Everything
goes on in WORK where it stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import machine
import numpy as np

from blendvoca.arkit import BLENDVOCA_NAMES
from blendvoca.clip import Clip
from blendvoca.dataset import BlendVOCA
from blendvoca.shard.manifest import write_manifest
from blendvoca.shard.writer import write_shard
from blendvoca.speakers import default_split
from blendvoca.synthetic.config import SampleConfig
from blendvoca.synthetic.head import CanonicalHead, SyntheticHead
from blendvoca.synthetic.performance.coarticulation import coefficients
from blendvoca.synthetic.speakers import Speaker, make_speaker, stream
from blendvoca.synthetic.voice.speech import Utterance, say, sentence_text
from blendvoca.track import CoefficientTrack
from said_model.config import SAMPLE_RATE
from said_model.evaluation.compare import compare
from said_model.evaluation.evaluate import Evaluation, Instruments, evaluate
from said_model.evaluation.metrics.frechet import frechet_distance
from said_model.evaluation.outputs import read_outputs
from said_model.evaluation.sync_expert import load_sync
from said_model.evaluation.vae import load_vae
from said_model.training.ablations import ABLATIONS, Ablation
from said_model.training.presets import PRESETS
from said_model.training.recipes import load_encoder
from said_model.training.settings import SaidSettings

SAMPLE = SampleConfig(speakers=12, sentences=40, seed=7)
#: Takes of a sentence to train on; samples of a sound, of the truth and of the model.
TRAINED_TAKES, SAMPLES = 3, 4
BASELINE = "end2end_AU_speech"
OTHER_TAKES = "another take"
SHORT = PRESETS[SaidSettings]["short"]
#: What rows change of the short recipe, which has the squared error.
ROWS = {
    **{name: row for name, row in ABLATIONS.items() if name not in ("squared-error", "finetuned-encoder")},
    "absolute-error": Ablation("absolute-error", "absolute error", {"error": "absolute"}),
}


def takes(speaker: Speaker, sentence: str, utterance: Utterance, numbers: range) -> Iterator[CoefficientTrack]:
    """Articulate a sentence as the sample does, take by take."""
    for number in numbers:
        yield coefficients(utterance, speaker.style, stream(SAMPLE.seed, speaker.name, sentence, f"take {number}"))


def write_shards(work: Path, more: int) -> Path:
    """Write the sample as shards, and further takes of the test split as tracks of a system.

    :param more: speakers of the test split that the sample itself does not have.
    """
    shards = work / "shards"
    if (shards / "manifest.json").is_file():
        return shards
    shards.mkdir(parents=True, exist_ok=True)
    people = [make_speaker(number, SAMPLE.seed) for number in range(1, SAMPLE.speakers + more + 1)]
    split = default_split(speaker.name for speaker in people[: SAMPLE.speakers])
    split |= {speaker.name: "test" for speaker in people[SAMPLE.speakers :]}
    canonical = CanonicalHead()
    for speaker in people:
        head = SyntheticHead(speaker.identity, canonical)
        clips = list(spoken(work, speaker, split[speaker.name]))
        rig, landmarks = head.rig("head", BLENDVOCA_NAMES), head.landmarks("head")
        write_shard(shards / f"{speaker.name}.h5", speaker.name, clips, rig, "open", landmarks=landmarks)
    write_manifest(shards, split, name="one to many", known_gaps=())
    return shards


def spoken(work: Path, speaker: Speaker, split: str) -> Iterator[Clip]:
    """Say all sentences of a speaker: the first take of each, and further ones where they are learned or compared."""
    for number in range(1, SAMPLE.sentences + 1):
        sentence = f"sentence{number:02d}"
        if (speaker.name, sentence) in SAMPLE.known_gaps():
            continue
        utterance = say(sentence_text(number), speaker.voice)
        numbers = range(1, TRAINED_TAKES + 1 if split == "train" else 2)
        for take, track in zip(numbers, takes(speaker, sentence, utterance, numbers)):
            name = sentence if take == 1 else f"{sentence}_take{take}"
            yield Clip(speaker.name, name, track, utterance.sound)
        others = range(2, SAMPLES + 2 if split == "test" else 2)
        for take, track in enumerate(takes(speaker, sentence, utterance, others), start=1):
            path = work / "tracks" / OTHER_TAKES / speaker.name / f"{sentence}-{take}.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            track.to_csv(path)


def said(work: Path, name: str, *words: str | Path) -> float:
    """Run a `said` command once and return its seconds."""
    done = work / "done" / name
    if not done.is_file():
        began = time.perf_counter()
        with (work / f"{name}.log").open("a") as log:
            subprocess.run([sys.executable, "-m", "said_model", *map(str, words)], check=True, stdout=log, stderr=log,
                           env={**os.environ, "OMP_NUM_THREADS": "1"})  # fmt: skip
        done.parent.mkdir(exist_ok=True)
        done.write_text(f"{time.perf_counter() - began}\n")
    return float(done.read_text())


def options_of(row: str) -> list[str]:
    """Return the short recipe's options with what a row of Table 2 changes."""
    names = {"error": "loss", "acoustics": "augment"}
    chosen = {**SHORT, **ROWS[row].changes}
    return [word for name, value in chosen.items()
            for word in (f"--{names.get(name, name).replace('_', '-')}", str(value)) if name != "steps"]  # fmt: skip


def train_said(work: Path, row: str, seed: int, steps: int, guidance: Sequence[float]) -> dict[str, Path]:
    """Train a row with a seed; return where its tracks lie, by the guidance that they were drawn with."""
    shards, run = work / "shards", work / "runs" / f"{row}-{seed}"
    said(work, run.name, "train", shards, "--out", run, "--device", "cpu", "--steps", steps, "--seed", seed,
         *options_of(row))  # fmt: skip
    found = {}
    for scale in guidance:
        # A dot would be a suffix.
        name = f"{row}-{seed}-g{scale:g}".replace(".", ",")
        said(work, f"sample-{name}", "sample", "--data", shards, "--model", run, "--samples", SAMPLES, "--guidance",
             scale, "--device", "cpu", "--to", "csv", "--out", work / "tracks" / name)  # fmt: skip
        found[name] = work / "tracks" / name
    return found


def instruments(work: Path, options: argparse.Namespace) -> Instruments:
    """Train what is measured with."""
    shards = work / "shards"
    said(work, "sync", "train-sync", shards, "--out", work / "sync", "--device", "cpu", "--steps",
         options.sync_steps)  # fmt: skip
    said(work, "vae", "train-vae", shards, "--out", work / "vae", "--device", "cpu", "--preset", "short", "--steps",
         options.vae_steps)  # fmt: skip
    expert = load_sync(work / "sync")
    encoder, _ = load_encoder(expert.config.encoder)
    return Instruments(load_vae(work / "vae" / "vae.safetensors"), expert, encoder, rigs=not options.no_vertices)


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return lowest, mean and highest over seeds."""
    return {"low": min(values), "mean": float(np.mean(values)), "high": max(values)}


def groups_of(found: Mapping[str, Evaluation]) -> dict[str, list[Evaluation]]:
    """Return the seeds of each row and guidance."""
    groups: dict[str, list[Evaluation]] = {}
    for name, one in found.items():
        parts = name.split("-g")
        if len(parts) == 2:
            groups.setdefault(f"{parts[0].rsplit('-', 1)[0]}, guidance {parts[1].replace(',', '.')}", []).append(one)
    return groups


def over_seeds(found: Mapping[str, Evaluation]) -> dict[str, Any]:
    """Return the spread of every figure over the seeds of each row and guidance."""
    return {
        group: {figure: spread([one.overall[figure] for one in ones]) for figure in ones[0].overall}
        for group, ones in groups_of(found).items()
    }


def figure_of(system: Evaluation, figure: str, clips: Sequence[int]) -> float:
    """Return FD or the mean of a figure over clips, some of them several times."""
    if figure == "fd":
        real, made = (np.concatenate([parts[clip] for clip in clips]) for parts in (system.real, system.latents))
        return frechet_distance(real, made).value
    return float(np.nanmean([system.rows[clip].get(figure, np.nan) for clip in clips]))


def above_baseline(found: Mapping[str, Evaluation], resamples: int) -> dict[str, Any]:
    """Return how far each row lies above the regression, mean over seeds: 95 % bootstrap intervals, the same clips."""
    base, rng = found[BASELINE], np.random.default_rng(0)
    drawn = [range(len(base.clips)), *rng.integers(len(base.clips), size=(resamples, len(base.clips)))]
    result: dict[str, Any] = {}
    for group, ones in groups_of(found).items():
        for figure in ("fd", "sync_confidence", "jitter_share"):
            apart = [
                float(np.mean([figure_of(one, figure, clips) for one in ones])) - figure_of(base, figure, clips)
                for clips in drawn
            ]
            low, high = np.quantile(apart[1:], [0.025, 0.975])
            result.setdefault(group, {})[figure] = {"value": apart[0], "low": float(low), "high": float(high)}
    return result


def main() -> None:
    """Train, draw, measure; write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--test-speakers", type=int, default=8, help="Beyond the sample's two. [default: 8]")
    parser.add_argument("--vae-steps", type=int, default=20_000)
    parser.add_argument("--sync-steps", type=int, default=3000)
    parser.add_argument("--baseline-steps", type=int, default=4000)
    parser.add_argument("--guidance", type=float, nargs="+", default=[SHORT["guidance"], 0.0, 2.0])
    parser.add_argument("--rows", nargs="*", default=[], choices=[name for name in ROWS if name != "said"])
    parser.add_argument("--row-seeds", type=int, help="Seeds of the rows. [default: --seeds]")
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--no-vertices", action="store_true", help="Measure coefficients only, in a tenth of the time.")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    work = options.work
    shards = write_shards(work, options.test_speakers)
    used = instruments(work, options)
    said(work, "baseline", "train", shards, "--model", "end2end-au", "--out", work / "end2end", "--device", "cpu",
         "--learning-rate", "1e-3", "--decay", "cosine", "--warmup", "100", "--ema", "0.998", "--evaluate-every", "500",
         "--steps", options.baseline_steps)  # fmt: skip
    said(work, "baseline-tracks", "baseline", work / "end2end", shards, "--out", work / "tracks" / BASELINE)
    folders = {name: work / "tracks" / name for name in (OTHER_TAKES, BASELINE)}
    for row in ("said", *options.rows):
        own = row == "said"
        for seed in range(options.seeds if own else options.row_seeds or options.seeds):
            folders |= train_said(work, row, seed, options.steps, options.guidance if own else [SHORT["guidance"]])
    truth = BlendVOCA(shards, "test", audio_rate=SAMPLE_RATE)
    found = {name: evaluate(read_outputs(folder, truth, 60.0), truth, used, name) for name, folder in folders.items()}
    table = compare(list(found.values()), options.resamples)
    facts = {
        "machine": machine.describe(), "options": {key: str(value) for key, value in vars(options).items()},
        "truth": next(iter(found.values())).truth, "seeds": over_seeds(found),
        "above_the_regression": above_baseline(found, max(options.resamples // 10, 1)),
        "systems": {figure: {name: asdict(cell) for name, cell in row.items()} for figure, row in table.items()},
    }  # fmt: skip
    (options.out or work / "results.json").write_text(json.dumps(facts, indent=1) + "\n")
    for figure, row in table.items():
        cells = ", ".join(f"{name} {cell.value:.4g} [{cell.low:.4g}, {cell.high:.4g}]" for name, cell in row.items())
        print(f"{figure}: {cells}")


if __name__ == "__main__":
    main()
