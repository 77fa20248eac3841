"""All commands of both programs, by the words that call them."""

from __future__ import annotations

from collections.abc import Iterator

import click

from blendvoca.cli import main as blendvoca
from said_model.cli import main as said

Command = tuple[str, click.Command]


def commands() -> Iterator[Command]:
    for program, group in (("blendvoca", blendvoca), ("said", said)):
        for name in group.commands_help:
            command = group.get_command(click.Context(group), name)
            assert command is not None, f"{program} {name}"
            if isinstance(command, click.Group):
                yield from ((f"{program} {name} {inner}", one) for inner, one in command.commands.items())
            else:
                yield f"{program} {name}", command


ALL = dict(commands())
