"""Pictures as SyncNet's own preprocessing cuts them: the face in front, 224 pixels square, 25 a second.

That preprocessing takes a detected face box of half size h and cuts from h above its middle to 1.8 h below, and 1.4 h
to either side (Chung and Zisserman 2016; their published pipeline, crop scale 0.4). Here landmarks stand in for the
detector: its boxes reach from the middle of the forehead to the chin.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blendvoca.errors import LandmarkError
from blendvoca.export.timing import resample
from blendvoca.ibug68 import N_LANDMARKS
from blendvoca.rig import BlendshapeRig
from blendvoca.track import CoefficientTrack
from blendvoca.view.camera import Camera
from blendvoca.view.render import Renderer

#: Pixels of a picture's edge, and pictures a second.
EDGE, FPS = 224, 25.0
#: How far a detected box reaches above the brows, relative to the height from chin to brows.
_FOREHEAD = 0.25


def syncnet_camera(points: ArrayLike) -> Camera:
    """Return the camera that frames a face as SyncNet's crop does.

    :param points: (68, 3) landmarks of the face at rest, in metres.
    :raises LandmarkError: for another number of points.
    """
    array = np.asarray(points, dtype=np.float64)
    if array.shape != (N_LANDMARKS, 3):
        raise LandmarkError("SyncNet's framing needs all landmarks", expected=(N_LANDMARKS, 3), found=array.shape)
    low, high = array.min(axis=0), array.max(axis=0)
    top = high[1] + _FOREHEAD * (high[1] - low[1])
    half = max(high[0] - low[0], top - low[1]) / 2
    middle = (top + low[1]) / 2
    # From h above the middle to 1.8 h below it: the picture's middle lies 0.4 h under the box's.
    target = (float(low[0] + high[0]) / 2, float(middle - 0.4 * half), float(low[2] + high[2]) / 2)
    return Camera(target, float(2.8 * half))


def syncnet_pictures(
    rig: BlendshapeRig, landmarks: ArrayLike, track: CoefficientTrack, backend: str = "auto"
) -> NDArray[np.uint8]:
    """Draw a track for SyncNet: (T, 224, 224, 3) RGB at 25 a second.

    :param rig: in metres.
    :param landmarks: (68,) vertices of the rig.
    :param track: coefficients of the rig's shapes, at any rate.
    :param backend: ``auto``, ``opengl`` or ``software``.
    :raises LandmarkError: for another number of landmarks.
    """
    shown, slow = rig.select(track.names), resample(track, FPS)
    camera = syncnet_camera(rig.neutral.vertices[np.asarray(landmarks)])
    with Renderer(rig.neutral, (EDGE, EDGE), backend) as renderer:
        return np.stack([renderer.draw(shown.pose(values), camera) for values in slow.values])
