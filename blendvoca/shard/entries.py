"""What a manifest says: one entry a clip, one a shard, and all of them together."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass

from blendvoca.clip import Clip
from blendvoca.shard import schema
from blendvoca.shard.schema import LicenceClass
from blendvoca.speakers import SPLIT_NAMES
from blendvoca.version import __version__


@dataclass(frozen=True)
class ClipEntry:
    """One clip's line.

    :param sentence: its name.
    :param frames: T.
    :param fps: frames per second.
    :param samples: length of the sound, 0 where none is stored.
    :param audio_rate: its samples per second, 0 likewise.
    :param fit_error_mm: mean distance of the fit in mm; ``None`` without a certificate.
    :param rate_limit_share: share of frame transitions at the rate limit; ``None`` likewise.
    """

    sentence: str
    frames: int
    fps: float
    samples: int = 0
    audio_rate: int = 0
    fit_error_mm: float | None = None
    rate_limit_share: float | None = None

    @classmethod
    def of(cls, clip: Clip) -> ClipEntry:
        """Describe a clip."""
        wave, proof = clip.waveform, clip.certificate
        return cls(
            clip.sentence,
            len(clip.track),
            clip.track.fps,
            len(wave) if wave else 0,
            wave.rate if wave else 0,
            _known(proof.error_mean_mm) if proof else None,
            _known(proof.rate_limit_share) if proof else None,
        )

    @property
    def seconds(self) -> float:
        """Length of the motion."""
        return self.frames / self.fps


@dataclass(frozen=True)
class ShardEntry:
    """One shard's entry.

    :param file: its name in the manifest's folder.
    :param speaker: whose it is.
    :param split: ``train``, ``validation`` or ``test``.
    :param licence_class: what may be done with it.
    :param bytes: its size.
    :param sha256: of the file.
    :param clips: its clips, sorted by sentence.
    """

    file: str
    speaker: str
    split: str
    licence_class: LicenceClass
    bytes: int
    sha256: str
    clips: tuple[ClipEntry, ...]


@dataclass(frozen=True)
class Manifest:
    """What a folder of shards holds.

    :param name: what the dataset is called.
    :param names: the blendshape names, in column order.
    :param shards: one entry a speaker, sorted.
    :param known_gaps: ``(speaker, sentence)`` of clips that were never published with motion.
    :param version: format version.
    """

    name: str
    names: tuple[str, ...]
    shards: tuple[ShardEntry, ...]
    known_gaps: tuple[tuple[str, str], ...] = ()
    version: str = schema.FORMAT_VERSION

    @property
    def licence_class(self) -> LicenceClass:
        """The most binding class of its shards."""
        return LicenceClass.strictest(shard.licence_class for shard in self.shards)

    @property
    def splits(self) -> dict[str, tuple[str, ...]]:
        """Speakers of every split."""
        return {name: tuple(entry.speaker for entry in self.shards if entry.split == name) for name in SPLIT_NAMES}

    def to_json(self) -> str:
        """Return the text of ``manifest.json``: sorted, without times, so that the same shards give the same bytes."""
        clips = [clip for shard in self.shards for clip in shard.clips]
        head = {
            "format": schema.MANIFEST_FORMAT,
            "format_version": self.version,
            "tool_version": __version__,
            "name": self.name,
            "licence_class": self.licence_class.value,
            "names": self.names,
            "splits": self.splits,
            "counts": {
                "speakers": len(self.shards),
                "clips": len(clips),
                "frames": sum(clip.frames for clip in clips),
                "seconds": round(sum(clip.seconds for clip in clips), 6),
            },
            "known_gaps": self.known_gaps,
            "shards": [asdict(shard) | {"licence_class": shard.licence_class.value} for shard in self.shards],
        }
        return json.dumps(head, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
