"""SAiD: speech in, blendshape coefficients out (arXiv 2401.08655).

::

    from said_model import SAiD

    model = SAiD.load("run/")
    track = model.sample("speech.wav", seed=0)
    track.to_csv("speech.csv")

Names are loaded when they are first used; what they need beyond the core comes with ``pip install 'blendvoca[said]'``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from said_model.config import ModelConfig as ModelConfig
    from said_model.config import SamplerConfig as SamplerConfig
    from said_model.model import SAiD as SAiD

_HOME = {"ModelConfig": "config", "SamplerConfig": "config", "SAiD": "model"}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'said_model' has no attribute {name!r}")
    from said_model.extras import import_optional

    return getattr(import_optional(f"said_model.{_HOME[name]}"), name)
