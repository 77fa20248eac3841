"""The whole transfer on the sample, where the truth is known, and its invariances."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from blendvoca.crop import Crop
from blendvoca.geometry import boundary_loops, closest_points, face_normals, undirected_edges, vertex_components
from blendvoca.geometry.distance import geodesic_distances
from blendvoca.ibug68 import face_axes
from blendvoca.mesh import Mesh
from blendvoca.rig import BlendshapeRig
from blendvoca.transfer import METHODS, TransferConfig, TransferResult, face_region, transfer_rig
from blendvoca.transfer.quality.figures import relative_errors, roughness
from blendvoca.transfer.reattach import cut_vertices, fade_weights, reattach

BOTH = pytest.mark.parametrize("method", METHODS)


def test_the_true_shapes_come_back(sample, result: TransferResult) -> None:  # type: ignore[no-untyped-def]
    mask, head = sample.mask.neutral, sample.head.neutral
    there = closest_points(head.vertices, mask.vertices, mask.faces).distance < 1e-3
    assert there.sum() > 1000
    errors = relative_errors(result.rig.deltas, sample.head.deltas, there)
    assert errors.max() < 0.10 and np.median(errors) < 0.05


def test_the_report_finds_nothing_wrong(result: TransferResult) -> None:
    assert result.report.failed_figures == () and result.report.failed_shapes == ()
    assert set(result.report.to_json()) == {"figures", "shapes", "failed_shapes", "failed_figures"}


@BOTH
def test_self_transfer_is_exact(sample, method: str) -> None:  # type: ignore[no-untyped-def]
    marks = sample.mask_landmarks
    found = transfer_rig(sample.mask, marks, sample.mask.neutral, marks, TransferConfig(method))
    assert np.abs(found.rig.deltas - sample.mask.deltas).max() < 1e-12


@BOTH
@pytest.mark.parametrize("scale", [100.0, 1000.0, 1.0])
def test_units_and_poses_do_not_matter(sample, method: str, scale: float) -> None:  # type: ignore[no-untyped-def]
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    turn = turn * np.sign(np.linalg.det(turn)) if scale == 1.0 else np.eye(3)
    config, head = TransferConfig(method), sample.head.neutral
    base = sample.transfer(config=config).rig.deltas
    moved = sample.transfer(head.with_vertices(scale * head.vertices @ turn.T + 0.3), config=config).rig.deltas
    assert np.abs(moved @ turn / scale - base).max() < 1e-9 * np.abs(base).max()


def test_the_source_s_unit_does_not_matter(sample, result: TransferResult) -> None:  # type: ignore[no-untyped-def]
    mask = sample.mask
    larger = BlendshapeRig(mask.neutral.with_vertices(mask.neutral.vertices * 100 + 5), mask.deltas * 100, mask.names)
    found = transfer_rig(larger, sample.mask_landmarks, sample.head.neutral, sample.head_landmarks)
    assert np.abs(found.rig.deltas - result.rig.deltas).max() < 1e-9


def test_the_face_method_is_linear(sample, result: TransferResult) -> None:  # type: ignore[no-untyped-def]
    a, b = sample.mask.delta("jawOpen"), sample.mask.delta("mouthClose")
    found = result.prepared.apply(np.stack([a, b, a + b, np.zeros_like(a)]))
    np.testing.assert_allclose(found[0] + found[1], found[2], atol=1e-12)
    assert (found[3] == 0).all()


def test_eyeballs_and_the_back_of_the_head_stay(sample, result: TransferResult) -> None:  # type: ignore[no-untyped-def]
    head = sample.head.neutral
    jaw = np.concatenate([part.vertices for part in result.parts if part.role == "jaw"])
    eyeballs = np.concatenate([part.vertices for part in result.parts if part.role != "jaw"])
    assert (result.rig.deltas[:, eyeballs] == 0).all()
    dropped = np.setdiff1d(np.flatnonzero(result.region.position < 0), jaw)
    assert (result.rig.deltas[:, dropped] == 0).all()
    ears = head.vertices[:, 2] < head.vertices[sample.head_landmarks[[0, 16]], 2].min() - 0.04
    assert ears.sum() > 300 and (result.rig.deltas[:, ears] == 0).all()


def test_the_seam_neither_opens_nor_creases(sample, result: TransferResult) -> None:  # type: ignore[no-untyped-def]
    head = sample.head.neutral
    cut = cut_vertices(head, result.region)
    assert len(cut) > 20 and np.abs(result.rig.deltas[:, cut]).max() < 1e-3
    unit = result.prepared.space.target_unit
    weights = np.zeros(head.n_vertices)
    weights[result.region.kept] = fade_weights(head, result.region, result.prepared.covered, 0.5 * unit)
    assert weights.max() == 1 and (weights[cut] == 0).all()
    edges = undirected_edges(head.faces)
    length = np.linalg.norm(head.vertices[edges[:, 0]] - head.vertices[edges[:, 1]], axis=1)
    band = (weights[edges].min(axis=1) < 1) & (weights[edges].max(axis=1) > 0)
    strain = np.linalg.norm(result.rig.deltas[:, edges[:, 0]] - result.rig.deltas[:, edges[:, 1]], axis=2) / length
    assert band.sum() > 100 and strain[:, band].max() < 1.0
    fading = weights[head.faces].min(axis=1) < 1
    for delta in result.rig.deltas:
        moved = face_normals(head.vertices + delta, head.faces)
        assert not ((moved * face_normals(head.vertices, head.faces)).sum(axis=1) < 0)[fading].any()


def test_the_fade_is_long_and_smooth_in_the_neck(sample, result: TransferResult) -> None:  # type: ignore[no-untyped-def]
    """Where jawOpen has come to rest in the neck lies 30 mm and more from where the source speaks."""
    head, marks = sample.head.neutral, sample.head_landmarks
    chin, axes = head.vertices[marks[8]], face_axes(head.vertices[marks])
    covered = np.flatnonzero(result.covered)
    apart = geodesic_distances(head.vertices, head.faces, covered)
    moves = np.linalg.norm(result.rig.delta("jawOpen"), axis=1)
    neck = ((head.vertices - chin) @ axes[1] < 0) & (vertex_components(head.faces, head.n_vertices) == 0)
    assert apart[neck & (moves < 1e-4)].min() > 0.030
    assert result.report.figures["seam_mm"] < 1.5
    faded = fade_weights(head, result.region, result.prepared.covered, 0.5 * result.prepared.space.target_unit, marks)
    plain = result.region.restore(result.prepared.apply(sample.mask.deltas) * faded[None, :, None])
    smoothed = reattach(
        head, result.region, result.prepared.apply(sample.mask.deltas), result.prepared.covered,
        0.5 * result.prepared.space.target_unit, marks,
    )  # fmt: skip
    fading = result.region.kept[(faded > 0) & (faded < 1)]
    before, after = (np.sqrt((roughness(head, each)[:, fading] ** 2).sum()) for each in (plain, smoothed))
    assert after < 0.8 * before


def test_the_inner_mouth_does_not_fade(sample, result: TransferResult) -> None:  # type: ignore[no-untyped-def]
    weights = fade_weights(sample.head.neutral, result.region, result.prepared.covered, 0.015)
    loops = [loop for loop in boundary_loops(sample.head.neutral.faces) if (result.region.position[loop] >= 0).all()]
    assert loops and (weights[result.region.indices(loops[0])] == 1).all()


def test_the_region_is_the_face(sample) -> None:  # type: ignore[no-untyped-def]
    head, marks = sample.head.neutral, sample.head_landmarks
    region = face_region(head, marks)
    assert (region.position[marks] >= 0).all()
    labels = vertex_components(head.faces, head.n_vertices)
    assert (labels[region.kept] == 0).all()
    assert 0.3 < len(region.kept) / (labels == 0).sum() < 0.9
    assert vertex_components(region.apply(head).faces, len(region.kept)).max() == 0


def test_a_mask_is_kept_whole(sample) -> None:  # type: ignore[no-untyped-def]
    assert len(face_region(sample.mask.neutral, sample.mask_landmarks).kept) == sample.mask.neutral.n_vertices


def test_a_region_of_one_s_own(sample) -> None:  # type: ignore[no-untyped-def]
    head = sample.head.neutral
    own = Crop.of(head.vertices[:, 2] > 0.0, head.n_vertices)
    found = sample.transfer(region=own)
    # It cuts close to landmarks: the fade goes on in the face's own region, and that is said.
    still = (own.position < 0) & (face_region(head, sample.head_landmarks).position < 0)
    still &= found.region.position < 0
    assert still.sum() > 500 and (found.rig.deltas[:, still] == 0).all()
    assert any("take the fade" in note for note in found.prepared.notes)
    assert found.report.figures["jaw_ratio"] == pytest.approx(1.0, abs=0.05)


def test_landmarks_that_are_not_held_agree_as_well(sample) -> None:  # type: ignore[no-untyped-def]
    rows = tuple(range(18, 68, 2))
    found = sample.transfer(config=TransferConfig(unconstrained=rows))
    wanted = sample.mask.deltas[:, sample.mask_landmarks[list(rows)]]
    got = found.rig.deltas[:, sample.head_landmarks[list(rows)]]
    ratio = np.linalg.norm(got, axis=(1, 2)) / np.linalg.norm(wanted, axis=(1, 2))
    assert ratio.min() > 0.9 and ratio.max() < 1.1


def test_other_landmark_lists_transfer_too(sample) -> None:  # type: ignore[no-untyped-def]
    """Without the 68 points there are no sides and lids, but there is a rig."""
    some = np.r_[0, 4, 8, 12, 16, 19, 24, 27, 30, 33, 36, 39, 42, 45, 48, 51, 54, 57]
    found = transfer_rig(sample.mask, sample.mask_landmarks[some], sample.head.neutral, sample.head_landmarks[some])
    assert found.report.figures["cosine_median"] > 0.98


def test_the_plain_method_is_another(sample, result: TransferResult) -> None:  # type: ignore[no-untyped-def]
    plain = sample.transfer(config=TransferConfig("sumner-popovic"))
    assert np.abs(plain.rig.deltas - result.rig.deltas).max() > 1e-3
    assert plain.report.figures["markers_mm"] < 1e-6


def test_loose_geometry_stays_at_rest(sample, result: TransferResult) -> None:  # type: ignore[no-untyped-def]
    head = sample.head.neutral
    vertices = np.concatenate([head.vertices, [[0, 0, 0.2], [0.01, 0, 0.2], [0, 0.01, 0.2], [0.3, 0.3, 0.3]]])
    faces = np.concatenate([head.faces, [[head.n_vertices, head.n_vertices + 1, head.n_vertices + 2]]])
    found = sample.transfer(Mesh(vertices, faces))
    assert (found.rig.deltas[:, head.n_vertices :] == 0).all()
    np.testing.assert_allclose(found.rig.deltas[:, : head.n_vertices], result.rig.deltas, atol=1e-12)


def test_the_inside_of_openings_belongs_to_a_region(sample) -> None:  # type: ignore[no-untyped-def]
    """A mask that ends at the lips' and lids' rims (FLAME's own face mask does) fades no lip."""
    head, marks = sample.head.neutral, sample.head_landmarks
    whole = face_region(head, marks)
    result = sample.transfer()
    outer = np.zeros(head.n_vertices, dtype=bool)
    outer[whole.kept] = True
    outer[whole.kept[~result.prepared.covered & ~fade_is_outside(result)]] = False
    outer[marks] = True
    rigged = sample.transfer(region=Crop.of(outer, head.n_vertices))
    assert any("inside the openings" in note for note in rigged.prepared.notes)
    assert rigged.report.failed_shapes == ()


def fade_is_outside(result: TransferResult) -> NDArray[np.bool_]:
    """Vertices of the region that are farther from eyes, nose and mouth than from the contour."""
    points = result.rig.neutral.vertices
    marks = points[result.pairs[:, 1]]
    return np.asarray(cKDTree(marks).query(points[result.region.kept])[1] < 27)


def test_landmarks_do_not_fade(sample) -> None:  # type: ignore[no-untyped-def]
    """At the jaw's angle they lie at the region's end, and still do all of their motion."""
    region = face_region(sample.head.neutral, sample.head_landmarks)
    places = region.indices(sample.head_landmarks)
    covered = np.zeros(len(region.kept), dtype=bool)
    weights = fade_weights(sample.head.neutral, region, covered, 0.03, sample.head_landmarks)
    assert (weights[places] == 1).all() and weights.min() == 0


def test_roughness_sees_a_single_vertex(result: TransferResult) -> None:
    deltas = np.zeros((1, result.rig.neutral.n_vertices, 3))
    vertex = int(result.rig.neutral.faces[0, 0])
    deltas[0, vertex, 1] = 0.01
    found = roughness(result.rig.neutral, deltas)[0]
    assert found.argmax() == vertex and found[vertex] == pytest.approx(0.01)
    assert result.report.figures["roughness_mm"] < 6
