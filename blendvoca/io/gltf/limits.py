"""What a glTF file may ask for: every count is held against these before memory is taken for it."""

from __future__ import annotations

from blendvoca.errors import FormatError

#: Bytes that geometry and shapes of any file may take: a face of 60,000 vertices with 67 shapes needs 96 MB.
LEAST_MEMORY = 110_000_000
#: And per byte of a larger file: float64 out of the 16-bit numbers of a compact one is four times as much.
MEMORY_PER_BYTE = 4
#: Bytes that a primitive and one of its shapes count for besides their vertices: thousands of tiny ones take time.
PER_PIECE, PER_SHAPE = 5_000, 500
#: Nodes, meshes, primitives and shapes together that are looked at: a large scene has a few thousand.
MOST_ENTRIES = 200_000
#: Levels of the node tree: a skeleton has some thirty.
MOST_LEVELS = 2_000
#: Frames of an animation: an hour and a half at 60 fps, or a hundred times as many as it has keys.
MOST_FRAMES, FRAMES_PER_KEY = 324_000, 100


class Budget:
    """How much memory a file may still take.

    :param size: bytes of the file and its buffers.
    """

    def __init__(self, size: int) -> None:
        self.limit = max(LEAST_MEMORY, MEMORY_PER_BYTE * size)
        self.spent = 0

    def charge(self, n_bytes: int, what: str) -> None:
        """Count memory that is about to be taken.

        :raises FormatError: if the file has asked for more than it may.
        """
        self.spent += n_bytes
        if self.spent > self.limit:
            raise FormatError(
                f"the file unpacks to too much ({what})",
                expected=f"at most {self.limit / 1e6:.0f} MB of geometry and shapes for a file of its size",
                found=f"{self.spent / 1e6:.0f} MB or more",
                remedy="Choose a part with --part, or save fewer shapes and vertices.",
            )
