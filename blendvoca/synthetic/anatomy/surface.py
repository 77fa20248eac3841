"""The canonical head as places, faces and landmarks: skin from both halves, and what lies inside."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from blendvoca.ibug68 import MIRROR, N_LANDMARKS
from blendvoca.synthetic.anatomy import ears, nostrils, sculpture
from blendvoca.synthetic.anatomy import sites as regions
from blendvoca.synthetic.anatomy.chart import cast
from blendvoca.synthetic.anatomy.inner_lips import inner_lips, strip
from blendvoca.synthetic.anatomy.layout import HalfLayout, half_layout
from blendvoca.synthetic.anatomy.openings import EYE_RIM, LEFT_EYE, MOUTH, settle
from blendvoca.synthetic.anatomy.sampling import HEAD, MASK, Sampling
from blendvoca.synthetic.anatomy.sites import Sites, concatenate
from blendvoca.synthetic.anatomy.teeth import mouth_parts

Array = NDArray[np.float64]
Index = NDArray[np.int64]
_FLIP = np.array([-1.0, 1.0, 1.0])

#: Rings of an eye socket: share of the way from the lid's edge to the back of the eyeball, and clearance.
_SOCKET = ((0.0, 0.45), (0.2, 0.9), (0.48, 1.3), (0.76, 1.3))
#: Polar angles of the eyeball's rings in degrees; the pupil ends between the first two, the iris between the next.
_EYEBALL_RINGS = (10, 12.5, 27, 30, 41, 54, 70, 90, 116, 146)
_MERIDIANS = 24


@dataclass(frozen=True, eq=False)
class Surface:
    """One sampling of the canonical head.

    :param sites: the N vertices as places on the head.
    :param faces: (F, 3) triangles, counter-clockwise seen from outside.
    :param landmarks: (68,) vertices in iBUG order.
    :param mirror: (N,) the vertex on the other side of each vertex.
    """

    sites: Sites
    faces: Index
    landmarks: Index
    mirror: Index


def build_surface(region: str) -> Surface:
    """Return the canonical surface of ``"head"`` or ``"mask"``."""
    sampling: Sampling = HEAD if region == "head" else MASK
    layout = half_layout(sampling)
    skin = _skin(layout)
    other, faces, mirror = _both_halves(layout)
    sites = concatenate([skin, skin.mirrored().take(np.flatnonzero(other >= 0))])
    landmarks = np.array([_landmark(k, layout, other) for k in range(N_LANDMARKS)])
    if not sampling.whole_head:
        return Surface(sites, faces, landmarks, mirror)
    parts, all_faces, mirrors, count = [sites], [faces], [mirror], len(mirror)
    rim = np.concatenate([layout.mouth_rim, other[layout.mouth_rim[-2:0:-1]]])
    socket = layout.eye_rim
    inside = inner_lips(sites, rim), _sockets(sites, socket, other[socket]), _eyeballs(), *mouth_parts()
    for part, part_faces, part_mirror in inside:
        parts.append(part)
        all_faces.append(np.where(part_faces < 0, -1 - part_faces, part_faces + count))
        mirrors.append(part_mirror + count)
        count += len(part_mirror)
    return _symmetric(Surface(concatenate(parts), np.concatenate(all_faces), landmarks, np.concatenate(mirrors)))


def _symmetric(surface: Surface) -> Surface:
    """Take the last rounding errors out of the mirror symmetry of the positions."""
    rest = surface.sites.rest
    even = 0.5 * (rest + rest[surface.mirror] * _FLIP)
    return replace(surface, sites=replace(surface.sites, rest=even))


def _skin(layout: HalfLayout) -> Sites:
    azimuth, level = settle(layout.azimuth, layout.level)
    middle = (layout.azimuth == 0.0) | (layout.azimuth == np.pi)
    rest = cast(sculpture.solid, np.where(middle, layout.azimuth, azimuth), level)
    rest = nostrils.push_in(ears.pull(rest, azimuth, level))
    rest[middle, 0] = 0.0
    about_mouth = MOUTH.elliptic(*MOUTH.to_chart(layout.azimuth, layout.level))
    near = LEFT_EYE.elliptic(*LEFT_EYE.to_chart(layout.azimuth, layout.level))
    far = LEFT_EYE.elliptic(*LEFT_EYE.to_chart(-layout.azimuth, layout.level))
    zero = np.zeros(len(rest))
    lids = np.array([_lids(near[1]), _lids(far[1])])
    return Sites(rest, zero.astype(np.int8), zero, np.stack(about_mouth), np.array([near, far]), lids)


def _lids(angle: Array) -> Array:
    """Return where the rims of both lids stand (2, N) above and below places at these angles about the left eye."""
    table = np.linspace(0.0, np.pi, 61)
    opening = LEFT_EYE
    rims = []
    for side in (1.0, -1.0):
        azimuth, level = opening.from_chart(*opening.local(np.full(61, EYE_RIM), side * table))
        rim = cast(sculpture.solid, *settle(azimuth, level)) - np.array(sculpture.EYE_CENTRE)
        rims.append(np.interp(np.abs(angle), table, np.arctan2(rim[:, 1], rim[:, 2])))
    return np.stack(rims)


def _both_halves(layout: HalfLayout) -> tuple[Index, Index, Index]:
    """Return for each left vertex its mirror (-1: itself, counted from the whole skin), all faces, the mirror map."""
    count = len(layout.azimuth)
    middle = (layout.azimuth == 0.0) | (layout.azimuth == np.pi)
    other = np.full(count, -1)
    other[~middle] = count + np.arange((~middle).sum())
    partner = np.where(middle, np.arange(count), other)
    faces = np.concatenate([layout.faces, partner[layout.faces][:, ::-1]])
    return other, faces, np.concatenate([partner, np.flatnonzero(~middle)])


def _landmark(number: int, layout: HalfLayout, other: Index) -> int:
    if number in layout.landmarks:
        return layout.landmarks[number]
    vertex = layout.landmarks[MIRROR[number]]
    return int(other[vertex]) if other[vertex] >= 0 else vertex


def _sockets(skin: Sites, left_rim: Index, right_rim: Index) -> tuple[Sites, Index, Index]:
    """Return both eye sockets, closed behind the eyeballs. Faces name skin vertices v as -1 - v."""
    left, faces = _socket(skin.take(left_rim), -1 - left_rim)
    count = len(left.rest)
    renamed = np.where(faces < 0, 0, faces + count)
    onto = {int(-1 - a): int(-1 - b) for a, b in zip(left_rim, right_rim, strict=True)}
    rim_faces = np.array([onto.get(int(f), 0) for f in faces.ravel()]).reshape(faces.shape)
    right_faces = np.where(faces < 0, rim_faces, renamed)[:, ::-1]
    mirror = np.concatenate([np.arange(count) + count, np.arange(count)])
    return concatenate([left, left.mirrored()]), np.concatenate([faces, right_faces]), mirror


def _socket(rim: Sites, names: Index) -> tuple[Sites, Index]:
    count = len(rim.rest)
    centre = np.array(sculpture.EYE_CENTRE)
    unit = rim.rest - centre
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    angle = np.arccos(unit[:, 2])
    around = np.arctan2(unit[:, 1], unit[:, 0])
    # The lids are flat and crowd the rim's points beside the corners; behind the eye they may stand evenly.
    even = np.angle(np.exp(1j * (rim.eyes[0, 1] - around)))
    parts, faces, previous = [], [], names
    region = np.full(count, regions.LEFT_SOCKET, dtype=np.int8)
    for k, (share, clearance) in enumerate(_SOCKET):
        turned = angle + share * (np.pi - angle)
        towards = around + min(2.5 * share, 1.0) * even
        sine = np.sin(turned)
        direction = np.stack([np.cos(towards) * sine, np.sin(towards) * sine, np.cos(turned)], axis=1)
        rest = centre + (sculpture.EYE_RADIUS + clearance) * direction
        parts.append(Sites(rest, region, np.full(count, max(share, 0.02)), rim.mouth, rim.eyes, rim.lids))
        current = np.arange(count) + k * count
        faces.append(strip(previous, current))
        previous = current
    back = centre - np.array([0, 0, sculpture.EYE_RADIUS + 1.3])
    parts.append(Sites(back[None], region[:1], np.ones(1), rim.mouth[:, :1], rim.eyes[:, :, :1], rim.lids[:, :, :1]))
    last = len(_SOCKET) * count
    faces.append(np.stack([previous, np.full(count, last), np.roll(previous, -1)], axis=1))
    return concatenate(parts), np.concatenate(faces)[:, ::-1]


def _eyeballs() -> tuple[Sites, Index, Index]:
    """Return both eyeballs: spheres with a slight cornea, looking forward."""
    polar = np.deg2rad(np.array(_EYEBALL_RINGS, dtype=float))
    turn = 2 * np.pi * np.arange(_MERIDIANS) / _MERIDIANS
    p, t = np.repeat(polar, _MERIDIANS), np.tile(turn, len(polar))
    unit = np.stack([np.sin(p) * np.cos(t), np.sin(p) * np.sin(t), np.cos(p)], axis=1)
    unit = np.concatenate([unit, [[0, 0, 1], [0, 0, -1]]])
    bulge = 1.0 + 0.05 * np.exp(-((np.arccos(np.clip(unit[:, 2], -1, 1)) / 0.42) ** 4))
    rest = np.array(sculpture.EYE_CENTRE) + sculpture.EYE_RADIUS * bulge[:, None] * unit
    count = len(rest)
    far = np.full((2, 2, count), 9.0)
    left = Sites(rest, np.full(count, regions.LEFT_EYEBALL, dtype=np.int8), np.zeros(count), far[0], far, far)
    rings = np.arange(len(polar) * _MERIDIANS).reshape(len(polar), _MERIDIANS)
    faces = [strip(rings[k], rings[k + 1]) for k in range(len(polar) - 1)]
    front, back = np.full(_MERIDIANS, count - 2), np.full(_MERIDIANS, count - 1)
    faces.append(np.stack([front, rings[0], np.roll(rings[0], -1)], axis=1))
    faces.append(np.stack([rings[-1], back, np.roll(rings[-1], -1)], axis=1))
    one = np.concatenate(faces)
    mirror = np.concatenate([np.arange(count) + count, np.arange(count)])
    return concatenate([left, left.mirrored()]), np.concatenate([one, one[:, ::-1] + count]), mirror
