"""Rigs, tracks and sounds as little binary blocks for the page; ``assets/codec.js`` reads them back.

A block is a list of sections of numbers, little-endian, each with its bytes sorted by significance, deflated together
and written as base64. Positions are unsigned, deltas signed 16-bit multiples of a step; of a shape only
the vertices that it moves are kept, marked by one bit a vertex.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blendvoca.arkit import ARKIT_NAMES, BLENDVOCA_NAMES, GROUPS, mirror_name
from blendvoca.audio import Waveform
from blendvoca.errors import RigError
from blendvoca.rig import BlendshapeRig
from blendvoca.track import CoefficientTrack
from blendvoca.view.appearance import appearance_of
from blendvoca.view.cap import cap
from blendvoca.view.sheet import METRIC_EXTENT

#: Smallest step of a delta relative to the head's size: one micrometre on an adult's.
DELTA_STEP = 4e-6
#: Motion below so many steps is left out.
STILL_STEPS = 2
#: Samples a second of the sound in the page, 8 bits each (G.711 µ-law).
SOUND_RATE = 16_000
#: Directions, not sides: linking them would let them cancel.
_DIRECTIONS = ("jawLeft", "jawRight", "mouthLeft", "mouthRight")
_KINDS = {"uint8": "u1", "int8": "i1", "uint16": "u2", "int16": "i2", "uint32": "u4"}


@dataclass(frozen=True)
class Packed:
    """A block: what the page must know to read it, and its base64 text."""

    facts: dict[str, Any]
    text: str


def pack(sections: Mapping[str, NDArray[Any]], **facts: Any) -> Packed:
    """Pack integer arrays (any shape, at most 32 bits) under their names."""
    table, content = [], []
    for name, values in sections.items():
        flat = np.ascontiguousarray(values).ravel()
        little = flat.astype(flat.dtype.newbyteorder("<"), copy=False)
        content.append(little.view(np.uint8).reshape(len(flat), flat.itemsize).T.tobytes())
        table.append([name, _KINDS[flat.dtype.name], len(flat)])
    text = base64.b64encode(zlib.compress(b"".join(content), 9)).decode("ascii")
    return Packed({**facts, "sections": table}, text)


def pack_rig(rig: BlendshapeRig, landmarks: NDArray[np.integer] | None = None) -> Packed:
    """Pack a rig: positions, triangles, shapes, and what its vertices look like.

    :param landmarks: (68,) vertices in iBUG order, where they are known: lips, brows and teeth are coloured by them.
    :raises RigError: if it has no triangles.
    """
    mesh = rig.neutral
    if not len(mesh.faces):
        raise RigError("this rig has no triangles to draw", expected="faces (F > 0, 3)", found=mesh.faces.shape)
    low, size = mesh.vertices.min(axis=0), np.ptp(mesh.vertices, axis=0)
    extent = float(size.max())
    step = extent / 65535 or 1.0
    index = np.uint16 if mesh.n_vertices <= 65536 else np.uint32
    masks, values, steps = _pack_deltas(rig.deltas, extent)
    in_metres = METRIC_EXTENT[0] <= extent <= METRIC_EXTENT[1]
    look = appearance_of(mesh, landmarks)
    return pack(
        {
            "positions": np.rint((mesh.vertices - low) / step).astype(np.uint16),
            "faces": mesh.faces.astype(index),
            "cap": cap(mesh).astype(index),
            "colours": np.rint(255 * look.colours).astype(np.uint8),
            "occlusion": np.rint(255 * look.occlusion).astype(np.uint8),
            "eyes": np.rint(127 * look.eyes).astype(np.int8),
            "masks": masks,
            "values": values,
        },
        vertices=mesh.n_vertices,
        triangles=len(mesh.faces),
        names=list(rig.names),
        groups=_groups(rig.names),
        partners=_partners(rig.names),
        origin=low.tolist(),
        position_step=step,
        steps=steps,
        **framing(rig),
        unit={"name": "mm", "scale": 1000.0} if in_metres else {"name": "units", "scale": 1.0},
    )


def framing(rig: BlendshapeRig) -> dict[str, list[float]]:
    """Return the middle and half the size of what the camera shows first: the head, without a bust below it.

    What the shapes move shows where the face is; what lies far below it is left out.
    """
    vertices = rig.neutral.vertices
    reach = np.linalg.norm(rig.deltas, axis=2).max(axis=0)
    height = vertices[reach > 0.1 * reach.max(), 1] if reach.any() else vertices[:, 1]
    shown = vertices[vertices[:, 1] >= height.min() - 0.2 * np.ptp(height)]
    low, high = shown.min(axis=0), shown.max(axis=0)
    return {"middle": ((low + high) / 2).tolist(), "half": ((high - low) / 2).tolist()}


def _pack_deltas(
    deltas: NDArray[np.float64], extent: float
) -> tuple[NDArray[np.uint8], NDArray[np.int16], list[float]]:
    """Return which vertices move (bits), by how many steps (coordinate after coordinate), and each shape's step."""
    masks, values, steps = [], [], []
    for delta in deltas:
        step = max(float(np.abs(delta).max(initial=0.0)) / 32767, extent * DELTA_STEP) or 1.0
        counts = np.rint(delta / step)
        moved = np.linalg.norm(counts, axis=1) >= STILL_STEPS
        masks.append(np.packbits(moved))
        values.append(counts[moved].astype(np.int16).T.ravel())
        steps.append(step)
    return np.concatenate(masks), np.concatenate(values), steps


def _groups(names: Sequence[str]) -> list[dict[str, Any]]:
    """Return the shapes of each facial group, sides next to each other; what belongs to no group stands at the end."""
    order = {name: place for place, name in enumerate(dict.fromkeys((*BLENDVOCA_NAMES, *ARKIT_NAMES)))}
    group_of = {name: group for group, members in GROUPS.items() for name in members}

    def place(shape: int) -> tuple[int, int]:
        own, other = (order.get(name, len(order)) for name in (names[shape], mirror_name(names[shape])))
        return min(own, other), own

    ranked = sorted(range(len(names)), key=place)
    groups = {group: [shape for shape in ranked if group_of.get(names[shape], "other") == group]
              for group in (*GROUPS, "other")}  # fmt: skip
    return [{"name": group, "shapes": shapes} for group, shapes in groups.items() if shapes]


def _partners(names: Sequence[str]) -> list[int]:
    """Return for each shape the one on the other side, -1 where there is none."""
    index = {name: place for place, name in enumerate(names)}
    return [
        -1 if name in _DIRECTIONS or mirror_name(name) == name else index.get(mirror_name(name), -1) for name in names
    ]


def pack_track(track: CoefficientTrack, rig: BlendshapeRig, label: str) -> Packed:
    """Pack a track with the places of its columns among the rig's shapes.

    :raises RigError: if the rig lacks one of them.
    """
    return pack(
        {"values": np.rint(65535 * track.values).astype(np.uint16)},
        label=label,
        fps=track.fps,
        frames=len(track),
        columns=rig.indices(track.names),
    )


def pack_sound(waveform: Waveform, seconds: float) -> Packed:
    """Pack a sound at 16 kHz and 8 bits, cut or filled with silence to last ``seconds``."""
    samples = waveform.resampled(SOUND_RATE).samples
    wanted = max(round(seconds * SOUND_RATE), 1)
    fitted = np.zeros(wanted, dtype=np.float64)
    fitted[: min(wanted, len(samples))] = samples[:wanted]
    return pack({"samples": mu_law(fitted)}, rate=SOUND_RATE)


def mu_law(samples: ArrayLike) -> NDArray[np.uint8]:
    """Return 8-bit codes of amplitudes in ±1 (ITU-T G.711 µ-law: sign, three bits of exponent, four of mantissa)."""
    linear = np.clip(np.rint(np.asarray(samples) * 32768.0), -32635, 32635).astype(np.int64)
    magnitude = np.abs(linear) + 132
    exponent = np.floor(np.log2(magnitude)).astype(np.int64) - 7
    mantissa = (magnitude >> (exponent + 3)) & 15
    return (~((linear < 0) * 128 | exponent << 4 | mantissa) & 255).astype(np.uint8)


def pack_field(values_mm: ArrayLike) -> Packed:
    """Pack one distance a vertex (V,), in mm, to a thousandth of the largest."""
    values = np.asarray(values_mm, dtype=np.float64)
    largest = float(values.max(initial=0.0)) or 1.0
    return pack({"values": np.rint(65535 * values / largest).astype(np.uint16)}, full=largest)
