"""Latency of ``said stream``: speech is fed at its own pace, packets are received on loopback, both by one clock.

Run ``python benchmarks/live.py SPEECH [--seconds 12] [--out results.json] [options of said stream]``. Latency is the
moment at which a frame's packet arrives less that at which the sample that the frame stands at was written to the
program's input. It fails above half a second, or where frames come in bunches.
"""

from __future__ import annotations

import argparse
import json
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import machine
from blendvoca.io.sound.wav import read_resampled

RATE, FPS, PIECE = 16_000, 60, 320
#: Seconds that the issue allows, and by how much the gap between packets may exceed a frame in 95 of 100 cases.
LARGEST, UNEVEN = 0.5, 0.01


def feed(pipe: IO[bytes], samples: NDArray[np.int16], begun: threading.Event) -> list[float]:
    """Write samples at their own pace; return when sample 0 was."""
    start: list[float] = []

    def write() -> None:
        start.append(time.monotonic())
        begun.set()
        for first in range(0, len(samples), PIECE):
            wait = start[0] + (first + PIECE) / RATE - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            pipe.write(samples[first : first + PIECE].tobytes())
            pipe.flush()
        pipe.close()

    threading.Thread(target=write, daemon=True).start()
    begun.wait()
    return start


def receive(server: socket.socket, program: subprocess.Popen[bytes]) -> list[tuple[float, int]]:
    """Return moment and frame number of every packet until the program ends."""
    found = []
    server.settimeout(0.2)
    while True:
        try:
            packet = server.recv(4096)
        except TimeoutError:
            if program.poll() is not None:
                return found
            continue
        moment = time.monotonic()
        place = 5 + struct.unpack_from(">i", packet, 1)[0]
        place += 4 + struct.unpack_from(">i", packet, place)[0]
        found.append((moment, struct.unpack_from(">i", packet, place)[0]))


def measure(samples: NDArray[np.int16], options: list[str]) -> dict[str, Any]:
    """Run the program once."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        to = f"livelink://127.0.0.1:{server.getsockname()[1]}"
        command = [sys.executable, "-m", "said_model", "stream", "--to", to, *options]
        program = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        assert program.stdin is not None
        assert program.stderr is not None
        said: list[str] = []
        for line in program.stderr:
            said.append(line.decode().strip())
            if "after their sound" in said[-1]:
                break
        start = feed(program.stdin, samples, threading.Event())
        packets = receive(server, program)
        said += program.stderr.read().decode().splitlines()
    moments, frames = np.array([p[0] for p in packets]), np.array([p[1] for p in packets])
    latency = moments - start[0] - frames / FPS
    gaps = np.diff(moments) - np.diff(frames) / FPS
    return {
        "frames": round(len(samples) / RATE * FPS), "received": len(packets),
        "latency_median_s": float(np.median(latency)), "latency_largest_s": float(latency.max()),
        "uneven_95_s": float(np.percentile(np.abs(gaps), 95)), "said": said[2:],
    }  # fmt: skip


def main() -> int:
    """Measure, print and write JSON; 1 if a bound is left."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sound", type=Path, help="speech")
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "live.json")
    options, sizes = parser.parse_known_args()
    wave = read_resampled(options.sound, RATE)[0].samples[: round(options.seconds * RATE)]
    samples = (np.clip(wave, -1, 1) * 32767).astype("<i2")
    result = {"plain": measure(samples, sizes), "blinks": measure(samples, [*sizes, "--blinks"])}
    for name, figures in result.items():
        print(
            f"{name}: {figures['received']} of {figures['frames']} frames, latency {figures['latency_median_s']:.3f} s "
            f"(largest {figures['latency_largest_s']:.3f}), uneven by {1e3 * figures['uneven_95_s']:.1f} ms (95 %)"
        )
        print("  " + "\n  ".join(figures["said"]))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({"machine": machine.describe(), **result}, indent=2) + "\n")
    return int(any(f["latency_median_s"] > LARGEST or f["uneven_95_s"] > UNEVEN for f in result.values()))


if __name__ == "__main__":
    sys.exit(main())
