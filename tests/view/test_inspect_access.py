"""The page for everyone: exact at every width, by keyboard, by touch, with enough contrast; its state can be linked."""

from __future__ import annotations

import csv
import io
import json

import pytest
from inspect_builders import PATCHES
from inspect_hands import axe_finds, require_axe

WIDTHS = (1440, 1280, 1000, 800, 600, 390)
#: Where the page is small enough for fingers.
SMALL = (800, 390)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_playhead_stands_where_its_time_is(browser, pages, width):
    browser.open(pages["all"], width, 844)
    for share in (0.0, 0.5, 1.0):
        browser.run(f"inspect.seek({share} * inspect.app.clip.seconds)")
        browser.settle()
        off = browser.run(
            "(() => { const lane = document.querySelector('.lane.curve canvas').getBoundingClientRect(),"
            " head = document.querySelector('#playhead').getBoundingClientRect(), app = inspect.app;"
            " return head.left + 0.75 - lane.left - app.shownTime / app.clip.seconds * lane.width; })()"
        )
        assert abs(off) < 0.6, share


@pytest.mark.parametrize("width", SMALL)
def test_what_is_touched_is_as_large_as_a_finger(browser, pages, width):
    browser.open(pages["all"], width, 844)
    for tab in ("shapes", "clips", "fit"):
        browser.run(f"document.querySelector('#tabs [data-tab={tab}]').click()")
        small = browser.run(
            "[...document.querySelectorAll('button, select, summary, input')].filter((e) => e.checkVisibility())"
            ".map((e) => [e.id || e.textContent || e.ariaLabel, e.getBoundingClientRect()])"
            ".filter(([, box]) => box.height > 0 && (box.height < 41.5 || box.width < 43.5)).map(([name]) => name)"
        )
        assert small == [], tab


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing_serious(browser, pages, width, dark):
    require_axe()
    browser.open(pages["all"], width, 844, dark=dark)
    assert axe_finds(browser) == []


def test_no_chip_covers_the_head(browser, pages):
    for width in WIDTHS:
        browser.open(pages["all"], width, 844)
        browser.run("inspect.app.setWeight(0, 0.5)")
        browser.settle()
        chip = browser.box("#free")
        points = browser.run("inspect.project()")
        x, y = points[::2], points[1::2]
        # A mouth lies in the middle half of a head, below its middle.
        left, right = min(x) + (max(x) - min(x)) / 4, max(x) - (max(x) - min(x)) / 4
        covers = chip["x"] < right and chip["x"] + chip["width"] > left
        assert not (covers and chip["y"] + chip["height"] > (min(y) + max(y)) / 2), width


def test_the_address_is_the_state(browser, pages):
    browser.open(pages["all"])
    browser.run("inspect.app.openSpeaker(1)")
    browser.wait("inspect.app.speakerIndex === 1")
    browser.run("inspect.app.openClip(1)")
    browser.wait("inspect.app.clipIndex === 1")
    browser.run("inspect.seek(0.5)")
    browser.wait("location.hash === '#bert&two&0.50'")
    browser.run("location.hash = '#anna&two&0.75'")
    browser.wait("inspect.app.speaker.name === 'anna' && Math.abs(inspect.app.player.time - 0.75) < 0.02")
    for strange in ("#nobody&none&x", "#%E0%A4%A", "#anna&two&1e9", "#&&&&"):
        browser.run(f"location.hash = {json.dumps(strange)}")
        browser.settle()
        assert browser.run("inspect.app.speaker.name") == "anna"
    assert browser.problems == []


def test_a_pose_can_be_taken_out(browser, pages):
    browser.open(pages["all"])
    browser.run("inspect.app.reset(); inspect.app.setWeight(inspect.app.rig.names.indexOf('jawOpen'), 0.25)")
    browser.settle()
    assert json.loads(browser.run("inspect.app.copyPose()")) == {"jawOpen": 0.25}
    names, values = csv.reader(io.StringIO(browser.run("inspect.app.savePose()")))
    assert names == list(PATCHES) and float(values[names.index("jawOpen")]) == 0.25
    assert browser.run("document.querySelector('#said').textContent").startswith("Saved")
    assert browser.problems == []


def test_words_stand_under_the_sound(browser, pages):
    browser.open(pages["all"])
    browser.wait("inspect.app.clip")
    browser.run("inspect.app.clip.transcript = 'One <b>two</b>'; inspect.app.describe()")
    sound, words = browser.box(".lane.sound"), browser.box("#words")
    assert words["y"] >= sound["y"] + sound["height"] - 1
    assert browser.run("document.querySelector('#words').textContent") == "One <b>two</b>"
    browser.run("inspect.app.clip.transcript = ''; inspect.app.describe()")
    assert browser.run("document.querySelector('#words-lane').hidden") is True
