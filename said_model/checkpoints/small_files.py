"""Weights as files, and those of the small models that measure or compare (sync expert, regression baseline)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

from torch import Tensor, nn

from blendvoca.errors import FormatError, MissingInputError
from blendvoca.io.atomic import write_bytes, write_text
from blendvoca.io.files import check_file
from said_model.extras import require_package

Model = TypeVar("Model", bound=nn.Module)


def write_weights(path: Path, state: Mapping[str, Tensor]) -> None:
    """Write tensors as safetensors, atomically.

    :raises OutputError: if the folder cannot be written.
    """
    safetensors = require_package("safetensors.torch", "writing weights")
    write_bytes(path, safetensors.save({k: v.detach().cpu().contiguous() for k, v in state.items()}))


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
        safetensors = require_package("safetensors.torch", "reading weights")
        config, weights = self._config(folder), self._weights(folder)
        if not config.is_file() or not weights.is_file():
            raise MissingInputError(f"no {self.title} here", expected=f"{config.name} and {weights.name}",
                                    path=Path(folder), remedy=f"Train one with `{self.command}`.")  # fmt: skip
        check_file(weights)
        try:
            model = make(json.loads(config.read_text())["model"])
            model.load_state_dict(safetensors.load_file(weights))
        except Exception as error:  # JSON, safetensors and the models raise many kinds for what is none of theirs
            raise FormatError(f"not a {self.title}", found=str(error)[:300], path=Path(folder)) from error
        return model.eval()

    def _weights(self, folder: str | PathLike[str]) -> Path:
        return Path(folder) / f"{self.stem}.safetensors"

    def _config(self, folder: str | PathLike[str]) -> Path:
        return Path(folder) / f"{self.stem}.json"
