"""What makes a speaker: a smooth deformation of space applied to the average head. Lengths are millimetres.

Space around each eye moves as a whole, so the lids keep their fit to the eyeball. Since all of space is deformed, the
head and the mask of one speaker stay samplings of one surface.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import ConfigurationError
from blendvoca.synthetic.anatomy.sculpture import EYE_CENTRE
from blendvoca.synthetic.anatomy.sites import UPPER_TEETH, Sites

Array = NDArray[np.float64]
Triple = tuple[float, float, float]

#: Where the teeth meet: they move with this point.
_BITE = np.array([[0.0, -48.0, 84.0]])


@dataclass(frozen=True)
class Identity:
    """Parameters of a speaker in standard deviations; all zero is the average head, and ±3 the limit.

    ``nose_bend`` to ``brow_tilt`` make the face asymmetric; ``lip_gap`` is how far the inner lips stand apart.
    """

    size: float = 0.0
    width: float = 0.0
    height: float = 0.0
    jaw_width: float = 0.0
    chin_length: float = 0.0
    chin_forward: float = 0.0
    cheekbones: float = 0.0
    cheek_fullness: float = 0.0
    nose_length: float = 0.0
    nose_width: float = 0.0
    nose_height: float = 0.0
    brow_ridge: float = 0.0
    forehead: float = 0.0
    eye_spacing: float = 0.0
    mouth_width: float = 0.0
    lip_fullness: float = 0.0
    neck_width: float = 0.0
    nose_bend: float = 0.0
    jaw_shift: float = 0.0
    mouth_tilt: float = 0.0
    brow_tilt: float = 0.0
    lip_gap: float = 0.0

    def __post_init__(self) -> None:
        for name, value in self.parameters().items():
            if not (np.isfinite(value) and abs(value) <= 3.0):
                raise ConfigurationError(f"identity parameter {name} is out of range", expected="-3 to 3", found=value)

    def parameters(self) -> dict[str, float]:
        """Return the parameters by name."""
        return {field.name: float(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def random(cls, rng: np.random.Generator, spread: float = 1.0) -> Identity:
        """Draw a speaker: normal parameters of standard deviation ``spread``, kept within ±2 of them."""
        names = [field.name for field in fields(cls)]
        drawn = np.clip(spread * np.clip(rng.standard_normal(len(names)), -2.0, 2.0), -3.0, 3.0)
        return cls(**{name: float(np.round(value, 6)) for name, value in zip(names, drawn, strict=True)})


def shape_sites(identity: Identity, sites: Sites) -> Array:
    """Return canonical places as points (N, 3) of this speaker's head; teeth and tongue keep their form."""
    result = shape_identity(identity, sites.rest)
    hard = sites.region >= UPPER_TEETH
    if hard.any():
        scale = 1.0 + 0.025 * identity.size
        result[hard] = scale * sites.rest[hard] + shape_identity(identity, _BITE) - scale * _BITE
    return result


def carry_sites(identity: Identity, sites: Sites, directions: Array) -> Array:
    """Return displacements (N, 3) of canonical places as this speaker makes them; what was rigid inside stays so."""
    result = carry_identity(identity, sites.rest, directions)
    hard = sites.region >= UPPER_TEETH
    result[hard] = (1.0 + 0.025 * identity.size) * directions[hard]
    return result


def shape_identity(identity: Identity, points: Array) -> Array:
    """Return canonical points (N, 3) as they lie in this speaker's head."""
    moved = points + _displacement(identity, points)
    result: Array = moved * (1.0 + 0.025 * identity.size)
    return result


def carry_identity(identity: Identity, points: Array, directions: Array) -> Array:
    """Return displacements (N, 3) of canonical points as this speaker makes them: the deformation's derivative."""
    step = 1e-3
    ahead = shape_identity(identity, points + step * directions)
    behind = shape_identity(identity, points - step * directions)
    return (ahead - behind) / (2.0 * step)


def _displacement(identity: Identity, points: Array) -> Array:
    active = {name: value for name, value in identity.parameters().items() if value and name in _FIELDS}
    if not active:
        return np.zeros_like(points)
    total = _sum(active, points)
    for side in (1.0, -1.0):
        centre = np.array(EYE_CENTRE) * [side, 1.0, 1.0]
        near = np.exp(-((np.linalg.norm(points - centre, axis=1) / 19.0) ** 6))[:, None]
        total = total * (1.0 - near) + near * _sum(active, centre[None])
    return total


def _sum(active: dict[str, float], points: Array) -> Array:
    total = np.zeros_like(points)
    for name, value in active.items():
        total += value * _FIELDS[name](points)
    return total


def _blob(points: Array, centre: Triple, radii: Triple, mirrored: bool = True) -> Array:
    """Return a Gaussian bump (N, 1), repeated on the other side if asked for."""
    p = points.copy()
    if mirrored:
        p[:, 0] = np.abs(p[:, 0])
    return np.exp(-(((p - np.array(centre)) / np.array(radii)) ** 2).sum(axis=1))[:, None]


def _outward(points: Array, scale: float) -> Array:
    """Return the vector (N, 3) that points away from the midline, smooth across it."""
    x = np.tanh(points[:, 0] / scale)
    return np.stack([x, np.zeros_like(x), np.zeros_like(x)], axis=1)


def _jaw_width(p: Array) -> Array:
    return 3.2 * _outward(p, 20.0) * _blob(p, (42, -58, 25), (34, 34, 55))


def _neck_width(p: Array) -> Array:
    below = 0.5 * (1.0 - np.tanh((p[:, 1] + 95.0) / 22.0))[:, None]
    return 0.05 * np.stack([p[:, 0], 0 * p[:, 1], p[:, 2] + 25.0], axis=1) * below


def _lip_fullness(p: Array) -> Array:
    swell = _blob(p, (0, -47.5, 94), (26, 9.5, 16), False)
    return swell * np.stack([0 * p[:, 0], 1.5 * np.tanh((p[:, 1] + 47.5) / 5.0), np.full(len(p), 0.9)], axis=1)


def _mouth_tilt(p: Array) -> Array:
    near = _blob(p, (0, -48, 85), (32, 20, 30), False)
    return near * np.stack([0 * p[:, 0], 0.05 * p[:, 0], 0 * p[:, 0]], axis=1)


def _brow_tilt(p: Array) -> Array:
    near = _blob(p, (0, 44, 80), (52, 14, 30), False)
    return near * np.stack([0 * p[:, 0], 0.9 * np.tanh(p[:, 0] / 15.0), 0 * p[:, 0]], axis=1)


def _constant(direction: Triple, centre: Triple, radii: Triple) -> Callable[[Array], Array]:
    def field(points: Array) -> Array:
        return _blob(points, centre, radii, False) * np.array(direction)

    return field


def _spread(amount: float, scale: float, centre: Triple, radii: Triple) -> Callable[[Array], Array]:
    def field(points: Array) -> Array:
        return amount * _outward(points, scale) * _blob(points, centre, radii)

    return field


_FIELDS: dict[str, Callable[[Array], Array]] = {
    "width": lambda p: 0.028 * p * np.array([1.0, 0.0, 0.0]),
    "height": lambda p: 0.026 * p * np.array([0.0, 1.0, 0.0]),
    "jaw_width": _jaw_width,
    "chin_length": _constant((0.0, -3.0, 0.0), (0, -92, 70), (38, 30, 45)),
    "chin_forward": _constant((0.0, 0.0, 2.8), (0, -80, 85), (30, 24, 30)),
    "cheekbones": _spread(2.4, 25.0, (54, 4, 42), (26, 17, 34)),
    "cheek_fullness": _spread(3.0, 18.0, (46, -32, 55), (26, 26, 34)),
    "nose_length": _constant((0.0, -2.5, 1.0), (0, -20, 104), (17, 20, 20)),
    "nose_width": _spread(2.1, 7.0, (11, -17, 96), (13, 13, 18)),
    "nose_height": _constant((0.0, 0.0, 2.4), (0, 2, 104), (11, 26, 22)),
    "brow_ridge": _constant((0.0, -0.6, 1.7), (0, 44, 86), (48, 13, 24)),
    "forehead": _constant((0.0, 1.0, 3.0), (0, 88, 70), (62, 34, 48)),
    "eye_spacing": _spread(1.7, 14.0, (30, 28, 75), (30, 26, 34)),
    "mouth_width": _spread(2.2, 14.0, (26, -49, 82), (22, 16, 30)),
    "lip_fullness": _lip_fullness,
    "neck_width": _neck_width,
    "nose_bend": _constant((0.9, 0.0, 0.0), (0, -14, 106), (18, 22, 22)),
    "jaw_shift": _constant((1.0, 0.0, 0.0), (0, -84, 70), (44, 34, 50)),
    "mouth_tilt": _mouth_tilt,
    "brow_tilt": _brow_tilt,
}
