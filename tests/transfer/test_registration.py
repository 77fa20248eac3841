"""Registration and correspondence on the sample."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from blendvoca.geometry import closest_points, face_normals
from blendvoca.geometry.surface import Surface
from blendvoca.transfer import TransferConfig, TransferResult
from blendvoca.transfer.common_space import common_space
from blendvoca.transfer.openings.lip_sides import BETWEEN, of_faces, side_labels
from blendvoca.transfer.registration import RegistrationConfig, register


def test_markers_are_exact_and_the_source_lies_on_the_target(result: TransferResult) -> None:
    figures = result.report.figures
    assert figures["markers_mm"] < 1e-6
    assert figures["fit_mean_mm"] < 0.1 and figures["fit_max_mm"] < 1.5
    assert figures["registration_flips"] == 0
    found = closest_points(result.prepared.registered, result.rig.neutral.vertices, result.rig.neutral.faces)
    assert found.distance.max() * 1e3 < 1.5


def test_each_step_comes_nearer(result: TransferResult) -> None:
    steps = result.prepared.registration.steps
    assert len(steps) == len(RegistrationConfig().closest)
    assert all(later <= earlier * 1.01 for earlier, later in pairwise(steps[1:]))


def test_registration_onto_itself_stays(sample) -> None:  # type: ignore[no-untyped-def]
    mask, marks = sample.mask.neutral, sample.mask_landmarks
    pairs = np.column_stack([marks, marks])
    space = common_space(mask.vertices, mask.vertices, pairs)
    points = space.source_points(mask.vertices)
    found = register(Surface(points, mask.faces), Surface(points, mask.faces), pairs)
    np.testing.assert_allclose(found.vertices, points, atol=1e-10)


def test_every_triangle_is_mapped_or_knowingly_smooth(sample) -> None:  # type: ignore[no-untyped-def]
    plain = sample.transfer(config=TransferConfig("sumner-popovic")).prepared.solver.correspondence
    sums = np.asarray(plain.weights.sum(axis=1)).ravel()
    assert plain.smooth.any() and (~plain.smooth).any()
    np.testing.assert_allclose(sums[~plain.smooth], 1.0)
    assert (sums[plain.smooth] == 0).all()
    gradients = np.tile(np.eye(3), (1, plain.weights.shape[1], 1, 1))
    spread = plain.gradients(gradients)
    connected = np.abs(spread).sum(axis=(0, 2, 3)) > 0
    np.testing.assert_allclose(spread[0, connected], np.tile(np.eye(3), (connected.sum(), 1, 1)), atol=1e-6)
    assert connected.mean() > 0.95


def test_many_source_triangles_may_speak_for_one(sample) -> None:  # type: ignore[no-untyped-def]
    plain = sample.transfer(config=TransferConfig("sumner-popovic")).prepared.solver.correspondence
    assert plain.weights.getnnz(axis=1).max() > 1 and plain.weights.getnnz(axis=0).max() > 1


def test_sides_tell_the_lips_apart(sample) -> None:  # type: ignore[no-untyped-def]
    mesh, marks = sample.head.neutral, sample.head_landmarks
    labels = side_labels(Surface(mesh.vertices, mesh.faces), marks)
    assert (labels[marks[[61, 62, 63, 50, 51, 52]]] == 1).all() and (labels[marks[[65, 66, 67, 57]]] == -1).all()
    assert (labels[marks[[37, 38]]] == 2).all() and (labels[marks[[46, 47]]] == -3).all()
    assert labels[marks[30]] == 0 and labels[marks[8]] == 0
    faces = of_faces(labels, mesh.faces)
    corners = labels[mesh.faces]
    assert not ((corners * faces[:, None] < 0) & (faces != BETWEEN)[:, None]).any()
    assert ((faces == 0) == (corners == 0).all(axis=1)).all()


def test_rims_land_on_their_own_lip(result: TransferResult) -> None:
    """A rim vertex on the other lip drags single vertices along with it: spikes in jawOpen."""
    solver = result.prepared.solver
    labels, rims = solver.sides[0], solver.landing.tocoo()
    region = result.region.apply(result.rig.neutral)
    skin = result.prepared.skin.apply(region)
    marks = result.prepared.skin.indices(result.prepared.pairs[:, 1])
    own, other = labels[solver.rims[rims.row]], side_labels(Surface(skin.vertices, skin.faces), marks)[rims.col]
    assert (own != 0).sum() > 20 and not ((own * other < 0) & (np.abs(own) == np.abs(other))).any()


def test_a_correspondence_never_crosses_the_lips(sample, result: TransferResult) -> None:  # type: ignore[no-untyped-def]
    solver = result.prepared.solver
    mask = Surface(sample.mask.neutral.vertices, sample.mask.neutral.faces)
    source = of_faces(side_labels(mask, sample.mask_landmarks), mask.faces)
    region = result.region.apply(result.rig.neutral)
    skin = result.prepared.skin.apply(region)
    marks = result.prepared.skin.indices(result.prepared.pairs[:, 1])
    target = of_faces(side_labels(Surface(skin.vertices, skin.faces), marks), skin.faces)
    pairs = solver.correspondence.weights.tocoo()
    assert not ((target[pairs.row] * source[pairs.col] < 0) & (np.abs(target[pairs.row]) == 1)).any()


def test_normals_are_respected(sample) -> None:  # type: ignore[no-untyped-def]
    """The back of a closed slab is never a closest point, however near."""
    mask, marks = sample.mask.neutral, sample.mask_landmarks
    inside = np.concatenate([mask.vertices, mask.vertices - 1e-3 * np.array([0, 0, 1.0])])
    faces = np.concatenate([mask.faces, mask.faces[:, ::-1] + mask.n_vertices])
    pairs = np.column_stack([marks, marks])
    found = register(Surface(mask.vertices * 20, mask.faces), Surface(inside * 20, faces), pairs)
    front = closest_points(found.vertices, inside * 20, faces)
    agree = (face_normals(inside, faces)[front.face, 2] > -0.5).mean()
    assert agree > 0.97


@pytest.mark.parametrize("weights", [(0.0,), (0.0, 10.0)])
def test_fewer_steps_still_hold_the_markers(sample, weights: tuple[float, ...]) -> None:  # type: ignore[no-untyped-def]
    found = sample.transfer(config=TransferConfig(registration=RegistrationConfig(closest=weights)))
    assert found.report.figures["markers_mm"] < 1e-6
