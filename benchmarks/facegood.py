"""Does a model's mouth move as an artist moved one, to a voice, a language and a rig that it never had?

    BLENDVOCA_ASSETS=… python benchmarks/facegood.py [--model RUN] [--samples 2] [--out results.json]

FACEGOOD-Audio2Face's published curves were made by hand to Mandarin speech. Their rig is another one, so that only
correlations over time say something: of the jaw, the rolled, puckered, pressed and funnelled lips, with the shapes of
ARKit that do the same. Beside them the loudness alone, and what chance gives: the same tracks turned round. The lag is
that of the largest correlation within a third of a second, positive where the model is late.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import dataclass
from pathlib import Path

import machine
import numpy as np
from numpy.typing import NDArray

from blendvoca.io.sound.wav import read_audio
from said_model import SAiD

ASSETS = Path(os.environ.get("BLENDVOCA_ASSETS", Path(__file__).resolve().parents[2] / "shared" / "assets"))
Curve = NDArray[np.float64]
#: A movement: shapes of ARKit, and how the names of the artist's curves begin.
MOVEMENTS = {
    "jaw": (("jawOpen",), "mouth_stretch_c"),
    "lip roll": (("mouthRollLower", "mouthRollUpper"), "mouth_suck_"),
    "pucker": (("mouthPucker",), "mouth_pucker_"),
    "press": (("mouthPressLeft", "mouthPressRight"), "mouth_press_"),
    "funnel": (("mouthFunnel",), "mouth_funnel_"),
}
#: Largest lag in frames of the curves, and turns of the control as shares of a recording.
REACH, TURNS = 10, (0.2, 0.4, 0.6, 0.8)


@dataclass(frozen=True, eq=False)
class Recording:
    """Sound and the artist's curves.

    :param values: (T, K) at ``fps``.
    :param loudness: (T,) root mean square of the sound around each frame.
    """

    path: Path
    values: Curve
    names: tuple[str, ...]
    fps: float
    loudness: Curve

    def movement(self, prefix: str) -> Curve:
        """Return the mean of the curves whose names begin so: (T,); at rest where the artist drew none."""
        own = [place for place, name in enumerate(self.names) if name.startswith(prefix)]
        return self.values[:, own].mean(axis=1) if own else np.zeros(len(self.values))


def recordings(folder: Path) -> list[Recording]:
    """Read every ``NAME.flac`` with its ``NAME.npz``."""
    found = []
    for path in sorted(folder.glob("*.flac")):
        with np.load(path.with_suffix(".npz"), allow_pickle=False) as file:
            values, names, fps = file["values"].astype(np.float64), tuple(file["names"].tolist()), float(file["fps"])
        sound = read_audio(path)
        edges = (np.arange(len(values) + 1) * sound.rate / fps).round().astype(int)
        power = np.concatenate([[0.0], np.cumsum(sound.samples.astype(np.float64) ** 2)])
        mean = np.diff(power[np.minimum(edges, len(power) - 1)]) * fps / sound.rate
        found.append(Recording(path, values, names, fps, np.sqrt(np.maximum(mean, 0.0))))
    return found


def correlation(one: Curve, other: Curve) -> float:
    """Return Pearson's r of two courses; NaN where one of them rests."""
    return float(np.corrcoef(one, other)[0, 1]) if min(one.std(), other.std()) > 1e-9 else float("nan")


def lag(made: Curve, drawn: Curve) -> int:
    """Return by how many frames the made course is late, where both are most alike."""
    inner = slice(REACH, len(drawn) - REACH)
    return max(range(-REACH, REACH + 1), key=lambda shift: correlation(np.roll(made, -shift)[inner], drawn[inner]))


def figures(recording: Recording, made: Curve, names: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """Return the figures of each movement.

    :param made: (T, K) the model's coefficients at the curves' rate.
    """
    table = {}
    for movement, (shapes, prefix) in MOVEMENTS.items():
        drawn = recording.movement(prefix)[: len(made)]
        course = made[:, [names.index(shape) for shape in shapes]].mean(axis=1)
        turned = [correlation(np.roll(course, int(share * len(course))), drawn) for share in TURNS]
        table[movement] = {"r": correlation(course, drawn), "control": float(np.mean(np.abs(turned))),
                           "loudness": correlation(recording.loudness[: len(made)], drawn),
                           "lag_ms": 1000 * lag(course, drawn) / recording.fps}  # fmt: skip
    return table


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, help="Checkpoint folder; the demo model by default.")
    parser.add_argument("--samples", type=int, default=2)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    found = recordings(ASSETS / "facegood")
    if not found:
        print(f"Nothing measured: no recordings in {ASSETS / 'facegood'}. Say where the assets are: BLENDVOCA_ASSETS.")
        return
    said = SAiD.load(options.model, "cpu") if options.model else SAiD.load(device="cpu")
    rows = []
    for recording in found:
        for seed, track in enumerate(said.samples(read_audio(recording.path), options.samples, 0)):
            places = (np.arange(len(recording.values)) * track.fps / recording.fps).round().astype(int)
            made = track.values[places[places < len(track)]]
            rows.append({"recording": recording.path.stem, "seed": seed,
                         "movements": figures(recording, made, track.names)})  # fmt: skip
    means = {movement: {key: float(np.nanmean([row["movements"][movement][key] for row in rows]))
                        for key in rows[0]["movements"][movement]} for movement in MOVEMENTS}  # fmt: skip
    for movement, row in means.items():
        print(f"{movement:>9}: " + ", ".join(f"{key} {value:.2f}" for key, value in row.items()))
    if options.out:
        facts = {"machine": machine.describe(), "model": str(options.model or "demo"), "means": means, "rows": rows}
        options.out.write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main()
