"""Published shards and the user's own VOCASET files, joined: neutral meshes and audio come back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from blendvoca.clip import Clip
from blendvoca.crop import Crop
from blendvoca.errors import BlendvocaError, MeshError, MissingInputError
from blendvoca.io.vocaset.corpus import Corpus
from blendvoca.io.vocaset.source import open_corpus
from blendvoca.mesh import Mesh
from blendvoca.release.importer import read_crop
from blendvoca.shard.manifest import Manifest, shard_files, write_manifest
from blendvoca.shard.reader import Shard, open_shard
from blendvoca.shard.schema import LicenceClass, ShardRig
from blendvoca.shard.writer import write_shard


@dataclass(frozen=True)
class Completion:
    """What came of it.

    :param manifest: of the resulting folder.
    :param missing: what could not be added and why, a line each.
    """

    manifest: Manifest
    missing: tuple[str, ...]


def complete(shards: Path, vocaset: Path, out: Path | None = None, crop_list: Path | None = None) -> Completion:
    """Add neutral meshes and audio of the user's VOCASET to shards that hold coefficients and deltas.

    The result is of licence class ``restricted``: it stays with the user. Tracks, deltas and certificates stay as they
    are. A speaker without a template, or a clip without sound, is listed and left as it was.

    :param shards: folder of shards.
    :param vocaset: templates and audio, in any form that ``blendvoca build`` reads; motion is not needed.
    :param out: folder for the result; the shards are replaced where it is not given.
    :param crop_list: which vertices of the whole head the deltas lie on (``FLAME_head_idx.txt``), for shards that do
        not state it.
    :raises MissingInputError: if there are no shards or no VOCASET.
    :raises FormatError, UnsafePickleError: if VOCASET's files cannot be read.
    """
    paths = shard_files(shards)
    if not paths:
        raise MissingInputError("no shards to complete", path=shards)
    corpus = open_corpus(vocaset)
    stated = read_crop(crop_list) if crop_list else None
    split, name, gaps = _described(shards)
    missing: list[str] = []
    for path in paths:
        missing += _complete_one(open_shard(path), corpus, stated, (out or shards) / path.name)
    return Completion(write_manifest(out or shards, split, name=name, known_gaps=gaps), tuple(missing))


def _described(folder: Path) -> tuple[dict[str, str] | None, str, list[tuple[str, str]] | None]:
    """Return split, name and known gaps of a folder that has a manifest."""
    from blendvoca.shard.manifest import read_manifest

    try:
        manifest = read_manifest(folder)
    except MissingInputError:
        return None, "BlendVOCA", None
    return {entry.speaker: entry.split for entry in manifest.shards}, manifest.name, list(manifest.known_gaps)


def _complete_one(shard: Shard, corpus: Corpus, stated: Crop | None, target: Path) -> list[str]:
    missing: list[str] = []
    licence = shard.licence_class
    try:
        parts = _with_neutral(shard, corpus, stated)
    except BlendvocaError as error:
        missing.append(f"{shard.speaker}: no neutral mesh added: {error}")
        parts = shard.parts()
    clips = list(_with_audio(shard, corpus, missing))
    if not licence.holds_media and (parts.neutral is not None or any(clip.waveform for clip in clips)):
        licence = LicenceClass.RESTRICTED  # VOCASET's licence binds what was added
    write_shard(target, shard.speaker, clips, parts, licence, sources=shard.sources)
    return missing


def _with_neutral(shard: Shard, corpus: Corpus, stated: Crop | None) -> ShardRig:
    parts = shard.parts()
    if parts.neutral is not None:
        return parts
    template = corpus.template(shard.speaker)
    crop = parts.crop or stated
    count = None if parts.deltas is None else parts.deltas.shape[1]
    if crop is None and count not in (None, template.n_vertices):
        raise MeshError(
            "the deltas lie on a part of the template, and the shard does not say which",
            expected=f"{template.n_vertices} vertices",
            found=count,
            remedy="Name the list of vertices: --crop FLAME_head_idx.txt.",
        )
    neutral: Mesh = template if crop is None else crop.apply(template)
    return replace(parts, neutral=neutral, crop=crop)


def _with_audio(shard: Shard, corpus: Corpus, missing: list[str]) -> Iterator[Clip]:
    for clip in shard.clips():
        if clip.waveform is None:
            try:
                clip = replace(clip, waveform=corpus.audio(shard.speaker, clip.sentence))
            except BlendvocaError as error:
                missing.append(f"{shard.speaker}/{clip.sentence}: no audio added: {error}")
            else:
                if problem := clip.length_problem():
                    missing.append(f"{shard.speaker}/{clip.sentence}: no audio added: {problem}")
                    clip = replace(clip, waveform=None)
        yield clip
