"""Ledger and runner with stages that do almost nothing."""

from __future__ import annotations

import multiprocessing
import signal
from pathlib import Path

import pytest
from pipelines_fakes import Double, Settings, Total

from blendvoca.errors import OutputError
from pipelines.executors import InProcess, Processes
from pipelines.output import only_build
from pipelines.progress import NoReport
from pipelines.runner import Interrupted, StageReport, run_stages
from pipelines.workspace import Workspace

STAGES = (Double(), Total())


class Notes(NoReport):
    """Keeps what is reported."""

    def __init__(self) -> None:
        self.details: list[str] = []

    def detail(self, text: str) -> None:
        self.details.append(text)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for group in "ab":
        for number in range(3):
            (folder / f"{group}+{number}.txt").write_text(f"{number + 1}\n")
    return folder


def build(source: Path, out: Path, jobs: int = 0, notes: Notes | None = None, force: bool = False, **settings):
    work = Workspace(Settings(source, **settings), out)
    with Processes(work, jobs) if jobs else InProcess(work) as executor:
        return run_stages(STAGES, work, executor, notes or NoReport(), force)


def counts(reports: list[StageReport]) -> list[tuple[int, int, int, int]]:
    return [(len(r.done), len(r.kept), len(r.blocked), len(r.failures)) for r in reports]


def contents(out: Path) -> dict[str, bytes]:
    return {str(p.relative_to(out)): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}


def test_second_build_does_nothing(source, tmp_path):
    assert counts(build(source, tmp_path / "out")) == [(6, 0, 0, 0), (2, 0, 0, 0)]
    before = contents(tmp_path / "out")
    assert counts(build(source, tmp_path / "out")) == [(0, 6, 0, 0), (0, 2, 0, 0)]
    assert contents(tmp_path / "out") == before
    assert (tmp_path / "out" / "a.total").read_text() == "12\n"


def test_workers_give_the_same_bytes(source, tmp_path):
    build(source, tmp_path / "one")
    build(source, tmp_path / "two", jobs=2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_only_what_changed_is_done(source, tmp_path):
    build(source, tmp_path / "out")
    (source / "a+1.txt").write_text("10\n")
    notes = Notes()
    assert counts(build(source, tmp_path / "out", notes=notes)) == [(1, 5, 0, 0), (1, 1, 0, 0)]
    assert "double a/1: to do, input number changed" in notes.details
    assert "total a: to do, input a/1 changed" in notes.details
    assert "total b: kept, nothing changed" in notes.details


def test_redone_to_the_same_bytes_stops_there(source, tmp_path):
    build(source, tmp_path / "out")
    (source / "a+1.txt").write_text("2\n\n")  # another file, the same number
    assert counts(build(source, tmp_path / "out")) == [(1, 5, 0, 0), (0, 2, 0, 0)]


def test_another_setting_or_version_does_all_again(source, tmp_path, monkeypatch):
    build(source, tmp_path / "out")
    notes = Notes()
    assert counts(build(source, tmp_path / "out", factor=3, notes=notes))[0] == (6, 0, 0, 0)
    assert "double a/0: to do, setting factor changed: 2 → 3" in notes.details
    monkeypatch.setattr(Double, "version", 2)
    notes = Notes()
    build(source, tmp_path / "out", factor=3, notes=notes)
    assert "double a/0: to do, stage version 1 → 2" in notes.details


@pytest.mark.parametrize("harm", ["flip", "cut", "remove", "mark cut", "mark is no mark", "mark of another form"])
def test_damage_is_noticed_and_mended(source, tmp_path, harm):
    out = tmp_path / "out"
    build(source, out)
    before = contents(out)
    victim, mark = out / ".stages" / "double" / "a+1.npz", out / ".stages" / "double" / "a+1.done"
    if harm == "flip":
        content = bytearray(victim.read_bytes())
        content[-40] ^= 1
        victim.write_bytes(content)
    elif harm == "cut":
        victim.write_bytes(victim.read_bytes()[:20])
    elif harm == "remove":
        victim.unlink()
    elif harm == "mark cut":
        mark.write_bytes(mark.read_bytes()[:-30])
    elif harm == "mark is no mark":
        mark.write_text("[]")
    else:
        mark.write_text('{"recipe": {"stage": "double"}}')
    assert counts(build(source, out)) == [(1, 5, 0, 0), (0, 2, 0, 0)]
    assert contents(out) == before


def test_a_damaged_final_file_is_made_again(source, tmp_path):
    out = tmp_path / "out"
    build(source, out)
    (out / "b.total").write_text("7\n")
    notes = Notes()
    assert counts(build(source, out, notes=notes)) == [(0, 6, 0, 0), (1, 1, 0, 0)]
    assert "total b: to do, its result was changed or damaged" in notes.details
    assert (out / "b.total").read_text() == "12\n"


def test_one_bad_item_does_not_stop_the_others(source, tmp_path):
    (source / "a+1.txt").write_text("\n")
    reports = build(source, tmp_path / "out")
    assert counts(reports) == [(5, 0, 0, 1), (2, 0, 0, 0)]
    assert "a+1.txt" in reports[0].failures[0].error
    assert (tmp_path / "out" / "a.total").read_text() == "8\n"
    (source / "a+1.txt").write_text("2\n")
    assert counts(build(source, tmp_path / "out")) == [(1, 5, 0, 0), (1, 1, 0, 0)]
    build(source, tmp_path / "fresh")
    assert contents(tmp_path / "out") == contents(tmp_path / "fresh")


def test_an_item_that_turns_bad_loses_its_mark(source, tmp_path):
    out = tmp_path / "out"
    build(source, out)
    for number in range(3):
        (source / f"a+{number}.txt").write_text("\n")
    assert counts(build(source, out)) == [(0, 3, 0, 3), (0, 1, 0, 1)]
    assert not (out / ".stages" / "double" / "a+1.done").exists()


def test_items_that_are_gone_are_forgotten(source, tmp_path):
    build(source, tmp_path / "out")
    (source / "a+1.txt").unlink()
    assert counts(build(source, tmp_path / "out")) == [(0, 5, 0, 0), (1, 1, 0, 0)]
    build(source, tmp_path / "fresh")
    assert contents(tmp_path / "out") == contents(tmp_path / "fresh")


def test_a_bug_is_told_and_others_go_on(source, tmp_path):
    reports = build(source, tmp_path / "out", misfortunes={"a/0": "bug"})
    found = reports[0].failures[0].error
    assert found.startswith("internal error in stage double, item a/0: ZeroDivisionError at pipelines_fakes.py:")
    assert found.endswith(": a bug (traceback in .stages/errors.log)")
    log = (tmp_path / "out" / ".stages" / "errors.log").read_text()
    assert "stage double, item a/0\nTraceback (most recent call last):" in log and log.rstrip().endswith("a bug")
    assert counts(reports)[0] == (5, 0, 0, 1)


def test_full_disk_stops_the_build_and_it_goes_on_afterwards(source, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(OutputError, match="No space left"):
        build(source, out, misfortunes={"a/2": "disk full"})
    assert counts(build(source, out)) == [(4, 2, 0, 0), (2, 0, 0, 0)]


def test_force_does_all_again(source, tmp_path):
    build(source, tmp_path / "out")
    assert counts(build(source, tmp_path / "out", force=True)) == [(6, 0, 0, 0), (2, 0, 0, 0)]


def test_interrupt_finishes_the_item_and_resumes(source, tmp_path):
    out = tmp_path / "out"
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(Interrupted):
        build(source, out, misfortunes={"a/1": "interrupt"})
    assert signal.getsignal(signal.SIGINT) is before
    assert sorted(p.name for p in (out / ".stages" / "double").glob("*.done")) == ["a+0.done", "a+1.done"]
    build(source, out)
    build(source, tmp_path / "fresh")
    assert contents(out) == contents(tmp_path / "fresh")


def test_a_dead_worker_is_replaced(source, tmp_path):
    reports = build(source, tmp_path / "out", jobs=2, misfortunes={"a/1": "worker killed once"})
    assert counts(reports) == [(6, 0, 0, 0), (2, 0, 0, 0)]
    build(source, tmp_path / "fresh")
    assert contents(tmp_path / "out") == contents(tmp_path / "fresh")


def test_an_item_that_kills_workers_is_given_up_alone(source, tmp_path):
    reports = build(source, tmp_path / "out", jobs=2, misfortunes={"a/1": "worker always killed"})
    assert counts(reports) == [(5, 0, 0, 1), (2, 0, 0, 0)]
    assert reports[0].failures[0].item == "a/1"
    assert "died" in reports[0].failures[0].error


def test_parts_left_by_a_kill_are_swept(source, tmp_path):
    out = tmp_path / "out"
    build(source, out)
    before = contents(out)
    (out / ".a.total.abc.part.total").write_text("half")
    (out / ".stages" / "double" / ".a+1.npz.xyz.part.npz").write_text("half")
    Workspace(Settings(source), out).ledger.sweep()
    assert contents(out) == before


def _hold(folder: Path, ready, release) -> None:
    with only_build(folder):
        ready.set()
        release.wait(20)


def test_lock_refuses_a_second_build_and_dies_with_its_holder(tmp_path):
    context = multiprocessing.get_context("spawn")
    ready, release = context.Event(), context.Event()
    holder = context.Process(target=_hold, args=(tmp_path, ready, release))
    holder.start()
    assert ready.wait(20)
    words = f"another build is writing here; found process {holder.pid}"
    with pytest.raises(OutputError, match=words), only_build(tmp_path):
        pass
    holder.kill()
    holder.join()
    with only_build(tmp_path):
        pass
