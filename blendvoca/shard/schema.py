"""Shard format 1.0: names, licence classes and versions, in one place (``docs/format.md`` is the prose of it)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from blendvoca.crop import Crop
from blendvoca.errors import ConfigurationError, InputError, LicenceError, RigError, VersionError
from blendvoca.mesh import Mesh
from blendvoca.rig import BlendshapeRig

SHARD_FORMAT = "blendvoca-shard"
MANIFEST_FORMAT = "blendvoca-manifest"
#: Version of shards and manifests: a newer major one cannot be read, a newer minor one only adds.
FORMAT_MAJOR, FORMAT_MINOR = 1, 0
FORMAT_VERSION = f"{FORMAT_MAJOR}.{FORMAT_MINOR}"
SHARD_SUFFIX = ".h5"
MANIFEST_NAME = "manifest.json"

#: HDF5's file format is fixed: its version decides the bytes, and from 1.10 on it checksums its own metadata.
HDF5_VERSION = ("v110", "v110")
GZIP_LEVEL = 4

#: Root attributes of a shard.
ROOT_ATTRIBUTES = ("format", "format_version", "tool_version", "licence_class", "speaker", "sources", "content_sha256")
#: Prefix of the attributes that hold a clip's fit certificate.
CERTIFICATE_PREFIX = "fit_"
#: Datasets that only some licence classes may hold.
MESH_DATASETS = ("rig/neutral", "rig/faces")
AUDIO_DATASET = "audio"
#: Provenance ``origin`` of tracks that the authors published (fitted by them, without a certificate). Tracks that were
#: not fitted here always state an origin; those that were bear a certificate.
ORIGIN_RELEASE = "release"


class LicenceClass(StrEnum):
    """What may be done with a shard, from free to bound.

    ``OPEN``: everything may be stored and given away (synthetic heads, ICT). ``COEFFICIENTS``: tracks, deltas and
    certificates of speakers whose meshes and audio are bound; it holds neither. ``RESTRICTED``: a user's own build with
    meshes and audio of VOCASET; it stays on the user's disk.
    """

    OPEN = "open"
    COEFFICIENTS = "coefficients"
    RESTRICTED = "restricted"

    @property
    def holds_media(self) -> bool:
        """Whether a shard of this class may hold a neutral mesh, faces and audio."""
        return self is not LicenceClass.COEFFICIENTS

    @property
    def publishable(self) -> bool:
        """Whether a shard of this class may be given away as it is."""
        return self is not LicenceClass.RESTRICTED

    @classmethod
    def of(cls, value: str | LicenceClass) -> LicenceClass:
        """Return the class of a name.

        :raises ConfigurationError: for an unknown one.
        """
        try:
            return cls(value)
        except ValueError:
            choices = [entry.value for entry in cls]
            raise ConfigurationError("unknown licence class", expected=f"one of {choices}", found=repr(value)) from None

    @classmethod
    def strictest(cls, classes: Iterable[LicenceClass]) -> LicenceClass:
        """Return the most binding class of several."""
        return max(classes, key=list(cls).index)


@dataclass(frozen=True, eq=False)
class ShardRig:
    """What a shard knows of a speaker's rig; parts that its licence class forbids are ``None``.

    :param names: the K blendshape names, in the order of every track's columns.
    :param deltas: (K, V, 3) shape minus neutral in metres.
    :param neutral: the mesh at rest, V vertices in metres.
    :param crop: which vertices of the speaker's whole head the V vertices are.
    :param landmarks: (L,) vertices of the rig (not of the whole head).
    :raises RigError: if counts disagree or a landmark does not exist.
    """

    names: tuple[str, ...]
    deltas: NDArray[np.floating] | None = None
    neutral: Mesh | None = None
    crop: Crop | None = None
    landmarks: NDArray[np.integer] | None = None

    def __post_init__(self) -> None:
        counts = {
            "deltas": None if self.deltas is None else self.deltas.shape[1],
            "neutral": None if self.neutral is None else self.neutral.n_vertices,
            "crop": None if self.crop is None else len(self.crop.kept),
        }
        known = {what: count for what, count in counts.items() if count is not None}
        if len(set(known.values())) > 1:
            raise RigError("vertex counts of the rig's parts differ", expected="one V", found=known)
        if self.deltas is not None and (self.deltas.ndim != 3 or self.deltas.shape[::2] != (len(self.names), 3)):
            raise RigError("deltas have a wrong shape", expected=f"({len(self.names)}, V, 3)", found=self.deltas.shape)
        marks = self.landmarks
        if marks is not None and marks.size and known and not 0 <= marks.min() <= marks.max() < min(known.values()):
            found = int(marks.min() if marks.min() < 0 else marks.max())
            raise RigError("a landmark does not exist", expected=f"0..{min(known.values()) - 1}", found=found)

    @classmethod
    def of(cls, rig: BlendshapeRig, crop: Crop | None = None, landmarks: NDArray[np.integer] | None = None) -> ShardRig:
        """Make it of a whole rig."""
        return cls(rig.names, rig.deltas, rig.neutral, crop, landmarks)

    def reduced(self, licence_class: LicenceClass) -> ShardRig:
        """Return the parts that a licence class may hold."""
        return self if licence_class.holds_media else replace(self, neutral=None)

    def whole(self, path: str | PathLike[str] | None = None) -> BlendshapeRig:
        """Return the rig with its neutral mesh.

        :raises LicenceError: if the neutral mesh was left out.
        :raises RigError: if there are no deltas.
        """
        if self.deltas is None:
            raise RigError("no deltas are stored here", remedy="Use a shard that was built with its rig.", found=path)
        if self.neutral is None:
            raise LicenceError(
                "the neutral mesh is not part of a shard of licence class 'coefficients'",
                remedy="Add it from your own VOCASET files: blendvoca complete SHARDS --vocaset DIR.",
                path=path,
            )
        return BlendshapeRig(self.neutral, np.asarray(self.deltas, dtype=np.float64), self.names)


def check_sha256(value: str) -> str:
    """Return a SHA-256 in hexadecimal.

    :raises InputError: otherwise.
    """
    if not re.fullmatch("[0-9a-f]{64}", value):
        raise InputError("no SHA-256", expected="64 hexadecimal digits")
    return value


def check_version(version: str, path: str | PathLike[str]) -> None:
    """Check that this release reads a format version ``major.minor``.

    :raises VersionError: for another major version, or text that is no version.
    """
    match = re.fullmatch(r"(\d+)\.(\d+)", version)
    if match is None or int(match[1]) != FORMAT_MAJOR:
        newer = match is not None and int(match[1]) > FORMAT_MAJOR
        raise VersionError(
            "this format version cannot be read",
            expected=f"{FORMAT_MAJOR}.x",
            found=version,
            remedy="Update: pip install --upgrade blendvoca." if newer else "Build or download the file again.",
            path=path,
        )
