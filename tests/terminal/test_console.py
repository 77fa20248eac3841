"""Nothing from a file is obeyed by the terminal."""

from __future__ import annotations

import io
from types import ModuleType

import click
import pytest
from click.testing import CliRunner
from rich.table import Table

from blendvoca.errors import FormatError
from blendvoca.terminal import lazy_group
from blendvoca.terminal.console import make_console, printable

HOSTILE = "[/bold]\x1b[2J\x1b]0;owned\x07\u202e[link=x]y"


def test_markup_and_controls_are_text():
    console = make_console(width=200)
    console.file = out = io.StringIO()
    table = Table(title=HOSTILE)
    table.add_column(HOSTILE)
    table.add_row(HOSTILE)
    console.print(HOSTILE, style="bold")
    console.print(table)
    shown = out.getvalue()
    assert shown.count("[/bold]") == 4 and shown.count("[link=x]y") == 4
    assert not set(shown) & set("\x1b\x07\u202e")


def test_printable_keeps_lines_and_letters():
    assert printable("a\tb\nÜ日本") == "a\tb\nÜ日本"
    assert printable("\udcff\x9b") == "\ufffd\ufffd"


@pytest.fixture
def program(monkeypatch):
    """A program of one command that raises what it is given."""

    def make(error):
        @click.command("fails")
        def fails():
            raise error

        module = ModuleType("fails")
        module.fails = fails
        monkeypatch.setattr(lazy_group, "import_module", lambda name: module)
        return lazy_group.LazyGroup("program", package="p", commands_help={"fails": "Fails."})

    return make


def test_errors_are_one_clean_line(program):
    done = CliRunner().invoke(program(FormatError("bad\x1b[2J", found="\x07")), ["fails"])
    assert done.exit_code == 1 and "\x1b" not in done.output and "\x07" not in done.output


def test_a_full_disk_is_no_traceback(program):
    done = CliRunner().invoke(program(OSError(28, "No space left on device")), ["fails"])
    assert done.exit_code == 1 and done.output.strip() == "Error: input or output failed: No space left on device"


def test_a_defect_is_named_and_logged(program, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(lazy_group.tempfile, "tempdir", None)
    done = CliRunner().invoke(program(KeyError("x")), ["fails"])
    assert done.exit_code == 1
    assert "internal error, KeyError: 'x' (test_console.py:" in done.output
    (log,) = tmp_path.glob("blendvoca-*.log")
    assert "Traceback" in log.read_text() and log.name in done.output
    monkeypatch.setenv("BLENDVOCA_TRACEBACK", "1")
    assert isinstance(CliRunner().invoke(program(KeyError("x")), ["fails"]).exception, KeyError)
