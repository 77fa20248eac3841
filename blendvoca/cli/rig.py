"""``blendvoca rig``: ARKit's shapes on any head."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from blendvoca.crop import Crop
    from landmarks.rig_report import ShapeFigures
    from landmarks.rigging import RiggedHead


@click.command()
@click.argument("head", type=click.Path(path_type=Path))
@click.option(
    "--landmarks",
    "marks",
    type=click.Path(path_type=Path),
    help="68 vertices of HEAD, as text or JSON. [default: those of a known topology]",
)
@click.option("--source", default="arkit", show_default=True, help="arkit, ict, synthetic, or a path to a rig.")
@click.option("--source-landmarks", type=click.Path(path_type=Path), help="68 vertices of a source that brings none.")
@click.option("--shapes", default="blendvoca", show_default=True, help="blendvoca (32), all, or names with commas.")
@click.option("--method", default="face", show_default=True, help="face, or sumner-popovic: the plain paper.")
@click.option("--units", default="auto", show_default=True, help="m, dm, cm, in or mm; auto goes by the face's size.")
@click.option("--region", type=click.Path(path_type=Path), help="Vertices that may move, one index a line.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Rig file to write (.h5), in metres.")
@click.option("--glb", type=click.Path(path_type=Path), help="Also write a GLB with named morph targets.")
@click.option("--report", type=click.Path(path_type=Path), help="Quality report. [default: OUT with .json]")
@click.option("--strict", is_flag=True, help="Exit with 1 if a shape fails its check.")
def rig(
    head: Path,
    marks: Path | None,
    source: str,
    source_landmarks: Path | None,
    shapes: str,
    method: str,
    units: str,
    region: Path | None,
    out: Path,
    glb: Path | None,
    report: Path | None,
    strict: bool,
) -> None:
    """Give HEAD (OBJ, PLY, GLB, STL; any unit and pose) the blendshapes of a source rig.

    \b
    blendvoca landmarks pick head.obj --out landmarks.json
    blendvoca rig head.obj --landmarks landmarks.json --out rig.h5 --glb rig.glb
    """
    import json

    from blendvoca.io.anymesh import read_mesh
    from blendvoca.io.atomic import write_text
    from blendvoca.shard.rig_file import write_rig
    from blendvoca.transfer import TransferConfig
    from landmarks.rig_report import report_dict, shape_figures
    from landmarks.rigging import rig_head
    from landmarks.sources import load_source

    config = TransferConfig(method)
    mesh = read_mesh(head)
    indices = _landmarks(mesh.n_vertices, mesh.n_faces, marks, head)
    chosen = load_source(source, landmarks=source_landmarks).select(_names(shapes))
    done = rig_head(mesh, indices, chosen, config, units=units, region=_region(region, mesh.n_vertices))
    figures = shape_figures(done, chosen)
    stored = write_rig(
        out, done.rig, landmarks=indices, sources={"head": head.name, "source": chosen.name, "method": method}
    )
    if glb is not None:
        from blendvoca.export.gltf import write_glb

        write_glb(glb, done.rig, name=head.stem)
    place = report or out.with_suffix(".json")
    write_text(place, json.dumps(report_dict(done, chosen, figures, head.name), indent=1, ensure_ascii=False) + "\n")
    _show(done, figures, [path for path in (stored, glb, place) if path is not None])
    if strict and any(entry.fails for entry in figures):
        raise click.exceptions.Exit(1)


def _landmarks(n_vertices: int, n_faces: int, marks: Path | None, head: Path) -> NDArray[np.int64]:
    """Read the landmark file, or take those of the head's topology where that is known."""
    from blendvoca.errors import MissingInputError
    from landmarks.files import read_landmarks
    from landmarks.schemes import recognise, topology_landmarks

    if marks is not None:
        return read_landmarks(marks, n_vertices)
    known = recognise(n_vertices, n_faces)
    if known is None:
        raise MissingInputError(
            "this head's landmarks are not known",
            expected="a landmark file: --landmarks FILE",
            remedy=f"Make one with: blendvoca landmarks pick {head} --out landmarks.json",
            path=head,
        )
    click.echo(f"landmarks   those of the {known.name} topology")
    return topology_landmarks(known.name)


def _names(shapes: str) -> str | tuple[str, ...]:
    return shapes if shapes in ("blendvoca", "all") else tuple(name.strip() for name in shapes.split(","))


def _region(path: Path | None, n_vertices: int) -> Crop | None:
    """Read an index list."""
    if path is None:
        return None
    import numpy as np

    from blendvoca.crop import Crop
    from blendvoca.io.files import parse_numbers, read_bytes

    indices = parse_numbers(read_bytes(path), np.int64, "vertex indices", path)
    return Crop.of(indices, n_vertices)


def _show(done: RiggedHead, figures: list[ShapeFigures], written: list[Path]) -> None:
    """Print what was understood, the table, and where things are."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    unit = done.unit
    scale = "" if unit.metres == 1 else f", scaled by {unit.metres:g} to metres"
    console.print(f"unit        {unit.name} ({unit.reason}){scale}")
    for note in done.notes:
        console.print(f"repair      {note}")
    for finding in done.check.warnings:
        console.print(f"landmarks   {finding.message}", markup=False)
    table = Table(box=None, pad_edge=False)
    for title in ("shape", "ratio", "cosine", "largest mm", "flips", "gap mm", ""):
        table.add_column(title, justify="left" if title in ("shape", "") else "right")
    for entry in figures:
        gap = "" if entry.gap_mm is None else f"{entry.gap_mm:+.2f}"
        row = (
            entry.name,
            f"{entry.ratio:.2f}",
            f"{entry.cosine:.3f}",
            f"{entry.largest_mm:.1f}",
            str(entry.flips),
            gap,
        )
        table.add_row(*row, "; ".join(entry.fails), style="red" if entry.fails else None)
    console.print(table)
    failed = [entry.name for entry in figures if entry.fails]
    console.print(
        f"{len(figures) - len(failed)} of {len(figures)} shapes pass"
        + (f"; check {', '.join(failed)}" if failed else "")
    )
    console.print(f"{sum(done.seconds.values()):.1f} s; written: {', '.join(map(str, written))}", soft_wrap=True)
