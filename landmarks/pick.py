"""Picking landmarks by hand: a page in the browser, served to this machine only, that writes a landmark file.

The page (``pick.html``) is self-contained: it draws the mesh with WebGL and loads nothing from elsewhere. It is served
under a random path on the loopback address; requests that name another host are refused.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from blendvoca.errors import BlendvocaError, InputError, OutputError
from blendvoca.ibug68 import GROUPS, INDEX, N_LANDMARKS, NAMES, TEN_PICKS
from blendvoca.io.json_file import anything, mapping, parse_json, table
from blendvoca.mesh import Mesh
from blendvoca.view.appearance import appearance_of
from blendvoca.view.shading import glsl
from landmarks.check import check_landmarks
from landmarks.files import checked_points, write_landmarks, write_picks
from landmarks.prototype import PROTOTYPE
from landmarks.sources import SourceRig
from landmarks.transfer import transfer_landmarks

_LIMIT = 1_000_000
_REQUEST = table({"points": mapping(anything)})
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "connect-src 'self'; img-src data:",
}


@dataclass
class PickSession:
    """What the page asks for, and what it brings back; knows no network.

    :param mesh: the head.
    :param out: landmark file to write; 68 points as :func:`landmarks.files.write_landmarks`, fewer as picks in JSON.
    :param start: points that are placed already.
    :param source: a rig whose landmarks complete ten picked ones; None leaves the button out.
    """

    mesh: Mesh
    out: Path
    start: Mapping[str, int] = field(default_factory=dict)
    source: SourceRig | None = None
    saved: bool = False
    closed: threading.Event = field(default_factory=threading.Event)

    def page(self) -> bytes:
        """Return the page."""
        text = files(__package__).joinpath("pick.html").read_text(encoding="utf-8")
        return text.replace('/*LOOK*/""', json.dumps(glsl())).encode()

    def look_bytes(self) -> bytes:
        """Return what the vertices look like: colours (V, 3) and light (V,) as uint8, eyes (V, 4) as int8."""
        known = [self.start.get(name) for name in NAMES]
        marks = None if None in known else np.array(known)
        look = appearance_of(self.mesh, marks)
        colours, light = np.rint(255 * look.colours), np.rint(255 * look.occlusion)
        return (
            colours.astype(np.uint8).tobytes()
            + light.astype(np.uint8).tobytes()
            + (np.rint(127 * look.eyes).astype(np.int8).tobytes())
        )

    def mesh_bytes(self) -> bytes:
        """Return V and F as uint32, then vertices float32 and faces uint32, little-endian.

        Vertices are centred and scaled to a radius of one, which keeps float32 exact enough for any unit.
        """
        vertices = self.mesh.vertices
        middle = (vertices.min(axis=0) + vertices.max(axis=0)) / 2
        scaled = (vertices - middle) / max(self.mesh.extent / 2, 1e-300)
        head = np.array([self.mesh.n_vertices, self.mesh.n_faces], dtype="<u4").tobytes()
        return head + scaled.astype("<f4").tobytes() + self.mesh.faces.astype("<u4").tobytes()

    def scheme(self) -> dict[str, Any]:
        """Return names, groups, a plan of the face and the points placed so far."""
        return {
            "names": NAMES,
            "groups": {name: list(members) for name, members in GROUPS.items()},
            "plan": np.round(PROTOTYPE[:, :2], 4).tolist(),
            "ten": [INDEX[name] for name in TEN_PICKS],
            "start": {str(INDEX[name]): int(vertex) for name, vertex in self.start.items()},
            "out": self.out.name,
            "complete": self.source is not None,
        }

    def check(self, points: Mapping[str, int]) -> dict[str, Any]:
        """Check a whole list, or the names and vertices of a part."""
        placed = checked_points(points, self.mesh.n_vertices)
        if len(placed) < N_LANDMARKS:
            return {"ok": False, "findings": [f"{len(placed)} of {N_LANDMARKS} points are placed"]}
        report = check_landmarks(self.mesh, [placed[name] for name in NAMES])
        return {"ok": report.ok, "findings": [finding.message for finding in report.findings]}

    def complete(self, points: Mapping[str, int]) -> dict[str, Any]:
        """Place the missing points by transfer from the source.

        :raises LandmarkError: if the points do not do.
        """
        if self.source is None:
            raise InputError("no source rig to complete the points from")
        found = transfer_landmarks(self.source.rig.neutral, self.source.landmarks, self.mesh, points)
        return {"points": found.landmarks.tolist(), "findings": [finding.message for finding in found.report.findings]}

    def save(self, points: Mapping[str, int]) -> dict[str, Any]:
        """Write the file."""
        placed = checked_points(points, self.mesh.n_vertices)
        if len(placed) == N_LANDMARKS:
            write_landmarks(self.out, [placed[name] for name in NAMES], self.mesh.n_vertices)
        else:
            write_picks(self.out, placed, self.mesh.n_vertices)
        self.saved = True
        return {"saved": self.out.name, "points": len(placed)}

    def answer(self, action: str, body: bytes) -> dict[str, Any]:
        """Answer what the page posts; an error of ours becomes ``{"error": …}``."""
        try:
            if action == "close":
                self.closed.set()
                return {"closed": True}
            actions: dict[str, Callable[[Mapping[str, int]], dict[str, Any]]]
            actions = {"check": self.check, "complete": self.complete, "save": self.save}
            if action not in actions:
                raise InputError("unknown request", expected=sorted(actions), found=action[:40])
            content = parse_json(body, _REQUEST, "the request is no JSON of points")
            return actions[action](content["points"])
        except BlendvocaError as error:
            return {"error": str(error)}


class PickServer:
    """Serves one session on the loopback address.

    :param port: 0 takes a free one.
    :raises OutputError: if the port is taken.
    """

    def __init__(self, session: PickSession, port: int = 0) -> None:
        self.session, self.token = session, secrets.token_urlsafe(12)
        handler = type("Handler", (_Handler,), {"server_side": self})
        try:
            self._http = ThreadingHTTPServer(("127.0.0.1", port), handler)
        except (OSError, OverflowError) as error:
            raise OutputError("cannot serve the page", expected="a free port", found=f"{port}: {error}") from error
        self._http.daemon_threads = True

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._http.server_address[1])

    @property
    def url(self) -> str:
        """Address of the page."""
        return f"http://127.0.0.1:{self.port}/{self.token}/"

    def __enter__(self) -> PickServer:
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the page says that it is done; return whether it did within the time."""
        return self.session.closed.wait(seconds)


class _Handler(BaseHTTPRequestHandler):
    """GET the page, the mesh and the scheme; POST everything else."""

    server_side: PickServer
    server_version, sys_version, timeout = "blendvoca", "", 60

    def do_GET(self) -> None:
        """Answer a GET."""
        action = self._action()
        session = self.server_side.session
        if action == "":
            self._send(200, "text/html; charset=utf-8", session.page())
        elif action == "mesh":
            self._send(200, "application/octet-stream", session.mesh_bytes())
        elif action == "look":
            self._send(200, "application/octet-stream", session.look_bytes())
        elif action == "scheme":
            self._send(200, "application/json", json.dumps(session.scheme()).encode())
        elif action is not None:
            self._send(404, "text/plain", b"not here")

    def do_POST(self) -> None:
        """Answer a POST."""
        action = self._action()
        if action is None:
            return
        text = self.headers.get("Content-Length", "")
        if not text.isdigit() or len(text) > 12:
            self._send(411, "text/plain", b"how long?")
            return
        if int(text) > _LIMIT:
            # A client that still writes would not receive the answer, so some of it is read.
            left = min(int(text), 20 * _LIMIT)
            while left > 0 and (part := self.rfile.read(min(left, 65536))):
                left -= len(part)
            self.close_connection = True
            self._send(413, "text/plain", b"too long")
            return
        body = self.rfile.read(int(text))
        content = self.server_side.session.answer(action, body)
        self._send(200, "application/json", json.dumps(content).encode())

    def _action(self) -> str | None:
        """Return what is asked for, or refuse: another host (a page that rebinds its name), or another path."""
        port = self.server_side.port
        prefix = f"/{self.server_side.token}/"
        if self.headers.get("Host") not in (f"127.0.0.1:{port}", f"localhost:{port}"):
            self._send(403, "text/plain", b"this page is for this machine only")
            return None
        if not self.path.startswith(prefix):
            self._send(404, "text/plain", b"not here")
            return None
        return self.path[len(prefix) :]

    def _send(self, status: int, kind: str, content: bytes) -> None:
        self.send_response(status)
        for name, value in (("Content-Type", kind), ("Content-Length", str(len(content))), *_HEADERS.items()):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing on the terminal."""


def pick_in_window(mesh: Mesh, out: str | PathLike[str], names: tuple[str, ...] = NAMES) -> int:
    """Pick points in an open3d window (shift + click, in the order of ``names``) and write them.

    :returns: how many points were written.
    :raises MissingDependencyError: without open3d.
    :raises ConfigurationError: where a library of the system is missing.
    :raises OutputError: without a display.
    :raises LandmarkError: for a point picked twice.
    """
    from blendvoca.errors import ConfigurationError, LandmarkError, MissingDependencyError

    try:
        import open3d
    except ModuleNotFoundError as error:
        raise MissingDependencyError("open3d", "open3d", "picking in a window") from error
    except ImportError as error:
        remedy = "Install the library (Debian: apt install libusb-1.0-0 libgl1 libgomp1), or leave --window out."
        raise ConfigurationError("open3d lacks a library of the system", found=str(error), remedy=remedy) from error
    no_window = OutputError("no window can be opened", expected="a display, and OpenGL", found="none",
                            remedy="Pick in the browser: leave --window out.")  # fmt: skip
    if sys.platform.startswith("linux") and not any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY"))):
        # open3d would draw off-screen, where nobody can click, for ever.
        raise no_window
    # Copies: open3d takes no read-only arrays, and a mesh's are.
    shown = open3d.geometry.TriangleMesh(
        open3d.utility.Vector3dVector(np.array(mesh.vertices)), open3d.utility.Vector3iVector(np.array(mesh.faces))
    )
    shown.compute_vertex_normals()
    window = open3d.visualization.VisualizerWithVertexSelection()
    if not window.create_window(f"shift + click: {names[0]} first"):
        raise no_window
    window.add_geometry(shown)
    window.run()
    picked = [int(point.index) for point in window.get_picked_points()]
    window.destroy_window()
    if not picked:
        raise LandmarkError("no point was picked", expected=f"{len(names)} points in the order of the scheme")
    points = checked_points(dict(zip(names, picked, strict=False)), mesh.n_vertices)
    if len(points) == N_LANDMARKS:
        write_landmarks(out, [points[name] for name in NAMES], mesh.n_vertices)
    else:
        write_picks(out, points, mesh.n_vertices)
    return len(points)
