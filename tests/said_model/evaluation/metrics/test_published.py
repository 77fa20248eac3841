"""Metrics of the field against published code: its numbers on generated curves, torchmetrics, and slow definitions."""

from __future__ import annotations

import numpy as np
import pytest

from blendvoca.audio import Waveform
from blendvoca.errors import InputError
from blendvoca.vertex_sets import VertexSet
from said_model.evaluation.metrics.dynamics import dynamics_deviation
from said_model.evaluation.metrics.intensity import (
    Intensity,
    intensity_correlation,
    lip_intensity,
    speech_intensity,
)
from said_model.evaluation.metrics.misalignment import temporal_misalignment
from said_model.evaluation.metrics.vertices import lip_vertex_error, pooled


def _frames(seed: int, count: int = 12, vertices: int = 30) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1e-3, (count, vertices, 3))


def _course(frames: int, lag: float, wobble: float) -> np.ndarray:
    time = np.arange(frames) / 30
    fast = np.sin(2 * np.pi * 3.1 * (time - lag) + wobble * np.sin(time))
    slow = 0.004 * np.sin(2 * np.pi * 1.7 * (time - lag)) + 0.001 * np.cos(2 * np.pi * 0.4 * time)
    return 0.012 + slow + 0.003 * fast


@pytest.mark.parametrize(
    ("frames", "lag", "wobble", "distances"),
    [
        (90, 0.0, 0.0, [0] * 12),
        (120, 0.05, 0.0, [2, 2, 1, 1, 1, 2, 2, 1, 1, 2, 2]),
        (120, 0.1, 0.4, [3, 3, 3, 3, 3, 3, 2, 3, 3, 3, 3]),
        (150, -0.08, 1.0, [3, 2, 3, 3, 2, 2, 3, 2, 2, 7, 2, 3]),
    ],
)
def test_misalignment_is_the_published_script_s(frames, lag, wobble, distances):
    """The distances are what evaluate_MTM.py of kaist-ami/Perceptual-3D-Talking-Head prints for these courses."""
    found = temporal_misalignment(_course(frames, 0, 0), _course(frames, lag, wobble), 30.0)
    assert [abs(offset) for offset in found.offsets] == distances
    assert found.milliseconds == pytest.approx(np.mean(distances) * 1000 / 30)
    # At 60 frames a second every second frame is taken, as the script does with the truth.
    twice = [np.repeat(course, 2) for course in (_course(frames, 0, 0), _course(frames, lag, wobble))]
    assert temporal_misalignment(twice[0], twice[1], 60.0) == found


def _slow_path(one: np.ndarray, other: np.ndarray) -> list[tuple[int, int]]:
    """Derivative dynamic time warping by its recurrence, cell by cell."""
    a, b = (np.diff(part, prepend=part[0]) for part in (one, other))
    cost = np.full((len(a) + 1, len(b) + 1), np.inf)
    cost[0, 0] = 0
    for i, j in np.ndindex(len(a), len(b)):
        cost[i + 1, j + 1] = abs(a[i] - b[j]) + min(cost[i, j], cost[i, j + 1], cost[i + 1, j])
    i, j, path = len(a), len(b), []
    while i and j:
        path.append((i - 1, j - 1))
        i, j = min([(i - 1, j - 1), (i - 1, j), (i, j - 1)], key=lambda at: cost[at])
    return path[::-1]


def test_the_warping_path_is_the_cheapest():
    from said_model.evaluation.metrics.misalignment import _warping_path

    rng = np.random.default_rng(1)
    for count in (3, 17, 60):
        one, other = rng.normal(size=(2, count)).cumsum(axis=1)
        assert _warping_path(one, other, count) == _slow_path(one, other)
        band = _warping_path(one, other, 2)
        assert max(abs(i - j) for i, j in band) <= 2 and band[0] == (0, 0) and band[-1] == (count - 1, count - 1)


def test_misalignment_of_what_does_not_move_is_no_figure():
    still = np.ones(90)
    assert np.isnan(temporal_misalignment(still, still, 30.0).milliseconds)
    assert np.isnan(temporal_misalignment(still[:2], still[:2], 30.0).milliseconds)
    with pytest.raises(InputError, match="do not match"):
        temporal_misalignment(still, still[:-1], 30.0)


def test_lip_intensity_is_the_published_script_s():
    """extract_lip_intensity.py of the same repository gives this number for these frames, in metres."""
    time = np.arange(20)
    # So many of the script's mouth vertices have each of seven amplitudes.
    amplitude = np.repeat(np.arange(1, 8), [31, 41, 37, 40, 36, 29, 40])
    frames = np.zeros((20, len(amplitude), 3))
    frames[:, :, 1] = 0.002 * np.sin(0.7 * time)[:, None] * amplitude
    frames[:, :, 2] = 0.001 * np.cos(0.4 * time)[:, None]
    lips = VertexSet("lips", np.arange(len(amplitude)), "all")
    assert lip_intensity(frames, lips) == pytest.approx(3.978801391760792, rel=1e-12)
    with pytest.raises(InputError, match="between frames"):
        lip_intensity(frames[:1], lips)


def test_intensities_correlate_within_speakers():
    """As the published script: normalised for each speaker, Pearson's r over all of them."""
    rng = np.random.default_rng(3)
    clips, columns = [], []
    for speaker, loudness, liveliness in (("a", 0.1, 5.0), ("b", 0.01, 50.0), ("c", 0.3, 1.0)):
        speech = loudness * (1 + 0.2 * rng.normal(size=9))
        lips = liveliness * (speech / loudness + 0.1 * rng.normal(size=9))
        clips += [Intensity(speaker, *pair) for pair in zip(speech, lips)]
        columns.append([(part - part.mean()) / part.std(ddof=1) for part in (speech, lips)])
    found = intensity_correlation(clips)
    assert found.value == pytest.approx(np.corrcoef(np.concatenate(columns, axis=1))[0, 1])
    assert found.value > 0.8 and (found.clips, found.dropped) == (27, 0)
    # Without it, the loud speaker's small motions would turn the sign.
    assert np.corrcoef([one.speech for one in clips], [one.lips for one in clips])[0, 1] < 0
    alone = intensity_correlation([*clips, Intensity("d", 1.0, 1.0), *[Intensity("e", 0.5, 2.0)] * 3])
    assert alone.value == found.value and alone.dropped == 4
    assert np.isnan(intensity_correlation([]).value)
    assert speech_intensity(Waveform(np.array([0.3, -0.4], np.float32), 16_000)) == pytest.approx(np.sqrt(0.125))


def test_lip_vertex_error_is_torchmetrics():
    functional = pytest.importorskip("torchmetrics.functional.multimodal.lve")
    torch = pytest.importorskip("torch")
    truth, made = _frames(0), _frames(1)
    lips = VertexSet("lips", np.array([2, 5, 7, 29]), "a list")
    theirs = functional.lip_vertex_error(torch.from_numpy(made), torch.from_numpy(truth), lips.indices.tolist())
    assert lip_vertex_error(truth, made, lips).squared == pytest.approx(float(theirs), rel=1e-12)


def test_frames_are_pooled_over_clips():
    """CodeTalker's evaluation joins the frames of all clips before it takes the mean."""
    lips = VertexSet("lips", np.arange(4), "a list")
    clips = [(_frames(seed, count), _frames(seed + 9, count)) for seed, count in ((0, 5), (1, 40))]
    errors = [lip_vertex_error(*clip, lips) for clip in clips]
    joined = lip_vertex_error(*(np.concatenate(side) for side in zip(*clips)), lips)
    assert pooled(errors).squared == pytest.approx(joined.squared, rel=1e-12)
    assert pooled(errors).millimetres == pytest.approx(joined.millimetres, rel=1e-12)
    assert pooled(errors).squared != pytest.approx(np.mean([error.squared for error in errors]), rel=1e-3)
    with pytest.raises(InputError, match="nothing to pool"):
        pooled([])


def test_dynamics_deviation_is_codetalker_s():
    """Vertex by vertex: deviation over time of the squared distance from the neutral, truth less output, their mean."""
    truth, made, neutral = _frames(4), 1.3 * _frames(5), _frames(6, 1)[0]
    upper = VertexSet("upper", np.array([0, 3, 11]), "a list")
    differences = []
    for vertex in upper.indices:
        lively = []
        for frames in (truth, made):
            squares = [sum((frame[vertex][axis] - neutral[vertex][axis]) ** 2 for axis in range(3)) for frame in frames]
            middle = sum(squares) / len(squares)
            lively.append((sum((square - middle) ** 2 for square in squares) / len(squares)) ** 0.5)
        differences.append(lively[0] - lively[1])
    found = dynamics_deviation(truth, made, neutral, upper)
    assert found.signed_squared == pytest.approx(sum(differences) / 3, rel=1e-12)
