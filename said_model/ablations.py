"""The rows of the paper's Table 2, and its outlook, as configurations of the same trainer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from blendvoca.dataset import BlendVOCA
from blendvoca.errors import AudioError, ConfigurationError, nearest
from said_model import SAiD, SamplerConfig
from said_model.config import LOG_MEL, SAMPLE_RATE
from said_model.loop import Outcome, Report
from said_model.recipes import said_recipe
from said_model.train import train


@dataclass(frozen=True)
class Ablation:
    """One row.

    :param name: of the row and its folder; :param title: as in the table.
    :param changes: options of :func:`said_model.recipes.said_recipe` that differ from the full model's.
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


def chosen_rows(names: tuple[str, ...], encoder: str) -> list[Ablation]:
    """Return the rows of these names, or all that the encoder allows.

    :raises ConfigurationError: for an unknown row, or a fine-tuned encoder that has no weights.
    """
    for name in names:
        if name not in ABLATIONS:
            raise ConfigurationError(f"unknown ablation {name!r}{nearest(name, ABLATIONS)}", expected=list(ABLATIONS))
    if "finetuned-encoder" in names and encoder == LOG_MEL:
        raise ConfigurationError("log-mel has no weights to fine-tune", remedy="Name another --encoder.")
    rows = [ABLATIONS[name] for name in names] or list(ABLATIONS.values())
    return [row for row in rows if encoder != LOG_MEL or "finetune_encoder" not in row.changes]


def train_row(
    row: Ablation, shards: str | Path, out: str | Path, encoder: str, options: dict[str, Any],
    tell: Callable[[Report], None] | None = None, device: str | None = None,
) -> Outcome:  # fmt: skip
    """Train one row into ``out``; go on where it was stopped."""
    recipe = said_recipe(shards, encoder, **{**options, **row.changes})
    return train(shards, out, recipe.config, network=recipe.network, tell=tell, device=device)


def write_tracks(
    model: str | Path, shards: str | Path, out: str | Path, *, split: str = "test", samples: int = 2, every: int = 1,
    settings: SamplerConfig | None = None, device: str = "cpu",
) -> int:  # fmt: skip
    """Sample a checkpoint for every clip's sound of a split (or each ``every``-th) and return the number of tracks.

    Samples of one clip have seeds 0, 1, …, the same for every model, so that rows differ by the model alone.

    :raises AudioError: for a clip without sound.
    """
    said, dataset = SAiD.load(model, device), BlendVOCA(shards, split, audio_rate=SAMPLE_RATE)
    written = 0
    for place in range(0, len(dataset), every):
        clip = dataset[place]
        if clip.waveform is None:
            raise AudioError(f"{clip.speaker}/{clip.sentence} has no sound", expected="shards with audio")
        folder = Path(out) / clip.speaker
        folder.mkdir(parents=True, exist_ok=True)
        for number, track in enumerate(said.samples(clip.waveform, samples, 0, settings or SamplerConfig()), start=1):
            track.to_csv(folder / f"{clip.sentence}-{number}.csv")
            written += 1
    return written
