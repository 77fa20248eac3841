"""A browser, and pages to look at with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from browser import Browser
from inspect_builders import FPS, PATCHES, ball_rig, ramp, talking_balls

from blendvoca.track import CoefficientTrack
from blendvoca.view.inspect import Choice, gather, write_page


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    opened = Browser(tmp_path_factory.mktemp("profile"))
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def pages(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    shards = talking_balls(folder / "shards")
    sample = CoefficientTrack(np.roll(ramp().values, 20, axis=0), tuple(PATCHES), FPS)
    beside = Choice(("anna",), ("one",), (("sample", sample),))
    talking_balls(folder / "silent", ("anna",), ("one",), licence="coefficients", audio=False)
    return {
        "all": write_page(folder / "all.html", gather(shards, Choice())),
        "two": write_page(folder / "two.html", gather(shards, beside)),
        "silent": write_page(folder / "silent.html", gather(folder / "silent", Choice(), lambda: (ball_rig(), None))),
    }
