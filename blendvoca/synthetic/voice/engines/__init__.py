"""Speech engines behind one interface: espeak-ng, and flite, festival and Kokoro where the machine has them."""

from __future__ import annotations

from blendvoca.errors import ConfigurationError, MissingDependencyError, nearest
from blendvoca.synthetic.voice.engines.base import Spoken as Spoken
from blendvoca.synthetic.voice.engines.base import Voice as Voice
from blendvoca.synthetic.voice.engines.base import VoiceSource as VoiceSource
from blendvoca.synthetic.voice.engines.espeak import Espeak
from blendvoca.synthetic.voice.engines.festival import Festival
from blendvoca.synthetic.voice.engines.flite import Flite
from blendvoca.synthetic.voice.engines.kokoro import Kokoro

ENGINES: dict[str, VoiceSource] = {source.name: source for source in (Espeak(), Flite(), Festival(), Kokoro())}


def source_of(voice: Voice) -> VoiceSource:
    """Return the engine that has a voice.

    :raises ConfigurationError: for an engine that is none.
    :raises MissingDependencyError: if this machine lacks it.
    """
    source = ENGINES.get(voice.engine)
    if source is None:
        raise ConfigurationError(
            f"unknown speech engine {voice.engine!r}{nearest(voice.engine, ENGINES)}", expected=sorted(ENGINES)
        )
    if not source.available():
        if source.name == "espeak":
            raise MissingDependencyError("espeakng_loader", "demo", "speaking the sample's sentences")
        raise ConfigurationError(f"{source.name} is not on this machine", remedy=source.remedy)
    return source
