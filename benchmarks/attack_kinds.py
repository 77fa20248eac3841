"""The attacks: what is put in place of a proper file, by kind.

Written from what files can do to a reader, not from what the readers' tests hold.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import socket
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.attack_readers import Reader


@dataclass(frozen=True)
class Attack:
    """One attack.

    :param kind: what it tries.
    :param place: makes the file at a path.
    :param refused: whether only a typed error will do; a result is fine otherwise.
    """

    kind: str
    place: Callable[[Path], object]
    refused: bool = True


def attacks(reader: Reader) -> Iterator[Attack]:
    """Yield all attacks on a reader."""
    yield from (replace(attack, refused=attack.refused and not reader.optional) for attack in _stand_ins())
    yield from _cuts(reader.proper())
    suffix = Path(reader.name).suffix
    if reader.is_json:
        yield from _json(reader.proper())
    if suffix in (".npz", ".zip", ".pth"):
        yield from _archives(reader.proper())
    if suffix in (".txt", ".csv", ".obj") or reader.name == "a.ply":
        yield from _texts(reader.proper())
    if suffix == ".pkl":
        yield from _pickles()
    if suffix == ".h5":
        yield from _shards(reader.proper())
    if suffix == ".tar":
        yield from _tars(reader.proper())
    if suffix == ".npy":
        yield from _headers(reader.proper())
    if suffix == ".ply":
        yield from _plys()
    if suffix == ".wav":
        yield from _sounds(reader.proper())


def _bytes(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


def _stand_ins() -> Iterator[Attack]:
    """Yield what is no plain file, or no file of the kind."""

    def bound(path: Path) -> None:
        here = os.getcwd()
        os.chdir(path.parent)  # the address of a socket is short
        try:
            socket.socket(socket.AF_UNIX).bind(path.name)
        finally:
            os.chdir(here)

    yield Attack("a named pipe", lambda path: os.mkfifo(path))
    yield Attack("a socket", bound)
    yield Attack("a folder", lambda path: path.mkdir())
    yield Attack("endless zeros", lambda path: path.symlink_to("/dev/zero"))
    yield Attack("endless noise", lambda path: path.symlink_to("/dev/urandom"))
    yield Attack("the terminal", lambda path: path.symlink_to("/dev/tty"))
    yield Attack("a link to itself", lambda path: path.symlink_to(path.name))
    yield Attack("a link to nothing", lambda path: path.symlink_to("nothing"))
    yield Attack("a file of the system", lambda path: path.symlink_to("/proc/self/mem"))
    yield Attack("nothing", _bytes(b""))
    yield Attack("a web page", _bytes(b"<!DOCTYPE html><html><body>Sign in</body></html>"))
    yield Attack("a pointer of Git LFS", _bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"))
    yield Attack("zeros", _bytes(bytes(10_000)), refused=False)
    yield Attack("ones", _bytes(b"\xff" * 10_000))
    yield Attack("line ends", _bytes(b"\n" * 100_000), refused=False)


def _cuts(proper: bytes) -> Iterator[Attack]:
    """Yield a proper file that is cut off, goes on, or has a byte in its middle turned round."""
    for share in (0.05, 0.5, 0.9):
        yield Attack(f"cut off at {share:.0%}", _bytes(proper[: max(int(share * len(proper)), 1)]), refused=False)
    yield Attack("cut off by a byte", _bytes(proper[:-1]), refused=False)
    yield Attack("twice", _bytes(proper * 2), refused=False)
    yield Attack("zeros behind it", _bytes(proper + bytes(10_000)), refused=False)
    generator = np.random.default_rng(len(proper))
    for number in range(6):
        content = bytearray(proper)
        for place in generator.integers(len(content), size=1 + number):
            content[place] ^= 1 << int(generator.integers(8))
        yield Attack(f"{number + 1} bits turned round", _bytes(bytes(content)), refused=False)


_VALUES: dict[str, Any] = {
    "null": None, "a bool": True, "text": "x", "much text": "x" * 300_000, "a surrogate": "\ud800",
    "controls": "\x1b[31m\n", "a path": "../../EVIL", "a list": [[]], "an object": {"a": {}}, "minus one": -1,
    "a billion": 10**9, "beyond integers": 10**30, "beyond floats": 10**400, "small": 1e-300, "large": 1e300,
}  # fmt: skip


def _json(proper: bytes) -> Iterator[Attack]:
    """Yield documents with one value replaced, and documents that are no JSON."""
    document = json.loads(proper)
    places = list(_places(document))
    generator = np.random.default_rng(len(proper))
    chosen = [places[n] for n in generator.permutation(len(places))[:8]]
    for place in chosen:
        for name, value in _VALUES.items():
            yield Attack(
                f"{name} at {_spelt(place)}", _bytes(json.dumps(_with(document, place, value)).encode()), False
            )
        for text in ("NaN", "-Infinity", "1e400", '{"a": 1, "a": 2}', "[" * 100_000, "[" * 300 + "]" * 300):
            content = json.dumps(_with(document, place, "@@")).replace('"@@"', text)
            yield Attack(f"{text[:20]} at {_spelt(place)}", _bytes(content.encode()))
    for place in chosen:
        if isinstance(place[-1], str):
            yield Attack(f"no {_spelt(place)}", _bytes(json.dumps(_without(document, place)).encode()), False)
    yield Attack("the document {}", _bytes(b"{}"), refused=False)
    for text in ("[]", "3", "null", '"x"', "{"):
        yield Attack(f"the document {text}", _bytes(text.encode()))
    yield Attack("UTF-16", _bytes(proper.decode().encode("utf-16")))
    yield Attack("100,000 keys", _bytes(json.dumps(dict.fromkeys(map(str, range(100_000)), 0)).encode()))


def _places(document: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    entries = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in entries:
        yield (*before, key)
        yield from _places(value, (*before, key))


def _with(document: Any, place: tuple[Any, ...], value: Any) -> Any:
    copied = json.loads(json.dumps(document))
    inner = copied
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return copied


def _without(document: Any, place: tuple[Any, ...]) -> Any:
    copied = json.loads(json.dumps(document))
    inner = copied
    for key in place[:-1]:
        inner = inner[key]
    del inner[place[-1]]
    return copied


def _spelt(place: tuple[Any, ...]) -> str:
    return ".".join(map(str, place))[:60]


def _archives(proper: bytes) -> Iterator[Attack]:
    """Yield zips that unpack to gigabytes, lead outside, or lie about themselves."""
    with zipfile.ZipFile(io.BytesIO(proper)) as archive:
        held = {info.filename: archive.read(info) for info in archive.infolist()}
    largest = max(held, key=lambda name: len(held[name]))

    def packed(
        change: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED, more: dict[str, bytes] | None = None
    ) -> bytes:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", method) as archive:
            for name, content in ({**held, **change} | (more or {})).items():
                archive.writestr(name, content)
        return stream.getvalue()

    many = bytes(400 << 20)
    for method, name in ((zipfile.ZIP_DEFLATED, "deflate"), (zipfile.ZIP_BZIP2, "bzip2"), (zipfile.ZIP_LZMA, "lzma")):
        yield Attack(f"400 MiB of zeros, {name}", lambda path, m=method: path.write_bytes(packed({largest: many}, m)))
    for method, name in ((zipfile.ZIP_BZIP2, "bzip2"), (zipfile.ZIP_LZMA, "lzma")):
        yield Attack(f"{name}", _bytes(packed({}, method)), refused=False)
    for size in (0, 1, 0xFFFFFFFF):
        yield Attack(f"states {size} bytes", _bytes(_restated(packed({}), size)), refused=False)
    bomb = packed({largest: bytes(100 << 20)})
    yield Attack("understates 100 MiB", _bytes(_restated(bomb, 100)))
    for name in (
        "../EVIL",
        "/tmp/EVIL",
        "a/../../EVIL",
        "..\\EVIL",
        "C:\\EVIL",
        "a\0b",
        "\ud7ff" * 60,
        ".hidden",
        "con.obj",
    ):
        yield Attack(f"a member {name[:12]!a}", _bytes(packed({}, more={name: b"x"})), refused=False)
    yield Attack(
        "100,000 members", lambda path: path.write_bytes(packed({}, 0, {f"x/{n}": b"" for n in range(100_000)})), False
    )
    for claimed in ("(1000000000,)", "(1000000000000,)", "(-1, 3)", "(3, 3.5)", "(" * 500, "(0, 10**18)", "(9,)*9"):
        header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {claimed}, }}"
        yield Attack(f"an array of shape {claimed[:20]}", _bytes(packed({largest: _npy(header)})))
    for kind in ("|O", "<U1000000000", "|V0", "('<f8', (9, 9))", "[('a', '<f8')]", "<M8[s]", "nonsense"):
        text = kind if kind[0] in "([" else repr(kind)
        yield Attack(
            f"an array of type {kind}",
            _bytes(packed({largest: _npy(f"{{'descr': {text}, 'fortran_order': False, 'shape': (2,), }}")})),
        )
    link = io.BytesIO()
    with zipfile.ZipFile(link, "w") as archive:
        info = zipfile.ZipInfo(largest)
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    yield Attack("a member that is a link", _bytes(link.getvalue()))


def _npy(header: str, content: bytes = bytes(16)) -> bytes:
    text = header.encode().ljust(118) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + content


def _restated(content: bytes, size: int) -> bytes:
    """Return a zip whose directory states another unpacked size of every member."""
    data, place = bytearray(content), 0
    while (place := data.find(b"PK\x01\x02", place)) >= 0:
        struct.pack_into("<I", data, place + 24, size)
        place += 4
    return bytes(data)


def _texts(proper: bytes) -> Iterator[Attack]:
    yield Attack("one line of 20 MB", _bytes(b"1 " * 10_000_000), refused=False)
    yield Attack("100,000 equal names", _bytes(b",".join([b"jawOpen"] * 100_000) + b"\n" + proper), refused=False)
    yield Attack("bytes 128 to 255", _bytes(proper + bytes(range(128, 256))), refused=False)
    yield Attack("a NUL in it", _bytes(proper[: len(proper) // 2] + b"\0" + proper[len(proper) // 2 :]), refused=False)
    yield Attack("UTF-16", _bytes(b"\xff\xfe" + proper.decode("latin-1").encode("utf-16-le")), refused=False)
    yield Attack("controls of a terminal", _bytes(b"\x1b]0;EVIL\x07\x1b[2J" + proper), refused=False)
    yield Attack("an open quote", _bytes(proper + b'"' + b"x" * 1_000_000), refused=False)
    for number in (b"nan", b"inf", b"1e999", b"9" * 5000, b"-1", b"0x10", b"1_0"):
        content = bytearray(proper)
        digits = [n for n in range(len(content)) if content[n] in b"123456789"]
        place = digits[len(digits) // 2] if digits else 0
        content[place : place + 1] = number
        yield Attack(f"the number {number[:8].decode()}", _bytes(bytes(content)), refused=False)


class _Runs:
    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("touch EVIL",)


def _pickles() -> Iterator[Attack]:
    for protocol in range(6):
        yield Attack(f"a call, protocol {protocol}", _bytes(pickle.dumps({"a": _Runs()}, protocol)))
    for name in (
        b"builtins\neval",
        b"os\nsystem",
        b"numpy\nload",
        b"builtins\ngetattr",
        b"numpy.core.multiarray\n_reconstruct",
    ):
        yield Attack(f"calls {name.split()[-1].decode()}", _bytes(b"c" + name + b"\n(S'1'\ntR."))
    doubled = b"(lp0\n" + b"".join(b"(lp%d\n" % n + b"g%d\na" % (n - 1) * 9 for n in range(1, 12)) + b"."
    yield Attack("lists of lists of lists", _bytes(doubled), refused=False)
    shape = b"\x80\x02" + b"cnumpy\nndarray\n" + b"(" + b"K\x01" * 1000 + b"t" + b"R."
    yield Attack("an array of a thousand axes", _bytes(shape))
    yield Attack("deep", _bytes(b"(l" * 100_000 + b"a" * 99_999 + b"."), refused=False)
    yield Attack("bytes that are not there", _bytes(b"\x80\x04\x8e" + struct.pack("<Q", 1 << 40) + b"."))
    yield Attack(
        "an integer of megabytes",
        _bytes(b"\x80\x02\x8b" + struct.pack("<i", 4_000_000) + b"\x7f" * 4_000_000 + b"."),
        False,
    )
    yield Attack("the memo's place a billion", _bytes(b"\x80\x02}r\xff\xff\xff\x7f."), refused=False)
    array = pickle.dumps(np.zeros(3), 2)
    for count in (1 << 20, 1 << 31, 1 << 62):
        yield Attack(
            f"an array that claims {count}",
            _bytes(array.replace(b"K\x03\x85", b"\x8a\x08" + struct.pack("<q", count) + b"\x85")),
        )
    yield Attack("an array of objects", _bytes(pickle.dumps(np.array([None, "x"], object), 2)), refused=False)
    yield Attack("no end", _bytes(b"\x80\x02}q\x00" * 10_000))


def _shards(proper: bytes) -> Iterator[Attack]:
    import h5py

    def changed(change: Callable[[Any], object]) -> Callable[[Path], object]:
        def place(path: Path) -> None:
            path.write_bytes(proper)
            with h5py.File(path, "r+") as file:
                change(file)

        return place

    def replaced(name: str, value: Any, **more: Any) -> Callable[[Path], object]:
        def change(file: Any) -> None:
            del file[name]
            file.create_dataset(name, data=value, **more)

        return changed(change)

    clip = "clips/sentence01"

    def external(file: Any) -> None:
        other = Path(file.filename).with_name("other.h5")
        with h5py.File(other, "w") as there:
            there["audio"] = np.zeros(10, np.int16)
        del file[f"{clip}/audio"]
        file[f"{clip}/audio"] = h5py.ExternalLink(str(other), "audio")

    def stored(file: Any) -> None:
        del file[f"{clip}/audio"]
        file.create_dataset(f"{clip}/audio", (100,), "i2", external=[("/etc/passwd", 0, 200)])

    def virtual(file: Any) -> None:
        layout = h5py.VirtualLayout((10,), "i2")
        layout[:] = h5py.VirtualSource("/etc/passwd", "audio", (10,))
        del file[f"{clip}/audio"]
        file.create_virtual_dataset(f"{clip}/audio", layout)

    def circle(file: Any) -> None:
        file["clips/again"] = file["clips"]

    def soft(file: Any) -> None:
        del file[f"{clip}/audio"]
        file[f"{clip}/audio"] = h5py.SoftLink(f"/{clip}/coefficients")

    def named(name: str, value: Any) -> Callable[[Any], object]:
        return lambda file: file.attrs.__setitem__(name, value)

    for name, change in (("an external link", external), ("external storage", stored), ("a virtual dataset", virtual),
                         ("a circle", circle), ("a soft link", soft)):  # fmt: skip
        yield Attack(name, changed(change))
    for name in ("format", "format_version", "speaker", "licence_class"):
        for value in ("../../EVIL", "", "\x1b[2J", 3, np.zeros((3, 3)), b"\xff\xfe", "x" * 60_000):
            yield Attack(f"{name} {str(value)[:12]!a}", changed(named(name, value)))
    large = {"chunks": (100_000, 32), "compression": "gzip", "shuffle": True, "fletcher32": True}
    yield Attack(
        "a gigabyte of coefficients", replaced(f"{clip}/coefficients", np.zeros((8_000_000, 32), "f4"), **large)
    )
    shapes = [np.zeros(shape, "f4") for shape in ((6, 31), (0, 32), (6,), (), (6, 32, 1))]
    kinds = [np.zeros((6, 32), kind) for kind in ("c8", "S1", "i8")]
    for value in (*shapes, *kinds, np.full((6, 32), np.nan, "f4"), np.full((6, 32), 2.0, "f4")):
        yield Attack(f"coefficients {value.shape} {value.dtype}", replaced(f"{clip}/coefficients", value))
    yield Attack("names that inflate", replaced("rig/names", np.array([b"x" * 1_000_000] * 32), compression="gzip"))
    yield Attack("names of another number", replaced("rig/names", np.array([b"jawOpen"])))
    for number in (np.nan, -1.0, 0.0, 1e300, np.inf):
        yield Attack(
            f"{number} frames a second", changed(lambda file, n=number: file[clip].attrs.__setitem__("fps", n))
        )


def _tars(proper: bytes) -> Iterator[Attack]:
    with tarfile.open(fileobj=io.BytesIO(proper)) as tar:
        held = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]

    def packed(**more: Any) -> bytes:
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w") as tar:
            for name, content in held.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
            info = tarfile.TarInfo(more.pop("name", "extra"))
            content = more.pop("content", b"")
            info.size = len(content)
            for key, value in more.items():
                setattr(info, key, value)
            tar.addfile(info, io.BytesIO(content))
        return stream.getvalue()

    for name in ("../EVIL", "/tmp/EVIL", "a/b", ".hidden", "a\nb", "..", "x" * 300, "manifest.json"):
        yield Attack(f"a member {name[:12]!a}", _bytes(packed(name=name, content=b"x")))
    kinds = {
        "a link": tarfile.SYMTYPE, "a hard link": tarfile.LNKTYPE, "a device": tarfile.CHRTYPE,
        "a pipe": tarfile.FIFOTYPE,
        "a directory": tarfile.DIRTYPE, "sparse": tarfile.GNUTYPE_SPARSE,
    }  # fmt: skip
    for what, kind in kinds.items():
        yield Attack(what, _bytes(packed(type=kind, linkname="/etc/passwd")))
    yield Attack("a file that nothing lists", _bytes(packed(content=b"x")))
    yield Attack("a member of a terabyte", _bytes(packed()[:-10240].replace(b"00000000000\0", b"77777777777\0", 1)))


def _headers(proper: bytes) -> Iterator[Attack]:
    for shape in (
        "(10**9, 3, 3)",
        "(1000000000, 5023, 3)",
        "(-1, 4, 3)",
        "(2, 4)",
        "()",
        "(2, 4, 3, 1, 1, 1, 1, 1)",
        "(0, 4, 3)",
    ):
        yield Attack(
            f"the shape {shape}",
            _bytes(_npy(f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}", proper[-96:])),
        )
    for kind in ("|O", "<c16", "<U9", "|S4", "<i8"):
        yield Attack(
            f"the type {kind}",
            _bytes(_npy(f"{{'descr': '{kind}', 'fortran_order': False, 'shape': (2, 4, 3), }}", bytes(800))),
        )


def _plys() -> Iterator[Attack]:
    def head(*lines: str) -> bytes:
        return "\n".join(["ply", "format ascii 1.0", *lines, "end_header", ""]).encode()

    xyz = ["property float x", "property float y", "property float z"]
    for count in ("1000000000", "99999999999999999999", "-1", "1e3", ""):
        yield Attack(f"{count} vertices", _bytes(head(f"element vertex {count}", *xyz) + b"0 0 0\n"))
    yield Attack(
        "a million properties",
        _bytes(head("element vertex 1", *(f"property float p{n}" for n in range(200_000))) + b"0\n"),
    )
    yield Attack("a million elements", _bytes(head(*(f"element e{n} 0" for n in range(200_000))) + b"0\n"))
    faces = ["element vertex 3", *xyz, "element face 1", "property list uchar int vertex_indices"]
    for row in ("3 0 1 9", "3 0 1 -1", "255 0 1 2", "0", "2 0 1", "3 0 1", "3 0 1 1e9", "-3 0 1 2"):
        yield Attack(f"the face {row}", _bytes(head(*faces) + b"0 0 0\n1 0 0\n0 1 0\n" + row.encode() + b"\n"))
    yield Attack("no end of the header", _bytes(b"ply\nformat ascii 1.0\n" + b"comment x\n" * 100_000))


def _sounds(proper: bytes) -> Iterator[Attack]:
    for place, size, name in (
        (22, 2, "channels"),
        (24, 4, "rate"),
        (32, 2, "frame"),
        (34, 2, "bits"),
        (40, 4, "bytes"),
    ):
        for value in (0, 1, (1 << (8 * size)) - 1, 1 << (8 * size - 2)):
            content = bytearray(proper)
            content[place : place + size] = value.to_bytes(size, "little")
            yield Attack(f"{value} {name}", _bytes(bytes(content)), refused=False)
    for begin in (b"fLaC", b"OggS", b"ID3", b"FORM", b"RIFF\xff\xff\xff\xffWAVE", b"\0\0\0 ftypM4A ", b"\x1aE\xdf\xa3"):
        yield Attack(f"begins with {begin[:4]!a}", _bytes(begin + zlib.compress(proper) * 50))
