"""BlendVOCA: speech paired with ARKit blendshape coefficients, and the tools that make it.

The names below are loaded when they are first used, so that importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from blendvoca.audio import Waveform as Waveform
    from blendvoca.certificate import FitCertificate as FitCertificate
    from blendvoca.clip import Clip as Clip
    from blendvoca.crop import Crop as Crop
    from blendvoca.dataset import BlendVOCA as BlendVOCA
    from blendvoca.errors import BlendvocaError as BlendvocaError
    from blendvoca.mesh import Mesh as Mesh
    from blendvoca.rig import BlendshapeRig as BlendshapeRig
    from blendvoca.sequence import MeshSequence as MeshSequence
    from blendvoca.track import CoefficientTrack as CoefficientTrack

_HOME = {
    "BlendVOCA": "dataset",
    "BlendshapeRig": "rig",
    "BlendvocaError": "errors",
    "Clip": "clip",
    "CoefficientTrack": "track",
    "Crop": "crop",
    "FitCertificate": "certificate",
    "Mesh": "mesh",
    "MeshSequence": "sequence",
    "Waveform": "audio",
}

__all__ = sorted(_HOME)
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'blendvoca' has no attribute {name!r}")
    return getattr(import_module(f"blendvoca.{_HOME[name]}"), name)
