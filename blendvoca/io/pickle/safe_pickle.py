"""Pickles of plain data, read by a machine that knows nothing else.

VOCA's training package is pickled, by Python 2 at that. A pickle is a program: Python's own unpickler imports and calls
what it names, and allocates what it claims. This reader is a small machine of its own for the opcodes of plain data
(``pickletools`` describes them); all it may call are the makers in :mod:`blendvoca.io.pickle.arrays`.
"""

from __future__ import annotations

import codecs
import io
import mmap
import struct
from collections.abc import Callable
from typing import Any, BinaryIO, NoReturn

import numpy as np

from blendvoca.errors import FormatError, UnsafePickleError
from blendvoca.io.files import StrPath, naming, open_file
from blendvoca.io.pickle.arrays import MAKERS, ArrayClass, Pending

#: Most steps of one pickle: a list or dict takes a hundred bytes of memory for one byte of file.
MAX_STEPS = 20_000_000
_ATOMS = (str, bytes, int, float, complex, type(None), np.generic)
_DAMAGE = (IndexError, KeyError, ValueError, TypeError, OverflowError, struct.error, MemoryError)


def read_pickle(path: StrPath) -> Any:
    """Read a pickle of plain data: dicts, lists, tuples, strings, bytes, numbers and NumPy arrays of them.

    Strings of Python 2 become ``str`` (Latin-1). Arrays are read-only.

    :raises MissingInputError: if the file cannot be read.
    :raises UnsafePickleError: if it holds, names or calls anything else.
    :raises FormatError: if it is no pickle, or damaged.
    """
    with open_file(path) as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content, naming(path):
        return _load(content)  # type: ignore[arg-type]


def decode_pickle(data: bytes, path: StrPath | None = None) -> Any:
    """Decode the bytes of a pickle of plain data; ``path`` is what errors call it."""
    with naming(path):
        return _load(io.BytesIO(data))


def _load(file: BinaryIO) -> Any:
    try:
        return _Machine(file).run()
    except _DAMAGE as error:
        raise FormatError("a damaged pickle", found=f"{type(error).__name__}: {str(error)[:80]}") from error


class _Named:
    """A function that a pickle named and that it may call."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self.call = call


class _Arguments(tuple[Any, ...]):
    """A tuple that holds the name of a class: good as arguments, not as data."""


class _Machine:
    """A stack, marks on it, and a memo of values named by number."""

    def __init__(self, file: BinaryIO) -> None:
        self._read, self._line = file.read, file.readline
        self._stack: list[Any] = []
        self._marks: list[list[Any]] = []
        self._memo: dict[int, Any] = {}

    def run(self) -> Any:
        """Run to the end and return the value."""
        for _ in range(MAX_STEPS):
            code = self._read(1)
            if code == b".":
                return _plain(self._stack.pop())
            step = _STEPS.get(code)
            if step is None:
                _refuse_code(code)
            step(self)
        raise FormatError("the pickle is too long", expected=f"at most {MAX_STEPS} steps")

    def take(self, count: int) -> bytes:
        """Return the next bytes of the file."""
        data = self._read(count) if count >= 0 else b""
        if len(data) != count:
            raise FormatError("the pickle is truncated", expected=f"{count} more bytes", found=len(data))
        return data

    def number(self, kind: str) -> Any:
        """Return the next number, stored as ``struct`` says."""
        return struct.unpack(kind, self.take(struct.calcsize(kind)))[0]

    def line(self) -> bytes:
        """Return the rest of the line."""
        line = self._line()
        if not line.endswith(b"\n"):
            raise FormatError("the pickle is truncated", expected="a whole line")
        return line[:-1]

    def push(self, value: Any) -> None:
        """Put a value on the stack."""
        self._stack.append(value)

    def pop(self) -> Any:
        """Take a plain value off the stack."""
        return _plain(self._stack.pop())

    def mark(self) -> None:
        """Start a run of values."""
        self._marks.append(self._stack)
        self._stack = []

    def since_mark(self) -> list[Any]:
        """End a run of values and return them."""
        values, self._stack = self._stack, self._marks.pop()
        return values

    def drop(self) -> None:
        """Forget the topmost value, or the mark where nothing stands on it."""
        if self._stack:
            self._stack.pop()
        else:
            self._stack = self._marks.pop()

    def remember(self, number: int) -> None:
        """Give the topmost value a number."""
        self._memo[number] = self._stack[-1]

    def recall(self, number: int) -> None:
        """Push the value of a number."""
        self.push(self._memo[number])

    def push_tuple(self, values: list[Any]) -> None:
        """Push a tuple; one with a class in it can only become arguments."""
        if any(isinstance(value, _Named) for value in values):
            self.push(_Arguments(value.call if isinstance(value, _Named) else _plain(value) for value in values))
        else:
            self.push(tuple(map(_plain, values)))

    def extend(self, values: list[Any]) -> None:
        """Append to the list on top."""
        target = self._stack[-1]
        if type(target) is not list:
            raise UnsafePickleError("a pickle appends to what is no list", found=type(target).__name__)
        target.extend(map(_plain, values))

    def update(self, values: list[Any]) -> None:
        """Add keys and values in turn to the dict on top."""
        target = self._stack[-1]
        if type(target) is not dict or len(values) % 2:
            raise UnsafePickleError("a pickle sets items of what is no dict", found=type(target).__name__)
        for key, value in zip(values[::2], values[1::2], strict=True):
            # Hashing nested tuples can take for ever, so keys are flat.
            if not isinstance(key, _ATOMS) and not (type(key) is tuple and all(isinstance(k, _ATOMS) for k in key)):
                raise UnsafePickleError(
                    "a dict key is not plain", expected="a string or number", found=type(key).__name__
                )
            target[key] = _plain(value)

    def dict_since_mark(self) -> None:
        """Push the dict of a run of keys and values."""
        values = self.since_mark()
        self.push({})
        self.update(values)

    def name(self, module: Any, name: Any) -> None:
        """Push what a pickle names, if it is one of ours."""
        maker = MAKERS.get((module, name)) if isinstance(module, str) and isinstance(name, str) else None
        if maker is None:
            _refuse(f"{str(module)[:60]}.{str(name)[:60]}")
        self.push(_Named(maker))

    def call(self) -> None:
        """Call what was named with the tuple on top."""
        arguments, maker = self._stack.pop(), self._stack.pop()
        if not isinstance(maker, _Named) or not isinstance(arguments, tuple) or maker.call is ArrayClass:
            _refuse(f"a call of {type(maker).__name__}")
        self.push(maker.call(*arguments))

    def build(self) -> None:
        """Give the value below the top its state."""
        state, target = self.pop(), self._stack[-1]
        if not isinstance(target, Pending):
            _refuse(f"a state for {type(target).__name__}")
        target.build(state)


def _plain(value: Any) -> Any:
    """Return a value that may stand in the result."""
    if isinstance(value, Pending):
        value = value.value
        if isinstance(value, (np.ndarray, np.dtype)):
            return value
        _refuse("an array without content")
    if isinstance(value, (_Named, _Arguments)):
        _refuse("a class or function as a value")
    return value


def _refuse(found: str) -> NoReturn:
    raise UnsafePickleError(
        "the pickle holds more than plain data",
        expected="dicts, lists, tuples, strings, numbers and NumPy arrays",
        found=found,
        remedy="It was not opened further. If you trust it, save its content as .npz and use that.",
    )


def _refuse_code(code: bytes) -> NoReturn:
    if not code:
        raise FormatError("the pickle is truncated", expected="an end mark")
    if code in b"io\x81\x82\x83\x84\x8f\x90\x91\x92\x97\x98PQ":
        _refuse(f"opcode {code!r}")
    raise FormatError("not a pickle", found=f"byte {code!r} where an opcode is expected")


def _integer(line: bytes) -> int:
    # Protocol 0 writes booleans as 00 and 01.
    return line == b"01" if line in (b"00", b"01") else int(line)


def _quoted(line: bytes) -> str:
    line = line.strip()
    if len(line) < 2 or line[:1] not in (b"'", b'"') or line[-1:] != line[:1]:
        raise FormatError("a damaged pickle", expected="a string in quotes", found=repr(line[:40]))
    return codecs.escape_decode(line[1:-1])[0].decode("latin-1")


def _utf8(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")


_Step = Callable[[_Machine], object]
_STEPS: dict[bytes, _Step] = {
    # Frames of the file
    b"\x80": lambda m: m.take(1),
    b"\x95": lambda m: m.take(8),
    # The stack and the memo
    b"(": _Machine.mark,
    b"0": _Machine.drop,
    b"1": _Machine.since_mark,
    b"2": lambda m: m.push(m._stack[-1]),
    b"p": lambda m: m.remember(int(m.line())),
    b"q": lambda m: m.remember(m.number("<B")),
    b"r": lambda m: m.remember(m.number("<I")),
    b"\x94": lambda m: m.remember(len(m._memo)),
    b"g": lambda m: m.recall(int(m.line())),
    b"h": lambda m: m.recall(m.number("<B")),
    b"j": lambda m: m.recall(m.number("<I")),
    # Nothing, booleans and numbers
    b"N": lambda m: m.push(None),
    b"\x88": lambda m: m.push(True),
    b"\x89": lambda m: m.push(False),
    b"I": lambda m: m.push(_integer(m.line())),
    b"J": lambda m: m.push(m.number("<i")),
    b"K": lambda m: m.push(m.number("<B")),
    b"M": lambda m: m.push(m.number("<H")),
    b"L": lambda m: m.push(int(m.line().rstrip(b"L"))),
    b"\x8a": lambda m: m.push(int.from_bytes(m.take(m.number("<B")), "little", signed=True)),
    b"\x8b": lambda m: m.push(int.from_bytes(m.take(m.number("<i")), "little", signed=True)),
    b"F": lambda m: m.push(float(m.line())),
    b"G": lambda m: m.push(m.number(">d")),
    # Strings of Python 2, text, bytes
    b"S": lambda m: m.push(_quoted(m.line())),
    b"T": lambda m: m.push(m.take(m.number("<i")).decode("latin-1")),
    b"U": lambda m: m.push(m.take(m.number("<B")).decode("latin-1")),
    b"V": lambda m: m.push(m.line().decode("raw-unicode-escape")),
    b"X": lambda m: m.push(_utf8(m.take(m.number("<I")))),
    b"\x8c": lambda m: m.push(_utf8(m.take(m.number("<B")))),
    b"\x8d": lambda m: m.push(_utf8(m.take(m.number("<Q")))),
    b"B": lambda m: m.push(m.take(m.number("<I"))),
    b"C": lambda m: m.push(m.take(m.number("<B"))),
    b"\x8e": lambda m: m.push(m.take(m.number("<Q"))),
    b"\x96": lambda m: m.push(m.take(m.number("<Q"))),
    # Containers
    b"]": lambda m: m.push([]),
    b"l": lambda m: m.push(list(map(_plain, m.since_mark()))),
    b"a": lambda m: m.extend([m._stack.pop()]),
    b"e": lambda m: m.extend(m.since_mark()),
    b")": lambda m: m.push(()),
    b"t": lambda m: m.push_tuple(m.since_mark()),
    b"\x85": lambda m: m.push_tuple([m._stack.pop()]),
    b"\x86": lambda m: m.push_tuple([m._stack.pop() for _ in range(2)][::-1]),
    b"\x87": lambda m: m.push_tuple([m._stack.pop() for _ in range(3)][::-1]),
    b"}": lambda m: m.push({}),
    b"d": _Machine.dict_since_mark,
    b"s": lambda m: m.update([m._stack.pop() for _ in range(2)][::-1]),
    b"u": lambda m: m.update(m.since_mark()),
    # What makes NumPy values
    b"c": lambda m: m.name(_utf8(m.line()), _utf8(m.line())),
    b"\x93": lambda m: m.name(*[m._stack.pop() for _ in range(2)][::-1]),
    b"R": _Machine.call,
    b"b": _Machine.build,
}
