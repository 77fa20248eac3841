"""SAiD: the user's door. A clip in, coefficients out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from blendvoca.audio import Waveform
from blendvoca.errors import InputError, TrackError, nearest
from blendvoca.io.wav import SOUND_SUFFIXES, read_audio
from blendvoca.progress import Progress
from blendvoca.track import CoefficientTrack
from said_model.audio_encoder.sampling import for_sampling
from said_model.audio_encoder.speech import Speech, features_of, load_speech
from said_model.checkpoints import folder as checkpoint
from said_model.config import LOG_MEL, SAMPLE_RATE, ModelConfig, SamplerConfig, require
from said_model.devices import pick_device as pick_device
from said_model.diffusion.windows import WindowConfig
from said_model.network.guided import GuidedDenoiser
from said_model.network.said import SaidNetwork
from said_model.synthesis.clip import Drawing, Edit
from said_model.synthesis.edit import Edited, checked_mask, join_borders, measure_borders
from said_model.synthesis.stream import StreamConfig, Streamer, draw_like_stream

Sound = str | PathLike[str] | Waveform
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


class SAiD:
    """A trained model.

    :param network: the network; it is moved to ``device`` and to evaluation mode.
    :param device: where it runs.
    :param precision: ``float32``, or ``bfloat16`` for denoiser and encoder.
    """

    def __init__(
        self, network: SaidNetwork, device: str | torch.device = "cpu", precision: str = "float32"
    ) -> None:
        require(precision in PRECISIONS, "unknown precision", sorted(PRECISIONS), precision)
        self.network = network.to(device).eval().requires_grad_(False)
        self.device = torch.device(device)
        self._guided = GuidedDenoiser(self.network, PRECISIONS[precision])
        self._encoder = for_sampling(self.network.audio_encoder, PRECISIONS[precision])

    @classmethod
    def load(cls, path: str | Path, device: str = "auto", precision: str = "float32") -> SAiD:
        """Load a checkpoint folder, as training and ``said import-weights`` write it.

        :param path: folder of a checkpoint.
        :param device: ``auto``, ``cpu`` or ``cuda``.
        :param precision: ``float32`` or ``bfloat16``.
        :raises MissingInputError: if there is no checkpoint.
        :raises FormatError: if it is none of this model.
        :raises ConfigurationError: for a device that is not there.
        """
        return cls(checkpoint.load(path), pick_device(device), precision)

    @property
    def config(self) -> ModelConfig:
        """What the model is made of."""
        return self.network.config

    @property
    def describe_encoder(self) -> str:
        """One line on what listens, for the user."""
        name = self.config.encoder.name
        return f"{name} (embedded, no pretrained weights)" if name == LOG_MEL else name

    def sample(
        self,
        audio: Sound,
        seed: int = 0,
        sampler: SamplerConfig | None = None,
        windows: WindowConfig | None = None,
    ) -> CoefficientTrack:
        """Draw coefficients for speech.

        :param audio: a sound file of any format and rate, or a waveform.
        :param seed: what the sample is drawn with; the same seed gives the same sample.
        :param sampler: which sampler, how many steps, how much guidance; None takes the defaults of
            :class:`SamplerConfig`.
        :param windows: how long sound is cut; None takes the defaults of :class:`WindowConfig`.
        :raises AudioError: for sound that cannot be used.
        :raises FormatError: for a file that is no sound.
        """
        return self.samples(audio, 1, seed, sampler, windows)[0]

    def samples(
        self,
        audio: Sound | Speech,
        count: int,
        seed: int = 0,
        sampler: SamplerConfig | None = None,
        windows: WindowConfig | None = None,
        progress: Progress | None = None,
    ) -> list[CoefficientTrack]:
        """Draw several samples of one clip, with the seeds ``seed``, ``seed + 1``, …

        :param audio: as for :meth:`sample`.
        :param count: number of samples.
        :param seed: of the first sample.
        :param sampler: as for :meth:`sample`.
        :param windows: as for :meth:`sample`.
        :param progress: is called with the steps or sections that are done.
        """
        require(count >= 1, "nothing to draw", "at least 1 sample", count)
        speech = audio if isinstance(audio, Speech) else load_speech(audio)
        drawing = self._drawing(sampler, windows)
        n_frames = speech.frames(self.config.fps)
        sections = drawing.sections(n_frames)
        seeds = range(seed, seed + count)
        if len(sections) == 1:
            values = drawing.draw(self.features(speech, n_frames), drawing.noise(seeds, n_frames), None, progress)
        else:
            parts = []
            for part in drawing.chain(lambda s: self.features(speech, n_frames, (s.start, s.stop)), sections, seeds):
                parts.append(part)
                if progress is not None:
                    progress("sections", len(parts), len(sections))
            values = torch.cat(parts, 1)
        return [self._track(one) for one in values]

    def edit(
        self,
        track: CoefficientTrack,
        audio: Sound | Speech,
        mask: ArrayLike,
        count: int = 1,
        seed: int = 0,
        sampler: SamplerConfig | None = None,
        windows: WindowConfig | None = None,
    ) -> list[Edited]:
        """Generate parts of a track anew (paper 4.2.4); the rest comes back exactly.

        :param track: (T, K) the track that is changed.
        :param audio: its sound, of about its length.
        :param mask: anything that broadcasts to (T, K) in the track's columns: 1 keeps, 0 generates
            (:func:`said_model.synthesis.edit.build_mask`).
        :param count: variants, with the seeds ``seed``, ``seed + 1``, …
        :param seed: of the first variant.
        :param sampler: as for :meth:`sample`.
        :param windows: as for :meth:`sample`.
        :raises TrackError: if track, sound and mask do not belong together.
        :raises InputError: for a mask of anything but 0 to 1, or one that leaves nothing to generate.
        """
        require(count >= 1, "nothing to draw", "at least 1 variant", count)
        speech = audio if isinstance(audio, Speech) else load_speech(audio)
        self._check_edit(track, speech)
        speech = speech.lasting(len(track), track.fps)
        kept_mask, order = checked_mask(mask, track.values.shape), track.columns(self.config.names)
        if (kept_mask[:, order] >= 1).all():
            raise InputError("everything is kept, nothing is left to generate", expected="a 0 in a column of the model",
                             remedy="Keep or pin less.")  # fmt: skip
        drawing = self._drawing(sampler, windows)
        wanted = Edit(*(torch.from_numpy(part[:, order].astype(np.float32)) for part in (track.values, kept_mask)))
        parts = drawing.chain(
            lambda s: self.features(speech, len(track), (s.start, s.stop)),
            drawing.sections(len(track)), range(seed, seed + count), wanted,
        )  # fmt: skip
        values = torch.cat(list(parts), 1).double().numpy()
        edited = []
        for one in values:
            result = track.values.copy()
            # The network works in float32: what is kept is taken from the track itself.
            drawn = np.where(kept_mask[:, order] >= 1, track.values[:, order], one)
            result[:, order] = join_borders(drawn, kept_mask[:, order])
            edited.append(
                Edited(CoefficientTrack(result, track.names, track.fps), measure_borders(result, kept_mask))
            )
        return edited

    def _check_edit(self, track: CoefficientTrack, speech: Speech) -> None:
        missing = [name for name in self.config.names if name not in track.names]
        if missing:
            raise TrackError(
                "the track lacks blendshapes of the model", expected=f"the model's {len(self.config.names)} names",
                found="no " + ", ".join(name + nearest(name, track.names) for name in missing),
                remedy="Add them as columns of zeros, or edit with another model.",
            )  # fmt: skip
        if track.fps != self.config.fps:
            raise TrackError(
                "another frame rate", expected=f"{self.config.fps:g} fps", found=f"{track.fps:g} fps",
                remedy="Use track.resampled(fps).",
            )  # fmt: skip
        n_frames = speech.frames(self.config.fps)
        if abs(n_frames - len(track)) > max(0.05 * len(track), 0.25 * track.fps):
            raise TrackError(
                "sound and track differ in length", expected=f"{len(track)} frames", found=f"{n_frames} frames of sound"
            )

    def stream(
        self, config: StreamConfig | None = None, seed: int = 0, sampler: SamplerConfig | None = None
    ) -> Streamer:
        """Start a live stream: push samples, get frames with bounded latency.

        :param config: sizes of sections; None takes the defaults.
        :param seed: as for :meth:`sample`.
        :param sampler: as for :meth:`sample`.
        """
        return Streamer(self._drawing(sampler, None), self._encoder, config or StreamConfig(), seed)

    def sample_like_stream(
        self,
        audio: Sound,
        config: StreamConfig | None = None,
        seed: int = 0,
        sampler: SamplerConfig | None = None,
    ) -> CoefficientTrack:
        """Draw, from a whole clip, what :meth:`stream` gives for it.

        :param audio: as for :meth:`sample`.
        :param config: as for :meth:`stream`.
        :param seed: as for :meth:`sample`.
        :param sampler: as for :meth:`sample`.
        """
        drawing, encoder = self._drawing(sampler, None), self._encoder
        return self._track(draw_like_stream(drawing, encoder, config or StreamConfig(), raw_samples(audio), seed))

    @torch.inference_mode()
    def features(self, speech: Speech, n_frames: int, span: tuple[int, int] | None = None) -> Tensor:
        """Return the audio features (1, N, D) of a clip, or of its frames from ``span[0]`` to ``span[1]``.

        :param speech: of the clip.
        :param n_frames: N frames of the clip.
        :param span: first and last frame (excluded) that are wanted; None takes all.
        """
        return features_of(self._encoder, speech.samples.to(self.device), n_frames, span=span)

    def _drawing(self, sampler: SamplerConfig | None, windows: WindowConfig | None) -> Drawing:
        return Drawing(self._guided, sampler or SamplerConfig(), windows or WindowConfig())

    def _track(self, values: Tensor) -> CoefficientTrack:
        return CoefficientTrack(values.double().numpy(), self.config.names, self.config.fps)


def raw_samples(audio: Sound) -> Tensor:
    """Return sound at 16 kHz as it is, not normalised: (S,)."""
    sound = audio if isinstance(audio, Waveform) else read_audio(audio)
    return torch.from_numpy(sound.resampled(SAMPLE_RATE).samples.copy())


def together(files: Sequence[str | Path], on_report: Callable[[str], None] | None = None) -> list[Path]:
    """Expand folders into the sound files they hold, in order of their names.

    :param files: files and folders.
    :param on_report: is called with a sentence for every file of a folder that is left out.
    """
    found: list[Path] = []
    for file in map(Path, files):
        if not file.is_dir():
            found.append(file)
            continue
        for entry in sorted(file.iterdir()):
            if entry.is_file() and not entry.name.startswith("."):
                sound = entry.suffix.lower() in SOUND_SUFFIXES
                found += [entry] if sound else []
                if not sound and on_report is not None:
                    on_report(f"{entry} left out: {entry.suffix or 'a name without suffix'} is no kind of sound")
    return found

