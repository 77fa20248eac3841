"""Tables of text in the dialects that spreadsheets, capture apps and scripts write, as columns of numbers.

Separators are commas, semicolons, tabs, bars or spaces; numbers may have a decimal comma; cells may be quoted; lines
may end in separators; a byte order mark, ``sep=;``, ``#`` comments and empty lines may stand around.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import FormatError
from blendvoca.internal.names import from_cell
from blendvoca.io.files import decode_text

_SEPARATORS = ("\t", ";", ",", "|")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
#: Cells that are taken apart together, so that memory follows the numbers and not the text.
_BLOCK = 1 << 17
#: Columns that a table may have; the widest capture has some hundred.
MOST_COLUMNS = 2000
#: Characters of a line: the most columns with twenty digits each.
LONGEST_LINE = 1_000_000
_NUMBER = re.compile(r"[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d+)?")
#: Cells that say that nothing was measured.
_MISSING = ("", "nan", "null", "none", "n/a", "na", "-")


@dataclass(frozen=True)
class Table:
    """A table's header and lines.

    :param header: the names of the columns, as written.
    :param lines: its lines of data.
    :param first_line: the number of the first of them in the file, from 1.
    :param separator: what stands between cells; empty for white space.
    """

    header: tuple[str, ...]
    lines: list[str]
    first_line: int
    separator: str

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield line numbers and cells; empty lines are left out, and empty cells beyond the header.

        :raises FormatError: for a line of another length.
        """
        width, without = len(self.header), 0
        for number, line in enumerate(self.lines, self.first_line):
            if not line.strip(self.separator + " \r"):
                # A spreadsheet ends in lines of separators; between others they are frames without a value.
                without += self.separator in line and bool(self.separator)
                continue
            yield from ((number, [""] * width) for _ in range(without))
            without, cells = 0, split_cells(line, self.separator)
            while len(cells) > width and not cells[-1].strip():
                cells.pop()
            if len(cells) != width and not _says_lost(cells, self.header):
                raise FormatError(f"line {number} has another number of columns", expected=width, found=len(cells))
            yield number, cells + [""] * (width - len(cells))


def read_table(data: bytes, names: Sequence[str] | None = None) -> Table:
    """Find a table's dialect and header.

    :param names: names of the columns; a first line of numbers is data then.
    :raises FormatError: if it is no text, empty, or has no names.
    """
    text = data.decode("utf-16") if data.startswith(_UTF_16) and len(data) % 2 == 0 else decode_text(data)
    lines = text.split("\n") if "\n" in text else text.split("\r")
    start, separator = 0, None
    while start < len(lines) and (not lines[start].strip() or lines[start].lower().startswith("sep=")):
        if lines[start].lower().startswith("sep="):
            separator = lines[start][4:].strip("\r") or None
        start += 1
    start = _past_comments(lines, start)
    if start == len(lines):
        raise FormatError("the table is empty", expected="a header line and a line per frame")
    head = lines[start].strip("\r").removeprefix("#")
    separator = _separator(head, lines[start + 1 :]) if separator is None else separator
    cells = [from_cell(cell.strip()) for cell in split_cells(head, separator)]
    if len(cells) > MOST_COLUMNS:
        raise FormatError("the table is too wide", expected=f"at most {MOST_COLUMNS} columns", found=len(cells))
    if all(is_number(cell) or not cell for cell in cells):
        if names is None:
            raise FormatError("the first line holds no names", expected="blendshape names", found=cells[:4],
                              remedy="State them: --names blendvoca, arkit, or a list of them.")  # fmt: skip
        return Table(tuple(names), lines[start:], start + 1, separator)
    return _without_edges(Table(tuple(cells), lines[start + 1 :], start + 2, separator))


def _past_comments(lines: list[str], start: int) -> int:
    """Return the line of the header: after comments, or the last of them where numbers follow it at once."""
    comment, line = -1, start
    while line < len(lines) and (lines[line].startswith("#") or not lines[line].strip()):
        comment, line = line if lines[line].strip() else comment, line + 1
    follows = lines[line].lstrip()[:1] if line < len(lines) else ""
    return comment if comment >= 0 and (follows.isdigit() or follows in ("-", ".")) else line


def _separator(head: str, rest: list[str]) -> str:
    bare = re.sub(r'"[^"]*"', "", head)
    for separator in _SEPARATORS:
        if separator in bare:
            return separator
    first = next((line for line in rest if line.strip()), "")
    if len(head.split()) > 1 and len(head.split()) == len(first.split()):
        return ""
    return ","


def _without_edges(table: Table) -> Table:
    """Give a header one more column where every line has one: an index, as R and some scripts write it."""
    first = next((line for line in table.lines if line.strip(table.separator + " \r")), "")
    cells = split_cells(first, table.separator)
    if len(cells) == len(table.header) + 1 and cells[-1].strip():
        return Table(("", *table.header), table.lines, table.first_line, table.separator)
    return table


def _says_lost(cells: list[str], header: tuple[str, ...]) -> bool:
    """Whether a short line is a frame in which the app saw no face: its count of shapes is 0."""
    return len(cells) >= 2 and len(header) > 2 and header[1].lower() == "blendshapecount" and cells[1].strip() == "0"


def split_cells(line: str, separator: str) -> list[str]:
    """Return the cells of a line, quotes taken off.

    :raises FormatError: for a cell that is beyond all reason.
    """
    line = line.rstrip("\r")
    if len(line) > LONGEST_LINE:
        expected = f"at most {LONGEST_LINE} characters"
        raise FormatError("a line of the table is too long", expected=expected, found=len(line))
    if '"' not in line:
        return line.split(separator) if separator else line.split()
    try:
        return next(csv.reader([line], delimiter=separator or " ", skipinitialspace=True))
    except csv.Error as error:
        raise FormatError("a line cannot be taken apart", found=str(error)) from error


def is_number(text: str) -> bool:
    """Whether a cell is a number."""
    return _NUMBER.fullmatch(text.strip()) is not None


def columns_of(
    table: Table, numeric: Sequence[int], textual: Sequence[int]
) -> tuple[NDArray[np.float64], list[list[str]], list[int]]:
    """Return columns of a table: numbers (T, N), texts as lists of T, and the line of every row.

    :raises FormatError: for a cell that is no number, naming it and its line.
    """
    blocks: list[NDArray[np.float64]] = []
    texts: list[list[str]] = [[] for _ in textual]
    lines: list[int] = []
    block: list[list[str]] = []
    for number, cells in table.rows():
        block.append([cells[column] for column in numeric])
        lines.append(number)
        for column, text in zip(textual, texts):
            text.append(cells[column].strip())
        if len(block) * len(cells) >= _BLOCK:
            blocks.append(_numbers(block, lines[-len(block) :], [table.header[column] for column in numeric]))
            block = []
    if block:
        blocks.append(_numbers(block, lines[-len(block) :], [table.header[column] for column in numeric]))
    return (np.concatenate(blocks) if blocks else np.empty((0, len(numeric)))), texts, lines


def _numbers(block: list[list[str]], lines: list[int], names: list[str]) -> NDArray[np.float64]:
    try:
        values = np.array(block, dtype=np.float64).reshape(len(block), len(names))
    except ValueError:
        values = np.array([[_number(cell, line, name) for cell, name in zip(row, names)]
                           for row, line in zip(block, lines)]).reshape(len(block), len(names))  # fmt: skip
    if np.isinf(values).any():
        row, column = np.argwhere(np.isinf(values))[0]
        found = f"{names[column]} = {block[row][column].strip()[:20]} in line {lines[row]}"
        raise FormatError("a value is not finite", found=found)
    return values


def _number(cell: str, line: int, name: str) -> float:
    text = cell.strip()
    if text.lower() in _MISSING:
        return float("nan")
    try:
        return float(text.replace(",", ".", 1) if text.count(",") == 1 and "." not in text else text)
    except ValueError as error:
        found = f"{text[:40]!r} in column {name[:40]!r}, line {line}"
        raise FormatError("cells of the table are not numbers", expected="numbers", found=found) from error
