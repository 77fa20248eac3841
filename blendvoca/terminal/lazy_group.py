"""What both command lines share: commands loaded when called, and errors printed in one line."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from blendvoca.errors import BlendvocaError, MissingDependencyError, nearest
from blendvoca.terminal.console import printable


class LazyGroup(click.Group):
    """A group whose commands are modules, imported only when they run.

    :param package: the package that holds one module a command; command ``import-release`` is attribute and module
        ``import_release``.
    :param commands_help: command name to its one line of help, in the order of ``--help``.
    :param packages: optional modules that commands import, with the extra that brings each.
    :param folders: command name to the sub-package that holds its module; without one it stands in the package.
    """

    def __init__(
        self,
        *args: Any,
        package: str = "",
        commands_help: Mapping[str, str] | None = None,
        folders: Mapping[str, str] | None = None,
        packages: Mapping[str, str] | None = None,
        **kwargs: Any,
    ):
        super().__init__(*args, **kwargs)
        self.package, self.commands_help, self.folders = package, dict(commands_help or {}), dict(folders or {})
        self.packages = dict(packages or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return command names in the order of the table."""
        return list(self.commands_help)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        if cmd_name not in self.commands_help:
            return None
        name = cmd_name.replace("-", "_")
        parts = (self.package, self.folders.get(cmd_name), name)
        return getattr(import_module(".".join(part for part in parts if part)), name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; a misspelt one is answered with the nearest."""
        name = str(args[0]) if args else ""
        if name and not name.startswith("-") and name not in self.commands_help:
            ctx.fail(f"No such command {name!r}{nearest(name, self.commands_help)}.")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self.commands_help.items()))

    def main(self, *args: Any, **more: Any) -> Any:
        """Run as a program; output that cannot be written, even that of ``--help``, is said in a line, exit code 1."""
        try:
            return super().main(*args, **more)
        except OSError as error:
            # What is left in the buffer would fail once more at the end of the process.
            with suppress(OSError, ValueError, AttributeError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            with suppress(OSError):
                click.echo(f"Error: the output cannot be written: {error.strerror or error}", err=True)
            sys.exit(1)

    def invoke(self, ctx: click.Context) -> Any:
        """Run; every error becomes one line on standard error and exit code 1, without control characters of files.

        What is no error of ours is a defect: its traceback goes to a file, or to the screen where
        ``BLENDVOCA_TRACEBACK`` is set.
        """
        try:
            return super().invoke(ctx)
        except BlendvocaError as error:
            raise click.ClickException(printable(str(error))) from error
        except (click.exceptions.Exit, click.Abort, click.ClickException, BrokenPipeError):
            raise
        except OSError as error:
            where = f"{error.filename}: " if error.filename else "input or output failed: "
            raise click.ClickException(printable(f"{where}{error.strerror or error}")) from error
        except Exception as error:
            name = (getattr(error, "name", None) or "").partition(".")[0]
            if isinstance(error, ModuleNotFoundError) and name in self.packages:
                missing = MissingDependencyError(name, self.packages[name], f"{ctx.info_name} {ctx.invoked_subcommand}")
                raise click.ClickException(str(missing)) from error
            if os.environ.get("BLENDVOCA_TRACEBACK"):
                raise
            raise click.ClickException(_internal(error)) from error


def _internal(error: Exception) -> str:
    """Return one line on a defect, with where it happened and where its traceback was written."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    text = f"internal error, {type(error).__name__}: {str(error)[:200]} ({Path(frame.filename).name}:{frame.lineno})"
    try:
        with tempfile.NamedTemporaryFile("w", prefix="blendvoca-", suffix=".log", delete=False, encoding="utf-8",
                                         errors="backslashreplace") as log:  # fmt: skip
            log.write("".join(traceback.format_exception(error)))
        text += f". Please report it with {log.name}"
    except OSError:
        text += ". Please report it; BLENDVOCA_TRACEBACK=1 shows where it happened"
    return printable(text)


def track_label(track: str) -> str:
    """Return what to call a track on a page or picture: the clip of ``SHARD.h5:SENTENCE``, else the file's name."""
    _, clip, sentence = track.rpartition(".h5:")
    return sentence if clip else Path(track).stem


def note(sentence: str) -> None:
    """Write what a reader changed or chose to standard error."""
    click.echo(f"note: {printable(sentence)}", err=True)
