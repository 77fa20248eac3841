"""Pictures: both backends draw the same thing, the right way round, and never a blank one."""

from __future__ import annotations

import numpy as np
import pytest
from view_builders import ball

from blendvoca.errors import BlendvocaError, ConfigurationError, MeshError, OutputError
from blendvoca.mesh import Mesh
from blendvoca.view.camera import Camera
from blendvoca.view.render import Renderer
from blendvoca.view.shading import BACKGROUND


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
