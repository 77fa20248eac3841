"""A rig as OBJ files, one a shape, on the head's own vertices in their own order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import MeshError
from blendvoca.internal.names import inside
from blendvoca.io.atomic import write_bytes
from blendvoca.io.files import StrPath, read_bytes
from blendvoca.io.mesh.obj import write_obj
from blendvoca.mesh import Mesh
from blendvoca.rig import BlendshapeRig

#: Name of the neutral's file.
NEUTRAL = "Neutral.obj"


def write_shapes(folder: StrPath, rig: BlendshapeRig, like: StrPath | None = None) -> list[Path]:
    """Write ``Neutral.obj`` and an OBJ for each shape; nine digits keep all of float32.

    :param rig: in the unit of the files.
    :param like: the OBJ that the head came from: its coordinates alone are replaced, so that polygons, texture
        coordinates, groups and materials stay, and the neutral is the file itself.
    :returns: the files.
    :raises MeshError: if ``like`` has other vertices.
    """
    place = Path(folder)
    template = None if like is None else _Template(like, rig.neutral.n_vertices)
    poses = {NEUTRAL: None, **{f"{name}.obj": delta for name, delta in zip(rig.names, rig.deltas)}}
    written = []
    for name, delta in poses.items():
        path = inside(place, name)
        vertices = rig.neutral.vertices if delta is None else rig.neutral.vertices + delta
        if template is None:
            write_obj(path, Mesh(vertices, rig.neutral.faces))
        else:
            write_bytes(path, template.content if delta is None else template.with_vertices(vertices))
        written.append(path)
    return written


class _Template:
    """The lines of an OBJ file, and which of them are vertices."""

    def __init__(self, path: StrPath, n_vertices: int) -> None:
        self.content = read_bytes(path)
        # A statement may go on behind a backslash.
        self.lines = self.content.replace(b"\\\r\n", b" ").replace(b"\\\n", b" ").split(b"\n")
        self.places = [n for n, line in enumerate(self.lines) if line.split(b"#")[0].split()[:1] == [b"v"]]
        if len(self.places) != n_vertices:
            raise MeshError("this OBJ has other vertices", expected=n_vertices, found=len(self.places), path=path)

    def with_vertices(self, vertices: NDArray[np.float64]) -> bytes:
        """Return the file with other coordinates (V, 3)."""
        lines = list(self.lines)
        for place, (x, y, z) in zip(self.places, vertices.tolist()):
            # Behind the coordinates may stand a weight or a colour.
            end = b"\r" if lines[place].endswith(b"\r") else b""
            more = lines[place].split(b"#")[0].split()[4:]
            lines[place] = b" ".join([b"v", b"%.9g" % x, b"%.9g" % y, b"%.9g" % z, *more]) + end
        return b"\n".join(lines)
