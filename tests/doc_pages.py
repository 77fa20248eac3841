"""The code blocks of README and guide: what runs, in which order, and why the others do not.

A fence of ``sh`` or ``python`` runs, in the order of its page, in a copy of a fresh demo. A comment in the line before
it says otherwise: ``<!-- not run: REASON -->``, or ``<!-- slow -->`` for what takes more than a few seconds. Other
languages (``text``, ``json``, ``bibtex``) are never commands.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("README.md", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")))
_FENCE = re.compile(r"^(?:<!-- *(?P<mark>[^\n]*?) *-->\n)?```(?P<language>[^\n]*)\n(?P<text>.*?)^```$", re.M | re.S)
#: What the shell, not click, must look at.
_SHELL = re.compile(r"[|<>$&;*?`]")


@dataclass(frozen=True)
class Block:
    """One fence.

    :param page: path of its page below the repository's root.
    :param language: what the fence says it is.
    :param text: what stands in it.
    :param mark: what the comment before it says, or nothing.
    """

    page: str
    language: str
    text: str
    mark: str

    @property
    def runs(self) -> bool:
        """Whether a reader can run it as it stands."""
        return self.language in ("sh", "python") and not self.mark.startswith("not run:")


def blocks(page: str) -> list[Block]:
    """Return the fences of a page, in order; Sphinx' directives are none."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = [Block(page, match["language"], match["text"], match["mark"] or "") for match in _FENCE.finditer(text)]
    return [block for block in found if not block.language.startswith("{")]


def make_demo(folder: Path) -> Path:
    """Run the recipe of ``make demo`` with this environment's programs and return the folder that it wrote."""
    if shutil.which("make") is None:
        pytest.skip("no make on this machine")
    command = ["make", "-s", "-C", str(ROOT), "-o", ".venv/.demo", "demo", f"DEMO={folder}", f"BIN={programs()}"]
    ended = subprocess.run(command, env=_environment(), capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return folder


def programs() -> Path:
    """Return the folder of this environment's programs."""
    return Path(sys.executable).parent


def _environment() -> dict[str, str]:
    # One thread: the tests' other processes leave no second core, and waiting threads would slow all of them.
    path = f"{programs()}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "OMP_NUM_THREADS": "1", "COLUMNS": "100"}


def run_block(block: Block, folder: Path, names: dict[str, object], *, like_a_user: bool) -> None:
    """Run a block in a folder; whatever fails is the test's failure.

    :param names: what the page's earlier Python blocks defined.
    :param like_a_user: every line in a shell of its own, as README's; else commands of ours run in this process.
    """
    if block.language == "python":
        exec(compile(block.text, f"{block.page}: {block.text.splitlines()[0]}", "exec"), names)
        return
    for line in _lines(block.text):
        ours = shlex.split(line, comments=True)[0] in ("blendvoca", "said") and not _SHELL.search(line.split(" #")[0])
        if ours and not like_a_user:
            _call(line)
        else:
            ended = subprocess.run(["bash", "-euo", "pipefail", "-c", line], cwd=folder, env=_environment(),
                                   stdin=subprocess.DEVNULL, capture_output=True, text=True)  # fmt: skip
            assert ended.returncode == 0, f"{line}\n{ended.stdout}{ended.stderr}"
            assert "Traceback" not in ended.stderr, ended.stderr


def _lines(text: str) -> list[str]:
    joined = text.replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def _call(line: str) -> None:
    """Run one command of ours in this process."""
    from blendvoca.cli import main as blendvoca
    from said_model.cli import main as said

    program, *arguments = shlex.split(line, comments=True)
    result = CliRunner().invoke({"blendvoca": blendvoca, "said": said}[program], arguments)
    assert result.exit_code == 0, f"{line}\n{result.output}\n{result.exception!r}"
