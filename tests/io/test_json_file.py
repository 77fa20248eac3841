"""JSON against declared shapes."""

from __future__ import annotations

import pytest

from blendvoca.errors import FormatError, MissingInputError
from blendvoca.internal.names import check_label
from blendvoca.io.json_file import (
    anything,
    boolean,
    choice,
    integer,
    list_of,
    mapping,
    number,
    optional,
    parse_json,
    read_json,
    table,
    text,
)

CARD = table(
    {"name": text(20, lambda name: check_label(name, "card")), "sizes": list_of(integer(0, 100), 1, 3)},
    {
        "ratio": number(0, 1),
        "open": boolean,
        "kind": choice("a", "b"),
        "facts": mapping(text()),
        "note": optional(text()),
    },
)
GOOD = (
    '{"name": "x", "sizes": [1, 2], "ratio": 1, "open": true, "kind": "b", "facts": {"k": "v"}, "note": null, "new": 1}'
)


def test_a_document_of_the_shape():
    assert parse_json(GOOD, CARD, "no card") == {
        "name": "x", "sizes": [1, 2], "ratio": 1.0, "open": True, "kind": "b", "facts": {"k": "v"}, "note": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"x"', "3", "name; expected text, found 3"),
        ('"x"', r'"\ud800"', "half of a character"),
        ('"x"', r'"\u001b[2J"', "name; expected 1 to 200 printable characters"),
        ("[1, 2]", "[1, 101]", r"sizes\[1\]; expected a whole number from 0 to 100, found 101"),
        ("[1, 2]", "[1.0]", r"sizes\[0\]; expected a whole number"),
        ("[1, 2]", "[true]", r"sizes\[0\]; expected a whole number"),
        ("[1, 2]", "[]", "sizes; expected a list from 1 to 3, found 0 of them"),
        ("[1, 2]", '{"0": 1}', "sizes; expected a list"),
        ('"ratio": 1', '"ratio": 2', "ratio; expected a number from 0 to 1, found 2"),
        ('"ratio": 1', '"ratio": NaN', "NaN, which JSON does not have"),
        ('"ratio": 1', '"ratio": 1e400', "beyond all floats"),
        ('"ratio": 1', '"ratio": 1' + "0" * 400, "ratio; expected a number"),
        ("true", "1", "open; expected true or false"),
        ('"b"', '"c"', "kind; expected one of"),
        ('{"k": "v"}', '{"k": 1}', "facts.k; expected text"),
        ('"open"', '"name"', "'name'.* twice"),
        ('"name": "x", ', "", "no .*'name'"),
    ],
)
def test_wrong_values_are_named_by_their_place(old, new, said):
    with pytest.raises(FormatError, match=said):
        parse_json(GOOD.replace(old, new, 1), CARD, "no card")


@pytest.mark.parametrize("content", [b"", b"[", b"\xff", b"nul", b"[" * 100_000, b"1" + b"0" * 10_000, b"[1,]"])
def test_what_is_no_json(content):
    with pytest.raises(FormatError):
        parse_json(content, CARD, "no card")


def test_unknown_keys_can_be_refused():
    with pytest.raises(FormatError, match="only the keys"):
        parse_json('{"a": 1, "b": 2}', table({"a": integer()}, more=False), "no card")


def test_files(tmp_path):
    path = tmp_path / "card.json"
    path.write_text(GOOD)
    assert read_json(path, CARD, "no card")["name"] == "x"
    path.write_text("[]")
    with pytest.raises(FormatError, match=r"card.json: no card: the document; expected an object with .*, found"):
        read_json(path, CARD, "no card")
    with pytest.raises(MissingInputError):
        read_json(tmp_path / "none.json", CARD, "no card")


@pytest.mark.parametrize("text", ["[" * 101 + "]" * 101, '{"a":' * 101 + "1" + "}" * 101])
def test_depth_is_bounded_for_every_shape(text):
    with pytest.raises(FormatError, match="brackets in one another"):
        parse_json(text, anything, "x")
    assert parse_json("[" * 100 + "]" * 100, anything, "x")
    assert len(parse_json("[" + "[[]]," * 99 + "[]]", anything, "x")) == 100


@pytest.mark.parametrize("text", [r'{"a": "\ud800"}', r'[["\udfff x"]]', r'{"\ud83d": 1}'])
def test_lone_surrogates_are_refused_for_every_shape(text):
    with pytest.raises(FormatError, match="half of a character"):
        parse_json(text, anything, "x")
    assert parse_json(r'"\ud83d\ude00"', anything, "x") == "😀"
