"""The user's entry point to the data: ``BlendVOCA(root, split="train")``."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from blendvoca.audio import MAX_RATE, MIN_RATE
from blendvoca.clip import Clip
from blendvoca.errors import ConfigurationError, IntegrityError, MissingInputError, nearest
from blendvoca.internal.lazy import html_by
from blendvoca.rig import BlendshapeRig
from blendvoca.shard import schema
from blendvoca.shard.manifest import ClipEntry, Manifest, ShardEntry, describe, read_manifest, shard_files
from blendvoca.shard.reader import Shard, open_shard
from blendvoca.shard.schema import ShardRig
from blendvoca.speakers import SPLIT_NAMES

#: Decoded clips that a dataset keeps by default; all of VOCASET with sound is about 180 MB.
DEFAULT_CACHE_BYTES = 256 * 2**20


class BlendVOCA:
    """Speech paired with blendshape coefficients: a lazy sequence of :class:`blendvoca.clip.Clip`.

    ::

        ds = BlendVOCA("BlendVOCA/", split="train", audio_rate=16_000)
        clip = ds["FaceTalk_170725_00137_TA", "sentence01"]
        clip.track.values        # (T, 32) float64 in [0, 1], columns as in ds.names, clip.track.fps frames a second
        clip.waveform.samples    # (S,) float32, full scale ±1, clip.waveform.rate samples a second; or waveform None

    Opening reads the manifest only; a clip is read when it is asked for, and kept among the most recent. The object
    can be pickled and used in forked or spawned workers: it holds no open file, and a copy starts with an empty cache.

    :param root: a folder that ``blendvoca build``, ``download`` or ``publish`` wrote. Without ``manifest.json`` its
        shards are read through once, and split as :func:`blendvoca.speakers.default_split` does.
    :param split: ``"train"``, ``"validation"``, ``"test"``, or ``None`` for all.
    :param audio: whether clips come with their sound, where it is stored.
    :param audio_rate: Hz to resample sound to; ``None`` leaves it as stored.
    :param cache_bytes: memory for clips already read, 0 for none.
    :raises MissingInputError: if there is no dataset, or the manifest lists a file that is not there.
    :raises IntegrityError: if a file has not the size that the manifest states.
    :raises ConfigurationError: for an unknown split or a sample rate that is none.
    """

    def __init__(
        self,
        root: str | PathLike[str],
        split: str | None = None,
        *,
        audio: bool = True,
        audio_rate: int | None = None,
        cache_bytes: int = DEFAULT_CACHE_BYTES,
    ) -> None:
        if split is not None and split not in SPLIT_NAMES:
            raise ConfigurationError(
                f"unknown split {split!r}{nearest(split, SPLIT_NAMES)}", expected=f"one of {SPLIT_NAMES} or None"
            )
        if audio_rate is not None and not MIN_RATE <= audio_rate <= MAX_RATE:
            raise ConfigurationError("wrong sample rate", expected=f"{MIN_RATE} to {MAX_RATE} Hz", found=audio_rate)
        self.root, self.split, self.audio, self.audio_rate = Path(root), split, audio, audio_rate
        self.cache_bytes = cache_bytes
        self.manifest: Manifest = _manifest(self.root)
        chosen = [entry for entry in self.manifest.shards if split in (None, entry.split)]
        self._entries: dict[str, ShardEntry] = {entry.speaker: entry for entry in chosen}
        self._rows = [(entry, clip) for entry in chosen for clip in entry.clips]
        self._index = {(entry.speaker, clip.sentence): row for row, (entry, clip) in enumerate(self._rows)}
        self._shards: dict[str, Shard] = {}
        self._cache: OrderedDict[int, Clip] = OrderedDict()
        self._cached = 0

    @property
    def names(self) -> tuple[str, ...]:
        """The K blendshape names, in the order of every track's columns."""
        return self.manifest.names

    @property
    def speakers(self) -> tuple[str, ...]:
        """The speakers of this split, sorted."""
        return tuple(self._entries)

    def keys(self) -> list[tuple[str, str]]:
        """Return ``(speaker, sentence)`` of every clip, in the order of iteration."""
        return list(self._index)

    def entry(self, index: int) -> ClipEntry:
        """Return what the manifest says of a clip, without reading it.

        :param index: row of the clip.
        """
        return self._rows[index][1]

    def table(self) -> list[dict[str, Any]]:
        """Return one row a clip, as plain values.

        Columns: ``speaker``, ``sentence``, ``split``, ``licence_class``, ``frames``, ``fps``, ``seconds``, ``samples``
        and ``audio_rate`` (0 without sound), ``fit_error_mm`` (mean distance) and ``rate_limit_share`` (share of frame
        transitions at the rate limit), both ``None`` for clips that were not fitted here.
        """
        return [
            {
                "speaker": entry.speaker,
                "sentence": clip.sentence,
                "split": entry.split,
                "licence_class": entry.licence_class.value,
                "frames": clip.frames,
                "fps": clip.fps,
                "seconds": round(clip.seconds, 6),
                "samples": clip.samples,
                "audio_rate": clip.audio_rate,
                "fit_error_mm": clip.fit_error_mm,
                "rate_limit_share": clip.rate_limit_share,
            }
            for entry, clip in self._rows
        ]

    def rig(self, speaker: str) -> BlendshapeRig:
        """Read a speaker's rig: neutral (V, 3) and deltas (K, V, 3) in metres.

        :param speaker: name of the speaker.
        :raises MissingInputError: if there is no such speaker in this split.
        :raises LicenceError: if the shard was published without meshes; its deltas are in ``parts(speaker)``.
        """
        return self.shard(speaker).rig()

    def parts(self, speaker: str) -> ShardRig:
        """Read what is stored of a speaker's rig: deltas, and neutral, crop and landmarks where they are there.

        :param speaker: name of the speaker.
        """
        return self.shard(speaker).parts()

    def shard(self, speaker: str) -> Shard:
        """Return the head of a speaker's shard.

        :param speaker: name of the speaker.
        :raises MissingInputError: if there is no such speaker in this split.
        """
        if speaker not in self._entries:
            inside = f"split {self.split!r}" if self.split else "this dataset"
            raise MissingInputError(
                f"{inside} has no speaker {speaker!r}{nearest(speaker, self._entries)}", path=self.root
            )
        if speaker not in self._shards:
            self._shards[speaker] = open_shard(self.root / self._entries[speaker].file)
        return self._shards[speaker]

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Clip]:
        return (self[row] for row in range(len(self)))

    def __contains__(self, key: object) -> bool:
        return key in self._index

    def __getitem__(self, key: int | tuple[str, str]) -> Clip:
        """Return a clip by position or by ``(speaker, sentence)``.

        :raises IndexError: for a position that is not there.
        :raises TypeError: for any other kind of key.
        :raises MissingInputError: for a name that is not there.
        :raises IntegrityError: if the file is damaged.
        """
        row = self._row(key)
        clip = self._cache.get(row)
        if clip is None:
            clip = self._read(row)
            self._keep(row, clip)
        return clip

    def _row(self, key: int | tuple[str, str]) -> int:
        if isinstance(key, tuple) and len(key) == 2:
            if key in self._index:
                return self._index[key]
            speaker, sentence = key
            entry = self.shard(speaker)  # says so if it is the speaker that is missing
            hint = nearest(sentence, entry.sentences)
            raise MissingInputError(f"{speaker} has no clip {sentence!r}{hint}", path=self.root)
        try:
            row = operator.index(key)
        except TypeError:
            raise TypeError(f"a clip is dataset[position] or dataset[speaker, sentence], not {key!r}") from None
        if not -len(self) <= row < len(self):
            raise IndexError(f"clip {row} of {len(self)}")
        return row % len(self)

    def _read(self, row: int) -> Clip:
        entry, listed = self._rows[row]
        clip = self.shard(entry.speaker).clip(listed.sentence, self.audio)
        if self.audio_rate is not None and clip.waveform is not None:
            clip = replace(clip, waveform=clip.waveform.resampled(self.audio_rate))
        return clip

    def _keep(self, row: int, clip: Clip) -> None:
        size = _size(clip)
        if size > self.cache_bytes:
            return
        self._cache[row] = clip
        self._cached += size
        # Oldest first: a reader in order never meets a clip again, and a random one loses nothing by it.
        while self._cached > self.cache_bytes:
            self._cached -= _size(self._cache.popitem(last=False)[1])

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_cache": OrderedDict(), "_cached": 0}

    def __repr__(self) -> str:
        held = f"{len(self)} clips of {len(self.speakers)} speakers"
        seconds = sum(entry.seconds for _, entry in self._rows)
        facts = f"{len(self.names)} shapes, {seconds / 60:.1f} minutes, licence {self.manifest.licence_class.value}"
        return f"BlendVOCA({str(self.root)!r}, split={self.split!r}: {held},\n  {facts})"

    _repr_html_ = html_by("dataset_html")


def _manifest(root: Path) -> Manifest:
    if root.is_file():
        raise MissingInputError("a file, not a dataset folder", remedy=f"Point at {root.parent}.", path=root)
    if not root.is_dir():
        raise MissingInputError("no such dataset folder", remedy="Build or download one first.", path=root)
    if not (root / schema.MANIFEST_NAME).exists() and shard_files(root):
        return describe(root)
    manifest = read_manifest(root)
    for entry in manifest.shards:
        path = root / entry.file
        if not path.is_file():
            raise MissingInputError(
                "the manifest lists a file that is not here", remedy="Copy or download it again.", path=path
            )
        if (size := path.stat().st_size) != entry.bytes:
            raise IntegrityError(
                "a shard has not the size that the manifest states",
                expected=entry.bytes,
                found=size,
                remedy="Run blendvoca verify on the folder; copy, download or build the file again.",
                path=path,
            )
    return manifest


def _size(clip: Clip) -> int:
    return clip.track.values.nbytes + (clip.waveform.samples.nbytes if clip.waveform else 0)
