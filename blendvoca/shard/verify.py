"""What is wrong with a shard or a folder of shards: a list of problems, empty when all is well."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from blendvoca.clip import Clip
from blendvoca.errors import BlendvocaError, MissingInputError
from blendvoca.fit.settings import DEFAULT_RATE_LIMIT
from blendvoca.internal.limits import HDF5_DATASET
from blendvoca.io.json_file import anything, mapping, read_json
from blendvoca.shard import schema
from blendvoca.shard.digest import content_digest
from blendvoca.shard.manifest import ClipEntry, Manifest, ShardEntry, check_file, read_manifest, shard_files
from blendvoca.shard.reader import Shard, open_shard, opened
from blendvoca.speakers import VOCASET_SPLIT

#: Rounding to float32 that a step between frames may exceed its limit by.
RATE_TOLERANCE = 1e-6
#: The same for tracks that others fitted with a less exact solver.
RELEASE_RATE_TOLERANCE = 1e-3
#: Metres: a delta beyond this is in another unit.
LARGEST_DELTA = 0.3


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    :param path: the file or folder.
    :param what: what is wrong, with the place inside the file.
    """

    path: Path
    what: str

    def __str__(self) -> str:
        return f"{self.path}: {self.what}"


def verify(path: Path) -> list[Problem]:
    """Check a shard or a folder of shards with its manifest.

    :raises MissingInputError: if there is neither.
    """
    if path.is_dir():
        return verify_folder(path)
    if not path.exists():
        raise MissingInputError("nothing to verify", expected="a shard or a folder of shards", path=path)
    return verify_shard(path)


def verify_folder(folder: Path) -> list[Problem]:
    """Check a folder: the manifest, every file against it, and every shard in itself."""
    try:
        manifest = read_manifest(folder)
    except BlendvocaError as error:
        shards = [problem for path in shard_files(folder) for problem in verify_shard(path)]
        return [_problem(folder / schema.MANIFEST_NAME, error), *shards]
    found = [*_manifest_problems(folder, manifest), *_statement_problems(folder, manifest)]
    for entry in manifest.shards:
        try:
            check_file(folder, entry)
        except BlendvocaError as error:
            found.append(_problem(folder / entry.file, error))
            if isinstance(error, MissingInputError):
                continue
        found += verify_shard(folder / entry.file, entry, manifest.names)
    return found


def verify_shard(path: Path, entry: ShardEntry | None = None, names: tuple[str, ...] | None = None) -> list[Problem]:
    """Check one shard: format, digest, licence class, rig and every clip; with a manifest's entry, that it fits.

    :param path: of the shard.
    :param entry: what the manifest says of it.
    :param names: the blendshapes that the manifest lists.
    """
    try:
        shard = open_shard(path)
        with opened(path) as file:
            found = [Problem(path, what) for what in _file_problems(file, shard)]
    except BlendvocaError as error:
        return [_problem(path, error)]
    found += [Problem(path, what) for what in _rig_problems(shard)]
    listed = {clip.sentence: clip for clip in entry.clips} if entry else {}
    for sentence in shard.sentences:
        try:
            clip = shard.clip(sentence)
        except BlendvocaError as error:
            found.append(_problem(path, error, f"clips/{sentence}"))
            continue
        found += [Problem(path, f"clips/{sentence}: {what}") for what in _clip_problems(clip)]
        if entry and ClipEntry.of(clip) != listed.get(sentence):
            found.append(Problem(path, f"clips/{sentence}: the manifest describes another clip"))
    if entry:
        found += [Problem(path, what) for what in _entry_problems(shard, entry)]
    if names is not None and shard.names != names:
        where = path.parent / schema.MANIFEST_NAME
        found.append(Problem(where, f"names differ from those of {path.name}: {_first_difference(names, shard.names)}"))
    return found


def _problem(path: Path, error: BlendvocaError, where: str = "") -> Problem:
    text = str(error).removeprefix(f"{error.path}: ")
    return Problem(path, f"{where}: {text}" if where else text)


def _manifest_problems(folder: Path, manifest: Manifest) -> Iterator[Problem]:
    path = folder / schema.MANIFEST_NAME
    for extra in sorted({file.name for file in shard_files(folder)} - {entry.file for entry in manifest.shards}):
        yield Problem(folder / extra, "not listed in the manifest")
    official = {speaker: split for split, group in VOCASET_SPLIT.items() for speaker in group}
    for entry in manifest.shards:
        if entry.split != official.get(entry.speaker, entry.split):
            yield Problem(path, f"{entry.speaker} is in split {entry.split}, VOCASET's is {official[entry.speaker]}")
    gaps = {(entry.speaker, clip.sentence) for entry in manifest.shards for clip in entry.clips}
    for speaker, sentence in sorted(gaps & set(manifest.known_gaps)):
        yield Problem(path, f"{speaker}/{sentence} is listed both as a clip and as a known gap")


def _statement_problems(folder: Path, manifest: Manifest) -> Iterator[Problem]:
    """Yield what the manifest states otherwise than its entries say: counts, splits, class."""
    path = folder / schema.MANIFEST_NAME
    stated, derived = read_json(path, mapping(anything), "no manifest"), json.loads(manifest.to_json())
    for key in ("licence_class", "splits", "counts"):
        if stated.get(key) != derived[key]:
            here = json.dumps(stated.get(key))[:200]
            yield Problem(path, f"{key} is {here}; its entries say {json.dumps(derived[key])[:200]}")


def _first_difference(listed: tuple[str, ...], here: tuple[str, ...]) -> str:
    if len(listed) != len(here):
        return f"{len(listed)} are listed, the shard has {len(here)}"
    position = next(i for i, (a, b) in enumerate(zip(listed, here)) if a != b)
    return f"{listed[position]!r} is listed at {position}, the shard has {here[position]!r}"


def _entry_problems(shard: Shard, entry: ShardEntry) -> Iterator[str]:
    for what in ("speaker", "licence_class"):
        here, listed = str(getattr(shard, what)), str(getattr(entry, what))
        if here != listed:
            yield f"{what} is {here}, the manifest says {listed}"
    for missing in sorted({clip.sentence for clip in entry.clips} - set(shard.sentences)):
        yield f"clips/{missing}: listed in the manifest, not here"


def _file_problems(file: h5py.File, shard: Shard) -> Iterator[str]:
    """Yield what is wrong with the file as a whole."""
    for name in schema.ROOT_ATTRIBUTES:
        if name not in file.attrs:
            yield f"no attribute {name}"
    if shard.path.stem != shard.speaker:
        yield f"the file is of speaker {shard.speaker}"
    if not shard.sentences:
        yield "no clips"
    indirect = list(_indirect(file))
    yield from (f"{name}: a link or storage that leads elsewhere" for name in indirect)
    claimed: list[str] = []
    file.visititems(lambda name, item: claimed.append(name) if _is_too_large(item) else None)
    yield from (f"{name}: claims more than a shard can hold" for name in claimed)
    if indirect or claimed:
        return
    if (found := content_digest(file)) != shard.content_sha256:
        yield f"content differs from its digest: expected {shard.content_sha256}, found {found}"
    unprotected: list[str] = []
    file.visititems(lambda name, item: unprotected.append(name) if _lacks_checksum(item) else None)
    yield from (f"{name}: no Fletcher-32 checksum" for name in unprotected)
    if not shard.licence_class.holds_media:
        forbidden = [name for name in schema.MESH_DATASETS if name in file]
        forbidden += [f"clips/{s}/audio" for s in shard.sentences if schema.AUDIO_DATASET in file["clips"][s]]
        yield from (f"{name}: not allowed in licence class {shard.licence_class.value}" for name in forbidden)


def _indirect(group: h5py.Group) -> Iterator[str]:
    """Yield names that lead to another place of this or another file: soft and external links, external storage."""
    todo, seen = [group], {group.id}
    while todo:
        here = todo.pop()
        for name in here:
            item = here[name] if isinstance(here.get(name, getlink=True), h5py.HardLink) else None
            elsewhere = isinstance(item, h5py.Dataset) and (item.external or item.is_virtual)
            # A group that is met again is a hard link, which may close a circle.
            if item is None or elsewhere or item.id in seen:
                yield f"{here.name}/{name}".lstrip("/")
            elif isinstance(item, h5py.Group):
                todo.append(item)
                seen.add(item.id)


def _is_too_large(item: object) -> bool:
    return isinstance(item, h5py.Dataset) and item.nbytes > HDF5_DATASET.allowed(item.file.id.get_filesize())


def _lacks_checksum(item: object) -> bool:
    return isinstance(item, h5py.Dataset) and item.size > 0 and not item.fletcher32


def _rig_problems(shard: Shard) -> Iterator[str]:
    try:
        parts = shard.parts()
    except BlendvocaError as error:
        yield str(_problem(shard.path, error, "rig").what)
        return
    if parts.deltas is None:
        return
    if not np.isfinite(parts.deltas).all():
        yield "rig/deltas: values that are not finite"
    elif (largest := float(np.abs(parts.deltas).max(initial=0))) > LARGEST_DELTA:
        yield f"rig/deltas: up to {largest:.3g}; metres were expected, at most {LARGEST_DELTA}"
    if len(set(parts.names)) < len(parts.names):
        yield "rig/names: repeated blendshape names"


def _clip_problems(clip: Clip) -> Iterator[str]:
    """Yield what is wrong with a clip; range, shape and finiteness were checked when it was read."""
    step, proof = clip.track.max_step(), clip.certificate
    origin = clip.provenance.get("origin")
    if proof is not None:
        yield from (f"fit certificate: {problem}" for problem in proof.problems())
        if step > proof.rate_limit + RATE_TOLERANCE:
            yield f"a coefficient moves by {step:.6f} between frames; the rate limit is {proof.rate_limit:g}"
    elif origin is None:
        yield "no fit certificate, and no provenance 'origin' that says where the track comes from"
    elif origin == schema.ORIGIN_RELEASE and step > DEFAULT_RATE_LIMIT + RELEASE_RATE_TOLERANCE:
        yield f"a coefficient moves by {step:.6f} between frames; the rate limit is {DEFAULT_RATE_LIMIT:g}"
    if length := clip.length_problem():
        yield length
