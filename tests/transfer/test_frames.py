"""Deformation gradients and the operators built from them: identities that must hold."""

from __future__ import annotations

import numpy as np
import pytest

from blendvoca.errors import MeshError
from blendvoca.transfer.face_method import linear_gradients
from blendvoca.transfer.frames import (
    affine_matrix,
    deformation_gradients,
    degenerate_faces,
    fourth_vertices,
    gradient_matrix,
    inverse_frames,
)
from blendvoca.transfer.operator import TransferOperator, fix_translation

FACES = np.array([[0, 1, 2], [0, 2, 3], [0, 3, 1], [1, 3, 2]])
POINTS = np.random.default_rng(0).normal(size=(4, 3))
TURN = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
TURN *= np.sign(np.linalg.det(TURN))


def test_gradient_of_a_similarity_is_the_similarity() -> None:
    found = deformation_gradients(inverse_frames(POINTS, FACES), 1.7 * POINTS @ TURN.T + 3, FACES)
    np.testing.assert_allclose(found, np.broadcast_to(1.7 * TURN, (4, 3, 3)), atol=1e-12)


def test_constants_lie_in_the_kernel_and_linear_maps_come_back() -> None:
    matrix = gradient_matrix(POINTS, FACES)
    np.testing.assert_allclose(matrix @ np.ones(4), 0, atol=1e-12)
    linear = np.random.default_rng(2).normal(size=(3, 3))
    found = (matrix @ (POINTS @ linear.T)).reshape(4, 3, 3).transpose(0, 2, 1)
    edges = POINTS[FACES[:, 1:]] - POINTS[FACES[:, :1]]
    np.testing.assert_allclose(np.einsum("fij,fej->fei", found, edges), edges @ linear.T, atol=1e-12)


def test_affine_matrix_reads_the_fourth_vertices() -> None:
    linear = np.random.default_rng(3).normal(size=(3, 3))
    unknowns = np.concatenate([POINTS, fourth_vertices(POINTS, FACES)]) @ linear.T + 5
    found = (affine_matrix(POINTS, FACES) @ unknowns).reshape(4, 3, 3).transpose(0, 2, 1)
    np.testing.assert_allclose(found, np.broadcast_to(linear, (4, 3, 3)), atol=1e-12)


def test_linear_gradients_agree_with_the_exact_ones_to_first_order() -> None:
    edges = POINTS[FACES[:, 1:]] - POINTS[FACES[:, :1]]
    normals = np.cross(edges[:, 0], edges[:, 1])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    axis = np.random.default_rng(4).normal(size=3) * 1e-5
    spin = np.cross(axis, POINTS)  # an infinitesimal rotation
    found = linear_gradients(gradient_matrix(POINTS, FACES), normals, spin[None])[0]
    exact = deformation_gradients(inverse_frames(POINTS, FACES), POINTS + spin, FACES) - np.eye(3)
    np.testing.assert_allclose(found, exact, atol=1e-9)


def test_operator_undoes_its_gradients_and_repeats_itself() -> None:
    moves = np.random.default_rng(5).normal(size=(3, 4, 3))
    gradients = deformation_gradients(inverse_frames(POINTS, FACES), POINTS + moves, FACES) - np.eye(3)
    operator = TransferOperator(POINTS, FACES)
    found = operator.displacements(gradients)
    np.testing.assert_allclose(found - found[:, :1], moves - moves[:, :1], atol=1e-10)
    assert (operator.displacements(gradients) == found).all()
    assert (operator.displacements(np.zeros((1, 4, 3, 3))) == 0).all()


def test_translation_follows_the_static_landmarks() -> None:
    wanted = np.zeros((1, 4, 3))
    wanted[0, 3] = [0, 1.0, 0]  # one landmark moves, three stay
    shifted = wanted + 7.0
    np.testing.assert_allclose(fix_translation(shifted, np.arange(4), wanted), wanted, atol=1e-12)


def test_triangles_without_area_are_found_whatever_the_unit() -> None:
    for scale in (1e-6, 1.0, 1e6):
        points = scale * np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0], [0, 1e-3, 0]])
        faces = np.array([[0, 1, 2], [0, 1, 3], [0, 0, 3]])
        assert degenerate_faces(points, faces).tolist() == [0, 2]
    with pytest.raises(MeshError, match="without area"):
        inverse_frames(points, faces)
