"""The settings of a training: every one with its default, in one place; nothing here needs torch.

The command line makes its options of :class:`SaidSettings`, so a default stands here and nowhere else. The defaults of
:class:`LoopConfig` are the paper's (5.1): an epoch there is one pass of the training split in batches of eight, 40
batches on VOCASET's 319 training clips, and there are 50,000 of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from blendvoca.errors import ConfigurationError
from said_model.config import PREDICTIONS, ModelConfig, SamplerConfig
from said_model.ranges import require

#: The paper's epochs (5.1), those of its warm-up, and its batches in an epoch (319 clips, eight a batch).
PAPER_EPOCHS, PAPER_WARMUP_EPOCHS, PAPER_EPOCH_BATCHES = 50_000, 5_000, 40
#: Epochs between the authors' validations, and how often each clip is drawn in one.
PAPER_VALIDATION_EPOCHS, PAPER_VALIDATION_REPEATS = 200, 50
#: The warm-up is one of so many parts of the paper's trainings, of the denoiser and of the VAE.
WARMUP_SHARE = PAPER_EPOCHS // PAPER_WARMUP_EPOCHS
PRECISIONS = ("auto", "float32", "bfloat16", "float16")
DECAYS = ("constant", "cosine")
ENGINES = ("auto", "eager", "compiled", "graph")
ERRORS = ("absolute", "squared")
VALIDATIONS = ("windows", "clips")
#: What the speech encoder is given: the whole clip, or the window alone.
ENCODER_INPUTS = ("clip", "window")
#: Acoustic augmentations (:mod:`said_model.training.acoustics`).
ACOUSTICS = ("none", "room")


def epoch_steps(clips: int, batch: int) -> int:
    """Return the steps of an epoch: batches that show every clip once, the last one perhaps not full."""
    return -(-clips // batch)


@dataclass(frozen=True)
class LoopConfig:
    """How long, how fast, how often (paper 5.1 and supplement 11.2).

    :param steps: optimiser steps.
    :param batch: windows a step and process.
    :param learning_rate: of AdamW, reached after ``warmup`` steps.
    :param warmup: steps; ``None`` is a tenth of all, as in the paper.
    :param decay: ``constant`` holds the learning rate (the paper); ``cosine`` lets it fall to zero at the last step,
        which brings short trainings further.
    :param clip_norm: largest norm of the gradient; a larger one is scaled down. 0 leaves it as it is.
    :param ema_decay: of the averaged weights, which are what is kept and validated.
    :param evaluate_every: steps between validations; the best is kept, and the state for resuming is written.
    :param precision: ``float32``, ``bfloat16`` or ``float16``; ``auto`` is bfloat16 on a GPU that has it, else float32.
    :param engine: ``eager`` runs the step operator by operator, ``compiled`` compiles it, ``graph`` captures several
        compiled steps in a CUDA graph; ``auto`` is ``graph`` on one GPU, else ``eager``.
    """

    steps: int = PAPER_EPOCHS * PAPER_EPOCH_BATCHES
    batch: int = 8
    learning_rate: float = 1e-5
    warmup: int | None = None
    decay: str = "constant"
    weight_decay: float = 1e-2
    betas: tuple[float, float] = (0.9, 0.999)
    clip_norm: float = 1.0
    ema_decay: float = 0.9999
    evaluate_every: int = PAPER_VALIDATION_EPOCHS * PAPER_EPOCH_BATCHES
    log_every: int = 50
    seed: int = 0
    precision: str = "auto"
    engine: str = "auto"

    def __post_init__(self) -> None:
        counts = (self.steps, self.batch, self.evaluate_every, self.log_every)
        require(min(counts) >= 1, "steps, batch and intervals count from one", "1 or more", counts)
        require(self.learning_rate > 0, "wrong learning rate", "a positive number", self.learning_rate)
        require(self.warmup_steps >= 0, "wrong number of warm-up steps", "0 or more", self.warmup)
        require(self.decay in DECAYS, "unknown decay of the learning rate", DECAYS, self.decay)
        require(self.clip_norm >= 0, "wrong norm of the gradient", "0 or more", self.clip_norm)
        require(0 <= self.ema_decay < 1, "wrong decay of the averaged weights", "0 to 1", self.ema_decay)
        require(self.precision in PRECISIONS, "unknown precision", PRECISIONS, self.precision)
        require(self.engine in ENGINES, "unknown engine", ENGINES, self.engine)

    @property
    def warmup_steps(self) -> int:
        """Steps until the learning rate is reached."""
        return self.steps // WARMUP_SHARE if self.warmup is None else self.warmup

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step, counted from zero."""
        warm = min((step + 1) / max(self.warmup_steps, 1), 1.0)
        fallen = 0.5 * (1 + math.cos(math.pi * step / self.steps)) if self.decay == "cosine" else 1.0
        return self.learning_rate * warm * fallen

    def ema_at(self, step: int) -> float:
        """Return the decay of the averaged weights at a step: it rises to ``ema_decay``, so that the start fades."""
        return min(self.ema_decay, (1 + step) / (10 + step)) if step else 0.0


@dataclass(frozen=True)
class AugmentConfig:
    """What is drawn.

    :param frames: N, length of a window.
    :param shift_probability: of moving the sound against the motion, within 1/60 s.
    :param mirror_probability: of exchanging left and right blendshapes.
    :param random_length: the windows of a batch have one length, drawn from ``frames`` to its shortest clip.
    :param overhang: windows may begin before a clip and end after it; its edge frames are repeated, and count.
    :param replacement: clips are drawn independently of each other, not each once an epoch.
    """

    frames: int = 120
    shift_probability: float = 0.5
    mirror_probability: float = 0.5
    random_length: bool = False
    overhang: bool = False
    replacement: bool = False

    def __post_init__(self) -> None:
        chances = (self.shift_probability, self.mirror_probability)
        if self.frames < 2 or not all(0 <= chance <= 1 for chance in chances):
            raise ConfigurationError("wrong augmentation", expected="frames ≥ 2, probabilities 0 to 1", found=self)


@dataclass(frozen=True)
class LossConfig:
    """The noise loss plus the noise-level velocity loss (paper Eq. 5 to 8).

    :param error: ``absolute`` in the paper (Eq. 5); ``squared`` is the ablation of its Table 2.
    :param velocity_weight: of the velocity loss (Eq. 7); 1 in the paper, 0 leaves it out.
    :param weigh_shapes: divide errors by the spread of their coefficient in the training split.
    :param lip_weight: of the error of jawOpen less mouthClose; the paper has no such loss.
    :param closure_weight: times that this error counts where the lips touch; the least absolute error then closes
        them where their chance of touching is above 1 / (1 + closure_weight).
    """

    error: str = "absolute"
    velocity_weight: float = 1.0
    weigh_shapes: bool = False
    lip_weight: float = 0.0
    closure_weight: float = 1.0

    def __post_init__(self) -> None:
        require(self.error in ERRORS, "unknown error", ERRORS, self.error)
        require(self.velocity_weight >= 0, "wrong weight of the velocity loss", "0 or more", self.velocity_weight)
        require(self.lip_weight >= 0, "wrong weight of the lips' loss", "0 or more", self.lip_weight)
        require(self.closure_weight > 0, "wrong weight of closures", "more than 0", self.closure_weight)


@dataclass(frozen=True)
class TrainConfig:
    """A training of SAiD; the defaults are the paper's.

    :param null_probability: of replacing the audio features by the null condition (paper 4.2.3).
    :param encoder_input: ``clip``: the encoder is given whole clips, once; ``window``: at every step the window alone.
    :param encoder_training_mode: its dropout and masking act while it is given windows, as in the authors' training.
    :param finetune_encoder: train the speech encoder too (ablation of Table 2); it is then given windows.
    :param cache: keep the encoder's features of whole clips beside the shards; else they are computed at every start.
    :param shifts: audio shifts at which features are computed.
    :param views: V, views of a clip: the clean sound and V - 1 under acoustic augmentation; 1 for the clean one alone.
    :param validation: ``windows``: at most 64 fixed ones with fixed noise, given their sound; ``clips``: whole clips,
        50 random draws of each, a tenth without their sound, as in the authors' training.
    :param stack_steps: steps in which an encoder's learned part is trained before the denoiser.
    :param guidance: scale that the checkpoint is drawn from with by default; 2 in the paper.
    """

    model: ModelConfig = field(default_factory=ModelConfig)
    loop: LoopConfig = field(default_factory=LoopConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    null_probability: float = 0.1
    encoder_input: str = "clip"
    encoder_training_mode: bool = False
    finetune_encoder: bool = False
    cache: bool = True
    shifts: int = 5
    views: int = 1
    validation: str = "windows"
    stack_steps: int = 0
    guidance: float = SamplerConfig.guidance_scale

    def __post_init__(self) -> None:
        require(0 <= self.null_probability <= 1, "wrong probability", "0 to 1", self.null_probability)
        SamplerConfig(guidance_scale=self.guidance)  # It checks.
        require(
            self.encoder_input in ENCODER_INPUTS, "unknown input of the encoder", ENCODER_INPUTS, self.encoder_input
        )
        require(self.validation in VALIDATIONS, "unknown validation", VALIDATIONS, self.validation)
        windows = self.encoder_input == "window"
        if self.finetune_encoder and not windows:
            raise ConfigurationError("an encoder that is trained changes what it says of a clip at every step",
                                     remedy="Use --encoder-input window.")  # fmt: skip
        if self.encoder_training_mode and not windows:
            raise ConfigurationError("an encoder in training mode answers differently at every step",
                                     remedy="Use --encoder-input window.")  # fmt: skip
        if self.views > 1 and windows:
            raise ConfigurationError("acoustic views are of whole clips", remedy="Use --encoder-input clip.")
        if self.validation == "clips" and windows:
            raise ConfigurationError("whole clips are validated with the features of whole clips",
                                     remedy="Use --encoder-input clip, or --validation windows.")  # fmt: skip


@dataclass(frozen=True)
class DistillConfig:
    """A distillation (:mod:`said_model.training.tasks.distill`).

    :param guidance: scale at which the teacher draws.
    :param student_steps: steps of the student.
    :param within: steps of the teacher for each of the student's.
    :param round_windows: windows that the teacher draws for a round.
    :param round_steps: optimiser steps on them.
    :param frames: N, length of a window.
    :param views: as of :class:`TrainConfig`.
    :param shifts: as of :class:`TrainConfig`.
    """

    loop: LoopConfig = field(default_factory=lambda: loop_of(DistillSettings()))
    guidance: float = 2.0
    student_steps: int = 2
    within: int = 5
    round_windows: int = 640
    round_steps: int = 400
    frames: int = 120
    views: int = 1
    shifts: int = 5

    def __post_init__(self) -> None:
        require(self.guidance >= 0, "wrong guidance scale", "0 or more", self.guidance)
        counts = (self.student_steps, self.within, self.round_windows, self.round_steps, self.views)
        require(min(counts) >= 1, "steps, windows and views count from one", "1 or more", counts)


@dataclass(frozen=True)
class VaeConfig:
    """A training of the VAE (paper supplement 11.2); the defaults are the paper's 100,000 epochs.

    :param cycles: of the annealing.
    :param rising: share of a cycle in which the weight of the KL term rises linearly.
    :param largest_weight: of the KL term (β of Eq. 18), reached after the rise and held.
    """

    loop: LoopConfig = field(default_factory=lambda: loop_of(VaeSettings()))
    cycles: int = 10
    rising: float = 0.5
    largest_weight: float = 1.0

    def __post_init__(self) -> None:
        require(self.cycles >= 1, "wrong number of annealing cycles", "1 or more", self.cycles)
        require(0 < self.rising <= 1, "wrong share of rise", "above 0, to 1", self.rising)
        require(self.largest_weight >= 0, "wrong weight of the KL term", "0 or more", self.largest_weight)

    def kl_weight(self, step: int) -> float:
        """Return β at a step: a saw-tooth with plateaus (cyclical annealing, Fu et al. 2019)."""
        within = (step * self.cycles / self.loop.steps) % 1.0
        return self.largest_weight * min(within / self.rising, 1.0)


def option(default: Any, help: str, flag: str | None = None, choices: tuple[str, ...] | None = None) -> Any:
    """Return a field that the command line makes an option of.

    :param flag: its name there, where that differs.
    """
    return field(default=default, metadata={"help": help, "flag": flag, "choices": choices})


@dataclass(frozen=True)
class LoopSettings:
    """Options that every training here has."""

    steps: int = option(LoopConfig.steps, "Optimiser steps.")
    epochs: int | None = option(None, "In place of --steps: passes of the training split.")
    batch: int = option(LoopConfig.batch, "Windows a step (and GPU).")
    learning_rate: float = option(LoopConfig.learning_rate, "Of AdamW, after the warm-up.")
    warmup: int | None = option(LoopConfig.warmup, "Steps until the learning rate is reached.  [default: a tenth of "
                                "all, as in the paper]")  # fmt: skip
    decay: str = option(LoopConfig.decay, "Of the learning rate; cosine falls to zero at the last step: short "
                        "trainings get further.", choices=DECAYS)  # fmt: skip
    clip_norm: float = option(LoopConfig.clip_norm, "Largest norm of the gradient, 0 for any.")
    ema: float = option(LoopConfig.ema_decay, "Decay of the averaged weights.")
    evaluate_every: int = option(LoopConfig.evaluate_every, "Steps between validations.")
    precision: str = option(LoopConfig.precision, "Of the computation.", choices=PRECISIONS)
    engine: str = option(LoopConfig.engine, "How the step runs; auto: a CUDA graph on one GPU, else eager.",
                         choices=ENGINES)  # fmt: skip
    seed: int = option(LoopConfig.seed, "Of all that is random.")


@dataclass(frozen=True)
class WindowSettings(LoopSettings):
    """Options of trainings on windows of chosen length."""

    frames: int = option(AugmentConfig.frames, "Frames of a window.")


@dataclass(frozen=True)
class SaidSettings(WindowSettings):
    """Options of a training of SAiD."""

    width: int = option(192, "Channels of the denoiser, a multiple of 32.")
    stack: bool = option(False, "Learned convolutions on log-mel spectra, trained with the denoiser.")
    stack_steps: int = option(4000, "Of --stack alone, before the denoiser.")
    acoustics: str = option("none", "What the encoder is given besides the clean sound: room adds noise, rooms, "
                            "microphones and other voices.", "augment", ACOUSTICS)  # fmt: skip
    views: int = option(4, "Views of a clip, the clean one included, with --augment.")
    alignment: str = option("1", "Audio window: 1, none, or like 1,8@400,none@800.")
    prediction: str = option("epsilon", "What the network predicts.", choices=PREDICTIONS)
    scale: float = option(1.0, "Of the coefficients against the noise; 8 brings short trainings further.")
    error: str = option(LossConfig.error, "Of the prediction.", "loss", ERRORS)
    velocity_weight: float = option(LossConfig.velocity_weight, "Of the velocity loss; 0 leaves it out.")
    weigh_shapes: bool = option(LossConfig.weigh_shapes, "Divide errors by their coefficient's spread.")
    lip_weight: float = option(LossConfig.lip_weight, "Of the error of jawOpen less mouthClose.")
    closure_weight: float = option(LossConfig.closure_weight, "Times that this error counts where the lips touch.")
    shift_probability: float = option(AugmentConfig.shift_probability, "Of moving the sound within 1/60 s.")
    mirror_probability: float = option(AugmentConfig.mirror_probability, "Of exchanging left and right.")
    random_length: bool = option(AugmentConfig.random_length, "Windows from --frames to the batch's shortest clip.")
    overhang: bool = option(AugmentConfig.overhang, "Windows may hang over the ends of a clip.")
    replacement: bool = option(AugmentConfig.replacement, "Draw clips with replacement, not each once an epoch.")
    null_probability: float = option(TrainConfig.null_probability, "Of the null condition.")
    guidance: float = option(TrainConfig.guidance, "Scale that the checkpoint is drawn from with by default.")
    encoder_input: str = option(TrainConfig.encoder_input, "Whether the encoder is given whole clips, or at every step "
                                "the window alone.", choices=ENCODER_INPUTS)  # fmt: skip
    encoder_training_mode: bool = option(False, "Let the encoder's dropout and masking act on windows.")
    finetune_encoder: bool = option(False, "Train the speech encoder too (implies --encoder-input window).")
    no_cache: bool = option(False, "Compute the features of whole clips at the start and keep them in memory, not "
                            "beside the shards; they are the same.")  # fmt: skip
    validation: str = option(TrainConfig.validation, "64 fixed windows, or whole clips 50 times.", choices=VALIDATIONS)


@dataclass(frozen=True)
class DistillSettings(WindowSettings):
    """Options of a distillation."""

    steps: int = option(2000, "Optimiser steps.")
    batch: int = option(12, "Windows a step (and GPU).")
    learning_rate: float = option(1e-3, "Of AdamW, after the warm-up.")
    warmup: int | None = option(100, "Steps until the learning rate is reached.")
    decay: str = option("cosine", "Of the learning rate.", choices=DECAYS)
    ema: float = option(0.998, "Decay of the averaged weights.")
    evaluate_every: int = option(400, "Steps between validations.")
    student_steps: int = option(DistillConfig.student_steps, "Denoising steps of the student.")
    teacher_steps: int = option(10, "Denoising steps of the teacher, a multiple of the student's.")
    guidance: float | None = option(None, "Of the teacher.  [default: the checkpoint's]")
    round_windows: int = option(DistillConfig.round_windows, "Windows that the teacher draws at a time.")
    round_steps: int = option(DistillConfig.round_steps, "Optimiser steps on them.")
    acoustics: str = option("none", "What the encoder is given besides the clean sound, as in `said train`.", "augment",
                            ACOUSTICS)  # fmt: skip
    views: int = option(4, "Views of a clip, the clean one included, with --augment.")


@dataclass(frozen=True)
class VaeSettings(LoopSettings):
    """Options of a training of the VAE; the defaults are the paper's: 100,000 epochs."""

    steps: int = option(100_000 * PAPER_EPOCH_BATCHES, "Optimiser steps.")
    learning_rate: float = option(1e-4, "Of AdamW, after the warm-up.")
    ema: float = option(0.99, "Decay of the averaged weights.")
    evaluate_every: int = option(500 * PAPER_EPOCH_BATCHES, "Steps between validations.")


@dataclass(frozen=True)
class SyncSettings(LoopSettings):
    """Options of a training of the sync expert; the paper trains none."""

    steps: int = option(3000, "Optimiser steps.")
    batch: int = option(16, "Windows a step (and GPU).")
    learning_rate: float = option(1e-3, "Of AdamW, after the warm-up.")
    warmup: int | None = option(100, "Steps until the learning rate is reached.")
    clip_norm: float = option(0.0, "Largest norm of the gradient, 0 for any.")
    ema: float = option(0.99, "Decay of the averaged weights.")
    evaluate_every: int = option(500, "Steps between validations.")


def loop_of(settings: LoopSettings, clips: int | None = None) -> LoopConfig:
    """Return the loop of settings.

    :param clips: of the training split, to count epochs with.
    """
    steps = settings.steps
    if settings.epochs is not None:
        require(settings.epochs >= 1, "wrong number of epochs", "1 or more", settings.epochs)
        require(clips is not None, "epochs are counted in clips", "a training split", clips)
        steps = settings.epochs * epoch_steps(clips or 1, settings.batch)
    return LoopConfig(
        steps=steps, batch=settings.batch, learning_rate=settings.learning_rate, warmup=settings.warmup,
        decay=settings.decay, clip_norm=settings.clip_norm, ema_decay=settings.ema, seed=settings.seed,
        evaluate_every=settings.evaluate_every, precision=settings.precision, engine=settings.engine,
    )  # fmt: skip
