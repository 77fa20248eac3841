"""Maps, recipes, other rates: what goes in comes out where it should."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.optimize import minimize

from blendvoca.arkit import ARKIT_NAMES, BLENDVOCA_NAMES
from blendvoca.audio import Waveform
from blendvoca.errors import ConfigurationError, FormatError, TrackError
from blendvoca.export.recipes import RECIPES, from_recipe, load_recipe, to_recipe
from blendvoca.export.retarget import Channel, apply_map, read_map
from blendvoca.export.timing import resample, smooth
from blendvoca.synthetic.performance.coarticulation import Style, coefficients
from blendvoca.synthetic.voice.speech import Phoneme, Utterance
from blendvoca.track import CoefficientTrack

#: Root mean square and largest difference that speech may show (the moods of VRM take nothing of the mouth).
RECIPE_BOUNDS = [("oculus", 0.045, 0.4), ("vrm", 0.08, 0.6)]


def test_map_renames_scales_flips_and_adds(tmp_path):
    values = np.array([[0.2, 0.6, 1.0], [0.4, 0.0, 0.5]])
    track = CoefficientTrack(values, ("jawOpen", "mouthClose", "cheekPuff"), 60)
    table = {"jawOpen": {"to": "Mouth", "scale": 0.5}, "mouthClose": {"to": "Mouth", "high": 0.3}, "cheekPuff": "Puff"}
    (tmp_path / "map.json").write_text(json.dumps(table))
    mapped = apply_map(track, read_map(tmp_path / "map.json"))
    assert mapped.names == ("Mouth", "Puff")
    np.testing.assert_allclose(mapped.values, [[0.1 + 0.3, 1.0], [0.2, 0.5]])
    flipped = apply_map(track, {"jawOpen": Channel("Shut", flip=True)})
    np.testing.assert_allclose(flipped.values[:, 0], 1 - values[:, 0])


def test_bad_maps(tmp_path):
    track = CoefficientTrack(np.zeros((2, 1)), ("jawOpen",), 60)
    with pytest.raises(ConfigurationError, match="jawOpen"):
        apply_map(track, {"jawopen": Channel("x")})
    (tmp_path / "map.json").write_text('{"jawOpen": {"gain": 2}}')
    with pytest.raises(FormatError, match="not a map"):
        read_map(tmp_path / "map.json")
    with pytest.raises(ConfigurationError, match="low"):
        Channel("x", low=0.5, high=0.2)


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_come_back(name):
    recipe = load_recipe(name)
    shapes = recipe.shapes
    assert all(shape in ARKIT_NAMES and 0 < weight <= 1 for pose in shapes.values() for shape, weight in pose.items())
    poses = {shape: pose for shape, pose in shapes.items() if pose}
    # One recipe shape at a time, half on: its own weight must be found, and no other.
    weights = np.eye(len(poses)) * 0.5
    track = from_recipe(CoefficientTrack(weights, tuple(poses), 60), recipe)
    again = to_recipe(track, recipe).select(list(poses))
    np.testing.assert_allclose(again.values, weights, atol=1e-7)


@pytest.fixture(scope="module")
def speech() -> CoefficientTrack:
    """Sentences of made-up sounds, articulated as the sample's are."""
    rng = np.random.default_rng(0)
    parts = []
    for _ in range(4):
        symbols = ["_", *rng.choice(["m", "f", "T", "t", "k", "S", "s", "n", "r", "a:", "E", "I", "o:", "u:"], 14), "_"]
        ends = np.cumsum(rng.uniform(0.06, 0.14, len(symbols)))
        sounds = tuple(map(Phoneme, symbols, (0.0, *ends), ends))
        frames = int(ends[-1] * 60)
        silence = Waveform(np.zeros(frames * 22_050 // 60), 22_050)
        parts.append(coefficients(Utterance("", silence, sounds, frames), Style.random(rng), rng))
    return CoefficientTrack(np.concatenate([part.values for part in parts]), BLENDVOCA_NAMES, 60)


def _loss(track: CoefficientTrack, weights: CoefficientTrack, recipe: dict) -> tuple[float, float, float]:
    """Root mean square and largest difference over the shapes both know, and the track's own root mean square."""
    again = from_recipe(weights, recipe)
    shared = [name for name in again.names if name in track.names]
    given = track.select(shared).values
    away = again.select(shared).values - given
    return float(np.sqrt((away**2).mean())), float(np.abs(away).max()), float(np.sqrt((given**2).mean()))


@pytest.mark.parametrize(("name", "rms", "largest"), RECIPE_BOUNDS)
def test_what_recipes_lose_of_speech(speech, name, rms, largest):
    recipe = load_recipe(name)
    lost, worst, given = _loss(speech, to_recipe(speech, recipe), recipe)
    assert lost <= rms
    assert worst <= largest
    # About half of the motion is there: the sample's asymmetry and smiles have no viseme, pressed lips none of VRM's.
    assert lost < 0.65 * given


def _residual(weights: np.ndarray, poses: np.ndarray, row: np.ndarray) -> tuple[float, np.ndarray]:
    """Squared residual and its gradient."""
    away = poses @ weights - row
    return float((away**2).sum()), 2 * poses.T @ away


@pytest.mark.parametrize("name", RECIPES)
def test_visemes_are_as_near_as_weights_of_sum_one_come(speech, name):
    recipe = load_recipe(name)
    mouth = [shape for shape in speech.names if shape.startswith(("jaw", "mouth", "tongue", "cheekPuff"))]
    shared = [shape for shape in mouth if any(shape in recipe.shapes[viseme] for viseme in recipe.visemes)]
    poses = np.array([[recipe.shapes[viseme].get(shape, 0.0) for viseme in recipe.visemes] for shape in shared])
    loud = np.array([1.6] * len(shared))
    values = (speech.select(shared).values * loud)[::7].clip(0, 1)
    track = CoefficientTrack(values, shared, 60)
    ours = to_recipe(track, recipe)
    weights = ours.select(list(recipe.visemes)).values
    assert weights.sum(axis=1).max() <= 1 + 1e-9
    assert (weights.sum(axis=1) > 1 - 1e-9).any(), "the bound bites somewhere"
    size = len(recipe.visemes)
    for row, found in zip(values[::4], weights[::4]):
        best = minimize(
            _residual, np.full(size, 1 / size), (poses, row), jac=True, bounds=[(0, 1)] * size, method="SLSQP",
            constraints=[{"type": "ineq", "fun": lambda w: 1 - w.sum()}], options={"ftol": 1e-12, "maxiter": 500},
        )  # fmt: skip
        assert ((poses @ found - row) ** 2).sum() <= best.fun + 1e-6


def test_rest_is_what_the_visemes_leave(speech):
    weights = to_recipe(speech, load_recipe("oculus"))
    np.testing.assert_allclose(weights.values.sum(axis=1), 1.0, atol=1e-9)
    still = to_recipe(CoefficientTrack(np.zeros((3, 32)), BLENDVOCA_NAMES, 60), load_recipe("oculus"))
    np.testing.assert_array_equal(still.select(["sil"]).values, 1.0)


def test_plain_speech_is_no_mood(speech):
    """Lips that press, noses that sneer and a still brow are speech, however far they go."""
    wide = np.zeros((len(speech), len(ARKIT_NAMES)))
    wide[:, [ARKIT_NAMES.index(name) for name in speech.names]] = (2 * speech.values).clip(0, 1)
    recipe = load_recipe("vrm")
    for track in (speech, CoefficientTrack(wide, ARKIT_NAMES, 60)):
        weights = to_recipe(track, recipe)
        assert not weights.select(list(recipe.emotions)).values.any()
        assert weights.select(["aa"]).values.max() > 0.3
    # Brows over the same speech are a mood, and lift no other.
    wide[:, [ARKIT_NAMES.index(f"browDown{side}") for side in ("Left", "Right")]] = 0.9
    angry = to_recipe(CoefficientTrack(wide, ARKIT_NAMES, 60), recipe)
    assert angry.select(["angry"]).values.min() > 0.9
    assert angry.select(["surprised"]).values.max() < 0.05


def test_unknown_recipe():
    with pytest.raises(ConfigurationError, match="oculus"):
        load_recipe("occulus")


def test_lower_rates_do_not_alias():
    time = np.arange(600) / 60
    slow, fast = 0.5 + 0.4 * np.sin(2 * np.pi * 2 * time), 0.5 + 0.4 * np.sin(2 * np.pi * 26 * time)
    track = CoefficientTrack(np.stack([slow, fast], 1), ("jawOpen", "jawLeft"), 60)
    halved = resample(track, 30)
    assert len(halved) == 300
    inside = halved.values[20:-20]
    np.testing.assert_allclose(inside[:, 0], slow[::2][20:-20], atol=5e-3)
    assert np.abs(inside[:, 1] - 0.5).max() < 0.02  # 26 Hz would alias to 4 Hz at 30 fps
    assert np.abs(fast[::2] - 0.5).max() > 0.39


def test_higher_rates_keep_the_keys():
    track = CoefficientTrack(np.random.default_rng(0).uniform(size=(20, 2)), ("jawOpen", "jawLeft"), 30)
    np.testing.assert_allclose(resample(track, 60).values[::2], track.values)


def test_smoothing_has_no_delay_and_keeps_constants():
    pulse = np.zeros((101, 1))
    pulse[50] = 1
    out = smooth(CoefficientTrack(pulse, ("jawOpen",), 60), 0.05).values[:, 0]
    assert out.argmax() == 50
    np.testing.assert_allclose(out, out[::-1], atol=1e-12)
    assert out.sum() == pytest.approx(1, abs=1e-3)
    flat = CoefficientTrack(np.full((9, 1), 0.7), ("jawOpen",), 60)
    np.testing.assert_allclose(smooth(flat, 0.1).values, 0.7)
    with pytest.raises(TrackError, match="smoothing"):
        smooth(flat, -1)
