"""Packets, decoded by public libraries that know nothing of this project; addresses as users mistype them."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time

import numpy as np
import pytest

from blendvoca.arkit import ARKIT_NAMES
from blendvoca.errors import ConfigurationError
from said_model.live import livelink, vmc
from said_model.live.address import Address
from said_model.live.frame import Frame
from said_model.live.outputs import open_output

VALUES = {name: (place + 1) / 64 for place, name in enumerate(ARKIT_NAMES)}
FRAME = Frame(1234, 20.5, VALUES, (0.1, -0.2, 0.3))
DEVICE = "0F0E0D0C-0B0A-0908-0706-050403020100"


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


@pytest.fixture
def receiver():
    """A datagram socket on loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)
        yield server


def test_live_link_packets_are_read_by_pylivelinkface():
    library = pytest.importorskip("pylivelinkface")
    found, face = library.PyLiveLinkFace.decode(livelink.packet(FRAME, 60.0, "said", DEVICE))
    assert found
    assert (face.name, face.fps, face._denominator, face._frames) == ("said", 60, 1, 1234)
    for shape in library.FaceBlendShape:
        name = shape.name[0].lower() + shape.name[1:]
        if name in VALUES:
            assert face.get_blendshape(shape) == pytest.approx(VALUES[name], abs=1e-6), name
    head = [face.get_blendshape(getattr(library.FaceBlendShape, f"Head{axis}")) for axis in ("Yaw", "Pitch", "Roll")]
    np.testing.assert_allclose(head, FRAME.head, atol=1e-6)


def test_live_link_packets_have_the_layout_of_version_6():
    data = livelink.packet(Frame(7, 0.1, {"jawOpen": 0.5}), 30.0, "Ada", DEVICE)
    assert data[0] == 6
    assert struct.unpack_from(">i36si3s", data, 1) == (36, DEVICE.encode(), 3, b"Ada")
    assert struct.unpack_from(">ifiiB", data, 48) == (7, 0.0, 30, 1, 61)
    values = np.frombuffer(data, ">f4", offset=65)
    assert values.shape == (61,)
    assert values[17] == 0.5
    assert np.count_nonzero(values) == 1
    # 30000/1001 frames a second are a fraction.
    assert struct.unpack_from(">ii", livelink.packet(FRAME, 30000 / 1001, "Ada", DEVICE), 56) == (30000, 1001)


def test_vmc_is_read_by_python_osc():
    osc_bundle = pytest.importorskip("pythonosc.osc_bundle")
    messages = [entry for data in vmc.bundles(FRAME) for entry in osc_bundle.OscBundle(data)]
    assert all(len(data) <= 1400 for data in vmc.bundles(FRAME))
    values = {m.params[0]: m.params[1] for m in messages if m.address == "/VMC/Ext/Blend/Val"}
    assert values.keys() == VALUES.keys()
    np.testing.assert_allclose([values[name] for name in VALUES], list(VALUES.values()), atol=1e-6)
    order = [message.address for message in messages]
    assert order.count("/VMC/Ext/Blend/Apply") == 1
    assert order.index("/VMC/Ext/Blend/Apply") == len(VALUES)
    (bone,) = [message.params for message in messages if message.address == "/VMC/Ext/Bone/Pos"]
    assert bone[0] == "Head"
    assert np.linalg.norm(bone[4:]) == pytest.approx(1, abs=1e-6)
    # A face that turns to its left turns about -y in Unity's left-handed axes.
    (turned,) = [m.params for data in vmc.bundles(Frame(0, 0, {"jawOpen": 0}, (0.4, 0, 0)))
                 for m in osc_bundle.OscBundle(data) if m.address == "/VMC/Ext/Bone/Pos"]  # fmt: skip
    np.testing.assert_allclose(turned[4:], [0, -np.sin(0.2), 0, np.cos(0.2)], atol=1e-6)


def test_vmc_speaks_vrm_names():
    osc_bundle = pytest.importorskip("pythonosc.osc_bundle")
    frame = Frame(0, 0.0, {"jawOpen": 0.65, "mouthLowerDownLeft": 0.2, "mouthLowerDownRight": 0.2,
                           "mouthUpperUpLeft": 0.15, "mouthUpperUpRight": 0.15, "eyeBlinkLeft": 0.7})  # fmt: skip
    messages = [entry for data in vmc.bundles(frame, "vrm") for entry in osc_bundle.OscBundle(data)]
    values = {m.params[0]: m.params[1] for m in messages if m.address == "/VMC/Ext/Blend/Val"}
    assert values["A"] == pytest.approx(1, abs=1e-5)
    assert values["Blink_L"] == pytest.approx(0.7, abs=1e-6)
    assert values["O"] == values["Joy"] == values["Angry"] == 0


@pytest.mark.parametrize("scheme", ["livelink", "osc"])
def test_packets_reach_loopback(receiver, scheme):
    notes: list[str] = []
    port = receiver.getsockname()[1]
    output = open_output(Address.of(f"{scheme}://127.0.0.1:{port}"), ARKIT_NAMES, 60.0, notes.append)
    output.send(FRAME)
    data = receiver.recv(4096)
    assert data[:1] == b"\x06" if scheme == "livelink" else data.startswith(b"#bundle\0")
    output.close()
    assert notes == []


@pytest.mark.parametrize("scheme", ["livelink", "osc"])
def test_a_receiver_that_is_gone_is_said_once(scheme):
    notes: list[str] = []
    output = open_output(Address.of(f"{scheme}://127.0.0.1:{free_port()}"), ARKIT_NAMES, 60.0, notes.append)
    for _ in range(20):
        output.send(FRAME)
        time.sleep(0.005)
    output.close()
    assert len(notes) == 1
    assert "nobody receives" in notes[0]
    assert "the stream goes on" in notes[0]


def test_websocket_serves_whoever_connects():
    pytest.importorskip("websockets")
    from websockets.sync.client import connect

    notes: list[str] = []
    address = f"ws://127.0.0.1:{free_port()}"
    output = open_output(Address.of(address), ARKIT_NAMES, 60.0, notes.append)
    output.send(FRAME)  # nobody is there yet
    received: list[list[dict]] = [[], []]
    for number in range(2):  # one after the other: the first went away
        with connect(address) as page:
            deadline = time.monotonic() + 10
            while len(received[number]) < 3 and time.monotonic() < deadline:
                output.send(FRAME)
                try:
                    received[number].append(json.loads(page.recv(timeout=0.05)))
                except TimeoutError:
                    continue
    for _ in range(5):
        output.send(FRAME)
        time.sleep(0.02)
    output.close()
    for found in received:
        assert found[0]["frame"] == 1234
        assert found[0]["time"] == 20.5
        assert found[0]["head"] == [0.1, -0.2, 0.3]
        assert found[0]["blendShapes"] == pytest.approx(VALUES, abs=1e-6)
    assert "whoever connects" in notes[0]
    assert len(notes) <= 2, notes


def test_websocket_sends_to_a_server_and_connects_again():
    pytest.importorskip("websockets")
    from websockets.sync.server import serve

    port, notes, received = free_port(), [], []

    def take(connection):
        for message in connection:
            received.append(json.loads(message)["frame"])

    def begin():
        server = serve(take, "127.0.0.1", port)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    server = begin()
    output = open_output(Address.of(f"ws://127.0.0.1:{port}"), ARKIT_NAMES, 60.0, notes.append)

    def until(count, first):
        deadline = time.monotonic() + 20
        while len(received) < count and time.monotonic() < deadline:
            output.send(Frame(first, 0.0, {"jawOpen": 0.5}))
            time.sleep(0.01)

    until(3, 1)
    server.shutdown()
    for _ in range(20):
        output.send(FRAME)
        time.sleep(0.01)
    before = len(received)
    server = begin()
    until(before + 3, 2)
    output.close()
    server.shutdown()
    assert received[-1] == 2
    assert sum("nobody receives" in note for note in notes) == 1


def test_a_port_in_use_is_an_error():
    pytest.importorskip("websockets")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        def rude():
            connection, _ = other.accept()
            connection.recv(1000)
            connection.sendall(b"220 mail.example ESMTP\r\n\r\n")
            connection.close()

        threading.Thread(target=rude, daemon=True).start()
        with pytest.raises(ConfigurationError, match="in use"):
            open_output(Address.of(f"ws://127.0.0.1:{port}"), ARKIT_NAMES, 60.0, print)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("livelnk://127.0.0.1:11111", "did you mean 'livelink'"),
        ("http://127.0.0.1:80", "unknown kind of receiver 'http'"),
        ("livelink://", "no host"),
        ("livelink://127.0.0.1:99999", "wrong port"),
        ("livelink://127.0.0.1:abc", "wrong port"),
        ("osc://127.0.0.1:0", "no host or port"),
        ("ws://127.0.0.1:8765/frames", "more than host and port"),
        ("osc://127.0.0.1:39539?names=vroid", "wrong names 'vroid'"),
        ("livelink://127.0.0.1?subjct=Ada", "did you mean 'subject'"),
        ("talk.glb", "frames go nowhere"),
    ],
)
def test_wrong_addresses(text, says):
    with pytest.raises(ConfigurationError, match=says):
        Address.of(text)


def test_addresses():
    assert Address.of("livelink://unreal") == Address("livelink", "unreal", 11111)
    assert Address.of("OSC://[::1]:9000?names=vrm") == Address("osc", "::1", 9000, {"names": "vrm"})
    assert str(Address.of("ws://[::1]:9000")) == "ws://[::1]:9000"
    assert Address.of("talk.csv").scheme == "csv"
    with pytest.raises(ConfigurationError, match="cannot send"):
        open_output(Address.of("livelink://no-such-host.invalid:1"), ARKIT_NAMES, 60.0, print)
