"""Bad data in bulk: every reader gets damaged files and must answer each with a result or a typed error.

Run ``python benchmarks/fuzz.py [READER …] [--inputs 100000] [--seed 0] [--out results.json]``.

Each reader runs in a process of its own, with a limit on its address space and a watch on its doings. A failure is: an
error of another type, a crash, an input that takes seconds, an allocation beyond the limit, a file outside the folder,
a started process, an opened connection, an unpickled class. Input n of a seed is always the same.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import sys
import time
import traceback
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import machine
from benchmarks.fuzz_targets import Target, targets
from blendvoca.errors import BlendvocaError

#: Address space that reading a file of a few hundred bytes may add, and seconds it may take.
EXTRA_BYTES, MOST_SECONDS = 512 << 20, 5
_NUMBERS = (b"0", b"-1", b"1", b"255", b"4294967295", b"1000000000", b"99999999999999999999", b"1e308", b"nan", b"-inf")
_EXTREMES = (0, 1, 127, 128, 255, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 10**9)
_FORBIDDEN = ("os.system", "subprocess.", "os.exec", "os.posix_spawn", "os.fork", "socket.", "pickle.find_class")


def damaged(target: Target, seed: int, number: int) -> bytes:
    """Return input ``number``: a proper file with one to six damages."""
    generator = np.random.default_rng([seed, number])
    data = bytearray(target.seeds[generator.integers(len(target.seeds))])
    for _ in range(min(int(generator.geometric(0.5)), 6)):
        _damage(data, generator, target)
    return bytes(data)


def _damage(data: bytearray, generator: np.random.Generator, target: Target) -> None:
    place = int(generator.integers(len(data) + 1))
    span = slice(place, place + int(generator.integers(1, 20)))
    kind = int(generator.integers(9))
    if kind == 0 and place < len(data):
        data[place] ^= 1 << int(generator.integers(8))
    elif kind == 1:
        data[span] = generator.bytes(int(generator.integers(0, 12)))
    elif kind == 2:
        del data[span]
    elif kind == 3:
        data[place:place] = data[span] * int(generator.integers(1, 5))
    elif kind == 4:
        del data[place:]
    elif kind == 5 and target.words:
        data[place:place] = target.words[generator.integers(len(target.words))]
    elif kind == 6:
        size, order = int(generator.choice([1, 2, 4, 8])), str(generator.choice(["little", "big"]))
        value = _EXTREMES[generator.integers(len(_EXTREMES))] % (1 << (8 * size))
        data[place : place + size] = value.to_bytes(size, order)  # type: ignore[arg-type]
    elif kind == 7:
        _replace_number(data, place, _NUMBERS[generator.integers(len(_NUMBERS))])
    else:
        other = target.seeds[generator.integers(len(target.seeds))]
        data[place:] = other[int(generator.integers(len(other) + 1)) :]


def _replace_number(data: bytearray, place: int, number: bytes) -> None:
    """Put ``number`` in the place of the next run of digits."""
    digits = b"0123456789"
    start = next((n for n in range(place, len(data)) if data[n] in digits), None)
    if start is not None:
        end = next((n for n in range(start, len(data)) if data[n] not in digits), len(data))
        data[start:end] = number


class Watch:
    """Notes what a reader must never do, by Python's audit events."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder.resolve())
        self.active, self.seen = False, ""
        sys.addaudithook(self._note)

    def _note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.active:
            return
        if event.startswith(_FORBIDDEN):
            self.seen = f"{event} {arguments}"[:200]
        elif event == "exec" and arguments[0].co_filename.startswith("<"):
            self.seen = f"executed {arguments[0]}"
        elif event == "open" and isinstance(arguments[0], (str, bytes)):
            path = os.path.abspath(os.fsdecode(arguments[0]))
            writes = isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            if writes and not path.startswith(self._folder):
                self.seen = f"opened {path} for writing"


def attempt(target: Target, data: bytes, folder: Path) -> str:
    """Read one input; return ``read`` or the name of the typed error. Anything else is raised."""
    try:
        target.read(data, folder)
    except BlendvocaError as error:
        str(error)
        return type(error).__name__
    return "read"


def _overtime(*_: object) -> None:
    raise TimeoutError(f"took longer than {MOST_SECONDS} s")


def fuzz(name: str, inputs: int, seed: int, first: int = 0) -> dict[str, Any]:
    """Give one reader ``inputs`` damaged files and return what came of them."""
    target = targets()[name]
    # The MP3 decoder talks on standard error.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    outcomes: Counter[str] = Counter()
    failures: list[str] = []
    slowest = 0.0
    with TemporaryDirectory() as place:
        folder = Path(place)
        watch = Watch(folder)
        signal.signal(signal.SIGALRM, _overtime)
        attempt(target, target.seeds[0], folder)
        # A C library may crash the whole process: the number of the input is left where the parent finds it.
        marker = Path(os.environ.get("FUZZ_MARKER", os.devnull))
        before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
        resource.setrlimit(resource.RLIMIT_AS, (_address_space() + EXTRA_BYTES, resource.RLIM_INFINITY))
        for number in range(first, first + inputs):
            data = damaged(target, seed, number)
            if target.slow:
                marker.write_text(str(number))
            begun = time.perf_counter()
            watch.active, watch.seen = True, ""
            signal.setitimer(signal.ITIMER_REAL, MOST_SECONDS)
            try:
                outcomes[attempt(target, data, folder)] += 1
            except Exception:
                outcomes["FAILED"] += 1
                failures.append(f"input {number}: {traceback.format_exc(limit=-2)}")
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
                watch.active = False
            if watch.seen:
                outcomes["FAILED"] += 1
                failures.append(f"input {number}: {watch.seen}")
            slowest = max(slowest, time.perf_counter() - begun)
        seconds = time.perf_counter() - start
    growth = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {
        "inputs": inputs,
        "outcomes": dict(sorted(outcomes.items())),
        "failures": failures[:5],
        "seconds": round(seconds, 1),
        "slowest_ms": round(1e3 * slowest, 1),
        "growth_mib": round(growth / 1024, 1),
    }


def _address_space() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def in_own_process(name: str, inputs: int, seed: int) -> dict[str, Any]:
    """Fuzz one reader in a fresh process; a crash of it is a failure of the input it was reading."""
    with TemporaryDirectory() as place:
        os.environ["FUZZ_MARKER"] = str(Path(place, "number"))
        try:
            with ProcessPoolExecutor(1, get_context("spawn")) as pool:
                return pool.submit(fuzz, name, inputs, seed).result()
        except BrokenProcessPool:
            marker = Path(place, "number")
            where = marker.read_text() if marker.exists() else "unknown"
            return {"inputs": inputs, "outcomes": {"FAILED": 1}, "failures": [f"the process died at input {where}"]}


def main() -> int:
    """Fuzz the readers, print a table and write JSON; 1 if anything failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("readers", nargs="*", metavar="READER", help=", ".join(targets()))
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "fuzz.json")
    options = parser.parse_args()
    # A run of some readers keeps what the file says of the others.
    results = json.loads(options.out.read_text())["readers"] if options.readers and options.out.exists() else {}
    print(f"{'reader':<21}{'inputs':>8}{'seconds':>9}{'slowest ms':>12}{'growth MiB':>12}  outcomes")
    for name in options.readers or targets():
        found = results[name] = in_own_process(name, options.inputs, options.seed)
        outcomes = ", ".join(f"{count} {kind}" for kind, count in found["outcomes"].items())
        numbers = [found.get(key, float("nan")) for key in ("seconds", "slowest_ms", "growth_mib")]
        print(
            f"{name:<21}{found['inputs']:>8}{numbers[0]:>9.1f}{numbers[1]:>12.1f}{numbers[2]:>12.1f}  {outcomes}",
            flush=True,
        )
        for failure in found["failures"]:
            print(failure)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(
        json.dumps({"seed": options.seed, "machine": machine.describe(), "readers": results}, indent=2) + "\n"
    )
    return int(any("FAILED" in found["outcomes"] for found in results.values()))


if __name__ == "__main__":
    sys.exit(main())
