"""The picking page: served to this machine only, answers what it is asked, writes a landmark file."""

import json
import shutil
import subprocess
import sys
import types
import urllib.error
import urllib.request

import numpy as np
import pytest

from blendvoca.errors import MissingDependencyError, OutputError
from blendvoca.ibug68 import NAMES, TEN_PICKS
from landmarks.files import read_landmarks, read_picks
from landmarks.pick import PickServer, PickSession, pick_in_window
from landmarks.sources import load_source


@pytest.fixture(scope="module")
def source():
    return load_source("synthetic")


@pytest.fixture
def session(source, tmp_path) -> PickSession:
    return PickSession(source.rig.neutral, tmp_path / "points.json", {"chin": int(source.landmarks[8])}, source)


def _points(source, names=NAMES) -> dict[str, int]:
    return {name: int(source.landmarks[NAMES.index(name)]) for name in names}


def _ask(url: str, body: object = None, host: str | None = None) -> bytes:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Host": host} if host else {})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.read()


def test_page_is_self_contained_and_mesh_is_whole(session, source) -> None:
    with PickServer(session) as server:
        page = _ask(server.url).decode()
        assert "<canvas" in page
        assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
        assert "https://" not in page
        content = _ask(server.url + "mesh")
        scheme = json.loads(_ask(server.url + "scheme"))
        look = _ask(server.url + "look")
    mesh = source.rig.neutral
    assert "vec3 look(" in page and "/*LOOK*/" not in page
    assert len(look) == 8 * mesh.n_vertices
    assert np.frombuffer(content, "<u4", 2).tolist() == [mesh.n_vertices, mesh.n_faces]
    vertices = np.frombuffer(content, "<f4", 3 * mesh.n_vertices, 8).reshape(-1, 3)
    assert np.abs(vertices).max() <= 1.0
    faces = np.frombuffer(content, "<u4", offset=8 + 12 * mesh.n_vertices).reshape(-1, 3)
    assert np.array_equal(faces, mesh.faces)
    assert scheme["names"] == list(NAMES)
    assert scheme["start"] == {"8": int(source.landmarks[8])}


def test_ten_points_are_completed_checked_and_saved(session, source) -> None:
    with PickServer(session) as server:
        ten = _points(source, TEN_PICKS)
        found = json.loads(_ask(server.url + "complete", {"points": ten}))
        assert found["points"] == source.landmarks.tolist()
        whole = dict(zip(NAMES, found["points"]))
        assert json.loads(_ask(server.url + "check", {"points": whole})) == {"ok": True, "findings": []}
        assert json.loads(_ask(server.url + "save", {"points": whole})) == {"saved": "points.json", "points": 68}
        assert not server.wait(0)
        _ask(server.url + "close", {})
        assert server.wait(5)
    assert (read_landmarks(session.out, source.rig.neutral.n_vertices) == source.landmarks).all()
    assert session.saved


def test_a_part_is_saved_as_picks(session, source) -> None:
    ten = _points(source, TEN_PICKS)
    assert session.answer("save", json.dumps({"points": ten}).encode()) == {"saved": "points.json", "points": 10}
    assert read_picks(session.out) == ten
    assert "10 of 68" in session.answer("check", json.dumps({"points": ten}).encode())["findings"][0]


@pytest.mark.parametrize(
    ("action", "body", "words"),
    [
        ("save", b"{", "no JSON"),
        ("save", b"[1]", "JSON of points"),
        ("save", b'{"points": {"chin": 999999}}', "does not exist"),
        ("save", b'{"points": {"chinn": 1}}', "did you mean 'chin'"),
        ("complete", b'{"points": {"chin": 1}}', "too few picked points"),
        ("erase", b"{}", "unknown request"),
    ],
)
def test_wrong_requests_get_an_error_and_write_nothing(session, action, body, words) -> None:
    assert words in session.answer(action, body)["error"]
    assert not session.out.exists()


def test_others_are_refused(session) -> None:
    with PickServer(session) as server:
        root = f"http://127.0.0.1:{server.port}/"
        for url, host, status in (
            (root, None, 404),
            (root + "guess/save", None, 404),
            (server.url, "evil.example", 403),
            (server.url + "nothing", None, 404),
        ):
            with pytest.raises(urllib.error.HTTPError) as caught:
                _ask(url, None, host)
            assert caught.value.code == status
        with pytest.raises(urllib.error.HTTPError, match="413"):
            _ask(server.url + "save", {"points": "x" * 1_100_000})
        with pytest.raises(OutputError, match="free port"):
            PickServer(session, server.port)


def test_window_needs_open3d(session, monkeypatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "open3d", None)
    with pytest.raises(MissingDependencyError, match=r"blendvoca\[open3d\]"):
        pick_in_window(session.mesh, session.out)


def test_no_window_opens_where_nobody_can_see_it(session, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "open3d", types.ModuleType("open3d"))
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(OutputError, match=r"a display.*leave --window out"):
        pick_in_window(session.mesh, session.out)


_IN_WINDOW = """
import sys
import open3d
from pathlib import Path
from blendvoca.synthetic.head import SyntheticHead
from landmarks.pick import pick_in_window

mesh, landmarks = SyntheticHead().head()
window = open3d.visualization.VisualizerWithVertexSelection

def run(self):
    for _ in range(3):
        self.poll_events()
        self.update_renderer()
    self.add_picked_points(open3d.utility.IntVector([int(index) for index in landmarks[:10]]))

window.run = run
assert pick_in_window(mesh, Path(sys.argv[1])) == 10
"""


@pytest.mark.slow
def test_the_window_opens_with_the_current_open3d(tmp_path) -> None:
    pytest.importorskip("open3d", reason="pip install 'blendvoca[open3d]' to run this test")
    if shutil.which("xvfb-run") is None:
        pytest.skip("no xvfb-run: install the system's package `xvfb`")
    words = ["xvfb-run", "-a", sys.executable, "-c", _IN_WINDOW, str(tmp_path / "picks.json")]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    assert json.loads((tmp_path / "picks.json").read_text())["points"]
