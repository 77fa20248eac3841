"""Pictures of meshes, off-screen and without a display.

OpenGL through EGL where it is to be had, else a z-buffer in NumPy; both draw the same light. A picture in which nothing
varies is an error, never a result.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blendvoca.errors import BlendvocaError, ConfigurationError, InputError, MeshError, OutputError
from blendvoca.mesh import Mesh
from blendvoca.view.appearance import Appearance, plain
from blendvoca.view.camera import Camera
from blendvoca.view.cap import CappedMesh
from blendvoca.view.opengl import OpenGLBackend
from blendvoca.view.software import SoftwareBackend

Picture = NDArray[np.uint8]
#: Pixels of the largest picture's side: what OpenGL 3.3 on any machine can hold, and memory for the fallback.
LARGEST = 4096


class Backend(Protocol):
    """What draws."""

    name: str

    def draw(self, vertices: NDArray[np.floating], look: Appearance, camera: Camera) -> Picture:
        """Return the picture (height, width, 3)."""

    def release(self) -> None:
        """Give back what Python does not free by itself."""


class Renderer:
    """Draws many poses of one mesh. Use it in a ``with`` block: OpenGL's memory is not freed by itself.

    :param mesh: topology, and the pose that the camera frames by default.
    :param size: (width, height) in pixels.
    :param look: what its vertices look like (:func:`blendvoca.view.appearance.appearance_of`); skin all over without.
    :param backend: ``"opengl"``, ``"software"``, or ``"auto"``: OpenGL where it is to be had.
    :raises InputError: for a size outside 1 to :data:`LARGEST`.
    :raises MeshError: for a mesh without triangles.
    :raises ConfigurationError: for an unknown backend.
    """

    def __init__(self, mesh: Mesh, size: tuple[int, int] = (512, 512), backend: str = "auto",
                 look: Appearance | None = None) -> None:  # fmt: skip
        if mesh.n_faces == 0:
            raise MeshError("nothing to draw: the mesh has no triangles")
        if not 1 <= min(size) <= max(size) <= LARGEST:
            raise InputError("wrong picture size", expected=f"1 to {LARGEST} pixels", found=f"{size[0]}×{size[1]}")
        self.mesh, self.camera = mesh, Camera.framing(mesh.vertices)
        self.look, self.capped = look or plain(mesh.n_vertices), CappedMesh(mesh)
        self.backend = _backend(backend, self.capped, size)

    def draw(self, vertices: ArrayLike, camera: Camera | None = None, colours: ArrayLike | None = None) -> Picture:
        """Return the picture (height, width, 3) uint8 of positions (V, 3).

        :param vertices: (V, 3) positions in metres.
        :param camera: where to look from; by default the whole mesh from the front.
        :param colours: one sRGB colour (3,) or one a vertex (V, 3), 0 to 1, in place of the look's.
        :raises MeshError: for positions of another shape, or that are not finite.
        :raises OutputError: if the picture is blank.
        """
        positions = np.asarray(vertices, dtype=np.float64)
        if positions.shape != self.mesh.vertices.shape:
            raise MeshError("another vertex count", expected=self.mesh.vertices.shape, found=positions.shape)
        if not np.isfinite(positions).all():
            bad = int(np.flatnonzero(~np.isfinite(positions).all(axis=1))[0])
            raise MeshError("positions are not finite", found=f"{positions[bad].tolist()} at vertex {bad}")
        look, camera = self.look, camera or self.camera
        if colours is not None:
            tints = np.broadcast_to(np.asarray(colours, dtype=np.float64), positions.shape)
            look = replace(look, colours=tints, eyes=np.zeros_like(look.eyes))
        picture = self.backend.draw(self.capped.positions(positions, camera), self.capped.look(look), camera)
        if (picture == picture[0, 0]).all():
            raise OutputError("the picture is blank", expected="the mesh in view", found="one colour everywhere")
        return picture

    def __enter__(self) -> Renderer:
        return self

    def __exit__(self, *_: object) -> None:
        self.backend.release()


def fallback_reason() -> str | None:
    """Return why ``"auto"`` draws in software on this machine; ``None`` where it draws with OpenGL."""
    try:
        OpenGLBackend(np.array([[0, 1, 2]]), 3, (8, 8)).release()
    except BlendvocaError as error:
        return str(error)
    return None


def _backend(choice: str, mesh: CappedMesh, size: tuple[int, int]) -> Backend:
    if choice not in ("auto", "opengl", "software"):
        raise ConfigurationError("unknown backend", expected="auto, opengl or software", found=choice)
    if choice == "software":
        return SoftwareBackend(mesh.faces, mesh.n_vertices, size)
    try:
        return OpenGLBackend(mesh.faces, mesh.n_vertices, size)
    except BlendvocaError:
        if choice == "opengl":
            raise
        return SoftwareBackend(mesh.faces, mesh.n_vertices, size)
