"""The head has FLAME's traits, the mask ARKit's, and both are samplings of one surface."""

from __future__ import annotations

import numpy as np
import pytest

from blendvoca.errors import ConfigurationError
from blendvoca.geometry.adjacency import directed_edges
from blendvoca.geometry.boundary import boundary_loops
from blendvoca.geometry.closest import closest_points
from blendvoca.geometry.components import vertex_components
from blendvoca.geometry.distance import edge_lengths
from blendvoca.geometry.normals import face_areas, vertex_normals
from blendvoca.ibug68 import MIRROR
from blendvoca.synthetic.anatomy import nostrils, sculpture
from blendvoca.synthetic.anatomy.sites import MOUTH_BAG, SKIN
from blendvoca.synthetic.head import REGIONS, CanonicalHead, SyntheticHead
from blendvoca.synthetic.identity import Identity

FLIP = np.array([-1.0, 1.0, 1.0])


def loops(head: SyntheticHead, region: str) -> list[int]:
    mesh, _ = head._neutral(region)
    return sorted(len(loop) for loop in boundary_loops(mesh.faces))


def test_head_has_flames_topology(average: SyntheticHead) -> None:
    mesh, _ = average.head()
    sizes = np.bincount(vertex_components(mesh.faces, mesh.n_vertices))
    assert 4800 <= mesh.n_vertices <= 5023
    assert sizes.argmax() == 0
    assert sorted(sizes)[-3:-1] == [242, 242]  # eyeballs
    assert len(sizes) == 6  # with both rows of teeth and the tongue, which FLAME lacks
    assert loops(average, "head") == [30, 48]  # neck, inner mouth


def test_mask_has_arkits_topology(average: SyntheticHead) -> None:
    mesh, _ = average.mask()
    assert 1100 <= mesh.n_vertices <= 1300
    assert vertex_components(mesh.faces, mesh.n_vertices).max() == 0
    assert loops(average, "mask") == [24, 24, 36, 56]  # eyes, mouth, outline


@pytest.mark.parametrize("region", REGIONS)
def test_manifold_and_consistently_oriented(average: SyntheticHead, region: str) -> None:
    mesh, _ = average._neutral(region)
    directed = directed_edges(mesh.faces)
    assert len(np.unique(directed, axis=0)) == len(directed)  # no edge twice in one direction
    assert set(np.unique(mesh.faces)) == set(range(mesh.n_vertices))
    assert len(np.unique(mesh.vertices, axis=0)) == mesh.n_vertices


@pytest.mark.parametrize("region", REGIONS)
def test_triangles_are_sound(average: SyntheticHead, region: str) -> None:
    mesh, _ = average._neutral(region)
    assert face_areas(mesh.vertices, mesh.faces).min() > 5e-9  # FLAME's smallest: 1.4e-9
    assert edge_lengths(mesh.vertices, mesh.faces).min() > 1e-4


def test_normals_point_outward(average: SyntheticHead) -> None:
    mesh, marks = average.head()
    normals = vertex_normals(mesh.vertices, mesh.faces)
    assert normals[marks[30], 2] > 0.8  # tip of the nose looks forward
    assert normals[mesh.vertices[:, 1].argmax(), 1] > 0.8  # crown looks up
    assert normals[mesh.vertices[:, 2].argmin(), 2] < -0.8  # back of the head looks back
    centre = np.array([0.0315, 0.025, 0.0695])
    front = np.linalg.norm(mesh.vertices - centre - [0, 0, 0.0128], axis=1).argmin()
    assert normals[front, 2] > 0.9  # cornea looks forward


@pytest.mark.parametrize("region", REGIONS)
def test_mirror_symmetry_is_exact(canonical: CanonicalHead, region: str) -> None:
    surface = canonical.surface(region)
    rest, mirror = surface.sites.rest, surface.mirror
    assert (rest[mirror] * FLIP == rest).all()
    assert (mirror[mirror] == np.arange(len(mirror))).all()
    faces = {tuple(sorted(face)) for face in surface.faces}
    assert {tuple(sorted(face)) for face in mirror[surface.faces]} == faces


def test_human_measures_in_metres(average: SyntheticHead) -> None:
    mesh, marks = average.head()
    p = mesh.vertices[marks]
    assert 0.15 < np.ptp(mesh.vertices[:, 0]) < 0.21  # breadth with ears
    assert 0.12 < p[16, 0] - p[0, 0] < 0.15  # breadth of the face
    assert 0.06 < p[[42, 45], 0].mean() - p[[36, 39], 0].mean() < 0.066  # between the eyes
    assert 0.045 < p[54, 0] - p[48, 0] < 0.06  # mouth
    assert 0.10 < p[27, 1] - p[8, 1] < 0.13  # nasion to chin
    assert 0.015 < p[30, 2] - p[27, 2] < 0.035  # tip of the nose before its root


def test_lips_meet(average: SyntheticHead) -> None:
    mesh, marks = average.head()
    gap = np.linalg.norm(mesh.vertices[marks[[61, 62, 63]]] - mesh.vertices[marks[[67, 66, 65]]], axis=1)
    assert gap.max() < 2e-3


def test_landmarks_are_the_same_places_in_both_samplings(average: SyntheticHead) -> None:
    head, head_marks = average.head()
    mask, mask_marks = average.mask()
    assert len(set(head_marks)) == len(set(mask_marks)) == 68
    apart = np.linalg.norm(head.vertices[head_marks] - mask.vertices[mask_marks], axis=1)
    assert apart.max() < 2e-4


@pytest.mark.parametrize("region", REGIONS)
def test_landmarks_have_mirror_partners(average: SyntheticHead, region: str) -> None:
    mesh, marks = average._neutral(region)
    np.testing.assert_allclose(mesh.vertices[marks[MIRROR]] * FLIP, mesh.vertices[marks], atol=1e-12)
    assert mesh.vertices[marks[45], 0] > 0.03  # 42..47 is the +x eye, the left one
    assert mesh.vertices[marks[16], 0] > 0.05


def test_landmarks_stand_on_the_masks_rims(average: SyntheticHead) -> None:
    mesh, marks = average.mask()
    rim = {int(v) for loop in boundary_loops(mesh.faces) for v in loop}
    assert rim >= {int(v) for v in marks[[*range(17), *range(36, 48), *range(60, 68)]]}
    assert not rim & {int(v) for v in marks[17:36]}


def test_head_continues_inside_the_lips(average: SyntheticHead) -> None:
    mesh, marks = average.head()
    lip = mesh.vertices[marks[62]]
    loop = min(boundary_loops(mesh.faces), key=lambda rim: np.linalg.norm(mesh.vertices[rim].mean(axis=0) - lip))
    assert lip[2] - mesh.vertices[loop][:, 2].max() > 0.005


def inner_lips(head: SyntheticHead) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the inside of the mouth as rings (R, P, 3), the ring of the opposite place of each, and its height."""
    surface = head.canonical.head
    bag = np.flatnonzero(surface.sites.region == MOUTH_BAG)
    angle = surface.sites.mouth[1, bag].reshape(10, -1)
    opposite = np.abs(np.angle(np.exp(1j * (angle[0][:, None] + angle[0])))).argmin(axis=1)
    return head.head()[0].vertices[bag].reshape(*angle.shape, 3), opposite, np.sin(angle[0])


@pytest.mark.parametrize(("deviations", "least", "most"), [(-2.6, 4e-4, 8e-4), (0.0, 9e-4, 1.7e-3), (2.6, 2e-3, 4e-3)])
def test_inner_lips_run_in_parallel(canonical: CanonicalHead, deviations: float, least: float, most: float) -> None:
    head = SyntheticHead(Identity(lip_gap=deviations), canonical)
    rings, opposite, height = inner_lips(head)
    depth = rings[0, 0, 2] - rings[:, 0, 2]
    assert depth[-1] > 0.0145
    gap = np.linalg.norm(rings - rings[:, opposite], axis=2)
    middle = np.abs(height) > 0.9
    deep = (depth > 0.003) & (depth < 0.0135)
    assert deep.sum() >= 5
    assert gap[deep][:, middle].min() > least
    assert gap[deep][:, middle].max() < most
    assert ((rings - rings[:, opposite])[:, height > 0.05, 1] > 0).all()  # nowhere do they cross


def test_triangles_inside_the_lips_are_as_fine_as_the_gap(average: SyntheticHead) -> None:
    rings, _, _ = inner_lips(average)
    along = np.linalg.norm(np.diff(rings, axis=1), axis=2)
    assert np.median(along) < 2.5e-3
    assert np.linalg.norm(np.diff(rings[:6], axis=0), axis=2).max() < 2.5e-3


def test_teeth_and_tongue_are_components(average: SyntheticHead) -> None:
    mesh, _ = average.head()
    parts = average.parts()
    component = vertex_components(mesh.faces, mesh.n_vertices)
    assert sorted(np.concatenate(list(parts.values()))) == list(range(mesh.n_vertices))
    for name, index in parts.items():
        assert len(np.unique(component[index])) == 1, name
        faces = mesh.faces[np.isin(mesh.faces, index).all(axis=1)]
        corners = mesh.vertices[faces]
        if name != "skin":  # closed, and their normals point outward
            assert not boundary_loops(faces)
            assert np.einsum("ij,ij->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) > 0
    assert mesh.vertices[parts["upper teeth"]][:, 1].mean() > mesh.vertices[parts["lower teeth"]][:, 1].mean() + 0.01


def test_mask_lies_on_the_head(average: SyntheticHead, canonical: CanonicalHead) -> None:
    head, _ = average.head()
    mask, _ = average.mask()
    skin = (canonical.head.sites.region[canonical.head.faces] == SKIN).all(axis=1)
    distance = closest_points(mask.vertices, head.vertices, head.faces[skin]).distance
    assert distance.max() < 1.5e-3
    assert np.median(distance) < 1e-4


def test_unknown_region_is_named() -> None:
    with pytest.raises(ConfigurationError, match="'body'"):
        SyntheticHead().rig("body")


def test_nostrils_are_pits_with_an_open_mouth(canonical: CanonicalHead) -> None:
    sites = canonical.head.sites
    left = sites.rest[(sites.region == SKIN) & (sites.rest[:, 0] > 0)]
    inside = left[nostrils.depth(left) == 1.0]
    assert len(inside) >= 10
    assert inside[:, 1].max() > nostrils.CENTRE[1] + 6.0  # deep
    assert np.ptp(left[nostrils.opening(left) < 1.05][:, 2]) > 7.0  # and as long as a nostril


def test_the_upper_lip_has_a_philtrum(canonical: CanonicalHead) -> None:
    heights = []
    for x in (0.0, 4.4, 9.0):
        depth = np.linspace(80.0, 110.0, 3001)
        line = np.stack([np.full(3001, x), np.full(3001, -36.0), depth], axis=1)
        heights.append(depth[sculpture.solid(line) < 0].max())
    assert heights[1] > heights[0] + 0.8 and heights[1] > heights[2] + 0.8
