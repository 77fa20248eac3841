"""OpenGL through moderngl and EGL: off-screen, without a display."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import MissingDependencyError, OutputError
from blendvoca.view.appearance import Appearance
from blendvoca.view.camera import Camera
from blendvoca.view.shading import BACKGROUND, Normals, glsl

_VERTEX = """
#version 330
uniform mat4 projection;
uniform mat3 rotation;
uniform vec3 target;
uniform float distance;
in vec3 position;
in vec3 normal;
in vec3 colour;
in float occlusion;
in vec4 ball;
out vec3 seen_normal, seen_colour, seen_at;
out float seen_open;
out vec4 seen_ball;
void main() {
    gl_Position = projection * vec4(position, 1.0);
    seen_normal = rotation * normal;
    seen_at = rotation * (position - target) - vec3(0.0, 0.0, distance);
    seen_colour = colour;
    seen_open = occlusion;
    seen_ball = ball;
}
"""

_FRAGMENT = """
in vec3 seen_normal, seen_colour, seen_at;
in float seen_open;
in vec4 seen_ball;
out vec3 result;
void main() {
    // The winding decides which side is seen: smooth normals lie at silhouettes.
    vec3 normal = gl_FrontFacing ? normalize(seen_normal) : -normalize(seen_normal);
    vec3 colour = seen_ball.w > 0.5 ? eye_colour(seen_ball.xyz, seen_colour) : seen_colour;
    result = look(normal, normalize(-seen_at), colour, seen_open, seen_ball.w, gl_FrontFacing ? 0.0 : 1.0, 1.0);
}
"""


class OpenGLBackend:
    """Draws one topology with OpenGL 3.3 and four samples a pixel.

    :param faces: (F, 3) triangles.
    :param n_vertices: V.
    :param size: (width, height) in pixels.
    :raises MissingDependencyError: without moderngl.
    :raises OutputError: where no OpenGL context can be made.
    """

    name = "opengl"

    def __init__(self, faces: NDArray[np.integer], n_vertices: int, size: tuple[int, int]) -> None:
        try:
            # The package's own types do not follow its calls.
            moderngl: Any = import_module("moderngl")
        except ImportError as error:
            raise MissingDependencyError("moderngl", "view", "drawing with OpenGL") from error
        self.size, self.normals = size, Normals(faces, n_vertices)
        try:
            self.context = moderngl.create_context(standalone=True, backend="egl")
            self._prepare(np.ascontiguousarray(faces, dtype=np.int32), n_vertices)
        except Exception as error:  # moderngl and its loader raise bare Exception subclasses of many kinds
            raise OutputError("no OpenGL to be had", found=str(error).strip() or type(error).__name__) from error

    def _prepare(self, faces: NDArray[np.int32], n_vertices: int) -> None:
        """Compile the shaders and reserve memory for the mesh and for the picture."""
        context = self.context
        fragment = "#version 330\n" + glsl() + _FRAGMENT
        self.program = context.program(vertex_shader=_VERTEX, fragment_shader=fragment)
        self.buffer = context.buffer(reserve=n_vertices * 14 * 4)
        layout = [(self.buffer, "3f 3f 3f 1f 4f", "position", "normal", "colour", "occlusion", "ball")]
        self.array = context.vertex_array(self.program, layout, context.buffer(faces.tobytes()))
        size, samples = self.size, min(4, context.max_samples)
        self.canvas = context.framebuffer(
            context.renderbuffer(size, 3, samples=samples), context.depth_renderbuffer(size, samples=samples)
        )
        self.resolved = context.framebuffer(context.renderbuffer(size, 3))

    def draw(self, vertices: NDArray[np.floating], look: Appearance, camera: Camera) -> NDArray[np.uint8]:
        """Return the picture (height, width, 3)."""
        width, height = self.size
        parts = [vertices, self.normals(vertices), look.colours, look.occlusion[:, None], look.eyes]
        data = np.hstack(parts).astype(np.float32).tobytes()
        # Another renderer's context may be the current one.
        with self.context:
            self.buffer.write(data)
            self.program["projection"].write(camera.projection(width / height).T.astype(np.float32).tobytes())
            self.program["target"].value, self.program["distance"].value = tuple(camera.target), camera.distance
            self.program["rotation"].write(camera.rotation().T.astype(np.float32).tobytes())
            self.canvas.use()
            self.context.enable(self.context.DEPTH_TEST)
            self.canvas.clear(*BACKGROUND)
            self.array.render()
            self.context.copy_framebuffer(self.resolved, self.canvas)
            pixels = np.frombuffer(self.resolved.read(components=3, alignment=1), dtype=np.uint8)
        return pixels.reshape(height, width, 3)[::-1].copy()

    def release(self) -> None:
        """Give the context and all its memory back."""
        self.context.release()
