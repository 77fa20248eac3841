"""Live: samples in as they come, frames out with bounded latency.

A frame is emitted once the sound of its section and the stated look-ahead is there. Every section begins with the
last frames of the one before (kept, paper 4.2.4), encodes the sound from a little before its first frame to the end of
its look-ahead, and normalises it by the mean and variance of all sound so far. :func:`draw_like_stream` does the same
from a whole clip.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from blendvoca.errors import AudioError
from said_model.audio_encoder import AudioEncoder
from said_model.audio_encoder.level import Level
from said_model.config import SAMPLE_RATE
from said_model.diffusion.sections import Section
from said_model.diffusion.windows import Past
from said_model.synthesis.clip import Drawing
from said_model.synthesis.settings import StreamConfig


def _place(frame: int, fps: float) -> int:
    """First sample of a frame."""
    return round(frame * SAMPLE_RATE / fps)


class _SoundBuffer:
    """Features of sections, from sound of which only the part that is still needed is held."""

    def __init__(self, drawing: Drawing, encoder: AudioEncoder, config: StreamConfig) -> None:
        self.encoder, self.config = encoder, config
        self.fps = drawing.guided.config.fps
        self.device = drawing.guided.device
        self.samples, self.dropped = torch.zeros(0), 0
        self.level, self.counted = Level(), 0

    @property
    def received(self) -> int:
        """Samples so far."""
        return self.dropped + len(self.samples)

    def push(self, samples: Tensor) -> None:
        self.samples = torch.cat([self.samples, samples])

    @torch.inference_mode()
    def features(self, section: Section) -> Tensor:
        """(1, stop - start, D), normalised by all sound up to the section's end; forgets what is needed no more."""
        before = min(round(self.config.context * self.fps), section.start)
        first, last = _place(section.start - before, self.fps), min(_place(section.stop, self.fps), self.received)
        # Whatever came in one push, the level is that of the sound up to here and no further.
        self.level.update(self.samples[self.counted - self.dropped : last - self.dropped])
        self.counted = max(self.counted, last)
        sound = self.level.normalise(self.samples[first - self.dropped : last - self.dropped])
        features = self.encoder(sound[None].to(self.device), before + section.stop - section.start)[:, before:]
        needless = first - self.dropped
        self.samples, self.dropped = self.samples[needless:].clone(), first
        return features


class Streamer:
    """One live stream; see :meth:`said_model.model.SAiD.stream`."""

    def __init__(self, drawing: Drawing, encoder: AudioEncoder, config: StreamConfig, seed: int) -> None:
        self.drawing, self.config, self.seed = drawing, config, seed
        self.fps = drawing.guided.config.fps
        self._sound = _SoundBuffer(drawing, encoder, config)
        self._past: Past | None = None
        self._number = 0

    def push(self, samples: Tensor | NDArray[np.floating]) -> Tensor:
        """Take in samples (S,) at 16 kHz and return the frames (T, K) that they complete; T may be 0.

        :raises AudioError: for samples that are not finite.
        """
        samples = samples if isinstance(samples, Tensor) else torch.from_numpy(np.array(samples))
        if not bool(torch.isfinite(samples).all()):
            raise AudioError("samples are not finite", remedy="Check the source of the stream.")
        self._sound.push(samples.float())
        done = []
        while self._sound.received >= _place(self.config.chain.section(self._number).stop, self.fps):
            done.append(self._next(self.config.chain.section(self._number)))
        return torch.cat(done) if done else torch.zeros(0, self.drawing.channels)

    def finish(self) -> Tensor:
        """Return the frames (T, K) that waited for their look-ahead; the stream is over."""
        n_frames = round(self._sound.received / SAMPLE_RATE * self.fps)
        done = []
        while self._number * self.config.chain.hop < n_frames:
            done.append(self._next(self.config.chain.section(self._number, n_frames)))
        return torch.cat(done) if done else torch.zeros(0, self.drawing.channels)

    def _next(self, section: Section) -> Tensor:
        features = self._sound.features(section)
        result = self.drawing.section(features, section, self._number, self._past, [self.seed])
        self._past = Past.of(result, section)
        self._number += 1
        return result[0, section.given : section.given + section.emitted]


def draw_like_stream(
    drawing: Drawing, encoder: AudioEncoder, config: StreamConfig, samples: Tensor, seed: int
) -> Tensor:
    """Draw a whole clip (S,) in the sections that a stream of it would have: (N, K)."""
    fps = drawing.guided.config.fps
    n_frames = max(round(len(samples) / SAMPLE_RATE * fps), 1)
    sections = config.chain.sections(n_frames)
    sound = _SoundBuffer(drawing, encoder, config)
    sound.push(samples)
    return torch.cat(list(drawing.chain(sound.features, sections, [seed])), 1)[0]
