"""Stage ``pack``: a speaker's rig, clips and sound in one shard, under its final name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from blendvoca.certificate import FitCertificate
from blendvoca.clip import Clip
from blendvoca.errors import IntegrityError, MissingInputError
from blendvoca.shard.schema import SHARD_SUFFIX, LicenceClass
from blendvoca.shard.writer import write_shard
from blendvoca.track import CoefficientTrack
from pipelines.records import sound_digest, unpack_crop, unpack_rig
from pipelines.stage import Stage
from pipelines.workspace import BuildWorkspace


class Pack(Stage):
    """Write ``<speaker>.h5``."""

    name, title = "pack", "shards"
    final = True

    def items(self, work: BuildWorkspace) -> list[str]:
        """Return the speakers."""
        return work.speakers

    def inputs(self, work: BuildWorkspace, item: str) -> dict[str, str]:
        """Return hashes of the rig and of every clip that was fitted.

        :raises MissingInputError: if none was.
        """
        rig, clips = work.fingerprint("reattach", item), _fitted(work, item)
        if not clips:
            raise MissingInputError(f"{item}: no clip could be fitted", remedy="See why each of them failed.")
        return {
            "rig": rig,
            "source": work.fingerprint("source", "rig"),
            "licence": _licence(work).value,
            **{sentence: work.fingerprint("fit", f"{item}/{sentence}") for sentence in clips},
        }

    def target(self, work: Any, item: str) -> Path:
        """Return the shard's final path."""
        return Path(work.out) / f"{item}{SHARD_SUFFIX}"

    def run(self, work: BuildWorkspace, item: str, target: Path) -> dict[str, Any]:
        """Write the shard; clips are read one after the other."""
        stored, source = work.load("reattach", item), work.mark("source", "rig").facts
        crop, sentences = unpack_crop("output", stored), _fitted(work, item)
        write_shard(
            target,
            item,
            _clips(work, item, sentences),
            unpack_rig(stored),
            _licence(work),
            crop=crop,
            landmarks=stored["landmarks"],
            sources={
                "source_rig": source["name"],
                "source_licence": source["licence"],
                "template_sha256": stored.facts["template_sha256"],
                "method": work.config.method,
            },
        )
        return {"clips": len(sentences)}


def _licence(work: BuildWorkspace) -> LicenceClass:
    """Return ``open`` for the embedded sample; anything else is bound until its owner says otherwise."""
    return LicenceClass.OPEN if work.sample else LicenceClass.RESTRICTED


def _fitted(work: BuildWorkspace, speaker: str) -> list[str]:
    return [name for name in work.corpus.sentences(speaker) if work.done("fit", f"{speaker}/{name}")]


def _clips(work: BuildWorkspace, speaker: str, sentences: list[str]) -> Iterator[Clip]:
    for sentence in sentences:
        stored = work.load("fit", f"{speaker}/{sentence}")
        facts = stored.facts
        sound = work.corpus.audio(speaker, sentence) if facts["sound_sha256"] else None
        if sound is not None and sound_digest(sound) != facts["sound_sha256"]:
            raise IntegrityError(f"the sound of {speaker}/{sentence} changed while building", remedy="Build again.")
        track = CoefficientTrack(stored["coefficients"], tuple(facts["names"]), facts["fps"])
        origin = {name: facts[name] for name in ("frames_sha256", "sound_sha256") if facts[name]}
        yield Clip(speaker, sentence, track, sound, FitCertificate.from_dict(facts["certificate"]), origin)
