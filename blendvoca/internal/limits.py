"""How much a file may make of itself: every limit on what is read, with its reason, in one table.

A few kilobytes can claim gigabytes. So limits count what a file really produces, against its own size and against what
real data needs. Whoever legitimately has more raises all of them at once with the environment variable
``BLENDVOCA_LIMIT_FACTOR`` (a number; 4 allows four times as much).
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from os import PathLike

from blendvoca.errors import ConfigurationError, FormatError
from blendvoca.internal.names import shown

FACTOR_VARIABLE = "BLENDVOCA_LIMIT_FACTOR"
_MIB = 1 << 20


@dataclass(frozen=True)
class Limit:
    """One limit.

    :param what: what is limited, as errors call it.
    :param most: bytes that no file of the kind comes near.
    :param ratio: bytes allowed for each byte of the file, from ``least`` on; 0 sets no ratio.
    :param least: bytes that are always allowed, since small files may compress well.
    :param why: the reason for the figures.
    """

    what: str
    most: int
    ratio: float
    least: int
    why: str

    def allowed(self, file_bytes: int | None = None) -> int:
        """Return the bytes that a file of ``file_bytes`` may produce."""
        most = float(self.most)
        if self.ratio and file_bytes is not None:
            most = min(most, max(self.least, self.ratio * file_bytes))
        return int(most * factor())

    @property
    def remedy(self) -> str:
        """What the user can do where more is right."""
        return f"If it is what it should be, set {FACTOR_VARIABLE}=4 or more."

    def check(self, found: int, file_bytes: int | None = None, path: str | PathLike[str] | None = None) -> None:
        """Refuse more than is allowed.

        :param found: bytes that would be, or were, produced.
        :param file_bytes: size of the file they come from.
        :param path: the file.
        :raises FormatError: if ``found`` exceeds the limit.
        """
        if found > (most := self.allowed(file_bytes)):
            raise FormatError(
                f"{self.what} is too large",
                expected=f"at most {most} bytes",
                found=shown(found),
                remedy=self.remedy,
                path=path,
            )


def factor() -> float:
    """Return what the user multiplies all limits by.

    :raises ConfigurationError: if the variable is no number of at least 1.
    """
    text = os.environ.get(FACTOR_VARIABLE, "1")
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 1 <= value < math.inf:
        expected = "a number of at least 1"
        raise ConfigurationError(f"{FACTOR_VARIABLE} is no factor", expected=expected, found=shown(text))
    return value


ARCHIVE_MEMBER = Limit(
    "a member of the archive", 1024 * _MIB, 10, 64 * _MIB,
    "meshes and tables deflate to a fourth, silence to a thousandth; the largest file of any corpus has some 100 MB",
)  # fmt: skip
ARCHIVE_UNPACKED = Limit(
    "the unpacked archive", 4096 * _MIB, 10, 256 * _MIB,
    "a rig of a few hundred shapes of a detailed head, as OBJ text",
)  # fmt: skip
HDF5_DATASET = Limit(
    "a dataset", 1024 * _MIB, 64, 64 * _MIB,
    "an hour of sound at 48 kHz has 345 MB; deltas of shapes that rest deflate to almost nothing",
)  # fmt: skip
HDF5_NAMES = Limit("the list of names", _MIB, 0, 0, "32 names take 640 bytes, a rig of a thousand shapes 64 KB")
JSON = Limit("a JSON document", 256 * _MIB, 0, 0, "a manifest of ten thousand shards has 20 MB")
WEIGHTS = Limit(
    "what the file of weights unpacks to", 64 * 1024 * _MIB, 1, 64 * _MIB, "torch stores tensors uncompressed"
)
MODEL = Limit("a network", 16 * 1024 * _MIB, 0, 0, "XLS-R with two billion parameters, the largest encoder, has 8.6 GB")
DOWNLOAD = Limit("a download whose size nobody states", 16 * 1024 * _MIB, 0, 0, "VOCASET's largest file has 7.4 GB")
SMALL_DOWNLOAD = Limit("a manifest or list of sums", 64 * _MIB, 0, 0, "a manifest of ten thousand shards has 20 MB")
GLTF = Limit(
    "what the file makes of its geometry and shapes", 16 * 1024 * _MIB, 4, 110_000_000,
    "a face of 60,000 vertices with 67 shapes needs 96 MB; float64 of a compact file's 16-bit numbers is four times it",
)  # fmt: skip
