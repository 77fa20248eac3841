"""A build of heads with FLAME's sizes: landmarks and published region come from the fetched lists.

FLAME itself is licensed, so a sample head is refined to FLAME's counts and its vertices are put in an order in which
the published index lists fall where they belong.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from sample_builders import FRAMES, small_sample

from blendvoca.dataset import BlendVOCA
from blendvoca.errors import MissingInputError
from blendvoca.geometry.boundary import boundary_loops
from blendvoca.io.mesh.ply import read_ply
from blendvoca.io.mesh.ply_write import write_ply
from blendvoca.mesh import Mesh
from landmarks.files import read_landmarks
from pipelines.build import build
from pipelines.config import BuildConfig

VERTICES, TRIANGLES = 5023, 9976


def refine(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split triangles of the back of the head at their centres, and close part of the neck, up to FLAME's counts."""
    extra = VERTICES - len(vertices)
    back = np.argsort(vertices[faces].mean(axis=1)[:, 2])[:extra]
    centres = np.arange(len(vertices), VERTICES)
    corners = faces[back]
    split = [np.stack([corners[:, i], corners[:, (i + 1) % 3], centres], 1) for i in range(3)]
    faces = np.concatenate([np.delete(faces, back, axis=0), *split])
    neck = min(boundary_loops(faces), key=lambda loop: vertices[loop, 1].mean())
    fan = [[neck[0], neck[i + 1], neck[i]] for i in range(1, 1 + TRIANGLES - len(faces))]
    return np.concatenate([vertices, vertices[corners].mean(axis=1)]), np.concatenate([faces, fan])


def flame_order(vertices: np.ndarray, marks: np.ndarray, said: Path) -> np.ndarray:
    """Return which vertex stands at each of FLAME's places: landmarks and the neck where the lists say."""
    places = read_landmarks(said / "FLAME_landmarks.txt", VERTICES)
    kept = np.array((said / "FLAME_head_idx.txt").read_text().split(), dtype=int)
    dropped = np.setdiff1d(np.arange(VERTICES), kept)
    order = np.full(VERTICES, -1)
    order[places] = marks
    free = np.setdiff1d(np.arange(VERTICES), marks)
    lowest = free[np.argsort(vertices[free, 1])]
    order[dropped] = lowest[: len(dropped)]
    order[order < 0] = np.sort(lowest[len(dropped) :])
    return order


@pytest.fixture(scope="module")
def flame_sized(tmp_path_factory, assets) -> Path:
    """A sample of one short sentence whose heads have FLAME's topology, with nothing beside it."""
    corpus = small_sample(tmp_path_factory.mktemp("flame") / "corpus", speakers=1, sentences=1, max_frames=9)
    template = read_ply(corpus / "templates" / "speaker01.ply")
    marks = read_landmarks(corpus / "landmarks" / "head.txt", template.n_vertices)
    vertices, faces = refine(template.vertices, template.faces)
    order = flame_order(vertices, marks, assets / "said")
    place = np.argsort(order)
    for path in [corpus / "templates" / "speaker01.ply", *(corpus / FRAMES).rglob("*.ply")]:
        moved, _ = refine(read_ply(path).vertices, template.faces)
        write_ply(path, Mesh(moved[order], place[faces]))
    for beside in ("landmarks", "truth"):
        shutil.rmtree(corpus / beside)
    return corpus


def test_lists_are_found_and_the_published_region_is_built(flame_sized, tmp_path, assets, monkeypatch):
    monkeypatch.setenv("BLENDVOCA_ASSETS", str(assets))
    result = build(BuildConfig(flame_sized, source_rig="arkit"), tmp_path / "out")
    assert result.failures == []
    dataset = BlendVOCA(tmp_path / "out")
    kept = np.array((assets / "said" / "FLAME_head_idx.txt").read_text().split(), dtype=int)
    parts = dataset.parts("speaker01")
    np.testing.assert_array_equal(parts.crop.kept, kept)
    assert parts.deltas.shape == (32, len(kept), 3)
    listed = read_landmarks(assets / "said" / "FLAME_landmarks.txt", VERTICES)
    np.testing.assert_array_equal(kept[parts.landmarks], listed)
    jaw = np.linalg.norm(parts.deltas[parts.names.index("jawOpen")], axis=1)
    assert 0.01 < jaw.max() < 0.06
    assert dataset[0].certificate.problems() == []


def test_missing_lists_are_named(flame_sized, tmp_path, monkeypatch):
    monkeypatch.setenv("BLENDVOCA_ASSETS", str(tmp_path / "nothing"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    try:
        result = build(BuildConfig(flame_sized), tmp_path / "out")
    except MissingInputError as error:
        told = str(error)
    else:
        told = " ".join(failure.error for failure in result.failures)
    assert "FLAME_landmarks.txt" in told
    assert "blendvoca download" in told
    assert not list((tmp_path / "out").glob("*.h5"))
