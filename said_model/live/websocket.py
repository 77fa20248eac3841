"""WebSockets: frames as JSON, to a server that listens at the address, else to whoever connects there.

Every message is one frame: ``{"frame": 12, "time": 0.2, "blendShapes": {"jawOpen": 0.31, …}, "head": [0, 0, 0]}``.
"""

from __future__ import annotations

import json
import queue
import threading
import time
from typing import Any

from blendvoca.errors import ConfigurationError
from said_model.extras import require_package
from said_model.live.address import Address
from said_model.live.frame import Frame, Output, Report

#: Seconds that an answer may take, and between attempts to connect again.
_PATIENCE, _AGAIN = 3.0, 1.0
#: Frames that may wait for a slow receiver; what does not fit is dropped.
_WAITING = 2


def text(frame: Frame) -> str:
    """Return a frame as JSON."""
    entry: dict[str, Any] = {
        "frame": frame.number, "time": round(frame.time, 6),
        "blendShapes": {name: round(value, 6) for name, value in frame.values.items()},
    }  # fmt: skip
    if frame.head is not None:
        entry["head"] = [round(angle, 6) for angle in frame.head]
    return json.dumps(entry, separators=(",", ":"))


def open_websocket(address: Address, on_report: Report) -> Output:
    """Connect to a server, or be one where none listens.

    :raises MissingDependencyError: without the package websockets.
    :raises ConfigurationError: if something else listens there, or the address is no machine's.
    """
    require_package("websockets", "ws:// (WebSocket output)", "live")
    from websockets.exceptions import InvalidHandshake, InvalidMessage
    from websockets.sync.client import connect

    try:
        connection = connect(str(address), open_timeout=_PATIENCE).__enter__()
    except ConnectionRefusedError:
        return _Server(address, on_report)
    except (InvalidHandshake, InvalidMessage, EOFError, TimeoutError) as error:
        raise ConfigurationError(f"port {address.port} is in use by something that speaks no WebSocket",
                                 found=str(error)[:100], remedy="Name another port.") from error  # fmt: skip
    except OSError as error:
        raise ConfigurationError(f"cannot reach {address}", expected="a host that can be reached",
                                 found=error.strerror or str(error)) from error  # fmt: skip
    on_report(f"connected to the server at {address}")
    return _Client(address, connection, on_report)


class _Client:
    """Sends to a server, and connects again when it went away."""

    def __init__(self, address: Address, connection: Any, on_report: Report) -> None:
        self.address, self.connection, self.on_report = address, connection, on_report
        self.waiting: queue.Queue[str | None] = queue.Queue(_WAITING)
        self.said = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def send(self, frame: Frame) -> None:
        _offer(self.waiting, text(frame))

    def close(self) -> None:
        _last(self.waiting)
        self.thread.join(_PATIENCE)

    def _run(self) -> None:
        from websockets.exceptions import ConnectionClosed, WebSocketException
        from websockets.sync.client import connect

        tried = time.monotonic()
        while (message := self.waiting.get()) is not None:
            try:
                if self.connection is not None:
                    self.connection.send(message)
                elif time.monotonic() - tried > _AGAIN:
                    tried = time.monotonic()
                    self.connection = connect(str(self.address), open_timeout=_AGAIN).__enter__()
                    self.connection.send(message)
            except (ConnectionClosed, WebSocketException, OSError, EOFError):
                if not self.said:
                    self.said = True
                    self.on_report(f"nobody receives at {self.address}: the stream goes on and connects again")
                self.connection = None
        if self.connection is not None:
            self.connection.close()


class _Server:
    """Sends to everybody who connects."""

    def __init__(self, address: Address, on_report: Report) -> None:
        from websockets.sync.server import serve

        self.address, self.on_report = address, on_report
        self.receivers: dict[int, queue.Queue[str | None]] = {}
        self.lock = threading.Lock()
        self.said = False
        try:
            self.server = serve(self._serve, address.host, address.port)
        except OSError as error:
            remedy = (
                "Name another port." if address.host in ("localhost", "127.0.0.1", "0.0.0.0") else "Start a server."
            )
            raise ConfigurationError(f"cannot listen at {address}", expected="a free port of this machine",
                                     found=error.strerror or str(error), remedy=remedy) from error  # fmt: skip
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        on_report(f"no server listens at {address}: whoever connects there gets the frames")

    def send(self, frame: Frame) -> None:
        with self.lock:
            receivers = list(self.receivers.values())
        if receivers:
            message = text(frame)
            for waiting in receivers:
                _offer(waiting, message)

    def close(self) -> None:
        with self.lock:
            receivers = list(self.receivers.values())
        for waiting in receivers:
            _last(waiting)
        deadline = time.monotonic() + _PATIENCE
        while self.receivers and time.monotonic() < deadline:
            time.sleep(0.01)
        self.server.shutdown()

    def _serve(self, connection: Any) -> None:
        from websockets.exceptions import ConnectionClosed

        waiting: queue.Queue[str | None] = queue.Queue(_WAITING)
        with self.lock:
            self.receivers[id(connection)] = waiting
        try:
            while (message := waiting.get()) is not None:
                connection.send(message)
        except (ConnectionClosed, OSError):
            if not self.said:
                self.said = True
                self.on_report(f"a receiver at {self.address} is gone: the stream goes on")
        finally:
            with self.lock:
                self.receivers.pop(id(connection), None)


def _offer(waiting: queue.Queue[str | None], message: str) -> None:
    """Put a message behind the others, unless the receiver is too slow for it."""
    try:
        waiting.put_nowait(message)
    except queue.Full:
        return


def _last(waiting: queue.Queue[str | None]) -> None:
    """Say that nothing follows."""
    try:
        waiting.put(None, timeout=_PATIENCE)
    except queue.Full:
        return
