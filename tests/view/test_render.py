"""Pictures: both backends draw the same thing, the right way round, and never a blank one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from view_builders import ball

from blendvoca.errors import BlendvocaError, ConfigurationError, InputError, MeshError, OutputError
from blendvoca.mesh import Mesh
from blendvoca.view.appearance import plain
from blendvoca.view.camera import Camera
from blendvoca.view.render import Renderer
from blendvoca.view.shading import BACKGROUND, shade
from blendvoca.view.software import SoftwareBackend


@pytest.fixture(params=["opengl", "software"])
def backend(request) -> str:
    try:
        Renderer(ball(), (8, 8), request.param)
    except BlendvocaError as error:
        pytest.skip(f"{request.param}: {error}")
    return request.param


def test_a_marked_point_is_drawn_where_the_camera_says(backend):
    mesh = ball()
    colours = np.tile((0.2, 0.2, 0.9), (mesh.n_vertices, 1))
    # A red patch up and to the subject's left (+x): the viewer sees it up and to the right.
    colours[np.linalg.norm(mesh.vertices - [0.5, 0.5, 0.707], axis=1) < 0.25] = (0.9, 0.1, 0.1)
    picture = Renderer(mesh, (96, 64), backend).draw(mesh.vertices, colours=colours).astype(int)
    red = np.argwhere(picture[..., 0] > picture[..., 2] + 40)
    assert len(red) > 20
    row, column = red.mean(axis=0)
    assert row < 28
    assert column > 54
    assert np.abs(picture[0, 0] - 255 * np.array(BACKGROUND)).max() <= 1


def test_backends_agree():
    mesh = ball()
    try:
        first = Renderer(mesh, (96, 96), "opengl").draw(mesh.vertices)
    except BlendvocaError as error:
        pytest.skip(str(error))
    second = Renderer(mesh, (96, 96), "software").draw(mesh.vertices)
    assert np.abs(first.astype(int) - second.astype(int)).mean() < 1.5


def test_the_inside_is_darker(backend):
    mesh = ball()
    turned = Mesh(mesh.vertices, mesh.faces[:, ::-1])
    outside = Renderer(mesh, (32, 32), backend).draw(mesh.vertices)
    inside = Renderer(turned, (32, 32), backend).draw(mesh.vertices)
    assert inside[16, 16].mean() < 0.6 * outside[16, 16].mean()


def test_nothing_in_view_is_an_error(backend):
    mesh = ball()
    renderer = Renderer(mesh, (32, 32), backend)
    with pytest.raises(OutputError, match="blank"):
        renderer.draw(mesh.vertices, Camera((50.0, 0.0, 0.0), 1.0))


def test_bad_input_is_refused():
    mesh = ball()
    with pytest.raises(ConfigurationError, match="auto, opengl or software"):
        Renderer(mesh, backend="vulkan")
    with pytest.raises(MeshError, match="no triangles"):
        Renderer(Mesh(mesh.vertices, mesh.faces[:0]))
    with pytest.raises(MeshError, match="another vertex count"):
        Renderer(mesh, (8, 8), "software").draw(mesh.vertices[1:])


def test_renderers_live_side_by_side(backend):
    """Each OpenGL context has its own numbers for buffers: drawing must happen in the renderer's own."""
    fine, coarse = ball(), ball(6)
    with Renderer(fine, (32, 32), backend) as first:
        alone = first.draw(fine.vertices)
        with Renderer(coarse, (32, 32), backend) as second:
            second.draw(coarse.vertices, colours=(0.1, 0.1, 0.9))
            assert (first.draw(fine.vertices) == alone).all()
        assert (first.draw(fine.vertices) == alone).all()


def test_positions_that_are_not_finite_are_refused(backend):
    mesh = ball()
    for bad in (np.nan, np.inf):
        vertices = mesh.vertices.copy()
        vertices[7, 1] = bad
        with pytest.raises(MeshError, match=r"not finite.*at vertex 7"):
            Renderer(mesh, (8, 8), backend).draw(vertices)


@pytest.mark.parametrize("size", [(0, 8), (8, -1), (8, 100_000)])
def test_sizes_that_no_picture_has_are_refused(size):
    with pytest.raises(InputError, match="wrong picture size"):
        Renderer(ball(), size, "software")


def test_what_lies_behind_the_viewer_or_before_the_picture_is_left_out():
    mesh = ball()
    inside = Camera((0.6, 0.0, -0.5), 1.0, field_of_view=60.0)
    picture = Renderer(mesh, (48, 48), "software").draw(mesh.vertices, inside)
    assert picture.std() > 0 and picture.shape == (48, 48, 3)


def test_software_keeps_the_nearest_of_many_layers():
    """A random heap of triangles: every sample of a straightforward ray caster has the colour that is drawn."""
    rng = np.random.default_rng(3)
    vertices, faces = rng.uniform(-1, 1, (90, 3)), np.arange(90).reshape(-1, 3)
    backend = SoftwareBackend(faces, len(vertices), (24, 24))
    tints = np.repeat(rng.uniform(0.2, 1, (30, 3)), 3, axis=0)
    camera = Camera((0.0, 0.0, 0.0), 2.4)
    drawn = backend.draw(vertices, replace(plain(90), colours=tints), camera).astype(float)
    clip = np.c_[vertices, np.ones(90)] @ camera.projection(1.0).T
    places = clip[:, :3] / clip[:, 3:]
    lit = shade(backend.normals(vertices) @ camera.rotation().T, tints, camera.positions(vertices))
    middles = (np.arange(48) + 0.5) / 24 - 1
    expected = np.tile(np.array(BACKGROUND), (48, 48, 1))
    for row, column in np.ndindex(48, 48):
        found = np.inf
        for face in faces:
            corners = places[face]
            matrix = np.vstack([corners[:, :2].T, np.ones(3)])
            weights = np.linalg.solve(matrix, [middles[column], -middles[row], 1])
            if weights.min() >= 0 and weights @ corners[:, 2] < found:
                found = weights @ corners[:, 2]
                outside = np.linalg.det(matrix) > 0
                expected[row, column] = weights @ lit[0 if outside else 1][face]
    averaged = 255 * expected.reshape(24, 2, 24, 2, 3).mean(axis=(1, 3))
    assert np.abs(drawn - averaged).max() < 1


def test_an_open_head_is_dark_inside(backend):
    """A ball without its back, and with a hole in front: through the hole shows a dark inside, not the background."""
    mesh = ball()
    middles = mesh.vertices[mesh.faces].mean(axis=1)
    hole = np.linalg.norm(middles - [0, 0, 1], axis=1) < 0.35
    head = Mesh(mesh.vertices, mesh.faces[(middles[:, 2] > -0.5) & ~hole])
    camera = Camera.framing(mesh.vertices)
    picture = Renderer(head, (48, 48), backend).draw(head.vertices, camera)
    assert picture[24, 24].mean() < 60
    assert np.abs(picture[0, 0] - 255 * np.array(BACKGROUND)).max() <= 1
    behind = Renderer(head, (48, 48), backend).draw(head.vertices, Camera.framing(mesh.vertices, yaw=180.0))
    assert behind[24, 24].mean() > 60
