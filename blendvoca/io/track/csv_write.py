"""Writing coefficient tables. Plain arrays, so that the track type itself can offer it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from blendvoca.io.atomic import write_text
from blendvoca.io.files import StrPath


def write_coefficients(path: StrPath, names: Sequence[str], values: NDArray[np.floating]) -> None:
    """Write a table in the authors' format atomically, with the fewest digits that give back every float32.

    :param path: of the file.
    :param names: the K blendshape names.
    :param values: (T, K) coefficients.
    :raises OutputError: if the folder cannot be written.
    """
    # Adding zero turns -0 into 0.
    cells = (values.astype(np.float32) + np.float32(0)).astype(str)
    write_text(path, "\n".join([",".join(names), *map(",".join, cells)]) + "\n")
