"""Sequences at another frame rate agree with tracks at another frame rate: posing is linear."""

import numpy as np
import pytest

from blendvoca.errors import TrackError
from blendvoca.mesh import Mesh
from blendvoca.rig import BlendshapeRig
from blendvoca.sequence import MeshSequence
from blendvoca.track import CoefficientTrack

FACES = np.array([[0, 1, 2], [1, 2, 3]])


def posed(frames, fps):
    rng = np.random.default_rng(0)
    rig = BlendshapeRig(Mesh(rng.random((5, 3)), FACES), rng.random((2, 5, 3)), ("a", "b"))
    track = CoefficientTrack(rng.random((frames, 2)), rig.names, fps)
    return rig, track, MeshSequence.from_array(rig.pose(track.values), FACES, fps)


@pytest.mark.parametrize(("old", "new"), [(30.0, 60.0), (60.0, 30.0), (25.0, 60.0), (29.97, 60.0), (60.0, 24.0)])
@pytest.mark.parametrize("frames", [1, 2, 11])
@pytest.mark.parametrize("block", [1, 5, 100])
def test_posing_and_resampling_commute(old, new, frames, block):
    rig, track, sequence = posed(frames, old)
    fast = sequence.resampled(new)
    expected = rig.pose(track.resampled(new).values)
    assert len(fast) == len(expected)
    assert fast.fps == new
    np.testing.assert_allclose(np.concatenate(list(fast.blocks(block))), expected, atol=1e-7)


def test_the_same_rate_is_the_same_sequence():
    _, _, sequence = posed(4, 30.0)
    assert sequence.resampled(30.0) is sequence


@pytest.mark.parametrize("fps", [0.0, -1.0, np.nan, np.inf])
def test_wrong_rates(fps):
    with pytest.raises(TrackError):
        posed(4, 30.0)[2].resampled(fps)
