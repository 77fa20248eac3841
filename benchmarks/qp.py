"""The fit's QP: our solver against PIQP, Clarabel, OSQP and cvxopt, one thread each, in one process.

Run ``OMP_NUM_THREADS=1 python benchmarks/qp.py``; ``--help`` lists data files, runs and where the result goes.

Every solver gets the problem in the form it wants, made beforehand; what is timed is setup and solve. Ours is timed
from Gram matrix and linear terms to the certified result, certificate included. Each backend runs at the loosest of its
accuracies that reaches a relative duality gap of 1e-9 by *our* certificate; where none does, at the tightest, and the
table shows the gap it left. Runs are interleaved; times are medians.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import machine
from blendvoca.arkit import BLENDVOCA_NAMES
from blendvoca.qp import QPResult, RateLimitedQP, solve
from blendvoca.qp.backends import BACKENDS, SparseForm, solve_with

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"
FRAMES, LIMITS = (60, 204, 469), (0.1, 0.03)
ACCURACIES = (1e-8, 1e-9, 1e-10, 1e-11)
PEERS = ("piqp-multistage", "piqp", "clarabel", "osqp", "cvxopt")
GAP = 1e-9


@dataclass(frozen=True)
class Row:
    """One solver on one problem."""

    basis: str
    frames: int
    delta: float
    solver: str
    accuracy: float
    runs: int
    milliseconds: float
    objective_error: float
    infeasibility: float
    relative_gap: float
    iterations: int
    times_ours: float


def main() -> None:
    """Measure, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=SHARED / "conformance/qp.npz")
    parser.add_argument("--ict", type=Path, default=SHARED / "assets/ict_facekit/ict_facekit.npz")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--dense", action="store_true", help="also the authors' dense P, up to 204 frames (a minute)")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results/qp.json")
    arguments = parser.parse_args()
    if os.environ.get("OMP_NUM_THREADS") != "1":
        parser.error("set OMP_NUM_THREADS=1: one thread each is what is compared")
    rows = [row for name, problem in problems(arguments) for row in compare(name, problem, arguments)]
    show(rows)
    record = {"machine": machine.describe(), "threads": 1, "versions": versions(), "rows": [asdict(r) for r in rows]}
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(record, indent=1) + "\n")


def problems(arguments: argparse.Namespace) -> Iterator[tuple[str, RateLimitedQP]]:
    """Yield the ARKit problems of the conformance file, cut or repeated to length, and the same motion on ICT."""
    table = np.load(arguments.data, allow_pickle=False)
    basis = table["basis"].astype(float)
    most = max((name for name in table if name.startswith("frames_")), key=lambda name: len(table[name]))
    offsets = (table["neutral"] - table[most].astype(float)) @ basis
    motion = table["coefficients" + most.removeprefix("frames")]
    ict = ict_basis(arguments.ict)
    noise = np.random.default_rng(0).standard_normal((max(FRAMES), len(ict))) * 0.003
    for n in FRAMES:
        there_and_back = np.concatenate([np.arange(len(offsets)), np.arange(len(offsets))[::-1]])
        rows = np.resize(there_and_back, n)
        for delta in LIMITS:
            yield "ARKit", RateLimitedQP(basis.T @ basis, offsets[rows], delta)
        for delta in LIMITS:
            shown = motion[rows] @ ict.T + noise[:n]
            yield "ICT", RateLimitedQP(ict.T @ ict, -shown @ ict, delta)


def ict_basis(path: Path) -> np.ndarray:
    """Return (3V, 32) deltas of the ICT face model, in metres, in the order of BlendVOCA's names."""
    from blendvoca.io.rig.ict import read_ict

    return read_ict(path).rig().select(BLENDVOCA_NAMES).basis()


def compare(name: str, problem: RateLimitedQP, arguments: argparse.Namespace) -> list[Row]:
    """Measure all solvers on one problem, interleaved."""
    form, best = SparseForm.of(problem), solve(problem)
    names = {peer: choose(peer, problem) for peer in PEERS}
    runners: dict[str, Callable[[], object]] = {"structured": lambda: solve(problem)}
    for peer, (accuracy, _) in names.items():
        runners[peer] = lambda peer=peer, accuracy=accuracy: BACKENDS[peer](form, accuracy)
    times: dict[str, list[float]] = {solver: [] for solver in runners}
    for _ in range(arguments.runs):
        for solver, runner in runners.items():
            if len(times[solver]) < 3 or sum(times[solver]) < 5:
                times[solver].append(clock(runner))
    results = {"structured": (GAP, best)} | names
    if arguments.dense and problem.shape[0] <= 204 and name == "ARKit" and np.max(problem.rate_limit) == 0.1:
        results["cvxopt-dense"] = (1e-9, solve_with("cvxopt-dense", problem, 1e-9))
        times["cvxopt-dense"] = [clock(lambda: BACKENDS["cvxopt-dense"](form, 1e-9))]
    ours = statistics.median(times["structured"])
    return [
        row(name, problem, solver, *results[solver], times[solver], best, statistics.median(times[solver]) / ours)
        for solver in times
    ]


def choose(peer: str, problem: RateLimitedQP) -> tuple[float, QPResult]:
    """Return the loosest accuracy at which a backend reaches our gap, and what it returned there."""
    for accuracy in ACCURACIES:
        result = solve_with(peer, problem, accuracy)
        if result.relative_gap <= GAP and result.primal_residual <= GAP:
            break
    return accuracy, result


def clock(task: Callable[[], object]) -> float:
    """Return the seconds a task takes."""
    start = time.perf_counter()
    task()
    return time.perf_counter() - start


def row(name: str, problem: RateLimitedQP, solver: str, accuracy: float, result: QPResult, times: list[float],
        best: QPResult, ratio: float) -> Row:  # fmt: skip
    """Make a row of the table."""
    error = (result.objective - best.objective) / abs(best.objective)
    return Row(name, problem.shape[0], float(np.max(problem.rate_limit)), solver, accuracy, len(times),
               1e3 * statistics.median(times), error, result.primal_residual, result.relative_gap, result.iterations,
               ratio)  # fmt: skip


def show(rows: list[Row]) -> None:
    """Print the table."""
    print(f"{'basis':6}{'N':>4}{'δ':>6}  {'solver':17}{'ms':>9}{'× ours':>8}{'objective error':>17}"
          f"{'infeasible by':>15}{'relative gap':>14}{'iterations':>12}")  # fmt: skip
    for r in rows:
        print(f"{r.basis:6}{r.frames:4}{r.delta:6}  {r.solver:17}{r.milliseconds:9.1f}{r.times_ours:8.2f}"
              f"{r.objective_error:17.1e}{r.infeasibility:15.1e}{r.relative_gap:14.1e}{r.iterations:12}")  # fmt: skip


def versions() -> dict[str, str]:
    """Return the releases that were compared."""
    from importlib.metadata import version

    return {name: version(name) for name in ("numpy", "scipy", "piqp", "clarabel", "osqp", "cvxopt")}


if __name__ == "__main__":
    main()
