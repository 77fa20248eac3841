"""Clips: what a speaker said, how the face moved, and where both came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from blendvoca.audio import Waveform
from blendvoca.certificate import FitCertificate
from blendvoca.internal.names import check_file_name
from blendvoca.track import CoefficientTrack

#: Audio may differ from the motion's length by this share of it, or by the seconds below, whichever is more.
LENGTH_TOLERANCE_SHARE, LENGTH_TOLERANCE_SECONDS = 0.05, 0.25


@dataclass(frozen=True, eq=False)
class Clip:
    """One sentence of one speaker.

    :param speaker: who speaks.
    :param sentence: which sentence.
    :param track: the coefficients.
    :param waveform: the sound, where the licence and the user's files allow it.
    :param certificate: proof of the fit; ``None`` for tracks that were not fitted here.
    :param provenance: plain facts of the origin, such as the source's hash.
    :raises InputError: for a name that cannot name a file.
    """

    speaker: str
    sentence: str
    track: CoefficientTrack
    waveform: Waveform | None = None
    certificate: FitCertificate | None = None
    provenance: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_file_name(self.speaker, "speaker")
        check_file_name(self.sentence, "sentence")

    def __repr__(self) -> str:
        sound = "no sound" if self.waveform is None else repr(self.waveform)
        motion = f"{len(self.track)} frames of {len(self.track.names)} shapes at {self.track.fps:g} fps"
        return f"Clip({self.speaker}/{self.sentence}, {motion},\n  {sound})"

    def length_problem(self) -> str | None:
        """Return what is wrong with the audio's length against the motion's, ``None`` when they agree."""
        if self.waveform is None:
            return None
        motion, audio = self.track.duration, self.waveform.duration
        if abs(audio - motion) <= max(LENGTH_TOLERANCE_SHARE * motion, LENGTH_TOLERANCE_SECONDS):
            return None
        return f"audio lasts {audio:.2f} s, motion {motion:.2f} s"
