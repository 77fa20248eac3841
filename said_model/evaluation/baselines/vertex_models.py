"""What vertex models write: names, shapes and rates of their outputs (supplement 9 and 12).

Every file holds the frames of one clip, (T, V, 3) or (T, 3V), in metres on the topology of the speaker's rig:

========== ==== ====== ======================================================================================
model      fps  styles what its public code writes
========== ==== ====== ======================================================================================
voca       60   8      one OBJ a frame (``meshes/00000.obj``, voca/utils/inference.py) of predictions (T, 5023, 3):
                       stack those into one array a clip
meshtalk   60   1      nothing but a video of (T, 6172, 3) on its own head at 30 fps (meshtalk/animate_face.py); the
                       paper trains it on VOCASET, at VOCASET's rate and topology (supplement 9)
faceformer 30   8      (T, 15069) ``<speaker>_<sentence>_condition_<style>.npy`` (FaceFormer/main.py)
codetalker 30   8      the same (CodeTalker/main/test_pred.py)
unitalker  30   1      one ``.npz`` of pickled tensors by sound and dataset (UniTalker/main/demo.py): save each as an
                       array of its own
========== ==== ====== ======================================================================================

Files may also lie as ``<speaker>/<sentence>.npy`` or ``<speaker>/<sentence>-<number>.npy``, or flat as
``<speaker>_<sentence>.npy``; every style becomes one numbered track.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import ConfigurationError, FormatError, MissingInputError, nearest
from blendvoca.io.sequence.frames import open_array


@dataclass(frozen=True)
class VertexModel:
    """A model's outputs.

    :param fps: frame rate; what is at 30 is brought to 60 linearly (supplement 9).
    :param styles: outputs for each audio: 8 training speakers, or 1 for a model without styles (supplement 12).
    """

    name: str
    fps: float
    styles: int


MODELS = {
    model.name: model
    for model in (
        VertexModel("voca", 60.0, 8),
        VertexModel("meshtalk", 60.0, 1),
        VertexModel("faceformer", 30.0, 8),
        VertexModel("codetalker", 30.0, 8),
        VertexModel("unitalker", 30.0, 1),
    )
}
_CONDITION = re.compile(r"^(?P<speaker>.+)_(?P<sentence>sentence\d+)_condition_(?P<style>.+)$")
_FLAT = re.compile(r"^(?P<speaker>.+)_(?P<sentence>sentence\d+)(?:-(?P<style>\d+))?$")
_NUMBERED = re.compile(r"^(?P<sentence>.+?)(?:-(?P<style>\d+))?$")


@dataclass(frozen=True)
class VertexOutput:
    """One file: whose clip it is, and the number of its track (0: the only one)."""

    path: Path
    speaker: str
    sentence: str
    number: int

    @property
    def track_name(self) -> str:
        """Name of the track's file, as `said evaluate` reads it."""
        return f"{self.sentence}-{self.number}.csv" if self.number else f"{self.sentence}.csv"


def model_named(name: str) -> VertexModel:
    """Return a known model.

    :raises ConfigurationError: for another name.
    """
    if name not in MODELS:
        raise ConfigurationError(f"unknown vertex model {name!r}{nearest(name, MODELS)}", expected=sorted(MODELS))
    return MODELS[name]


def find_outputs(folder: str | PathLike[str]) -> list[VertexOutput]:
    """Return all outputs of a folder in order; styles are numbered from 1 in the order of their names.

    :raises MissingInputError: if there is none.
    :raises FormatError: for a file whose clip is not clear, or two files that are one output.
    """
    root = Path(folder)
    named = [(path, *_key(root, path)) for path in sorted([*root.rglob("*.npy"), *root.rglob("*.npz")])]
    if not named:
        raise MissingInputError("no outputs of a vertex model", expected="<speaker>/<sentence>.npy", path=root)
    styles = _numbers(style for _, _, _, style in named if style and not style.isdigit())
    outputs: dict[tuple[str, str, int], VertexOutput] = {}
    for path, speaker, sentence, style in named:
        key = speaker, sentence, int(style) if style.isdigit() else styles.get(style, 0)
        if key in outputs:
            raise FormatError("two files are one output", expected="a file for each clip and style", path=path,
                              found=outputs[key].path, remedy="Remove one of them.")  # fmt: skip
        outputs[key] = VertexOutput(path, *key)
    return list(outputs.values())


def _key(root: Path, path: Path) -> tuple[str, str, str]:
    match = _CONDITION.match(path.stem)
    if match is not None:
        return match["speaker"], match["sentence"], match["style"]
    if path.parent == root and (match := _FLAT.match(path.stem)) is not None:
        return match["speaker"], match["sentence"], match["style"] or ""
    match = _NUMBERED.match(path.stem)
    if path.parent == root or match is None:
        raise FormatError("whose output this is, is not clear", found=path.name, path=path,
                          expected="<speaker>/<sentence>.npy, or …_condition_<style>.npy")  # fmt: skip
    return path.parent.name, match["sentence"], match["style"] or ""


def _numbers(styles: Iterable[str]) -> dict[str, int]:
    return {style: number for number, style in enumerate(sorted(set(styles)), start=1)}


def read_vertices(path: str | PathLike[str]) -> NDArray[np.float32]:
    """Read frames (T, V, 3) from ``.npy`` or ``.npz``: (T, V, 3) or (T, 3V), with axes of length 1 besides.

    :param path: of the array.
    :raises FormatError: if it is no such array, or holds values that are not finite.
    """
    source, _ = open_array(path)
    frames: NDArray[np.float32] = source.read(0, len(source)).astype(np.float32)
    if not np.isfinite(frames).all():
        raise FormatError("vertices are not finite", path=path)
    return frames
