"""The page in a headless browser: sliders move what they should, playback follows the sound, nothing is fetched."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import numpy as np
import pytest
from browser import Browser
from inspect_builders import FPS, PATCHES, ball_rig, ramp, talking_balls, tone
from view_builders import ball

from blendvoca.arkit import ARKIT_NAMES
from blendvoca.errors import RigError
from blendvoca.geometry.normals import vertex_normals
from blendvoca.mesh import Mesh
from blendvoca.rig import BlendshapeRig
from blendvoca.shard.rig_file import write_rig
from blendvoca.track import CoefficientTrack
from blendvoca.view.inspect import Choice, gather, write_page
from blendvoca.view.inspect import page as inspect_page

#: Read what is shown right after a picture was drawn, beside the sound's own clock.
WATCH = """(async () => {
  const audio = document.querySelector('audio'), seen = [];
  for (let i = 0; i < 45; i++) {
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
    const s = inspect.state();
    seen.push([s.time, s.frame, s.weights.jawOpen, audio.currentTime, performance.now() / 1000]);
  }
  return seen;
})()"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    opened = Browser(tmp_path_factory.mktemp("profile"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    shards = talking_balls(folder / "shards")
    sample = CoefficientTrack(np.roll(ramp().values, 20, axis=0), tuple(PATCHES), FPS)
    beside = Choice(("anna",), ("one",), (("sample", sample),))
    talking_balls(folder / "silent", ("anna",), ("one",), licence="coefficients", audio=False)
    return {
        "all": write_page(folder / "all.html", gather(shards, Choice())),
        "two": write_page(folder / "two.html", gather(shards, beside)),
        "silent": write_page(folder / "silent.html", gather(folder / "silent", Choice(), ball_rig)),
    }


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


def test_playback_follows_the_sound(browser, pages):
    browser.open(pages["all"], 640, 480)
    browser.press(" ")
    browser.wait("inspect.state().time > 0.05")
    seen = np.array(browser.run(WATCH))
    playing = seen[(seen[:, 3] > 0) & (seen[:, 3] < 1.9)]
    assert len(playing) > 10 and np.ptp(playing[:, 3]) > 0.3
    shown, frame, jaw, sound, _ = playing.T
    # The picture's time is the sound's at the moment of drawing: at most a frame behind, never ahead.
    late = sound - shown
    assert late.min() > -1e-3
    assert np.median(late) < 0.5 / FPS and np.percentile(late, 80) < 1 / FPS
    assert np.array_equal(frame, np.floor(shown * FPS + 1e-4))
    assert np.abs(jaw - shown * FPS / 119).max() < 2e-4
    assert browser.problems == []


def test_the_sound_leads(browser, pages):
    browser.open(pages["all"], 640, 480)
    browser.press(" ")
    browser.wait("inspect.state().time > 0.05")
    # Hold the sound back: pictures wait, though the page still means to play.
    browser.run("document.querySelector('audio').pause()")
    browser.settle()
    first = browser.run("inspect.state()")
    time.sleep(0.25)
    later = browser.run("inspect.state()")
    assert later["drawn"] > first["drawn"] and later["time"] == first["time"]
    browser.run("document.querySelector('audio').currentTime = 1.5")
    browser.wait("Math.abs(inspect.state().time - 1.5) < 0.01")
    assert browser.run("inspect.state().frame") == 90
    browser.run("document.querySelector('audio').play()")
    browser.wait("!inspect.state().playing")
    assert browser.run("inspect.state().frame") == 119  # it ends at the last frame


@pytest.mark.slow
@pytest.mark.parametrize("speed", [0.5, 2.0])
def test_speed(browser, pages, speed):
    browser.open(pages["all"], 640, 480)
    for _ in range(2):
        browser.press("[" if speed < 1 else "]")
    assert browser.run("inspect.state().speed") == speed
    browser.press(" ")
    browser.wait("inspect.state().time > 0.1")
    seen = np.array(browser.run(WATCH))
    seen = seen[seen[:, 3] < 1.9]
    assert (seen[-1, 3] - seen[0, 3]) / (seen[-1, 4] - seen[0, 4]) == pytest.approx(speed, rel=0.2)
    assert browser.run("document.querySelector('audio').preservesPitch") is True


def test_seeking_by_the_time_line_and_its_map(browser, pages):
    browser.open(pages["all"])
    curve, raster = browser.box(".curve canvas"), browser.box(".raster canvas")
    places = [(curve["x"] + share * curve["width"], curve["y"] + 20) for share in (0.25, 0.5)]
    browser.drag(*places)
    assert browser.run("inspect.state().time") == pytest.approx(1.0, abs=0.02)
    rows = len(PATCHES)
    browser.drag((raster["x"] + 0.75 * raster["width"], raster["y"] + (3 + 0.5) / rows * raster["height"]))
    state = browser.run("inspect.state()")
    assert state["shape"] == "mouthSmileLeft" and state["time"] == pytest.approx(1.5, abs=0.02)
    assert browser.run("document.querySelector('#curve-name').textContent") == "mouthSmileLeft"
    assert browser.run("document.querySelector('audio').currentTime") == pytest.approx(1.5, abs=0.02)


def test_keys(browser, pages):
    browser.open(pages["all"])
    browser.press("ArrowRight", shift=True)
    browser.press("ArrowRight")
    browser.press("ArrowLeft")
    assert browser.run("inspect.state().frame") == 10
    browser.press("End")
    assert browser.run("inspect.state().frame") == 119
    browser.press("Home")
    assert browser.run("inspect.state().frame") == 0
    shape = browser.run("inspect.state().shape")
    browser.press("ArrowDown")
    assert browser.run("inspect.state().shape") != shape
    browser.press("n")
    browser.wait("inspect.state().clip === 'two'")
    theme = browser.run("inspect.state().theme")
    browser.press("t")
    assert browser.run("inspect.state().theme") != theme
    for key, field in (("m", "mirror"), ("w", "wire")):
        browser.press(key)
        assert browser.run(f"inspect.state().{field}") is True
    browser.press("h")
    assert browser.run("inspect.state().heat") == "shape"
    browser.press("?")
    assert browser.run("document.querySelector('dialog').open") is True
    listed = set(browser.run("[...document.querySelectorAll('kbd')].map((key) => key.textContent)"))
    assert {"Space", "Home", "End", "←", "→", "?"} <= listed
    assert browser.problems == []


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
    browser.run("document.querySelectorAll('#speakers button')[1].click()")
    browser.wait("inspect.state().speaker === 'bert'")
    browser.run("document.querySelectorAll('#clips button')[1].click()")
    browser.wait("inspect.state().clip === 'two'")
    assert "0.25" in browser.run("document.querySelector('#figures').textContent")
    assert browser.problems == []


def test_without_sound_the_clock_plays_and_the_page_says_so(browser, pages):
    browser.open(pages["silent"])
    assert "shown on the sample head" in browser.run("document.querySelector('#notes').textContent")
    assert "No sound is stored" in browser.run("document.querySelector('#notes').textContent")
    assert browser.run("!document.querySelector('#silent').hidden") is True
    browser.press(" ")
    browser.wait("inspect.state().frame > 20")
    browser.wait("!inspect.state().playing")
    assert browser.run("inspect.state().frame") == 119


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


@pytest.mark.slow
def test_a_large_head_holds_thirty_frames_a_second(browser, tmp_path):
    """5,000 vertices, 51 shapes that all move everything, drawn by the processor."""
    mesh = ball(50)
    assert mesh.n_vertices == 5000
    names = tuple(name for name in ARKIT_NAMES if name != "tongueOut")
    waves = np.random.default_rng(0).uniform(-20, 20, (len(names), 3))
    deltas = 0.002 * np.sin(np.einsum("kc,vc->kv", waves, mesh.vertices))[..., None] * mesh.vertices
    rig = BlendshapeRig(Mesh(0.1 * mesh.vertices, mesh.faces), deltas, names)
    write_rig(tmp_path / "rig.h5", rig, "open")
    page = write_page(tmp_path / "page.html", gather(tmp_path / "rig.h5", Choice(tracks=(("all", ramp(600, names)),))))
    assert page.stat().st_size < 3e6
    best = 0.0
    for _ in range(3):  # the best of three: another process may be busy
        browser.open(page, 1000, 700)
        browser.press(" ")
        browser.wait("inspect.state().time > 0.5")
        start = browser.run("[inspect.state().drawn, performance.now()]")
        time.sleep(2.5)
        end = browser.run("[inspect.state().drawn, performance.now()]")
        best = max(best, 1000 * (end[0] - start[0]) / (end[1] - start[1]))
        if best >= 30:
            break
    assert all(value > 0 for value in weights(browser).values())
    assert best >= 30, f"{best:.1f} pictures a second at quality {browser.run('inspect.state().quality')}"


@pytest.mark.slow
def test_a_whole_speaker_with_a_clip_is_small(browser, tmp_path):
    """The sample head with 51 shapes and ten seconds of sound."""
    from blendvoca.synthetic.head import SyntheticHead

    rig = SyntheticHead().rig()
    choice = Choice(tracks=(("talk", ramp(600, rig.names)),), waveform=tone(10.0))
    write_rig(tmp_path / "rig.h5", rig, "open")
    page = write_page(tmp_path / "page.html", gather(tmp_path / "rig.h5", choice))
    assert page.stat().st_size < 3e6
    browser.open(page)
    assert browser.problems == []


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
