"""Drawing samples for clips of any length: a network, features and settings to coefficients."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor

from blendvoca.errors import ConfigurationError
from blendvoca.internal.progress import Progress
from said_model.audio_encoder.speech import Speech
from said_model.config import SamplerConfig
from said_model.diffusion.guidance import Denoise, guided
from said_model.diffusion.sampler import InpaintingConstraint, draw_noise, sample
from said_model.diffusion.schedule import Schedule, make_schedule
from said_model.diffusion.sections import Chain, Section, WindowConfig, batches, window_starts
from said_model.diffusion.windows import Past, blended, fade_out, run_chain
from said_model.network.guided import ClipDenoiser, GuidedDenoiser
from said_model.synthesis.settings import Conventions

#: Features (1, stop - start, D) of the frames of a section.
Features = Callable[[Section], Tensor]


#: Numbers the noise of edits: with the noise that a track was drawn with, an edit would give the same track again.
EDITING = 1 << 20


@dataclass(frozen=True, eq=False)
class Edit:
    """What all samples must agree with: ``reference`` (N, K), where ``mask`` (N, K) is 1 and not 0."""

    reference: Tensor
    mask: Tensor

    def lasting(self, n_frames: int) -> Edit:
        """Return it with frames to generate at its end, which start from the last one."""
        missing = n_frames - len(self.reference)
        end = self.reference[-1:].expand(missing, -1)
        return Edit(torch.cat([self.reference, end]), torch.cat([self.mask, torch.zeros_like(end)]))


@dataclass(frozen=True)
class Drawing:
    """How coefficients are drawn.

    :param guided: the denoiser for sampling.
    :param conventions: what the paper leaves open.
    """

    guided: GuidedDenoiser
    sampler: SamplerConfig = field(default_factory=SamplerConfig)
    windows: WindowConfig = field(default_factory=WindowConfig)
    conventions: Conventions = field(default_factory=Conventions)

    def __post_init__(self) -> None:
        # Said before anything is encoded.
        self.guided.config.diffusion.added_guidance(self.sampler.guidance_scale)

    @property
    def channels(self) -> int:
        """Number of blendshapes K."""
        return len(self.guided.config.names)

    def lengths(self, speech: Speech, n_frames: int | None = None) -> tuple[Speech, int, int]:
        """Return sound as it is encoded, the frames that are drawn for it, and how many of those are kept.

        :param n_frames: frames of the track that is edited, which the sound is made to last.
        """
        fps = self.guided.config.fps
        if not self.conventions.fill_sound:
            speech = speech if n_frames is None else speech.lasting(n_frames, fps)
            count = speech.frames(fps) if n_frames is None else n_frames
            return speech, count, count
        kept = speech.whole_frames(fps) if n_frames is None else n_frames
        filled = (speech if kept == speech.whole_frames(fps) else speech.lasting(kept, fps)).filled(fps)
        return filled, max(filled.whole_frames(fps), kept), kept

    def noise(self, seeds: Sequence[int], n_frames: int, number: int = 0) -> Tensor:
        """Return start noise (B, N, K): sample b always gets that of its seed, whatever is drawn beside it."""
        # Sections of one clip take seeds far apart, so that neighbouring seeds never share noise.
        shape, stride = (n_frames, self.channels), 0x9E3779B97F4A7C15
        return torch.stack([draw_noise((seed + number * stride) % 2**63, shape) for seed in seeds])

    def denoiser(self, audio: Tensor, samples: int, schedule: Schedule) -> Denoise:
        """Return the guided denoiser of a clip, blended over windows where the clip is longer than one.

        :param audio: (1, N, D) features.
        :param samples: samples B that are drawn at once.
        """
        n_frames = audio.shape[1]
        whole = self.conventions.whole_clip
        frames = n_frames if whole else min(self.windows.frames, n_frames)
        starts = [0] if whole else window_starts(n_frames, self.windows)
        scale = self.guided.config.diffusion.added_guidance(self.sampler.guidance_scale)
        parts: list[Denoise] = []
        for rows in batches(len(starts), self.windows.at_once):
            cut = torch.cat([audio[:, starts[i] : starts[i] + frames] for i in rows])
            clip = self.guided.condition(cut.repeat(samples, 1, 1), frames)
            parts.append(guided_clip(clip, schedule, scale, self.conventions.guidance_above))
        return blended(parts, starts, frames, n_frames)

    @torch.inference_mode()
    def draw(
        self, audio: Tensor, noise: Tensor, kept: InpaintingConstraint | None = None, progress: Progress | None = None
    ) -> Tensor:
        """Draw one section.

        :param audio: (1, N, D) features.
        :param noise: (B, N, K).
        :param kept: what the samples must agree with.
        :return: (B, N, K) coefficients.
        :raises ConfigurationError: if memory does not suffice.
        """
        device = self.guided.device
        schedule = make_schedule(self.guided.config.diffusion, self.sampler)
        start = noise.to(device)
        if kept is not None:
            noised = self.conventions.noised_start
            start = schedule.noised(kept.reference, kept.noise, 0) if noised else kept.impose(start, schedule, 0)
        on_step = None if progress is None else (lambda done: progress("denoising", done, len(schedule)))
        with out_of_memory(self.windows, len(noise), self.conventions.whole_clip):
            return sample(self.denoiser(audio.to(device), len(noise), schedule), schedule, start, kept, on_step).cpu()

    def chain(
        self, features: Features, sections: Sequence[Section], seeds: Sequence[int], edit: Edit | None = None
    ) -> Iterator[Tensor]:
        """Draw sections, each going on from the last; yield the new frames (B, emitted, K) of each.

        :param edit: what the samples must agree with; its noise is drawn apart from that of sampling.
        """
        first = 0 if edit is None else EDITING

        def draw(number: int, section: Section, past: Past | None) -> Tensor:
            return self.section(features(section), section, first + number, past, seeds, edit)

        return run_chain(sections, draw)

    def section(
        self, audio: Tensor, section: Section, number: int, past: Past | None, seeds: Sequence[int],
        edit: Edit | None = None,
    ) -> Tensor:  # fmt: skip
        """Draw one section of a chain.

        What the last section held to come next fades into what this one draws, which knows more of the sound: else the
        motion would jump where a section begins.

        :return: (B, stop - start, K); the given frames come first, unchanged.
        """
        noise = self.noise(seeds, section.stop - section.start, number)
        if edit is None and past is None:
            return self.draw(audio, noise)
        reference, mask = torch.zeros_like(noise), torch.zeros(1, *noise.shape[1:])
        if edit is not None:
            reference[:] = edit.reference[section.start : section.stop]
            mask[:] = edit.mask[section.start : section.stop]
        if past is not None:
            given, fade = section.given, min(past.ahead.shape[1], noise.shape[1] - section.given)
            reference[:, :given], mask[:, :given] = past.known[:, past.known.shape[1] - given :], 1
            reference[:, given : given + fade] = past.ahead[:, :fade]
            mask[:, given : given + fade] = mask[:, given : given + fade].maximum(fade_out(fade)[:, None])
        device = self.guided.device
        return self.draw(audio, noise, InpaintingConstraint(*(part.to(device) for part in (reference, mask, noise))))

    def sections(self, n_frames: int) -> list[Section]:
        """Return the sections that a clip is drawn in: one, unless it is very long."""
        if n_frames <= self.windows.section or self.conventions.whole_clip:
            return [Section(0, n_frames, 0, n_frames)]
        shared = self.windows.overlap
        return Chain(shared, self.windows.section - 2 * shared, shared).sections(n_frames)


def guided_clip(clip: ClipDenoiser, schedule: Schedule, scale: float, above: float = 0.0) -> Denoise:
    """Return a clip's guided denoiser; what it predicts with and without audio is thresholded first.

    :param scale: of the guidance.
    :param above: scales up to this one count as none.
    """
    if scale <= above:
        return lambda x, timestep: schedule.thresholded(clip.conditional(x, timestep), x, timestep)

    def pair(x: Tensor, timestep: float) -> tuple[Tensor, Tensor]:
        given, null = clip.pair(x, timestep)
        return schedule.thresholded(given, x, timestep), schedule.thresholded(null, x, timestep)

    return guided(pair, scale)


@contextmanager
def out_of_memory(windows: WindowConfig, samples: int, whole_clip: bool = False) -> Iterator[None]:
    """Turn a failed allocation into advice.

    :raises ConfigurationError: saying what is smaller and would do.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        text = str(error)
        if not isinstance(error, (torch.OutOfMemoryError, MemoryError)) and "allocate memory" not in text:
            raise
        if samples > 1:
            remedy = f"Draw at most {samples // 2} samples at once."
        elif whole_clip:
            remedy = "Let the clip be cut into windows: draw without the authors' conventions (--preset paper)."
        elif windows.at_once > 1:
            remedy = f"Take at most {windows.at_once // 2} windows at once (--at-once {windows.at_once // 2})."
        else:
            remedy = f"Take windows of at most {windows.frames // 2} frames (--window {windows.frames // 2})."
        raise ConfigurationError(
            "out of memory",
            found=f"{samples} samples of "
            + ("a whole clip" if whole_clip else f"{windows.at_once} windows of {windows.frames} frames"),
            remedy=remedy,
        ) from error
