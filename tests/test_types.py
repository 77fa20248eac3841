"""The foundation types: checked at birth, read-only, and exact in what they convert."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from blendvoca import errors
from blendvoca.arkit import ARKIT_NAMES, BLENDVOCA_NAMES, canonical_name, ict_parts, mirror_name, select_names
from blendvoca.audio import Waveform
from blendvoca.certificate import FitCertificate
from blendvoca.clip import Clip
from blendvoca.crop import Crop
from blendvoca.mesh import Mesh
from blendvoca.rig import BlendshapeRig
from blendvoca.sequence import MeshSequence
from blendvoca.speakers import KNOWN_GAPS, VOCASET_SPEAKERS, check_split, default_split
from blendvoca.track import CoefficientTrack

TETRAHEDRON = np.array([[0, 1, 2], [0, 3, 1], [0, 2, 3], [1, 3, 2]])


@pytest.fixture
def mesh() -> Mesh:
    return Mesh(np.vstack([np.zeros(3), np.eye(3)]), TETRAHEDRON)


def test_names_match_the_published_lists(assets):
    assert (assets / "said" / "ARKit_blendshapes.txt").read_text().split() == list(BLENDVOCA_NAMES)
    header = next((assets / "livelink").glob("*.csv")).open().readline().strip().split(",")
    assert [canonical_name(column) for column in header[2:54]] == list(ARKIT_NAMES)


def test_names_map_both_ways():
    assert len(set(ARKIT_NAMES)) == 52
    assert len(set(BLENDVOCA_NAMES)) == 32
    assert sum(mirror_name(name) != name for name in BLENDVOCA_NAMES) == 22  # eleven pairs
    assert all(mirror_name(mirror_name(name)) == name for name in ARKIT_NAMES)
    assert ict_parts("mouthSmileLeft") == ("mouthSmile_L",)
    assert ict_parts("jawLeft") == ("jawLeft",)
    assert canonical_name("eyeBlink_L") == "eyeBlinkLeft"
    with pytest.raises(errors.TrackError, match="jawOpen"):
        canonical_name("jawOpn")
    with pytest.raises(errors.TrackError, match="mean 'jawOpen'"):
        select_names(["jawopen"], BLENDVOCA_NAMES)


@pytest.mark.parametrize(
    ("vertices", "faces", "match"),
    [
        (np.zeros((4, 2)), TETRAHEDRON, "wrong shape"),
        (np.full((4, 3), np.nan), TETRAHEDRON, "not finite"),
        (np.zeros((3, 3)), TETRAHEDRON, "does not exist"),
        (np.zeros((4, 3)), TETRAHEDRON - 1, "does not exist"),
        (np.zeros((4, 3)), TETRAHEDRON * 1.0, "not integers"),
    ],
)
def test_bad_meshes_are_refused(vertices, faces, match):
    with pytest.raises(errors.MeshError, match=match):
        Mesh(vertices, faces)


def test_mesh_is_read_only_and_keeps_no_reference(mesh):
    source = np.random.default_rng(0).normal(size=(4, 3))
    made = Mesh(source, TETRAHEDRON)
    source[0] = 7
    assert made.vertices[0, 0] != 7
    with pytest.raises(ValueError, match="read-only"):
        made.vertices[0] = 0
    assert mesh.extent == pytest.approx(np.sqrt(3))


def test_crop_and_restore(mesh):
    crop = Crop.of([3, 0, 1], 4)
    cropped = crop.apply(mesh)
    assert cropped.n_faces == 1
    np.testing.assert_array_equal(cropped.vertices[cropped.faces[0]], mesh.vertices[[0, 3, 1]])
    values = np.random.default_rng(0).normal(size=(2, 3, 3))
    restored = crop.restore(values)
    np.testing.assert_array_equal(crop.restrict(restored), values)
    np.testing.assert_array_equal(restored[:, 2], 0)
    with pytest.raises(errors.MeshError, match="outside the crop"):
        crop.indices([2])
    with pytest.raises(errors.MeshError, match="another mesh"):
        Crop.of([0], 9).apply(mesh)


def test_rig_pose_is_the_basis_product(mesh):
    rng = np.random.default_rng(0)
    rig = BlendshapeRig(mesh, rng.normal(size=(3, 4, 3)), ("a", "b", "c"))
    u = rng.uniform(size=(5, 3))
    expected = mesh.vertices.ravel() + u @ rig.basis().T
    np.testing.assert_allclose(rig.pose(u).reshape(5, -1), expected, atol=1e-14)
    np.testing.assert_allclose(rig.select(["c", "a"]).pose([1, 0]), mesh.vertices + rig.delta("c"))
    with pytest.raises(errors.RigError, match="lacks"):
        rig.delta("d")


def test_track_checks_and_conversions(tmp_path):
    rng = np.random.default_rng(0)
    values = rng.uniform(size=(10, 32))
    track = CoefficientTrack(values, BLENDVOCA_NAMES, 30)
    np.testing.assert_array_equal(track.mirrored().mirrored().values, track.values)
    left, right = track.columns(["mouthSmileLeft", "mouthSmileRight"])
    np.testing.assert_array_equal(track.mirrored().values[:, left], values[:, right])
    doubled = track.resampled(60)
    assert len(doubled) == 20
    np.testing.assert_allclose(doubled.values[::2], values)
    np.testing.assert_allclose(doubled.values[1:-2:2], (values[1:] + values[:-1]) / 2)
    values[3, 2] = 1.5
    with pytest.raises(errors.TrackError, match=r"jawRight = 1\.5 at frame 3"):
        CoefficientTrack(values, BLENDVOCA_NAMES, 30)
    with pytest.raises(errors.TrackError, match="finite"):
        CoefficientTrack(values * np.nan, BLENDVOCA_NAMES, 30)


def test_sequence_reads_in_blocks_and_finds_the_bad_frame():
    frames = np.random.default_rng(0).normal(size=(7, 4, 3)).astype(np.float32)
    sequence = MeshSequence.from_array(frames, TETRAHEDRON, 60)
    assert [len(block) for block in sequence.blocks(3)] == [3, 3, 1]
    np.testing.assert_array_equal(sequence.frames(), frames)
    frames[5, 1, 2] = np.inf
    with pytest.raises(errors.MeshError, match="frame 5"):
        sequence.frames()
    with pytest.raises(errors.MeshError, match="no frames"):
        MeshSequence.from_array(frames[:0], TETRAHEDRON, 60)


def test_waveform():
    samples = np.linspace(-1, 1, 22000).astype(np.float32)
    sound = Waveform(samples, 22000)
    assert sound.duration == 1
    assert len(sound.resampled(16000)) == 16000
    np.testing.assert_allclose(Waveform.from_int16(sound.to_int16(), 22000).samples, samples, atol=2**-15)
    with pytest.raises(errors.AudioError, match="finite"):
        Waveform(samples * np.nan, 22000)
    with pytest.raises(errors.AudioError, match="rate"):
        Waveform(samples, 3)


def test_clip_notices_audio_of_another_length():
    track = CoefficientTrack(np.zeros((120, 1)), ("jawOpen",), 60)
    assert Clip("s", "sentence01", track, Waveform(np.zeros(44000), 22000)).length_problem() is None
    short = Clip("s", "sentence01", track, Waveform(np.zeros(22000), 22000))
    assert "audio lasts 1.00 s" in str(short.length_problem())


def test_certificate_round_trip_and_verdict():
    figures = dict.fromkeys(("dual_residual", "duality_gap", "primal_residual"), 1e-12)
    figures |= {f"{part}_{what}_mm": 0.1 for part in ("error", "lips") for what in ("mean", "p95", "max")}
    good = FitCertificate("optimal", "x", 3, 0.1, 1.0, rate_limit_share=0.0, **figures)
    assert good.problems() == []
    assert FitCertificate.from_dict({**good.to_dict(), "newer_field": 1}) == good
    bad = FitCertificate.from_dict({**good.to_dict(), "duality_gap": float("nan"), "status": "stalled"})
    assert len(bad.problems()) == 2
    with pytest.raises(errors.IntegrityError, match="incomplete"):
        FitCertificate.from_dict({"status": "optimal"})


def test_splits():
    split = default_split(VOCASET_SPEAKERS)
    assert [list(split.values()).count(name) for name in ("train", "validation", "test")] == [8, 2, 2]
    assert default_split(["b", "a", "d", "c"]) == {"a": "train", "b": "train", "c": "validation", "d": "test"}
    assert {speaker for speaker, _ in KNOWN_GAPS} <= set(VOCASET_SPEAKERS)
    with pytest.raises(errors.InputError, match="two splits"):
        check_split({"train": ["a"], "test": ["a"]}, ["a"])
    with pytest.raises(errors.InputError, match="without a split"):
        check_split({"train": ["a"]}, ["a", "b"])


def test_errors_say_expected_found_remedy_and_survive_pickling():
    error = errors.MeshError("wrong count", expected=3, found=4, remedy="Do this.", path="x.obj")
    assert str(error) == "x.obj: wrong count; expected 3, found 4. Do this."
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is errors.MeshError
    assert str(again) == str(error)
    missing = pickle.loads(pickle.dumps(errors.MissingDependencyError("torch", "said", "sampling")))
    assert "pip install 'blendvoca[said]'" in str(missing)
