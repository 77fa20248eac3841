"""One name for one thing, in both programs: the same option means the same everywhere, and help says what it may be."""

from __future__ import annotations

import re

import click
import pytest
from cli_commands import ALL


def options(command: click.Command) -> list[click.Option]:
    return [param for param in command.params if isinstance(param, click.Option)]


@pytest.mark.parametrize("name", ALL)
def test_every_option_says_what_it_is(name: str) -> None:
    for option in options(ALL[name]):
        assert option.help, f"{name} {option.opts[0]}"
        if option.multiple:
            assert "may be repeated" in option.help, f"{name} {option.opts[0]}"


@pytest.mark.parametrize("name", ALL)
def test_choices_are_shown_as_choices(name: str) -> None:
    """A list of words at the beginning of a help text is a choice that should stand in brackets."""
    for option in options(ALL[name]):
        plain = option.type.name == "text" and option.metavar is None and not option.is_flag
        assert not (plain and re.match(r"\w+, [\w, ]+ or \w+[.;,]", option.help or "")), f"{name} {option.opts[0]}"


def test_one_option_is_of_one_kind_everywhere() -> None:
    """What a name takes is the same in all commands, but for those whose words differ by what there is to choose."""
    kinds: dict[str, dict[str, list[str]]] = {}
    for name, command in ALL.items():
        for option in options(command):
            kind = "flag" if option.is_flag else type(option.type).__name__
            kinds.setdefault(option.opts[0], {}).setdefault(kind, []).append(name)
    assert {flag for flag, found in kinds.items() if len(found) > 1} == set(DIFFER)


#: Why an option may take a path in one command and a word in another.
DIFFER = {
    "--window": "frames of a model, or a desktop window",
    "--out": "a file in some commands, a folder in others",
    "--model": "the family of a training, a checkpoint elsewhere",
    "--rig": "a name that a package knows, or a path",
    "--shapes": "names with commas where any may be chosen",
    "--json": "blendvoca info prints it where no file is named",
    "--preset": "a recipe of each training, or of sampling",
    "--jobs": "where 0 is allowed, and where it is not",
    "--engine": "of voices in synth, of a training in train",
    "--fps": "in a range where a video is drawn",
    "--region": "a file, or MASKS.pkl:NAME",
    "--frames": "how many frames, or a row for each",
    "--names": "known by name, or in a file",
}


def test_precisions_are_called_alike() -> None:
    precisions = {tuple(option.type.choices) for command in ALL.values() for option in options(command)
                  if "--precision" in option.opts and isinstance(option.type, click.Choice)}  # fmt: skip
    assert {word for words in precisions for word in words} == {"auto", "float32", "bfloat16", "float16"}
