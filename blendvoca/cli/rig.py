"""``blendvoca rig``: ARKit's shapes on any head."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from blendvoca.terminal.paths import OutFile, OutFolder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from blendvoca.io.mesh.head import HeadMesh
    from landmarks.rigging import RiggedHead
    from landmarks.sources import SourceRig


@click.command()
@click.argument("head", type=click.Path(path_type=Path))
@click.option(
    "--landmarks",
    "marks",
    type=click.Path(path_type=Path),
    help="68 vertices of HEAD, as text or JSON. [default: those of a known topology, else found]",
)
@click.option(
    "--source", metavar="NAME|PATH", help="arkit, ict, synthetic, or a path to a rig. [default: arkit, else synthetic]"
)
@click.option("--source-landmarks", type=click.Path(path_type=Path), help="68 vertices of a source that brings none.")
@click.option(
    "--shapes", default="blendvoca", show_default=True, metavar="SET", help="blendvoca (32), all, or names with commas."
)
@click.option("--method", default="face", show_default=True, type=click.Choice(["face", "sumner-popovic"]),
              help="sumner-popovic: the plain paper.")  # fmt: skip
@click.option("--units", default="auto", show_default=True, metavar="[auto|m|dm|cm|in|mm]",
              help="Of HEAD; auto goes by the face's size.")  # fmt: skip
@click.option("--region", metavar="PATH", help="Vertices that may move: a list of indices, or MASKS.pkl:NAME.")
@click.option("--out", required=True, type=OutFile(".h5"), help="Rig file to write (.h5), in metres.")
@click.option(
    "--glb",
    type=OutFile(".glb"),
    help="Also write a GLB with named morph targets: of a glTF HEAD the file itself, with them added.",
)
@click.option(
    "--part",
    "parts",
    multiple=True,
    metavar="NAME",
    help="Add them to this part of a glTF HEAD only; may be repeated. [default: every part that moves]",
)
@click.option("--still", multiple=True, metavar="NAME|INDEX",
              help="A part that stays: of a glTF HEAD by name, else by component number; may be repeated.")  # fmt: skip
@click.option("--jaw", multiple=True, metavar="NAME|INDEX",
              help="A part that follows the jaw, named likewise; may be repeated.")  # fmt: skip
@click.option(
    "--obj",
    type=OutFolder(),
    help="Also write an OBJ for each shape, with HEAD's own vertices, unit and order.",
)
@click.option("--report", type=OutFile(".json"), help="Quality report. [default: OUT with .report.json]")
@click.option("--strict", is_flag=True, help="Exit with 1 if a shape or a figure fails its check.")
def rig(
    head: Path,
    marks: Path | None,
    source: str | None,
    source_landmarks: Path | None,
    shapes: str,
    method: str,
    units: str,
    region: str | None,
    out: Path,
    glb: Path | None,
    parts: tuple[str, ...],
    still: tuple[str, ...],
    jaw: tuple[str, ...],
    obj: Path | None,
    report: Path | None,
    strict: bool,
) -> None:
    """Give HEAD (OBJ, PLY, glTF, GLB, VRM, STL; any unit and pose) the blendshapes of a source rig.

    \b
    blendvoca rig head.obj --out rig.h5
    blendvoca landmarks pick head.obj --out landmarks.json
    blendvoca rig head.obj --landmarks landmarks.json --out rig.h5 --glb rig.glb
    """
    import json

    from blendvoca.io.atomic import write_text
    from blendvoca.io.mesh.head import read_head
    from blendvoca.io.region import read_region
    from blendvoca.shard.rig_file import write_rig
    from blendvoca.transfer import TransferConfig
    from landmarks.rigging import rig_head

    place, found_at = report or out.with_suffix(".report.json"), out.with_suffix(".landmarks.json")
    _keep_inputs([head, marks, source_landmarks], [out, glb, place, found_at if marks is None else None])
    _check_parts(head, parts)
    config = TransferConfig(method)
    read = read_head(head)
    mesh = read.mesh
    whole = _source(source, source_landmarks)
    indices = _landmarks(read, marks, whole, found_at)
    chosen = whole.select(_names(shapes))
    kept = read_region(region, mesh.n_vertices) if region else None
    told = {name: _named(read, words) for name, words in (("still", still), ("jaw", jaw))}
    done = rig_head(mesh, indices, chosen, config, units=units, region=kept, **told)
    stored = write_rig(
        out, done.rig, landmarks=indices, sources={"head": head.name, "source": chosen.name, "method": method}
    )
    if glb is not None:
        _write_model(glb, done, head, parts)
    if obj is not None:
        _write_shapes(obj, done, head)
    write_text(place, json.dumps(done.to_json(head.name, chosen), indent=1, ensure_ascii=False) + "\n")
    _show(done, [path for path in (stored, glb, obj, place) if path is not None])
    if strict and (done.result.report.failed_shapes or done.result.report.failed_figures):
        raise click.exceptions.Exit(1)


def _keep_inputs(read: list[Path | None], written: list[Path | None]) -> None:
    """Refuse to write over what is read: landmarks that were picked by hand are not to be had again."""
    from blendvoca.errors import OutputError

    inputs = {path.resolve() for path in read if path is not None}
    for path in written:
        if path is not None and path.resolve() in inputs:
            raise OutputError("this file is read, and would be written over", remedy="Name another output.", path=path)


def _check_parts(head: Path, parts: tuple[str, ...]) -> None:
    """Refuse parts that HEAD does not have before the work begins."""
    from blendvoca.errors import ConfigurationError, InputError, nearest
    from blendvoca.io.gltf.container import SUFFIXES
    from blendvoca.io.gltf.scene import read_scene

    if not parts:
        return
    if head.suffix.lower() not in SUFFIXES:
        raise ConfigurationError("--part chooses from a glTF file", expected=", ".join(SUFFIXES), found=head.name)
    known = read_scene(head).parts
    for part in parts:
        if part not in known:
            raise InputError(f"no part {part!r}{nearest(part, known)}", expected=", ".join(known)[:300], path=head)


def _named(read: HeadMesh, words: tuple[str, ...]) -> list[NDArray[np.int64]]:
    """Return the vertices of parts by their names in a glTF file, or by their components' numbers."""
    import numpy as np

    from blendvoca.errors import InputError, nearest
    from blendvoca.transfer.parts import component_numbers

    numbers, found = component_numbers(read.mesh), []
    for word in words:
        inside = numbers == int(word) if word.isdigit() else np.zeros(0, dtype=bool)
        vertices = read.parts.get(word, np.flatnonzero(inside))
        if not len(vertices):
            expected = f"{', '.join(read.parts) or 'a number'}, or 0 to {numbers.max()}"
            raise InputError(f"no part {word!r}{nearest(word, list(read.parts))}", expected=expected[:300])
        found.append(vertices)
    return found


def _write_model(glb: Path, done: RiggedHead, head: Path, parts: tuple[str, ...]) -> None:
    """Write the GLB: of a glTF head its own file with the shapes added, of another a new one in metres."""
    from blendvoca.io.gltf.container import SUFFIXES
    from blendvoca.io.rig.gltf_into import NewShapes, write_into
    from blendvoca.io.rig.gltf_write import write_glb
    from blendvoca.terminal.lazy_group import note
    from blendvoca.view.materials import materials_of

    if head.suffix.lower() in SUFFIXES:
        shapes = NewShapes(done.rig.names, done.rig.deltas / done.unit.metres, parts)
        write_into(glb, head, shapes=shapes, on_report=note)
    else:
        write_glb(glb, done.rig, name=head.stem, surfaces=materials_of(done.rig.neutral, done.landmarks))


def _write_shapes(folder: Path, done: RiggedHead, head: Path) -> None:
    """Write the shapes as OBJ files in the unit of HEAD."""
    from blendvoca.io.rig.obj_write import write_shapes
    from blendvoca.rig import BlendshapeRig

    neutral, metres = done.rig.neutral, done.unit.metres
    own = BlendshapeRig(neutral.with_vertices(neutral.vertices / metres), done.rig.deltas / metres, done.rig.names)
    write_shapes(folder, own, head if head.suffix.lower() == ".obj" else None)


def _source(source: str | None, marks: Path | None) -> SourceRig:
    """Load the source; where none was asked for and ARKit's reference is not there, the sample's own mask."""
    from landmarks.sources import default_source, load_source

    if source is not None:
        return load_source(source, landmarks=marks)
    return default_source(marks, lambda sentence: click.echo(f"source      {sentence}"))


def _landmarks(read: HeadMesh, marks: Path | None, source: SourceRig, place: Path) -> NDArray[np.int64]:
    """Read the landmark file, take those of a known topology, or find them; all count the whole file.

    Found ones are written to `place`, so that they can be looked at and corrected.
    """
    from blendvoca.errors import MissingInputError
    from landmarks.files import read_landmarks, write_landmarks
    from landmarks.schemes import recognise, topology_landmarks
    from landmarks.transfer import transfer_landmarks

    if marks is not None:
        return read_landmarks(marks, read.mesh.n_vertices, read.mesh.faces)
    alone = read.crop.apply(read.mesh)
    known = recognise(alone.n_vertices, alone.n_faces)
    if known is not None:
        try:
            indices = read.crop.kept[topology_landmarks(known.name)]
            click.echo(f"landmarks   those of the {known.name} topology")
            return indices
        except MissingInputError as error:
            click.echo(f"landmarks   those of the {known.name} topology are not here. {error.remedy}")
    found = transfer_landmarks(source.rig.neutral, source.landmarks, alone)
    indices = read.crop.kept[found.landmarks]
    write_landmarks(place, indices, read.mesh.n_vertices)
    click.echo(f"landmarks   found by bending the source's face onto the head, and written to {place}")
    click.echo(f"            Look at them: blendvoca landmarks pick HEAD --start {place} --out {place}")
    return indices


def _names(shapes: str) -> str | tuple[str, ...]:
    return shapes if shapes in ("blendvoca", "all") else tuple(name.strip() for name in shapes.split(","))


def _show(done: RiggedHead, written: list[Path]) -> None:
    """Print what was understood, a line a shape, the head's figures, and where things are."""
    from rich.table import Table

    from blendvoca.terminal.console import make_console
    from blendvoca.transfer.quality.report import describe, limit_words, verdict

    console, report = make_console(), done.result.report
    scale = "" if done.unit.metres == 1 else f", scaled by {done.unit.metres:g} to metres"
    console.print(f"unit        {done.unit.name} ({done.unit.reason}){scale}")
    for note in done.notes:
        console.print(f"repair      {note}")
    for sentence in done.parts:
        console.print(f"part        {sentence}", markup=False, soft_wrap=True)
    for finding in done.check.warnings:
        console.print(f"landmarks   {finding.message}", markup=False)
    shapes = Table(box=None, pad_edge=False)
    for title in ("shape", "cosine", "ratio", "flips", "boundary mm", "rough mm", "stretch", ""):
        shapes.add_column(title, justify="left" if title in ("shape", "") else "right")
    for entry in report.shapes:
        row = (entry.name, f"{entry.cosine:.3f}", f"{entry.ratio:.2f}", str(entry.flips), f"{entry.boundary_mm:.2f}",
               f"{entry.roughness_mm:.1f}", f"{entry.stretch:.2f}")  # fmt: skip
        shapes.add_row(*row, "" if entry.good else "fails", style=None if entry.good else "red")
    figures = Table(box=None, pad_edge=False)
    for title in ("figure", "value", "limits"):
        figures.add_column(title, justify="left" if title == "figure" else "right")
    for name, value in report.figures.items():
        shown = "not there" if value is None else f"{value:.3g}"
        figures.add_row(name, shown, limit_words(name), style="red" if name in report.failed_figures else None)
    for table in (shapes, figures):
        console.print()
        console.print(table)
    console.print()
    for line in [*describe(report), verdict(report)]:
        console.print(line, soft_wrap=True)
    console.print(f"{sum(done.seconds.values()):.1f} s; written: {', '.join(map(str, written))}", soft_wrap=True)
