"""Files of the small models that measure or compare (sync expert, regression baseline)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

from torch import nn

from blendvoca.errors import ConfigurationError, FormatError, MissingInputError
from blendvoca.internal.names import shown
from blendvoca.io.atomic import write_text
from blendvoca.io.json_file import anything, mapping, read_json, table, text
from said_model.checkpoints.outline import outline
from said_model.checkpoints.state_dict import SUFFIX, compare, fill, read_weights, write_weights

Model = TypeVar("Model", bound=nn.Module)


_FACTS = table({"format": text(), "model": mapping(anything)})


@dataclass(frozen=True)
class SmallFiles:
    """Where a kind of model keeps its weights (safetensors) and its configuration (JSON) in a folder.

    :param stem: of both files' names.
    :param kind: what the configuration calls the format.
    :param title: what errors call it.
    :param command: trains one.
    """

    stem: str
    kind: str
    title: str
    command: str

    def save(self, folder: str | PathLike[str], model: nn.Module, config: Any, notes: Mapping[str, Any]) -> None:
        """Write a model with its configuration (a dataclass)."""
        write_weights(self._weights(folder), model.state_dict())
        facts = {"format": self.kind, "version": 1, "model": asdict(config), "notes": notes}
        write_text(self._config(folder), json.dumps(facts, indent=1, default=str) + "\n")

    def load(self, folder: str | PathLike[str], make: Callable[[dict[str, Any]], Model]) -> Model:
        """Load a model in evaluation mode, on the CPU.

        :param make: an untrained model of a configuration.
        :raises MissingInputError: if it is not there.
        :raises FormatError: if it is something else.
        """
        config, weights = self._config(folder), self._weights(folder)
        if not config.is_file() or not weights.is_file():
            raise MissingInputError(f"no {self.title} here", expected=f"{config.name} and {weights.name}",
                                    path=Path(folder), remedy=f"Train one with `{self.command}`.")  # fmt: skip
        facts, state = read_json(config, _FACTS, f"not a {self.title}"), read_weights(weights)
        if facts["format"] != self.kind:
            found = shown(facts["format"])
            raise FormatError(f"not a {self.title}", expected=self.kind, found=found, path=config)
        try:
            compare(outline(lambda: make(facts["model"])).state_dict(), state, f"this {self.title}", weights)
            model = make(facts["model"])
        except ConfigurationError as error:
            raise FormatError(f"not a {self.title}", found=str(error), path=config) from error
        fill(model.state_dict(), state, f"this {self.title}", weights)
        return model.eval()

    def _weights(self, folder: str | PathLike[str]) -> Path:
        return Path(folder) / f"{self.stem}{SUFFIX}"

    def _config(self, folder: str | PathLike[str]) -> Path:
        return Path(folder) / f"{self.stem}.json"
