"""BlendVOCA: speech paired with ARKit blendshape coefficients, and the tools that make it.

The names below are the public interface; they are loaded when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blendvoca.internal.lazy import lazy_names
from blendvoca.version import __version__ as __version__

if TYPE_CHECKING:
    from blendvoca.audio import Waveform as Waveform
    from blendvoca.certificate import FitCertificate as FitCertificate
    from blendvoca.clip import Clip as Clip
    from blendvoca.crop import Crop as Crop
    from blendvoca.dataset import BlendVOCA as BlendVOCA
    from blendvoca.errors import BlendvocaError as BlendvocaError
    from blendvoca.export.convert import load_track as load_track
    from blendvoca.export.rigs import load_rig as load_rig
    from blendvoca.fit.fitter import FitResult as FitResult
    from blendvoca.fit.fitter import Fitter as Fitter
    from blendvoca.fit.settings import FitSettings as FitSettings
    from blendvoca.io.sequence.frames import open_sequence as open_sequence
    from blendvoca.io.sound.wav import read_audio as read_audio
    from blendvoca.mesh import Mesh as Mesh
    from blendvoca.rig import BlendshapeRig as BlendshapeRig
    from blendvoca.sequence import MeshSequence as MeshSequence
    from blendvoca.track import CoefficientTrack as CoefficientTrack
    from blendvoca.transfer.config import TransferConfig as TransferConfig
    from blendvoca.transfer.transfer_rig import transfer_rig as transfer_rig

_HOMES = {
    "BlendVOCA": "dataset",
    "BlendshapeRig": "rig",
    "BlendvocaError": "errors",
    "Clip": "clip",
    "CoefficientTrack": "track",
    "Crop": "crop",
    "FitCertificate": "certificate",
    "FitResult": "fit.fitter",
    "FitSettings": "fit.settings",
    "Fitter": "fit.fitter",
    "Mesh": "mesh",
    "MeshSequence": "sequence",
    "TransferConfig": "transfer.config",
    "Waveform": "audio",
    "load_rig": "export.rigs",
    "load_track": "export.convert",
    "open_sequence": "io.sequence.frames",
    "read_audio": "io.sound.wav",
    "transfer_rig": "transfer.transfer_rig",
}

__all__ = sorted(_HOMES)
__getattr__, __dir__ = lazy_names(__name__, _HOMES)
