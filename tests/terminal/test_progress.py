"""Bars are drawn on a terminal's error stream, and nothing is written elsewhere."""

import io

import pytest

from blendvoca.internal.progress import no_progress
from blendvoca.terminal.progress import byte_bars, counting_bar


class Terminal(io.StringIO):
    """An error stream that says that it is a terminal."""

    def isatty(self):
        return True


def open_terminal(monkeypatch):
    """Put a terminal in the error stream's place; within the test, since pytest puts its own there before it."""
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    return stream


def test_a_bar_counts_under_its_title_whatever_its_letters(monkeypatch):
    terminal = open_terminal(monkeypatch)
    with counting_bar("take [1]") as progress:
        progress("a", 2, 7)
    assert "take [1]" in terminal.getvalue()
    assert "2/7" in terminal.getvalue()


def test_bytes_have_a_bar_a_name(monkeypatch):
    terminal = open_terminal(monkeypatch)
    with byte_bars() as progress:
        progress("one.bin", 500, 1000)
        progress("two[x].bin", 1, None)
    assert "one.bin" in terminal.getvalue()
    assert "two[x].bin" in terminal.getvalue()
    assert "0.5/1.0 kB" in terminal.getvalue()


@pytest.mark.parametrize("bar", [lambda: counting_bar("x"), byte_bars])
def test_nothing_is_written_elsewhere(monkeypatch, bar):
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    with bar() as progress:
        assert progress is no_progress
        progress("a", 1, 2)
    assert stream.getvalue() == ""
