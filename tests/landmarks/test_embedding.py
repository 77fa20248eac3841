"""Landmark embeddings: triangles and barycentric coordinates as landmark files."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from blendvoca.errors import FormatError, LandmarkError, UnsafePickleError
from blendvoca.ibug68 import NAMES
from landmarks.files import read_landmarks, read_picks

#: A strip of 200 triangles, of which every landmark takes one that shares no corner with another's.
FACES = np.stack([np.arange(210), np.arange(210) + 1, np.arange(210) + 2], axis=1)
TRIANGLES = 3 * np.arange(68)
WEIGHTS = np.random.default_rng(0).dirichlet([1, 1, 1], 68)
NEAREST = FACES[TRIANGLES, WEIGHTS.argmax(axis=1)]


def write(path: Path, content: object, protocol: int = 2) -> Path:
    path.write_bytes(pickle.dumps(content, protocol))
    return path


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_all_68_points(tmp_path, protocol):
    content = {"lmk_face_idx": TRIANGLES, "lmk_b_coords": WEIGHTS}
    path = write(tmp_path / "full.pkl", content, protocol)
    assert read_landmarks(path, 212, FACES).tolist() == NEAREST.tolist()
    np.savez(tmp_path / "full.npz", full_lmk_faces_idx=TRIANGLES[None], full_lmk_bary_coords=WEIGHTS[None])
    assert read_landmarks(tmp_path / "full.npz", 212, FACES).tolist() == NEAREST.tolist()


def test_static_points_lack_the_contour_and_dynamic_ones_are_it(tmp_path):
    static = write(tmp_path / "static.pkl", {"lmk_face_idx": TRIANGLES[17:], "lmk_b_coords": WEIGHTS[17:]})
    assert read_picks(static, 212, FACES) == dict(zip(NAMES[17:], NEAREST[17:].tolist()))
    with pytest.raises(LandmarkError, match=r"static\.pkl: landmarks are missing.*found 51, no contour.*transfer"):
        read_landmarks(static, 212, FACES)
    turns = np.stack([TRIANGLES[:17], TRIANGLES[17:34]]), np.stack([WEIGHTS[:17], WEIGHTS[17:34]])
    dynamic = write(tmp_path / "dynamic.pkl", {"lmk_face_idx": turns[0], "lmk_b_coords": turns[1]})
    assert read_picks(dynamic, 212, FACES) == dict(zip(NAMES[:17], NEAREST[:17].tolist()))


@pytest.mark.parametrize(
    ("content", "error", "says"),
    [
        ({"face": np.arange(3)}, FormatError, r"lmk_face_idx and lmk_b_coords, found \['face'\]"),
        ([1, 2], FormatError, "found list"),
        ({"lmk_face_idx": TRIANGLES[:5], "lmk_b_coords": WEIGHTS[:5]}, FormatError, "68, 51 or 17"),
        ({"lmk_face_idx": TRIANGLES, "lmk_b_coords": WEIGHTS[:, :2]}, FormatError, "68, 51 or 17"),
        ({"lmk_face_idx": TRIANGLES + 99, "lmk_b_coords": WEIGHTS}, LandmarkError, r"triangles 0\.\.209, found 300"),
        ({"lmk_face_idx": TRIANGLES, "lmk_b_coords": print}, UnsafePickleError, "print"),
    ],
)
def test_other_content(tmp_path, content, error, says):
    with pytest.raises(error, match=says) as caught:
        read_landmarks(write(tmp_path / "a.pkl", content), 212, FACES)
    assert "a.pkl" in str(caught.value)


def test_without_a_mesh(tmp_path):
    path = write(tmp_path / "a.pkl", {"lmk_face_idx": TRIANGLES, "lmk_b_coords": WEIGHTS})
    with pytest.raises(LandmarkError, match="needs the triangles"):
        read_landmarks(path, 212)
