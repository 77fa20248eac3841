"""Phone times in every form that they come in."""

from __future__ import annotations

import pytest

from blendvoca.errors import FormatError, InputError
from blendvoca.io.phones import read_phones, write_phones
from blendvoca.phones import Phone, PhoneTrack, phone_set

PHONES = (Phone("SIL", 0.0, 0.2), Phone("M", 0.2, 0.3), Phone("AA1", 0.3, 0.45))
LONG = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 0.45
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "IntervalTier"
        name = "words"
        xmin = 0
        xmax = 0.45
        intervals: size = 1
        intervals [1]:
            xmin = 0
            xmax = 0.45
            text = "ma ""x"" "
    item [2]:
        class = "IntervalTier"
        name = "phones"
        xmin = 0
        xmax = 0.45
        intervals: size = 3
        intervals [1]:
            xmin = 0
            xmax = 0.2
            text = "SIL"
        intervals [2]:
            xmin = 0.2
            xmax = 0.3
            text = "M"
        intervals [3]:
            xmin = 0.3
            xmax = 0.45
            text = "AA1"
"""
SHORT = '"ooTextFile"\n"TextGrid"\n0\n0.45\n<exists>\n1\n"IntervalTier"\n"phones"\n0\n0.45\n3\n' + "".join(
    f'{p.start}\n{p.end}\n"{p.label}"\n' for p in PHONES
)
FORMS = {
    "a.TextGrid": LONG,
    "b.textgrid": SHORT,
    "c.lab": "0 0.2 SIL\n0.2 0.3 M\n0.3 0.45 AA1\n",
    "d.lab": "0 2000000 SIL\n2000000 3000000 M\n3000000 4500000 AA1\n",
    "e.phn": "0 3200 SIL\n3200 4800 M\n4800 7200 AA1\n",
    "f.lab": "separator ;\n#\n0.2 125 SIL\n0.3 125 M\n0.45 125 AA1\n",
    "g.json": '{"g.wav": {"text": "ma", "phones": [["SIL", 0, 0.2], ["M", 0.2, 0.3], ["AA1", 0.3, 0.45]]}}',
}


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_form_holds_the_same(tmp_path, name, encoding):
    if encoding == "utf-16" and "extgrid" not in name.lower():
        pytest.skip("Praat alone writes UTF-16")
    (tmp_path / name).write_text(FORMS[name], encoding=encoding)
    (found,) = read_phones(tmp_path / name).items()
    assert found[0] == name[0]
    assert [p.label for p in found[1].phones] == ["SIL", "M", "AA1"]
    times = [t for p in found[1].phones for t in (p.start, p.end)]
    assert times == pytest.approx([t for p in PHONES for t in (p.start, p.end)])


def test_folders_and_writing(tmp_path):
    for name, content in FORMS.items():
        (tmp_path / name).write_text(content)
    assert set(read_phones(tmp_path)) == set("abcdefg")
    write_phones(tmp_path / "out.json", {"x.wav": PhoneTrack(PHONES, "ma")})
    assert read_phones(tmp_path / "out.json") == {"x": PhoneTrack(PHONES, "ma")}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.lab", "0 x SIL"), ("a.lab", "0 1"), ("a.lab", "0.5 0.2 M"), ("a.lab", "0 1 A\n0.5 2 B"),
        ("a.json", "[]"), ("a.json", '{"a": {"phones": [["M", 0]]}}'), ("a.json", '{"a": {"phones": [["M", 0, NaN]]}}'),
        ("a.TextGrid", "no grid"), ("a.TextGrid", LONG[:-40]), ("a.lab", "0 1 \u2603\n"), ("a.txt", "0 1 M"),
    ],
)  # fmt: skip
def test_what_is_none_is_refused(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    with pytest.raises(FormatError, match=name):
        read_phones(tmp_path / name)


@pytest.mark.parametrize(
    ("labels", "known"),
    [(["AA1", "M", "SH"], "ARPAbet"), (["m", "ɑː", "t"], "IPA"), (["m", "A:", "t", "@"], "X-SAMPA")],
)
def test_phone_sets_and_their_classes(labels, known):
    assert phone_set(labels) == known
    track = PhoneTrack(tuple(Phone(label, i, i + 1) for i, label in enumerate(["sil", *labels, ""])))
    assert [p.label.lower() for p in track.closures()] == ["m"]
    assert len(track.open_vowels()) == (2 if known == "X-SAMPA" else 1)
    assert len(track.pauses(0.5)) == 2


def test_unknown_symbols_are_named():
    with pytest.raises(InputError, match=r"unknown phone set.*☃"):
        phone_set(["☃", "m"])
