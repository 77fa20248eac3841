"""Rig files: the ``rig/`` group of a shard on its own, for one head with its blendshapes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blendvoca.crop import Crop
from blendvoca.errors import FormatError
from blendvoca.ibug68 import N_LANDMARKS
from blendvoca.rig import BlendshapeRig
from blendvoca.shard import reader, schema, writer
from blendvoca.shard.digest import content_digest
from blendvoca.shard.schema import SHARD_SUFFIX, LicenceClass, ShardRig
from blendvoca.version import __version__

RIG_FORMAT = "blendvoca-rig"


def write_rig(
    path: str | PathLike[str],
    rig: BlendshapeRig | ShardRig,
    licence_class: LicenceClass | str = LicenceClass.RESTRICTED,
    *,
    crop: Crop | None = None,
    landmarks: ArrayLike | None = None,
    sources: Mapping[str, str] | None = None,
) -> Path:
    """Write a rig as an HDF5 file, atomically: the same rig gives the same bytes.

    Root attributes are a shard's without ``speaker``; the group ``rig/`` is a shard's (``docs/format.md``).

    :param licence_class: what may be done with it; class ``coefficients`` leaves the neutral mesh out.
    :param crop: which vertices of a whole head the rig's vertices are.
    :param landmarks: (L,) vertices of the rig.
    :param sources: what it was made from: name to a plain fact.
    :raises OutputError: if the file cannot be written.
    """
    licence_class = LicenceClass.of(licence_class)
    stored = writer.stored_rig(rig, rig.names, crop, landmarks).reduced(licence_class)
    with writer.new_file(path) as file:
        for name, value in (
            ("format", RIG_FORMAT),
            ("format_version", schema.FORMAT_VERSION),
            ("tool_version", __version__),
            ("licence_class", licence_class.value),
            ("sources", json.dumps(dict(sources or {}), sort_keys=True, ensure_ascii=False)),
        ):
            writer.write_text_attribute(file, name, value)
        writer.write_rig_group(writer.new_group(file, "rig"), stored)
        writer.write_text_attribute(file, "content_sha256", content_digest(file))
    return Path(path)


def read_rig(path: str | PathLike[str]) -> ShardRig:
    """Read the rig of a rig file or of a shard.

    :raises MissingInputError: if there is no such file.
    :raises VersionError: if its major version is another.
    :raises FormatError: if it is neither, or does not keep to the format.
    :raises IntegrityError: if a checksum does not hold.
    """
    place = Path(path)
    with reader.opened(place) as file:
        found = reader.text_attribute(file, "format") if "format" in file.attrs else None
        if found == RIG_FORMAT:
            schema.check_version(reader.text_attribute(file, "format_version"), place)
            return reader.read_rig_group(file["rig"])
    if found != schema.SHARD_FORMAT:
        raise FormatError("no rig", expected=f"format {RIG_FORMAT!r} or a shard", found=repr(found), path=place)
    return reader.open_shard(place).parts()


def known_landmarks(path: str | PathLike[str]) -> NDArray[np.int64] | None:
    """Return the landmarks (68,) that a rig file or shard holds; None where it has none, or is another kind of file."""
    if Path(path).suffix.lower() != SHARD_SUFFIX:
        return None
    found = read_rig(path).landmarks
    return None if found is None or len(found) != N_LANDMARKS else np.asarray(found)
