"""One behaviour of vertex lists, whoever reads them."""

from __future__ import annotations

import numpy as np
import pytest

from blendvoca.errors import FormatError, InputError, MeshError
from blendvoca.io.region import read_region
from blendvoca.io.vertex_list import decode_vertex_list
from blendvoca.release.importer import read_crop
from landmarks.files import read_landmarks
from said_model.evaluation.metrics.vertex_sets import from_file


@pytest.mark.parametrize(
    "text",
    ["7 3 5 3", "7\n3\n\n5\r\n3\n", "7,3,5,3", "7, 3,\n5; 3", "\ufeff7 3 5 3", "# lips\n7 3 # two\n5 3",
     "7.0 3.0 5e0 +3", "\t7\t3\n  5 3  ", "7.000000000000000000e+00\n3\n5\n3\n"],
)  # fmt: skip
def test_forms(tmp_path, text):
    assert decode_vertex_list(text.encode(), 8).tolist() == [7, 3, 5, 3]
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    assert read_region(tmp_path / "a.txt", 8).kept.tolist() == [3, 5, 7]
    assert read_crop(tmp_path / "a.txt", 8).kept.tolist() == [3, 5, 7]
    assert from_file(tmp_path / "a.txt", "lips").indices.tolist() == [3, 5, 7]


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        ("1\n2 three", FormatError, "'three' in line 2"),
        ("1\n\n2.5", FormatError, "'2.5' in line 3"),
        ("1_0", FormatError, "'1_0' in line 1"),
        ("nan", FormatError, "'nan' in line 1"),
        ("1e400", FormatError, "'1e400' in line 1"),
        ("\u0664", FormatError, "in line 1"),
        ("1\n-2", MeshError, r"indices 0\.\.7, found -2 in line 2"),
        ("1 9", MeshError, r"found 9 in line 1\. The list belongs to another mesh"),
        ("1 8", MeshError, r"found 8 in line 1\. Does the list count from 1"),
        ("9" * 400, MeshError, "found 9999"),
        ("# none\n", FormatError, "without one"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path, text, kind, says):
    path = tmp_path / "a.txt"
    path.write_text(text, encoding="utf-8")
    for read in (read_region, read_crop):
        with pytest.raises(kind, match=says) as caught:
            read(path, 8)
        assert str(path) in str(caught.value)


def test_landmarks_are_read_the_same_way(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("\ufeff" + ",\n".join(map(str, range(68))), encoding="utf-8")
    np.testing.assert_array_equal(read_landmarks(path), np.arange(68))
    path.write_text("1\n-2")
    with pytest.raises(InputError, match="found -2 in line 2"):
        read_landmarks(path)
