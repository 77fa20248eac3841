"""What takes frames: sockets, WebSockets, tables. Each one goes on when nobody receives, and says so once."""

from __future__ import annotations

import socket
import sys
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from blendvoca.errors import ConfigurationError, OutputError
from said_model.live import livelink, vmc
from said_model.live.address import Address
from said_model.live.frame import Frame, Output, Report


class UdpOutput:
    """Datagrams to one machine.

    :param address: of the receiver.
    :param encode: a frame as datagrams.
    :param on_report: is called once when nobody is there.
    :raises ConfigurationError: for a host that nobody knows.
    """

    def __init__(self, address: Address, encode: Callable[[Frame], Sequence[bytes]], on_report: Report) -> None:
        self.address, self.encode, self.on_report = address, encode, on_report
        self.said = False
        try:
            family, kind, _, _, place = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_DGRAM)[0]
            self.socket = socket.socket(family, kind)
            self.socket.setblocking(False)
            # A connected socket hears that a machine refuses its packets.
            self.socket.connect(place)
        except OSError as error:
            raise ConfigurationError(f"cannot send to {address}", expected="a host that can be reached",
                                     found=error.strerror or str(error)) from error  # fmt: skip

    def send(self, frame: Frame) -> None:
        """Send the datagrams of a frame."""
        for datagram in self.encode(frame):
            try:
                self.socket.send(datagram)
            except OSError as error:
                # What a full buffer does not take is dropped, like any late frame.
                if not self.said and not isinstance(error, BlockingIOError):
                    self.said = True
                    self.on_report(f"nobody receives at {self.address} ({error.strerror}): the stream goes on")

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()


class CsvOutput:
    """A table, a line a frame.

    :param path: of the file, ``-`` for standard output.
    :param names: of the columns.
    """

    def __init__(self, path: str, names: Sequence[str]) -> None:
        self.path, self.names = path, names
        try:
            self.file: IO[str] = sys.stdout if path == "-" else Path(path).open("w", encoding="utf-8")  # noqa: SIM115
        except OSError as error:
            raise OutputError("cannot write here", path=path, found=error.strerror) from error
        print(",".join(names), file=self.file, flush=True)

    def send(self, frame: Frame) -> None:
        """Write a line."""
        print(",".join(f"{frame.values.get(name, 0.0):.8g}" for name in self.names), file=self.file, flush=True)

    def close(self) -> None:
        """Close the file."""
        if self.path != "-":
            self.file.close()


def open_output(address: Address, names: Sequence[str], fps: float, on_report: Report) -> Output:
    """Open what an address names.

    :param address: of the receiver.
    :param names: of the coefficients.
    :param fps: frames per second.
    :param on_report: is called with what the user should know.
    :raises ConfigurationError: for a host that cannot be reached, or a port in use.
    :raises OutputError: for a file that cannot be written.
    :raises MissingDependencyError: for WebSockets without their package.
    """
    if address.scheme == "csv":
        return CsvOutput(address.host, names)
    if address.scheme == "ws":
        from said_model.live.websocket import open_websocket

        return open_websocket(address, on_report)
    if address.scheme == "osc":
        chosen = address.settings.get("names", "arkit")
        return UdpOutput(address, lambda frame: vmc.bundles(frame, chosen), on_report)
    subject, device = address.settings.get("subject", "said"), str(uuid.uuid4()).upper()
    return UdpOutput(address, lambda frame: [livelink.packet(frame, fps, subject, device)], on_report)
