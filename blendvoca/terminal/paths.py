"""Where output goes: a folder is never called like a file, and a file never like another kind of file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from blendvoca.errors import ConfigurationError, OutputError

#: What names of files end in; a new folder with such a name is a slip.
FILE_SUFFIXES = frozenset((
    ".bin", ".blend", ".csv", ".fbx", ".flac", ".glb", ".gltf", ".gif", ".h5", ".hdf5", ".html", ".jpeg", ".jpg",
    ".json", ".m4a", ".md", ".mov", ".mp3", ".mp4", ".npy", ".npz", ".obj", ".ogg", ".onnx", ".parquet", ".pickle",
    ".pkl", ".ply", ".png", ".pt", ".pth", ".safetensors", ".stl", ".tar", ".tsv", ".txt", ".usd", ".usda", ".usdc",
    ".usdz", ".vrm", ".vrma", ".wav", ".webm", ".webp", ".zip",
))  # fmt: skip


class OutFolder(click.Path):
    """A folder to write to, made where it is not there.

    :raises ConfigurationError: for a new folder that is called like a file.
    :raises OutputError: where a file of this name stands.
    """

    def __init__(self, *others: str) -> None:
        super().__init__(path_type=Path)
        #: Suffixes that the command knows as those of files, which it looks at itself.
        self.others = others

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        path = Path(str(super().convert(value, param, ctx)))
        suffix = path.suffix.lower()
        if path.is_file() and suffix not in self.others:
            raise OutputError("a file has this name", expected="a folder", path=path, remedy="Name another output.")
        if suffix in FILE_SUFFIXES and suffix not in self.others and not path.is_dir():
            expected = " or ".join(["a folder", *(f"a file ending in {other}" for other in self.others)])
            raise ConfigurationError(
                f"{_flag(param)} is called like a file of another kind" if self.others
                else f"{_flag(param)} is a folder, and is called like a file", expected=expected, found=path.name,
                remedy="Leave the suffix out.",
            )  # fmt: skip
        return path

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Return what the help shows."""
        return "PATH" if self.others else "DIRECTORY"


class OutFile(click.Path):
    """A file to write, called for what is in it.

    :param suffixes: what its name may end in; anything where there are none.
    :raises ConfigurationError: for another suffix.
    :raises OutputError: where a folder of this name stands.
    """

    def __init__(self, *suffixes: str) -> None:
        super().__init__(path_type=Path)
        self.suffixes = suffixes

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        path = Path(str(super().convert(value, param, ctx)))
        if path.is_dir():
            raise OutputError("a folder has this name", expected="a file", path=path, remedy="Name another output.")
        if self.suffixes and path.suffix.lower() not in self.suffixes:
            expected = f"a name that ends in {' or '.join(self.suffixes)}"
            raise ConfigurationError(f"{_flag(param)}: unknown kind of output", expected=expected, found=path.name)
        return path

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Return what the help shows."""
        return "FILE"


def _flag(param: click.Parameter | None) -> str:
    if param is None:
        return "the output"
    return param.opts[0] if isinstance(param, click.Option) else str(param.human_readable_name)
