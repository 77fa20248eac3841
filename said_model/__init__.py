"""SAiD: speech in, blendshape coefficients out (arXiv 2401.08655).

::

    from said_model import SAiD

    model = SAiD.load("run/")
    track = model.sample("speech.wav", seed=0)
    track.to_csv("speech.csv")

Names are loaded when they are first used; what they need beyond the core comes with ``pip install 'blendvoca[said]'``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blendvoca.internal.lazy import lazy_names
from said_model.extras import import_optional

if TYPE_CHECKING:
    from said_model.config import ModelConfig as ModelConfig
    from said_model.config import SamplerConfig as SamplerConfig
    from said_model.diffusion.sections import WindowConfig as WindowConfig
    from said_model.model import SAiD as SAiD
    from said_model.synthesis.edit import build_mask as build_mask
    from said_model.synthesis.settings import PAPER as PAPER
    from said_model.synthesis.settings import Conventions as Conventions
    from said_model.synthesis.settings import StreamConfig as StreamConfig
    from said_model.training.data import ClipWindows as ClipWindows

_HOMES = {
    "ClipWindows": "training.data",
    "Conventions": "synthesis.settings",
    "ModelConfig": "config",
    "PAPER": "synthesis.settings",
    "SAiD": "model",
    "SamplerConfig": "config",
    "StreamConfig": "synthesis.settings",
    "WindowConfig": "diffusion.sections",
    "build_mask": "synthesis.edit",
}

__all__ = sorted(_HOMES)
__getattr__, __dir__ = lazy_names(__name__, _HOMES, import_optional)
