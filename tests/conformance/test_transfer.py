"""Deformation transfer against another implementation's answer (conformance/transfer.npz)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from blendvoca.transfer.frames import deformation_gradients, inverse_frames
from blendvoca.transfer.operator import TransferOperator


def test_transfer_with_the_identity_correspondence_matches_the_reference(conformance: Path) -> None:
    data = np.load(conformance / "transfer.npz")
    faces, target = data["faces"], data["target_neutral"]
    inverse = inverse_frames(data["source_neutral"], faces)
    gradients = deformation_gradients(inverse, data["source_deformed"], faces) - np.eye(3)
    moved = target + TransferOperator(target, faces).displacements(gradients)
    expected = data["expected"]
    difference = (moved - moved.mean(axis=1, keepdims=True)) - (expected - expected.mean(axis=1, keepdims=True))
    assert len(expected) == len(data["shape_names"])
    assert np.abs(difference).max() <= 1e-7 * np.ptp(target, axis=0).max()


def test_the_reference_is_sensitive_to_the_normal_column(conformance: Path) -> None:
    """The check above would notice a gradient that ignores the triangle's normal."""
    data = np.load(conformance / "transfer.npz")
    faces, target, source = data["faces"], data["target_neutral"], data["source_neutral"]
    gradients = deformation_gradients(inverse_frames(source, faces), data["source_deformed"], faces) - np.eye(3)
    edges = source[faces[:, 1:]] - source[faces[:, :1]]
    normal = np.cross(edges[:, 0], edges[:, 1])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    tangential = gradients - (gradients @ normal[..., None]) * normal[:, None]
    operator = TransferOperator(target, faces)
    size = np.ptp(target, axis=0).max()
    shift = operator.displacements(gradients) - operator.displacements(tangential)
    assert np.abs(shift - shift.mean(axis=1, keepdims=True)).max() > 1e-4 * size
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(tangential, gradients, atol=1e-6)
