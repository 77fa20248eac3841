"""A rig as OBJ files: the head's own file with other coordinates."""

from __future__ import annotations

import numpy as np
import pytest

from blendvoca.errors import FormatError, MeshError
from blendvoca.io.mesh.obj import read_obj
from blendvoca.io.rig.obj_folder import read_rig_folder
from blendvoca.io.rig.obj_write import write_shapes
from blendvoca.mesh import Mesh
from blendvoca.rig import BlendshapeRig

HEAD = """# by hand
mtllib head.mtl
o Head
v 1 2 3 0.5 0.25 0.125\r
 v 0 1.5 -2 1 1 1 # nose
vt 0 0
v 4 5 6 0 0 0
v 7 8 9 0 0 1
vn 0 0 1
g skin
usemtl Skin
f 1/1/1 2/1/1 3/1/1 4/1/1
"""


@pytest.fixture
def rig() -> BlendshapeRig:
    mesh = Mesh([[1, 2, 3], [0, 1.5, -2], [4, 5, 6], [7, 8, 9]], [[0, 1, 2], [0, 2, 3]])
    return BlendshapeRig(mesh, np.random.default_rng(0).normal(size=(2, 4, 3)), ("jawOpen", "mouthPucker"))


def test_the_head_s_own_file_goes_on(tmp_path, rig):
    (tmp_path / "head.obj").write_bytes(HEAD.encode())
    written = write_shapes(tmp_path / "out", rig, tmp_path / "head.obj")
    assert [path.name for path in written] == ["Neutral.obj", "jawOpen.obj", "mouthPucker.obj"]
    assert written[0].read_bytes() == HEAD.encode()
    old, new = HEAD.split("\n"), written[1].read_bytes().decode().split("\n")
    changed = [n for n, (one, other) in enumerate(zip(old, new)) if one != other]
    assert len(old) == len(new)
    assert changed == [3, 4, 6, 7]
    assert new[3].endswith("0.5 0.25 0.125\r")
    again = read_rig_folder(tmp_path / "out")
    np.testing.assert_allclose(again.select(rig.names).deltas, rig.deltas, atol=1e-8)
    np.testing.assert_array_equal(again.neutral.faces, rig.neutral.faces)


def test_heads_of_other_formats_get_plain_files(tmp_path, rig):
    write_shapes(tmp_path / "out", rig)
    np.testing.assert_array_equal(read_obj(tmp_path / "out" / "Neutral.obj").vertices, rig.neutral.vertices)
    again = read_rig_folder(tmp_path / "out")
    np.testing.assert_allclose(again.select(rig.names).deltas, rig.deltas, atol=1e-8)


def test_what_cannot_be_written(tmp_path, rig):
    (tmp_path / "other.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    with pytest.raises(MeshError, match="expected 4, found 3"):
        write_shapes(tmp_path / "out", rig, tmp_path / "other.obj")
    with pytest.raises(FormatError, match="leads out"):
        write_shapes(tmp_path / "out", BlendshapeRig(rig.neutral, rig.deltas, ("jawOpen", "../evil")))
