"""Failures of one kind are one line."""

from pipelines.failures import each, grouped, kind
from pipelines.runner import Failure


def test_failures_of_one_kind_are_counted() -> None:
    failures = [Failure("fit", f"speaker01/sentence{n:02}", f"/data/s/{n:02}.wav: no sound; expected RIFF, found {n}")
                for n in range(36)]  # fmt: skip
    failures.append(Failure("fit", "speaker02/sentence01", "/data/x.ply: truncated at line 17"))
    failures.append(Failure("landmarks", "speaker03", "no landmarks for speaker03; expected a list"))
    lines = grouped(failures)
    assert lines[0].startswith("36 clips; first: speaker01/sentence00 (fit): /data/s/00.wav: no sound")
    assert lines[1:] == each(failures)[36:]


def test_kinds_differ_by_clause_not_by_place_or_number() -> None:
    assert kind("a/b.wav: 3 frames too long; found 7") == kind("c/d.wav: 12 frames too long; found 9")
    assert kind("a.ply: no faces") != kind("a.ply: truncated")
