"""One matcher of names, for tables, captures, rigs and the Blender add-on."""

from __future__ import annotations

import re
import time

import pytest

from blendvoca.arkit import ARKIT_NAMES, arkit_name
from blendvoca.internal.spelling import match_names, split_name


def _snake(name: str) -> str:
    return re.sub(r"([A-Z])", r"_\1", name).lower()


def _side(name: str, put: str) -> str:
    """Write the side another way: ``put`` holds {stem} and {S} or {Side}."""
    for side in ("Left", "Right"):
        if name.endswith(side):
            return put.format(stem=name.removesuffix(side), S=side[0], s=side[0].lower(), Side=side, side=side.lower())
    return name


STYLES = {
    "ARKit": str,
    "capitalised": lambda name: name[0].upper() + name[1:],
    "snake": _snake,
    "upper snake": lambda name: _snake(name).upper(),
    "spaces": lambda name: _snake(name).replace("_", " ").title(),
    "kebab": lambda name: _snake(name).replace("_", "-"),
    "_L": lambda name: _side(name, "{stem}_{S}"),
    "_l": lambda name: _snake(_side(name, "{stem}_{s}")).replace("__", "_"),
    ".L": lambda name: _side(name, "{stem}.{S}"),
    "L": lambda name: _side(name, "{stem}{S}"),
    "L first": lambda name: _side(name, "{S}_{stem}"),
    "left first": lambda name: _side(name[0].upper() + name[1:], "{side}{stem}"),
    "Left first": lambda name: _side(name, "{Side}_{stem}"),
    "lower": str.lower,
    "upper": str.upper,
    "bs_": lambda name: f"bs_{name}",
    "MetaHuman": lambda name: f"CTRL_expressions_{name}",
    "MetaHuman with L": lambda name: "CTRL_expressions_" + _side(name, "{stem}{S}"),
    "node": lambda name: f"Head.{name}",
    "maya": lambda name: f"blendShape1.{_side(name, '{stem}_{S}')}",
    "namespace": lambda name: f"rig:face|{name}",
    "numbered": lambda name: f"A01_{_snake(name)}",
    "Wolf3D": lambda name: f"Wolf3D_Head_{name}",
}
#: Styles with a prefix: the other way round it is not the name's own.
PREFIXED = ("MetaHuman", "MetaHuman with L", "node", "maya", "namespace", "numbered", "Wolf3D", "bs_")


@pytest.mark.parametrize("style", STYLES)
def test_every_name_in_every_style_is_itself_and_no_other(style):
    spelt = [STYLES[style](name) for name in ARKIT_NAMES]
    assert [arkit_name(spelling) for spelling in spelt] == list(ARKIT_NAMES)
    assert match_names(list(ARKIT_NAMES), spelt) == {name: [key] for name, key in zip(ARKIT_NAMES, spelt)}
    if style not in (
        "MetaHuman",
        "MetaHuman with L",
        "node",
        "maya",
        "namespace",
        "numbered",
        "Wolf3D",
        "bs_",
    ):
        assert match_names(spelt, list(ARKIT_NAMES)) == {key: [name] for name, key in zip(ARKIT_NAMES, spelt)}


@pytest.mark.parametrize(
    "other", ["", "_", "L", "left", "HeadYaw", "time", "Timecode", "browInnerUpLeft", "upper_mouth_left",
              "lipJawLeftOpen", "CTRL_expressions_mouthCornerPullL", "smileMouthRight", "jawOpenShape",
              "happy", "Fcl_MTH_A", "口"]
)  # fmt: skip
def test_other_names_are_none_of_arkits(other):
    assert arkit_name(other) is None


def test_words_and_sides():
    assert split_name("Face.M_F00_eyeBlink_L") == (("face", "m", "f00", "eye", "blink"), "left")
    assert split_name("eyeLookInRight") == (("eye", "look", "in"), "right")
    assert split_name("L_Eye.eyeBlinkRight") == (("eye", "eye", "blink"), "right")


def test_own_names_match_too_and_doubt_matches_nothing():
    assert match_names(["Mouth_Open"], ["mouthOpen", "other"]) == {"Mouth_Open": ["mouthOpen"]}
    assert match_names(["a"], ["A", "a"]) == {"a": ["a"]}
    assert match_names(["a"], ["A", "A_"]) == {}
    assert match_names(["jawOpen"], ["x_jawOpen", "y_jawOpen"]) == {}
    assert match_names(["browInnerUp"], ["browInnerUp_L"]) == {}


def test_many_keys_take_linear_time():
    keys = [f"some_long_prefix_shape{number}_L" for number in range(50_000)] + ["jawOpen"] * 50_000
    start = time.process_time()
    assert match_names(list(ARKIT_NAMES), keys) == {"jawOpen": ["jawOpen"]}
    assert time.process_time() - start < 5
