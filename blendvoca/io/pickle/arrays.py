"""What a pickle may call: our own makers of NumPy values, each checking its arguments.

NumPy stores an array as ``_reconstruct(ndarray, (0,), b'b')`` and then a state (version, shape, dtype, order, bytes), a
dtype as ``dtype(code, False, True)`` and then a state with its byte order. Nothing of NumPy itself is called by name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from blendvoca.errors import FormatError, UnsafePickleError

#: Type codes that are numbers, booleans or strings of fixed length; objects, records and dates are not plain data.
_PLAIN_TYPE = re.compile(r"[<>|=]?(b1|[iu][1248]|f(2|4|8|16)|c(8|16|32)|[SU][1-9]\d{0,5})")
_MOST_DIMENSIONS = 32


class Pending:
    """A value that a pickle makes in two steps: called first, then given its state.

    :param finish: makes the value of the state.
    :param value: what it is before it has a state; nothing where it is none yet.
    """

    def __init__(self, finish: Callable[[Any], Any], value: Any = None) -> None:
        self.finish, self.value = finish, value

    def build(self, state: Any) -> None:
        """Take the state."""
        self.value = self.finish(state)


class ArrayClass:
    """Stands for ``numpy.ndarray`` among the arguments of ``_reconstruct``."""


def make_dtype(code: Any, *_: Any) -> Pending:
    """Make a dtype of a plain kind."""
    code = _text(code)
    if not isinstance(code, str) or not _PLAIN_TYPE.fullmatch(code):
        raise UnsafePickleError("an array is not of numbers", expected="a plain NumPy type", found=repr(code)[:60])
    try:
        dtype = np.dtype(code)
    except TypeError as error:
        # Such as f16 on a machine without it.
        raise FormatError("a NumPy type this machine does not have", found=repr(code)) from error

    def with_order(state: Any) -> np.dtype[Any]:
        if not isinstance(state, tuple) or len(state) < 5 or any(part is not None for part in state[2:5]):
            raise UnsafePickleError("an array is not of numbers", expected="a plain NumPy type", found="a record")
        order = _text(state[1])
        if order not in ("<", ">", "|", "="):
            raise FormatError("a NumPy type has a wrong byte order", found=repr(order)[:20])
        return dtype.newbyteorder(order)

    return Pending(with_order, dtype)


def make_array(*_: Any) -> Pending:
    """Make an array that gets shape and content from its state."""

    def filled(state: Any) -> np.ndarray[Any, Any]:
        if not isinstance(state, tuple) or len(state) not in (4, 5):
            raise FormatError("an array's state cannot be read", expected="(version, shape, dtype, order, bytes)")
        shape, dtype, fortran, content = state[-4:]
        return array_of(content, dtype, shape, "F" if fortran else "C")

    return Pending(filled)


def array_of(content: Any, dtype: Any, shape: Any, order: Any = "C") -> np.ndarray[Any, Any]:
    """Return the read-only array over ``content``, whose length must be what shape and dtype claim."""
    content, order = _bytes(content), _text(order)
    if not isinstance(dtype, np.dtype) or order not in ("C", "F"):
        raise FormatError("an array's state cannot be read", expected="a dtype and an order")
    if not isinstance(content, bytes):
        raise UnsafePickleError("an array holds objects", expected="numbers as bytes", found=type(content).__name__)
    if not isinstance(shape, tuple) or len(shape) > _MOST_DIMENSIONS or any(type(n) is not int or n < 0 for n in shape):
        raise FormatError("an array's shape cannot be read", found=repr(shape)[:60])
    if math.prod(shape) * dtype.itemsize != len(content):
        claim = f"{math.prod(shape) * dtype.itemsize} bytes for {shape} of {dtype}"
        raise FormatError("an array has another size than it claims", expected=claim, found=len(content))
    flat = np.frombuffer(content, dtype) if content else np.empty(0, dtype)
    return flat.reshape(shape, order=order)


def make_scalar(dtype: Any, content: Any = b"") -> Any:
    """Make one number."""
    return array_of(content, dtype, ())[()]


def make_bytes(text: Any = "", encoding: Any = "latin1") -> bytes:
    """Make the bytes that Python 3 stores as text in old protocols."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1", "ascii"):
        raise UnsafePickleError("a call that is not plain data", found="encode with unusual arguments")
    return text.encode("latin-1")


def make_complex(real: Any, imaginary: Any) -> complex:
    """Make a complex number."""
    if not all(isinstance(part, (int, float)) for part in (real, imaginary)):
        raise UnsafePickleError("a call that is not plain data", found="complex of no numbers")
    return complex(real, imaginary)


#: Everything a pickle may name: module and name to our maker.
MAKERS: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): ArrayClass,
    ("numpy", "dtype"): make_dtype,
    ("_codecs", "encode"): make_bytes,
    **{(module, "complex"): make_complex for module in ("builtins", "__builtin__")},
    **{(module, "bytes"): make_bytes for module in ("builtins", "__builtin__")},
    **{(f"numpy.{core}.multiarray", "_reconstruct"): make_array for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): make_scalar for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): array_of for core in ("core", "_core")},
}


def _text(value: Any) -> Any:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _bytes(value: Any) -> Any:
    # Python 2 has one type for both, and its strings arrive as Latin-1 text.
    return value.encode("latin-1") if isinstance(value, str) else value
