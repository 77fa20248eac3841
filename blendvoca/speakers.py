"""VOCASET's speakers, sentences, split and known gaps (VOCA's split, paper 5.1)."""

from __future__ import annotations

from collections.abc import Iterable

from blendvoca.errors import InputError

#: Frames per second of VOCASET's motion.
VOCASET_FPS = 60.0
#: Sample rate in Hz of VOCASET's audio in folder form.
VOCASET_AUDIO_RATE = 22_000

SPLIT_NAMES: tuple[str, ...] = ("train", "validation", "test")

_SPLIT_IDS = {
    "train": (
        *("170725_00137", "170728_03272", "170811_03274", "170904_00128"),
        *("170904_03276", "170912_03278", "170913_03279", "170915_00223"),
    ),
    "validation": ("170811_03275", "170908_03277"),
    "test": ("170731_00024", "170809_00138"),
}

#: VOCASET's split: name to its speakers.
VOCASET_SPLIT: dict[str, tuple[str, ...]] = {
    split: tuple(f"FaceTalk_{identifier}_TA" for identifier in ids) for split, ids in _SPLIT_IDS.items()
}
VOCASET_SPEAKERS: tuple[str, ...] = tuple(sorted(speaker for group in VOCASET_SPLIT.values() for speaker in group))
SENTENCES: tuple[str, ...] = tuple(f"sentence{number:02d}" for number in range(1, 41))

#: Clips whose audio was published without motion; not errors.
KNOWN_GAPS: frozenset[tuple[str, str]] = frozenset(
    {("FaceTalk_170811_03274_TA", "sentence24"), ("FaceTalk_170809_00138_TA", "sentence32")}
)


def default_split(speakers: Iterable[str]) -> dict[str, str]:
    """Assign every speaker to a split: VOCASET's where the name is known, else by position.

    Other speakers are sorted by name; about a sixth each (at least one, where there are three or more) go to
    validation and test, taken from the end, and the rest to train.

    :returns: speaker to split name.
    """
    known = {speaker: split for split, group in VOCASET_SPLIT.items() for speaker in group}
    others = sorted(speaker for speaker in set(speakers) if speaker not in known)
    share = max(len(others) // 6, 1) if len(others) >= 3 else 0
    assigned = {speaker: known[speaker] for speaker in set(speakers) if speaker in known}
    for position, speaker in enumerate(others):
        from_end = len(others) - position
        assigned[speaker] = "test" if from_end <= share else "validation" if from_end <= 2 * share else "train"
    return dict(sorted(assigned.items()))


def check_split(split: dict[str, list[str]], speakers: Iterable[str]) -> dict[str, str]:
    """Turn a ``{split: [speakers]}`` table, as a corpus states it in ``splits.json``, into speaker to split name.

    :raises InputError: for an unknown split name, a speaker in two splits, or one in none.
    """
    assigned: dict[str, str] = {}
    for name, group in split.items():
        if name not in SPLIT_NAMES:
            raise InputError("unknown split", expected=f"one of {SPLIT_NAMES}", found=repr(name))
        for speaker in group:
            if speaker in assigned:
                raise InputError(f"speaker {speaker} is in two splits", found=f"{assigned[speaker]} and {name}")
            assigned[speaker] = name
    missing = sorted(set(speakers) - set(assigned))
    if missing:
        raise InputError("speakers without a split", found=missing, remedy="Name them in splits.json.")
    return {speaker: assigned[speaker] for speaker in sorted(set(speakers))}
