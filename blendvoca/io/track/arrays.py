"""Coefficients in ``.npy`` and ``.npz`` arrays, without names: those are stated, or follow from how many there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blendvoca.arkit import ARKIT_NAMES, BLENDVOCA_NAMES
from blendvoca.errors import ConfigurationError, FormatError, nearest
from blendvoca.io.files import StrPath, naming
from blendvoca.io.npz import decode_arrays, squeezed
from blendvoca.io.track.columns import clock_kind
from blendvoca.io.track.samples import Clock, Samples, TrackOptions

_ALPHABETICAL = tuple(sorted(ARKIT_NAMES))
#: Orders of columns that have a name. EmoTalk (and data made with it) and MediaPipe sort by name.
ORDERS: dict[str, tuple[str, ...]] = {
    "blendvoca": BLENDVOCA_NAMES,
    "arkit": ARKIT_NAMES,
    "arkit51": ARKIT_NAMES[:-1],
    "alphabetical": _ALPHABETICAL,
    "emotalk": _ALPHABETICAL,
    "mediapipe": ("_neutral", *(name for name in _ALPHABETICAL if name != "tongueOut")),
}
#: What a number of columns is taken for where no names are stated.
_KNOWN = {32: "blendvoca", 51: "arkit51", 52: "arkit"}


def names_of(text: str) -> tuple[str, ...]:
    """Return the names that ``--names`` states: an order of :data:`ORDERS`, a file of names, or names with commas.

    :raises ConfigurationError: for one name that is no order.
    """
    from pathlib import Path

    if text in ORDERS:
        return ORDERS[text]
    if "," not in text and Path(text).is_file():
        return tuple(Path(text).read_text(encoding="utf-8-sig").replace(",", " ").split())
    if "," not in text:
        raise ConfigurationError(f"no order of names {text!r}{nearest(text, ORDERS)}",
                                 expected=f"{', '.join(ORDERS)}, a file of names, or names with commas")  # fmt: skip
    return tuple(name.strip() for name in text.split(",") if name.strip())


def decode_track_arrays(data: bytes, options: TrackOptions, path: StrPath | None = None) -> Samples:
    """Decode ``.npy`` or ``.npz``: (T, K), or with axes of length 1 besides.

    An archive may hold ``names`` and ``fps`` beside its one array of coefficients, or times.

    :raises FormatError: if it is no such array, or its names are neither stated nor clear from their number.
    """
    with naming(path):
        arrays = decode_arrays(data)
        names = options.names or _names(arrays)
        values = _values(arrays)
        remarks: tuple[str, ...] = ()
        if names is None:
            order = _KNOWN.get(values.shape[1])
            if order is None:
                raise FormatError(f"an array of {values.shape[1]} columns without names", remedy="State them: --names.",
                                  expected="32 (BlendVOCA's), 51 or 52 (ARKit's) columns, or names")  # fmt: skip
            names = ORDERS[order]
            other = "emotalk and mediapipe sort them" if order == "arkit" else "for another"
            remarks = (f"{len(names)} columns without names are taken in the order {order} (--names {other})",)
        if len(names) != values.shape[1]:
            raise FormatError("names and columns do not match", expected=f"{len(names)} columns", found=values.shape)
        rates = [array for name, array in arrays.items() if name.lower() in ("fps", "rate", "framerate")]
        fps = float(rates[0].reshape(-1)[0]) if rates and rates[0].size == 1 else None
        return Samples(tuple(names), values, _clock(arrays, len(values)), fps, remarks=remarks)


def _names(arrays: Mapping[str, NDArray[Any]]) -> tuple[str, ...] | None:
    found = next((array for name, array in arrays.items() if array.dtype.kind in "US" and array.ndim == 1), None)
    return None if found is None else tuple(
        name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name) for name in found.tolist()
    )  # fmt: skip


def _values(arrays: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
    """Return the one array of coefficients, (T, K)."""
    tables = {name: array.reshape(squeezed(array.shape)) for name, array in arrays.items()
              if array.dtype.kind in "fiu" and array.ndim >= 2}  # fmt: skip
    tables = {name: array for name, array in tables.items() if array.ndim == 2 and array.size}
    if len(tables) != 1:
        shown = {name: array.shape for name, array in list(arrays.items())[:5]}
        raise FormatError("no clear array of coefficients", expected="one of shape (T, K)",
                          found=shown.get("", shown))  # fmt: skip
    return next(iter(tables.values())).astype(np.float64)


def _clock(arrays: Mapping[str, NDArray[Any]], rows: int) -> Clock | None:
    for name, array in arrays.items():
        kind = clock_kind(name) if name else None
        if kind is not None and array.dtype.kind in "fiu" and array.shape in ((rows,), (rows, 1), (1, rows)):
            return Clock("time" if kind == "codes" else kind, numbers=array.reshape(-1).astype(np.float64), name=name)
    return None
