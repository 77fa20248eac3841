"""VOCASET as FaceFormer and CodeTalker prepare it: one array a sentence, every second frame.

::

    vertices_npy/<speaker>_<sentence>.npy   (T, 3V) or (T, V, 3) float32
    wav/<speaker>_<sentence>.wav
    templates.pkl                           {speaker: (V, 3)}

Their scripts keep every second frame of VOCASET, so the motion has 30 frames per second; nothing states it, so the
sound beside it is asked: others kept all 60, and BIWI has 25. It holds no faces: they come from a mesh file that lies
with it, as for the training package.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from blendvoca.audio import Waveform
from blendvoca.errors import FormatError, MissingInputError
from blendvoca.io.files import naming
from blendvoca.io.sequence.npy_frames import NpyFrames
from blendvoca.io.sound.wav import SOUND_SUFFIXES, read_audio
from blendvoca.io.vocaset.corpus import Holdings, Missing
from blendvoca.io.vocaset.training_package import TEMPLATES, faces_beside, one_level
from blendvoca.mesh import Mesh
from blendvoca.sequence import MeshSequence

ARRAYS, WAVES = "vertices_npy", "wav"
#: Frames per second that such arrays may have; the first is FaceFormer's.
_RATES = (30.0, 60.0, 25.0)
#: Sounds that are asked for the rate, and how far its answer may lie off, relative.
_ASKED, _NEAR = 3, 0.08


class PreprocessedForm:
    """The prepared arrays.

    :param folder: where ``vertices_npy/`` and ``templates.pkl`` lie.
    :raises FormatError: if an array that is looked at is none.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._motion = {_key(path): path for path in sorted((folder / ARRAYS).glob("*.npy"))}
        waves = (path for path in sorted((folder / WAVES).glob("*")) if path.suffix.lower() in SOUND_SUFFIXES)
        self._audio = {_key(path): path for path in waves}
        self._templates = one_level(folder / TEMPLATES) if (folder / TEMPLATES).exists() else {}
        first = next(iter(self._motion.values()), None)
        self._n_vertices = 0 if first is None else NpyFrames.open(first).n_vertices
        self._faces, self._faces_file = faces_beside(folder, self._n_vertices)
        self.fps = self._rate()
        self.kind = f"VOCASET as prepared for FaceFormer, at {self.fps:g} frames per second"

    def _rate(self) -> float:
        """Return the rate at which motion and sound last equally long; FaceFormer's where there is no sound."""
        both = [key for key in self._motion if key in self._audio][:_ASKED]
        ratios = [len(NpyFrames.open(self._motion[key])) / read_audio(self._audio[key]).duration for key in both]
        near = [rate for rate in _RATES if ratios and abs(float(np.median(ratios)) / rate - 1) <= _NEAR]
        return near[0] if near else _RATES[0]

    def holdings(self) -> dict[str, Holdings]:
        """Return what there is of every speaker."""
        speakers = {speaker for speaker, _ in self._motion} | set(self._templates)
        return {
            name: Holdings(
                name in self._templates and self._faces is not None,
                frozenset(sentence for speaker, sentence in self._motion if speaker == name),
                frozenset(sentence for speaker, sentence in self._audio if speaker == name),
            )
            for name in sorted(speakers)
        }

    def lacks(self) -> tuple[Missing, ...]:
        """Return the files of the form that are not there."""
        missing = []
        if not self._templates:
            missing.append(Missing(TEMPLATES, "no rig can be made for any speaker; no clip can be built"))
        if self._faces is None:
            wanted = f"mesh file of {self._n_vertices} vertices, such as VOCA's FLAME_sample.ply"
            missing.append(Missing(wanted, "the arrays state no faces, and no rig can be made without them"))
        return tuple(missing)

    def template(self, speaker: str) -> Mesh:
        """Return the neutral mesh of ``templates.pkl``."""
        with naming(self._folder / TEMPLATES):
            if self._faces is None:
                raise MissingInputError("the arrays state no faces", remedy="Put FLAME_sample.ply beside them.")
            return Mesh(np.asarray(self._templates[speaker]).reshape(-1, 3), self._faces)

    def motion(self, speaker: str, sentence: str) -> MeshSequence:
        """Open the array of a sentence."""
        path = self._motion[speaker, sentence]
        frames = NpyFrames.open(path)
        with naming(path):
            if frames.n_vertices != self._n_vertices:
                raise FormatError("another vertex count than the other arrays", expected=self._n_vertices,
                                  found=frames.n_vertices)  # fmt: skip
            faces = self._faces if self._faces is not None else np.empty((0, 3), np.int32)
            return MeshSequence(frames, faces, frames.n_vertices, self.fps, f"{speaker}/{sentence}")

    def audio(self, speaker: str, sentence: str) -> Waveform:
        """Read the sound of a sentence."""
        return read_audio(self._audio[speaker, sentence])

    def stamp(self, speaker: str, sentence: str) -> str:
        """Return names, sizes and times of the files behind a sentence, or behind the template."""
        if sentence:
            files = [held.get((speaker, sentence)) for held in (self._motion, self._audio)]
        else:
            files = [self._folder / TEMPLATES, self._folder / self._faces_file if self._faces_file else None]
        stats = [(path, path.stat()) for path in files if path is not None and path.is_file()]
        return "\n".join(f"{path.name} {stat.st_size} {stat.st_mtime_ns}" for path, stat in stats)


def _key(path: Path) -> tuple[str, str]:
    """Return speaker and sentence of ``<speaker>_<sentence>``; the speaker may hold underscores too."""
    speaker, _, sentence = path.stem.rpartition("_")
    return (speaker, sentence) if speaker else (path.stem, path.stem)
