"""Pickles: plain data comes through as Python itself would read it, everything else is refused before it runs."""

from __future__ import annotations

import collections
import datetime
import os
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blendvoca.errors import BlendvocaError, FormatError, MissingInputError, UnsafePickleError
from blendvoca.io.pickle.safe_pickle import decode_pickle, read_pickle

SHARED = np.arange(3.0)
PLAIN: dict[str, Any] = {
    "speaker": {"sentence01": {frame: frame + 7 for frame in range(300)}},
    "float": np.random.default_rng(0).random((4, 3)),
    "fortran": np.asfortranarray(np.random.default_rng(1).random((4, 3)).astype(">f4")),
    "ints": np.arange(5, dtype="<i2"),
    "empty": np.zeros((0, 3), np.float32),
    "zero-dimensional": np.array(3.5),
    "bools": np.array([True, False]),
    "strings": np.array(["a", "bcd"]),
    "scalar": np.float32(2.5),
    "audio": {"audio": np.arange(9, dtype=np.int16), "sample_rate": 22000},
    "python": [
        None,
        True,
        False,
        1,
        -5,
        2**70,
        1.5,
        2 + 3j,
        b"\xff\x00a",
        b"",
        "é\n'",
        (),
        (1,),
        (1, 2.5, "x"),
        [[]],
        {},
    ],
    ("tuple", 1): [SHARED, SHARED],
}


def same(a: Any, b: Any) -> bool:
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and bool(np.array_equal(a, b))
    return bool(a == b)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_data_of_every_protocol(protocol: int, tmp_path: Path) -> None:
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(PLAIN, protocol))
    assert same(read_pickle(tmp_path / "a.pkl"), PLAIN)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("core", [b"numpy.core", b"numpy._core"])
def test_old_and_new_names_of_numpy(protocol: int, core: bytes) -> None:
    data = pickle.dumps(np.arange(4.0), protocol)
    name = b"numpy._core" if b"numpy._core" in data else b"numpy.core"
    if protocol >= 4 and core != name:
        pytest.skip("names with their length in front")
    assert decode_pickle(data.replace(name, core)).tolist() == [0, 1, 2, 3]


def python2_array(values: np.ndarray[Any, Any], protocol: int) -> bytes:
    """An array as Python 2 wrote it: its bytes, type code and byte order as native strings."""
    raw = values.tobytes()
    code, order = values.dtype.str[1:].encode(), values.dtype.str[:1].encode()
    if protocol == 0:
        content = b"S" + repr(raw)[1:].encode() + b"\n"
        text = b"S'%s'\n"
    else:
        content = b"T" + struct.pack("<i", len(raw)) + raw
        text = b"U\x02%s" if len(code) == 2 else b"U\x03%s"
    shape = b"(" + b"".join(b"I%d\n" % n for n in values.shape) + b"t"
    dtype = b"cnumpy\ndtype\n(" + text % code + b"I0\nI1\ntR(I3\nS'%s'\nNNNI-1\nI-1\nI0\ntb" % order
    return (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n"
        + shape
        + dtype
        + b"I00\n"
        + content
        + b"tb"
    )


@pytest.mark.parametrize("protocol", [0, 1])
@pytest.mark.parametrize("dtype", ["<f4", ">f8", "<i2", "|u1"])
def test_arrays_of_python_2(protocol: int, dtype: str) -> None:
    values = np.arange(-6, 250).astype(dtype).reshape(2, 128)
    data = b"(dp0\nS'FaceTalk_170725_00137_TA'\np1\n" + python2_array(values, protocol) + b"p2\ns."
    assert same(decode_pickle(data), {"FaceTalk_170725_00137_TA": values})
    # Python itself agrees, though NumPy turns the bytes into this machine's order.
    assert np.array_equal(pickle.loads(data, encoding="latin1")["FaceTalk_170725_00137_TA"], values)


class Evil:
    """Touches a file when it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "value",
    [
        os.system,
        print,
        collections.OrderedDict(a=1),
        {1, 2},
        datetime.date(2020, 1, 1),
        Path("a"),
        np.array([None, {}], object),
        np.zeros(2, [("x", "f4")]),
        np.datetime64("2020-01-01"),
        np.array(["2020"], "M8[D]"),
        np.ma.masked_array([1.0]),
        np.random.default_rng(0),
        slice(1),
        range(3),
        BlendvocaError("x"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_everything_else_is_refused(value: Any, protocol: int) -> None:
    with pytest.raises(UnsafePickleError):
        decode_pickle(pickle.dumps({"speaker": [value]}, protocol))


def test_no_code_runs(tmp_path: Path) -> None:
    marker = tmp_path / "touched"
    with pytest.raises(UnsafePickleError, match="system"):
        decode_pickle(pickle.dumps({"a": [1, Evil(str(marker))]}))
    assert not marker.exists()


RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
F8 = b"cnumpy\ndtype\n(S'f8'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntb"
OBJECTS = b"cnumpy\ndtype\n(S'O8'\nI0\nI1\ntR"


@pytest.mark.parametrize(
    "data",
    [
        b"cos\nsystem\n(S'true'\ntR.",
        b"c__builtin__\neval\n(S'1'\ntR.",
        b"cnumpy.core.multiarray\n_reconstruct\n.",
        b"cnumpy\nndarray\n.",
        b"cnumpy\nndarray\n(I3\ntR.",
        b"(cnumpy\nndarray\nt.",
        b"((cnumpy\nndarray\ntI1\nt.",
        b"](cnumpy\nndarray\nta.",
        RECONSTRUCT + b".",
        RECONSTRUCT + b"(I1\n(I1\nt" + OBJECTS + b"I00\n(lI1\natb.",
        RECONSTRUCT + b"(I1\n(I1\nt" + F8 + b"I00\n(lI1\natb.",
        b"cnumpy\ndtype\n(S'O'\nI0\nI1\ntR.",
        b"cnumpy\ndtype\n(S'V8'\nI0\nI1\ntR.",
        b"c_codecs\nencode\n(VA\nS'rot13'\ntR.",
        b"c__builtin__\nbytes\n(I1000000000\ntR.",
        b"(I1\nI2\ntI3\nb.",
        b"]I1\nb.",
        b"\x80\x04\x8c\x02os\x8c\x06system\x93.",
        b"\x82\x01.",
        b"Pid\n.",
        b"}((I1\nI2\nt(I3\nttI1\ns.",
        b"I1\nI2\na.",
        b"(I1\nI2\nI3\nI4\nu.",
    ],
)
def test_hand_made_attacks(data: bytes) -> None:
    with pytest.raises((UnsafePickleError, FormatError)):
        decode_pickle(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"\x80\x02",
        b"I1\n",
        b".",
        b"0.",
        b"t.",
        b"h\x07.",
        b"Ione\n.",
        b"Sunquoted\n.",
        b"T\xff\xff\xff\x7fabc.",
        b"\x8e" + b"\xff" * 8 + b"abc.",
        b"\x8b\xff\xff\xff\x7f\x01.",
        b"T\xff\xff\xff\xffabc.",
        RECONSTRUCT + b"(I1\n(I1000000000\nt" + F8 + b"I00\nS'12345678'\ntb.",
        RECONSTRUCT + b"(I1\n(I1000000000\nI0\nI1000000000000\nI1000000000000\nt" + F8 + b"I00\nS''\ntb.",
        RECONSTRUCT + b"(I1\n(I-1\nt" + F8 + b"I00\nS'12345678'\ntb.",
        RECONSTRUCT + b"(I1\nI1\nt" + F8 + b"b.",
        RECONSTRUCT + b"(tb.",
        b"cnumpy\ndtype\n(S'f16777216'\nI0\nI1\ntR.",
        b"(" * 1000 + b".",
    ],
)
def test_damaged_pickles(data: bytes) -> None:
    with pytest.raises(FormatError, match="pickles/bad"):
        decode_pickle(data, "pickles/bad.pkl")


def test_a_memo_index_costs_no_memory() -> None:
    assert decode_pickle(b"I5\nr\xff\xff\xff\xff0j\xff\xff\xff\xff.") == 5


def test_deep_nesting_is_no_crash() -> None:
    value = decode_pickle(b"]" * 200_000 + b"a" * 199_999 + b".")
    assert len(value) == 1


def test_missing_and_empty_files(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError):
        read_pickle(tmp_path / "nothing.pkl")
    (tmp_path / "empty.pkl").write_bytes(b"")
    with pytest.raises(FormatError, match=r"empty\.pkl"):
        read_pickle(tmp_path / "empty.pkl")
