"""Noise levels over the denoising steps. diffusers' schedulers do the stepping; this module sets them up.

``said-ddim`` is the authors' setting: DDIM without noise, cosine betas, predicted coefficients clipped to [-1, 1] (the
noise prediction is not recomputed after the clip), "leading" timesteps. It needs many steps: with few, "leading" starts
too late.

``dpm`` is DPM-Solver++ of order two (midpoint) on a grid that is uniform in the log of the signal-to-noise ratio, from
:data:`LOG_SNR_START` to the level of timestep 0. The cosine schedule ends at a signal so weak (alpha-bar 2.5e-9) that
any error of a noise prediction is multiplied by 2e4 there; starting a little later is enough for an exact denoiser.
What a trained one predicts is kept to possible coefficients before guidance, never after it, so that guidance and style
are not bent.

``distilled`` takes few steps without noise from the same start, each to where its prediction of the clean coefficients
points (DDIM, Song et al. 2021). A model learns by ``said distill`` to point there where a ``dpm`` of many guided steps
would have gone (:func:`teaching_schedule`).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from said_model.config import DiffusionConfig, Prediction, SamplerConfig
from said_model.extras import require_package
from said_model.ranges import require

FloatArray = NDArray[np.float64]
#: Half the log signal-to-noise ratio, log(alpha / sigma), at which ``dpm`` starts.
LOG_SNR_START = -5.1


@dataclass(eq=False)
class Schedule:
    """One run of a sampler; it keeps the solver's history, so every run needs its own (:func:`make_schedule`).

    :param timesteps: timestep that the denoiser is given at each step; whole numbers for ``said-ddim`` only.
    :param signal: (steps + 1,) factor of the clean coefficients before each step and after the last (square root of
        alpha-bar).
    :param noise: (steps + 1,) factor of the noise (square root of one minus alpha-bar).
    :param prediction: what the denoiser predicts.
    :param thresholds: whether predictions are kept to possible coefficients (:meth:`thresholded`).
    :param scale: factor of the coefficients in what the denoiser sees.
    """

    timesteps: tuple[float, ...]
    signal: Tensor
    noise: Tensor
    scheduler: Any
    prediction: Prediction = "epsilon"
    thresholds: bool = False
    scale: float = 1.0

    def __len__(self) -> int:
        return len(self.timesteps)

    def noised(self, clean: Tensor, noise: Tensor, step: int) -> Tensor:
        """Return coefficients with ``noise`` as the denoiser sees them before ``step`` (paper 2.4)."""
        return self.signal[step].to(clean) * self.scale * clean + self.noise[step].to(clean) * noise

    def coefficients(self, x: Tensor) -> Tensor:
        """Return what has been denoised (B, N, K) as coefficients in [0, 1]."""
        return (x / self.scale).clamp(0.0, 1.0)

    def thresholded(self, predicted: Tensor, x: Tensor, timestep: float) -> Tensor:
        """Return the prediction whose clean coefficients lie in [0, scale], nearest to ``predicted``.

        An exact denoiser's clean coefficients are a mean of real ones and lie there, so nothing is bent. A trained
        noise prediction errs, and at the noisy end the error counts 1 / signal times, up to 164.
        """
        if not self.thresholds:
            return predicted
        if self.prediction == "sample":
            return predicted.clamp(0.0, self.scale)
        step = self.timesteps.index(timestep)
        signal, noise = float(self.signal[step]), float(self.noise[step])
        if self.prediction == "epsilon":
            clean = ((x - noise * predicted) / signal).clamp(0.0, self.scale)
            return (x - signal * clean) / noise
        clean = (signal * x - noise * predicted).clamp(0.0, self.scale)
        return (signal * x - clean) / noise

    def advance(self, prediction: Tensor, step: int, x: Tensor) -> Tensor:
        """Take one denoising step from ``x`` (B, N, K), given the denoiser's prediction."""
        return self.scheduler.step(prediction, self.scheduler.timesteps[step], x, return_dict=False)[0]


def alpha_bars(diffusion: DiffusionConfig) -> Tensor:
    """Return the signal's share of the variance at every training timestep: (train_steps,) float32."""
    diffusers = require_package("diffusers", "sampling")
    return diffusers.DDIMScheduler(
        num_train_timesteps=diffusion.train_steps, beta_schedule=diffusion.beta_schedule
    ).alphas_cumprod


def make_schedule(diffusion: DiffusionConfig, sampler: SamplerConfig) -> Schedule:
    """Set up one run of a sampler.

    :raises ConfigurationError: for more steps than the model was trained with.
    :raises MissingDependencyError: without diffusers.
    """
    steps = sampler.step_count
    require(steps <= diffusion.train_steps, "too many denoising steps", f"at most {diffusion.train_steps}", steps)
    if sampler.name == "distilled":
        return _distilled(diffusion, steps)
    return (_ddim if sampler.name == "said-ddim" else _dpm)(diffusion, steps)


def student_grid(diffusion: DiffusionConfig, steps: int) -> FloatArray:
    """Return half log signal-to-noise ratios (steps + 1,): before each step of ``distilled``, and of timestep 0."""
    table = _half_log_snr(diffusion)
    return np.linspace(max(LOG_SNR_START, table[-1]), table[0], steps + 1)


def teaching_schedule(diffusion: DiffusionConfig, steps: int, within: int) -> Schedule:
    """Return a ``dpm`` that passes through every level of ``distilled``.

    :param steps: of ``distilled``.
    :param within: steps of the teacher for each of them.
    """
    marks = student_grid(diffusion, steps)
    parts = [np.linspace(start, end, within, endpoint=False) for start, end in pairwise(marks[:-1])]
    return _dpm_on(diffusion, np.concatenate([*parts, np.linspace(marks[-2], marks[-1], within)]))


def _ddim(diffusion: DiffusionConfig, steps: int) -> Schedule:
    diffusers = require_package("diffusers", "sampling")
    scheduler = diffusers.DDIMScheduler(
        num_train_timesteps=diffusion.train_steps,
        beta_schedule=diffusion.beta_schedule,
        prediction_type=diffusion.prediction,
        clip_sample=True,
        clip_sample_range=diffusion.scale,
        timestep_spacing="leading",
    )
    scheduler.set_timesteps(steps)
    levels = torch.cat([scheduler.alphas_cumprod[scheduler.timesteps], torch.ones(1)])
    given = tuple(map(float, scheduler.timesteps))
    signal, noise = levels.sqrt(), (1 - levels).sqrt()
    return Schedule(given, signal, noise, scheduler, diffusion.prediction, scale=diffusion.scale)


@dataclass(frozen=True, eq=False)
class _Pointing:
    """Steps towards predicted clean coefficients, after which the noise that is left stays the same: DDIM.

    :param signal: as of :class:`Schedule`.
    :param noise: as of :class:`Schedule`.
    """

    signal: Tensor
    noise: Tensor
    prediction: Prediction

    @property
    def timesteps(self) -> range:
        """Numbers of the steps."""
        return range(len(self.signal) - 1)

    def step(self, predicted: Tensor, step: int, x: Tensor, return_dict: bool = False) -> tuple[Tensor]:
        """Return what follows ``x`` after a step, as diffusers' schedulers do."""
        signal, noise = float(self.signal[step]), float(self.noise[step])
        clean = predicted
        if self.prediction == "epsilon":
            clean = (x - noise * predicted) / signal
        elif self.prediction == "v_prediction":
            clean = signal * x - noise * predicted
        kept, added = pointing_factors(self.signal, self.noise, step)
        return (kept * x + added * clean,)


def pointing_factors(signal: Tensor, noise: Tensor, step: int) -> tuple[float, float]:
    """Return the factors of x and of the clean coefficients in what follows x after a step of ``distilled``."""
    kept = float(noise[step + 1] / noise[step])
    return kept, float(signal[step + 1]) - kept * float(signal[step])


def _distilled(diffusion: DiffusionConfig, steps: int) -> Schedule:
    grid = student_grid(diffusion, steps)[:-1]
    signal, noise = _levels(grid)
    scheduler = _Pointing(signal, noise, diffusion.prediction)
    return Schedule(
        _timesteps(diffusion, grid), signal, noise, scheduler, diffusion.prediction, scale=diffusion.scale
    )  # fmt: skip


def _half_log_snr(diffusion: DiffusionConfig) -> FloatArray:
    """Return log(alpha / sigma) of every training timestep; it falls."""
    share = alpha_bars(diffusion).double().numpy()
    result: FloatArray = 0.5 * np.log(share / (1 - share))
    return result


def _levels(grid: FloatArray) -> tuple[Tensor, Tensor]:
    """Return the factors of signal and noise on a grid of half log signal-to-noise ratios, and after its end."""
    signal = torch.from_numpy(np.append(1 / np.sqrt(1 + np.exp(-2 * grid)), 1.0)).float()
    return signal, torch.from_numpy(np.append(1 / np.sqrt(1 + np.exp(2 * grid)), 0.0)).float()


def _timesteps(diffusion: DiffusionConfig, grid: FloatArray) -> tuple[float, ...]:
    """Return the timesteps of a grid, whole or not."""
    table = _half_log_snr(diffusion)
    places = np.interp(grid, table[::-1], np.arange(len(table), dtype=np.float64)[::-1])
    return tuple(map(float, places))


def _dpm(diffusion: DiffusionConfig, steps: int) -> Schedule:
    table = _half_log_snr(diffusion)
    return _dpm_on(diffusion, np.linspace(max(LOG_SNR_START, table[-1]), table[0], steps))


def _dpm_on(diffusion: DiffusionConfig, grid: FloatArray) -> Schedule:
    diffusers = require_package("diffusers", "sampling")
    scheduler = diffusers.DPMSolverMultistepScheduler(
        num_train_timesteps=diffusion.train_steps,
        beta_schedule=diffusion.beta_schedule,
        prediction_type=diffusion.prediction,
        algorithm_type="dpmsolver++",
        solver_order=2,
    )
    scheduler.set_timesteps(len(grid))
    # The solver steps by its sigmas; its own timesteps are cut to whole numbers, so the denoiser is given ours.
    scheduler.sigmas = torch.from_numpy(np.append(np.exp(-grid), 0.0)).float()
    scheduler.set_begin_index(0)
    given, (signal, noise) = _timesteps(diffusion, grid), _levels(grid)
    return Schedule(given, signal, noise, scheduler, diffusion.prediction, thresholds=True, scale=diffusion.scale)
