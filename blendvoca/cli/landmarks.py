"""``blendvoca landmarks``: check a landmark list, carry one to another mesh, or pick one in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from blendvoca.terminal.paths import OutFile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from blendvoca.mesh import Mesh

_FILE, _LANDMARKS = click.Path(path_type=Path), OutFile(".txt", ".json")


@click.group()
def landmarks() -> None:
    """The 68 landmarks of a head: check, transfer, pick."""


@landmarks.command()
@click.argument("mesh", type=_FILE)
@click.argument("marks", type=_FILE)
def check(mesh: Path, marks: Path) -> None:
    """Check that MARKS are a face's 68 landmarks on MESH: complete, in order, on the skin, not mirrored."""
    from blendvoca.io.mesh.anymesh import read_mesh
    from landmarks.check import check_landmarks
    from landmarks.files import read_landmarks

    head = read_mesh(mesh)
    report = check_landmarks(head, read_landmarks(marks, head.n_vertices, head.faces))
    for finding in report.findings:
        click.echo(f"{'error  ' if finding.error else 'warning'}  {finding.message}")
    figures = report.figures
    if report.ok and figures:
        words = f"{figures['fit_mm']:.1f} mm from a plain face, sides differ by up to {figures['asymmetry_mm']:.1f} mm"
        click.echo(f"{marks}: 68 landmarks in order ({words} on an adult's size)")
    if not report.ok:
        raise click.exceptions.Exit(1)


@landmarks.command()
@click.argument("target", type=_FILE)
@click.option("--source", default="arkit", show_default=True, metavar="NAME|PATH",
              help="arkit, ict, synthetic, a rig, or a mesh file.")  # fmt: skip
@click.option("--source-landmarks", type=_FILE, help="68 vertices of the source, where it brings none.")
@click.option("--picks", type=_FILE, help="Points of TARGET that are known, about ten, as 'pick' writes them.")
@click.option("--part", metavar="NAME", help="The head's part of a glTF TARGET. [default: the one that looks like it]")
@click.option("--out", required=True, type=_LANDMARKS, help="Landmark file to write (.txt or .json).")
def transfer(
    target: Path, source: str, source_landmarks: Path | None, picks: Path | None, part: str | None, out: Path
) -> None:
    """Find the 68 landmarks of TARGET, a head of any topology.

    Unit, place and pose do not matter, nor which way its triangles look.
    """
    from blendvoca.io.mesh.head import read_head
    from landmarks.files import read_picks, write_landmarks
    from landmarks.transfer import transfer_landmarks

    head = read_head(target, part)
    if head.part is not None:
        click.echo(f"the head is {head.part}", err=True)
    mesh, marks = _source(source, source_landmarks)
    # Landmarks count the vertices of the whole file, whatever part they lie on.
    known = read_picks(picks, head.mesh.n_vertices, head.mesh.faces) if picks else {}
    inside = dict(zip(known, head.crop.indices(list(known.values())).tolist())) if known else None
    found = transfer_landmarks(mesh, marks, head.crop.apply(head.mesh), inside)
    for finding in found.report.findings:
        click.echo(f"{'error  ' if finding.error else 'warning'}  {finding.message}")
    write_landmarks(out, head.crop.kept[found.landmarks], head.mesh.n_vertices)
    click.echo(f"{out}: 68 landmarks of {target}")
    click.echo(f"Look at them with: blendvoca landmarks pick {target} --start {out} --out {out}")
    if not found.report.ok:
        raise click.exceptions.Exit(1)


@landmarks.command()
@click.argument("mesh", type=_FILE)
@click.option("--out", required=True, type=_LANDMARKS, help="Landmark file to write (.txt or .json).")
@click.option("--start", type=_FILE, help="Landmarks or picks to start from.")
@click.option(
    "--source",
    default="synthetic",
    show_default=True,
    metavar="NAME|PATH",
    help="Face that completes ten points; none for none.",
)
@click.option("--port", default=0, help="Port of the page. [default: a free one]")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@click.option("--window", is_flag=True, help="An open3d window instead of the browser.")
def pick(mesh: Path, out: Path, start: Path | None, source: str, port: int, no_browser: bool, window: bool) -> None:
    """Pick landmarks of MESH by clicking: ten points, the rest completed, corrected by eye."""
    import webbrowser

    from blendvoca.io.mesh.anymesh import read_mesh
    from landmarks.files import read_picks
    from landmarks.pick import PickServer, PickSession, pick_in_window
    from landmarks.sources import load_source

    head = read_mesh(mesh)
    if window:
        click.echo(f"{out}: {pick_in_window(head, out)} points")
        return
    known = read_picks(start, head.n_vertices, head.faces) if start else {}
    completes = None if source == "none" else load_source(source)
    with PickServer(PickSession(head, out, known, completes), port) as server:
        click.echo(f"The page is at {server.url} (this machine only); end with its close button or Ctrl-C.")
        if not no_browser:
            webbrowser.open(server.url)
        try:
            server.wait()
        except KeyboardInterrupt:
            click.echo()
        saved = server.session.saved
    click.echo(f"{out}: written" if saved else "nothing was saved")


def _source(source: str, marks: Path | None) -> tuple[Mesh, NDArray[np.int64]]:
    """Return the mesh and the landmarks of a source: a rig by name or path, or a plain mesh with a landmark file."""
    from blendvoca.errors import MissingInputError
    from blendvoca.io.mesh.anymesh import MESH_SUFFIXES, read_mesh
    from landmarks.files import read_landmarks
    from landmarks.schemes import recognise, topology_landmarks
    from landmarks.sources import load_source

    if Path(source).suffix.lower() not in MESH_SUFFIXES:
        rig = load_source(source, landmarks=marks)
        return rig.rig.neutral, rig.landmarks
    mesh = read_mesh(source)
    if marks is not None:
        return mesh, read_landmarks(marks, mesh.n_vertices, mesh.faces)
    known = recognise(mesh.n_vertices, mesh.n_faces)
    if known is None:
        raise MissingInputError("the source's landmarks are not known", expected="--source-landmarks FILE", path=source)
    return mesh, topology_landmarks(known.name)
