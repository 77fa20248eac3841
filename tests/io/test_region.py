"""Regions that users bring: index lists and mask files."""

import pickle

import numpy as np
import pytest

from blendvoca.errors import FormatError, MeshError, MissingInputError, UnsafePickleError
from blendvoca.io.region import read_region


def test_list_of_indices(tmp_path) -> None:
    (tmp_path / "region.txt").write_text("7\n3\n5\n3\n")
    assert read_region(tmp_path / "region.txt", 10).kept.tolist() == [3, 5, 7]


def test_mask_file_by_name_and_by_default(tmp_path) -> None:
    path = tmp_path / "masks.pkl"
    path.write_bytes(pickle.dumps({"face": np.array([4, 2]), "nose": np.array([1])}, protocol=2))
    assert read_region(path, 10).kept.tolist() == [2, 4]
    assert read_region(f"{path}:nose", 10).kept.tolist() == [1]
    with pytest.raises(FormatError, match=r"no mask 'noes' \(did you mean 'nose'"):
        read_region(f"{path}:noes", 10)


def test_wrong_files_are_named(tmp_path) -> None:
    path = tmp_path / "region.txt"
    for text, error in (("1 two", FormatError), ("", FormatError), ("99", MeshError)):
        path.write_text(text)
        with pytest.raises(error, match=r"region\.txt"):
            read_region(path, 10)
    with pytest.raises(MissingInputError):
        read_region(tmp_path / "none.txt", 10)
    masks = tmp_path / "masks.pkl"
    masks.write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(FormatError, match="no mask file"):
        read_region(masks, 10)
    masks.write_bytes(pickle.dumps({"face": print}))
    with pytest.raises(UnsafePickleError):
        read_region(masks, 10)
