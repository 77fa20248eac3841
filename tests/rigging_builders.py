"""Heads as they come: openings grown together, parts welded or missing. Made from the sample."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blendvoca.geometry.boundary import boundary_loops
from blendvoca.ibug68 import LEFT_EYE, MOUTH, OPENINGS, Opening
from blendvoca.mesh import Mesh
from blendvoca.synthetic.head import SyntheticHead

Marked = tuple[Mesh, NDArray[np.int64]]


def filled(mesh: Mesh, marks: NDArray[np.int64], openings: tuple[Opening, ...], bulge: float = 0.003) -> Mesh:
    """Close the holes of some openings by rings that bulge forward, as a lid or a scan's eyeball does."""
    vertices, faces = [mesh.vertices], [mesh.faces]
    count = mesh.n_vertices
    for opening in openings:
        centre = mesh.vertices[marks[list(opening.corners + opening.upper + opening.lower)]].mean(axis=0)
        loop = min(boundary_loops(mesh.faces), key=lambda each: np.linalg.norm(mesh.vertices[each].mean(0) - centre))
        rim, middle, outer = mesh.vertices[loop], mesh.vertices[loop].mean(axis=0), loop
        for share in (0.7, 0.4):
            ring = middle + share * (rim - middle) + [0.0, 0.0, bulge * (1.0 - share**2)]
            inner = np.arange(count, count + len(loop))
            ahead = np.roll(outer, -1), np.roll(inner, -1)
            faces += [np.column_stack([ahead[0], outer, inner]), np.column_stack([ahead[0], inner, ahead[1]])]
            vertices.append(ring)
            outer, count = inner, count + len(loop)
        faces.append(np.column_stack([np.roll(outer, -1), outer, np.full(len(loop), count)]))
        vertices.append(middle[None] + [0.0, 0.0, bulge])
        count += 1
    return Mesh(np.concatenate(vertices), np.concatenate(faces).astype(np.int32))


def closed_openings(openings: tuple[Opening, ...] = OPENINGS) -> Marked:
    """A mask whose lips are grown together and whose eyes are closed by the skin."""
    mesh, marks = SyntheticHead().mask()
    return filled(mesh, marks, openings), marks


def fused_lips() -> Marked:
    """A mask whose lips are grown together."""
    return closed_openings((MOUTH,))


def one_eye() -> Marked:
    """A mask whose left eye is closed by the skin."""
    return closed_openings((LEFT_EYE,))


def bust() -> Marked:
    """A whole head with closed lips and no inner mouth: what lies behind the inner lips is cut away and the slit sewn
    shut."""
    head = SyntheticHead()
    mesh, marks = head.head()
    skin = np.zeros(mesh.n_vertices, dtype=bool)
    skin[head.parts()["skin"]] = True
    points = mesh.vertices[marks]
    behind = points[[60, 64]].mean(axis=0)[2]
    near = np.linalg.norm(mesh.vertices - points[60:68].mean(axis=0), axis=1) < 0.035
    skin &= ~(near & (mesh.vertices[:, 2] < behind - 0.002))
    return _kept(mesh, marks, skin)


def welded_teeth() -> Marked:
    """A whole head whose lower teeth hang on the skin by a few triangles."""
    head = SyntheticHead()
    mesh, marks = head.head()
    parts = head.parts()
    teeth, skin = parts["lower teeth"], parts["skin"]
    apart = np.linalg.norm(mesh.vertices[teeth][:, None] - mesh.vertices[skin][None], axis=2)
    pairs = [(teeth[row], skin[apart[row].argmin()]) for row in np.argsort(apart.min(axis=1))[:6]]
    beside = {int(a): int(b) for a, b in mesh.faces[:, :2]}
    bridges = [(tooth, at, beside.get(int(at), int(marks[66]))) for tooth, at in pairs]
    return Mesh(mesh.vertices, np.concatenate([mesh.faces, np.array(bridges, dtype=np.int32)])), marks


def _kept(mesh: Mesh, marks: NDArray[np.int64], keep: NDArray[np.bool_]) -> Marked:
    keep = keep.copy()
    keep[marks] = True
    renamed = np.cumsum(keep) - 1
    faces = mesh.faces[keep[mesh.faces].all(axis=1)]
    return Mesh(mesh.vertices[keep], renamed[faces].astype(np.int32)), renamed[marks]
