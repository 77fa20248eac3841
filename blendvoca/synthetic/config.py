"""Settings of the sample; light to import, since the command line shows their defaults."""

from __future__ import annotations

from dataclasses import dataclass

from blendvoca.errors import ConfigurationError

#: Most speakers of a sample.
MAX_SPEAKERS = 99
SHAPES = ("blendvoca", "all")


@dataclass(frozen=True)
class SampleConfig:
    """What the sample holds.

    :param speakers: how many, 1 to 99.
    :param sentences: how many each, 1 to 40.
    :param seed: seed of everything random.
    :param binary: frames as binary PLY, else as text.
    :param takes: articulations of each sentence and sound: the first moves the frames, all are in the truth.
    :param shapes: ``blendvoca`` for the 32 that speak, ``all`` for blinks and brows too.
    :param max_frames: cut sequences and their sound to so many frames (a multiple of 3), for quick tests.
    :raises ConfigurationError: for numbers out of range.
    """

    speakers: int = 4
    sentences: int = 6
    seed: int = 0
    binary: bool = True
    takes: int = 4
    shapes: str = "blendvoca"
    max_frames: int | None = None

    def __post_init__(self) -> None:
        for name, value, most in _limits(self):
            if not 1 <= value <= most:
                raise ConfigurationError(f"wrong number of {name}", expected=f"1 to {most}", found=value)
        if self.shapes not in SHAPES:
            raise ConfigurationError("unknown set of shapes", expected=SHAPES, found=self.shapes)
        if self.seed < 0:
            raise ConfigurationError("wrong seed", expected="0 or more", found=self.seed)
        if self.max_frames is not None and (self.max_frames < 3 or self.max_frames % 3):
            raise ConfigurationError("wrong max_frames", expected="a positive multiple of 3", found=self.max_frames)

    def known_gaps(self) -> tuple[tuple[str, str], ...]:
        """Return the clips whose sound exists without motion: two, as in VOCASET, where there are enough clips."""
        if self.speakers < 2 or self.sentences < 3:
            return ()
        return (("speaker02", "sentence03"), (f"speaker{self.speakers:02d}", f"sentence{self.sentences - 1:02d}"))


def _limits(config: SampleConfig) -> tuple[tuple[str, int, int], ...]:
    return (
        ("speakers", config.speakers, MAX_SPEAKERS), ("sentences", config.sentences, 40), ("takes", config.takes, 99)
    )  # fmt: skip


@dataclass(frozen=True)
class VoicesConfig:
    """What a corpus of many voices holds.

    :param sentences: for each voice of espeak-ng.
    :param recorded_sentences: for each voice of an engine that was made from recordings (flite, festival).
    :param engines: names of engines, all by default; those that the machine lacks are left out, and reported.
    :param held_out: voices ``engine/name`` for validation; by default every eighth of an engine's.
    :param recordings: folders of people's recordings, each one more voice, with phone times in ``phones.json``
        (``said align`` makes it).
    :param seed: of everything random.
    :param neural_sentences: for each voice of Kokoro, which has many.
    :param mixed_voices: further voices of Kokoro, each between two of its own for training.
    :param silences: clips of each kind of sound without speech.
    :raises ConfigurationError: for numbers out of range.
    """

    sentences: int = 4
    recorded_sentences: int = 40
    engines: tuple[str, ...] = ()
    held_out: tuple[str, ...] = ()
    recordings: tuple[str, ...] = ()
    seed: int = 0
    neural_sentences: int = 18
    mixed_voices: int = 100
    silences: int = 16

    def __post_init__(self) -> None:
        if min(self.sentences, self.recorded_sentences, self.neural_sentences, self.silences) < 1:
            raise ConfigurationError("wrong number of sentences", expected="1 or more", found=self)
        if self.mixed_voices < 0:
            raise ConfigurationError("wrong number of mixed voices", expected="0 or more", found=self.mixed_voices)
