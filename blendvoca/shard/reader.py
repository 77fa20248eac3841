"""A shard back into clips and a rig.

A shard is opened for each read and closed again (a quarter of a millisecond): nothing to pickle, fork or leak.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from blendvoca.audio import Waveform
from blendvoca.certificate import FitCertificate
from blendvoca.clip import Clip
from blendvoca.crop import Crop
from blendvoca.errors import BlendvocaError, FormatError, InputError, IntegrityError, MissingInputError, nearest
from blendvoca.internal.limits import HDF5_DATASET, HDF5_NAMES, Limit
from blendvoca.internal.names import check_distinct, check_file_name, check_labels, first_line
from blendvoca.io.files import check_file
from blendvoca.io.json_file import mapping, parse_json, text
from blendvoca.mesh import Mesh
from blendvoca.rig import BlendshapeRig
from blendvoca.shard import schema
from blendvoca.shard.schema import LicenceClass, ShardRig
from blendvoca.track import CoefficientTrack

_DAMAGED = "Copy or download the file again, or build it again."


@dataclass(frozen=True)
class Shard:
    """One speaker's file; reads are lazy. Make it with :func:`open_shard`.

    :param path: the file.
    :param speaker: whose it is.
    :param licence_class: what may be done with it.
    :param version: format version ``major.minor``.
    :param tool_version: release of this package that wrote it.
    :param sources: what it was made from.
    :param names: the K blendshape names.
    :param sentences: its clips, sorted.
    :param content_sha256: digest of its values as it states it.
    """

    path: Path
    speaker: str
    licence_class: LicenceClass
    version: str
    tool_version: str
    sources: dict[str, str]
    names: tuple[str, ...]
    sentences: tuple[str, ...]
    content_sha256: str

    def clip(self, sentence: str, audio: bool = True) -> Clip:
        """Read one clip.

        :param audio: whether to read its sound, where it is stored.
        :raises MissingInputError: if there is no such clip.
        :raises IntegrityError: if a checksum does not hold.
        :raises FormatError: if the file does not keep to the format.
        """
        if sentence not in self.sentences:
            raise MissingInputError(
                f"{self.speaker} has no clip {sentence!r}{nearest(sentence, self.sentences)}", path=self.path
            )
        with opened(self.path) as file:
            return _clip(_group(_group(file, "clips"), sentence), self, sentence, audio)

    def clips(self, audio: bool = True) -> Iterator[Clip]:
        """Read all clips, one after the other."""
        for sentence in self.sentences:
            yield self.clip(sentence, audio)

    def parts(self) -> ShardRig:
        """Read what is stored of the rig: names always, the rest where the licence class and the source had it."""
        with opened(self.path) as file:
            return read_rig_group(_group(file, "rig"))

    def rig(self) -> BlendshapeRig:
        """Read the whole rig.

        :raises LicenceError: if the licence class left the neutral mesh out.
        """
        return self.parts().whole(self.path)


def open_shard(path: str | PathLike[str]) -> Shard:
    """Read the head of a shard.

    :raises MissingInputError: if there is no such file.
    :raises VersionError: if its major version is another.
    :raises FormatError: if it is no shard.
    """
    path = Path(path)
    with opened(path) as file:
        found = text_attribute(file, "format") if "format" in file.attrs else None
        if found != schema.SHARD_FORMAT:
            raise FormatError("no shard", expected=f"format {schema.SHARD_FORMAT!r}", found=repr(found), path=path)
        version = text_attribute(file, "format_version")
        schema.check_version(version, path)
        return Shard(
            path=path,
            speaker=check_file_name(text_attribute(file, "speaker"), "speaker"),
            licence_class=LicenceClass.of(text_attribute(file, "licence_class")),
            version=version,
            tool_version=text_attribute(file, "tool_version"),
            sources=_facts(file, "sources"),
            names=_names(_group(file, "rig")),
            sentences=_sentences(_group(file, "clips")),
            content_sha256=text_attribute(file, "content_sha256"),
        )


@contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """Open a shard for reading; what HDF5 or the types complain of inside becomes an error that names the file.

    :raises MissingInputError: if there is no such file.
    :raises IntegrityError: if a checksum does not hold or the file is cut short.
    :raises FormatError: if something is missing or of another kind.
    """
    if not path.is_file():
        raise MissingInputError("no such shard", remedy="blendvoca info FOLDER lists what is there.", path=path)
    check_file(path)
    try:
        with _open(path) as file:
            yield file
    except InputError as error:
        # The types refuse what no writer of ours would have stored.
        raise FormatError("the shard breaks its format", found=str(error), remedy=_DAMAGED, path=path) from error
    except BlendvocaError as error:
        error.path = error.path or path
        raise
    except PermissionError as error:
        raise MissingInputError("this shard may not be read", found=error.strerror, path=path) from error
    except (OSError, RuntimeError) as error:
        raise IntegrityError("the shard is damaged", found=first_line(error), remedy=_DAMAGED, path=path) from error
    except (KeyError, ValueError, TypeError, AttributeError, OverflowError, MemoryError) as error:
        found = first_line(error)
        raise FormatError("the shard breaks its format", found=found, remedy=_DAMAGED, path=path) from error


def read_rig_group(group: h5py.Group) -> ShardRig:
    """Read the group ``rig/`` of an open file."""
    names = _names(group)
    neutral = None
    if "neutral" in group:
        neutral = Mesh(_values(group, "neutral", "f", 2), _values(group, "faces", "i", 2))
    crop = None
    if "crop" in group:
        crop = Crop(_values(group, "crop", "i", 1), int(group["crop"].attrs["n_vertices"]))
    deltas = _values(group, "deltas", "f", 3) if "deltas" in group else None
    marks = _values(group, "landmarks", "i", 1) if "landmarks" in group else None
    return ShardRig(names, deltas, neutral, crop, marks)


def _names(group: h5py.Group) -> tuple[str, ...]:
    names = tuple(bytes(name).decode() for name in _values(group, "names", "S", 1, HDF5_NAMES))
    check_labels(names, "blendshape")
    return names


def _sentences(group: h5py.Group) -> tuple[str, ...]:
    names = tuple(sorted(check_file_name(name, "sentence") for name in group))
    check_distinct(names, "sentence")
    return names


def _open(path: Path) -> h5py.File:
    try:
        # Shards never change under their name, so no lock: they can be read from write-protected places.
        return h5py.File(path, "r", locking=False)
    except OSError as error:
        if "locking flag" not in str(error):
            raise
        return h5py.File(path, "r")  # this process has it open already, with HDF5's own locking


def _clip(group: h5py.Group, shard: Shard, sentence: str, audio: bool) -> Clip:
    track = CoefficientTrack(_values(group, "coefficients", "f", 2), shard.names, float(group.attrs["fps"]))
    waveform = None
    if audio and schema.AUDIO_DATASET in group:
        samples = _values(group, schema.AUDIO_DATASET, "i", 1)
        waveform = Waveform.from_int16(samples.astype(np.int16), int(group[schema.AUDIO_DATASET].attrs["rate"]))
    return Clip(shard.speaker, sentence, track, waveform, _certificate(group), _facts(group, "provenance"))


def _certificate(group: h5py.Group) -> FitCertificate | None:
    prefix = schema.CERTIFICATE_PREFIX
    names = [name for name in group.attrs if name.startswith(prefix)]
    values = {name.removeprefix(prefix): _plain(group.attrs[name]) for name in names}
    return FitCertificate.from_dict(values) if values else None


def _plain(value: Any) -> object:
    return value.decode() if isinstance(value, bytes) else value.item() if hasattr(value, "item") else value


def text_attribute(item: Any, name: str) -> str:
    """Return an attribute that is text.

    :raises FormatError: if it is something else.
    """
    value = item.attrs[name]
    if not isinstance(value, str | bytes | np.void | h5py.Empty):
        raise FormatError(f"the attribute {name} is no text", found=f"a value of type {type(value).__name__}")
    # An empty text is stored as one zero byte, since HDF5 has no text of length nought.
    return value.decode() if isinstance(value, bytes) else str(value)


def _facts(item: Any, name: str) -> dict[str, str]:
    return parse_json(text_attribute(item, name), mapping(text()), f"the attribute {name} is no table of texts")


def _group(parent: h5py.Group, name: str) -> h5py.Group:
    found = _own(parent, name)
    if not isinstance(found, h5py.Group):
        raise FormatError(f"{name} is no group", expected="a group", found="a dataset", remedy=_DAMAGED)
    return found


def _own(parent: h5py.Group, name: str) -> Any:
    """Return a member that the file itself holds: HDF5 can deliver any file of the machine under a name of its own."""
    link = parent.get(name, getlink=True)
    if link is None:
        raise FormatError(f"{parent.name.rstrip('/')}/{name} does not exist", remedy=_DAMAGED)
    if not isinstance(link, h5py.HardLink):
        raise FormatError(f"{parent.name.rstrip('/')}/{name} leads elsewhere", expected="data of this file",
                          found=type(link).__name__, remedy="Do not trust this file.")  # fmt: skip
    found = parent[name]
    if isinstance(found, h5py.Dataset) and (found.external or found.is_virtual):
        raise FormatError(f"{found.name} is stored in another file", expected="data of this file",
                          remedy="Do not trust this file.")  # fmt: skip
    return found


def _values(group: h5py.Group, name: str, kind: str, axes: int, most: Limit = HDF5_DATASET) -> NDArray[Any]:
    """Read a dataset of floats (``"f"``), integers (``"i"``) or text (``"S"``) with so many axes."""
    dataset = _own(group, name)
    if not isinstance(dataset, h5py.Dataset) or dataset.ndim != axes or dataset.dtype.kind not in (kind, "u"):
        found = (dataset.shape, str(dataset.dtype)) if isinstance(dataset, h5py.Dataset) else type(dataset).__name__
        raise FormatError(
            f"{dataset.name} is of another kind", expected=f"{axes} axes of kind {kind!r}", found=found, remedy=_DAMAGED
        )
    most.check(dataset.nbytes, dataset.file.id.get_filesize())
    return dataset[()]
