"""What a glTF file may ask for: every count is held against these before memory is taken for it."""

from __future__ import annotations

from pathlib import Path

from blendvoca.internal.limits import GLTF

#: Bytes that a primitive and one of its shapes count for besides their vertices: thousands of tiny ones take time.
PER_PIECE, PER_SHAPE = 5_000, 500
#: Nodes, meshes and other entries of one list: a large scene has a few thousand.
MOST_ENTRIES = 200_000
#: Levels of the node tree: a skeleton has some thirty.
MOST_LEVELS = 2_000
#: Frames of an animation: an hour and a half at 60 fps, or a hundred times as many as it has keys.
MOST_FRAMES, FRAMES_PER_KEY = 324_000, 100


class Budget:
    """How much memory a file may still take (:data:`blendvoca.internal.limits.GLTF`).

    :param size: bytes of the file and its buffers.
    :param path: the file.
    """

    def __init__(self, size: int, path: Path) -> None:
        self.size, self.path, self.spent = size, path, 0

    def charge(self, n_bytes: int) -> None:
        """Count memory that is about to be taken.

        :raises FormatError: if the file has asked for more than it may.
        """
        self.spent += n_bytes
        GLTF.check(self.spent, self.size, self.path)
