"""Heads as they come: openings grown together, parts welded or missing. Made from the sample."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blendvoca.geometry.boundary import boundary_loops
from blendvoca.ibug68 import LEFT_EYE, MOUTH, OPENINGS, Opening
from blendvoca.mesh import Mesh
from blendvoca.synthetic.anatomy.sites import SKIN
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


def hollow_bust() -> Marked:
    """A whole head without teeth, tongue, eyeballs and inner mouth: the skin ends at the rims of the lips."""
    head = SyntheticHead()
    mesh, marks = head.head()
    return _kept(mesh, marks, head.canonical.head.sites.region == SKIN)


def bust() -> Marked:
    """The same, with one skin over both lips: upper and lower rim are one row of vertices."""
    mesh, marks = hollow_bust()
    centre = mesh.vertices[marks[60:68]].mean(axis=0)
    loop = min(boundary_loops(mesh.faces), key=lambda each: np.linalg.norm(mesh.vertices[each].mean(0) - centre))
    places = mesh.vertices[loop]
    ends = sorted((int(places[:, 0].argmin()), int(places[:, 0].argmax())))
    one, other = loop[ends[0] + 1 : ends[1]], np.concatenate([loop[ends[1] + 1 :], loop[: ends[0]]])[::-1]
    if len(one) < len(other):
        one, other = other, one
    vertices, onto = mesh.vertices.copy(), np.arange(mesh.n_vertices)
    # Each vertex of one rim goes onto the one of the other that is nearest between the corners.
    beside = np.abs(vertices[one, 0][:, None] - vertices[other, 0][None]).argmin(axis=1)
    onto[one] = other[beside]
    for vertex in np.unique(other[beside]):
        vertices[vertex] = vertices[np.append(one[other[beside] == vertex], vertex)].mean(axis=0)
    faces = onto[mesh.faces]
    faces = faces[(faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])]
    marks = marks.copy()
    for rows, sign in ((MOUTH.upper, 1.0), (MOUTH.lower, -1.0)):
        for row in rows:
            # The landmark's own side of the sewn row, 2 mm off it.
            wanted = mesh.vertices[marks[row]] + [0.0, 0.002 * sign, 0.0]
            free = np.setdiff1d(np.unique(faces), np.concatenate([one, other, np.delete(marks, row)]))
            marks[row] = free[np.linalg.norm(vertices[free] - wanted, axis=1).argmin()]
    return _kept(Mesh(vertices, faces.astype(np.int32)), marks, np.isin(np.arange(len(vertices)), faces))


def welded_teeth() -> Marked:
    """A whole head whose lower teeth hang on the skin by a few triangles."""
    head = SyntheticHead()
    mesh, marks = head.head()
    parts = head.parts()
    teeth, skin = parts["lower teeth"], parts["skin"]
    apart = np.linalg.norm(mesh.vertices[teeth][:, None] - mesh.vertices[skin][None], axis=2)
    pairs = [(teeth[row], skin[apart[row].argmin()]) for row in np.argsort(apart.min(axis=1))[:6]]
    beside = {int(a): int(b) for a, b in np.concatenate([mesh.faces[:, :2], mesh.faces[:, 1:]])}
    bridges = [(tooth, at, beside[int(at)]) for tooth, at in pairs]
    return Mesh(mesh.vertices, np.concatenate([mesh.faces, np.array(bridges, dtype=np.int32)])), marks


def _kept(mesh: Mesh, marks: NDArray[np.int64], keep: NDArray[np.bool_]) -> Marked:
    keep = keep.copy()
    keep[marks] = True
    renamed = np.cumsum(keep) - 1
    faces = mesh.faces[keep[mesh.faces].all(axis=1)]
    return Mesh(mesh.vertices[keep], renamed[faces].astype(np.int32)), renamed[marks]
