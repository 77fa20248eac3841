"""Cameras that frame a face."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import InputError


@dataclass(frozen=True)
class Camera:
    """A perspective camera that looks at a target; the face looks along +z, with +y up.

    :param target: (x, y, z) the middle of the picture, in metres.
    :param height: metres that the picture shows at the target, top to bottom.
    :param yaw: degrees around the vertical; positive shows the subject's left side.
    :param pitch: degrees; positive looks down from above.
    :param field_of_view: vertical opening in degrees; small values flatten, as a long lens does.
    """

    target: tuple[float, float, float]
    height: float
    yaw: float = 0.0
    pitch: float = 0.0
    field_of_view: float = 18.0

    @classmethod
    def framing(
        cls, vertices: NDArray[np.floating], yaw: float = 0.0, pitch: float = 0.0, margin: float = 1.08
    ) -> Camera:
        """Return a camera that shows all ``vertices`` (V, 3).

        :param vertices: (V, 3) positions in metres.
        :param yaw: degrees around the head; positive shows the person's left side.
        :param pitch: degrees; positive looks from above.
        :param margin: size of the picture over that of the vertices.
        :raises InputError: if they span nothing.
        """
        low, high = vertices.min(axis=0), vertices.max(axis=0)
        if not np.ptp(vertices, axis=0).any():
            raise InputError("nothing to frame: all vertices are one point")
        middle = (low + high) / 2
        turned = (vertices - middle) @ cls((0.0, 0.0, 0.0), 1.0, yaw, pitch).rotation().T
        return cls(tuple(middle.tolist()), float(2 * np.abs(turned[:, :2]).max() * margin), yaw, pitch)

    def rotation(self) -> NDArray[np.float64]:
        """Return (3, 3) from world to camera axes (x right, y up, z towards the viewer)."""
        yaw, pitch = np.radians([-self.yaw, self.pitch])
        around_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
        around_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
        return around_x @ around_y

    @property
    def distance(self) -> float:
        """Metres from the camera to its target."""
        return float(self.height / 2 / np.tan(np.radians(self.field_of_view) / 2))

    def positions(self, vertices: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return positions (V, 3) in camera axes, the camera at the origin.

        :param vertices: (V, 3), in metres.
        """
        return (vertices - np.array(self.target)) @ self.rotation().T - [0.0, 0.0, self.distance]

    def projection(self, aspect: float) -> NDArray[np.float64]:
        """Return the (4, 4) matrix from world to clip coordinates, for a picture ``aspect`` times as wide as high.

        :param aspect: the picture's width over its height.
        """
        distance = self.distance
        near, far = max(distance - 2 * self.height, 0.05 * distance), distance + 4 * self.height
        scale = 2 * distance / self.height
        view = np.eye(4)
        view[:3, :3] = self.rotation()
        view[:3, 3] = -view[:3, :3] @ np.array(self.target) - [0, 0, distance]
        clip = np.zeros((4, 4))
        clip[0, 0], clip[1, 1] = scale / aspect, scale
        clip[2, 2:] = (far + near) / (near - far), 2 * far * near / (near - far)
        clip[3, 2] = -1
        return clip @ view
