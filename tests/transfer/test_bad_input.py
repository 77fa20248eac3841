"""What is refused by name, and what is repaired and said so."""

from __future__ import annotations

import numpy as np
import pytest

from blendvoca.crop import Crop
from blendvoca.errors import ConfigurationError, LandmarkError, MeshError
from blendvoca.mesh import Mesh
from blendvoca.transfer import TransferConfig, clean, transfer_rig
from blendvoca.transfer.face_method import FaceConfig

# Row i of the scheme is the mirror of row MIRROR[i].
MIRROR = np.r_[
    16:-1:-1, 26:16:-1, 27:31, 35:30:-1, 45:41:-1, 47, 46, 39:35:-1, 41, 40, 54:47:-1, 59:54:-1, 64:59:-1, 67:64:-1
]


def attempt(sample, marks: np.ndarray, mesh: Mesh | None = None) -> None:  # type: ignore[no-untyped-def]
    transfer_rig(sample.mask, sample.mask_landmarks, mesh or sample.head.neutral, marks)


def test_missing_landmarks(sample) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(LandmarkError, match="differ in length"):
        attempt(sample, sample.head_landmarks[:51])


def test_doubled_landmarks(sample) -> None:  # type: ignore[no-untyped-def]
    marks = sample.head_landmarks.copy()
    marks[5] = marks[40]
    with pytest.raises(LandmarkError, match=r"\[5, 40\] are the same vertex"):
        attempt(sample, marks)


def test_mirrored_landmarks(sample) -> None:  # type: ignore[no-untyped-def]
    assert sorted(MIRROR.tolist()) == list(range(68))
    with pytest.raises(LandmarkError, match="mirrored left to right"):
        attempt(sample, sample.head_landmarks[MIRROR])


def test_landmarks_out_of_range(sample) -> None:  # type: ignore[no-untyped-def]
    marks = sample.head_landmarks.copy()
    marks[7] = 10**6
    with pytest.raises(LandmarkError, match="landmark 7 is not on the mesh"):
        attempt(sample, marks)
    with pytest.raises(LandmarkError, match="no list of vertex indices"):
        attempt(sample, sample.head_landmarks.astype(float))


def test_landmarks_outside_the_region(sample) -> None:  # type: ignore[no-untyped-def]
    head, marks = sample.head.neutral, sample.head_landmarks
    region = Crop.of(np.setdiff1d(np.arange(head.n_vertices), marks[:3]), head.n_vertices)
    with pytest.raises(LandmarkError, match="leaves 3 of the landmarks out"):
        transfer_rig(sample.mask, sample.mask_landmarks, head, marks, region=region)


def test_landmarks_of_another_scheme(sample) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(LandmarkError, match="same points of a face"):
        attempt(sample, np.random.default_rng(0).permutation(sample.head_landmarks))


def test_landmarks_on_the_eyeballs(sample) -> None:  # type: ignore[no-untyped-def]
    head = sample.head.neutral
    split = Mesh(head.vertices[head.faces].reshape(-1, 3), np.arange(3 * head.n_faces).reshape(-1, 3))
    first = np.array([int(np.flatnonzero(head.faces.ravel() == mark)[0]) for mark in sample.head_landmarks])
    with pytest.raises(MeshError, match="do not touch"):
        attempt(sample, first, split)


def test_a_head_that_is_no_head(sample) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(0)
    ball = rng.normal(size=(500, 3))
    mesh = Mesh(ball / np.linalg.norm(ball, axis=1, keepdims=True), rng.integers(0, 500, (900, 3)))
    with pytest.raises((LandmarkError, MeshError)):
        attempt(sample, rng.permutation(500)[:68], mesh)


def test_triangles_without_area_and_doubled_ones_are_left_out_and_said(sample, result) -> None:  # type: ignore[no-untyped-def]
    head = sample.head.neutral
    nose = np.flatnonzero((head.faces == sample.head_landmarks[30]).any(axis=1))
    a, b, _ = head.faces[nose[0]]
    extra = np.array([[a, a, b], head.faces[nose[1]], head.faces[nose[2]]])
    found = sample.transfer(Mesh(head.vertices, np.concatenate([head.faces, extra])))
    assert any("without area" in note for note in found.prepared.notes)
    assert any("twice" in note for note in found.prepared.notes)
    np.testing.assert_allclose(found.rig.deltas, result.rig.deltas, atol=1e-12)


def test_a_doubled_sheet_is_no_surface(sample) -> None:  # type: ignore[no-untyped-def]
    head = sample.head.neutral
    third = np.random.default_rng(0).integers(0, head.n_vertices, head.n_faces)
    walls = np.column_stack([head.faces[:, 0], head.faces[:, 1], third])
    with pytest.raises(MeshError):
        attempt(sample, sample.head_landmarks, Mesh(head.vertices, np.concatenate([head.faces, walls])))


def test_too_large_a_region_names_the_bound(sample, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(clean, "MAX_VERTICES", 1000)
    with pytest.raises(MeshError, match="at most 1000"):
        attempt(sample, sample.head_landmarks)


def test_a_source_without_areas(sample) -> None:  # type: ignore[no-untyped-def]
    mask = sample.mask.neutral
    flat = mask.vertices.copy()
    flat[mask.faces[7]] = flat[mask.faces[7, 0]]
    with pytest.raises(MeshError, match="source has triangles without area"):
        transfer_rig(type(sample.mask)(mask.with_vertices(flat), sample.mask.deltas, sample.mask.names),
                     sample.mask_landmarks, sample.head.neutral, sample.head_landmarks)  # fmt: skip


def test_shapes_of_another_mesh(result) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(MeshError, match="not of the source mesh"):
        result.prepared.apply(np.zeros((2, 7, 3)))


def test_settings() -> None:
    with pytest.raises(ConfigurationError, match="unknown transfer method"):
        TransferConfig("magic")
    with pytest.raises(ConfigurationError):
        FaceConfig(screening_length=0)
