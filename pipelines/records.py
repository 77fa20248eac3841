"""Types to arrays and back, for intermediate results that several stages read."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blendvoca.audio import Waveform
from blendvoca.crop import Crop
from blendvoca.io.digest import digest_bytes
from blendvoca.mesh import Mesh
from blendvoca.rig import BlendshapeRig
from blendvoca.transfer.registration import Registration
from pipelines.artefact import Artefact

#: Grid of stored deltas in metres, about a micrometre: far below the noise of scans, far above what the kernels of
#: different processors differ by (3e-14 m), so that all of them store the same bytes. A power of two, exact in float32.
DELTA_GRID = 2.0**-20
#: Grid of stored coefficients, the spacing of float32 below 1.
COEFFICIENT_GRID = 2.0**-24


def on_grid(values: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    """Return values rounded to multiples of a step; zeros are positive.

    :param values: of any shape.
    :param step: a power of two.
    """
    return np.round(values / step) * step + 0.0


def pack_mesh(name: str, mesh: Mesh) -> dict[str, NDArray[Any]]:
    """Return a mesh as named arrays."""
    return {f"{name}_vertices": mesh.vertices, f"{name}_faces": mesh.faces}


def unpack_mesh(name: str, stored: Artefact) -> Mesh:
    """Return the mesh that :func:`pack_mesh` took apart."""
    return Mesh(stored[f"{name}_vertices"], stored[f"{name}_faces"])


def pack_rig(rig: BlendshapeRig) -> dict[str, NDArray[Any]]:
    """Return a rig as named arrays."""
    return {
        **pack_mesh("neutral", rig.neutral),
        "deltas": rig.deltas,
        "names": np.array([name.encode() for name in rig.names]),
    }


def unpack_rig(stored: Artefact) -> BlendshapeRig:
    """Return the rig that :func:`pack_rig` took apart."""
    names = tuple(bytes(name).decode() for name in stored["names"])
    return BlendshapeRig(unpack_mesh("neutral", stored), stored["deltas"], names)


def pack_registration(found: Registration) -> dict[str, NDArray[Any]]:
    """Return a registration as named arrays."""
    return {field.name: np.asarray(getattr(found, field.name)) for field in fields(found)}


def unpack_registration(stored: Artefact) -> Registration:
    """Return the registration that :func:`pack_registration` took apart; plain numbers come back as such."""
    values: dict[str, Any] = {field.name: stored[field.name] for field in fields(Registration)}
    return Registration(**{name: value if value.ndim else value.item() for name, value in values.items()})


def pack_crop(name: str, crop: Crop) -> dict[str, NDArray[Any]]:
    """Return a crop as named arrays."""
    return {f"{name}_kept": crop.kept, f"{name}_of": np.array(crop.n_vertices)}


def unpack_crop(name: str, stored: Artefact) -> Crop:
    """Return the crop that :func:`pack_crop` took apart."""
    return Crop(stored[f"{name}_kept"], int(stored[f"{name}_of"]))


def sound_digest(sound: Waveform) -> str:
    """Return the SHA-256 of rate and 16-bit samples: of what is stored, not of the file it came from."""
    return digest_bytes(f"{sound.rate}\n".encode() + sound.to_int16().astype("<i2").tobytes())
