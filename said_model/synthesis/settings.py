"""How speech becomes coefficients, apart from the network: live, and where the authors' code does otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field

from said_model.config import SamplerConfig
from said_model.diffusion.sections import Chain


@dataclass(frozen=True)
class Conventions:
    """What the paper leaves open. The defaults are this package's; :data:`PAPER` is what the authors' code does.

    :param whole_clip: a clip is one window, whatever its length; else windows of a clip longer than one are blended.
    :param fill_sound: sound is filled up with zeros to a whole number of frames (a multiple of 800 samples at 60 frames
        a second) before it is normalised, and lasts as many frames as fit into it; else that number is rounded.
    :param guidance_above: a guidance scale up to this one counts as none.
    :param noised_start: an edit starts from the noised track; else from noise wherever nothing is kept.
    :param bent_borders: new parts of an edit are bent so that they go on from what is kept.
    """

    whole_clip: bool = False
    fill_sound: bool = False
    guidance_above: float = 0.0
    noised_start: bool = False
    bent_borders: bool = True


@dataclass(frozen=True)
class Preset:
    """A way of drawing that has a name.

    :param sampler: in place of the checkpoint's; ``None`` leaves that one.
    """

    conventions: Conventions
    sampler: SamplerConfig | None = None


#: What the authors' sampling and editing do.
PAPER = Conventions(whole_clip=True, fill_sound=True, guidance_above=1.0, noised_start=True, bent_borders=False)
PRESETS = {"default": Preset(Conventions()), "paper": Preset(PAPER, SamplerConfig("said-ddim"))}


@dataclass(frozen=True)
class StreamConfig:
    """Sizes in frames.

    :param chain: past, new and look-ahead frames of a section. A frame comes at the latest (hop + lookahead) / fps
        seconds after its sound, plus the time to compute one section.
    :param context: seconds of sound before a section that is encoded with it.
    """

    chain: Chain = field(default_factory=lambda: Chain(past=60, hop=30, lookahead=20))
    context: float = 1.0

    @classmethod
    def live(cls) -> StreamConfig:
        """Return sizes for receivers that play along: a frame waits 0.3 s."""
        return cls(Chain(past=60, hop=9, lookahead=9))

    def latency(self, fps: float) -> float:
        """Seconds from a sound to its frame, without the computation.

        :param fps: frames per second.
        """
        return (self.chain.hop + self.chain.lookahead) / fps
