"""OpenGL through moderngl and EGL: off-screen, without a display."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import MissingDependencyError, OutputError
from blendvoca.view.camera import Camera
from blendvoca.view.shading import AMBIENT, BACKGROUND, INSIDE, LIGHTS, Normals

_VERTEX = """
#version 330
uniform mat4 projection;
uniform mat3 rotation;
in vec3 position;
in vec3 normal;
in vec3 colour;
out vec3 shade_normal;
out vec3 shade_colour;
void main() {
    gl_Position = projection * vec4(position, 1.0);
    shade_normal = rotation * normal;
    shade_colour = colour;
}
"""

_FRAGMENT = """
#version 330
uniform vec3 direction[%(count)d];
uniform float strength[%(count)d];
in vec3 shade_normal;
in vec3 shade_colour;
out vec3 result;
void main() {
    vec3 n = normalize(shade_normal);
    // The winding decides which side is seen: smooth normals lie at silhouettes.
    float side = gl_FrontFacing ? 1.0 : %(inside)f;
    if (!gl_FrontFacing) n = -n;
    float light = %(ambient)f;
    for (int i = 0; i < %(count)d; i++) light += strength[i] * max(dot(n, normalize(direction[i])), 0.0);
    result = clamp(shade_colour * light * side, 0.0, 1.0);
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
        context, values = self.context, {"count": len(LIGHTS), "ambient": AMBIENT, "inside": INSIDE}
        self.program = context.program(vertex_shader=_VERTEX, fragment_shader=_FRAGMENT % values)
        self.program["direction"].value = [direction for direction, _ in LIGHTS]
        self.program["strength"].value = [strength for _, strength in LIGHTS]
        self.buffer = context.buffer(reserve=n_vertices * 9 * 4)
        layout = [(self.buffer, "3f 3f 3f", "position", "normal", "colour")]
        self.array = context.vertex_array(self.program, layout, context.buffer(faces.tobytes()))
        size, samples = self.size, min(4, context.max_samples)
        self.canvas = context.framebuffer(
            context.renderbuffer(size, 3, samples=samples), context.depth_renderbuffer(size, samples=samples)
        )
        self.resolved = context.framebuffer(context.renderbuffer(size, 3))

    def draw(
        self, vertices: NDArray[np.floating], colours: NDArray[np.floating], camera: Camera
    ) -> NDArray[np.uint8]:
        """Return the picture (height, width, 3)."""
        width, height = self.size
        data = np.hstack([vertices, self.normals(vertices), colours]).astype(np.float32).tobytes()
        # Another renderer's context may be the current one.
        with self.context:
            self.buffer.write(data)
            self.program["projection"].write(camera.projection(width / height).T.astype(np.float32).tobytes())
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
