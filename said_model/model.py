"""SAiD: the user's entry point. A clip in, coefficients out."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from blendvoca.audio import Waveform
from blendvoca.errors import InputError
from blendvoca.internal.progress import Progress
from blendvoca.io.sound.wav import read_audio
from blendvoca.track import CoefficientTrack
from said_model.audio_encoder.sampling import for_sampling
from said_model.audio_encoder.speech import CHUNK_FRAMES, Speech, features_of, load_speech
from said_model.checkpoints import folder as checkpoint
from said_model.config import LOG_MEL, SAMPLE_RATE, ModelConfig, SamplerConfig, default_sampler
from said_model.devices import pick_device as pick_device
from said_model.diffusion.sections import WindowConfig
from said_model.network.guided import GuidedDenoiser
from said_model.network.said import SaidNetwork
from said_model.ranges import require
from said_model.synthesis.clip import Drawing, Edit
from said_model.synthesis.edit import Edited, check_edit, checked_mask, join_borders, measure_borders
from said_model.synthesis.settings import Conventions, StreamConfig
from said_model.synthesis.stream import Streamer, draw_like_stream

Sound = str | PathLike[str] | Waveform
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


class SAiD:
    """A trained model.

    :param network: the network; it is moved to ``device`` and to evaluation mode.
    :param device: where it runs.
    :param precision: ``float32``, or ``bfloat16`` for denoiser and encoder.
    :param sampler: how to draw where a call does not say it; what holds for the network's kind of prediction otherwise.
    """

    def __init__(
        self,
        network: SaidNetwork,
        device: str | torch.device = "cpu",
        precision: str = "float32",
        sampler: SamplerConfig | None = None,
    ) -> None:
        require(precision in PRECISIONS, "unknown precision", sorted(PRECISIONS), precision)
        self.network = network.to(device).eval().requires_grad_(False)
        self.device = torch.device(device)
        self.sampler = sampler or default_sampler(network.config.diffusion)
        self._guided = GuidedDenoiser(self.network, PRECISIONS[precision])
        self._encoder = for_sampling(self.network.audio_encoder, PRECISIONS[precision])

    @classmethod
    def load(cls, path: str | Path | None = None, device: str = "auto", precision: str = "float32") -> SAiD:
        """Load a checkpoint folder, as training and ``said import-weights`` write it.

        :param path: folder of a checkpoint; the demo model of this package where it is None.
        :param device: ``auto``, ``cpu`` or ``cuda``.
        :param precision: ``float32`` or ``bfloat16``.
        :raises MissingInputError: if there is no checkpoint.
        :raises FormatError: if it is none of this model.
        :raises ConfigurationError: for a device that is not there.
        """
        folder = checkpoint.DEMO if path is None else path
        return cls(checkpoint.load(folder), pick_device(device), precision, checkpoint.read_sampler(folder))

    @classmethod
    def from_pretrained(
        cls, name: str | Path, revision: str | None = None, device: str = "auto", precision: str = "float32"
    ) -> SAiD:
        """Load published weights: a repository of the Hugging Face hub, or a folder.

        What was downloaded before is used without asking the hub.

        :param name: of the repository, such as ``yunik1004/SAiD``: the authors' ``.pth``, or a checkpoint of ours.
        :param revision: commit, tag or branch; a commit always gives the same weights.
        :param device: as for :meth:`load`.
        :param precision: as for :meth:`load`.
        :raises DownloadError: if it is neither here nor to be fetched.
        :raises IntegrityError: if a downloaded file has changed since.
        :raises FormatError: if it holds no weights of this model.
        """
        from said_model.checkpoints.hub import fetch, open_weights

        if checkpoint.is_checkpoint(name):
            return cls.load(name, device, precision)
        network, sampler = open_weights(fetch(str(name), revision))
        return cls(network, pick_device(device), precision, sampler)

    @property
    def config(self) -> ModelConfig:
        """What the model is made of."""
        return self.network.config

    @property
    def describe_encoder(self) -> str:
        """One line on the speech encoder, for the user."""
        name = self.config.encoder.name
        return f"{name} (embedded, no pretrained weights)" if name == LOG_MEL else name

    def sample(
        self,
        audio: Sound,
        seed: int = 0,
        sampler: SamplerConfig | None = None,
        windows: WindowConfig | None = None,
        conventions: Conventions | None = None,
    ) -> CoefficientTrack:
        """Draw coefficients for speech.

        :param audio: a sound file of any format and rate, or a waveform.
        :param seed: what the sample is drawn with; the same seed gives the same sample.
        :param sampler: which sampler, how many steps, how much guidance; None takes the model's own.
        :param windows: how long sound is cut; None takes the defaults of :class:`WindowConfig`.
        :param conventions: :data:`~said_model.synthesis.settings.PAPER` does all that the authors' code does otherwise.
        :raises AudioError: for sound that cannot be used.
        :raises FormatError: for a file that is no sound.
        """
        return self.samples(audio, 1, seed, sampler, windows, conventions)[0]

    def samples(
        self,
        audio: Sound | Speech,
        count: int,
        seed: int = 0,
        sampler: SamplerConfig | None = None,
        windows: WindowConfig | None = None,
        conventions: Conventions | None = None,
        progress: Progress | None = None,
    ) -> list[CoefficientTrack]:
        """Draw several samples of one clip, with the seeds ``seed``, ``seed + 1``, …

        :param audio: as for :meth:`sample`.
        :param count: number of samples.
        :param seed: of the first sample.
        :param sampler: as for :meth:`sample`.
        :param windows: as for :meth:`sample`.
        :param conventions: as for :meth:`sample`.
        :param progress: is called with the steps or sections that are done.
        """
        require(count >= 1, "nothing to draw", "at least 1 sample", count)
        drawing = self._drawing(sampler, windows, conventions)
        speech, n_frames, kept = drawing.lengths(audio if isinstance(audio, Speech) else load_speech(audio))
        sections = drawing.sections(n_frames)
        seeds = range(seed, seed + count)
        if len(sections) == 1:
            features = self.features(speech, n_frames, whole=drawing.conventions.whole_clip)
            values = drawing.draw(features, drawing.noise(seeds, n_frames), None, progress)
        else:
            parts = []
            for part in drawing.chain(lambda s: self.features(speech, n_frames, (s.start, s.stop)), sections, seeds):
                parts.append(part)
                if progress is not None:
                    progress("sections", len(parts), len(sections))
            values = torch.cat(parts, 1)
        return [self._track(one[:kept]) for one in values]

    def edit(
        self,
        track: CoefficientTrack,
        audio: Sound | Speech,
        mask: ArrayLike,
        count: int = 1,
        seed: int = 0,
        sampler: SamplerConfig | None = None,
        windows: WindowConfig | None = None,
        conventions: Conventions | None = None,
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
        :param conventions: as for :meth:`sample`.
        :raises TrackError: if track, sound and mask do not belong together.
        :raises InputError: for a mask of anything but 0 to 1, or one that leaves nothing to generate.
        """
        require(count >= 1, "nothing to draw", "at least 1 variant", count)
        speech = audio if isinstance(audio, Speech) else load_speech(audio)
        check_edit(track, self.config.names, self.config.fps, speech.frames(self.config.fps))
        kept_mask, order = checked_mask(mask, track.values.shape), track.columns(self.config.names)
        if (kept_mask[:, order] >= 1).all():
            raise InputError("everything is kept, nothing is left to generate", expected="a 0 in a column of the model",
                             remedy="Keep or pin less.")  # fmt: skip
        drawing = self._drawing(sampler, windows, conventions)
        speech, n_frames, _ = drawing.lengths(speech, len(track))
        wanted = Edit(*(torch.from_numpy(part[:, order].astype(np.float32)) for part in (track.values, kept_mask)))
        whole = drawing.conventions.whole_clip
        parts = drawing.chain(
            lambda s: self.features(speech, n_frames, (s.start, s.stop), whole),
            drawing.sections(n_frames), range(seed, seed + count), wanted.lasting(n_frames),
        )  # fmt: skip
        edited = []
        for one in torch.cat(list(parts), 1)[:, : len(track)].double().numpy():
            result = track.values.copy()
            # The network works in float32: what is kept is taken from the track itself.
            drawn = np.where(kept_mask[:, order] >= 1, track.values[:, order], one)
            bent = drawing.conventions.bent_borders
            result[:, order] = join_borders(drawn, kept_mask[:, order]) if bent else drawn
            edited.append(Edited(CoefficientTrack(result, track.names, track.fps), measure_borders(result, kept_mask)))
        return edited

    def stream(
        self, config: StreamConfig | None = None, seed: int = 0, sampler: SamplerConfig | None = None
    ) -> Streamer:
        """Start a live stream: push samples, get frames with bounded latency.

        :param config: sizes of sections; None takes the defaults.
        :param seed: as for :meth:`sample`.
        :param sampler: as for :meth:`sample`.
        """
        return Streamer(self._drawing(sampler), self._encoder, config or StreamConfig(), seed)

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
        drawing, encoder = self._drawing(sampler), self._encoder
        return self._track(draw_like_stream(drawing, encoder, config or StreamConfig(), raw_samples(audio), seed))

    @torch.inference_mode()
    def features(
        self, speech: Speech, n_frames: int, span: tuple[int, int] | None = None, whole: bool = False
    ) -> Tensor:
        """Return the audio features (1, N, D) of a clip, or of its frames from ``span[0]`` to ``span[1]``.

        :param speech: of the clip.
        :param n_frames: N frames of the clip.
        :param span: first and last frame (excluded) that are wanted; None takes all.

        :param whole: encode sound of any length at once instead of in chunks.
        """
        chunk = n_frames if whole else CHUNK_FRAMES
        return features_of(self._encoder, speech.samples.to(self.device), n_frames, chunk, span)

    def _drawing(
        self, sampler: SamplerConfig | None, windows: WindowConfig | None = None, conventions: Conventions | None = None
    ) -> Drawing:
        return Drawing(self._guided, sampler or self.sampler, windows or WindowConfig(), conventions or Conventions())

    def _track(self, values: Tensor) -> CoefficientTrack:
        return CoefficientTrack(values.double().numpy(), self.config.names, self.config.fps)


def raw_samples(audio: Sound) -> Tensor:
    """Return sound at 16 kHz as it is, not normalised: (S,)."""
    sound = audio if isinstance(audio, Waveform) else read_audio(audio)
    return torch.from_numpy(sound.resampled(SAMPLE_RATE).samples.copy())
