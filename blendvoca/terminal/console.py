"""What is printed: no markup in names from outside is obeyed, and none of their control characters arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console

#: Stands for a character that may not be printed.
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_KEPT = "\n\t"
#: C0 and C1 controls, surrogates, and the marks that turn the direction of what follows round.
_CONTROLS = ((0, 0x1F), (0x7F, 0x9F), (0x202A, 0x202E), (0x2066, 0x2069), (0xD800, 0xDFFF))


def printable(text: str) -> str:
    """Return text whose control characters and lone surrogates are replaced; line ends and tabs stay.

    :param text: anything, such as an error that quotes a file.
    """
    if text.isprintable():
        return text
    return "".join(c if c in _KEPT or not _is_control(c) else _REPLACEMENT for c in text)


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a standard stream is a terminal; one that was closed before the program began is none at all."""
    return stream is not None and not stream.closed and stream.isatty()


def make_console(*, stderr: bool = False, width: int | None = None) -> Console:
    """Return a console that prints text as it is.

    :param stderr: whether to print to standard error.
    :param width: columns; None takes the terminal's.
    """
    from rich.console import Console
    from rich.text import Text

    class PlainConsole(Console):
        def render_str(self, text: str, **style: Any) -> Text:
            return super().render_str(printable(text), **style)

    return PlainConsole(stderr=stderr, width=width, markup=False, highlight=False, emoji=False)


def _is_control(character: str) -> bool:
    code = ord(character)
    return any(first <= code <= last for first, last in _CONTROLS)
