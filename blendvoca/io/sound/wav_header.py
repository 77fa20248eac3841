"""WAV headers that do not state the length of their sound: written to a pipe, or of a file that was cut off."""

from __future__ import annotations

import io
from dataclasses import dataclass

#: Lengths that stand for "until the end", since the writer could not go back.
_OPEN = (0, 0xFFFFFFFF, 0x7FFFFFFF, 0xFFFFFFFE)
#: Chunks that may stand before the sound.
_MOST_CHUNKS = 64


@dataclass(frozen=True)
class DataChunk:
    """The chunk that holds the sound.

    :param place: where its samples begin.
    :param claimed: bytes that the header claims; nothing where it leaves them open.
    :param held: bytes that follow.
    """

    place: int
    claimed: int | None
    held: int

    @property
    def missing(self) -> int:
        """Bytes that the header claims and the file does not hold."""
        return max((self.claimed or 0) - self.held, 0)


def find_data(file: io.IOBase, size: int) -> DataChunk | None:
    """Return where a WAV file's sound stands; nothing for other files and damaged headers. The file's place is kept.

    :param size: bytes of the file.
    """
    start = file.tell()
    try:
        file.seek(0)
        head = file.read(12)
        if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"WAVE":
            return None
        place = 12
        for _ in range(_MOST_CHUNKS):
            file.seek(place)
            chunk = file.read(8)
            if len(chunk) < 8:
                return None
            length = int.from_bytes(chunk[4:], "little")
            if chunk[:4] == b"data":
                # An empty sound in a file that ends here is empty, not open.
                is_open = length in _OPEN and (length != 0 or size - place - 8 > 1)
                return DataChunk(place + 8, None if is_open else length, size - place - 8)
            place += 8 + length + length % 2
        return None
    finally:
        file.seek(start)


def closed_header(chunk: DataChunk) -> dict[int, bytes]:
    """Return the header's lengths as they should be, by their place in the file."""
    held = min(chunk.held, 0xFFFFFFF0 - chunk.place)
    return {
        4: (chunk.place + held - 8).to_bytes(4, "little"),
        chunk.place - 4: held.to_bytes(4, "little"),
    }
