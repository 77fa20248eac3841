"""Settings of the sample; light to import, since the command line shows their defaults."""

from __future__ import annotations

from dataclasses import dataclass

from blendvoca.errors import ConfigurationError

#: Most speakers of a sample.
MAX_SPEAKERS = 99


@dataclass(frozen=True)
class SampleConfig:
    """What the sample holds.

    :param speakers: how many, 1 to 99.
    :param sentences: how many each, 1 to 40.
    :param seed: seed of everything random.
    :param binary: frames as binary PLY, else as text.
    :param max_frames: cut sequences and their sound to so many frames (a multiple of 3), for quick tests.
    :raises ConfigurationError: for numbers out of range.
    """

    speakers: int = 4
    sentences: int = 6
    seed: int = 0
    binary: bool = True
    max_frames: int | None = None

    def __post_init__(self) -> None:
        for name, value, most in (("speakers", self.speakers, MAX_SPEAKERS), ("sentences", self.sentences, 40)):
            if not 1 <= value <= most:
                raise ConfigurationError(f"wrong number of {name}", expected=f"1 to {most}", found=value)
        if self.seed < 0:
            raise ConfigurationError("wrong seed", expected="0 or more", found=self.seed)
        if self.max_frames is not None and (self.max_frames < 3 or self.max_frames % 3):
            raise ConfigurationError("wrong max_frames", expected="a positive multiple of 3", found=self.max_frames)

    def known_gaps(self) -> tuple[tuple[str, str], ...]:
        """Return the clips whose sound exists without motion: two, as in VOCASET, where there are enough clips."""
        if self.speakers < 2 or self.sentences < 3:
            return ()
        return (("speaker02", "sentence03"), (f"speaker{self.speakers:02d}", f"sentence{self.sentences - 1:02d}"))
