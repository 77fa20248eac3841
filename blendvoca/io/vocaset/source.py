"""Recognising VOCASET: look at what was pointed at, say what it is, and name what is missing and what that costs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from blendvoca.errors import FormatError, InputError, MissingInputError
from blendvoca.internal.names import check_file_name, shown
from blendvoca.io.files import StrPath, naming
from blendvoca.io.json_file import list_of, mapping, read_json, table, text
from blendvoca.io.stores import FolderStore, Store, ZipStore
from blendvoca.io.vocaset.corpus import Corpus, Form, Holdings, Missing
from blendvoca.io.vocaset.folders import open_folders
from blendvoca.io.vocaset.preprocessed import ARRAYS, PreprocessedForm
from blendvoca.io.vocaset.training_package import ROWS, SOUNDS, TEMPLATES, VERTICES, PackageForm
from blendvoca.speakers import KNOWN_GAPS, SENTENCES, VOCASET_FPS, VOCASET_SPEAKERS, check_split

_FORMS = (
    f"templates/ and unposedcleaneddata/, VOCASET's zip archives, {VERTICES} with its pickles, "
    f"or {ARRAYS}/ and {TEMPLATES}"
)

#: What browsers, curl-like tools and torrents call a file while it comes.
_UNFINISHED = frozenset((".part", ".partial", ".crdownload", ".download", ".aria2", ".tmp"))
_SPLITS = mapping(list_of(text()))
_SAMPLE = table({}, {"known_gaps": list_of(list_of(text(), 2, 2))})


def open_corpus(path: StrPath, fps: float = VOCASET_FPS) -> Corpus:
    """Recognise a corpus at ``path``: folders, one archive, a folder of archives, or the training package.

    A ``splits.json`` beside it (``{"train": [speakers], …}``) states the split.

    :raises MissingInputError: if nothing is there.
    :raises FormatError: if it is no VOCASET, or a file that had to be opened is damaged.
    :raises UnsafePickleError: if a pickle holds more than plain data.
    """
    target = Path(path)
    form = _recognise(target, fps)
    held, misnamed = _usable(form.holdings())
    all_silent = any(lack.what == SOUNDS for lack in form.lacks())
    gaps = KNOWN_GAPS | _stated_gaps(target)
    missing = (*form.lacks(), *misnamed, *_missing(held, all_silent, gaps))
    fps = form.fps if isinstance(form, PreprocessedForm) else fps
    return Corpus(target, form, fps, missing, _splits(target, held), gaps, held)


def _usable(held: Mapping[str, Holdings]) -> tuple[dict[str, Holdings], list[Missing]]:
    """Leave out what cannot name a shard or a clip (a file manager's ``sentence01 (copy)``), and say so."""
    good: dict[str, Holdings] = {}
    taken: set[str] = set()
    found = []
    for speaker, has in held.items():
        if _is_misnamed(speaker, "speaker") or speaker.casefold() in taken:
            found.append(Missing("usable name", f"speaker {shown(speaker)} is left out; rename it"))
            continue
        bad = {name for name in has.motion | has.audio if _is_misnamed(name, "sentence")}
        if bad & has.motion:
            left_out = tuple(shown(name) for name in sorted(bad & has.motion))
            found.append(Missing("usable name", f"{_count(left_out)} left out; rename them", speaker, left_out))
        good[speaker] = Holdings(has.template, has.motion - bad, has.audio - bad)
        taken.add(speaker.casefold())
    return good, found


def _is_misnamed(name: str, what: str) -> bool:
    try:
        check_file_name(name, what)
    except InputError:
        return True
    return False


def _recognise(target: Path, fps: float) -> Form:
    if not target.exists():
        raise MissingInputError("nothing is here", expected=_FORMS, path=target)
    if target.is_dir():
        if (target / VERTICES).exists() or (target / ROWS).exists():
            return PackageForm(target, fps)
        if (target / ARRAYS).is_dir() and any((target / ARRAYS).glob("*.npy")):
            return PreprocessedForm(target)
        store: Store = FolderStore(target)
    elif target.suffix.lower() == ".zip":
        store = ZipStore(target)
    else:
        raise FormatError("no VOCASET", expected=_FORMS, found="a file", path=target)
    form = open_folders(store, fps)
    if form is not None:
        return form
    if any(name.endswith(VERTICES) for name in store.names()):
        raise FormatError(
            f"{VERTICES} lies deeper or in an archive",
            remedy="Unpack it and point at the folder that holds it: it is mapped into memory, not read.",
            path=target,
        )
    raise FormatError("no VOCASET", expected=_FORMS, found=_first_names(store),
                      remedy=unfinished_downloads(target) or None, path=target)  # fmt: skip


def unfinished_downloads(target: Path) -> str:
    """Return a sentence on files that a browser or a downloader has not finished, or nothing.

    :param target: the folder that should hold a corpus.
    """
    if not target.is_dir():
        return ""
    files = sorted(path.name for path in target.iterdir() if path.suffix.lower() in _UNFINISHED)
    if not files:
        return ""
    more = f" and {len(files) - 1} more" if files[1:] else ""
    return f"The download is not finished: {files[0]}{more}."


def _first_names(store: Store) -> str:
    names = store.names()
    return f"{', '.join(names[:3])}{' …' if names[3:] else ''}" if names else "no files"


def _missing(held: Mapping[str, Holdings], all_silent: bool, known_gaps: frozenset[tuple[str, str]]) -> list[Missing]:
    """List what single speakers lack, apart from gaps that are known."""
    found = []
    for speaker, has in held.items():
        gaps = {sentence for who, sentence in known_gaps if who == speaker}
        silent = tuple(sorted(has.motion - has.audio))
        still = tuple(sorted(has.audio - has.motion - gaps))
        if not has.motion:
            found.append(Missing("motion", "nothing to fit; the speaker is left out", speaker))
            continue
        if not has.template:
            cost = f"no rig can be made; {_count(has.motion)} left out"
            found.append(Missing("template", cost, speaker))
        if silent and not all_silent:
            found.append(Missing("sound", f"{_count(silent)} cannot become clips with speech", speaker, silent))
        if still:
            found.append(Missing("motion", f"{_count(still)} left out, though there is sound", speaker, still))
        if speaker in VOCASET_SPEAKERS:
            absent = tuple(name for name in SENTENCES if name not in has.motion | has.audio | gaps)
            if absent:
                cost = f"{_count(absent)} of VOCASET's 40 are not in the result"
                found.append(Missing("motion and sound", cost, speaker, absent))
    known = [speaker for speaker in VOCASET_SPEAKERS if speaker in held]
    others = [speaker for speaker in VOCASET_SPEAKERS if speaker not in held]
    if known and others:
        shown = ", ".join(others[:3]) + (f" and {len(others) - 3} more" if others[3:] else "")
        cost = f"the result has {len(known)} of the published split's {len(VOCASET_SPEAKERS)} speakers"
        found.append(Missing(f"speakers {shown}" if others[1:] else f"speaker {shown}", cost))
    return found


def _count(sentences: object) -> str:
    number = len(sentences)  # type: ignore[arg-type]
    return f"{number} sentence{'s' * (number != 1)}"


def _stated_gaps(target: Path) -> frozenset[tuple[str, str]]:
    """Return the gaps that the embedded sample states in its ``sample.json``."""
    try:
        stated = read_json(target / "sample.json", _SAMPLE, "no description of a sample").get("known_gaps", ())
    except (FormatError, MissingInputError):
        return frozenset()
    return frozenset((speaker, sentence) for speaker, sentence in stated)


def _splits(target: Path, held: Mapping[str, Holdings]) -> dict[str, str] | None:
    path = target / "splits.json"
    if not target.is_dir() or not path.exists():
        return None
    with naming(path):
        return check_split(read_json(path, _SPLITS, 'no table of splits such as {"train": [speakers], …}'), held)
