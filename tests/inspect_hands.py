"""What tests of the page do with it: move sliders, wait for rest, ask where things are."""

from __future__ import annotations

import numpy as np
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
