"""Sequences: every form gives the same frames, and a frame of another topology is caught by name."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from blendvoca.errors import BlendvocaError, FormatError, MeshError, MissingInputError
from blendvoca.io.mesh.obj import write_obj
from blendvoca.io.mesh.ply_write import PlyEncoder, write_ply_frames
from blendvoca.io.sequence.frames import in_frame_order, open_sequence
from blendvoca.mesh import Mesh
from blendvoca.sequence import FrameSource

T, V = 7, 30


@pytest.fixture
def faces() -> NDArray[np.int32]:
    return np.random.default_rng(1).integers(0, V, (50, 3), dtype=np.int32)


@pytest.fixture
def frames() -> NDArray[np.float32]:
    return np.random.default_rng(2).normal(size=(T, V, 3)).astype(np.float32)


def write(form: str, root: Path, frames: NDArray[np.float32], faces: NDArray[np.int32]) -> Path:
    target = root / "sentence01"
    if form in ("ascii", "binary", "zip"):
        write_ply_frames(target, frames, faces, binary=form != "ascii")
        if form == "zip":
            with zipfile.ZipFile(root / "s.zip", "w") as archive:
                for path in sorted(target.iterdir(), reverse=True):
                    archive.write(path, f"sentence01/{path.name}")
            return root / "s.zip"
    elif form == "obj":
        for number, frame in enumerate(frames):
            write_obj(target / f"frame_{number}.obj", Mesh(frame, faces))
    elif form == "npy":
        np.save(root / "s.npy", frames)
        return root / "s.npy"
    elif form in ("fortran", "flat fortran"):
        np.save(root / "s.npy", np.asfortranarray(frames if form == "fortran" else frames.reshape(T, -1)))
        return root / "s.npy"
    elif form == "python 2":
        # NumPy on Python 2 wrote long integers with an L.
        header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (%dL, %dL, 3L), }" % (T, V)
        header += b" " * (-(11 + len(header)) % 16) + b"\n"
        start = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
        (root / "s.npy").write_bytes(start + frames.astype("<f4").tobytes())
        return root / "s.npy"
    else:
        np.save(root / "flat.npy", frames.reshape(T, -1))
        return root / "flat.npy"
    return target


FORMS = ["ascii", "binary", "zip", "obj", "npy", "flat", "fortran", "flat fortran", "python 2"]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same(
    form: str, tmp_path: Path, frames: NDArray[np.float32], faces: NDArray[np.int32]
) -> None:
    sequence = open_sequence(write(form, tmp_path, frames, faces), 60.0, faces)
    assert isinstance(sequence.source, FrameSource)
    assert len(sequence) == T
    assert np.array_equal(sequence.frames(), frames)
    assert np.array_equal(sequence.faces, faces)
    assert [len(block) for block in sequence.blocks(3)] == [3, 3, 1]
    assert np.array_equal(sequence.source.read(2, 4), frames[2:4])
    again = pickle.loads(pickle.dumps(sequence))
    assert np.array_equal(again.frames(), frames)


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("vertex count", "vertex count"),
        ("faces", "face list"),
        ("nan", "not finite"),
        ("cut", ""),
        ("junk", "not a PLY"),
    ],
)
def test_a_frame_that_differs_is_caught_by_name(
    binary: bool, change: str, says: str, tmp_path: Path, frames: NDArray[np.float32], faces: NDArray[np.int32]
) -> None:
    folder = tmp_path / "s"
    write_ply_frames(folder, frames, faces, binary)
    fifth = folder / "s.000005.ply"
    data = fifth.read_bytes()
    if change == "vertex count":
        data = PlyEncoder(faces, binary).encode(np.vstack([frames[4], frames[4, :1]]))
    elif change == "faces":
        other = faces.copy()
        other[17] = other[17, ::-1] if other[17, 0] != other[17, 2] else other[18]
        data = PlyEncoder(other, binary).encode(frames[4])
    elif change == "nan":
        broken = frames[4].copy()
        broken[3, 1] = np.nan
        data = PlyEncoder(faces, binary).encode(broken)
    elif change == "cut":
        data = data[:-9]
    else:
        data = b"not a mesh"
    fifth.write_bytes(data)
    sequence = open_sequence(folder, 60.0)
    assert np.array_equal(sequence.source.read(0, 4), frames[:4])
    with pytest.raises(BlendvocaError) as caught:
        sequence.frames()
    assert "s.000005.ply" in str(caught.value)
    assert says in str(caught.value)


def test_the_same_topology_written_differently_is_no_error(
    tmp_path: Path, frames: NDArray[np.float32], faces: NDArray[np.int32]
) -> None:
    folder = tmp_path / "s"
    write_ply_frames(folder, frames, faces, binary=True)
    (folder / "s.000003.ply").write_bytes(PlyEncoder(faces, binary=False).encode(frames[2]))
    commented = (folder / "s.000004.ply").read_bytes().replace(b"1.0\n", b"1.0\ncomment frame 4\n")
    (folder / "s.000004.ply").write_bytes(commented)
    assert np.array_equal(open_sequence(folder, 60.0).frames(), frames)


@pytest.mark.parametrize("order", ["<", ">"])
def test_extra_properties_and_byte_order(order: str, tmp_path: Path, frames: NDArray[np.float32]) -> None:
    form = "binary_little_endian" if order == "<" else "binary_big_endian"
    rows = np.zeros(V, np.dtype([("q", "u1"), *((axis, order + "f4") for axis in "zyx")]))
    text = f"ply\nformat {form} 1.0\nelement vertex {V}\nproperty uchar q\n"
    text += "property float z\nproperty float y\nproperty float x\nend_header\n"
    (tmp_path / "s").mkdir()
    for number, frame in enumerate(frames):
        rows["x"], rows["y"], rows["z"] = frame.T
        (tmp_path / "s" / f"a{number}.ply").write_bytes(text.encode() + rows.tobytes())
    assert np.array_equal(open_sequence(tmp_path / "s", 60.0).frames(), frames)


@pytest.mark.parametrize("form", ["ascii", "binary_little_endian"])
def test_double_precision_is_kept(form: str, tmp_path: Path) -> None:
    frames = np.random.default_rng(5).normal(size=(3, V, 3))
    text = f"ply\nformat {form} 1.0\nelement vertex {V}\n"
    text += "".join(f"property double {axis}\n" for axis in "xyz") + "end_header\n"
    (tmp_path / "s").mkdir()
    for number, frame in enumerate(frames):
        lines = "".join(f"{x!r} {y!r} {z!r}\n" for x, y, z in frame.tolist()).encode()
        body = lines if form == "ascii" else frame.tobytes()
        (tmp_path / "s" / f"a{number}.ply").write_bytes(text.encode() + body)
    assert np.array_equal(open_sequence(tmp_path / "s", 60.0).frames(), frames)


def test_frames_are_ordered_by_number_and_gaps_refused() -> None:
    assert in_frame_order(["a.10.ply", "a.9.ply", "a.8.ply"], "s") == ["a.8.ply", "a.9.ply", "a.10.ply"]
    assert in_frame_order(["x9_2.ply", "x10_1.ply"], "s") == ["x10_1.ply", "x9_2.ply"]
    with pytest.raises(FormatError, match="none for frame 3"):
        in_frame_order(["a.1.ply", "a.2.ply", "a.4.ply"], "s")
    with pytest.raises(FormatError, match="twice"):
        in_frame_order(["a.1.ply", "a.01.ply"], "s")
    with pytest.raises(FormatError, match="without a frame number"):
        in_frame_order(["a.1.ply", "neutral.ply"], "s")


def test_faces_must_be_those_that_were_asked_for(
    tmp_path: Path, frames: NDArray[np.float32], faces: NDArray[np.int32]
) -> None:
    write_ply_frames(tmp_path / "s", frames, faces)
    with pytest.raises(MeshError, match="template"):
        open_sequence(tmp_path / "s", 60.0, faces[::-1])


def test_arrays_that_are_no_frames(tmp_path: Path, frames: NDArray[np.float32]) -> None:
    path = tmp_path / "a.npy"
    for array in (frames[0], frames[..., :2], np.zeros((0, 5, 3)), frames.astype(np.int32), np.zeros((3, 7)), frames.T):
        np.save(path, array)
        with pytest.raises(FormatError):
            open_sequence(path, 60.0)
    np.save(path, np.array([{}], object), allow_pickle=True)
    with pytest.raises(FormatError):
        open_sequence(path, 60.0)
    np.save(path, frames)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(FormatError):
        open_sequence(path, 60.0)


def test_places_without_frames(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(FormatError, match="no clear frames"):
        open_sequence(tmp_path / "empty", 60.0)
    with pytest.raises(FormatError):
        open_sequence(tmp_path / "notes.txt", 60.0)
    for name in ("nothing", "nothing.npy"):
        with pytest.raises(MissingInputError):
            open_sequence(tmp_path / name, 60.0)


def test_blocks_of_an_array_do_not_hold_its_file(tmp_path: Path, frames: NDArray[np.float32]) -> None:
    np.save(tmp_path / "a.npy", frames)
    source = open_sequence(tmp_path / "a.npy", 60.0).source
    shuffled = source.select([5, 1, 2, 6])  # type: ignore[attr-defined]
    assert np.array_equal(shuffled.read(0, 4), frames[[5, 1, 2, 6]])
    assert np.array_equal(shuffled.read(1, 3), frames[1:3])
    with pytest.raises(FormatError, match="outside"):
        source.select([0, T])  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "shape", [(4, 5, 3), (4, 15), (1, 4, 5, 3), (1, 4, 15), (4, 1, 5, 3), (1, 1, 4, 5, 3), (4, 1, 15)]
)
@pytest.mark.parametrize("kind", [".npy", ".npz"])
def test_arrays_with_axes_of_length_one(tmp_path: Path, shape: tuple[int, ...], kind: str) -> None:
    frames = np.random.default_rng(0).normal(size=(4, 5, 3)).astype(np.float32)
    path = tmp_path / f"a{kind}"
    if kind == ".npy":
        np.save(path, frames.reshape(shape))
    else:
        np.savez(path, vertices=frames.reshape(shape), frame_ids=np.arange(4), scale=np.float32(1))
    np.testing.assert_array_equal(open_sequence(path, 30.0).frames(), frames)


def test_archives_without_clear_frames(tmp_path: Path) -> None:
    np.savez(tmp_path / "two.npz", a=np.zeros((4, 5, 3)), b=np.zeros((4, 5, 3)))
    np.savez(tmp_path / "none.npz", a=np.zeros((4, 5)))
    np.savez(tmp_path / "objects.npz", a=np.array([{"x": 1}], dtype=object))
    cases = {"two": "no clear frames", "none": "no clear frames", "objects": "Python objects.*Save each"}
    for name, says in cases.items():
        with pytest.raises(FormatError, match=says):
            open_sequence(tmp_path / f"{name}.npz", 30.0)
    one = np.zeros((1, 5, 3), np.float32)
    np.save(tmp_path / "one.npy", one)
    assert open_sequence(tmp_path / "one.npy", 30.0).frames().shape == (1, 5, 3)
