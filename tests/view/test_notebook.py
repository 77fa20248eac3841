"""What a notebook shows: curves, a sheet, a table, and never markup of names from outside."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import shard_builders as build

from blendvoca import BlendVOCA, CoefficientTrack
from blendvoca.errors import MissingDependencyError
from blendvoca.view import notebook


def test_a_track_shows_the_curves_that_move_most() -> None:
    values = np.zeros((90, 7))
    values[:, 3], values[:, 5] = np.linspace(0, 1, 90), 0.4
    values[10:20, 6] = 0.5
    names = ("a", "b", "c", "<jaw>", "e", "still", "g")
    text = CoefficientTrack(values, names, 30.0)._repr_html_()
    tree = ElementTree.fromstring(text.replace("&nbsp;", " "))
    curves = tree.findall(".//polyline")
    assert len(curves) == 5 and "&lt;jaw&gt;" in text and "<jaw>" not in text and "and 2 more" in text
    first = [float(point.split(",")[1]) for point in curves[0].get("points", "").split()]
    assert first[0] == 150.0 and first[-1] == 0.0, "rises from 0 at the bottom to 1 at the top"


def test_a_long_track_stays_small() -> None:
    track = CoefficientTrack(np.random.default_rng(0).uniform(0, 1, (100_000, 3)), ("a", "b", "c"), 60.0)
    assert len(track._repr_html_()) < 80_000


def test_a_dataset_is_a_table(tmp_path: Path) -> None:
    build.dataset(tmp_path / "BlendVOCA")
    dataset = BlendVOCA(tmp_path / "BlendVOCA")
    tree = ElementTree.fromstring(dataset._repr_html_().replace("&nbsp;", " "))
    rows = tree.findall(".//tr")
    assert len(rows) == 1 + min(len(dataset), 12)
    assert [cell.text for cell in rows[1]][:2] == list(dataset.keys()[0])


def test_a_rig_is_a_sheet_and_names_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build.dataset(tmp_path / "BlendVOCA")
    dataset = BlendVOCA(tmp_path / "BlendVOCA")
    rig = dataset.rig(dataset.speakers[0])

    def missing(_: object) -> bytes:
        raise MissingDependencyError("pillow", "view", "writing pictures")

    monkeypatch.setattr(notebook, "_sheet", missing)
    assert "blendvoca[view]" in rig._repr_html_() and rig.names[0] in rig._repr_html_()
    monkeypatch.undo()
    pytest.importorskip("PIL", reason="pip install 'blendvoca[view]' to run this test")
    assert "data:image/png;base64,iVBOR" in rig._repr_html_()
