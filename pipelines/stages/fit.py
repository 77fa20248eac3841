"""Stage ``fit``: coefficients of a clip by quadratic programming (paper 4.1.2), with their certificate."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blendvoca.audio import Waveform
from blendvoca.clip import Clip
from blendvoca.errors import AudioError
from blendvoca.fit.fitter import FitSettings, fit
from blendvoca.io.digest import digest_bytes
from blendvoca.sequence import FrameSource
from blendvoca.speakers import VOCASET_FPS
from pipelines.artefact import write_artefact
from pipelines.records import COEFFICIENT_GRID, on_grid, sound_digest, unpack_crop, unpack_rig
from pipelines.stage import Stage
from pipelines.workspace import BuildWorkspace


class Fit(Stage):
    """Fit every sentence of every speaker."""

    name, title, unit, settings = "fit", "fit", "clips", ("rate_limit",)
    version = 2

    def items(self, work: BuildWorkspace) -> list[str]:
        """Return all ``speaker/sentence``."""
        return [f"{speaker}/{sentence}" for speaker, sentence in work.corpus.clips()]

    def inputs(self, work: BuildWorkspace, item: str) -> dict[str, str]:
        """Return the hash of the rig, and what the files of frames and sound are."""
        speaker, sentence = item.split("/")
        return {
            "rig": work.fingerprint("reattach", speaker),
            "frames and sound": digest_bytes(work.corpus.stamp(speaker, sentence).encode()),
        }

    def run(self, work: BuildWorkspace, item: str, target: Path) -> dict[str, Any]:
        """Fit one clip.

        :raises AudioError: for sound that is missing, or much shorter or longer than the motion.
        """
        speaker, sentence = item.split("/")
        stored = work.load("reattach", speaker)
        sequence = work.corpus.motion(speaker, sentence)
        frames = HashedFrames(sequence.source)
        sound = _sound(work, speaker, sentence)
        # The limit is stated for VOCASET's rate: a frame that lasts twice as long may change twice as much.
        settings = FitSettings(rate_limit=work.config.rate_limit * VOCASET_FPS / sequence.fps)
        result = fit(replace(sequence, source=frames), unpack_rig(stored), settings, crop=unpack_crop("output", stored))
        problem = Clip(speaker, sentence, result.track, sound).length_problem()
        if problem:
            raise AudioError(f"{item}: {problem}", remedy="Is it the right sound?")
        facts = {
            "names": list(result.track.names),
            "fps": result.track.fps,
            "frames": len(result.track),
            "frames_sha256": frames.hexdigest(),
            "sound_sha256": sound_digest(sound) if sound is not None else "",
            "certificate": result.certificate.stated().to_dict(),
        }
        coefficients = on_grid(result.track.values, COEFFICIENT_GRID)
        write_artefact(target, facts, coefficients=coefficients, frame_error_mm=result.frame_error_mm)
        shown = ("error_mean_mm", "error_p95_mm", "error_max_mm", "rate_limit_share")
        return {"frames": len(result.track), **{name: getattr(result.certificate, name) for name in shown}}


def _sound(work: BuildWorkspace, speaker: str, sentence: str) -> Waveform | None:
    """Return the sound of a clip; none where the whole corpus has none.

    :raises MissingInputError: where others have sound and this clip has not.
    """
    return work.corpus.audio(speaker, sentence) if work.has_sound else None


class HashedFrames:
    """Frames that are hashed while they are read, as (T, V, 3) float32 in order: the same for every form of a corpus.

    :param source: where the frames come from.
    """

    def __init__(self, source: FrameSource) -> None:
        self._source = source
        self._sha, self._next = hashlib.sha256(), 0

    def __len__(self) -> int:
        return len(self._source)

    def read(self, start: int, stop: int) -> NDArray[np.floating]:
        """Return frames ``start`` to ``stop``; frames read again are not hashed again."""
        block = self._source.read(start, stop)
        if start == self._next:
            self._sha.update(np.ascontiguousarray(block, dtype="<f4").data)
            self._next = stop
        return block

    def hexdigest(self) -> str:
        """Return the SHA-256 of all frames read so far."""
        return self._sha.hexdigest()
