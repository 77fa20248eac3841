"""Places on the canonical head: where a vertex lies and how it relates to the mouth and the eyes. Millimetres.

The analytic shapes are functions of a :class:`Sites` and of nothing else, so two samplings of the surface carry the
same true shape.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SKIN, MOUTH_BAG, LEFT_SOCKET, RIGHT_SOCKET = range(4)
#: Components of their own.
LEFT_EYEBALL, RIGHT_EYEBALL, UPPER_TEETH, LOWER_TEETH, TONGUE = range(4, 9)
COMPONENTS = {
    "left eyeball": LEFT_EYEBALL, "right eyeball": RIGHT_EYEBALL, "upper teeth": UPPER_TEETH,
    "lower teeth": LOWER_TEETH, "tongue": TONGUE,
}  # fmt: skip
_OTHER_SIDE = np.array([0, 1, RIGHT_SOCKET, LEFT_SOCKET, RIGHT_EYEBALL, LEFT_EYEBALL, 6, 7, 8])


@dataclass(frozen=True, eq=False)
class Sites:
    """N places on the canonical head at rest.

    :param rest: (N, 3) positions in millimetres.
    :param region: (N,) one of the region numbers of this module.
    :param depth: (N,) 0 on the skin, rising to 1 at the far end of the mouth bag and the eye sockets.
    :param mouth: (2, N) ring and angle about the mouth (:mod:`blendvoca.synthetic.anatomy.openings`).
    :param eyes: (2, 2, N) the same about the left and the right eye; an angle of 0 is that eye's outer corner.
    :param lids: (2, 2, N) for the left and the right eye: where the rims of the upper and of the lower lid above and
        below this place stand at rest, as angles about the eyeball's left-right axis in radians.
    """

    rest: Array
    region: NDArray[np.int8]
    depth: Array
    mouth: Array
    eyes: Array
    lids: Array

    def mirrored(self) -> Sites:
        """Return the places on the other side of the face."""
        ring, angle = self.mouth
        opposite = np.where(angle >= 0, np.pi - angle, -np.pi - angle)
        return Sites(
            self.rest * np.array([-1.0, 1.0, 1.0]),
            _OTHER_SIDE[self.region].astype(np.int8),
            self.depth,
            np.stack([ring, opposite]),
            self.eyes[::-1],
            self.lids[::-1],
        )

    def take(self, index: NDArray[np.int64]) -> Sites:
        """Return the places at ``index``."""
        return Sites(
            self.rest[index], self.region[index], self.depth[index],
            self.mouth[:, index], self.eyes[:, :, index], self.lids[:, :, index],
        )  # fmt: skip


def concatenate(parts: list[Sites]) -> Sites:
    """Return the places of several lists, one after the other."""
    return Sites(
        np.concatenate([p.rest for p in parts]),
        np.concatenate([p.region for p in parts]),
        np.concatenate([p.depth for p in parts]),
        np.concatenate([p.mouth for p in parts], axis=1),
        np.concatenate([p.eyes for p in parts], axis=2),
        np.concatenate([p.lids for p in parts], axis=2),
    )
