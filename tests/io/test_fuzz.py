"""A small dose of what ``benchmarks/fuzz.py`` gives in bulk: damaged files get a result or a typed error."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.fuzz import attempt, damaged
from benchmarks.fuzz import main as fuzz_main
from benchmarks.fuzz_targets import Target, targets

TARGETS = targets()
NAMES = [pytest.param(name, marks=pytest.mark.slow) if target.heavy else name for name, target in TARGETS.items()]
#: The same inputs in every run: CI must not fail by luck.
SEEDED = settings(
    derandomize=True,
    deadline=None,
    max_examples=60,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.mark.parametrize("name", NAMES)
def test_proper_files_are_read(name: str, tmp_path: Path) -> None:
    target = TARGETS[name]
    outcomes = [attempt(target, seed, tmp_path) for seed in target.seeds]
    assert outcomes.count("read") >= (5 if name == "pickle" else len(outcomes))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", NAMES)
def test_damaged_files_get_a_typed_error(name: str, tmp_path: Path) -> None:
    target = TARGETS[name]
    outcomes = {attempt(target, damaged(target, 1, number), tmp_path) for number in range(100 if target.slow else 300)}
    # What verify says of any damage is one kind of error; other readers meet several.
    assert outcomes == {"IntegrityError"} if name == "verify" else len(outcomes) > 1


@pytest.mark.parametrize("name", NAMES)
@SEEDED
@given(data=st.data())
def test_files_pieced_together_get_a_typed_error(name: str, tmp_path: Path, data: st.DataObject) -> None:
    target = TARGETS[name]
    attempt(target, data.draw(pieces(target)), tmp_path)


def pieces(target: Target) -> st.SearchStrategy[bytes]:
    """Bytes made of slices of proper files, words of the format and anything."""
    slices = st.builds(
        lambda seed, start, length: seed[start : start + length],
        st.sampled_from(target.seeds),
        st.integers(0, max(map(len, target.seeds))),
        st.integers(0, max(map(len, target.seeds))),
    )
    parts = st.one_of(slices, st.sampled_from(target.words), st.binary(max_size=12))
    return st.one_of(st.lists(parts, max_size=8).map(b"".join), st.binary(max_size=200))


def test_the_bench_reports_a_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    out = tmp_path / "fuzz.json"
    monkeypatch.setattr(sys, "argv", ["fuzz.py", "csv", "--inputs", "50", "--out", str(out)])
    assert fuzz_main() == 0
    assert sum(json.loads(out.read_text())["readers"]["csv"]["outcomes"].values()) == 50
    broken = Target(lambda data, _: [][len(data)], lambda: (b"seed",))
    with pytest.raises(IndexError):
        attempt(broken, damaged(broken, 0, 0), tmp_path)
