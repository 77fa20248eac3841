"""``blendvoca fit``: coefficients of one mesh sequence."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from blendvoca.fit.settings import FitSettings
from blendvoca.speakers import VOCASET_FPS
from blendvoca.terminal.options import setting
from blendvoca.terminal.paths import OutFile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from blendvoca.crop import Crop
    from blendvoca.fit.fitter import FitResult
    from blendvoca.rig import BlendshapeRig

#: A mean error beyond this is no matter of blendshapes.
FAR_MM = 10.0


@click.command()
@click.argument("sequence", type=click.Path(path_type=Path))
@click.option("--rig", "rig_path", required=True, type=click.Path(path_type=Path),
              help="Folder or zip of OBJ shapes beside a neutral, a glTF, a rig file or a shard (.h5).")  # fmt: skip
@click.option("--out", required=True, type=OutFile(".csv"), help="The track, CSV with a header of names.")
@click.option("--report", type=OutFile(".json"), help="Write certificate and figures as JSON.")
@click.option("--fps-in", default=VOCASET_FPS, show_default=True, help="Frame rate of SEQUENCE.")
@click.option(
    "--fps", "--fps-out", "fps_out", type=float, help="Frame rate of the track; frames are interpolated before the fit."
)
@setting(FitSettings, "rate_limit", "--delta", help="Largest step of a coefficient between frames.")
@click.option("--shapes", type=click.Choice(["blendvoca", "all"]), default="blendvoca", show_default=True,
              help="BlendVOCA's 32, or all the rig has.")  # fmt: skip
@click.option("--crop", "crop_path", type=click.Path(path_type=Path),
              help="Vertices of the whole head that the rig keeps; FLAME's are known once fetched.")  # fmt: skip
@click.option("--lips", "lips_path", type=click.Path(path_type=Path), help="Vertex indices of the rig's lips.")
@click.option("--lip-weight", default=1.0, show_default=True, help="Weight of the lips' squared distances.")
@setting(FitSettings, "ridge", "--ridge", help="Pull towards rest, relative to the mean of diag(BᵀB).")
def fit(sequence: Path, rig_path: Path, out: Path, report: Path | None, fps_in: float, fps_out: float | None,
        delta: float, shapes: str, crop_path: Path | None, lips_path: Path | None, lip_weight: float,
        ridge: float) -> None:  # fmt: skip
    """Fit blendshape coefficients to SEQUENCE (paper Eq. 2) and write them to OUT.

    SEQUENCE is a folder or zip of PLY or OBJ files, one a frame, or an .npy of shape (T, V, 3) or (T, 3V). Whether it
    shows the whole head or the rig's crop is seen from the vertex count. Exit code 1 if the answer is not proved.
    """
    from blendvoca.arkit import BLENDVOCA_NAMES
    from blendvoca.errors import SolverError
    from blendvoca.fit.fitter import Fitter, lip_weights, match_topology
    from blendvoca.io.sequence.frames import open_sequence
    from blendvoca.io.vertex_list import read_vertex_list
    from blendvoca.vertex_sets import LIPS

    frames = open_sequence(sequence, fps_in)
    rig, crop = _open_rig(rig_path)
    kept = crop.kept if crop is not None else _known_crop(rig.neutral.n_vertices, frames.n_vertices)
    if crop_path is not None:
        kept = read_vertex_list(crop_path, max(rig.neutral.n_vertices, frames.n_vertices))
    rig, crop = match_topology(rig.select(BLENDVOCA_NAMES) if shapes == "blendvoca" else rig, frames.n_vertices, kept)
    lips = LIPS.vertices(rig) if lips_path is None else read_vertex_list(lips_path, rig.neutral.n_vertices)
    weights = None if lip_weight == 1.0 else lip_weights(rig, lips, lip_weight)
    fitter = Fitter(rig, FitSettings(rate_limit=delta, ridge=ridge), crop, lips, weights)
    result = fitter.fit(frames if fps_out is None else frames.resampled(fps_out))
    result.track.to_csv(out)
    if report is not None:
        _write_report(report, result)
    _show(result, out)
    problems = result.certificate.problems()
    if problems:
        raise SolverError(f"the fit is not proved: {'; '.join(problems)}", path=out)


def _open_rig(path: Path) -> tuple[BlendshapeRig, Crop | None]:
    from blendvoca.export.rigs import load_rig
    from blendvoca.shard.rig_file import read_rig
    from blendvoca.terminal.lazy_group import note

    if path.suffix.lower() not in (".h5", ".hdf5"):
        return load_rig(path, on_report=note), None
    parts = read_rig(path)
    return parts.whole(path), parts.crop


def _known_crop(*counts: int) -> NDArray[np.int64] | None:
    """Return FLAME's published head region where one count is the whole head's and the other the region's."""
    from blendvoca.errors import MissingInputError
    from landmarks.schemes import head_indices, topologies

    if topologies()["flame"].vertices not in counts:
        return None
    try:
        kept = head_indices("flame")
    except MissingInputError:
        return None
    return kept if len(kept) in counts else None


def _write_report(path: Path, result: FitResult) -> None:
    import json
    import math

    from blendvoca.io.atomic import write_text

    # JSON has no NaN (lips that are not known) and no infinity (no rate limit).
    certificate = {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in result.certificate.to_dict().items()
    }
    values = certificate | {
        "frame_error_mm": [round(float(error), 6) for error in result.frame_error_mm],
        "alike": [list(pair) for pair in result.alike],
    }
    write_text(path, json.dumps(values, indent=1, allow_nan=False) + "\n")


def _show(result: FitResult, out: Path) -> None:
    from rich.table import Table

    from blendvoca.terminal.console import make_console

    c, track = result.certificate, result.track
    title = f"{len(track)} frames, {len(track.names)} blendshapes, {track.duration:.2f} s"
    table = Table(title=title, title_justify="left")
    for heading in ("error, mm", "mean", "95 %", "max"):
        table.add_column(heading, justify="left" if heading == "error, mm" else "right")
    table.add_row("face", *(f"{e:.3f}" for e in (c.error_mean_mm, c.error_p95_mm, c.error_max_mm)))
    if c.lips_mean_mm == c.lips_mean_mm:
        table.add_row("lips", *(f"{e:.3f}" for e in (c.lips_mean_mm, c.lips_p95_mm, c.lips_max_mm)))
    console = make_console()
    console.print(table)
    proof = f"{c.status}: relative duality gap {c.duality_gap:.1e}, bounds and rate limits to {c.primal_residual:.0e}"
    console.print(f"{proof}, {c.rate_limit_share:.0%} of transitions at the rate limit", highlight=False)
    if c.error_mean_mm > FAR_MM:
        mismatch = f"the rig does not follow these frames: {c.error_mean_mm:.3g} mm off on average"
        click.echo(f"Note: {mismatch}. Do they show the rig's head, in its pose and unit?", err=True)
    if result.alike:
        pairs = ", ".join(f"{a} ~ {b} ({r:.2f})" if a != b else f"{a} (does not move)" for a, b, r in result.alike[:6])
        console.print(f"hard to distinguish on this rig: {pairs}", highlight=False)
    console.print(f"wrote {out}", highlight=False, soft_wrap=True)
