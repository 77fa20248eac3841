"""Files of the small models that measure or compare (sync expert, regression baseline)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

from torch import nn

from blendvoca.errors import FormatError, MissingInputError
from blendvoca.io.atomic import write_text
from said_model.checkpoints.state_dict import SUFFIX, fill, read_weights, write_weights

Model = TypeVar("Model", bound=nn.Module)


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
        try:
            model = make(json.loads(config.read_text())["model"])
        except Exception as error:  # JSON and the models raise many kinds for what is none of theirs
            raise FormatError(f"not a {self.title}", found=str(error)[:300], path=Path(folder)) from error
        fill(model.state_dict(), read_weights(weights), f"this {self.title}", weights)
        return model.eval()

    def _weights(self, folder: str | PathLike[str]) -> Path:
        return Path(folder) / f"{self.stem}{SUFFIX}"

    def _config(self, folder: str | PathLike[str]) -> Path:
        return Path(folder) / f"{self.stem}.json"
