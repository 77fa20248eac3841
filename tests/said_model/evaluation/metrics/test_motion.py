"""Coefficient, vertex and timing metrics: closed forms and identities."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from blendvoca.audio import Waveform
from blendvoca.errors import FormatError, InputError
from blendvoca.mesh import Mesh
from blendvoca.rig import BlendshapeRig
from blendvoca.track import CoefficientTrack
from blendvoca.vertex_sets import MOUTH_REGION, UPPER_FACE, VertexSet
from said_model.evaluation.metrics.beat import beat_consistency, onset_times
from said_model.evaluation.metrics.closure import closure_recall, lip_opening
from said_model.evaluation.metrics.coefficients import coefficient_error
from said_model.evaluation.metrics.diversity import diversity
from said_model.evaluation.metrics.dynamics import dynamics_deviation
from said_model.evaluation.metrics.jitter import jitter
from said_model.evaluation.metrics.vertex_sets import from_file
from said_model.evaluation.metrics.vertices import lip_vertex_error, mean_vertex_error
from said_model.evaluation.metrics.violations import violations

NAMES = ("jawOpen", "mouthClose")


def track(values: np.ndarray, fps: float = 60) -> CoefficientTrack:
    return CoefficientTrack(values, NAMES, fps)


def test_coefficient_error_of_a_ramp():
    time = np.arange(61) / 60
    truth, made = np.zeros((61, 2)), np.stack([0.5 * time, np.zeros(61)], 1)
    error = coefficient_error(track(truth), track(made))
    assert error.position == pytest.approx(0.125)
    assert error.velocity == pytest.approx(0.25)
    assert error.acceleration == pytest.approx(0, abs=1e-9)
    swapped = CoefficientTrack(made[:, ::-1], NAMES[::-1], 60)
    assert coefficient_error(track(truth), swapped) == error
    with pytest.raises(InputError, match="different rate"):
        coefficient_error(track(truth), track(made, 30))
    with pytest.raises(InputError, match="different length"):
        coefficient_error(track(truth), track(made[:50]))


def test_jitter_is_the_power_above_the_cutoff():
    time = np.arange(600)[:, None] / 60
    slow, fast = 0.2 * np.sin(2 * np.pi * 3 * time), 0.1 * np.sin(2 * np.pi * 20 * time)
    mixed = jitter(track(np.hstack([0.5 + slow + fast, 0.5 + slow + fast])))
    assert mixed.share == pytest.approx(0.2, rel=1e-3)  # 0.1² of 0.2² + 0.1²
    assert mixed.level == pytest.approx(0.1 / np.sqrt(2), rel=0.01)
    assert jitter(track(np.hstack([0.5 + slow, 0.5 + slow]))).share < 1e-6
    assert jitter(track(np.full((600, 2), 0.3))).share == 0
    with pytest.raises(InputError, match="cutoff"):
        jitter(track(np.zeros((600, 2)), 20))


def test_diversity_counts_pairs():
    samples = [track(np.full((4, 2), level)) for level in (0.0, 0.5, 1.0)]
    answer = diversity(samples)
    assert (answer.value, answer.pairs) == (pytest.approx(2 / 3), 3)
    with pytest.raises(InputError, match="two or more"):
        diversity(samples[:1])


def test_beats_follow_the_sound_and_fade_when_moved():
    rate = 16_000
    onsets = np.arange(0.5, 4.5, 0.5)
    noise = np.random.default_rng(0).normal(size=5 * rate) * 0.1
    seconds = np.arange(5 * rate) / rate
    loud = sum((seconds >= onset) * np.exp(-(seconds - onset) * 12) * (seconds >= onset) for onset in onsets)
    waveform = Waveform((noise * (0.001 + loud)).astype(np.float32), rate)
    np.testing.assert_allclose(onset_times(waveform), onsets, atol=0.03)
    time = np.arange(300) / 60
    mouth = 0.5 + 0.4 * np.cos(2 * np.pi * time)  # rests twice a second, at 0.5, 1.0, 1.5, …
    aligned = track(np.stack([mouth, np.zeros(300)], 1))
    moved = track(np.stack([np.roll(mouth, 15), np.zeros(300)], 1))
    near, far = beat_consistency(aligned, waveform), beat_consistency(moved, waveform)
    assert near.value > 0.9
    assert far.value < 0.3
    silence = Waveform(np.zeros(rate), rate)
    assert np.isnan(beat_consistency(aligned, silence).value)


def test_violations_are_counted_before_clipping():
    values = np.array([[0.0, 0.5], [0.15, 0.5], [1.2, 0.5], [1.2, 0.45]])
    found = violations(values, 60)
    assert found.range == 2 / 8
    assert found.rate == 2 / 6
    assert found.largest_step == pytest.approx(1.05)
    assert violations(values[:2], 30).rate == 0  # 0.15 at 30 fps is 0.075 at 60


@pytest.fixture
def rig() -> BlendshapeRig:
    vertices = np.random.default_rng(0).normal(size=(80, 3))
    deltas = np.zeros((3, 80, 3))
    deltas[0, 10:14, 1] = 0.01  # mouthClose
    deltas[1, 20:23, 2] = 0.01  # browInnerUp
    deltas[2, 40:68, 1] = -0.02  # jawOpen
    return BlendshapeRig(Mesh(vertices, [[0, 1, 2]]), deltas, ("mouthClose", "browInnerUp", "jawOpen"))


def test_vertex_figures_by_hand(rig):
    lips, upper = MOUTH_REGION.of(rig), UPPER_FACE.of(rig)
    assert lips.indices.tolist() == [10, 11, 12, 13]
    assert upper.indices.tolist() == [20, 21, 22]
    truth = np.tile(rig.neutral.vertices, (4, 1, 1))
    made = truth.copy()
    made[:, 11, 0] += [0.001, 0.002, 0.003, 0.004]
    made[:, 12, 0] += 0.001
    error = lip_vertex_error(truth, made, lips)
    assert error.millimetres == pytest.approx(2.5)
    assert error.squared == pytest.approx(np.mean(np.array([1, 2, 3, 4]) ** 2) * 1e-6)
    assert mean_vertex_error(truth, made, lips) == pytest.approx((2.5 + 1) / 4)
    lively = truth.copy()
    lively[:, 20, 1] += [0.0, 0.002, 0.0, 0.002]
    deviation = dynamics_deviation(lively, truth, rig.neutral.vertices, upper)
    assert deviation.signed == deviation.absolute == pytest.approx(1 / 3)
    assert deviation.signed_squared == pytest.approx(2e-6 / 3)
    assert dynamics_deviation(truth, lively, rig.neutral.vertices, upper).signed == pytest.approx(-1 / 3)


def test_vertex_sets_from_files_and_outside_the_mesh(tmp_path, rig):
    (tmp_path / "lips.txt").write_text("3, 1\n2\n2")
    assert from_file(tmp_path / "lips.txt", "lips").indices.tolist() == [1, 2, 3]
    masks = {"lips": np.array([7, 5]), "forehead": np.array([2]), "eye_region": np.arange(9) == 4}
    (tmp_path / "masks.pkl").write_bytes(pickle.dumps(masks))
    upper = from_file(f"{tmp_path / 'masks.pkl'}:forehead+eye_region", "upper")
    assert upper.indices.tolist() == [2, 4] and upper.source == "masks.pkl:forehead+eye_region"
    with pytest.raises(FormatError, match=r"no region 'upper'.*masks\.pkl:NAME"):
        from_file(tmp_path / "masks.pkl", "upper")
    assert from_file(tmp_path / "masks.pkl", "lips").indices.tolist() == [5, 7]
    with pytest.raises(FormatError, match="did you mean 'lips'"):
        from_file(tmp_path / "masks.pkl", "lip")
    with pytest.raises(InputError, match="outside the mesh"):
        VertexSet("lips", np.array([80]), "test").of(rig.neutral.vertices)
    with pytest.raises(InputError, match="no mouth region can be found"):
        MOUTH_REGION.of(rig.select(["jawOpen"]))


def test_closures_are_found_within_two_frames(rig):
    landmarks = np.arange(68)
    landmarks[[61, 62, 63]], landmarks[[65, 66, 67]] = [70, 71, 72], [50, 51, 52]
    course = np.array([0, 0, 0.5, 1, 1, 1, 1, 0.5, 0, 0, 1, 1.0])
    opening = lip_opening(rig, np.stack([0 * course, 0 * course, course], 1), landmarks)
    np.testing.assert_allclose(opening, 20 * course)
    assert closure_recall(opening, opening).recall == 1
    late = closure_recall(opening, np.roll(opening, 1))
    assert late.recall == 1
    never = closure_recall(opening, opening + 10)
    assert (never.recall, never.closed) == (0, 4)
    assert np.isnan(never.precision)
