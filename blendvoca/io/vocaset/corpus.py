"""A corpus of speaking heads, whatever form it is stored in: speakers × sentences, each part read when asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from blendvoca.audio import Waveform
from blendvoca.errors import MissingInputError, nearest
from blendvoca.mesh import Mesh
from blendvoca.sequence import MeshSequence
from blendvoca.speakers import KNOWN_GAPS

#: Begins what :class:`Missing` says of a folder that may not be read.
UNREADABLE = "permission to read"


@dataclass(frozen=True)
class Missing:
    """Something a corpus lacks.

    :param what: the thing itself.
    :param cost: what cannot be made without it.
    :param speaker: whose it would be, if it belongs to one.
    :param sentences: the sentences concerned, if single ones are.
    """

    what: str
    cost: str
    speaker: str = ""
    sentences: tuple[str, ...] = ()

    def __str__(self) -> str:
        whose = f" of {self.speaker}" if self.speaker else ""
        shown = ", ".join(self.sentences[:4]) + (f" and {len(self.sentences) - 4} more" if self.sentences[4:] else "")
        which = f" ({shown})" if self.sentences else ""
        return f"no {self.what}{whose}{which}: {self.cost}"


def grouped(lacks: Iterable[Missing]) -> list[str]:
    """Return a line for each kind of thing that is missing, whoever misses it, in the order of the first of each."""
    kinds: dict[tuple[str, str], list[Missing]] = {}
    for lack in lacks:
        cost = re.sub(r"\d+ sentences?", "#", lack.cost)
        kinds.setdefault((lack.what, cost) if lack.speaker else (str(lack), ""), []).append(lack)
    return [str(group[0]) if len(group) == 1 else _together(group, cost) for (_, cost), group in kinds.items()]


def _together(group: list[Missing], cost: str) -> str:
    names = [lack.speaker for lack in group]
    whose = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if names[3:] else "")
    count = sum(int(found[0]) for lack in group if (found := re.search(r"\d+(?= sentences?)", lack.cost)))
    cost = cost.replace("#", f"{count} sentences").replace("the speaker is", "they are")
    return f"no {group[0].what} of {len(names)} speakers ({whose}): {cost}"


@dataclass(frozen=True)
class Holdings:
    """What a form holds of one speaker.

    :param template: whether there is a neutral mesh.
    :param motion: sentences with motion.
    :param audio: sentences with sound.
    """

    template: bool = False
    motion: frozenset[str] = frozenset()
    audio: frozenset[str] = frozenset()


class Form(Protocol):
    """How a corpus is stored: folders, archives, a training package."""

    kind: str

    def holdings(self) -> dict[str, Holdings]:
        """Return what there is of every speaker."""

    def lacks(self) -> tuple[Missing, ...]:
        """Return what is missing as a whole, rather than of a speaker."""

    def template(self, speaker: str) -> Mesh:
        """Read a neutral mesh."""

    def motion(self, speaker: str, sentence: str) -> MeshSequence:
        """Open a sequence."""

    def audio(self, speaker: str, sentence: str) -> Waveform:
        """Read a sound."""

    def stamp(self, speaker: str, sentence: str) -> str:
        """Return a text that changes when the files of a sentence, or of the template where it is empty, do."""


@dataclass(frozen=True)
class Corpus:
    """A recognised corpus. Nothing but names has been read; it can be sent to other processes.

    :param path: what was pointed at.
    :param form: how it is stored.
    :param fps: frames per second of all motion.
    :param missing: what it lacks and what that costs; VOCASET's known gaps are not among it.
    :param splits: speaker to ``train``, ``validation`` or ``test``, where the corpus states it.
    :param known_gaps: (speaker, sentence) of sound that was published without motion: no errors.
    """

    path: Path
    form: Form
    fps: float
    missing: tuple[Missing, ...] = ()
    splits: dict[str, str] | None = None
    known_gaps: frozenset[tuple[str, str]] = KNOWN_GAPS
    _held: dict[str, Holdings] = field(default_factory=dict, repr=False)

    @property
    def kind(self) -> str:
        """What was recognised, in words."""
        return self.form.kind

    @property
    def speakers(self) -> tuple[str, ...]:
        """Speakers that a rig can be made for: those with a template and at least one sentence with motion."""
        return tuple(sorted(name for name, held in self._held.items() if held.template and held.motion))

    def sentences(self, speaker: str) -> tuple[str, ...]:
        """Return the sentences of a speaker that have motion.

        :raises MissingInputError: for a speaker the corpus does not have.
        """
        return tuple(sorted(self._of(speaker).motion))

    def has_audio(self, speaker: str, sentence: str) -> bool:
        """Whether there is sound for a sentence."""
        return sentence in self._of(speaker).audio

    def clips(self) -> Iterator[tuple[str, str]]:
        """Yield (speaker, sentence) of everything that a clip can be made of."""
        for speaker in self.speakers:
            for sentence in self.sentences(speaker):
                yield speaker, sentence

    def template(self, speaker: str) -> Mesh:
        """Read a speaker's neutral mesh.

        :raises MissingInputError: if it is not there.
        :raises FormatError, MeshError: if it is damaged.
        """
        if not self._of(speaker).template:
            raise MissingInputError(f"no template of {speaker}", path=self.path)
        return self.form.template(speaker)

    def motion(self, speaker: str, sentence: str) -> MeshSequence:
        """Open a sentence's meshes; frames are read when asked for.

        :raises MissingInputError: if they are not there.
        :raises FormatError, MeshError: if the first frame is damaged or frames are missing.
        """
        if sentence not in self._of(speaker).motion:
            raise MissingInputError(f"no motion of {speaker}/{sentence}", path=self.path)
        return self.form.motion(speaker, sentence)

    def audio(self, speaker: str, sentence: str) -> Waveform:
        """Read a sentence's sound.

        :raises MissingInputError: if it is not there.
        :raises FormatError, AudioError: if it is damaged.
        """
        if sentence not in self._of(speaker).audio:
            raise MissingInputError(
                f"no sound of {speaker}/{sentence}",
                remedy="Add it under audio/, or leave the clip out.",
                path=self.path,
            )
        return self.form.audio(speaker, sentence)

    def stamp(self, speaker: str, sentence: str = "") -> str:
        """Return a text that changes when the files behind a sentence (or a template) are replaced.

        It holds names relative to the corpus, sizes, and modification times or checksums; nothing is read for it.
        """
        return self.form.stamp(speaker, sentence)

    def describe(self) -> str:
        """Return what was recognised, in one line."""
        clips = sum(len(self._held[speaker].motion) for speaker in self.speakers)
        heads, lines = len(self.speakers), "" if not self.missing else f"; {len(self.missing)} things missing"
        return f"{self.kind}: {heads} speaker{'s' * (heads != 1)}, {clips} sequence{'s' * (clips != 1)}{lines}"

    def _of(self, speaker: str) -> Holdings:
        if speaker not in self._held:
            raise MissingInputError(
                f"no speaker {speaker!r}{nearest(speaker, self._held)}", expected=sorted(self._held), path=self.path
            )
        return self._held[speaker]
