"""How good are transferred rigs, head by head, and how long does each phase take?

Run ``python benchmarks/rig.py [--heads 5] [--samples 8] [--flame HEAD.ply] [--out results.json]``. Prints one table
of the figures of `blendvoca.transfer.quality.report` (limits: issue table, in docs/rigging.md), and at the end the
worst of each kind of head beside what must be reached, for

- ARKit's reference on ICT heads with identities and on the sample's heads, both methods, and on heads in FLAME's
  topology that ``--flame`` names (its licence does not let us bring one), the default method;
- the sample's mask on the sample's heads, where the true shapes are known;
- landmarks that were not held (every second of the inner ones), so that figures on them are not circular;
- ICT's own expressions as a second opinion on direction;
- the same head in metres, centimetres and millimetres and under a rigid motion; a rig transferred onto itself;
- time per phase and peak memory.

ARKit and ICT are read from the folder that BLENDVOCA_ASSETS names; without it only the sample is measured.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import machine
import numpy as np
from numpy.typing import NDArray

from blendvoca.arkit import BLENDVOCA_NAMES
from blendvoca.errors import MissingInputError
from blendvoca.geometry.closest import closest_points
from blendvoca.ibug68 import GROUPS, INNER
from blendvoca.io.mesh.head import read_head
from blendvoca.io.rig.ict import read_ict
from blendvoca.mesh import Mesh
from blendvoca.rig import BlendshapeRig
from blendvoca.synthetic.head import CanonicalHead, SyntheticHead
from blendvoca.synthetic.identity import Identity
from blendvoca.transfer import TransferConfig, TransferResult, transfer_rig
from blendvoca.transfer.quality.figures import agreement, relative_errors
from blendvoca.transfer.quality.held_out import HELD_OUT
from landmarks.assets import find_asset
from landmarks.schemes import recognise, topology_landmarks
from landmarks.sources import load_source

NAMES = (*BLENDVOCA_NAMES, "eyeBlinkLeft", "eyeBlinkRight")
#: What must be reached with ARKit's reference, beside the limits of the report: figure, its name here, the bound.
MUST = {
    "roughness_mm": ("roughness, mm", 5.0), "seam_mm": ("seam, mm", 2.0), "contour_mm": ("contour, mm", 0.5),
    "lip_crossing_mm": ("lips crossing, mm", 0.3), "flips": ("flips (ICT 150)", 100.0),
    "lip_seal_mm": ("lip seal, mm", 1.0), "lid_gap_mm": ("blink, mm", 2.0),
    "eyeball_seen_mm2": ("eyeball seen, mm²", 5.0), "eyeball_through_mm2": ("through lids, mm²", 5.0),
    "cpu_seconds": ("CPU seconds", 1.0),
}  # fmt: skip
COLUMNS = {
    "fit_mean_mm": "fit", "fit_max_mm": "max", "registration_flips": "folds",
    "cosine_median": "cos", "cosine_worst": "worst",
    "ratio_least": "ratio", "ratio_most": "to", "jaw_ratio": "jaw", "lip_seal_mm": "seal", "roughness_mm": "rough",
    "seam_mm": "seam", "contour_mm": "contour", "lip_crossing_mm": "cross", "stretch": "stretch",
    "lid_gap_mm": "lids", "eyeball_seen_mm2": "ball",
    "flips": "flips", "jaw_flips": "jawflip", "boundary_mm": "edge", "left_right_least": "L/R",
    "left_right_most": "to", "leak": "leak", "held_out_cosine": "ho.cos", "held_out_ratio_least": "ho.min",
    "held_out_ratio_most": "ho.max", "seconds": "s", "cpu_seconds": "cpu s",
}  # fmt: skip


@dataclass(frozen=True)
class Head:
    """A head to rig: its name, mesh and landmarks, and what is known of its true shapes."""

    name: str
    mesh: Mesh
    landmarks: NDArray[np.int64]
    truth: NDArray[np.float64] | None = None
    mask: Mesh | None = None
    own: dict[str, NDArray[np.float64]] | None = None


@dataclass(frozen=True)
class Source:
    """A rig to transfer from."""

    name: str
    rig: BlendshapeRig
    landmarks: NDArray[np.int64]


def ict_heads(count: int) -> Iterator[Head]:
    """The generic ICT head and random identities, whole skin, with ICT's own expressions."""
    model = read_ict(find_asset("ict_facekit.npz"))
    rng = np.random.default_rng(5)
    names = list(model.identities)
    for number in range(count):
        weights = {} if number == 0 else dict(zip(names, rng.normal(size=len(names)).tolist(), strict=True))
        rig = model.rig(weights, "face")
        own = {name: rig.delta(name) for name in NAMES if name in rig.names}
        yield Head(f"ICT {number}", rig.neutral, np.asarray(model.landmarks), own=own)


def sample_heads(count: int, canonical: CanonicalHead) -> list[tuple[Source, Head]]:
    """The sample's masks as sources and heads as targets, with the truth."""
    rng = np.random.default_rng(3)
    pairs = []
    for number in range(count):
        head = SyntheticHead(None if number == 0 else Identity.random(rng), canonical)
        mask, whole = head.rig("mask", NAMES), head.rig("head", NAMES)
        source = Source(f"mask {number}", mask, head.landmarks("mask"))
        pairs.append((source, Head(f"sample {number}", whole.neutral, head.landmarks(), whole.deltas, mask.neutral)))
    return pairs


def measure(source: Source, head: Head, config: TransferConfig) -> tuple[dict[str, float | None], TransferResult]:
    """All figures of one transfer."""
    start, busy = time.perf_counter(), time.process_time()
    result = transfer_rig(source.rig, source.landmarks, head.mesh, head.landmarks, config)
    taken = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - busy}
    row: dict[str, float | None] = {**taken, **result.report.figures}
    contour = list(GROUPS["contour"])
    asked = result.prepared.space.to_target.vectors(source.rig.deltas[:, source.landmarks[contour]])
    off = np.linalg.norm(asked - result.rig.deltas[:, head.landmarks[contour]], axis=2)
    row["contour_mm"] = 1e3 * float(off.max())
    held = transfer_rig(
        source.rig, source.landmarks, head.mesh, head.landmarks, replace(config, unconstrained=HELD_OUT)
    )
    wanted = result.prepared.space.to_target.vectors(source.rig.deltas[:, source.landmarks[list(HELD_OUT)]])
    cosine, ratio = agreement(wanted, held.rig.deltas[:, head.landmarks[list(HELD_OUT)]])
    row |= {
        "held_out_cosine": float(np.median(cosine)), "held_out_cosine_worst": float(cosine.min()),
        "held_out_ratio_least": float(ratio.min()), "held_out_ratio_most": float(ratio.max()),
    }  # fmt: skip
    if head.own:
        rows = head.landmarks[INNER]
        known = [name for name in NAMES if name in head.own]
        theirs = np.stack([head.own[name][rows] for name in known])
        ours = np.stack([result.rig.delta(name)[rows] for name in known])
        cosine, ratio = agreement(theirs, ours)
        row |= {"ict_cosine_median": float(np.median(cosine)), "ict_ratio_median": float(np.median(ratio))}
    if head.truth is not None and source.name.startswith("mask") and head.mask is not None:
        there = closest_points(head.mesh.vertices, head.mask.vertices, head.mask.faces).distance < 1e-3
        error = relative_errors(result.rig.deltas, head.truth, there)
        whole = relative_errors(result.rig.deltas, head.truth)
        cosine, ratio = agreement(head.truth[:, there], result.rig.deltas[:, there])
        row |= {
            "truth_error_median": float(np.median(error)), "truth_error_worst": float(error.max()),
            "truth_whole_median": float(np.median(whole)), "truth_whole_worst": float(whole.max()),
            "truth_cosine_worst": float(cosine.min()), "truth_ratio_least": float(ratio.min()),
            "truth_ratio_most": float(ratio.max()),
        }  # fmt: skip
    return row, result


def invariance(source: Source, head: Head, config: TransferConfig) -> float:
    """Largest difference, relative to the largest displacement, between units and rigid motions of one head."""
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    base = transfer_rig(source.rig, source.landmarks, head.mesh, head.landmarks, config).rig.deltas
    worst = 0.0
    for scale, rotation, shift in ((100.0, np.eye(3), 0.0), (1000.0, np.eye(3), 0.0), (1.0, turn, 0.7)):
        moved = head.mesh.with_vertices(scale * head.mesh.vertices @ rotation.T + shift)
        other = transfer_rig(source.rig, source.landmarks, moved, head.landmarks, config).rig.deltas
        worst = max(worst, float(np.abs(other @ rotation / scale - base).max() / np.abs(base).max()))
    return worst


def phases(source: Source, head: Head, repeats: int = 5) -> dict[str, float]:
    """Median seconds of each phase for the 32 shapes, and the growth of the peak memory in MB."""
    rig = source.rig.select(BLENDVOCA_NAMES)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    runs = [transfer_rig(rig, source.landmarks, head.mesh, head.landmarks).seconds for _ in range(repeats)]
    result = {name: float(np.median([run[name] for run in runs])) for name in runs[0]}
    result["all"] = float(np.median([sum(run.values()) for run in runs]))
    result["memory_mb"] = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return result


def flame_heads(files: Sequence[Path]) -> Iterator[Head]:
    """Heads in FLAME's topology, with its landmarks, as the user has them."""
    for file in files:
        mesh = read_head(file).mesh
        known = recognise(mesh.n_vertices, mesh.n_faces)
        if known is None or known.name != "flame":
            raise SystemExit(f"{file} is not in FLAME's topology")
        yield Head(file.stem, mesh, np.asarray(topology_landmarks("flame")))


def cases(count: int, samples: int, flame: Sequence[Path]) -> Iterator[tuple[Source, Head]]:
    """What is measured: ARKit on FLAME, on ICT and on the sample, the sample's masks on its heads."""
    sample = sample_heads(samples, CanonicalHead())
    try:
        arkit = load_source("arkit")
        source = Source("ARKit", arkit.rig.select(NAMES), np.asarray(arkit.landmarks))
        heads = [*flame_heads(flame), *ict_heads(count), *(head for _, head in sample)]
        yield from ((source, head) for head in heads)
    except MissingInputError as error:
        print(f"ARKit, FLAME and ICT are left out: {error}")
    yield from sample[:3]
    yield sample[0][0], sample[1][1]


def main() -> None:
    """Print the tables and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--heads", type=int, default=5, help="ICT heads")
    parser.add_argument("--samples", type=int, default=8, help="heads of the embedded sample")
    parser.add_argument(
        "--flame", type=Path, action="append", default=[], metavar="PLY", help="a head in FLAME's topology"
    )
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    report: dict[str, object] = {"machine": machine.describe(), "heads": [], "phases": {}}
    timed = None
    rows: list[dict[str, object]] = []
    for source, head in cases(arguments.heads, max(arguments.samples, 3), arguments.flame):
        timed = timed or (source, head)
        if not rows:
            report["phases"] = phases(source, head)
        for method in ("face", "sumner-popovic") if compared(source, head) else ("face",):
            row, result = measure(source, head, TransferConfig(method))
            rows.append({"source": source.name, "head": head.name, "method": method, **row,
                         "failed_figures": result.report.failed_figures, "failed_shapes": result.report.failed_shapes,
                         "shapes": result.report.to_json()["shapes"]})  # fmt: skip
            print_row(rows[-1], header=len(rows) == 1)
    report["heads"] = rows
    print_must(rows)
    if timed:
        source, head = timed
        own = transfer_rig(source.rig, source.landmarks, source.rig.neutral, source.landmarks)
        report["self_transfer_m"] = float(np.abs(own.rig.deltas - source.rig.deltas).max())
        report["invariance"] = {m: invariance(source, head, TransferConfig(m)) for m in ("face", "sumner-popovic")}
    print({key: value for key, value in report.items() if key not in ("heads",)})
    if arguments.out:
        arguments.out.write_text(json.dumps(report, indent=1, default=list) + "\n")


def compared(source: Source, head: Head) -> bool:
    """Whether the plain method is measured too: on the heads that the guide shows, not on every one."""
    return source.name != "ARKit" or head.name in ("ICT 0", "ICT 2", "sample 0")


def print_must(rows: Sequence[dict[str, object]]) -> None:
    """The worst head of each kind beside what must be reached."""
    kinds: dict[str, list[dict[str, object]]] = {}
    for row in rows:
        if row["source"] == "ARKit" and row["method"] == "face":
            kind = str(row["head"]).rpartition(" ")[0] or str(row["head"])
            kinds.setdefault(f"ARKit -> {kind}", []).append(row)
    if kinds:
        print(f"\n{'worst of its kind':20}{'must':>8}" + "".join(f"{kind:>24}" for kind in kinds))
    for figure, (name, bound) in MUST.items():
        worst = [max((v for v in (r.get(figure) for r in group) if isinstance(v, float | int)), default=None)
                 for group in kinds.values()]  # fmt: skip
        if kinds:
            print(f"{name:20}{bound:8g}" + "".join(f"{'-' if x is None else f'{x:.3g}':>24}" for x in worst))


def print_row(row: dict[str, object], header: bool) -> None:
    """One line of the table."""
    extra = [key for key in row if key.startswith(("truth_", "ict_"))]
    if header:
        print(f"{'source -> head, method':32}" + "".join(f"{title:>8}" for title in COLUMNS.values()))
    values = [row.get(key) for key in COLUMNS]
    cells = "".join(f"{'-':>8}" if not isinstance(x, float | int) else f"{x:8.3g}" for x in values)
    print(f"{row['source']} -> {row['head']}, {str(row['method'])[:6]:8}".ljust(32) + cells)
    if extra:
        print(" " * 34 + ", ".join(f"{key} {row[key]:.3f}" for key in extra))


if __name__ == "__main__":
    main()
