"""Clips and a rig into one shard: the same inputs give the same bytes, and a crash leaves no file under its name."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import ArrayLike, NDArray

from blendvoca.clip import Clip
from blendvoca.crop import Crop
from blendvoca.errors import InputError, TrackError
from blendvoca.internal.names import check_file_name
from blendvoca.io.atomic import write_bytes
from blendvoca.rig import BlendshapeRig
from blendvoca.shard import schema
from blendvoca.shard.digest import content_digest
from blendvoca.shard.schema import LicenceClass, ShardRig
from blendvoca.version import __version__


def write_shard(
    path: str | PathLike[str],
    speaker: str,
    clips: Iterable[Clip],
    rig: BlendshapeRig | ShardRig | None = None,
    licence_class: LicenceClass | str = LicenceClass.RESTRICTED,
    *,
    crop: Crop | None = None,
    landmarks: ArrayLike | None = None,
    sources: Mapping[str, str] | None = None,
) -> Path:
    """Write a speaker's shard (``docs/format.md``) atomically.

    Parts that the licence class forbids (the neutral mesh, its faces and audio in class ``coefficients``) are left out.

    :param path: the file, ``<speaker>.h5`` by custom.
    :param clips: the clips in any order; they are written in the order of their sentences.
    :param rig: the speaker's rig; its names must be the tracks' names. ``None`` stores the names only.
    :param licence_class: what may be done with the file.
    :param crop: which vertices of the whole head the rig's vertices are.
    :param landmarks: (L,) vertices of the rig.
    :param sources: what the shard was made from: name to SHA-256 or another plain fact.
    :returns: ``path``.
    :raises InputError: for no clip, a clip of another speaker, a repeated sentence or a name that cannot name a file.
    :raises TrackError: if names or their order differ between clips and rig.
    :raises OutputError: if the file cannot be written.
    """
    licence_class = LicenceClass.of(licence_class)
    ordered = _checked_clips(speaker, clips)
    stored = stored_rig(rig, ordered[0].track.names, crop, landmarks).reduced(licence_class)
    for clip in ordered:
        if clip.track.names != stored.names:
            raise TrackError(
                f"{speaker}/{clip.sentence}: the track's names are not the rig's, in its order",
                expected=stored.names,
                found=clip.track.names,
                remedy="Select the same shapes first: track.select(rig.names).",
            )
    with new_file(path) as file:
        write_text_attribute(file, "format", schema.SHARD_FORMAT)
        write_text_attribute(file, "format_version", schema.FORMAT_VERSION)
        write_text_attribute(file, "tool_version", __version__)
        write_text_attribute(file, "licence_class", licence_class.value)
        write_text_attribute(file, "speaker", speaker)
        write_text_attribute(file, "sources", _json(sources or {}))
        write_rig_group(new_group(file, "rig"), stored)
        group = new_group(file, "clips")
        for clip in ordered:
            _write_clip(new_group(group, clip.sentence), clip, licence_class)
        write_text_attribute(file, "content_sha256", content_digest(file))
    return Path(path)


def _checked_clips(speaker: str, clips: Iterable[Clip]) -> list[Clip]:
    check_file_name(speaker, "speaker")
    ordered = sorted(clips, key=lambda clip: clip.sentence)
    if not ordered:
        raise InputError(f"{speaker} has no clips", expected="at least one")
    for before, clip in zip([None, *ordered], ordered, strict=False):
        check_file_name(clip.sentence, "sentence")
        if clip.speaker != speaker:
            raise InputError(f"clip {clip.sentence} is of another speaker", expected=speaker, found=clip.speaker)
        if before is not None and before.sentence == clip.sentence:
            raise InputError(f"{speaker} has two clips {clip.sentence}", expected="one clip a sentence")
    return ordered


@contextmanager
def new_file(path: str | PathLike[str]) -> Iterator[h5py.File]:
    """Give an HDF5 file to fill, which gets its name when all went well.

    It is made in memory, a dozen megabytes: HDF5 does not survive a disk that fills up under it.

    :raises OutputError: if the file cannot be written.
    """
    image = io.BytesIO()
    with h5py.File(image, "w", libver=schema.HDF5_VERSION) as file:
        yield file
    write_bytes(path, image.getvalue())


def stored_rig(
    rig: BlendshapeRig | ShardRig | None, names: tuple[str, ...], crop: Crop | None, landmarks: ArrayLike | None
) -> ShardRig:
    """Return what is stored of a rig, with its crop and landmarks; only the names where there is no rig."""
    marks: NDArray[np.integer] | None = None if landmarks is None else np.asarray(landmarks, dtype=np.int32)
    if isinstance(rig, BlendshapeRig):
        return ShardRig.of(rig, crop, marks)
    base = rig or ShardRig(names)
    return ShardRig(
        base.names,
        base.deltas,
        base.neutral,
        base.crop if crop is None else crop,
        base.landmarks if marks is None else marks,
    )


def write_rig_group(group: h5py.Group, rig: ShardRig) -> None:
    """Write the datasets of the group ``rig/``."""
    width = max(len(name.encode()) for name in rig.names)
    _array(group, "names", np.array([name.encode() for name in rig.names], dtype=h5py.string_dtype("utf-8", width)))
    if rig.deltas is not None:
        _array(group, "deltas", rig.deltas.astype("<f4"))
    if rig.neutral is not None:
        _array(group, "neutral", rig.neutral.vertices.astype("<f4"))
        _array(group, "faces", rig.neutral.faces.astype("<i4"))
    if rig.crop is not None:
        _array(group, "crop", rig.crop.kept.astype("<i4"))
        group["crop"].attrs.create("n_vertices", rig.crop.n_vertices, dtype="<i4")
    if rig.landmarks is not None:
        _array(group, "landmarks", rig.landmarks.astype("<i4"))


def _write_clip(group: h5py.Group, clip: Clip, licence_class: LicenceClass) -> None:
    _array(group, "coefficients", clip.track.values.astype("<f4"))
    group.attrs.create("fps", clip.track.fps, dtype="<f8")
    write_text_attribute(group, "provenance", _json(clip.provenance))
    for name, value in (clip.certificate.to_dict() if clip.certificate else {}).items():
        _attribute(group, schema.CERTIFICATE_PREFIX + name, value)
    if clip.waveform is not None and licence_class.holds_media:
        _array(group, schema.AUDIO_DATASET, clip.waveform.to_int16().astype("<i2"))
        group[schema.AUDIO_DATASET].attrs.create("rate", clip.waveform.rate, dtype="<i4")


def _attribute(item: Any, name: str, value: object) -> None:
    if isinstance(value, str):
        write_text_attribute(item, name, value)
    elif isinstance(value, bool):
        item.attrs.create(name, int(value), dtype="<i1")
    elif isinstance(value, int):
        item.attrs.create(name, value, dtype="<i8")
    else:
        item.attrs.create(name, value, dtype="<f8")


def write_text_attribute(item: Any, name: str, value: str) -> None:
    """Write an attribute that is text."""
    # Fixed length: text of variable length goes to a heap that HDF5 does not checksum.
    encoded = value.encode()
    item.attrs.create(name, encoded, dtype=h5py.string_dtype("utf-8", max(len(encoded), 1)))


def _array(group: h5py.Group, name: str, values: NDArray[Any]) -> None:
    # One chunk: its index then costs nothing, and a clip is read whole anyway.
    options: dict[str, Any] = {}
    if values.size:
        options = {"chunks": values.shape, "compression": "gzip", "compression_opts": schema.GZIP_LEVEL}
        options |= {"shuffle": True, "fletcher32": True}
    group.create_dataset(name, data=values, dtype=values.dtype, track_times=False, **options)


def new_group(parent: h5py.Group, name: str) -> h5py.Group:
    """Make a group the way every group of a shard is made."""
    # Attributes stay in the checksummed header, however many: a heap of their own costs kilobytes a clip.
    properties = h5py.h5p.create(h5py.h5p.GROUP_CREATE)
    properties.set_attr_phase_change(64, 0)
    # HDF5 would store the time of day, and no two builds would agree.
    properties.set_obj_track_times(False)
    return h5py.Group(h5py.h5g.create(parent.id, name.encode(), None, properties))


def _json(values: Mapping[str, str]) -> str:
    return json.dumps({str(key): str(value) for key, value in values.items()}, sort_keys=True, ensure_ascii=False)
