"""The one look: what each vertex of a head is, told by form and landmarks, held against the sample's known parts."""

from __future__ import annotations

import numpy as np
import pytest
from view_builders import ball

from blendvoca.mesh import Mesh
from blendvoca.synthetic.anatomy import nostrils
from blendvoca.synthetic.head import SyntheticHead
from blendvoca.view.appearance import IRIS, PALETTE, Appearance, appearance_of, heat_colours, plain, surfaces
from blendvoca.view.camera import Camera
from blendvoca.view.render import Renderer
from blendvoca.view.shading import eye_colours, glsl, shade


@pytest.fixture(scope="module")
def head() -> SyntheticHead:
    return SyntheticHead()


@pytest.fixture(scope="module")
def look(head: SyntheticHead) -> Appearance:
    return appearance_of(*head.head())


def part(look: Appearance, name: str) -> np.ndarray:
    return np.flatnonzero(look.parts == list(PALETTE).index(name))


def test_eyes_teeth_and_tongue_are_the_samples(head: SyntheticHead, look: Appearance) -> None:
    truth = head.parts()
    eyes = np.sort(np.concatenate([truth["left eyeball"], truth["right eyeball"]]))
    assert (part(look, "eyes") == eyes).all()
    assert (np.sort(part(look, "tongue")) == truth["tongue"]).all()
    rows = np.sort(np.concatenate([truth["upper teeth"], truth["lower teeth"]]))
    assert (np.sort(np.concatenate([part(look, "teeth"), part(look, "gums")])) == rows).all()
    y = head.head()[0].vertices[:, 1]
    upper = np.isin(truth["upper teeth"], part(look, "gums"))
    assert y[truth["upper teeth"][upper]].min() > y[truth["upper teeth"][~upper]].min() + 0.004  # gums above crowns


def test_lips_and_brows_lie_where_the_landmarks_are(head: SyntheticHead, look: Appearance) -> None:
    _, marks = head.head()
    red = look.colours[:, 0] - look.colours[:, 1]
    assert red[marks[[62, 66, 57]]].min() > red[marks[8]] + 0.05
    assert np.isin(marks[[18, 19, 24, 25]], part(look, "brows")).all()
    rest = head.canonical.head.sites.rest
    assert np.abs(rest[part(look, "lips"), 1] + 48.0).max() < 10.0
    assert (rest[part(look, "brows"), 2] > 40).all()
    assert not np.isin(marks[:17], np.concatenate([part(look, "lips"), part(look, "brows")])).any()


def test_nostrils_and_mouth_do_not_glow(head: SyntheticHead, look: Appearance) -> None:
    sites = head.canonical.head.sites
    deep = (nostrils.depth(sites.rest) == 1.0) & (sites.region == 0)
    cheek = np.linalg.norm(np.abs(sites.rest) - [40, 8, 62], axis=1) < 25
    assert np.median(look.occlusion[deep]) < 0.3 < 0.6 < np.median(look.occlusion[cheek])
    back = (sites.region == 1) & (sites.depth > 0.5)
    assert look.occlusion[back].max() < 0.3
    teeth = part(look, "teeth")
    front = teeth[sites.rest[teeth, 2] > 78]
    assert look.occlusion[front].min() > 0.4  # light reaches them once the mouth opens


def test_without_landmarks_eyes_are_still_eyes(head: SyntheticHead) -> None:
    mesh, marks = head.head()
    look = appearance_of(mesh)
    assert len(part(look, "eyes")) and not len(part(look, "lips"))
    assert (appearance_of(mesh, marks[:20]).parts == look.parts).all()
    assert (appearance_of(ball()).parts == plain(ball().n_vertices).parts).all()
    nothing = Mesh(mesh.vertices, np.zeros((0, 3), dtype=np.int32))
    assert (appearance_of(nothing).occlusion == 1).all()


def test_surfaces_share_out_every_triangle(head: SyntheticHead, look: Appearance) -> None:
    mesh, _ = head.head()
    parts = surfaces(mesh, look)
    assert {surface.name for surface in parts} == set(PALETTE)
    joined = np.concatenate([surface.faces for surface in parts])
    assert sorted(map(tuple, joined)) == sorted(map(tuple, mesh.faces))
    iris = next(surface for surface in parts if surface.name == "iris")
    centre = np.array([0.0315, 0.025, 0.0695])
    offset = np.abs(mesh.vertices[np.unique(iris.faces)]) - centre
    assert (np.hypot(offset[:, 0], offset[:, 1]) / np.linalg.norm(offset, axis=1)).max() < IRIS + 0.1


def test_an_eye_has_pupil_iris_and_white() -> None:
    white = np.array(PALETTE["eyes"])
    seen = eye_colours(np.array([[0, 0, 1], [0.35, 0, 0.94], [0.8, 0, 0.6], [0, 0, -1]]), white)
    np.testing.assert_allclose(seen[0], PALETTE["pupil"])
    assert seen[0].sum() < seen[1].sum() < seen[2].sum()
    np.testing.assert_allclose(seen[[2, 3]], [white, white])


def test_both_backends_draw_one_look(head: SyntheticHead, look: Appearance) -> None:
    from blendvoca.errors import BlendvocaError

    mesh, _marks = head.head()
    camera = Camera((0.0, -0.01, 0.05), 0.2, 25.0)
    try:
        with Renderer(mesh, (160, 160), "opengl", look) as renderer:
            first = renderer.draw(mesh.vertices, camera)
    except BlendvocaError as error:
        pytest.skip(str(error))
    second = Renderer(mesh, (160, 160), "software", look).draw(mesh.vertices, camera)
    assert np.abs(first.astype(int) - second).mean() < 2.5


def test_light_comes_from_where_it_should() -> None:
    normals = np.array([[-0.45, 0.55, 0.7], [0.45, -0.55, 0.7]])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    grey = np.full((2, 3), 0.6)
    lit = shade(normals, grey)
    assert (lit[0, 0] > lit[0, 1] + 0.05).all()  # towards the key light
    assert (lit[1] < 0.6 * lit[0]).all()  # the inside is darker
    dark = shade(normals, grey, occlusion=np.array([0.1, 0.1]))
    assert (dark[0] < 0.7 * lit[0]).all()
    assert "vec3 look(" in glsl() and "const vec3 KEY" in glsl()


def test_heat_runs_from_grey_to_dark_red() -> None:
    colours = heat_colours(np.array([0.0, 1.0, 3.0]), 3.0)
    assert np.ptp(colours[0]) < 0.05 and colours[2, 0] > 3 * colours[2, 1]
    assert (heat_colours(np.zeros(3)) == colours[0]).all()
