"""SyncNet's framing: the crop of its published pipeline, its size and its rate."""

from __future__ import annotations

import numpy as np
import pytest
from view_builders import ball

from blendvoca.errors import LandmarkError
from blendvoca.rig import BlendshapeRig
from blendvoca.track import CoefficientTrack
from blendvoca.view.syncnet import EDGE, syncnet_camera, syncnet_pictures


def test_the_crop_is_that_of_the_published_pipeline():
    """A face box of half size h is cut from h above its middle to 1.8 h below, 1.4 h to either side."""
    points = np.random.default_rng(0).uniform(-1, 1, (68, 3))
    points[:4] = [[-0.9, 0, 0], [0.9, 0, 0], [0, -1, 0], [0, 1, 0]]
    points = points.clip([-0.9, -1, -1], [0.9, 1, 1])
    camera = syncnet_camera(points)
    # The box: from the chin at -1 to a quarter of the face's height above the brows, at 1.5.
    half, middle = 1.25, 0.25
    assert camera.height == pytest.approx(2.8 * half)
    assert camera.target[1] + camera.height / 2 == pytest.approx(middle + half)
    assert camera.target[1] - camera.height / 2 == pytest.approx(middle - 1.8 * half)
    assert camera.target[0] == pytest.approx(0)
    with pytest.raises(LandmarkError, match="all landmarks"):
        syncnet_camera(points[:51])


def test_pictures_come_at_its_rate_and_move_with_the_track():
    mesh = ball(10)
    deltas = np.zeros((1, mesh.n_vertices, 3))
    deltas[0, mesh.vertices[:, 1] < -0.3, 1] = -0.3
    rig = BlendshapeRig(mesh, deltas, ("jawOpen",))
    track = CoefficientTrack(np.linspace(0, 1, 60)[:, None], rig.names, 60.0)
    pictures = syncnet_pictures(rig, np.arange(68), track, "software")
    assert pictures.shape == (25, EDGE, EDGE, 3)
    assert pictures.dtype == np.uint8
    assert np.abs(pictures[-1].astype(int) - pictures[0]).mean() > 0.5
