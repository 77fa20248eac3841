"""The rows of the paper's Table 2, and its outlook, as configurations of the same trainer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blendvoca.dataset import BlendVOCA
from blendvoca.errors import AudioError, ConfigurationError, OutputError, nearest
from blendvoca.io.atomic import write_text
from blendvoca.io.digest import digest_bytes
from blendvoca.io.json_file import anything, mapping, read_json
from said_model import SAiD, SamplerConfig
from said_model.config import LOG_MEL, SAMPLE_RATE
from said_model.synthesis.sources import own_noise
from said_model.training.loop import Outcome, Report
from said_model.training.recipes import said_recipe
from said_model.training.tasks.said import train

if TYPE_CHECKING:
    from said_model.evaluation.evaluate import Evaluation

#: Beside the tracks: what they were drawn with, and whether all of them are there.
PLAN = "tracks.json"
_NO_WEIGHTS = "log-mel has no weights to fine-tune"


@dataclass(frozen=True)
class Ablation:
    """One row.

    :param name: of the row and its folder.
    :param title: as in the table.
    :param changes: options of :func:`said_model.training.recipes.said_recipe` that differ from the full model's.
    """

    name: str
    title: str
    changes: dict[str, Any] = field(default_factory=dict)


ABLATIONS = {
    row.name: row
    for row in (
        Ablation("said", "SAiD"),
        Ablation("squared-error", "squared error", {"error": "squared"}),
        Ablation("no-velocity-loss", "no velocity loss", {"velocity_weight": 0.0}),
        Ablation("no-alignment-bias", "no alignment bias", {"alignment": "none"}),
        Ablation("finetuned-encoder", "fine-tuned encoder", {"finetune_encoder": True}),
        # The paper's outlook: attention over the whole clip while all is noise, narrowing as it clears.
        Ablation("widened-window", "window widened at early timesteps", {"alignment": "1,8@400,none@800"}),
    )
}


def chosen_rows(names: Sequence[str], encoder: str) -> tuple[list[Ablation], dict[str, str]]:
    """Return the rows of these names, or all that the encoder allows, and why others are left out.

    :raises ConfigurationError: for an unknown row, or a fine-tuned encoder that has no weights.
    """
    for name in names:
        if name not in ABLATIONS:
            raise ConfigurationError(f"unknown ablation {name!r}{nearest(name, ABLATIONS)}", expected=list(ABLATIONS))
        if encoder == LOG_MEL and "finetune_encoder" in ABLATIONS[name].changes:
            raise ConfigurationError(_NO_WEIGHTS, remedy="Name another --encoder, or other rows.")
    rows = [ABLATIONS[name] for name in dict.fromkeys(names)] or list(ABLATIONS.values())
    out = {row.title: _NO_WEIGHTS for row in rows if encoder == LOG_MEL and "finetune_encoder" in row.changes}
    return [row for row in rows if row.title not in out], out


def train_row(
    row: Ablation, shards: str | Path, out: str | Path, encoder: str, options: dict[str, Any],
    on_report: Callable[[Report], None] | None = None, device: str | None = None,
    on_note: Callable[[str], None] | None = None,
) -> Outcome:  # fmt: skip
    """Train one row into ``out``; go on where it was stopped."""
    recipe = said_recipe(shards, encoder, **{**options, **row.changes})
    return train(shards, out, recipe.config, network=recipe.network, on_report=on_report, on_note=on_note,
                 device=device)  # fmt: skip


def write_tracks(
    model: str | Path, shards: str | Path, out: str | Path, *, split: str = "test", samples: int = 2, every: int = 1,
    settings: SamplerConfig | None = None, device: str = "cpu",
) -> int:  # fmt: skip
    """Sample a checkpoint for every clip's sound of a split (or each ``every``-th) and return the number of tracks.

    Samples of one clip have seeds 0, 1, …, the same for every model, so that rows differ by the model alone. What an
    earlier call drew with the same checkpoint and settings is kept; what it drew with others is removed.

    :raises AudioError: for a clip without sound.
    :raises OutputError: if other tracks lie in the folder.
    """
    root, chosen = Path(out), settings or SamplerConfig()
    plan = {"model": _fingerprint(Path(model)), "split": split, "samples": samples, "every": every, **asdict(chosen)}
    dataset = BlendVOCA(shards, split, audio_rate=SAMPLE_RATE)
    keys = dataset.keys()[::every]
    wanted = {key: [root / key[0] / f"{key[1]}-{number}.csv" for number in range(1, samples + 1)] for key in keys}
    _start(root, plan)
    left = [key for key, paths in wanted.items() if not all(path.is_file() for path in paths)]
    if not left:
        return samples * len(keys)
    said = SAiD.load(model, device)
    for key in left:
        clip = dataset[key]
        if clip.waveform is None:
            raise AudioError(f"{clip.speaker}/{clip.sentence} has no sound", expected="shards with audio")
        wanted[key][0].parent.mkdir(parents=True, exist_ok=True)
        tracks = said.samples(clip.waveform, samples, own_noise("/".join(key)), chosen)
        for path, track in zip(wanted[key], tracks):
            track.to_csv(path)
    return samples * len(keys)


def _fingerprint(model: Path) -> str:
    """Return a digest of a checkpoint's weights."""
    return digest_bytes(b"".join(path.read_bytes() for path in sorted(model.glob("*.safetensors"))))


def _start(root: Path, plan: Mapping[str, Any]) -> None:
    """Write the plan; remove tracks that were drawn by another one.

    :raises OutputError: if tracks without a plan lie there.
    :raises FormatError: for a plan that is none.
    """
    path, old = root / PLAN, sorted(root.glob("*/*.csv"))
    if old and not path.is_file():
        raise OutputError("tracks that were drawn otherwise lie here", found=f"{len(old)} files without {PLAN}",
                          path=root, remedy="Name another folder, or remove them.")  # fmt: skip
    root.mkdir(parents=True, exist_ok=True)
    if not path.is_file() or read_json(path, mapping(anything), f"not the plan of tracks ({PLAN})") != plan:
        for track in old:
            track.unlink()
        write_text(path, json.dumps(plan, indent=1) + "\n")


def table(systems: Sequence[Evaluation]) -> list[list[str]]:
    """Return the lines of a table, its header first: a figure a line, a system a column, clips in the last."""
    from said_model.evaluation.page import FIGURES

    lines = [["Figure", *(system.name for system in systems), "Clips"]]
    for figure, (title, better, digits) in FIGURES.items():
        if any(figure in system.overall for system in systems):
            counts = [str(system.counts.get(figure, 0)) for system in systems]
            cells = [f"{system.overall[figure]:.{digits}f}" if figure in system.overall else "–" for system in systems]
            used = counts[0] if len(set(counts)) == 1 else "/".join(counts)
            lines.append([f"{title} {better}".strip(), *cells, used])
    return lines


def markdown(lines: Sequence[Sequence[str]]) -> str:
    """Return the lines of :func:`table` as a Markdown table."""
    ruled = [lines[0], ["---"] * len(lines[0]), *lines[1:]]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in ruled)
