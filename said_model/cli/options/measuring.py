"""Options and steps that the measuring commands share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from blendvoca.dataset import BlendVOCA
    from said_model.evaluation.evaluate import Evaluation, Instruments

Command = TypeVar("Command", bound=Callable[..., Any])
_OPTIONS = (
    click.option("--data", type=click.Path(path_type=Path, file_okay=False, exists=True),
                 help="Shards of the truth."),
    click.option("--split", default="test", show_default=True, type=click.Choice(["train", "validation", "test"]),
                 help="Which clips of --data."),
    click.option("--vae", type=click.Path(path_type=Path), help="vae.pth or vae.safetensors: FD, WInD, multimodality."),
    click.option("--sync", type=click.Path(path_type=Path), help="Run folder of `said train-sync`: AV offset."),
    click.option("--syncnet", type=click.Path(path_type=Path),
                 help="SyncNet's own weights (syncnet_v2.model): looks at rendered faces."),
    click.option("--lips", type=click.Path(path_type=Path),
                 help="Vertices of LVE in the whole head: an index list, MASKS.pkl:NAME or MASKS.pkl:NAME+OTHER "
                 "[default: those that lip shapes move]."),
    click.option("--upper", type=click.Path(path_type=Path), help="Vertices of FDD, likewise [default: by shapes]."),
    click.option("--no-vertices", is_flag=True, help="Measure coefficients only."),
    click.option("--fps", default=60.0, show_default=True, help="Frame rate of CSV tracks."),
    click.option("--seed", default=0, show_default=True, help="Of what is drawn: WInD, resamples."),
)  # fmt: skip


def measuring_options(command: Command) -> Command:
    """Add the options."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def open_instruments(
    data: Path, split: str, vae: Path | None, sync: Path | None, syncnet: Path | None, lips: Path | None,
    upper: Path | None, no_vertices: bool, seed: int,
) -> tuple[BlendVOCA, Instruments]:  # fmt: skip
    """Open what the options name, and say what is left out."""
    from blendvoca.dataset import BlendVOCA
    from said_model.config import SAMPLE_RATE
    from said_model.evaluation.metrics.vertex_sets import from_file
    from said_model.extras import import_optional

    library = import_optional("said_model.evaluation.evaluate")
    truth = BlendVOCA(data, split, audio_rate=SAMPLE_RATE)
    expert = import_optional("said_model.evaluation.sync_expert").load_sync(sync) if sync is not None else None
    recipes = import_optional("said_model.training.recipes")
    encoder = recipes.load_encoder(expert.config.encoder)[0] if expert is not None else None
    if vae is None:
        click.echo("note: without --vae, FD, WInD and multimodality are left out", err=True)
    if sync is None:
        click.echo("note: without --sync, AV offset and confidence are left out", err=True)
    return truth, library.Instruments(
        import_optional("said_model.evaluation.vae").load_vae(vae) if vae is not None else None, expert, encoder,
        import_optional("said_model.evaluation.syncnet").load_syncnet(syncnet) if syncnet is not None else None,
        from_file(lips, "lips") if lips is not None else None, from_file(upper, "upper") if upper is not None else None,
        not no_vertices, seed=seed,
    )  # fmt: skip


def measure(outputs: Path, name: str, truth: BlendVOCA, instruments: Instruments, fps: float) -> Evaluation:
    """Measure one folder of outputs under a bar."""
    from said_model.cli.options.progress import counting_bar
    from said_model.evaluation.evaluate import evaluate
    from said_model.evaluation.outputs import read_outputs

    with counting_bar(f"Measuring {name}") as on_report:
        return evaluate(read_outputs(outputs, truth, fps), truth, instruments, name, on_report)


def print_table(title: str, lines: Sequence[Sequence[str]]) -> None:
    """Print lines, their header first, as wide as the terminal; what is no terminal gets whole lines.

    Where the terminal is too narrow, intervals go under their values.
    """
    import os

    from rich.table import Table
    from rich.text import Text

    from blendvoca.terminal.console import make_console

    console = make_console()
    if not (console.is_terminal or "COLUMNS" in os.environ):
        console = make_console(width=200)
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    narrow = sum(widths) + 3 * len(widths) + 1 > console.width
    table = Table(title=title)
    for number, name in enumerate(lines[0]):
        table.add_column(Text(name), justify="right" if number else "left")
    for line in lines[1:]:
        # As text: an interval is no markup.
        table.add_row(*(Text(cell.replace(" [", "\n[") if narrow else cell) for cell in line))
    console.print(table)
