"""VOCASET as folders, or as the zip archives that people download; archives are read in place.

::

    templates/<speaker>.ply
    unposedcleaneddata/<speaker>/<sentence>/<sentence>.<frame %06d>.ply
    audio/<speaker>/<sentence>.wav

Folders above these do not matter, since archives wrap them differently; a speaker's archive may start at its sentences.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import PurePosixPath

from blendvoca.audio import Waveform
from blendvoca.io.mesh.ply import decode_ply
from blendvoca.io.sequence.frames import frames_in
from blendvoca.io.sound.wav import SOUND_SUFFIXES, decode_audio
from blendvoca.io.stores import FolderStore, Store, ZipStore
from blendvoca.io.vocaset.corpus import UNREADABLE, Holdings, Missing
from blendvoca.mesh import Mesh
from blendvoca.sequence import MeshSequence

#: Folders of other material that VOCASET also offers: scans and meshes that are still posed.
_OTHER = ("registereddata", "scandata", "rawdata")

#: A file: the number of its store and its name there.
_File = tuple[int, str]


class FolderForm:
    """VOCASET in folders and archives.

    :param stores: folders and archives that together hold it; the first that has a file wins.
    :param fps: frames per second.
    """

    def __init__(self, stores: list[Store], fps: float) -> None:
        self._stores, self._fps = stores, fps
        self.kind = "VOCASET, zip archives" if any(isinstance(s, ZipStore) for s in stores) else "VOCASET, folders"
        self._templates: dict[str, _File] = {}
        self._audio: dict[tuple[str, str], _File] = {}
        self._motion: dict[tuple[str, str], tuple[int, list[str]]] = {}
        self._closed = [name for store in stores if isinstance(store, FolderStore) for name in store.unreadable()]
        for number, store in enumerate(stores):
            self._sort(number, store)

    def _sort(self, number: int, store: Store) -> None:
        """Find out what every file of a store is."""
        home = store.path.stem if isinstance(store, ZipStore) else ""
        motion: dict[tuple[str, str], list[str]] = defaultdict(list)
        for name in store.names():
            parts = PurePosixPath(name).parts
            if any(part.lower() in _OTHER for part in parts):
                continue
            stem, _, suffix = parts[-1].rpartition(".")
            parent = parts[-2] if len(parts) > 1 else home
            above = parts[-3] if len(parts) > 2 else home
            if suffix.lower() == "ply" and above and _is_frame(stem, parent):
                motion[above, parent].append(name)
            elif suffix.lower() == "ply" and parent.lower() in ("templates", "template"):
                self._templates.setdefault(stem, (number, name))
            elif f".{suffix.lower()}" in SOUND_SUFFIXES and parent:
                self._audio.setdefault((parent, stem), (number, name))
        for key, names in motion.items():
            self._motion.setdefault(key, (number, names))

    def is_empty(self) -> bool:
        """Whether nothing was recognised."""
        return not (self._templates or self._motion or self._closed)

    def holdings(self) -> dict[str, Holdings]:
        """Return what there is of every speaker."""
        motion, audio = _by_speaker(self._motion), _by_speaker(self._audio)
        speakers = {*self._templates, *motion}
        # Sound alone makes no speaker: any folder with music in it would be one.
        return {
            name: Holdings(name in self._templates, motion.get(name, frozenset()), audio.get(name, frozenset()))
            for name in sorted(speakers)
        }

    def lacks(self) -> tuple[Missing, ...]:
        """Return the folders that may not be read; whatever else folders lack, they lack of a speaker."""
        return tuple(Missing(f"{UNREADABLE} {name}", "whatever is in it is left out") for name in self._closed)

    def template(self, speaker: str) -> Mesh:
        """Read ``templates/<speaker>.ply``."""
        number, name = self._templates[speaker]
        store = self._stores[number]
        return decode_ply(store.read(name), store.where(name))

    def motion(self, speaker: str, sentence: str) -> MeshSequence:
        """Open the frames of a sentence; their faces must be those of the template."""
        number, names = self._motion[speaker, sentence]
        faces = self.template(speaker).faces if speaker in self._templates else None
        return frames_in(self._stores[number], names, self._fps, f"{speaker}/{sentence}", faces)

    def audio(self, speaker: str, sentence: str) -> Waveform:
        """Read the sound of a sentence."""
        number, name = self._audio[speaker, sentence]
        store = self._stores[number]
        return decode_audio(store.read(name), store.where(name))

    def stamp(self, speaker: str, sentence: str) -> str:
        """Return names, sizes and times of the files behind a sentence, or behind the template."""
        if not sentence:
            files = [self._templates[speaker]] if speaker in self._templates else []
        else:
            number, names = self._motion.get((speaker, sentence), (0, []))
            files = [(number, name) for name in names]
            files += [self._audio[speaker, sentence]] if (speaker, sentence) in self._audio else []
        return "\n".join(f"{name} {self._stores[number].stamp(name)}" for number, name in files)


def open_folders(store: Store, fps: float) -> FolderForm | None:
    """Recognise VOCASET in a folder or archive; archives inside a folder are opened too."""
    stores: list[Store] = [store]
    if isinstance(store, FolderStore):
        archives = [name for name in store.names() if name.lower().endswith(".zip")]
        stores += [ZipStore(store.where(name)) for name in archives]
    form = FolderForm(stores, fps)
    return None if form.is_empty() else form


def _is_frame(stem: str, folder: str) -> bool:
    """Whether a mesh is a frame of the sentence that its folder is named after."""
    return stem.startswith(f"{folder}.") or (folder.startswith("sentence") and stem[-1:].isdigit())


def _by_speaker(keys: object) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for speaker, sentence in keys:  # type: ignore[attr-defined]
        found[speaker].add(sentence)
    return {speaker: frozenset(sentences) for speaker, sentences in found.items()}
