"""The authors' release into shards: ``blendshape_coeffs.zip`` and ``blendshape_residuals.pickle`` (yunik1004/SAiD)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blendvoca.arkit import BLENDVOCA_NAMES
from blendvoca.clip import Clip
from blendvoca.crop import Crop
from blendvoca.errors import FormatError, MissingInputError, TrackError
from blendvoca.io.digest import digest_file
from blendvoca.io.files import naming
from blendvoca.io.pickle.safe_pickle import read_pickle
from blendvoca.io.stores import ZipStore
from blendvoca.io.track.read import decode_track_file
from blendvoca.io.track.samples import TrackOptions
from blendvoca.io.vertex_list import read_vertex_list
from blendvoca.shard.manifest import Manifest, write_manifest
from blendvoca.shard.schema import ORIGIN_RELEASE, SHARD_SUFFIX, LicenceClass, ShardRig
from blendvoca.shard.writer import write_shard
from blendvoca.speakers import VOCASET_FPS

COEFFICIENTS_NAME = "blendshape_coeffs.zip"
RESIDUALS_NAME = "blendshape_residuals.pickle"
HEAD_NAME = "FLAME_head_idx.txt"
#: Vertices of FLAME's whole head.
FLAME_VERTICES = 5023


def import_release(source: Path, out: Path, head_vertices: int = FLAME_VERTICES) -> Manifest:
    """Turn the authors' files into shards of licence class ``coefficients``, one a speaker, and write the manifest.

    Tracks state 60 fps, the origin ``release`` and no certificate, since the authors published none. Deltas lie on the
    vertices of ``FLAME_head_idx.txt``, which is stored as the crop if it is there.

    :param source: folder with ``blendshape_coeffs.zip``, ``blendshape_residuals.pickle`` and perhaps
        ``FLAME_head_idx.txt``; what ``blendvoca download blendvoca-release`` fetches.
    :param out: folder of the shards.
    :param head_vertices: vertices of the whole head that the list is about.
    :raises MissingInputError: if one of the two is not there.
    :raises UnsafePickleError: if the pickle holds more than plain data.
    :raises FormatError: if an archive, a table or the residuals are not what the release has.
    """
    archive, pickle = _required(source, COEFFICIENTS_NAME), _required(source, RESIDUALS_NAME)
    tables = _tables(archive)
    residuals = _residuals(pickle)
    heads = _found(source, HEAD_NAME)
    crop = read_crop(heads[0], head_vertices) if heads else None
    sources = {path.name: digest_file(path) for path in (archive, pickle)}
    # All is read before anything is written.
    rigs = {speaker: _rig(residuals.get(speaker), speaker, crop, pickle) for speaker in tables}
    clips = {
        speaker: [_clip(archive, speaker, sentence, member) for sentence, member in sorted(members.items())]
        for speaker, members in sorted(tables.items())
    }
    for speaker, spoken in clips.items():
        target = out / f"{speaker}{SHARD_SUFFIX}"
        write_shard(target, speaker, spoken, rigs[speaker], LicenceClass.COEFFICIENTS, sources=sources)
    return write_manifest(out)


def _found(folder: Path, name: str) -> list[Path]:
    return sorted(path for path in folder.rglob(name) if path.is_file()) if folder.is_dir() else []


def _required(folder: Path, name: str) -> Path:
    found = _found(folder, name)
    if not found:
        raise MissingInputError(
            f"no {name} here", remedy="Fetch it: blendvoca download blendvoca-release --out FOLDER.", path=folder
        )
    return found[0]


def _tables(archive: Path) -> dict[str, dict[str, str]]:
    """Return for every speaker the sentences and the archive's members: ``…/<speaker>/<sentence>.csv``."""
    tables: dict[str, dict[str, str]] = defaultdict(dict)
    for name in ZipStore(archive).names():
        path = PurePosixPath(name)
        if path.suffix.lower() != ".csv" or "__MACOSX" in path.parts:
            continue
        if len(path.parts) < 2:
            raise FormatError("a table of no speaker", expected="<speaker>/<sentence>.csv", found=name, path=archive)
        if path.stem in tables[path.parent.name]:
            raise FormatError("two tables of one sentence", found=name, path=archive)
        tables[path.parent.name][path.stem] = name
    if not tables:
        raise FormatError("no coefficient tables", expected="<speaker>/<sentence>.csv", path=archive)
    return tables


def _clip(archive: Path, speaker: str, sentence: str, member: str) -> Clip:
    store = ZipStore(archive)
    where, options = store.where(member), TrackOptions(default_fps=VOCASET_FPS, keep_others=True)
    reading = decode_track_file(store.read(member), options, where)
    if reading.notes:
        raise TrackError("not as the authors published it", found=reading.notes[0], path=where)
    track = reading.track
    if set(track.names) != set(BLENDVOCA_NAMES):
        missing, other = set(BLENDVOCA_NAMES) - set(track.names), set(track.names) - set(BLENDVOCA_NAMES)
        raise TrackError(f"{store.where(member)} has other columns", expected="the 32 names of BlendVOCA",
                         found=f"without {sorted(missing)}, with {sorted(other)}")  # fmt: skip
    # By name, whatever the order of a file.
    return Clip(speaker, sentence, track.select(BLENDVOCA_NAMES), provenance={"origin": ORIGIN_RELEASE})


def _residuals(path: Path) -> Mapping[str, Any]:
    table = read_pickle(path)
    if not isinstance(table, dict) or not all(isinstance(shapes, dict) for shapes in table.values()):
        found = type(table).__name__
        raise FormatError("no table of deltas", expected="{speaker: {shape: (V, 3)}}", found=found, path=path)
    return table


def _rig(shapes: Any, speaker: str, crop: Crop | None, path: Path) -> ShardRig:
    names = BLENDVOCA_NAMES
    if shapes is None:
        return ShardRig(names)
    missing = [name for name in names if name not in shapes]
    if missing:
        raise FormatError(f"{speaker} lacks deltas", expected=f"{len(names)} shapes", found=f"no {missing}", path=path)
    deltas: list[NDArray[np.float64]] = []
    for name in names:
        delta = np.asarray(shapes[name])
        if delta.ndim != 2 or delta.shape[1] != 3 or not np.issubdtype(delta.dtype, np.floating):
            raise FormatError(f"delta {name} of {speaker} is none", expected="(V, 3) floats",
                              found=(delta.shape, str(delta.dtype)), path=path)  # fmt: skip
        if (deltas and delta.shape != deltas[0].shape) or not np.isfinite(delta).all():
            raise FormatError(f"delta {name} of {speaker} does not fit the others or is not finite", found=delta.shape,
                              expected=deltas[0].shape if deltas else "finite values", path=path)  # fmt: skip
        deltas.append(delta.astype(np.float64))
    fits = crop is not None and len(crop.kept) == len(deltas[0])
    return ShardRig(names, np.stack(deltas), crop=crop if fits else None)


def read_crop(path: Path, n_vertices: int = FLAME_VERTICES) -> Crop:
    """Read a list of vertex indices (``FLAME_head_idx.txt``: one a line or separated by spaces) of a whole head.

    :raises FormatError: if it is no such list.
    :raises MeshError: for an index out of range.
    """
    with naming(path):
        return Crop.of(read_vertex_list(path, n_vertices), n_vertices)
