"""Named vertex sets: nested as their names say on a real head, empty or refused where a rig cannot show them."""

import numpy as np
import pytest

from blendvoca.arkit import ARKIT_NAMES
from blendvoca.errors import InputError
from blendvoca.mesh import Mesh
from blendvoca.rig import BlendshapeRig
from blendvoca.vertex_sets import LIPS, MOUTH_REGION, UPPER_FACE, VertexSet

REGIONS = (LIPS, MOUTH_REGION, UPPER_FACE)


def test_regions_name_known_shapes_and_differ_in_name():
    assert len({region.name for region in REGIONS}) == 3
    assert all(set(region.shapes) <= set(ARKIT_NAMES) for region in REGIONS)


def test_on_a_face_the_lips_are_part_of_the_mouth_region(assets):
    from landmarks.sources import load_source

    source = load_source("arkit", assets=assets)
    lips, mouth, upper = (set(region.vertices(source.rig).tolist()) for region in REGIONS)
    assert len(lips) < len(mouth)
    assert len(lips - mouth) <= 0.05 * len(lips)
    inner_lips = set(source.landmarks[60:68].tolist())
    assert inner_lips <= lips
    assert set(source.landmarks[17:27].tolist()) <= upper


def test_a_rig_without_the_shapes_has_no_such_region():
    mesh = Mesh(np.eye(3), [[0, 1, 2]])
    rig = BlendshapeRig(mesh, np.ones((1, 3, 3)), ("jawOpen",))
    assert LIPS.vertices(rig).size == 0
    with pytest.raises(InputError, match="no lips can be found"):
        LIPS.of(rig)
    still = BlendshapeRig(mesh, np.zeros((1, 3, 3)), ("mouthPucker",))
    assert LIPS.vertices(still).size == 0


def test_a_set_sorts_its_vertices_and_refuses_none():
    assert VertexSet("lips", np.array([4, 1, 4]), "a list").indices.tolist() == [1, 4]
    with pytest.raises(InputError, match="holds no vertices"):
        VertexSet("lips", np.array([], dtype=int), "a list")
