"""What do lip errors between heads rebuilt from coefficients say of lip errors against captured heads?

    python benchmarks/lve_floor.py [--speakers 3] [--sentences 4] [--out results.json]

`said evaluate` rebuilds both sides from coefficients. Published figures of vertex models compare with the captured
frames. Here both are measured on the embedded sample, whose frames hold what no blendshape explains (0.3 mm at most)
and noise (0.1 mm a coordinate): the floor is the truth's own coefficients, fitted and rebuilt, against its frames. Two
outputs show how the ways differ: another take of the same sound, and the truth 50 ms late.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import machine
import numpy as np
from numpy.typing import NDArray

from blendvoca.arkit import BLENDVOCA_NAMES
from blendvoca.fit.fitter import Fitter
from blendvoca.rig import BlendshapeRig
from blendvoca.sequence import MeshSequence
from blendvoca.synthetic.head import CanonicalHead, SyntheticHead
from blendvoca.synthetic.performance.coarticulation import coefficients
from blendvoca.synthetic.performance.motion import frames
from blendvoca.synthetic.speakers import make_speaker, stream
from blendvoca.synthetic.voice.speech import say, sentence_text
from blendvoca.track import CoefficientTrack
from blendvoca.vertex_sets import MOUTH_REGION, UPPER_FACE
from said_model.evaluation.metrics.dynamics import dynamics_deviation
from said_model.evaluation.metrics.vertices import lip_vertex_error

SEED, LATE_FRAMES = 7, 3
Row = dict[str, float | str]


def clip_rows(rig: BlendshapeRig, fitter: Fitter, values: dict[str, NDArray[np.float64]],
              rng: np.random.Generator) -> Iterator[Row]:  # fmt: skip
    """Measure outputs (T, K) by name, ``truth`` among them, against captured frames and against the rebuilt truth."""
    lips, upper, neutral = MOUTH_REGION.of(rig), UPPER_FACE.of(rig), rig.neutral.vertices
    track = CoefficientTrack(values["truth"], rig.names, 60.0)
    captured = frames(rig, track, rng).astype(np.float64)
    fitted = fitter.fit(MeshSequence.from_array(captured, rig.neutral.faces, 60.0)).track
    rebuilt = rig.pose(fitted.values)
    for name, output in {**values, "truth": fitted.values}.items():
        made = rig.pose(output)
        for against, reference in (("captured", captured), ("rebuilt", rebuilt)):
            error = lip_vertex_error(reference, made, lips)
            alive = dynamics_deviation(reference, made, neutral, upper)
            yield {"output": name, "against": against, "lve_mm": error.millimetres, "lve_mm2": error.squared * 1e6,
                   "fdd_mm": alive.signed, "fdd_mm2": alive.signed_squared * 1e6}  # fmt: skip


def measured(speakers: int, sentences: int) -> list[Row]:
    """Return the figures of all clips."""
    rows, canonical = list[Row](), CanonicalHead()
    for number in range(1, speakers + 1):
        speaker = make_speaker(number, SEED)
        rig = SyntheticHead(speaker.identity, canonical).rig("head", BLENDVOCA_NAMES)
        fitter = Fitter(rig)
        for place in range(1, sentences + 1):
            utterance, name = say(sentence_text(place), speaker.voice), f"sentence{place:02d}"
            truth, take = (
                coefficients(utterance, speaker.style, stream(SEED, speaker.name, name, f"take {number}")).values
                for number in (1, 2)
            )
            late = np.concatenate([np.repeat(truth[:1], LATE_FRAMES, axis=0), truth[:-LATE_FRAMES]])
            outputs = {"truth": truth, "another take": take, "50 ms late": late}
            rows += clip_rows(rig, fitter, outputs, stream(SEED, speaker.name, name, "motion"))
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--speakers", type=int, default=3)
    parser.add_argument("--sentences", type=int, default=4)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    rows = measured(options.speakers, options.sentences)
    table = []
    for output, against in dict.fromkeys((row["output"], row["against"]) for row in rows):
        own = [row for row in rows if (row["output"], row["against"]) == (output, against)]
        figures = [key for key in own[0] if key.startswith(("lve", "fdd"))]
        means = {key: float(np.mean([float(row[key]) for row in own])) for key in figures}
        table.append({"output": output, "against": against, "clips": len(own), **means})
        print(f"{output:>14} against {against:>9}: " + ", ".join(f"{key} {value:.4f}" for key, value in means.items()))
    if options.out:
        options.out.write_text(json.dumps({"machine": machine.describe(), "rows": table}, indent=1) + "\n")


if __name__ == "__main__":
    main()
