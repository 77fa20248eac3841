"""What a model is made of, as frozen dataclasses that travel as JSON beside the weights.

:class:`ModelConfig` describes the network and never changes after training; :class:`SamplerConfig` describes one way of
drawing from it and belongs to the call.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from blendvoca.arkit import BLENDVOCA_NAMES
from blendvoca.errors import ConfigurationError, nearest
from blendvoca.internal.names import shown
from said_model.ranges import (
    HIGHEST_FPS,
    LOWEST_FPS,
    MOST_FEATURES,
    WIDEST,
    build,
    listed,
    require,
    require_integer,
    require_label,
    require_number,
    require_shapes,
)

#: Encoder that is computed, not downloaded.
LOG_MEL = "log-mel"
#: The paper's speech encoder (4.2.1).
WAV2VEC2_BASE = "facebook/wav2vec2-base-960h"
#: Sample rate in Hz of every encoder here.
SAMPLE_RATE = 16_000

#: Timesteps of the noising process, and of a sampler.
MOST_STEPS = 100_000

Prediction = Literal["epsilon", "sample", "v_prediction"]
#: Schedules of the noise's variance: the paper's cosine one, and those of other models.
BETAS = ("squaredcos_cap_v2", "linear", "scaled_linear")
PREDICTIONS: tuple[Prediction, ...] = ("epsilon", "sample", "v_prediction")


@dataclass(frozen=True)
class Alignment:
    """How far the audio that a frame attends to may lie from it (paper Eq. 4), in frames.

    :param bandwidth: 1 in the paper; ``None`` attends to the whole clip.
    :param schedule: (timestep, bandwidth) pairs, rising: from that timestep on, the bandwidth is another one. The
        paper's outlook: from global attention at the noisy end to local attention at the clean end.
    """

    bandwidth: int | None = 1
    schedule: tuple[tuple[int, int | None], ...] = ()

    def __post_init__(self) -> None:
        pairs = tuple(listed(pair, "step of the alignment") for pair in listed(self.schedule, "schedule"))
        require(all(len(pair) == 2 for pair in pairs), "wrong schedule", "pairs of timestep and bandwidth", pairs[:3])
        object.__setattr__(self, "schedule", pairs)
        starts = [start for start, _ in pairs]
        for start in starts:
            require_integer(start, "timestep of the alignment", 0, MOST_STEPS)
        for width in (self.bandwidth, *(width for _, width in pairs)):
            if width is not None:
                require_integer(width, "bandwidth of the alignment, in frames", 0, MOST_STEPS)
        require(starts == sorted(set(starts)), "alignment timesteps must rise", "rising timesteps", starts)

    def at(self, timestep: float) -> int | None:
        """Return the bandwidth at a timestep."""
        width = self.bandwidth
        for start, other in self.schedule:
            if timestep >= start:
                width = other
        return width

    @classmethod
    def parse(cls, text: str) -> Alignment:
        """Read ``1``, ``none`` or ``1,8@400,none@800`` (bandwidth, then bandwidth@timestep).

        :raises ConfigurationError: if the text is none of these.
        """

        def width(word: str) -> int | None:
            return None if word.strip().lower() == "none" else int(word)

        first, *rest = text.split(",")
        try:
            pairs = [part.split("@") for part in rest]
            return cls(width(first), tuple((int(start), width(word)) for word, start in pairs))
        except ValueError as error:
            raise ConfigurationError(
                "unreadable alignment", expected="1, none, or like 1,8@400,none@800", found=repr(text)
            ) from error


@dataclass(frozen=True)
class EncoderConfig:
    """A speech encoder.

    :param name: :data:`LOG_MEL`, or the name or folder of a transformers model (wav2vec 2.0, HuBERT, WavLM, XLSR,
        Whisper).
    :param settings: for a transformers model its configuration, for log-mel other than default settings.
    :param stored: whether the encoder's weights lie in the checkpoint; otherwise they are loaded by name.
    """

    name: str = LOG_MEL
    settings: Mapping[str, Any] = field(default_factory=dict)
    stored: bool = False

    def __post_init__(self) -> None:
        require_label(self.name, "speech encoder")
        require(isinstance(self.settings, Mapping), "wrong settings of the encoder", "names with values",
                shown(self.settings))  # fmt: skip
        require(isinstance(self.stored, bool), "wrong 'stored' of the encoder", "true or false", shown(self.stored))


@dataclass(frozen=True)
class DenoiserConfig:
    """Size of the denoiser (paper 4.2.1); the defaults are the published ones.

    :param width: channels C of the U-Net.
    :param heads: attention heads.
    :param feature_dim: width of the audio features.
    :param dropout: dropout of the residual blocks while training.
    """

    width: int = 192
    heads: int = 6
    feature_dim: int = 768
    dropout: float = 0.1
    alignment: Alignment = field(default_factory=Alignment)

    def __post_init__(self) -> None:
        if isinstance(self.alignment, Mapping):
            object.__setattr__(self, "alignment", build(Alignment, self.alignment))
        require_integer(self.width, "width of the denoiser", 32, WIDEST)
        require(self.width % 32 == 0, "wrong width", "a multiple of 32 (groups)", self.width)
        require_integer(self.heads, "number of heads", 1, self.width)
        require(self.width % self.heads == 0, "wrong heads", "a divisor of the width", self.heads)
        require_integer(self.feature_dim, "width of audio features", 1, MOST_FEATURES)
        require_number(self.dropout, "dropout", 0, 0.99)


@dataclass(frozen=True)
class DiffusionConfig:
    """The noising process: cosine betas, what the network predicts.

    :param scale: factor of the coefficients before noise is added, 1 in the paper. Speech moves them by 0.1 around
        0.07, so that with 1 the noise hides them at nearly every timestep; 8 brings them to the size of the noise.
    :param guided: the guidance scale that distillation put into the predictions (``said distill``); ``None`` where
        they are not guided.
    :param distilled_steps: steps of ``distilled`` that it was distilled for; ``None`` likewise.
    """

    train_steps: int = 1000
    beta_schedule: str = "squaredcos_cap_v2"
    prediction: Prediction = "epsilon"
    scale: float = 1.0
    guided: float | None = None
    distilled_steps: int | None = None

    def __post_init__(self) -> None:
        require_integer(self.train_steps, "number of noising steps", 2, MOST_STEPS)
        require(self.beta_schedule in BETAS, "unknown beta schedule", BETAS, shown(self.beta_schedule))
        require(self.prediction in PREDICTIONS, "unknown prediction", PREDICTIONS, shown(self.prediction))
        require_number(self.scale, "scale of the coefficients", 1e-3, 1e3)
        both = (self.guided is None) == (self.distilled_steps is None)
        require(both, "guidance and steps are distilled together", "both or none", (self.guided, self.distilled_steps))
        if self.guided is not None and self.distilled_steps is not None:
            require_number(self.guided, "distilled guidance", 0, 100)
            require_integer(self.distilled_steps, "distilled steps", 1, self.train_steps)

    def added_guidance(self, scale: float) -> float:
        """Return the guidance that sampling has to add for a scale: none where it is in the predictions.

        :param scale: that is asked for.
        :raises ConfigurationError: for another scale than the one that is in the predictions.
        """
        if self.guided is None:
            return scale
        if scale != self.guided:
            raise ConfigurationError(
                "guidance is part of a distilled model", expected=self.guided, found=scale,
                remedy="Leave it out, or draw from the model's teacher.",
            )  # fmt: skip
        return 0.0


@dataclass(frozen=True)
class ModelConfig:
    """Everything that is needed to build the network.

    :param names: blendshapes, in column order.
    :param fps: frames per second of the coefficients.
    :param encoder: the speech encoder.
    :param denoiser: the network.
    :param diffusion: the noise schedule and what is predicted.
    """

    names: tuple[str, ...] = BLENDVOCA_NAMES
    fps: float = 60.0
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    denoiser: DenoiserConfig = field(default_factory=DenoiserConfig)
    diffusion: DiffusionConfig = field(default_factory=DiffusionConfig)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", listed(self.names, "names of blendshapes"))
        for key, kind in (("encoder", EncoderConfig), ("denoiser", DenoiserConfig), ("diffusion", DiffusionConfig)):
            value = getattr(self, key)
            if isinstance(value, Mapping):
                object.__setattr__(self, key, build(kind, value))
            require(isinstance(getattr(self, key), kind), f"wrong {key}", "names with values", shown(value))
        require_shapes(self.names)
        require_number(self.fps, "frame rate", LOWEST_FPS, HIGHEST_FPS)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return json.loads(json.dumps(asdict(self)))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ModelConfig:
        """Read what :meth:`to_dict` wrote.

        :param data: what :meth:`to_dict` returned.
        :raises ConfigurationError: naming an unknown setting or a value out of range.
        """
        return build(cls, data)


@dataclass(frozen=True)
class SamplerConfig:
    """How samples are drawn.

    :param name: ``dpm`` (DPM-Solver++ of order two on a uniform log-SNR grid), ``said-ddim`` (the authors' settings) or
        ``distilled`` (the few steps that ``said distill`` trains for).
    :param steps: denoising steps; ``None`` takes the sampler's default.
    :param guidance_scale: weight of the guidance, 0 is the conditional model (paper Eq. 9; 2 in the paper).
    """

    name: str = "dpm"
    steps: int | None = None
    guidance_scale: float = 2.0

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or self.name not in DEFAULT_STEPS:
            close = nearest(str(self.name)[:60], DEFAULT_STEPS)
            raise ConfigurationError(f"unknown sampler {shown(self.name)}{close}", expected=sorted(DEFAULT_STEPS))
        if self.steps is not None:
            require_integer(self.steps, "number of denoising steps", 1, MOST_STEPS)
        require_number(self.guidance_scale, "guidance scale", 0, 1000)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SamplerConfig:
        """Read a checkpoint's.

        :param data: settings by name.
        :raises ConfigurationError: naming an unknown setting or a value out of range.
        """
        return build(cls, data)

    def suits(self, diffusion: DiffusionConfig) -> bool:
        """Return whether a model was trained for what this asks of it: a distilled one knows its own steps alone.

        :param diffusion: of the model.
        """
        own = diffusion.distilled_steps
        return own is None or (self.name, self.step_count) == ("distilled", own)

    def changed(
        self, name: str | None = None, steps: int | None = None, guidance_scale: float | None = None
    ) -> SamplerConfig:
        """Return it with what is given instead of its own; another sampler takes its own default number of steps.

        :param name: of the sampler.
        :param steps: denoising steps.
        :param guidance_scale: weight of the guidance.
        :raises ConfigurationError: for an unknown sampler or a value out of range.
        """
        kept = self.steps if name in (None, self.name) else None
        return SamplerConfig(
            name or self.name,
            kept if steps is None else steps,
            self.guidance_scale if guidance_scale is None else guidance_scale,
        )

    @property
    def step_count(self) -> int:
        """Denoising steps."""
        return DEFAULT_STEPS[self.name] if self.steps is None else self.steps


#: Samplers and their default number of steps: the authors sample with 1000 (supplement 12); 10 of ``dpm`` end within
#: 2 % of a long run (``benchmarks/steps.py``, ``docs/sampling.md``).
DEFAULT_STEPS = {"dpm": 10, "said-ddim": 1000, "distilled": 2}


def default_sampler(diffusion: DiffusionConfig) -> SamplerConfig:
    """Return how to draw from a model whose checkpoint does not say it.

    Ten steps of ``dpm`` were measured on models that predict the coefficients. For all others the authors' setting
    holds. A distilled model has its guidance in it.
    """
    if diffusion.guided is not None:
        return SamplerConfig("distilled", diffusion.distilled_steps, diffusion.guided)
    return SamplerConfig("dpm" if diffusion.prediction == "sample" else "said-ddim")
