"""The public interface: every exported name is there, is what type checkers see, and shows itself briefly."""

import ast
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import blendvoca
from blendvoca import BlendshapeRig, Clip, CoefficientTrack, Mesh, Waveform

ROOT = Path(__file__).resolve().parent.parent
LAZY = ("blendvoca", "blendvoca.view", "landmarks", "said_model")


@pytest.mark.parametrize("package", LAZY)
def test_every_exported_name_is_defined_where_it_is_said_to_be(package):
    if package == "said_model":
        pytest.importorskip("torch", reason="pip install 'blendvoca[said]' to run this test")
    module = import_module(package)
    for name in module.__all__:
        assert getattr(module, name) is getattr(import_module(f"{package}.{module._HOMES[name]}"), name)
    assert dir(module) == module.__all__
    with pytest.raises(AttributeError, match="no attribute 'nobody'"):
        module.nobody  # noqa: B018


@pytest.mark.parametrize("package", LAZY)
def test_type_checkers_see_the_same_names(package):
    tree = ast.parse((ROOT / package.replace(".", "/") / "__init__.py").read_text())
    seen = {
        alias.asname: f"{node.module}"
        for block in tree.body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    homes = import_module(package)._HOMES
    assert seen == {name: f"{package}.{home}" for name, home in homes.items()}


def test_the_package_says_its_version():
    assert blendvoca.__version__.count(".") == 2


def test_values_show_themselves_in_two_lines_at_most():
    mesh = Mesh(np.eye(3), [[0, 1, 2]])
    track = CoefficientTrack(np.zeros((168, 2)), ("jawOpen", "mouthLeft"), 60)
    sound = Waveform(np.zeros(8000), 16_000)
    assert repr(mesh) == "Mesh(3 vertices, 1 triangles)"
    assert (
        repr(track) == "CoefficientTrack(168 frames, 2 shapes, 60 fps, 2.80 s,\n  jawOpen, mouthLeft; values 0 to 0.00)"
    )
    assert repr(sound) == "Waveform(0.50 s, 16000 Hz)"
    rig = BlendshapeRig(mesh, np.zeros((1, 3, 3)), ("jawOpen",))
    assert repr(rig) == "BlendshapeRig(1 shapes, 3 vertices, 1 faces,\n  jawOpen; diagonal 1.73)"
    assert repr(Clip("a", "b", track)) == "Clip(a/b, 168 frames of 2 shapes at 60 fps,\n  no sound)"
    assert repr(sound) in repr(Clip("a", "b", track, sound))
