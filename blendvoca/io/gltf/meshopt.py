"""Buffer views packed by EXT_meshopt_compression, unpacked as the extension's appendices A and B specify them.

No package that is kept up decodes them, and geometry needs only part of it: attributes, triangles and indices of the
first version, and the exponential filter.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import FormatError

_ATTRIBUTES, _TRIANGLES, _INDICES = 0xA0, 0xE1, 0xD1
#: Elements of a group, and how many bytes a block of them holds at the most.
_GROUP, _BLOCK_BYTES, _BLOCK_ELEMENTS = 16, 8192, 256
#: Least bytes of the tail that holds the first element; bytes of a triangle stream's table.
_TAIL, _TABLE = 32, 16
#: How many of a byte's values of two bits, and of four, say that the value itself follows.
_SENTINELS_2 = [sum((byte >> shift & 3) == 3 for shift in (0, 2, 4, 6)) for byte in range(256)]
_SENTINELS_4 = [(byte & 15 == 15) + (byte >> 4 == 15) for byte in range(256)]


def unpacked(data: memoryview, packed: dict[str, Any]) -> bytes:
    """Return the plain bytes of a packed view.

    :param data: its packed bytes.
    :param packed: what the extension says of it.
    :raises FormatError: for a damaged stream, or a codec that is not read here.
    :raises ValueError: for a mode, count or stride that is none.
    """
    stream, count, stride = bytes(data), int(packed["count"]), int(packed["byteStride"])
    mode, kind = packed["mode"], packed.get("filter", "NONE")
    try:
        if mode == "ATTRIBUTES":
            rows = _attributes(stream, count, stride)
            return _filtered(rows, kind).tobytes()
        if mode not in ("TRIANGLES", "INDICES") or stride not in (2, 4):
            raise ValueError(f"mode {str(mode)[:20]!r} with elements of {stride} bytes")
        found = _triangles(stream, count) if mode == "TRIANGLES" else _indices(stream, count)
    except IndexError as error:
        raise FormatError("a damaged meshopt stream", found="an end too early") from error
    if found.size and not 0 <= found.min() <= found.max() < 1 << 8 * stride:
        raise FormatError("a damaged meshopt stream", found="an index beyond its type")
    return found.astype(f"<u{stride}").tobytes()


def _expect(stream: bytes, header: int) -> None:
    if not stream or stream[0] != header:
        raise FormatError(
            "its meshes are packed with a meshopt codec (EXT_meshopt_compression) that is not read here",
            expected=f"a stream that begins with {header:#x}",
            found=f"{stream[0]:#x}" if stream else "nothing",
            remedy="Unpack it with: npx @gltf-transform/cli copy IN.glb OUT.glb",
        )


def _attributes(stream: bytes, count: int, stride: int) -> NDArray[np.uint8]:
    """Return the elements (count, stride): differences of neighbours, byte by byte, in groups of sixteen."""
    _expect(stream, _ATTRIBUTES)
    if not 4 <= stride <= 256 or stride % 4:
        raise ValueError(f"elements of {stride} bytes")
    most = min(_BLOCK_BYTES // stride & ~(_GROUP - 1), _BLOCK_ELEMENTS)
    sizes = [min(most, count - start) for start in range(0, count, most)]
    end = len(stream) - max(_TAIL, stride)
    values = _groups(stream, [-(-size // _GROUP) for size in sizes for _ in range(stride)], end)
    deltas, place = [], 0
    for size in sizes:
        n_groups = -(-size // _GROUP) * stride
        block = values[place : place + n_groups].reshape(stride, -1)
        deltas.append(block[:, :size].T)
        place += n_groups
    zigzag = np.concatenate(deltas) if deltas else np.zeros((0, stride), np.uint8)
    steps = np.where(zigzag & 1, ~(zigzag >> 1), zigzag >> 1)
    if count:
        steps[0] += np.frombuffer(stream, np.uint8, stride, len(stream) - stride)
    return np.cumsum(steps, axis=0, dtype=np.uint8)


def _groups(stream: bytes, runs: list[int], end: int) -> NDArray[np.uint8]:
    """Return the values (n, 16) of all groups.

    :param runs: how many groups share one header, one after another.
    :param end: where the stream's tail begins.
    """
    starts: tuple[list[int], ...] = ([], [], [], [])
    rows: tuple[list[int], ...] = ([], [], [], [])
    position, row = 1, 0
    for n_groups in runs:
        header = position
        position += -(-n_groups // 4)
        for group in range(n_groups):
            bits = stream[header + (group >> 2)] >> 2 * (group & 3) & 3
            if bits:
                starts[bits].append(position)
                rows[bits].append(row)
                if bits == 1:
                    position += 4 + sum([_SENTINELS_2[byte] for byte in stream[position : position + 4]])
                elif bits == 2:
                    position += 8 + sum([_SENTINELS_4[byte] for byte in stream[position : position + 8]])
                else:
                    position += _GROUP
            row += 1
        if position > end:
            raise IndexError
    content = np.frombuffer(stream, np.uint8)
    values = np.zeros((row, _GROUP), np.uint8)
    for bits in (1, 2, 3):
        if starts[bits]:
            values[rows[bits]] = _group_values(content, np.array(starts[bits]), 1 << bits)
    return values


def _group_values(content: NDArray[np.uint8], starts: NDArray[np.int64], bits: int) -> NDArray[np.uint8]:
    """Return the values (n, 16) of groups of one kind; all bits set says that the value follows as a byte."""
    n_bytes = 2 * bits
    packed = content[starts[:, None] + np.arange(n_bytes)]
    if bits == 8:
        return packed
    shifts = np.arange(8 - bits, -1, -bits)
    small = (packed[:, :, None] >> shifts & (1 << bits) - 1).reshape(-1, _GROUP).astype(np.uint8)
    follows = small == (1 << bits) - 1
    places = starts[:, None] + n_bytes + np.cumsum(follows, axis=1) - 1
    return np.where(follows, content[np.where(follows, places, 0)], small)


def _filtered(rows: NDArray[np.uint8], kind: object) -> NDArray[Any]:
    """Return attributes with their filter undone."""
    if kind == "NONE":
        return rows
    if kind == "EXPONENTIAL":
        words = np.ascontiguousarray(rows).view("<i4")
        # Eight bits of exponent before twenty-four of a number, both signed.
        return np.ldexp((words << 8 >> 8).astype(np.float64), words >> 24).astype("<f4")
    # Octahedral and quaternion filters pack normals and rotations, which nobody reads here.
    raise FormatError(f"a meshopt filter that is not read here ({str(kind)[:20]})",
                      remedy="Unpack it with: npx @gltf-transform/cli copy IN.glb OUT.glb")  # fmt: skip


class _Numbers:
    """Reads numbers of seven bits a byte, as differences to the last one."""

    def __init__(self, stream: bytes, position: int, end: int) -> None:
        self.stream, self.position, self.end = stream, position, end
        self.last = 0

    def byte(self) -> int:
        if self.position >= self.end:
            raise IndexError
        self.position += 1
        return self.stream[self.position - 1]

    def number(self) -> int:
        result = 0
        for shift in range(0, 35, 7):
            byte = self.byte()
            result |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
        return result & 0xFFFFFFFF

    def index(self) -> int:
        self.last = self.last + _unzigzag(self.number()) & 0xFFFFFFFF
        return self.last


def _unzigzag(value: int) -> int:
    return ~(value >> 1) if value & 1 else value >> 1


def _indices(stream: bytes, count: int) -> NDArray[np.int64]:
    """Return indices (count,): differences to one of two running values."""
    _expect(stream, _INDICES)
    if count > len(stream):
        raise IndexError
    numbers, last, found = _Numbers(stream, 1, len(stream) - 4), [0, 0], np.empty(count, np.int64)
    for place in range(count):
        value = numbers.number()
        last[value & 1] = last[value & 1] + _unzigzag(value >> 1) & 0xFFFFFFFF
        found[place] = last[value & 1]
    return found


def _triangles(stream: bytes, count: int) -> NDArray[np.int64]:
    """Return the corners (count,) of triangles: most share an edge with one of the last sixteen."""
    _expect(stream, _TRIANGLES)
    n_triangles = count // 3
    if count % 3 or 1 + n_triangles + _TABLE > len(stream):
        raise IndexError
    decoder = _TriangleDecoder(stream, n_triangles)
    corners: list[int] = []
    for code in stream[1 : 1 + n_triangles]:
        corners += decoder.next_triangle(code)
    return np.array(corners, np.int64)


class _TriangleDecoder:
    """Holds the last edges and vertices, and the number that a new vertex gets."""

    def __init__(self, stream: bytes, n_triangles: int) -> None:
        self.table = stream[len(stream) - _TABLE :]
        self.numbers = _Numbers(stream, 1 + n_triangles, len(stream) - _TABLE)
        # The latest stands first.
        self.edges: deque[tuple[int, int]] = deque([(0, 0)] * 16, 16)
        self.vertices: deque[int] = deque([0] * 16, 16)
        self.new = 0

    def next_triangle(self, code: int) -> tuple[int, int, int]:
        """Return the corners of the triangle that a code stands for."""
        return self._beside(code >> 4, code & 15) if code < 0xF0 else self._alone(code & 15)

    def _beside(self, edge: int, kind: int) -> tuple[int, int, int]:
        a, b = self.edges[edge]
        if kind == 0:
            c = self._fresh()
        elif kind < 0xD:
            c = self.vertices[kind]
        elif kind < 0xF:
            c = self.numbers.last = self.numbers.last + (-1 if kind == 0xD else 1)
        else:
            c = self.numbers.index()
        if kind == 0 or kind >= 0xD:
            self.vertices.appendleft(c)
        self.edges.extendleft(((c, b), (a, c)))
        return a, b, c

    def _alone(self, kind: int) -> tuple[int, int, int]:
        pair = self.table[kind] if kind < 0xE else self.numbers.byte()
        if kind >= 0xE and pair == 0:
            self.new = 0
        a = self.numbers.index() if kind == 0xF else self._fresh()
        b, b_is_new = self._corner(pair >> 4, kind)
        c, c_is_new = self._corner(pair & 15, kind)
        self.edges.extendleft(((b, a), (c, b), (a, c)))
        self.vertices.appendleft(a)
        if b_is_new:
            self.vertices.appendleft(b)
        if c_is_new:
            self.vertices.appendleft(c)
        return a, b, c

    def _corner(self, place: int, kind: int) -> tuple[int, bool]:
        if place == 0:
            return self._fresh(), True
        if place == 0xF and kind >= 0xE:
            return self.numbers.index(), True
        return self.vertices[place - 1], False

    def _fresh(self) -> int:
        self.new += 1
        return self.new - 1
