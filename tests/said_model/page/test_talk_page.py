"""The page that talks, in a headless Chromium: its curves are the library's, its files can be read, nothing is lost."""

from __future__ import annotations

import base64
import wave

import numpy as np
import pytest

pytest.importorskip("torch", reason="pip install 'blendvoca[said]' to run this test")
for package in ("onnx", "onnxscript"):
    pytest.importorskip(package, reason="pip install 'blendvoca[onnx]' to run this test")

from browser import Browser, find_chromium  # noqa: E402
from gltf_validator import problems  # noqa: E402
from inspect_hands import axe_finds, require_axe  # noqa: E402

from blendvoca.audio import Waveform  # noqa: E402
from blendvoca.errors import MissingInputError, RigError  # noqa: E402
from blendvoca.export.convert import load_track  # noqa: E402
from blendvoca.io.rig.gltf_write import write_glb  # noqa: E402
from blendvoca.io.sound.wav import write_wav  # noqa: E402
from blendvoca.mesh import Mesh  # noqa: E402
from blendvoca.rig import BlendshapeRig  # noqa: E402
from blendvoca.synthetic.head import SyntheticHead  # noqa: E402
from said_model.model import SAiD  # noqa: E402
from said_model.page.runtime import find_runtime  # noqa: E402
from said_model.page.write import Face, write_talk_page  # noqa: E402

pytestmark = pytest.mark.slow
#: A page is drawn on a machine that does other things, too.
PATIENCE = 120


@pytest.fixture(scope="module")
def said():
    return SAiD.load(device="cpu")


@pytest.fixture(scope="module")
def page(said, tmp_path_factory):
    find_chromium()
    try:
        runtime = find_runtime()
    except MissingInputError as error:
        pytest.skip(f"{error}")
    head = SyntheticHead()
    path = tmp_path_factory.mktemp("page") / "talk.html"
    face = Face("Sample head", head.rig(), head.landmarks())
    return write_talk_page(path, said.network, said.sampler, face, runtime)


@pytest.fixture(scope="module")
def browser(page, tmp_path_factory):
    opened = Browser(tmp_path_factory.mktemp("profile"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def voice(babble):
    """Speech-like sound that ends within a window, 5.6 seconds: two windows."""
    return np.concatenate([babble.samples, babble.samples[::-1]] * 4)[: round(5.6 * 16_000)]


@pytest.fixture(scope="module")
def talking(browser, page, voice, tmp_path_factory):
    """The page after it has drawn a take of the voice."""
    sound = tmp_path_factory.mktemp("sound") / "some voice.wav"
    write_wav(sound, Waveform(voice, 16_000))
    browser.open(page, 1440, 900)
    browser.give("#sound-file", sound)
    wait_for_take(browser, 1)
    return sound


def wait_for_take(browser, count):
    browser.wait(f"inspect.state().takes.length >= {count} || inspect.state().message", PATIENCE)
    assert browser.run("inspect.state().message") == ""
    browser.wait("!inspect.state().working")


def drawn(browser):
    """The coefficients of the take that is open."""
    rows = browser.run("inspect.app.saveCsv()").splitlines()
    return np.array([row.split(",") for row in rows[1:]], dtype=np.float64)


def test_curves_are_the_librarys(browser, talking, said):
    wanted = said.sample(talking)
    assert wanted.values.std() > 0.02
    assert np.abs(drawn(browser) - wanted.values).max() < 1e-3


def test_another_seed_is_another_take_and_the_librarys(browser, talking, said):
    browser.run("document.querySelector('#seed').value = 41; document.querySelector('#another').click()")
    wait_for_take(browser, 2)
    found = drawn(browser)
    assert np.abs(found - said.sample(talking, seed=41).values).max() < 1e-3
    assert np.abs(found - said.sample(talking).values).max() > 0.02
    browser.run("inspect.app.openClip(0)")


def test_it_is_faster_than_real_time_and_asks_nobody(browser, talking):
    # Other work on the machine may slow one take down, not all.
    for number in range(3, 6):
        if min(take["drawn"] for take in browser.run("inspect.state().takes")) < 5.6:
            break
        browser.run("document.querySelector('#another').click()")
        wait_for_take(browser, number)
    assert min(take["drawn"] for take in browser.run("inspect.state().takes")) < 5.6
    assert browser.problems == []
    assert [address for address in browser.requests if not address.startswith(("file:", "blob:"))] == []


def test_sound_and_face_play_in_step(browser, talking):
    browser.run("inspect.app.seek(1), inspect.app.toggle()")
    browser.wait("inspect.state().time > 1.3")
    state = browser.run("inspect.state()")
    browser.run("inspect.app.toggle()")
    assert state["sounding"]
    assert abs(state["time"] - state["audioTime"]) < 0.1


def test_the_files_it_saves_are_read_back(browser, talking, tmp_path):
    values = drawn(browser)
    (tmp_path / "live.csv").write_text(browser.run("inspect.app.saveLiveLink()"))
    live = load_track(tmp_path / "live.csv")
    assert live.fps == 60 and len(live) == len(values)
    names = browser.run("inspect.app.clip.names")
    assert np.abs(live.values[:, live.columns(names)] - values).max() < 1e-6
    glb = save_glb(browser, tmp_path / "talk.glb")
    track = load_track(glb)
    assert np.abs(track.values[:, track.columns(names)] - values).max() < 1e-6
    assert problems(glb) == []


def save_glb(browser, path):
    text = browser.run(
        "inspect.app.saveGlb().then((bytes) => { let text = ''; for (let i = 0; i < bytes.length; i += 8192)"
        " text += String.fromCharCode(...bytes.subarray(i, i + 8192)); return btoa(text); })"
    )
    path.write_bytes(base64.b64decode(text))
    return path


def test_a_head_of_the_users_own(browser, talking, tmp_path):
    head = two_shapes(("Mouth.jaw_open", "wink"))
    write_glb(tmp_path / "own.glb", head)
    browser.give("#head-file", tmp_path / "own.glb")
    browser.wait("inspect.state().speaker === 'own.glb'")
    shown = browser.run("inspect.app.rig.names")
    assert shown == ["jawOpen", "wink"]
    pose = browser.run("(inspect.seek(1), inspect.app.draw(0), Array.from(inspect.app.heads[0].positions))")
    opened = browser.run("inspect.state().weights.jawOpen")
    wanted = head.neutral.vertices + opened * head.deltas[0]
    assert np.abs(np.array(pose).reshape(-1, 3) - wanted).max() < 1e-5 and opened > 0.001
    saved = save_glb(browser, tmp_path / "saved.glb")
    assert problems(saved) == []
    track = load_track(saved)
    assert len(track.names) == 2
    column = browser.run("inspect.app.clip.names").index("jawOpen")
    browser.run("inspect.app.openSpeaker(0)")
    browser.wait("inspect.state().speaker === 'Sample head'")
    assert np.abs(track.values[:, 0] - drawn(browser)[:, column]).max() < 1e-6


def two_shapes(names):
    corners = np.array([[0, 0, 0], [0.1, 0, 0], [0, 0.1, 0], [0.1, 0.1, 0.02]])
    deltas = np.zeros((2, 4, 3))
    deltas[0, 0, 1], deltas[1, 3, 2] = -0.02, 0.01
    return BlendshapeRig(Mesh(corners, np.array([[0, 1, 2], [1, 3, 2]])), deltas, names)


def test_what_is_no_head_or_no_sound_is_said(browser, talking, tmp_path):
    write_glb(tmp_path / "odd.glb", two_shapes(("left", "right")))
    (tmp_path / "text.wav").write_text("no sound at all" * 10)
    (tmp_path / "broken.glb").write_bytes(b"glTF" + b"\0" * 40)
    for selector, name, what in (
        ("#head-file", "odd.glb", "no shapes with ARKit's names"),
        ("#head-file", "broken.glb", "Not opened"),
        ("#sound-file", "text.wav", "no sound that this browser can read"),
    ):
        browser.give(selector, tmp_path / name)
        browser.wait(f"inspect.state().message.includes({what!r})")
    browser.run("inspect.app.note('')")
    assert len(browser.run("inspect.state().recordings")) == 1


@pytest.mark.parametrize("rate", [22_050, 48_000])
def test_other_rates_are_resampled_as_the_library_does(browser, talking, said, rate, voice, tmp_path):
    # A name of its own: what the page holds from the other rate would pass for it.
    sound = tmp_path / f"other{rate}.wav"
    write_wav(sound, Waveform(voice[:32_000], 16_000).resampled(rate))
    browser.give("#sound-file", sound)
    browser.wait(f"inspect.state().recordings.at(-1).name === '{sound.name}'")
    browser.wait(f"inspect.app.recording.name === '{sound.name}'")
    wait_for_take(browser, 1)
    assert np.abs(drawn(browser) - said.sample(sound).values).max() < 0.02


def test_an_hour_of_sound_comes_in_parts_and_can_be_cancelled(browser, talking, tmp_path):
    path = tmp_path / "hour.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(8000)
        file.writeframes(b"\x80" * 8000 * 3600)
    before = len(browser.run("inspect.state().recordings"))
    browser.give("#sound-file", path)
    browser.wait("inspect.state().working && inspect.state().message.includes('five minutes')", PATIENCE)
    browser.run("document.querySelector('#cancel').click()")
    browser.wait("!inspect.state().working", PATIENCE)
    parts = browser.run("inspect.state().recordings")[before:]
    assert [part["seconds"] for part in parts] == [300] * 12 and parts[0]["name"] == "hour.wav, part 1 of 12"
    assert browser.run("inspect.state().takes") == []


MICROPHONE = """
navigator.mediaDevices.getUserMedia = async () => {
  if (window.denied) throw new DOMException('no', 'NotAllowedError');
  const context = new AudioContext(), tone = context.createOscillator(), out = context.createMediaStreamDestination();
  tone.frequency.value = 180; tone.connect(out); tone.start(); await context.resume();
  return out.stream;
};"""


def test_the_microphone(browser, page):
    name = browser.before(MICROPHONE)
    try:
        browser.open(page, 1000, 800)
        browser.run("window.denied = true; inspect.app.record()")
        assert "not allowed" in browser.run("inspect.state().message")
        browser.run("window.denied = false; inspect.app.record()")
        browser.wait("inspect.app.recorder && inspect.app.recorder.seconds > 1.5")
        browser.run("document.querySelector('#record').click()")
        wait_for_take(browser, 1)
    finally:
        browser.forget(name)
    (recording,) = browser.run("inspect.state().recordings")
    assert recording["name"] == "Recording 1" and 1 < recording["seconds"] < 4
    # It is kept, and the browser asks before it is thrown away.
    assert browser.run("inspect.app.sounds[0].unsaved") and browser.run("inspect.app.saveSound().size") > 16_000
    assert not browser.run("inspect.app.sounds[0].unsaved")


DYING = """window.Worker = class {
  postMessage() { this.onerror({ preventDefault() {}, message: 'out of memory' }); }
  terminate() {}
};"""


@pytest.mark.parametrize(("script", "what"), [("delete window.WebAssembly", "WebAssembly"), (DYING, "out of memory")])
def test_a_model_that_cannot_run_loses_no_recording(browser, page, talking, script, what):
    name = browser.before(script)
    try:
        browser.open(page, 1000, 800)
        browser.give("#sound-file", talking)
        browser.wait("inspect.state().message", 30)
    finally:
        browser.forget(name)
    message = browser.run("inspect.state().message")
    assert what in message and "The sound is kept" in message
    assert len(browser.run("inspect.state().recordings")) == 1
    assert browser.run("inspect.app.saveSound().size") > 16_000


@pytest.mark.parametrize(("width", "dark"), [(1440, True), (390, False)])
def test_axe_finds_nothing_serious(browser, page, talking, width, dark):
    require_axe()
    browser.open(page, width, 844, dark=dark)
    assert axe_finds(browser) == []
    browser.give("#sound-file", talking)
    wait_for_take(browser, 1)
    for tab in ("clips", "fit"):
        browser.run(f"document.querySelector('#tabs [data-tab={tab}]').click()")
        assert axe_finds(browser) == []


def test_a_rig_without_the_models_shapes_is_refused(said, tmp_path):
    with pytest.raises(RigError, match="none of the model's blendshapes"):
        write_talk_page(tmp_path / "x.html", said.network, said.sampler, Face("x", two_shapes(("a", "b"))), None)
