"""What tests of the page do with it: move sliders, wait for rest, ask where things are."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from browser import Browser


def rested(browser: Browser) -> np.ndarray:
    browser.wait("inspect.state().rested")
    return browser.picture().astype(int)


def set_slider(browser: Browser, name: str, value: float) -> None:
    """Move a slider as the browser does for a hand or a key."""
    browser.run(
        f"(() => {{ const s = document.querySelector('input[aria-label={name}]'); s.value = {value};"
        " s.dispatchEvent(new Event('input', {bubbles: true})); })()"
    )
    browser.settle()


def weights(browser: Browser) -> dict[str, float]:
    return browser.run("inspect.state().weights")


def points(browser: Browser, head: int = 0) -> np.ndarray:
    return np.array(browser.run(f"inspect.project({head})")).reshape(-1, 2)


def require_axe() -> str:
    """Return axe-core's script, or skip."""
    script = Path(os.environ.get("AXE_CORE", "/nonexistent")) / "axe.min.js"
    if not script.is_file():
        pytest.skip("no axe-core: npm install axe-core, and point AXE_CORE at the module's folder")
    return script.read_text(encoding="utf-8")


def axe_finds(browser: Browser) -> list[list[object]]:
    """Return axe's serious and critical findings on the page that is open."""
    browser.run(require_axe() + "\n;0")
    found = browser.run(
        "axe.run(document).then((r) => JSON.stringify(r.violations.map((v) => [v.impact, v.id,"
        " v.nodes.map((n) => n.target)])))"
    )
    return [entry for entry in json.loads(found) if entry[0] in ("serious", "critical")]
