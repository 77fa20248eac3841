"""How fast is the model in a browser, on one thread of WebAssembly, and how large is the page?

    python benchmarks/page.py [--seconds 4 30] [--takes 3] [--steps N] [--guidance G] [--out results.json]

Writes the page with the demo model, opens it in a headless Chromium, gives it sound, and draws takes of it. ``first``
is a take with everything that a new sound needs (reading, log-mel spectra, the encoder, all steps); ``next`` is another
take of the same sound, the median of several; both as multiples of real time. ``work`` is the same for a next take in
processor time of the whole browser instead of time on the clock: other busy processes hardly change it. The library's
own time for the same sound, on one thread, is taken in turn with the page's.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import machine  # noqa: E402
from browser import Browser  # noqa: E402

from blendvoca.audio import Waveform  # noqa: E402
from blendvoca.io.sound.wav import write_wav  # noqa: E402
from blendvoca.synthetic.head import SyntheticHead  # noqa: E402
from said_model.model import SAiD  # noqa: E402
from said_model.page.runtime import find_runtime  # noqa: E402
from said_model.page.write import Face, write_talk_page  # noqa: E402

RATE = 16_000
#: Seconds that a take may need before the benchmark gives up.
PATIENCE = 600


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, nargs="+", default=[4.0, 30.0], help="lengths of the sound")
    parser.add_argument("--takes", type=int, default=3, help="further takes of each sound")
    parser.add_argument("--steps", type=int, help="steps of the sampler, in place of the model's own")
    parser.add_argument("--guidance", type=float, help="its guidance")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "page.json")
    args = parser.parse_args()
    torch.set_num_threads(1)
    said = SAiD.load(device="cpu")
    said.sampler = sampler = said.sampler.changed(None, args.steps, args.guidance)
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "talk.html"
        head = SyntheticHead()
        write_talk_page(page, said.network, sampler, Face("sample", head.rig(), head.landmarks()), find_runtime())
        result: dict[str, Any] = {"machine": machine.describe(), "page_mb": page.stat().st_size / 1e6}
        result |= {"steps": sampler.step_count, "guidance": sampler.guidance_scale}
        print(f"page: {result['page_mb']:.1f} MB; {sampler.step_count} steps, guidance {sampler.guidance_scale:g}")
        print(f"{'sound':>8} {'first':>8} {'next':>8} {'work':>8} {'library':>8}   x real time")
        browser = Browser(Path(folder) / "profile")
        try:
            browser.open(page)
            # Starting the model is no part of a take.
            browser.run("inspect.app.drawing.ready().then(() => true)")
            for seconds in args.seconds:
                found = _measure(browser, said, seconds, args.takes, Path(folder))
                result[f"{seconds:g} s"] = found
                print(
                    f"{seconds:>6g} s "
                    + " ".join(f"{found[name]:>8.1f}" for name in ("first", "next", "work", "library"))
                )
        finally:
            browser.close()
    args.out.parent.mkdir(exist_ok=True)
    args.out.write_text(json.dumps(result, indent=1) + "\n")


def _measure(browser: Browser, said: SAiD, seconds: float, takes: int, folder: Path) -> dict[str, float]:
    """Return multiples of real time of the first take, of the next ones, and of the library."""
    path = folder / f"sound{seconds:g}.wav"
    write_wav(path, Waveform(_sound(seconds), RATE))
    before = browser.run("inspect.state().recordings.length")
    browser.give("#sound-file", path)
    browser.wait(f"inspect.state().recordings.length > {before}", PATIENCE)
    browser.wait("inspect.state().takes.length === 1 && !inspect.state().working", PATIENCE)
    library, work = [], []
    for number in range(takes):
        start = time.perf_counter()
        said.sample(path, seed=number)
        library.append(time.perf_counter() - start)
        browser.run("inspect.app.player.pause()")
        before = browser.cpu_seconds()
        browser.run("document.querySelector('#another').click()")
        browser.wait(f"inspect.state().takes.length === {number + 2} && !inspect.state().working", PATIENCE)
        work.append(browser.cpu_seconds() - before)
    drawn = [take["drawn"] for take in browser.run("inspect.state().takes")]
    return {
        "first": seconds / drawn[0],
        "next": seconds / statistics.median(drawn[1:]),
        "work": seconds / statistics.median(work),
        "library": seconds / statistics.median(library),
    }


def _sound(seconds: float) -> np.ndarray:
    """Return noise that swells and fades as syllables do."""
    times = np.arange(round(seconds * RATE)) / RATE
    swell = 0.1 * np.sin(np.pi * 3 * times) ** 2
    return (np.random.default_rng(0).standard_normal(len(times)) * swell).astype(np.float32)


if __name__ == "__main__":
    main()
