"""``blendvoca build`` as a user calls it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from sample_builders import copied, frame, rewrite, small_sample

from blendvoca.cli import main


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_sample(tmp_path_factory.mktemp("sample") / "corpus", max_frames=9)


def run(*arguments: object):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_build_then_info(corpus, tmp_path):
    out = tmp_path / "BlendVOCA"
    result = run("build", corpus, "--out", out, "--jobs", 0)
    assert result.exit_code == 0, result.output
    assert "VOCASET, folders, 2 speakers, 4 sequences" in result.output
    assert "speaker02" in result.output
    assert "Fit mm" in result.output
    assert "\x1b" not in result.output, "no colours and bars where there is no terminal"
    assert f"Look inside: blendvoca info {out}" in result.output
    assert run("info", out).exit_code == 0
    again = run("build", corpus, "--out", out, "--jobs", 0, "--verbose")
    assert again.exit_code == 0
    assert "Nothing to do" in again.output
    assert "kept, nothing changed" in again.output
    checked = run("build", corpus, "--out", out, "--jobs", 0, "--check")
    assert checked.exit_code == 0
    assert "same bytes" in checked.output
    (out / "speaker01.h5").write_bytes(b"")
    checked = run("build", corpus, "--out", out, "--jobs", 0, "--check")
    assert checked.exit_code == 1
    assert "speaker01.h5" in checked.output


def test_one_bad_sequence_shows_in_the_exit_code(corpus, tmp_path):
    spoilt = copied(corpus, tmp_path / "spoilt")
    rewrite(frame(spoilt, "speaker01/sentence02", 3), "cut")
    result = run("build", spoilt, "--out", tmp_path / "out", "--jobs", 0)
    assert result.exit_code == 1
    assert "1 could not be built" in result.output
    assert "sentence02.00000" in result.output
    assert (tmp_path / "out" / "speaker01.h5").exists()


@pytest.mark.parametrize("what", ["missing", "no corpus"])
def test_no_corpus_is_one_line(tmp_path, what):
    place = tmp_path / "place"
    if what == "no corpus":
        place.mkdir()
        (place / "notes.txt").write_text("")
    result = run("build", place, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert str(place) in result.output
    assert len(result.output.splitlines()) == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["build", "fit", "synth", "download"])
def test_help_is_instant(command):
    code = f"import sys; from blendvoca.cli import main; main([{command!r}, '--help'], standalone_mode=False); " \
           "assert not {'numpy', 'pipelines.build'} & sys.modules.keys()"  # fmt: skip
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "default:" in result.stdout
