"""Rigs in folders and zips of OBJ files."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from blendvoca.errors import MeshError, MissingInputError
from blendvoca.io.mesh.obj import write_obj
from blendvoca.io.rig.obj_folder import read_rig_folder
from blendvoca.mesh import Mesh

FACES = np.array([[0, 1, 2], [1, 3, 2]])
NEUTRAL = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32).astype(float)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A rig as a Mac leaves it: capitals, hidden companions, a subfolder."""
    root = tmp_path / "my rig"
    for number, name in enumerate(("Neutral.OBJ", "shapes/jawOpen.obj", "shapes/MouthSmile_L.obj")):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_obj(path, Mesh(NEUTRAL + number, FACES))
        (path.parent / f"._{path.name}").write_bytes(b"\0\5\26\7")
    return root


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_folder_and_zip_give_the_same(folder: Path, form: str) -> None:
    place = folder
    if form == "zip":
        place = folder.parent / "rig.zip"
        with zipfile.ZipFile(place, "w") as archive:
            for path in folder.rglob("*"):
                archive.write(path, path.relative_to(folder))
    rig = read_rig_folder(place)
    assert set(rig.names) == {"jawOpen", "mouthSmileLeft"}
    np.testing.assert_allclose(rig.delta("jawOpen"), 1, atol=1e-6)
    np.testing.assert_allclose(rig.delta("mouthSmileLeft"), 2, atol=1e-6)


def test_what_is_no_rig(folder: Path, tmp_path: Path) -> None:
    write_obj(folder / "jawLeft.obj", Mesh(NEUTRAL, FACES[:1]))
    with pytest.raises(MeshError, match=r"jawLeft\.obj"):
        read_rig_folder(folder)
    (folder / "Neutral.OBJ").unlink()
    with pytest.raises(MissingInputError, match="no neutral"):
        read_rig_folder(folder)
    with pytest.raises(MissingInputError, match="no blendshape rig"):
        read_rig_folder(tmp_path / "nothing")
