"""Training of SAiD (paper 4.2.2 and 5.1)."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from blendvoca.clip import Clip
from blendvoca.dataset import BlendVOCA
from blendvoca.errors import ConfigurationError, MissingInputError
from blendvoca.internal.progress import Progress
from blendvoca.synthetic.performance.visemes import PHONES, kind_frames
from said_model.audio_encoder import normalise
from said_model.audio_encoder.features import (
    AcousticAugmentation,
    FeatureCache,
    Shifts,
    Views,
    fill_together,
    speech,
)
from said_model.checkpoints import folder as checkpoint
from said_model.config import (
    SAMPLE_RATE,
    Alignment,
    DenoiserConfig,
    DiffusionConfig,
    EncoderConfig,
    ModelConfig,
    default_sampler,
)
from said_model.diffusion.schedule import alpha_bars
from said_model.network.said import SaidNetwork
from said_model.training import streams
from said_model.training.engine import BLOCK
from said_model.training.loop import STATE_FILE, Outcome, Report, run
from said_model.training.losses import Aperture, diffusion_loss
from said_model.training.settings import PAPER_VALIDATION_REPEATS, TrainConfig
from said_model.training.tasks.stack import StackLoss, StackTask, read_stack
from said_model.training.windows import Batch, TrainingClip, WindowSource

#: Loss of a network that predicts no noise at all: E|ε| + E|εⁿ⁺¹ − εⁿ| of standard normal noise.
_CHANCE_NOISE, _CHANCE_VELOCITY = math.sqrt(2 / math.pi), 2 / math.sqrt(math.pi)
#: Validation windows are at most so many, spread over the split.
_VALIDATION_WINDOWS = 64
#: Draws of a clip in one batch of a validation on whole clips.
_REPEATS_AT_ONCE = 25
#: Coefficients that never move have no spread to weigh their error by.
LEAST_SPREAD = 1e-3
#: Folder within a run's where the encoder's learned part is trained first, and windows of a step there.
STACK_FOLDER, STACK_BATCH = ".stack", 32


def training_clips(
    dataset: BlendVOCA, names: tuple[str, ...], cache: FeatureCache | None, audio: bool = True
) -> list[TrainingClip]:
    """Read all clips of a split: coefficients, and cached features or waveforms.

    :param cache: features are taken from it; without one, waveforms are kept (where ``audio``).
    :raises ConfigurationError: if the dataset has other blendshapes than the model.
    :raises MissingInputError: if the split is empty.
    """
    if tuple(dataset.names) != tuple(names):
        missing = [name for name in names if name not in dataset.names]
        raise ConfigurationError(
            "the shards hold other blendshapes than the model", expected=list(names), found=f"no {missing}"
            if missing else "the same in another order"
        )  # fmt: skip
    if len(dataset) == 0:
        raise MissingInputError(f"no clips in the split {dataset.split!r}", path=dataset.root)
    clips = []
    for row in range(len(dataset)):
        clip = dataset[row]
        clips.append(
            TrainingClip(
                clip.track.values.astype(np.float32),
                cache.read(dataset, row) if cache is not None else None,
                speech(clip.waveform, f"{clip.speaker}/{clip.sentence}") if cache is None and audio else None,
                dataset.speakers.index(clip.speaker),
                cache.read_views(dataset, row) if cache is not None else None,
                kinds_of(clip),
            )
        )
    return clips


def kinds_of(clip: Clip) -> NDArray[np.int64] | None:
    """Return the kind of sound at every frame of a clip, ``None`` where its phones are not told."""
    spelled = clip.provenance.get(PHONES)
    return None if spelled is None else kind_frames(spelled, len(clip.track), clip.track.fps)


def spread_of(clips: Sequence[TrainingClip]) -> NDArray[np.float32]:
    """Return the coefficients' spread (K,) that errors are weighed by."""
    values = np.concatenate([clip.values for clip in clips])
    result: NDArray[np.float32] = values.std(axis=0).clip(min=LEAST_SPREAD).astype(np.float32)
    return result


class SaidTask:
    """SAiD as the loop trains it."""

    def __init__(
        self, network: SaidNetwork, config: TrainConfig, train: list[TrainingClip], validation: list[TrainingClip]
    ) -> None:
        self.network, self.config = network, config
        self.module: nn.Module = network
        learns = getattr(network.audio_encoder, "learns_on_cache", False)
        if not config.finetune_encoder and not learns:
            network.freeze_encoder()
        names, fps = config.model.names, config.model.fps
        self.stack_loss = StackLoss(train, names) if learns else None
        weighed = config.loss.lip_weight > 0
        self.aperture = Aperture.of(np.concatenate([clip.values for clip in train]), names) if weighed else None
        self.train = WindowSource(train, names, config.augment, SAMPLE_RATE, fps)
        self.held_out = WindowSource(validation, names, config.augment, SAMPLE_RATE, fps)
        self.capturable = config.encoder_input == "clip" and not config.augment.random_length and not learns
        self.block = 1 if config.augment.random_length else BLOCK
        loss = config.loss
        known = loss.error == "absolute" and config.model.diffusion.prediction == "epsilon" and not loss.weigh_shapes
        self.chance = _CHANCE_NOISE + loss.velocity_weight * _CHANCE_VELOCITY if known else None
        self.place(torch.device("cpu"), 0)

    def place(self, device: torch.device, rank: int) -> None:
        """Put the network, the clips and the noise levels on a device."""
        self.device, self.rank = device, rank
        self.network.to(device)
        share = alpha_bars(self.config.model.diffusion).double()
        self.signal, self.spread = share.sqrt().float().to(device), (1 - share).sqrt().float().to(device)
        self.weights: Tensor | None = None
        if self.config.loss.weigh_shapes:
            self.weights = torch.from_numpy(spread_of(self.train.clips)).to(device)
        self.train.place(device)
        self.held_out.place(device)
        self._dropout = streams.replace_dropout(self.network.denoiser, self.config.loop.seed, rank, device)
        frames = self.config.augment.frames
        # The cache holds a feature for every frame: all windows have the same bands.
        self._bands = self.network.denoiser.bands(frames, frames, device, dense=True)

    def draw(self, first: int, count: int) -> dict[str, Tensor]:
        """Return windows, timesteps, noise and the null condition of a block of steps."""
        seed, size = self.config.loop.seed, self.config.loop.batch
        steps = torch.arange(first, first + count, device=self.device)
        windows = self.train.draw(first, count, size, seed, self.rank)
        drawn = self._noise(steps, windows["frame"].shape[1:], seed, self.config.null_probability)
        noisy, wanted = self._noised(windows["coefficients"], drawn["timestep"], drawn.pop("noise"))
        return {**windows, **drawn, "noisy": noisy, "wanted": wanted, "step": streams.step_words(seed, steps)}

    def _noised(self, coefficients: Tensor, timesteps: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the network is given and what it is to say, both (…, B, N, K), at timesteps (…, B)."""
        clean = self.config.model.diffusion.scale * coefficients
        signal, spread = self.signal[timesteps][..., None, None], self.spread[timesteps][..., None, None]
        noisy = signal * clean + spread * noise
        wanted = {"epsilon": lambda: noise, "sample": lambda: clean,
                  "v_prediction": lambda: signal * noise - spread * clean}  # fmt: skip
        return noisy, wanted[self.config.model.diffusion.prediction]()

    def _noise(self, steps: Tensor, shape: Sequence[int], seed: int, null: float) -> dict[str, Tensor]:
        """Return timesteps (n, B), noise (n, B, N, K) and null (n, B) of windows of ``shape`` (B, N)."""
        size, whole = shape[0], (len(steps), *shape, len(self.config.model.names))
        word = streams.words(seed, streams.TIMES, steps, 2 * size, self.rank).view(len(steps), size, 2)
        count = size * shape[1] * whole[-1]
        noise = streams.normal(streams.words(seed, streams.NOISE, steps, count + count % 2, self.rank))[:, :count]
        return {"timestep": streams.below(word[..., 0], len(self.signal)), "noise": noise.reshape(whole),
                "null": streams.chance(word[..., 1], null)}  # fmt: skip

    def loss(self, drawn: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the loss of one random batch (paper Eq. 8)."""
        self._dropout.reserve(drawn["mask"].numel() * self.config.model.denoiser.width)
        self._dropout.draw(drawn["step"])
        if self.config.encoder_training_mode:
            self.network.audio_encoder.train()
        return self._loss(self.train.cut(drawn), drawn["timestep"], drawn["noisy"], drawn["wanted"], drawn["null"])

    def _loss(self, batch: Batch, timesteps: Tensor, noisy: Tensor, wanted: Tensor, null: Tensor) -> dict[str, Tensor]:
        features = self._features(batch)
        same = features.shape[1] == noisy.shape[1] == self.config.augment.frames
        bands = self._bands if same else self.network.denoiser.bands(noisy.shape[1], features.shape[1], noisy.device)
        prediction = self.module(noisy, timesteps, self._audio(features, null), bands)
        losses = diffusion_loss(
            self.config.loss, prediction, wanted, batch.mask, self.weights, self.aperture, batch.coefficients
        )  # fmt: skip
        if self.stack_loss is None or not self.module.training:
            return losses
        stack: Any = self.network.audio_encoder.stack
        predicted = self.stack_loss(stack, features, batch.coefficients, batch.mask, batch.kinds)
        return {**losses, "loss": losses["loss"] + predicted, "stack": predicted}

    def _features(self, batch: Batch) -> Tensor:
        """Return the features (B, N, D) of a batch."""
        if batch.features is not None:
            return self.network.audio_encoder.learned(batch.features.to(self.network.null_cond_emb.dtype))
        waveform = normalise(batch.waveform)  # type: ignore[arg-type]  # one of both is always given
        with torch.set_grad_enabled(self.config.finetune_encoder and torch.is_grad_enabled()):
            return self.network.encode(waveform, batch.coefficients.shape[1])

    def _audio(self, features: Tensor, null: Tensor) -> Tensor:
        """Return the features, replaced by the null condition where ``null`` (paper 4.2.3)."""
        condition = self.network.null_features(1, 1)
        return torch.where(null[:, None, None], condition, features.to(condition.dtype))

    def validate(self) -> float:
        """Return the mean loss over the validation split, with the same noise every time."""
        sums = torch.zeros(2, device=self.device)
        for batch, timesteps, noise, null in self._clips() if self.config.validation == "clips" else self._windows():
            count, noised = len(timesteps), self._noised(batch.coefficients, timesteps, noise)
            loss = self._loss(batch, timesteps, *noised, null)["loss"]
            sums += count * torch.stack([loss, torch.ones_like(sums[0])])
        total, count = sums.cpu().tolist()
        return total / count

    def _windows(self) -> Iterator[tuple[Batch, Tensor, Tensor, Tensor]]:
        """Yield batches of fixed windows, with their sound, timesteps spread evenly."""
        places = self.held_out.fixed(self.config.augment.frames)
        places = places[:: max(len(places) // _VALIDATION_WINDOWS, 1)]
        for start in range(0, len(places), 16):
            batch = self.held_out.at(places[start : start + 16])
            drawn = self._noise(torch.tensor([start]).to(self.device), batch.mask.shape, 0, 0.0)
            count = len(batch.coefficients)
            # Even over the timesteps, so that few windows still cover them.
            timesteps = torch.arange(start, start + count, device=self.device) * 389 % len(self.signal)
            yield batch, timesteps, drawn["noise"][0], drawn["null"][0]

    def _clips(self) -> Iterator[tuple[Batch, Tensor, Tensor, Tensor]]:
        """Yield every whole clip, drawn so many times as in the authors' validation, a tenth without their sound."""
        for clip, length in enumerate(self.held_out.lengths):
            one = self.held_out.at([(clip, 0)], length)
            for start in range(0, PAPER_VALIDATION_REPEATS, _REPEATS_AT_ONCE):
                repeats = min(_REPEATS_AT_ONCE, PAPER_VALIDATION_REPEATS - start)
                shape = (repeats, length)
                step = torch.tensor([clip * PAPER_VALIDATION_REPEATS + start]).to(self.device)
                drawn = self._noise(step, shape, 0, self.config.null_probability)
                yield one.repeated(repeats), drawn["timestep"][0], drawn["noise"][0], drawn["null"][0]

    def save(self, folder: Path, notes: Mapping[str, Any]) -> None:
        """Write the checkpoint."""
        sampler = default_sampler(self.config.model.diffusion).changed(guidance_scale=self.config.guidance)
        checkpoint.save(folder, self.network, notes, sampler)


def train(
    shards: str | Path,
    out: str | Path,
    config: TrainConfig,
    *,
    network: SaidNetwork | None = None,
    on_report: Callable[[Report], None] | None = None,
    on_features: Progress | None = None,
    on_note: Callable[[str], None] | None = None,
    device: str | None = None,
    augment: AcousticAugmentation | None = None,
    preset: str | None = None,
) -> Outcome:
    """Train SAiD from shards into a folder (checkpoint, log, state for resuming).

    :param network: to start from; by default a new one of ``config.model``.
    :param on_report: is called with the training's progress.
    :param on_features: of the feature cache's.
    :param on_note: of what is trained on, how long it will take, and what is not as expected.
    :param augment: what makes ``config.views - 1`` further views of every training clip; validation stays clean.
    :param preset: name of the recipe, recorded: a run goes on under the same one only.
    :raises AudioError: for shards without sound.
    :raises ConfigurationError: for shards with other blendshapes than the model's.
    """
    torch.manual_seed(config.loop.seed)
    network = checkpoint.build(config.model, fetch=True) if network is None else network
    splits = [BlendVOCA(shards, split, audio_rate=SAMPLE_RATE) for split in ("train", "validation")]
    features: list[FeatureCache | None] = [None, None]
    if config.encoder_input == "clip":
        cache = FeatureCache(
            shards, network.audio_encoder, config.model.encoder.name, config.model.fps, Shifts(config.shifts),
            _views(config, augment), store=config.cache,
            spare=out,
        )  # fmt: skip
        if config.cache and cache.spare is not None and on_note is not None:
            on_note(f"{shards} cannot be written: new features go to {cache.spare}")
        features = [cache, cache.clean_only()]
        fill_together([(held, split) for held, split in zip(features, splits) if held is not None], on_features, device)
    clips = [training_clips(dataset, config.model.names, held) for dataset, held in zip(splits, features)]
    _require_windows(clips[0], config)
    # A run that goes on has the convolutions in its state.
    if network.audio_encoder.learns_on_cache and config.stack_steps > 0 and not (Path(out) / STATE_FILE).exists():
        first = _train_stack(network, Path(out) / STACK_FOLDER, config, clips, on_report, device, on_note)
        if first.signal is not None:
            return first
    task = SaidTask(network, config, clips[0], clips[1])
    facts = {key: value for key, value in dataclasses.asdict(config).items() if key not in ("loop", "model", "cache")}
    facts |= {"acoustics": augment.name if augment is not None else None, "preset": preset}
    about = f"{extent(clips[0], config.model.fps)}; {config.model.encoder.name} on {config.encoder_input}s"
    return run(
        task, out, config.loop, {"model": config.model.to_dict(), **facts}, on_report, device, on_note, about
    )  # fmt: skip


def _train_stack(
    network: SaidNetwork, folder: Path, config: TrainConfig, clips: Sequence[list[TrainingClip]],
    on_report: Callable[[Report], None] | None, device: str | None, on_note: Callable[[str], None] | None,
) -> Outcome:  # fmt: skip
    """Train the encoder's learned part by itself first, in a folder of the run's."""
    loop = dataclasses.replace(
        config.loop, steps=config.stack_steps, batch=STACK_BATCH, engine="eager", decay="cosine",
        evaluate_every=max(config.stack_steps // 6, 1),
    )  # fmt: skip
    stack: Any = network.audio_encoder.stack
    task = StackTask(stack, loop, config.augment, clips[0], clips[1], config.model.names, config.model.fps)
    about = f"first the encoder's convolutions, {config.stack_steps} steps"
    outcome = run(task, folder, loop, {"model": config.model.to_dict()}, on_report, device, on_note, about)
    if outcome.signal is None:
        read_stack(stack, folder)
    return outcome


def extent(clips: Sequence[TrainingClip], fps: float) -> str:
    """Return how many clips, and how long they last, in words."""
    return f"{len(clips)} clips, {sum(len(clip.values) for clip in clips) / fps / 60:.1f} minutes"


def _require_windows(clips: Sequence[TrainingClip], config: TrainConfig) -> None:
    longest, frames = max(len(clip.values) for clip in clips), config.augment.frames
    if longest < frames and not config.augment.overhang:
        raise ConfigurationError("no training clip is as long as a window", expected=f"{frames} frames",
                                 found=f"at most {longest}",
                                 remedy="Take a smaller --frames, or longer clips.")  # fmt: skip


def _views(config: TrainConfig, augment: AcousticAugmentation | None) -> Views | None:
    if (config.views > 1) != (augment is not None):
        raise ConfigurationError("acoustic views and augmentation go together", expected="both or none",
                                 found=(config.views, getattr(augment, "name", None)))  # fmt: skip
    return Views(augment, config.views) if augment is not None else None


def model_for(
    shards: str | Path,
    encoder: EncoderConfig,
    feature_dim: int,
    width: int = 192,
    alignment: Alignment | None = None,
    diffusion: DiffusionConfig | None = None,
) -> ModelConfig:
    """Return the configuration of a new model for a dataset's blendshapes and frame rate.

    :param width: channels; every 32 of them make a head.
    :raises MissingInputError: if the dataset has no training split.
    """
    dataset = BlendVOCA(shards, "train", audio=False)
    if len(dataset) == 0:
        raise MissingInputError("no clips to train on", expected="a training split", path=Path(shards))
    denoiser = DenoiserConfig(width, max(width // 32, 1), feature_dim, alignment=alignment or Alignment())
    return ModelConfig(dataset.names, dataset.entry(0).fps, encoder, denoiser, diffusion or DiffusionConfig())
