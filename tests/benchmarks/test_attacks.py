"""The attacks of ``benchmarks/attacks.py``, on readers that need no model; all of them where slow tests run."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="pip install 'blendvoca[said]' to run this test")
if importlib.util.find_spec("fcntl") is None:
    pytest.skip("the attacks fork", allow_module_level=True)

from benchmarks.attack_kinds import Attack, attacks
from benchmarks.attack_readers import Reader, readers
from benchmarks.attacks import run
from blendvoca.errors import FormatError


@pytest.mark.slow
@pytest.mark.parametrize("name", readers())
def test_no_attack_is_wrong(name):
    found = run(readers()[name])
    assert found["wrong"] == []
    assert found["tried"] > 25 and found["typed"] >= 5


def test_the_attacks_are_many():
    assert sum(1 for reader in readers().values() for _ in attacks(reader)) >= 500


@pytest.mark.slow
def test_every_fault_is_noticed(monkeypatch):
    """A reader that does everything wrong, so that the bench itself is known to see it."""

    def reads(path: Path) -> object:
        content = path.read_bytes()
        if content == b"crash":
            raise KeyError("x")
        if content == b"memory":
            return len(bytearray(b"x") * (400 << 20))
        if content == b"outside":
            return Path(path.parent.parent, "EVIL").write_text("x")
        if content == b"loud":
            raise FormatError("x" * 10_000)
        return content

    names = [b"crash", b"memory", b"outside", b"loud", b"must not be read", b"fine"]
    made = [Attack(name.decode(), lambda path, name=name: path.write_bytes(name), name != b"fine") for name in names]
    monkeypatch.setattr("benchmarks.attacks.attacks", lambda reader: iter(made))
    found = run(Reader(reads, "a.txt", lambda: b"proper"))
    assert [fault.split(":")[0] for fault in found["wrong"]] == [name.decode() for name in names[:-1]]
    assert "KeyError" in found["wrong"][0] and "MiB" in found["wrong"][1] and "for writing" in found["wrong"][2]
