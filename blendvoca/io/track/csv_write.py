"""Writing coefficient tables. Plain arrays, so that the track type itself can offer it.

The authors' format is for 60 frames per second and does not state them. A track at another rate gets a last column
``time`` in seconds, so that it comes back as it was.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from blendvoca.internal.names import table_cell
from blendvoca.io.atomic import write_text
from blendvoca.io.files import StrPath
from blendvoca.speakers import VOCASET_FPS

#: Decimals of the times.
_DIGITS = 9


def write_coefficients(path: StrPath, names: Sequence[str], values: NDArray[np.floating], fps: float) -> None:
    """Write a table in the authors' format atomically, with the fewest digits that give back every float32.

    :param path: of the file.
    :param names: the K blendshape names.
    :param values: (T, K) coefficients.
    :param fps: frames per second.
    :raises OutputError: if the folder cannot be written.
    """
    # Adding zero turns -0 into 0.
    cells = (values.astype(np.float32) + np.float32(0)).astype(str)
    lines, header = list(map(",".join, cells)), ",".join(map(table_cell, names))
    if fps != VOCASET_FPS:
        header += ",time"
        lines = [f"{line},{round(frame / fps, _DIGITS)!r}" for frame, line in enumerate(lines)]
    write_text(path, "\n".join([header, *lines]) + "\n")
