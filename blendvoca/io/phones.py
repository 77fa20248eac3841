"""Phone times as files: Praat's TextGrid, JSON, and label files (``.lab``, ``.phn``) of HTK, TIMIT and Festival."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from blendvoca.errors import FormatError, InputError, MissingInputError
from blendvoca.io.atomic import write_text
from blendvoca.io.files import StrPath, decode_text, naming, read_bytes
from blendvoca.io.json_file import list_of, mapping, number, parse_json, table, text
from blendvoca.phones import Phone, PhoneTrack

_SUFFIXES = (".textgrid", ".json", ".lab", ".phn")
#: HTK counts in units of 100 ns, TIMIT in samples at 16 kHz.
_HTK, _TIMIT = 1e-7, 1 / 16_000
_TIER = re.compile(r"phone|phon|segment|mau", re.IGNORECASE)
_FORM = '{file: {"text": …, "phones": [[label, start, end], …]}}'


def read_phones(path: StrPath) -> dict[str, PhoneTrack]:
    """Read phone times: by name of the recording (without its suffix).

    A folder is read file by file; a ``.json`` may hold many recordings; any other file holds the one of its own name.

    :param path: a file (``.TextGrid``, ``.json``, ``.lab``, ``.phn``), or a folder of such.
    :raises MissingInputError: if nothing is there.
    :raises FormatError: for another format, or phone times that are none.
    """
    place = Path(path)
    if place.is_dir():
        files = sorted(file for file in place.rglob("*") if file.suffix.lower() in _SUFFIXES)
        if not files:
            raise MissingInputError("no phone times here", expected=f"files that end in {_SUFFIXES}", path=place)
        found: dict[str, PhoneTrack] = {}
        for file in files:
            found |= read_phones(file)
        return found
    readers = {".json": _read_json, ".textgrid": _read_textgrid, ".lab": _read_labels, ".phn": _read_labels}
    reader = readers.get(place.suffix.lower())
    if reader is None:
        raise FormatError("no phone times", expected=f"one of {_SUFFIXES}", found=place.suffix, path=place)
    with naming(place):
        try:
            return reader(read_bytes(place), place)
        except InputError as error:
            raise FormatError(error.what, expected=error.expected, found=error.found, path=place) from error


def write_phones(path: StrPath, tracks: Mapping[str, PhoneTrack]) -> None:
    """Write phone times as JSON: ``{file: {"text": …, "phones": [[label, start, end], …]}}``.

    :raises OutputError: if it cannot be written.
    """
    table_of = {
        name: {"text": track.text, "phones": [[p.label, round(p.start, 4), round(p.end, 4)] for p in track.phones]}
        for name, track in tracks.items()
    }
    write_text(path, json.dumps(table_of, ensure_ascii=False, indent=1) + "\n")


def _phone(value: object, where: str) -> Phone:
    label, start, end = list_of(lambda entry, place: entry, 3, 3)(value, where)
    return Phone(text(40)(label, f"{where}[0]"), number(0)(start, f"{where}[1]"), number(0)(end, f"{where}[2]"))


_TABLE = mapping(table({"phones": list_of(_phone)}, {"text": text()}))


def _read_json(content: bytes, path: Path) -> dict[str, PhoneTrack]:
    found = parse_json(content, _TABLE, f"no table of phones such as {_FORM}", path)
    return {Path(name).stem: PhoneTrack(tuple(entry["phones"]), entry.get("text", "")) for name, entry in found.items()}


def _read_labels(content: bytes, path: Path) -> dict[str, PhoneTrack]:
    """Read lines of two numbers and a label (HTK, TIMIT, seconds), or Festival's end, colour and label."""
    rows = [line.split() for line in decode_text(content, path).splitlines()]
    body = rows[rows.index(["#"]) + 1 :] if ["#"] in rows else rows
    body = [row for row in body if row]
    festival = ["#"] in rows
    phones: list[Phone] = []
    try:
        numbers = [(0.0 if festival else float(row[0]), float(row[0] if festival else row[1])) for row in body]
        labels = [row[2] for row in body]
    except (ValueError, IndexError) as error:
        raise FormatError("not a label file", expected="start, end and label a line", found=str(error)) from error
    unit = 1.0
    if not festival and all(end == int(end) for _, end in numbers) and numbers and numbers[-1][1] > 1000:
        unit = _HTK if path.suffix.lower() == ".lab" else _TIMIT
    for (start, end), label in zip(numbers, labels):
        phones.append(Phone(label, phones[-1].end if festival and phones else start * unit, end * unit))
    return {path.stem: PhoneTrack(tuple(phones))}


def _read_textgrid(content: bytes, path: Path) -> dict[str, PhoneTrack]:
    """Read the tier of phones: the one that is called so, or the last."""
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        whole = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise FormatError("not a text file", expected="UTF-8 or UTF-16", found=str(error)) from error
    tiers = re.split(r'"IntervalTier"', whole)[1:]
    if not tiers:
        raise FormatError("no TextGrid of intervals", expected='"IntervalTier"')
    # Long and short form hold the same values in the same order: names and equals signs fall away.
    parsed = [_values(tier) for tier in tiers]
    named = [tier for tier in parsed if _TIER.search(str(tier[0]))]
    values = (named or parsed)[-1 if not named else 0]
    try:
        count = int(float(values[3]))
        rows = [values[4 + 3 * i : 7 + 3 * i] for i in range(count)]
        phones = tuple(Phone(str(label), float(start), float(end)) for start, end, label in rows)
    except (ValueError, IndexError, OverflowError) as error:
        raise FormatError("a tier of the TextGrid breaks off", found=str(error)) from error
    return {path.stem: PhoneTrack(phones)}


def _values(tier: str) -> list[str]:
    """Return the quoted texts and numbers of a tier: name, start, end, count, then start, end and label each."""
    plain = re.sub(r"\b(intervals|item)\s*(\[\d*\])\s*:?", " ", tier)
    plain = re.sub(r"intervals:\s*size\s*=", " ", plain)
    found = re.findall(r'"((?:[^"]|"")*)"|(?<![\w.])(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)(?![\w.])', plain)
    return [quoted if quoted or not number_ else number_ for quoted, number_ in found]
