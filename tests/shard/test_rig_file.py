"""Rig files: what goes in comes out, the same bytes each time, and other files are refused by name."""

import time

import h5py
import numpy as np
import pytest

from blendvoca.crop import Crop
from blendvoca.errors import BlendvocaError, FormatError, LicenceError, MissingInputError, RigError
from blendvoca.mesh import Mesh
from blendvoca.rig import BlendshapeRig
from blendvoca.shard.rig_file import read_rig, write_rig


@pytest.fixture
def rig() -> BlendshapeRig:
    random = np.random.default_rng(0)
    mesh = Mesh(random.normal(size=(20, 3)).astype(np.float32), random.integers(0, 20, (12, 3)))
    return BlendshapeRig(mesh, random.normal(size=(2, 20, 3)).astype(np.float32), ("jawOpen", "mouthClose"))


def test_rig_survives_with_crop_and_landmarks(tmp_path, rig) -> None:
    crop = Crop.of(np.arange(3, 23), 40)
    path = write_rig(tmp_path / "rig.h5", rig, "open", crop=crop, landmarks=np.arange(5), sources={"head": "made up"})
    stored = read_rig(path)
    assert np.array_equal(stored.whole().deltas, rig.deltas)
    assert np.array_equal(stored.whole().neutral.vertices, rig.neutral.vertices)
    assert np.array_equal(stored.whole().neutral.faces, rig.neutral.faces)
    assert np.array_equal(stored.crop.kept, crop.kept)
    assert stored.landmarks.tolist() == [0, 1, 2, 3, 4]


def test_same_rig_gives_the_same_bytes_a_second_later(tmp_path, rig) -> None:
    first = write_rig(tmp_path / "first.h5", rig).read_bytes()
    time.sleep(1.1)  # HDF5 can store whole seconds in its headers.
    assert write_rig(tmp_path / "again.h5", rig).read_bytes() == first


def test_licence_class_leaves_the_neutral_out(tmp_path, rig) -> None:
    stored = read_rig(write_rig(tmp_path / "rig.h5", rig, "coefficients"))
    assert np.array_equal(stored.deltas, rig.deltas)
    with pytest.raises(LicenceError, match="neutral mesh"):
        stored.whole()


def test_other_files_are_refused(tmp_path, rig) -> None:
    with pytest.raises(MissingInputError, match=r"none\.h5"):
        read_rig(tmp_path / "none.h5")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file.attrs["format"] = "else"
    with pytest.raises(FormatError, match="found 'else'"):
        read_rig(tmp_path / "other.h5")
    with pytest.raises(RigError):
        write_rig(tmp_path / "rig.h5", rig, landmarks=[20])
    assert not (tmp_path / "rig.h5").exists()
    path = write_rig(tmp_path / "rig.h5", rig)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(BlendvocaError, match=r"rig\.h5"):
        read_rig(path)
