"""Folders are never called like files, and files are called for what is in them."""

from pathlib import Path

import click
import pytest

from blendvoca.errors import ConfigurationError, OutputError
from blendvoca.terminal.paths import OutFile, OutFolder


def test_a_new_folder_is_not_called_like_a_file(tmp_path: Path) -> None:
    for name in ("a.glb", "run.safetensors", "Tracks.CSV", "shards.h5"):
        with pytest.raises(ConfigurationError, match="called like a file"):
            OutFolder().convert(str(tmp_path / name), None, None)
    for name in ("a", "run.v2", "2026.11.27", ".hidden"):
        assert OutFolder().convert(str(tmp_path / name), None, None) == tmp_path / name
    (tmp_path / "old.zip").mkdir()
    assert OutFolder().convert(str(tmp_path / "old.zip"), None, None).is_dir(), "one that is there is what was meant"


def test_what_is_there_is_of_the_right_kind(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="a file has this name"):
        OutFolder().convert(str(tmp_path / "file"), None, None)
    with pytest.raises(OutputError, match="a folder has this name"):
        OutFile(".csv").convert(str(tmp_path), None, None)


def test_a_file_ends_in_what_it_holds(tmp_path: Path) -> None:
    assert OutFile(".csv").convert("A.CSV", None, None) == Path("A.CSV")
    with pytest.raises(ConfigurationError, match=r"expected a name that ends in \.csv or \.json, found a\.glb"):
        OutFile(".csv", ".json").convert("a.glb", None, None)
    assert OutFolder(".csv").convert("a.csv", None, None) == Path("a.csv")
    with pytest.raises(ConfigurationError, match=r"a folder or a file ending in \.csv"):
        OutFolder(".csv").convert("a.glb", None, None)


def test_the_option_is_named() -> None:
    option = click.Option(["--out"], type=OutFolder())
    with pytest.raises(ConfigurationError, match=r"^--out is a folder"):
        option.type.convert("a.glb", option, None)
