"""The page in a headless browser: sliders move what they should, heads and lists, nothing is fetched."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from inspect_builders import ball_rig, ramp
from inspect_hands import points, rested, set_slider, weights
from view_builders import ball

from blendvoca.errors import RigError
from blendvoca.geometry.normals import vertex_normals
from blendvoca.shard.rig_file import write_rig
from blendvoca.track import CoefficientTrack
from blendvoca.view.inspect import Choice, gather, write_page
from blendvoca.view.inspect import page as inspect_page


def test_it_opens_without_a_complaint_and_fetches_nothing(browser, pages):
    for page in pages.values():
        browser.open(page)
        picture = rested(browser)
        box = browser.box("#view")
        view = picture[int(box["y"]) : int(box["bottom"]), int(box["x"]) : int(box["right"])]
        assert view.std() > 10
        assert browser.problems == []
        outside = [url for url in browser.requests if not url.startswith(("file:", "blob:"))]
        assert outside == [] and len([url for url in browser.requests if url.startswith("file:")]) == 1


def test_a_slider_moves_pixels_where_its_shape_moves(browser, pages):
    browser.open(pages["silent"])
    browser.press("r")
    browser.press("1")
    before, start = rested(browser), points(browser)
    set_slider(browser, "mouthSmileLeft", 1.0)
    assert browser.run("inspect.state().free")
    browser.run("document.activeElement.blur()")
    after, end = rested(browser), points(browser)
    box = browser.box("#view")
    inside = (slice(int(box["y"]) + 50, int(box["bottom"]) - 60), slice(int(box["x"]), int(box["right"])))
    changed = np.abs(after - before).max(axis=2)[inside] > 12
    moved = np.linalg.norm(ball_rig().delta("mouthSmileLeft"), axis=1) > 1e-9
    # Shading changes up to the triangles that touch what moves, and to those that share a normal with them.
    for _ in range(2):
        moved[np.unique(ball().faces[moved[ball().faces].any(axis=1)])] = True
    near = np.concatenate([start[moved], end[moved]]) - [inside[1].start, inside[0].start]
    low, high = near.min(axis=0) - 3, near.max(axis=0) + 3
    assert (high - low).max() < 0.8 * np.ptp(start[:, 0])
    rows, columns = np.nonzero(changed)
    assert len(rows) > 300
    assert (columns >= low[0]).all() and (columns <= high[0]).all()
    assert (rows >= low[1]).all() and (rows <= high[1]).all()
    # The subject's left is the viewer's right.
    assert columns.mean() > (box["right"] - box["x"]) / 2
    set_slider(browser, "mouthSmileLeft", 0.0)
    browser.run("document.activeElement.blur()")
    assert (np.abs(rested(browser) - after).max(axis=2)[inside] > 12).sum() > 300


def test_a_hand_on_the_slider(browser, pages):
    browser.open(pages["all"])
    box = browser.box("input[aria-label=browInnerUp]")
    middle = box["y"] + box["height"] / 2
    browser.drag((box["x"] + 8, middle), (box["x"] + 40, middle), (box["x"] + 0.75 * box["width"], middle))
    value = weights(browser)["browInnerUp"]
    assert 0.6 < value < 0.9 and browser.run("inspect.state().shape") == "browInnerUp"
    browser.press("ArrowRight")  # the slider's own key while it has the focus
    assert weights(browser)["browInnerUp"] == pytest.approx(value + 0.01, abs=1e-3)
    play = browser.box("#play")
    browser.drag((play["x"] + 15, play["y"] + 15))
    assert browser.run("inspect.state().playing") is True and browser.run("inspect.state().free") is False
    browser.press(" ")  # the button gave the keyboard back: one press, one toggle
    assert browser.run("inspect.state().playing") is False


def test_normals_follow_the_deformation(browser, pages):
    browser.open(pages["silent"])
    browser.press("r")
    set_slider(browser, "jawOpen", 0.8)
    browser.settle()
    rig = ball_rig()
    posed = rig.neutral.vertices + 0.8 * rig.delta("jawOpen")
    shown = np.array(browser.run("Array.from(inspect.app.heads[0].normals)")).reshape(-1, 3)
    assert np.abs(shown - vertex_normals(posed, rig.neutral.faces)).max() < 0.02
    at_rest = vertex_normals(rig.neutral.vertices, rig.neutral.faces)
    assert np.abs(vertex_normals(posed, rig.neutral.faces) - at_rest).max() > 0.3


def test_mirror_links_sides_but_not_directions(browser, pages):
    browser.open(pages["all"])
    browser.press("r")
    set_slider(browser, "mouthSmileLeft", 0.5)
    assert weights(browser)["mouthSmileRight"] == 0
    browser.run("document.querySelector('#mirror').click()")
    set_slider(browser, "mouthSmileLeft", 0.75)
    set_slider(browser, "jawLeft", 0.5)
    found = weights(browser)
    assert found["mouthSmileRight"] == found["mouthSmileLeft"] == 0.75
    assert (found["jawLeft"], found["jawRight"]) == (0.5, 0)
    browser.run("document.querySelector('#reset').click()")
    browser.settle()
    assert not any(weights(browser).values())
    browser.run("document.querySelector('#back').click()")
    browser.settle()
    assert any(weights(browser).values()) and not browser.run("inspect.state().free")


def test_triangles_are_drawn_over_the_head(browser, pages):
    browser.open(pages["all"])
    plain = rested(browser)
    browser.press("w")
    box = browser.box("#view")
    inside = (slice(int(box["y"]) + 60, int(box["bottom"]) - 60), slice(int(box["x"]) + 40, int(box["right"]) - 40))
    assert (np.abs(rested(browser) - plain).max(axis=2)[inside] > 12).mean() > 0.02


def test_orbit_zoom_and_pinch(browser, pages):
    browser.open(pages["all"])
    box = browser.box("#view")
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    browser.press("1")
    front = np.ptp(points(browser), axis=0)
    browser.drag(middle, (middle[0] + 60, middle[1]), (middle[0] + 120, middle[1] + 30))
    assert browser.run("inspect.app.camera.yaw") < -0.5 and browser.run("inspect.app.camera.pitch") > 0.1
    browser.wheel(middle, -240)
    assert np.ptp(points(browser), axis=0)[1] > 1.2 * front[1]
    browser.press("0")
    before = browser.run("inspect.app.camera.scale")
    browser.pinch(middle, 40, 80)
    assert browser.run("inspect.app.camera.scale") == pytest.approx(before / 2, rel=0.05)


def test_two_heads_and_their_difference(browser, pages):
    browser.open(pages["two"])
    state = browser.run("inspect.state()")
    assert state["heads"] == 2
    labels = browser.run("[...document.querySelectorAll('#labels span')].map((s) => s.textContent)")
    assert labels == ["dataset", "sample"]
    browser.run("inspect.seek(1.0)")
    browser.settle()
    left, right = points(browser, 0), points(browser, 1)
    assert left[:, 0].max() < right[:, 0].min() + 40
    shown = np.array(browser.run("Array.from(inspect.app.weights[1])"))
    assert np.abs(shown - np.roll(ramp().values, 20, axis=0)[60]).max() < 1e-3
    plain = rested(browser)
    browser.run("inspect.app.setHeat('gap')")
    heated = rested(browser)
    rig, full = ball_rig(), browser.run("inspect.state().heatFull")
    apart = np.linalg.norm(rig.pose(np.roll(ramp().values, 20, axis=0)[60]) - rig.pose(ramp().values[60]), axis=1)
    shown = np.array(browser.run("Array.from(inspect.app.heads[1].heat)")) * full
    assert np.abs(shown - apart).max() < 1e-4
    box = browser.box("#view")
    split = int(box["x"] + box["width"] / 2)
    rows = slice(int(box["y"]) + 120, int(box["bottom"]) - 60)
    changed = np.abs(heated - plain).max(axis=2)[rows] > 20
    assert changed[:, split:].sum() > 2000 and changed[:, int(box["x"]) : split].sum() < 50


def test_heat_of_a_shape_is_its_displacement(browser, pages):
    browser.open(pages["all"])
    browser.run("inspect.app.choose(2); inspect.app.setHeat('shape')")
    browser.settle()
    shown = np.array(browser.run("Array.from(inspect.app.heads[0].heat)")) * browser.run("inspect.state().heatFull")
    assert np.abs(shown - np.linalg.norm(ball_rig().deltas[2], axis=1)).max() < 5e-6
    assert browser.run("document.querySelector('#legend-end').textContent") == "30 mm"


def test_lists_lead_from_speaker_to_speaker(browser, pages):
    browser.open(pages["all"])
    browser.press("3")
    side = browser.run("inspect.app.camera.yaw")
    browser.run("document.querySelectorAll('#speakers button')[1].click()")
    browser.wait("inspect.state().speaker === 'bert'")
    assert browser.run("inspect.app.camera.yaw") == side  # seen as the one before
    browser.run("document.querySelectorAll('#clips button')[1].click()")
    browser.wait("inspect.state().clip === 'two'")
    seconds = browser.run("inspect.app.clip.seconds")
    assert seconds > 0
    # Before anything has played, too.
    assert browser.run("document.querySelector('#timeline').getAttribute('aria-valuemax')") == f"{seconds:.2f}"
    assert "0.25" in browser.run("document.querySelector('#figures').textContent")
    assert browser.problems == []


def test_names_with_markup_stay_text(browser, tmp_path):
    write_rig(tmp_path / "rig.h5", ball_rig(), "open")
    label = "<img src=x onerror=window.hit=1><b>bold</b>"
    labelled = Choice(tracks=((label, ramp()), ("</script><script>window.hit=1</script>", ramp())))
    browser.open(write_page(tmp_path / "page.html", gather(tmp_path / "rig.h5", labelled)))
    assert browser.run("window.hit === undefined && !document.querySelector('img, #labels b, .list b')") is True
    assert browser.run("document.querySelector('#labels span').textContent") == label
    assert browser.problems == []


def test_small_screens(browser, pages):
    browser.open(pages["two"], 390, 844)
    assert browser.run("document.documentElement.scrollWidth") == 390
    view, play, shapes = browser.box("#view"), browser.box("#play"), browser.box("#shapes-part")
    assert view["height"] > 200 and play["bottom"] < shapes["y"] and shapes["bottom"] <= 844
    overlap = browser.run(
        "(() => { const all = [...document.querySelectorAll('#transport > *')].map((e) => e.getBoundingClientRect());"
        " const boxes = all.filter((b) => b.width);"
        " return boxes.some((a, i) => boxes.slice(i + 1).some((b) => a.right > b.left + 1)); })()"
    )
    assert overlap is False
    browser.run("document.querySelector('#tabs [data-tab=fit]').click()")
    assert browser.box("#fit")["height"] > 100 and browser.box("#shapes-part")["height"] == 0


def test_controls_have_names(browser, pages):
    browser.open(pages["two"])
    nameless = browser.run(
        "[...document.querySelectorAll('button, input, select, canvas[tabindex], [role=slider]')].filter((e) =>"
        " !(e.getAttribute('aria-label') || e.textContent.trim() || e.title)).map((e) => e.outerHTML)"
    )
    assert nameless == []


def test_scripts_are_all_inlined(pages):
    text = pages["all"].read_text()
    assets = Path(inspect_page.__file__).parent / "assets"
    assert {path.name for path in assets.glob("*.js")} == set(inspect_page.SCRIPTS)
    assert not re.search(r"<(script|link|img|audio|iframe)[^>]+(src|href)=", text)
    assert json.loads(re.search(r'id="meta">(.*?)</script>', text, re.S)[1])["name"] == "Balls"


def test_a_track_of_other_shapes_is_refused(tmp_path):
    write_rig(tmp_path / "rig.h5", ball_rig(), "open")
    odd = CoefficientTrack(np.full((5, 1), 0.5), ("tongueOut",), 60.0)
    with pytest.raises(RigError, match="tongueOut"):
        gather(tmp_path / "rig.h5", Choice(tracks=(("odd", odd),)))


def test_without_webgl_the_page_says_so_and_plays_on(browser, pages):
    name = browser.before(
        "const own = HTMLCanvasElement.prototype.getContext; HTMLCanvasElement.prototype.getContext ="
        " function (kind, ...rest) { return kind === 'webgl2' ? null : own.call(this, kind, ...rest); };"
    )
    try:
        browser.open(pages["two"])
        assert "WebGL 2" in browser.run("document.querySelector('#trouble').textContent")
        assert browser.run("!document.querySelector('#trouble').hidden") is True
        browser.press("ArrowRight")
        assert browser.run("inspect.state().frame") == 1
        assert browser.problems == []
    finally:
        browser.forget(name)
