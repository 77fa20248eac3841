"""Names from outside, and paths that are made of them."""

from __future__ import annotations

import numpy as np
import pytest

from blendvoca.clip import Clip
from blendvoca.errors import FormatError, InputError, RigError, TrackError
from blendvoca.internal.names import check_distinct, check_file_name, check_label, inside, repeated, shown
from blendvoca.mesh import Mesh
from blendvoca.rig import BlendshapeRig
from blendvoca.track import CoefficientTrack

HOSTILE = ["", " ", "a\nb", "a\x1b[31mb", "\ud800", "a\0b", "x" * 300, "\u202egnp.exe\u200b\x07"]
OUTSIDE = ["..", ".", "../EVIL", "/etc/passwd", "a/b", "a\\b", "C:x", ".hidden", "-rf", "a ", "a.", "nul", "COM1.txt"]


@pytest.mark.parametrize("name", HOSTILE)
def test_labels_that_are_none(name):
    with pytest.raises(InputError):
        check_label(name, "blendshape")
    with pytest.raises(TrackError):
        CoefficientTrack(np.zeros((1, 1)), (name,), 60)
    with pytest.raises(RigError):
        BlendshapeRig(Mesh(np.eye(3), np.array([[0, 1, 2]])), np.zeros((1, 3, 3)), (name,))


@pytest.mark.parametrize("name", [*HOSTILE, *OUTSIDE, "Überbiß", None, 3, ["a"]])
def test_names_that_cannot_name_files(name):
    with pytest.raises(InputError):
        check_file_name(name, "speaker")
    for pair in ((name, "sentence01"), ("alice", name)):
        with pytest.raises(InputError):
            Clip(*pair, CoefficientTrack(np.zeros((1, 1)), ("jawOpen",), 60))


@pytest.mark.parametrize("name", ["FaceTalk_170725_00137_TA", "sentence01", "a", "3.wav-take_2"])
def test_plain_names_pass(name):
    assert check_file_name(name, "speaker") == check_label(name, "speaker") == name


def test_names_that_differ_in_case_alone():
    with pytest.raises(InputError, match="ignoring case"):
        check_distinct(["Alice", "bob", "alice"], "speaker")
    check_distinct(["alice", "bob"], "speaker")


OUT = ["..", "../x", "/x", "a/../../x", "", "a\\..\\b", "c:x", "a\nb", ".hidden"]


@pytest.mark.parametrize("part", [*OUT, "a/.b", "a//b"])
def test_paths_stay_inside(tmp_path, part):
    with pytest.raises(FormatError, match="leads out of the folder"):
        inside(tmp_path, "good", part)


def test_paths_inside(tmp_path):
    assert inside(tmp_path, "alice", "sentence01.csv") == tmp_path / "alice" / "sentence01.csv"
    assert inside(tmp_path, "a/b") == tmp_path / "a" / "b"


def test_many_equal_names_take_linear_time():
    assert repeated(["a"] * 200_000 + [f"n{i}" for i in range(200_000)]) == ["a"]


def test_foreign_values_are_never_spelled_out():
    class Bomb:
        def __repr__(self):
            raise AssertionError("its repr was taken")

    assert shown(Bomb()) == "a value of type Bomb"
    assert len(shown("x" * 10**6)) < 100 and shown("a\x1bb") == r"'a\x1bb'"
    assert shown(10**400) == "a value of type int"
