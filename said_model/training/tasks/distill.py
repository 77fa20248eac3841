"""Distillation: many guided steps of a teacher become few unguided ones of a student of the same architecture.

The teacher (any :class:`said_model.network.said.SaidNetwork`, whatever it predicts) draws windows by ``dpm`` with
guidance, on a grid that passes through the levels of the student's ``distilled`` sampler. At each of those levels the
student learns the clean coefficients that point from where the teacher stood to where it stood a level later
(progressive distillation, Salimans and Ho 2022, from many steps to few at once, and with the guidance in the target as
in Meng et al. 2023). The teacher's path follows from its start noise, so the target is one value, not a mean: samples
stay as diverse as the teacher's.

The teacher draws a bank of windows for every round of steps, from the training split with its augmentation; a round's
windows are seen several times. All of it follows from the seed and the step's number.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from blendvoca.dataset import BlendVOCA
from blendvoca.errors import ConfigurationError
from blendvoca.internal.progress import Progress
from said_model.audio_encoder.features import AcousticAugmentation, FeatureCache, Shifts, Views, fill_together
from said_model.checkpoints import folder as checkpoint
from said_model.config import SAMPLE_RATE, ModelConfig, SamplerConfig
from said_model.diffusion.guidance import Denoise
from said_model.diffusion.schedule import Schedule, make_schedule, pointing_factors, teaching_schedule
from said_model.network.guided import GuidedDenoiser
from said_model.network.said import SaidNetwork
from said_model.synthesis.clip import guided_clip
from said_model.training import streams
from said_model.training.loop import Outcome, Report, run
from said_model.training.losses import diffusion_loss
from said_model.training.settings import AugmentConfig, DistillConfig, LossConfig
from said_model.training.tasks.said import extent, spread_of, training_clips
from said_model.training.tasks.task import WindowTask
from said_model.training.windows import Batch, TrainingClip

#: Windows that the teacher draws at once, and at most in a validation.
_AT_ONCE, _VALIDATION_WINDOWS = 16, 48
#: Of validation windows' noise.
_VALIDATION_STEP = -1


@dataclass(frozen=True, eq=False)
class Bank:
    """What the teacher drew for W windows.

    :param states: (S, W, N, K) noisy coefficients before each of the student's steps.
    :param targets: (S, W, N, K) clean coefficients that the student should predict there.
    :param features: (W, N, D) of the sound.
    :param mask: (W, N) of frames that count.
    """

    states: Tensor
    targets: Tensor
    features: Tensor
    mask: Tensor

    @classmethod
    def joined(cls, parts: list[Bank]) -> Bank:
        """Return banks as one."""
        states, targets = (torch.cat([getattr(p, name) for p in parts], 1) for name in ("states", "targets"))
        return cls(states, targets, *(torch.cat([getattr(p, name) for p in parts]) for name in ("features", "mask")))


def student_of(teacher: SaidNetwork, guidance: float, steps: int) -> SaidNetwork:
    """Return a network of the teacher's architecture and weights that predicts guided clean coefficients.

    Dropout is left out: the target is a function of what the student is given.
    """
    config = teacher.config
    changed = dataclasses.replace(
        config,
        denoiser=dataclasses.replace(config.denoiser, dropout=0.0),
        diffusion=dataclasses.replace(config.diffusion, prediction="sample", guided=guidance, distilled_steps=steps),
    )
    student = SaidNetwork(changed, copy.deepcopy(teacher.audio_encoder))
    student.load_state_dict(teacher.state_dict())
    return student


@torch.inference_mode()
def path(denoise: Denoise, schedule: Schedule, noise: Tensor, within: int) -> list[Tensor]:
    """Return where a sampler stands before every ``within``-th step, and at its end: (B, N, K) each."""
    x, stood = noise, []
    for step, timestep in enumerate(schedule.timesteps):
        if step % within == 0:
            stood.append(x)
        x = schedule.advance(denoise(x, timestep), step, x)
    return [*stood, x]


def pointed(schedule: Schedule, stood: list[Tensor]) -> list[Tensor]:
    """Return the clean coefficients that lead ``distilled`` from each place of a path to the next."""
    targets = []
    for step in range(len(schedule)):
        kept, added = pointing_factors(schedule.signal, schedule.noise, step)
        targets.append((stood[step + 1] - kept * stood[step]) / added)
    return targets


class Teacher:
    """Draws what the student learns from.

    :param network: on its device.
    :param steps: of the student.
    :param within: of the teacher for each of those.
    :param guidance: scale.
    """

    def __init__(self, network: SaidNetwork, steps: int, within: int, guidance: float) -> None:
        self.network, self.steps, self.within, self.guidance = network, steps, within, guidance
        self.denoiser = GuidedDenoiser(network)
        student = dataclasses.replace(network.config.diffusion, prediction="sample")
        self.student_schedule = make_schedule(student, SamplerConfig("distilled", steps, guidance))

    @torch.inference_mode()
    def draw(self, batch: Batch, noise: Tensor) -> Bank:
        """Draw a batch of windows from noise (B, N, K)."""
        features = self.network.audio_encoder.learned(batch.features.float())  # type: ignore[union-attr]
        schedule = teaching_schedule(self.network.config.diffusion, self.steps, self.within)
        clip = self.denoiser.condition(features, noise.shape[1])
        stood = path(guided_clip(clip, schedule, self.guidance), schedule, noise, self.within)
        targets = pointed(self.student_schedule, stood)
        return Bank(torch.stack(stood[:-1]), torch.stack(targets), features, batch.mask)


class DistillTask(WindowTask):
    """A student as the loop trains it; its speech encoder is the teacher's and stays.

    :param teacher: in evaluation mode.
    :param on_round: is called with the windows that the teacher has drawn of a round.
    """

    capturable = False

    def __init__(
        self, teacher: SaidNetwork, config: DistillConfig, augment: AugmentConfig, train: list[TrainingClip],
        validation: list[TrainingClip], on_round: Progress | None = None,
    ) -> None:  # fmt: skip
        self.student, self.config, self.on_round = (
            student_of(teacher, config.guidance, config.student_steps),
            config,
            on_round,
        )
        self.student.freeze_encoder()
        self.student.null_cond_emb.requires_grad_(False)
        self.teaching, self.weights = teacher.eval().requires_grad_(False), torch.from_numpy(spread_of(train))
        self._round: tuple[int, Bank] | None = None
        self._held: Bank | None = None
        model = teacher.config
        super().__init__(self.student, config.loop, augment, train, validation, model.names, model.fps)

    def place(self, device: torch.device, rank: int) -> None:
        """Put student, teacher and clips on a device, for a process."""
        super().place(device, rank)
        config = self.config
        self.teacher = Teacher(self.teaching.to(device), config.student_steps, config.within, config.guidance)
        self.weights = self.weights.to(device)
        self._round = self._held = None

    def draw(self, first: int, count: int) -> dict[str, Tensor]:
        """Return windows and levels of a block of steps, from the banks of their rounds."""
        steps = torch.arange(first, first + count, device=self.device)
        size = self.loop.batch
        word = streams.words(self.loop.seed, streams.TIMES, steps, 2 * size, self.rank).view(count, size, 2)
        level = streams.below(word[..., 1], self.config.student_steps)
        rows = [self._rows(int(step), word[at, :, 0], level[at]) for at, step in enumerate(steps.tolist())]
        return {"level": level, **{name: torch.stack([row[name] for row in rows]) for name in rows[0]}}

    def _rows(self, step: int, word: Tensor, level: Tensor) -> dict[str, Tensor]:
        bank = self._bank(step // self.config.round_steps)
        row = streams.below(word, len(bank.features))
        return {"state": bank.states[level, row], "target": bank.targets[level, row],
                "features": bank.features[row], "mask": bank.mask[row]}  # fmt: skip

    def _bank(self, number: int) -> Bank:
        """Return a round's bank; the teacher draws it when it is first asked for."""
        if self._round is None or self._round[0] != number:
            parts, calls = [], -(-self.config.round_windows // _AT_ONCE)
            for call in range(number * calls, (number + 1) * calls):
                drawn = self.train.draw(call, 1, _AT_ONCE, self.loop.seed, self.rank)
                batch = self.train.cut({name: value[0] for name, value in drawn.items()})
                parts.append(self.teacher.draw(batch, self._noise(call, batch)))
                if self.on_round is not None:
                    self.on_round(f"round {number + 1}", call % calls + 1, calls)
            self._round = (number, Bank.joined(parts))
        return self._round[1]

    def _noise(self, call: int, batch: Batch) -> Tensor:
        shape = batch.coefficients.shape
        count = shape.numel()
        step = torch.tensor([call], device=self.device)
        word = streams.words(self.loop.seed, streams.NOISE, step, count + count % 2, self.rank)
        return streams.normal(word)[0, :count].reshape(shape)

    def loss(self, drawn: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the loss of one random batch."""
        # What was drawn in inference mode takes no part in a backward pass until it is copied.
        state, target, features = (drawn[name].clone() for name in ("state", "target", "features"))
        return self._loss(drawn["level"], state, target, features, drawn["mask"])

    def _loss(self, level: Tensor, state: Tensor, target: Tensor, features: Tensor, mask: Tensor) -> dict[str, Tensor]:
        times = torch.tensor(self.teacher.student_schedule.timesteps, device=self.device)
        predicted = self.module(state, times[level], features)
        return diffusion_loss(LossConfig(), predicted, target, mask, self.weights)

    def validate(self) -> float:
        """Return the loss over windows of the validation split and all levels, from the same noise every time."""
        if self._held is None:
            places = self.held_out.fixed(self.held_out.config.frames)
            places = places[:: max(len(places) // _VALIDATION_WINDOWS, 1)][:_VALIDATION_WINDOWS]
            parts = []
            for start in range(0, len(places), _AT_ONCE):
                batch = self.held_out.at(places[start : start + _AT_ONCE])
                parts.append(self.teacher.draw(batch, self._noise(_VALIDATION_STEP - start, batch)))
            self._held = Bank.joined(parts)
        held, total = self._held, 0.0
        for level in range(self.config.student_steps):
            levels = torch.full((len(held.features),), level, device=self.device)
            loss = self._loss(levels, held.states[level], held.targets[level], held.features, held.mask)
            total += float(loss["loss"].cpu())
        return total / self.config.student_steps

    def save(self, folder: Path, notes: Mapping[str, Any]) -> None:
        """Write the student as a checkpoint that is drawn from in its few steps."""
        sampler = SamplerConfig("distilled", self.config.student_steps, self.config.guidance)
        checkpoint.save(folder, self.student, notes, sampler)


def distill(
    shards: str | Path, teacher: str | Path, out: str | Path, config: DistillConfig,
    *, on_report: Callable[[Report], None] | None = None, on_features: Progress | None = None,
    on_round: Progress | None = None, on_note: Callable[[str], None] | None = None, device: str | None = None,
    augment: AcousticAugmentation | None = None, preset: str | None = None,
) -> Outcome:  # fmt: skip
    """Distil a checkpoint into another one, from shards, into a run folder that can be gone on with.

    :param teacher: folder of a checkpoint, as training and ``said import-weights`` write it.
    :param on_report: is called with the training's progress.
    :param on_features: of the feature cache's.
    :param on_round: of what the teacher draws.
    :param on_note: of what is trained on, how long it will take, and what is not as expected.
    :param augment: what makes ``config.views - 1`` further views of every training clip.
    :param preset: name of the recipe, recorded.
    :raises AudioError: for shards without sound.
    :raises ConfigurationError: for shards with other blendshapes than the teacher's, or a teacher that is a student.
    :raises MissingInputError: if there is no checkpoint.
    """
    network = checkpoint.load(teacher)
    model = network.config
    if model.diffusion.guided is not None:
        raise ConfigurationError("the teacher is a distilled model itself", expected="a model that was trained",
                                 remedy="Distil its own teacher into fewer steps.")  # fmt: skip
    splits = [BlendVOCA(shards, split, audio_rate=SAMPLE_RATE) for split in ("train", "validation")]
    views = Views(augment, config.views) if augment is not None else None
    cache = FeatureCache(shards, network.audio_encoder, model.encoder.name, model.fps, Shifts(config.shifts), views)
    caches = [cache, cache.clean_only()]
    fill_together(list(zip(caches, splits)), on_features, device)
    clips = [training_clips(dataset, model.names, held) for dataset, held in zip(splits, caches)]
    task = DistillTask(network, config, AugmentConfig(config.frames), clips[0], clips[1], on_round)
    facts = {name: value for name, value in dataclasses.asdict(config).items() if name != "loop"}
    facts |= {"acoustics": augment.name if augment is not None else None, "preset": preset}
    facts |= {"model": task.student.config.to_dict(), "teacher": checkpoint.read_record(teacher).get("notes", {})}
    about = f"{extent(clips[0], model.fps)}; {describe(model, config)}"
    return run(task, out, config.loop, facts, on_report, device, on_note, about)


def describe(model: ModelConfig, config: DistillConfig) -> str:
    """Return in words what is distilled into what."""
    steps = config.student_steps * config.within
    return f"{steps} steps at guidance {config.guidance:g} ({model.diffusion.prediction}) into {config.student_steps}"
