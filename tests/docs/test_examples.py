"""Every script of the examples page runs, and the page shows every script."""

import re
import runpy
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
SCRIPTS = sorted(path.name for path in (DOCS / "examples").glob("*.py"))
SLOW = {"build_and_read.py", "rig_a_head.py"}
MODEL = {"sample_speech.py", "edit_a_track.py"}


@pytest.mark.parametrize("script", [pytest.param(s, marks=pytest.mark.slow if s in SLOW else ()) for s in SCRIPTS])
def test_it_runs(script, tmp_path, monkeypatch, capsys):
    for package in ("torch", "diffusers") if script in MODEL else ():
        pytest.importorskip(package, reason="pip install 'blendvoca[said]' to run this test")
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(DOCS / "examples" / script), run_name="__main__")
    assert capsys.readouterr().out.strip()


def test_the_page_shows_every_script():
    page = (DOCS / "examples.md").read_text()
    assert sorted(re.findall(r"\{literalinclude\} examples/(\w+\.py)", page)) == SCRIPTS
