"""The example notebook runs, cell by cell, and what its cells end with can be shown."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).resolve().parents[2] / "docs" / "examples" / "notebook.ipynb"


def run_cell(text: str, names: dict[str, Any]) -> Any:
    """Run a cell as a notebook does and return what its last line is worth."""
    tree = ast.parse(text)
    last = tree.body[-1]
    if not isinstance(last, ast.Expr):
        exec(compile(tree, NOTEBOOK.name, "exec"), names)
        return None
    exec(compile(ast.Module(tree.body[:-1], []), NOTEBOOK.name, "exec"), names)
    return eval(compile(ast.Expression(last.value), NOTEBOOK.name, "eval"), names)


@pytest.mark.slow
def test_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("torch", "diffusers", "moderngl", "PIL"):
        pytest.importorskip(package, reason="pip install 'blendvoca[said,view]' to run this test")
    monkeypatch.setenv("BLENDVOCA_CACHE", str(tmp_path))
    cells = [cell for cell in json.loads(NOTEBOOK.read_text())["cells"] if cell["cell_type"] == "code"]
    names: dict[str, Any] = {"__name__": "__main__"}
    values = [run_cell("".join(cell["source"]), names) for cell in cells]
    html = [value._repr_html_() for value in values if hasattr(value, "_repr_html_")]
    assert len(html) >= 5 and "<table>" in html[0] and "<polyline" in html[1] and "data:image/png" in html[2]
    assert values[-1].size == (384, 384)


def test_it_is_stored_without_what_it_printed() -> None:
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in cells if cell["cell_type"] == "code")
