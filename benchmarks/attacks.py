"""Hostile files: every reader gets files made to hurt it, and must answer with a typed error, or with what they hold.

Run ``python benchmarks/attacks.py [READER …] [--out results.json]``.

Each attack runs in a process of its own, forked from one that has read a proper file, with a watch on what it does. It
is wrong if it ends in an error of another type or a crash, gives a result where only an error will do, takes more
memory than ten times the file and 256 MiB, more than ten seconds of the processor, writes outside of its folder, starts
a process, opens a connection, or leaves anything behind a typed error that should be none. The table goes to
``results/attacks.json``.
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
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import machine
from benchmarks.attack_kinds import Attack, attacks
from benchmarks.attack_readers import Reader, readers
from benchmarks.fuzz import Watch
from blendvoca.errors import BlendvocaError

#: What an attack may take: of memory, bytes and times the file; of the processor, seconds; of the clock.
FREE_BYTES, TIMES, MOST_SECONDS, MOST_WAITING = 256 << 20, 10, 10.0, 60
#: Address space beyond which an attack is stopped, so that a bomb ends the attack and not the machine.
_STOP_BYTES = 3 << 30


def run(reader: Reader) -> dict[str, Any]:
    """Run all attacks on a reader and return how many were tried, typed, read, and what was wrong."""
    outcomes: Counter[str] = Counter()
    wrong: list[str] = []
    with TemporaryDirectory() as place:
        _prepare(reader, Path(place))
        reader.read(Path(place, reader.name))
    base = _measured(lambda: "nothing")[1]
    for attack in attacks(reader):
        with TemporaryDirectory() as place:
            fault, outcome = _attempt(reader, attack, Path(place), base)
        outcomes["wrong" if fault else outcome] += 1
        if fault:
            wrong.append(f"{attack.kind}: {fault}")
    return {"tried": sum(outcomes.values()), "typed": outcomes["typed"], "read": outcomes["read"], "wrong": wrong}


def _prepare(reader: Reader, folder: Path, attack: Attack | None = None) -> Path:
    reader.beside(folder)
    path = folder / reader.name
    path.unlink(missing_ok=True)
    if attack is None:
        path.write_bytes(reader.proper())
    else:
        attack.place(path)
    return path


def _attempt(reader: Reader, attack: Attack, folder: Path, base: int) -> tuple[str, str]:
    """Run one attack; return what was wrong, or nothing, and how it ended."""
    path = _prepare(reader, folder, attack)
    size = path.stat().st_size if path.is_file() else 0
    outcome, memory, seconds = _measured(lambda: _read(reader, path, folder))
    faults = []
    if outcome not in ("typed", "read"):
        faults.append(outcome)
    if outcome == "read" and attack.refused:
        faults.append("was read")
    if memory - base > max(FREE_BYTES, TIMES * size):
        faults.append(f"took {(memory - base) >> 20} MiB for {size} bytes")
    if seconds > MOST_SECONDS:
        faults.append(f"took {seconds:.1f} s")
    return ", ".join(faults), outcome


def _read(reader: Reader, path: Path, folder: Path) -> str:
    resource.setrlimit(resource.RLIMIT_AS, (_address_space() + _STOP_BYTES, resource.RLIM_INFINITY))
    watch = Watch(folder)
    watch.active = True
    try:
        found = reader.read(path)
        outcome = "typed" if isinstance(found, BlendvocaError) else "read"
    except BlendvocaError as error:
        outcome = "typed" if len(str(error)) < 5000 else f"a message of {len(str(error))} characters"
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        outcome = f"{type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}: {str(error)[:120]}"
    watch.active = False
    return watch.seen or outcome


def _measured(work: Any) -> tuple[str, int, float]:
    """Do work in a forked process; return its answer, its peak of memory in bytes and its seconds of processor."""
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(receiving)
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 2)
        answer = work()
        os.write(sending, answer.encode("utf-8", "backslashreplace")[:2000])
        os._exit(0)
    os.close(sending)
    ended, began = False, time.monotonic()
    while not ended and time.monotonic() - began < MOST_WAITING:
        pid, status, usage = os.wait4(child, os.WNOHANG)
        ended = pid == child
        if not ended:
            time.sleep(0.002)
    if not ended:
        os.kill(child, signal.SIGKILL)
        _, status, usage = os.wait4(child, 0)
    with os.fdopen(receiving, "rb") as stream:
        answer = stream.read().decode()
    if not ended:
        answer = f"hung for {MOST_WAITING} s"
    elif os.WIFSIGNALED(status) or not answer:
        answer = f"the process died ({status})"
    return answer, usage.ru_maxrss * 1024, usage.ru_utime + usage.ru_stime


def _address_space() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def main() -> int:
    """Attack the readers, print a table and write JSON; 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("readers", nargs="*", metavar="READER")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "attacks.json")
    options = parser.parse_args()
    known = readers()
    results = json.loads(options.out.read_text())["readers"] if options.readers and options.out.exists() else {}
    print(f"{'reader':<22}{'tried':>7}{'typed':>7}{'read':>7}{'wrong':>7}")
    for name in options.readers or known:
        found = results[name] = run(known[name])
        print(f"{name:<22}{found['tried']:>7}{found['typed']:>7}{found['read']:>7}{len(found['wrong']):>7}", flush=True)
        for fault in found["wrong"]:
            print(f"    {fault}", flush=True)
    total = {key: sum(found[key] for found in results.values()) for key in ("tried", "typed", "read")}
    total["wrong"] = sum(len(found["wrong"]) for found in results.values())
    print(f"{'all':<22}{total['tried']:>7}{total['typed']:>7}{total['read']:>7}{total['wrong']:>7}")
    options.out.write_text(
        json.dumps({"machine": machine.describe(), "all": total, "readers": results}, indent=1) + "\n"
    )
    return int(total["wrong"] > 0)


if __name__ == "__main__":
    sys.exit(main())
