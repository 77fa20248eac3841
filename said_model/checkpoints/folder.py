"""Checkpoints: a folder with ``config.json`` and ``model.safetensors``.

The configuration says what to build, the weights are plain tensors; nothing in a checkpoint can run code. The speech
encoder's weights are stored only where the configuration says so (``encoder.stored``): a frozen encoder is loaded by
its name instead, once for all checkpoints that share it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Tensor

from blendvoca.errors import ConfigurationError, FormatError, MissingInputError, VersionError
from blendvoca.internal.names import shown
from blendvoca.io.atomic import write_text
from blendvoca.io.json_file import anything, mapping, optional, read_json, table, text
from said_model.checkpoints.outline import outline
from said_model.checkpoints.state_dict import compare, fill, read_weights, write_weights
from said_model.config import LOG_MEL, ModelConfig, SamplerConfig, default_sampler
from said_model.network.said import SaidNetwork

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
FORMAT, FORMAT_VERSION = "said-model", 1
#: The small trained model that comes with the package, where it does.
DEMO = Path(__file__).parents[1] / "weights" / "demo"
#: Parameters of the speech encoder start with this.
ENCODER_PREFIX = "audio_encoder."
#: What a configuration holds; the values of ``model`` and ``sampler`` are checked where their dataclasses are made.
_RECORD = table(
    {"format": text(), "version": anything, "model": mapping(anything)},
    {"sampler": optional(mapping(anything)), "notes": anything},
)


def save(
    folder: str | Path,
    network: SaidNetwork,
    notes: Mapping[str, Any] | None = None,
    sampler: SamplerConfig | None = None,
) -> None:
    """Write a checkpoint; the configuration is written last, so that a folder with one is whole.

    :param notes: plain facts for people, such as the training's figures.
    :param sampler: how the model is drawn from by default; what holds for its kind otherwise.
    :raises OutputError: if the folder cannot be written.
    """
    folder = Path(folder)
    write_weights(folder / WEIGHTS_FILE, _stored(network))
    header = {"format": FORMAT, "version": FORMAT_VERSION}
    drawing = asdict(sampler or default_sampler(network.config.diffusion))
    record = {**header, "model": network.config.to_dict(), "sampler": drawing, "notes": dict(notes or {})}
    write_text(folder / CONFIG_FILE, json.dumps(record, indent=1) + "\n")


def is_checkpoint(folder: str | Path) -> bool:
    """Whether a folder holds a checkpoint's configuration."""
    return (Path(folder) / CONFIG_FILE).is_file()


def read_record(folder: str | Path) -> dict[str, Any]:
    """Read a checkpoint's ``config.json``: format, version, model, sampler, notes.

    :raises MissingInputError: if there is none.
    :raises FormatError: if it is not one of ours.
    :raises VersionError: if a later release wrote it.
    """
    path = Path(folder) / CONFIG_FILE
    if not path.is_file():
        raise MissingInputError(
            "no checkpoint here",
            expected=f"a folder with {CONFIG_FILE} and {WEIGHTS_FILE}",
            remedy="Train one with `said train`, or import the authors' weights with `said import-weights`.",
            path=folder,
        )
    record: dict[str, Any] = read_json(path, _RECORD, "not a checkpoint's configuration")
    if record["format"] != FORMAT:
        raise FormatError("not a checkpoint of this model", expected=FORMAT, found=shown(record["format"]), path=path)
    if record["version"] != FORMAT_VERSION:
        raise VersionError(
            "another checkpoint version", expected=FORMAT_VERSION, found=shown(record["version"]), path=path
        )
    return record


def read_config(folder: str | Path) -> ModelConfig:
    """Read what a checkpoint's network is made of.

    :raises FormatError: if the configuration is unreadable.
    """
    try:
        return ModelConfig.from_dict(read_record(folder)["model"])
    except ConfigurationError as error:
        raise FormatError("unreadable configuration", found=str(error), path=Path(folder) / CONFIG_FILE) from error


def read_network_weights(folder: str | Path) -> dict[str, Tensor]:
    """Read a checkpoint's tensors.

    :param folder: of the checkpoint.
    :raises MissingInputError: if there are none.
    :raises FormatError: if the file is no safetensors file.
    """
    path = Path(folder) / WEIGHTS_FILE
    if not path.is_file():
        raise MissingInputError("the checkpoint has no weights", expected=WEIGHTS_FILE, path=folder)
    return read_weights(path)


def read_sampler(folder: str | Path) -> SamplerConfig:
    """Read how a checkpoint's model is drawn from by default.

    :raises FormatError: if that is unreadable.
    """
    found = read_record(folder).get("sampler")
    if found is None:  # written before checkpoints said so
        return default_sampler(read_config(folder).diffusion)
    try:
        return SamplerConfig.from_dict(found)
    except ConfigurationError as error:
        raise FormatError("unreadable sampler", found=str(error), path=Path(folder) / CONFIG_FILE) from error


def load(folder: str | Path, fetch: bool = False) -> SaidNetwork:
    """Build a checkpoint's network, in evaluation mode on the CPU.

    Its size is known, and compared with the weights, before memory is taken for it.

    :param folder: of the checkpoint.
    :param fetch: as for :func:`build`.
    :raises MissingInputError: if there is no checkpoint.
    :raises FormatError: if weights and configuration do not belong together, or the network would be too large.
    :raises DownloadError: if the speech encoder is named but cannot be loaded.
    """
    config, state = read_config(folder), read_network_weights(folder)
    try:
        compare(_stored(outline(lambda: SaidNetwork(config))), state, "the configuration", folder)
        network = build(config, fetch=fetch)
    except ConfigurationError as error:
        raise FormatError(
            "a network that cannot be built", found=str(error), path=Path(folder) / CONFIG_FILE
        ) from error
    fill_network(network, state, folder)
    return network.eval()


def build(config: ModelConfig, random_encoder: bool = False, fetch: bool = False) -> SaidNetwork:
    """Make the network of a configuration; an encoder that is not stored is loaded by name.

    :param config: what to build.
    :param random_encoder: leave a named encoder at random weights (tests, benchmarks).
    :param fetch: download a named encoder that is not on this machine. A checkpoint that somebody sent must not decide
        what is downloaded, so only a user who asked for a model of the hub, or named the encoder, allows it.
    :raises ConfigurationError: for settings that make no network, or one that is too large.
    :raises DownloadError: if the speech encoder is named but cannot be loaded.
    """
    outline(lambda: SaidNetwork(config))
    if config.encoder.stored or random_encoder or config.encoder.name == LOG_MEL:
        return SaidNetwork(config)
    from said_model.audio_encoder.pretrained import load_pretrained

    return SaidNetwork(config, load_pretrained(config.encoder.name, fetch)[0])


def _stored(network: SaidNetwork) -> dict[str, Tensor]:
    """Return the tensors of a network that a checkpoint holds."""
    stored = network.config.encoder.stored
    return {k: v for k, v in network.state_dict().items() if stored or not k.startswith(ENCODER_PREFIX)}


def fill_network(network: SaidNetwork, state: Mapping[str, Tensor], path: str | Path | None = None) -> None:
    """Put weights into a network; those of an encoder that is not stored stay as they are.

    :param network: of any configuration.
    :param state: names with tensors.
    :param path: where they were read.
    :raises FormatError: naming missing, left-over and misshapen parameters.
    """
    fill(_stored(network), state, "the configuration", path)
