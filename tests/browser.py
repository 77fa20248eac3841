"""A headless Chromium for tests of pages, driven through its DevTools protocol over a pipe: no driver, no sockets."""

from __future__ import annotations

import base64
import io
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray

#: Where systems put it; CHROMIUM names another.
_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_FLAGS = (
    "--headless=new", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--hide-scrollbars",
    "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions", "--disable-background-networking",
    "--disable-component-update", "--mute-audio", "--autoplay-policy=no-user-gesture-required",
    "--force-color-profile=srgb", "--remote-debugging-pipe",
)  # fmt: skip


def find_chromium() -> str:
    """Return the browser's path, or skip."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if not found:
        pytest.skip("no Chromium: install the system's package `chromium`, or point CHROMIUM at one")
    return found


class Browser:
    """One page of one browser; close it when done.

    :param profile: an empty folder for the browser's own files.
    """

    def __init__(self, profile: Path) -> None:
        to_read, self._write = os.pipe()
        self._read, to_write = os.pipe()

        def connect() -> None:
            # The protocol speaks on descriptors 3 and 4. First out of the way, where an end already is 3 or 4.
            first, second = os.dup(to_read), os.dup(to_write)
            os.dup2(first, 3)
            os.dup2(second, 4)

        command = [find_chromium(), *_FLAGS, f"--user-data-dir={profile}", "about:blank"]
        self._process = subprocess.Popen(
            command, preexec_fn=connect, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(to_read)
        os.close(to_write)
        self._number, self._buffer, self._session = 0, b"", ""
        #: Console errors, uncaught exceptions and refused loads, as text.
        self.problems: list[str] = []
        #: Addresses that were asked for.
        self.requests: list[str] = []
        target = next(t for t in self._call("Target.getTargets")["targetInfos"] if t["type"] == "page")
        attached = self._call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")

    def close(self) -> None:
        """End the browser."""
        try:
            self._session = ""
            self._call("Browser.close")
            self._process.wait(10)
        except (AssertionError, OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        for end in (self._read, self._write):
            os.close(end)

    def open(self, page: Path, width: int = 1000, height: int = 700, dark: bool = False) -> None:
        """Load a page in a window of that size and wait until it says that it is ready."""
        self.problems.clear()
        self.requests.clear()
        self.resize(width, height)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self._call("Emulation.setEmulatedMedia", features=scheme)
        self._call("Page.navigate", url=page.resolve().as_uri())
        self.wait("window.inspect && window.inspect.state().ready && window.inspect.state().drawn > 0")

    def cpu_seconds(self) -> float:
        """Return the processor time that all processes of the browser have used."""
        own = psutil.Process(self._process.pid)
        times = [process.cpu_times() for process in (own, *own.children(recursive=True))]
        return sum(entry.user + entry.system for entry in times)

    def before(self, script: str) -> str:
        """Run a script in every page before its own scripts; returns a name for :meth:`forget`."""
        return self._call("Page.addScriptToEvaluateOnNewDocument", source=script)["identifier"]

    def forget(self, name: str) -> None:
        """Stop running such a script."""
        self._call("Page.removeScriptToEvaluateOnNewDocument", identifier=name)

    def resize(self, width: int, height: int, scale: float = 1, touch: bool = False) -> None:
        """Give the window a size in CSS pixels, and pixels for each of them."""
        screen = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": touch}
        self._call("Emulation.setDeviceMetricsOverride", **screen)

    def run(self, script: str) -> Any:
        """Return the value of an expression in the page, promises awaited."""
        answer = self._call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise AssertionError(json.dumps(answer["exceptionDetails"])[:600])
        return answer["result"].get("value")

    def wait(self, condition: str, seconds: float = 20) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + seconds
        while not self.run(f"Boolean({condition})"):
            if time.monotonic() > end:
                raise AssertionError(f"never true: {condition}; problems: {self.problems}")
            time.sleep(0.03)

    def settle(self) -> None:
        """Wait until what was asked for has been drawn and shown."""
        self.run("(async () => { for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame); })()")

    def press(self, key: str, shift: bool = False) -> None:
        """Press and release a key, as a hand does."""
        text = {"text": key} if len(key) == 1 else {}
        code = {" ": "Space"}.get(key, key)
        for kind in ("keyDown", "keyUp"):
            extra = text if kind == "keyDown" else {}
            self._call("Input.dispatchKeyEvent", type=kind, key=key, code=code, modifiers=8 if shift else 0, **extra)
        self.settle()

    def drag(self, start: tuple[float, float], *path: tuple[float, float]) -> None:
        """Press the mouse's left button at a point, move it along, release it."""
        self._mouse("mousePressed", start)
        for place in path:
            self._mouse("mouseMoved", place)
        self._mouse("mouseReleased", path[-1] if path else start)
        self.settle()

    def give(self, selector: str, *paths: Path) -> None:
        """Choose files for a file input."""
        root = self._call("DOM.getDocument")["root"]["nodeId"]
        node = self._call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self._call("DOM.setFileInputFiles", files=[str(path) for path in paths], nodeId=node)

    def wheel(self, place: tuple[float, float], down: float) -> None:
        """Turn the mouse's wheel."""
        self._call("Input.dispatchMouseEvent", type="mouseWheel", x=place[0], y=place[1], deltaX=0, deltaY=down)
        self.settle()

    def pinch(self, middle: tuple[float, float], before: float, after: float) -> None:
        """Move two fingers apart or together."""
        for kind, reach in (("touchStart", before), ("touchMove", (before + after) / 2), ("touchMove", after)):
            points = [{"x": middle[0] + side * reach, "y": middle[1], "id": side + 1} for side in (-1, 1)]
            self._call("Input.dispatchTouchEvent", type=kind, touchPoints=points)
        self._call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        self.settle()

    def box(self, selector: str) -> dict[str, float]:
        """Return where an element is: x, y, width, height."""
        return self.run(f"document.querySelector({json.dumps(selector)}).getBoundingClientRect().toJSON()")

    def picture(self) -> NDArray[np.uint8]:
        """Return what the window shows (height, width, 3)."""
        image = pytest.importorskip("PIL.Image", reason="pip install 'blendvoca[view]' brings Pillow")
        return np.asarray(image.open(io.BytesIO(self.screenshot())).convert("RGB"))

    def screenshot(self) -> bytes:
        """Return what the window shows as PNG."""
        self.settle()
        return base64.b64decode(self._call("Page.captureScreenshot", format="png")["data"])

    def _mouse(self, kind: str, place: tuple[float, float]) -> None:
        buttons = 0 if kind == "mouseReleased" else 1
        event = {"x": place[0], "y": place[1], "button": "left", "buttons": buttons, "clickCount": 1}
        self._call("Input.dispatchMouseEvent", type=kind, **event)

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                return answer["result"]
            self._note(answer)

    def _receive(self, seconds: float = 60) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            if not select.select([self._read], [], [], seconds)[0]:
                raise AssertionError("the browser does not answer")
            part = os.read(self._read, 1 << 20)
            if not part:
                raise AssertionError("the browser has ended")
            self._buffer += part
        line, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(line)

    def _note(self, event: dict[str, Any]) -> None:
        kind, facts = event.get("method"), event.get("params", {})
        if kind == "Runtime.exceptionThrown":
            self.problems.append(json.dumps(facts["exceptionDetails"])[:600])
        elif kind == "Runtime.consoleAPICalled" and facts["type"] in ("error", "warning", "assert"):
            self.problems.append(json.dumps(facts["args"])[:600])
        elif kind == "Log.entryAdded" and facts["entry"]["level"] == "error":
            self.problems.append(facts["entry"]["text"])
        elif kind == "Network.requestWillBeSent":
            self.requests.append(facts["request"]["url"])
