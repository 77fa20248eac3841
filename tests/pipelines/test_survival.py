"""What happens to long jobs: kills, full and read-only disks, vanishing files, Ctrl-C. Then the same bytes as ever."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from sample_builders import copied, frame, hashes, quick, quick_source, small_sample

from blendvoca.audio import Waveform
from blendvoca.errors import OutputError
from blendvoca.io.sound.wav import read_audio, write_wav
from blendvoca.shard.verify import verify_shard
from pipelines.build import build
from pipelines.output import only_build
from pipelines.progress import NoReport


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_sample(tmp_path_factory.mktemp("survival") / "corpus", sentences=4, max_frames=9)


@pytest.fixture(scope="module")
def undisturbed(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    assert build(quick(corpus), out).failures == []
    return hashes(out)


def start(corpus: Path, out: Path, jobs: int = 2, **options) -> subprocess.Popen[str]:
    """Begin ``blendvoca build`` in a process group of its own."""
    code = "from blendvoca.cli import main; main()"
    command = [sys.executable, "-c", code, "build", str(corpus), "--out", str(out), "--jobs", str(jobs)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    options_of_quick = ["--method", "sumner-popovic", "--source-rig", quick_source()]
    return subprocess.Popen([*command, *options_of_quick], start_new_session=True, **pipes, **options)


def finish(corpus: Path, out: Path) -> str:
    """Run the build to its end."""
    process = start(corpus, out)
    words, _ = process.communicate(timeout=120)
    assert process.returncode == 0, words
    return words


def check_final_files(out: Path) -> None:
    """Whatever has a final name is whole."""
    for shard in out.glob("*.h5"):
        if not shard.name.startswith("."):
            assert verify_shard(shard) == []


def check_after_resume(corpus: Path, out: Path, undisturbed: dict[str, bytes]) -> None:
    check_final_files(out)
    finish(corpus, out)
    assert hashes(out) == undisturbed
    left = [path.name for path in out.rglob("*") if ".part" in path.name]
    assert left == []


def wait_until_gone(pids: list[int]) -> None:
    """Workers must not outlive their runner."""
    end = time.monotonic() + 20
    while any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in pids):
        assert time.monotonic() < end, "workers outlived their runner"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def duration(corpus: Path, undisturbed, tmp_path_factory: pytest.TempPathFactory) -> float:
    """Seconds that an undisturbed build of two workers takes."""
    begin = time.monotonic()
    finish(corpus, tmp_path_factory.mktemp("timed") / "out")
    return time.monotonic() - begin


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(24))
def test_killed_at_any_moment(seed, corpus, undisturbed, duration, tmp_path):
    """kill -9 of the runner (even seeds) or of a worker (odd ones) at 24 moments spread over the build."""
    out, moment = tmp_path / "out", random.Random(seed)
    process = start(corpus, out)
    # One moment in each 24th of the build, so that every stage is met.
    time.sleep(duration * (seed + moment.random()) / 24)
    workers = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    if seed % 2 and workers:
        moment.choice(workers).kill()
    elif process.poll() is None:
        process.kill()
    process.communicate(timeout=120)
    wait_until_gone([worker.pid for worker in workers])
    check_after_resume(corpus, out, undisturbed)


@pytest.mark.slow
def test_killed_again_and_again(corpus, undisturbed, duration, tmp_path):
    """Each build goes on from where the last was killed, and is killed in turn."""
    out, moment, kills = tmp_path / "out", random.Random(0), 0
    for _ in range(20):
        process = start(corpus, out)
        time.sleep(duration * moment.uniform(0.2, 0.6))
        kills += process.poll() is None
        process.kill()
        process.communicate(timeout=120)
    assert kills >= 1
    check_after_resume(corpus, out, undisturbed)


def wait_for(pattern: str, out: Path) -> None:
    """Wait until a file of that kind appears."""
    end = time.monotonic() + 60
    while not any(out.glob(pattern)):
        assert time.monotonic() < end, f"no {pattern}"
        time.sleep(0.01)


def test_interrupt_finishes_and_exits_130(corpus, undisturbed, tmp_path):
    out = tmp_path / "out"
    process = start(corpus, out)
    wait_for(".stages/landmarks/*.done", out)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the runner and its workers
    words, _ = process.communicate(timeout=60)
    assert process.returncode == 130, words
    assert "Stopping" in words
    assert "goes on from here" in words
    assert "Traceback" not in words
    assert not (out / "manifest.json").exists()
    check_after_resume(corpus, out, undisturbed)


def test_a_second_build_is_refused_and_the_first_unharmed(corpus, undisturbed, tmp_path):
    out = tmp_path / "out"
    build(quick(corpus), out)
    with only_build(out):
        process = start(corpus, out)
        words, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "another build is writing here" in words
    assert hashes(out) == undisturbed


class Meddler(NoReport):
    """Does something once, when a stage begins."""

    def __init__(self, stage: str, deed) -> None:
        self.stage, self.deed = stage, deed

    def begin(self, stage, total, skipped) -> None:
        if stage.name == self.stage:
            self.deed()


def test_a_file_that_disappears_costs_its_clip_only(corpus, undisturbed, tmp_path):
    mine, out = copied(corpus, tmp_path / "corpus"), tmp_path / "out"
    victim = frame(mine, "speaker01/sentence02", 5)
    config = quick(mine)
    result = build(config, out, reporter=Meddler("fit", victim.unlink))
    assert [failure.item for failure in result.failures] == ["speaker01/sentence02"]
    assert victim.name in result.failures[0].error
    # The frame comes back as it was, with its time.
    shutil.copy2(frame(corpus, "speaker01/sentence02", 5), victim)
    assert build(config, out).failures == []
    assert hashes(out) == undisturbed


def test_sound_that_changes_under_way_is_noticed(corpus, tmp_path):
    mine = copied(corpus, tmp_path / "corpus")
    sound = mine / "audio" / "speaker01" / "sentence01.wav"

    def deed() -> None:
        before = read_audio(sound)
        write_wav(sound, Waveform(np.linspace(0, 0.5, len(before)), before.rate))

    result = build(quick(mine), tmp_path / "out", reporter=Meddler("pack", deed))
    assert [failure.item for failure in result.failures] == ["speaker01"]
    assert "changed while building" in result.failures[0].error


def _limit_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))


def test_files_that_may_not_grow(corpus, undisturbed, tmp_path):
    out = tmp_path / "out"
    process = start(corpus, out, preexec_fn=_limit_files)
    words, _ = process.communicate(timeout=120)
    assert process.returncode == 1, words
    assert "File too large" in words
    assert "Traceback" not in words
    check_after_resume(corpus, out, undisturbed)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of a few megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", place], capture_output=True)
    if made.returncode:
        pytest.skip("mounting a small file system takes root's rights")
    yield place
    subprocess.run(["umount", place], check=True)


def test_full_disk(corpus, undisturbed, small_disk, tmp_path):
    out = small_disk / "out"
    process = start(corpus, out)
    words, _ = process.communicate(timeout=120)
    assert process.returncode == 1, words
    assert "No space left" in words
    assert "Traceback" not in words
    check_final_files(out)
    subprocess.run(["mount", "-o", "remount,size=200m", small_disk], check=True)
    check_after_resume(corpus, out, undisturbed)


def test_read_only_output(corpus, small_disk):
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(OutputError, match="Read-only"):
        build(quick(corpus), small_disk / "out")
