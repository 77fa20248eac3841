"""VOCASET as the training package: the files that VOCA, FaceFormer and CodeTalker train on.

::

    data_verts.npy           (frames, V, 3) float32; memory-mapped
    subj_seq_to_idx.pkl      {speaker: {sentence: {frame: row}}}
    templates.pkl            {speaker: (V, 3)}
    raw_audio_fixed.pkl      {speaker: {sentence: {"audio", "sample_rate"}}}

The pickles come from Python 2 and go through :mod:`blendvoca.io.pickle.safe_pickle`. It holds no faces: they come
from a mesh file that lies with it, such as VOCA's ``FLAME_sample.ply``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blendvoca.audio import Waveform, full_scale
from blendvoca.errors import FormatError, MissingInputError
from blendvoca.io.files import naming
from blendvoca.io.mesh.ply import read_ply
from blendvoca.io.pickle.safe_pickle import read_pickle
from blendvoca.io.sequence.npy_frames import NpyFrames
from blendvoca.io.vocaset.corpus import Holdings, Missing
from blendvoca.mesh import Faces, Mesh
from blendvoca.sequence import MeshSequence

VERTICES, ROWS = "data_verts.npy", "subj_seq_to_idx.pkl"
TEMPLATES, SOUNDS = "templates.pkl", "raw_audio_fixed.pkl"


class PackageForm:
    """The training package.

    :param folder: where its files lie.
    :param fps: frames per second.
    :raises MissingInputError: if the vertices or their table are not there.
    :raises FormatError: if a file is damaged or holds something else.
    """

    kind = "VOCASET, training package"

    def __init__(self, folder: Path, fps: float) -> None:
        self._folder, self._fps = folder, fps
        self._frames = NpyFrames.open(folder / VERTICES)
        self._rows = _two_levels(folder / ROWS)
        self._templates = one_level(folder / TEMPLATES) if (folder / TEMPLATES).exists() else {}
        self._has_sounds = (folder / SOUNDS).exists()
        self._sounds: dict[str, dict[str, Any]] | None = None
        self._faces, self._faces_file = faces_beside(folder, self._frames.n_vertices)

    def __getstate__(self) -> dict[str, Any]:
        # Sound is a hundred megabytes and more: every process reads its own when it needs it.
        return {**self.__dict__, "_sounds": None}

    def holdings(self) -> dict[str, Holdings]:
        """Return what there is of every speaker."""
        sounds = self._all_sounds()
        return {
            speaker: Holdings(
                speaker in self._templates and self._faces is not None,
                frozenset(name for name, rows in self._rows.get(speaker, {}).items() if len(rows)),
                frozenset(sounds.get(speaker, {})),
            )
            for speaker in sorted({*self._rows, *self._templates})
        }

    def lacks(self) -> tuple[Missing, ...]:
        """Return the files of the package that are not there."""
        missing = []
        if not self._templates:
            missing.append(Missing(TEMPLATES, "no rig can be made for any speaker; no clip can be built"))
        if not self._has_sounds:
            missing.append(Missing(SOUNDS, "all clips are built without sound and cannot be trained on"))
        if self._faces is None:
            wanted = f"mesh file of {self._frames.n_vertices} vertices, such as VOCA's FLAME_sample.ply"
            missing.append(Missing(wanted, "the package states no faces, and no rig can be made without them"))
        return tuple(missing)

    def template(self, speaker: str) -> Mesh:
        """Return the neutral mesh of ``templates.pkl``."""
        with naming(self._folder / TEMPLATES):
            if self._faces is None:
                raise MissingInputError("the package states no faces", remedy="Put FLAME_sample.ply beside it.")
            return Mesh(self._templates[speaker], self._faces)

    def motion(self, speaker: str, sentence: str) -> MeshSequence:
        """Open the rows of a sentence, in the order of their frame numbers."""
        with naming(self._folder / ROWS):
            table = self._rows[speaker][sentence]
            rows = frame_rows(table, f"{speaker}/{sentence}")
            faces = self._faces if self._faces is not None else np.empty((0, 3), np.int32)
            source = self._frames.select(rows)
            return MeshSequence(source, faces, source.n_vertices, self._fps, f"{speaker}/{sentence}")

    def audio(self, speaker: str, sentence: str) -> Waveform:
        """Return the sound of ``raw_audio_fixed.pkl``."""
        with naming(self._folder / SOUNDS):
            entry = self._all_sounds()[speaker][sentence]
            if not isinstance(entry, dict) or not {"audio", "sample_rate"} <= set(entry):
                raise FormatError(f"no sound at {speaker}/{sentence}", expected="{'audio', 'sample_rate'}")
            rate = entry["sample_rate"]
            if not isinstance(rate, (int, float, np.number)):
                raise FormatError(f"no sample rate at {speaker}/{sentence}", found=type(rate).__name__)
            return Waveform(_mono(np.asarray(entry["audio"])), int(rate))

    def stamp(self, speaker: str, sentence: str) -> str:
        """Return sizes and times of the package's files and the rows of the sentence."""
        files = [ROWS, TEMPLATES, self._faces_file] if not sentence else [VERTICES, ROWS, SOUNDS]
        stats = [(name, (self._folder / name).stat()) for name in files if (self._folder / name).is_file()]
        return "\n".join(f"{name} {stat.st_size} {stat.st_mtime_ns}" for name, stat in stats)

    def _all_sounds(self) -> dict[str, dict[str, Any]]:
        if self._sounds is None:
            self._sounds = _two_levels(self._folder / SOUNDS) if self._has_sounds else {}
        return self._sounds


def frame_rows(table: Any, name: str) -> NDArray[np.int64]:
    """Return the rows of a sentence's ``{frame: row}``, by frame number.

    :raises FormatError: if it is no such table, or frames are missing: later ones would shift against the sound.
    """
    if not isinstance(table, dict) or not all(_is_index(n) for pair in table.items() for n in pair):
        raise FormatError(f"{name} has no table of frames", expected="{frame number: row}", found=type(table).__name__)
    frames = sorted(table)
    if frames and frames[-1] - frames[0] + 1 != len(frames):
        raise FormatError(f"{name} lacks frames", expected=f"{frames[0]}..{frames[-1]}", found=f"{len(frames)} frames")
    return np.array([table[frame] for frame in frames], np.int64)


def _is_index(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _mono(samples: NDArray[Any]) -> NDArray[np.float32]:
    """Return sound at full scale ±1, whatever the package's integers are."""
    if samples.dtype.kind not in "iuf" or samples.ndim not in (1, 2):
        raise FormatError("sound is no array of numbers", found=f"{samples.dtype} {samples.shape}")
    if samples.dtype.kind == "f":
        whole = bool((samples == np.round(samples)).all())
        scaled = samples / full_scale(float(np.abs(samples).max(initial=0.0)), whole)
    else:
        scaled = samples / float(2 ** (8 * samples.dtype.itemsize - 1))
    return (scaled if samples.ndim == 1 else scaled.mean(axis=1)).astype(np.float32)


def one_level(path: Path) -> dict[str, Any]:
    """Read a pickled table by speaker.

    :param path: of the pickle.
    :raises FormatError: if it is no such table.
    """
    table = read_pickle(path)
    if not isinstance(table, dict) or not all(isinstance(key, str) for key in table):
        raise FormatError(
            "not a table of speakers", expected="a dict by speaker", found=type(table).__name__, path=path
        )
    return table


def _two_levels(path: Path) -> dict[str, dict[str, Any]]:
    table = one_level(path)
    for speaker, sentences in table.items():
        if not isinstance(sentences, dict) or not all(isinstance(key, str) for key in sentences):
            raise FormatError(f"{speaker} is no table of sentences", found=type(sentences).__name__, path=path)
    return table


def faces_beside(folder: Path, n_vertices: int) -> tuple[Faces | None, str]:
    """Return the faces and the name of the first mesh file with the right number of vertices."""
    for path in sorted([*folder.glob("*.ply"), *folder.glob("templates/*.ply"), *folder.glob("template/*.ply")]):
        mesh = read_ply(path)
        if mesh.n_vertices == n_vertices and mesh.n_faces:
            return mesh.faces, path.relative_to(folder).as_posix()
    return None, ""
