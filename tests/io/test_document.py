"""docs/export.md shows the mapping tables and the kinds as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from blendvoca.export.convert import KINDS
from blendvoca.export.recipes import RECIPES, load_recipe

PAGE = (Path(__file__).parents[2] / "docs" / "export.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", RECIPES)
def test_tables_are_the_files(name):
    rows = PAGE.split(f"| {name} | ARKit pose |\n|---|---|\n")[1].split("\n\n")[0].splitlines()
    shown = dict(row.strip("| ").split(" | ") for row in rows)
    poses = load_recipe(name).shapes.items()
    assert shown == {
        shape: ", ".join(f"{arkit} {weight:g}" for arkit, weight in pose.items()) or "rest" for shape, pose in poses
    }
    assert list(shown) == list(load_recipe(name).shapes)


def test_every_kind_is_toured():
    assert all(f"`{kind}`" in PAGE and f"--to {kind}" in PAGE for kind in KINDS)
