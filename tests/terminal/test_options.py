"""Options take their defaults from the configurations that they fill."""

from dataclasses import dataclass, field

import click
import pytest

from blendvoca.terminal.options import default_of, setting


@dataclass(frozen=True)
class Config:
    needed: int
    steps: int = 3
    names: tuple[str, ...] = field(default_factory=lambda: ("a",))


def test_defaults_of_fields():
    assert default_of(Config, "steps") == 3
    assert default_of(Config, "names") == ("a",)
    with pytest.raises(KeyError, match="no default"):
        default_of(Config, "needed")
    with pytest.raises(KeyError):
        default_of(Config, "missing")


def test_an_option_shows_and_takes_it():
    @click.command()
    @setting(Config, "steps", "--steps", help="How many.")
    def command(steps):
        return steps

    assert command.main([], standalone_mode=False) == 3
    assert command.main(["--steps", "5"], standalone_mode=False) == 5
    assert "[default: 3]" in command.get_help(click.Context(command))
