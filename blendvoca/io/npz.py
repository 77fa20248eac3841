"""NumPy arrays from files that anybody may have made: ``.npy`` and ``.npz`` without objects, their sizes bounded."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import FormatError

#: Bytes of numbers that any archive may hold, and that each of its bytes may stand for.
_FREE_BYTES, _BYTES_PER_BYTE = 1 << 26, 100


def decode_arrays(data: bytes) -> dict[str, NDArray[Any]]:
    """Decode the bytes of an ``.npy`` (under the empty name) or ``.npz`` file.

    :raises FormatError: if it is no such file, holds objects, or claims more than it can hold.
    """
    try:
        if data[:2] != b"PK":
            return {"": np.load(io.BytesIO(data), allow_pickle=False)}
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            # Other methods are not NumPy's, and give more bytes at once than they are asked for.
            plain = all(entry.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for entry in entries)
            if not plain or sum(entry.file_size for entry in entries) > _FREE_BYTES + _BYTES_PER_BYTE * len(data):
                raise FormatError("no archive of arrays", expected="what so small a file can hold, deflated or stored")
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except FormatError:
        raise
    except Exception as error:  # zipfile and NumPy's parser of headers raise many kinds for a file that is none
        found = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        objects = "pickle" in found
        raise FormatError(
            "not an array of numbers",
            expected=".npy or .npz without objects",
            found="Python objects" if objects else found,
            remedy="Save each array by itself: np.save(path, np.asarray(values, 'float32'))." if objects else None,
        ) from error


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
