"""Landmark files survive the way out and back, and wrong ones are refused by name."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blendvoca.errors import BlendvocaError, FormatError, LandmarkError, MissingInputError, VersionError
from blendvoca.ibug68 import NAMES
from landmarks.files import checked_indices, read_landmarks, read_picks, write_landmarks, write_picks

GOOD = np.arange(68) * 7


@pytest.mark.parametrize("name", ["points.txt", "points.json"])
def test_written_list_is_read_back(tmp_path, name) -> None:
    path = tmp_path / name
    write_landmarks(path, GOOD, 1000)
    assert (read_landmarks(path, 1000) == GOOD).all()
    assert list(read_picks(path, 1000)) == list(NAMES)


def test_text_has_one_index_a_line(tmp_path) -> None:
    write_landmarks(tmp_path / "points.txt", GOOD)
    assert (tmp_path / "points.txt").read_text() == "".join(f"{7 * k}\n" for k in range(68))


def test_comments_commas_and_byte_order_marks_are_read(tmp_path) -> None:
    path = tmp_path / "points.txt"
    path.write_bytes(b"\xef\xbb\xbf# made by hand\r\n" + ", ".join(map(str, GOOD)).encode() + b"  # all\r\n")
    assert (read_landmarks(path) == GOOD).all()


def test_authors_lists_are_read(assets) -> None:
    for name, count in (("ARKit", 1220), ("FLAME", 5023), ("FLAME_head", 4580)):
        assert read_landmarks(assets / "said" / f"{name}_landmarks.txt", count).shape == (68,)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (GOOD[17:], "found 51 points, perhaps the 68 points without the contour"),
        (np.r_[GOOD, 999], "found 69 points"),
        (np.r_[GOOD[1:], 1000], "Does the list count from 1"),
        (np.r_[-3, GOOD[1:]], "found -3"),
        (np.r_[GOOD[:-1], GOOD[0]], "contour_right_1 and inner_lower_right on vertex 0"),
        (GOOD.astype(float), "vertex indices"),
        (GOOD.reshape(4, 17), "an array"),
    ],
)
def test_wrong_lists_are_refused(values, words) -> None:

    with pytest.raises(LandmarkError, match=words):
        checked_indices(values, 1000)


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("1 2 three", FormatError, "'three' in line 1"),
        ("1.5 2", FormatError, r"'1\.5'"),
        ("", FormatError, "an empty file"),
        ("# none", FormatError, "a list of vertices without one"),
        ("{", FormatError, "no valid JSON"),
        ("[1, 2, 3]", LandmarkError, "found 3 points"),
        ("[1, null]", LandmarkError, "other values"),
        ('{"format": "else"}', FormatError, "found else"),
        ('{"format": "blendvoca-landmarks", "version": 9}', VersionError, "found 9"),
        ('{"format": "blendvoca-landmarks", "version": 1, "scheme": "wflw98"}', LandmarkError, "another scheme"),
    ],
)
def test_wrong_files_are_refused(tmp_path, text, error, words) -> None:
    path = tmp_path / "points"
    path.write_text(text)
    with pytest.raises(error, match=words) as caught:
        read_landmarks(path)
    assert str(path) in str(caught.value)


def test_missing_file_and_foreign_bytes_are_named(tmp_path) -> None:
    with pytest.raises(MissingInputError, match=r"none\.txt"):
        read_landmarks(tmp_path / "none.txt")
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(FormatError, match="UTF-8"):
        read_landmarks(tmp_path / "bytes.txt")


def test_picks_name_their_points(tmp_path) -> None:
    path = tmp_path / "picks.json"
    write_picks(path, {"nose_tip": 5, "chin": 9}, 10)
    assert read_picks(path, 10) == {"chin": 9, "nose_tip": 5}
    with pytest.raises(LandmarkError, match="found 2, no contour_right_1"):
        read_landmarks(path, 10)
    with pytest.raises(LandmarkError, match="a mesh of 10 vertices"):
        read_picks(path, 11)
    content = json.loads(path.read_text())
    for points, words in (
        ({"nose": 1}, "unknown landmark 'nose'"),
        ({"chin": 3, "nose_tip": 3}, "chin and nose_tip"),
        ({"chin": "3"}, "no vertex index"),
        ({}, "no points"),
        ({"chin": 10}, "does not exist"),
    ):
        path.write_text(json.dumps(content | {"points": points}))
        with pytest.raises(LandmarkError, match=words):
            read_picks(path, 10)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.text(alphabet='0123456789 -{}[]":,\nabc', max_size=200).map(str.encode)))
def test_any_bytes_give_a_typed_error_or_a_list(tmp_path_factory, data) -> None:
    path = tmp_path_factory.mktemp("fuzz", numbered=True) / "points"
    path.write_bytes(data)
    for read in (read_landmarks, read_picks):
        try:
            read(path, 50)
        except BlendvocaError:
            continue
