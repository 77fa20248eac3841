"""NumPy arrays from files that anybody may have made: ``.npy`` and ``.npz`` without objects, their sizes bounded."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import FormatError
from blendvoca.internal.limits import ARCHIVE_UNPACKED
from blendvoca.internal.names import first_line
from blendvoca.io.archive import decode_zip, open_zip, read_member
from blendvoca.io.files import StrPath

_MAGIC = b"\x93NUMPY"
#: Logical values, numbers and text.
_KINDS = "biufcSU"
_SAVE_AGAIN = "Save each array by itself: np.save(path, np.asarray(values, 'float32'))."


def decode_arrays(data: bytes, path: StrPath | None = None) -> dict[str, NDArray[Any]]:
    """Decode the bytes of an ``.npy`` (under the empty name) or ``.npz`` file.

    :param data: content of the file.
    :param path: what errors call it.
    :raises FormatError: if it is no such file, holds objects, or claims more than it can hold.
    """
    if data[:2] != b"PK":
        return {"": decode_array(data, path)}
    with decode_zip(io.BytesIO(data), path) as archive:
        return _arrays(archive, archive.infolist(), len(data), path)


def read_npz(
    path: StrPath, wanted: Sequence[str] = (), optional: Sequence[str] = (), *,
    what: str = "the archive cannot be read",
) -> dict[str, NDArray[Any]]:  # fmt: skip
    """Return arrays of an ``.npz`` file; no pickle is ever loaded.

    :param path: the file.
    :param wanted: names that must be there.
    :param optional: names that may be there; all arrays are returned where no name is given at all.
    :param what: the clause of the error.
    :raises MissingInputError: if it cannot be read.
    :raises FormatError: if it is damaged, too large, lacks an array, or holds objects.
    """
    with open_zip(path) as archive:
        asked = {*wanted, *optional}
        infos = [info for info in archive.infolist() if not asked or info.filename.removesuffix(".npy") in asked]
        found = {info.filename.removesuffix(".npy") for info in infos}
        if missing := [name for name in wanted if name not in found]:
            raise FormatError(what, expected=list(wanted), found=f"no {missing}", path=path)
        return _arrays(archive, infos, Path(path).stat().st_size, path)


def _arrays(
    archive: zipfile.ZipFile, infos: Sequence[zipfile.ZipInfo], size: int, path: StrPath | None
) -> dict[str, NDArray[Any]]:
    ARCHIVE_UNPACKED.check(sum(info.file_size for info in infos), size, path)
    arrays: dict[str, NDArray[Any]] = {}
    for info in infos:
        where = info.filename if path is None else f"{path}/{info.filename}"
        arrays[info.filename.removesuffix(".npy")] = decode_array(read_member(archive, info, size, where), where)
    return arrays


def decode_array(data: bytes, path: StrPath | None = None) -> NDArray[Any]:
    """Decode the bytes of an ``.npy`` file; the array is read-only and takes no memory of its own.

    :param data: content of the file.
    :param path: what errors call it.
    :raises FormatError: if it is no array of numbers or text, or holds fewer bytes than its header claims.
    """
    file = io.BytesIO(data)
    try:
        if not data.startswith(_MAGIC):
            raise ValueError("no NumPy array begins here")
        version = np.lib.format.read_magic(file)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = header(file)
    except Exception as error:  # NumPy evaluates the header as Python, which raises many kinds for what is none
        expected = ".npy or .npz of numbers"
        raise FormatError("not an array of numbers", expected=expected, found=first_line(error), path=path) from error
    if dtype.kind not in _KINDS or dtype.subdtype is not None or not dtype.itemsize:
        found = "Python objects" if dtype.hasobject else str(dtype)[:80]
        raise FormatError("not an array of numbers", expected=".npy or .npz without objects", found=found,
                          remedy=_SAVE_AGAIN, path=path)  # fmt: skip
    count, start = math.prod(shape), file.tell()
    if min(shape, default=1) < 0 or count * dtype.itemsize != len(data) - start:
        raise FormatError("not an array as long as its header claims", expected=f"{len(data) - start} bytes",
                          found=f"{shape} of {dtype}"[:100], path=path)  # fmt: skip
    array = np.frombuffer(data, dtype, count, start).reshape(shape, order="F" if fortran else "C")
    return array if array.flags.aligned else array.copy()


def squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return a shape without axes of length 1 before the last, down to two: a batch of one clip is the clip."""
    axes = list(shape)
    while len(axes) > 2 and 1 in axes[:-1]:
        axes.remove(1)
    return tuple(axes)


def frames_shape(shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return the shape of frames of vertices in an array: (T, V, 3) or (T, 3V), with axes of length 1 besides.

    :param shape: the array's.
    :returns: the shape without the other axes; nothing where it holds no frames.
    """
    axes = list(shape)
    while 1 in axes[:-1] and (len(axes) > 3 or (len(axes) == 3 and axes[-1] != 3)):
        axes.remove(1)
    good = (len(axes) == 3 and axes[2] == 3) or (len(axes) == 2 and axes[1] % 3 == 0 and axes[1] > 3)
    return tuple(axes) if good and 0 not in axes else None
