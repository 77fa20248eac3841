"""Takes: motion differs where the sound is one, by a spread that is known, with the statistics of published tracks."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from blendvoca.arkit import BLENDVOCA_NAMES
from blendvoca.audio import Waveform
from blendvoca.errors import ConfigurationError
from blendvoca.synthetic.performance.articulation import CARRIERS, Articulation, smooth_noise
from blendvoca.synthetic.performance.closure import closure
from blendvoca.synthetic.performance.coarticulation import MAX_STEP, Style, coefficients
from blendvoca.synthetic.performance.upper_face import FACE_NAMES, with_upper_face
from blendvoca.synthetic.spread import spread_of, take_spread
from blendvoca.synthetic.voice.engines import Voice
from blendvoca.synthetic.voice.sentences import SENTENCE_TEXTS
from blendvoca.synthetic.voice.speech import Phoneme, Utterance, say

spoken = pytest.mark.skipif(
    importlib.util.find_spec("espeakng_loader") is None, reason="pip install 'blendvoca[demo]' brings the voice"
)
PUBLISHED = "said/coeffs_std.csv"


def utterance(symbols: str, seconds: float = 0.1) -> Utterance:
    names = ["_", *symbols.split(), "_"]
    sounds = tuple(Phoneme(name, k * seconds, (k + 1) * seconds) for k, name in enumerate(names))
    frames = 3 * int(np.ceil(len(names) * seconds * 20))
    return Utterance(symbols, Waveform(np.zeros(frames * 22000 // 60, np.float32), 22000), sounds, frames)


SAID = utterance("m A: p i: w u: b a s E f O: _ _ _ p I n")


def test_takes_of_one_sound_differ_and_follow_from_their_seed() -> None:
    style = Style()
    first, again, other = (coefficients(SAID, style, np.random.default_rng(seed)).values for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).mean() > 0.01


def test_manners_act_as_their_names_say() -> None:
    def opened(**manner: float) -> dict[str, float]:
        values = [
            coefficients(SAID, Style(restlessness=0.0), np.random.default_rng(k), Articulation(**manner)).values
            for k in range(6)
        ]
        return dict(zip(BLENDVOCA_NAMES, np.mean(values, axis=(0, 1)), strict=True))

    assert opened(effort=1.3)["jawOpen"] > 1.5 * opened(effort=0.7)["jawOpen"]
    lips, jaw = opened(lip_share=1.0), opened(lip_share=0.0)
    assert lips["mouthLowerDownLeft"] > 2 * jaw["mouthLowerDownLeft"]
    assert jaw["jawOpen"] > 1.4 * lips["jawOpen"]
    for name, targets in CARRIERS.items():
        carried = opened(carrier=name, carried=1.0)  # type: ignore[arg-type]
        for stem in targets:
            shape = stem if stem in BLENDVOCA_NAMES else stem + "Left"
            assert carried[shape] > opened()[shape] + 0.01, (name, shape)


def test_an_early_mouth_moves_before_a_late_one() -> None:
    def peak(lead: float) -> float:
        style, rng = Style(restlessness=0.0), np.random.default_rng(0)
        made = coefficients(utterance("_ A: _"), style, rng, Articulation(lead=lead))
        jaw = made.values[:, BLENDVOCA_NAMES.index("jawOpen")]
        return float((jaw * np.arange(len(jaw))).sum() / jaw.sum() / 60)

    assert peak(-0.05) - peak(0.05) == pytest.approx(0.1, abs=0.03)


def test_some_closures_stop_short_of_contact() -> None:
    time = np.arange(SAID.frames) / 60
    at_p = (np.abs(time - 0.35)).argmin()
    never = closure(time, SAID.phonemes, Articulation(), np.random.default_rng(0))
    always = closure(time, SAID.phonemes, Articulation(missed_closures=1.0), np.random.default_rng(0))
    assert never[at_p] == 1.0
    assert 0.5 < always[at_p] < 0.95


def test_clear_takes_close_at_every_closure_and_differ_less() -> None:
    def takes(manner: Callable[[np.random.Generator], Articulation]) -> NDArray[np.float64]:
        rngs = [np.random.default_rng(seed) for seed in range(12)]
        still = Style(restlessness=0.0)
        return np.array([coefficients(SAID, still, rng, manner(rng)).values for rng in rngs])

    clear, any_manner = takes(Articulation.clear), takes(Articulation.random)
    assert clear.std(axis=0).mean() < 0.5 * any_manner.std(axis=0).mean()
    jaw, close = (BLENDVOCA_NAMES.index(name) for name in ("jawOpen", "mouthClose"))
    # Middles of m, p, b and p again, 0.02 s either way.
    for sound in (1, 3, 7, 16):
        middle = round((sound + 0.5) * 0.1 * 60)
        gap = (clear[..., jaw] - clear[..., close])[:, middle - 2 : middle + 3].min(axis=1)
        assert gap.max() < 0.03, sound


def test_left_and_right_drift_apart() -> None:
    left, right = (BLENDVOCA_NAMES.index(f"mouthLowerDown{side}") for side in ("Left", "Right"))
    values = coefficients(SAID, Style(), np.random.default_rng(3)).values
    moving = values[:, left] > 0.05
    ratio = np.log(values[moving, left] / np.maximum(values[moving, right], 1e-3))
    assert ratio.std() > 0.03


def test_spread_is_that_of_known_takes() -> None:
    rng = np.random.default_rng(0)
    values = 0.2 * rng.standard_normal((400, 3, 32))
    found = spread_of(values)
    assert found.deviation.mean() == pytest.approx(0.2, rel=0.02)
    # The distance of two normal vectors: 0.2 sqrt(2) times the mean of a chi variable with 32 degrees of freedom.
    assert found.distance == pytest.approx(0.2 * np.sqrt(2) * 5.6127, rel=0.01)
    assert found.entropy == pytest.approx(32 * (0.5 * np.log(2 * np.pi * np.e) + np.log(0.2)), rel=0.01)


def test_truth_spread_of_a_clip() -> None:
    found = take_spread(SAID, Style(), seed=5, takes=6)
    assert found.takes == 6
    assert found.mean.shape == found.deviation.shape == (SAID.frames, 32)
    assert found.distance > 0.1
    assert take_spread(SAID, Style(), seed=5, takes=6).distance == found.distance
    with pytest.raises(ConfigurationError, match="no spread"):
        take_spread(SAID, Style(), takes=1)


def test_slow_curves_have_unit_variance_and_keep_to_their_speed() -> None:
    time = np.arange(60_000) / 60
    curves = smooth_noise(time, 1.0, 4, np.random.default_rng(0))
    np.testing.assert_allclose(curves.std(axis=0), 1.0, rtol=0.05)
    power = np.abs(np.fft.rfft(curves, axis=0)) ** 2
    assert power[np.fft.rfftfreq(len(time), 1 / 60) > 1.1].sum() < 1e-3 * power.sum()


@spoken
def test_deviations_are_those_of_published_tracks(assets: Path) -> None:
    path = assets / PUBLISHED
    if not path.is_file():
        pytest.skip(f"needs {PUBLISHED} of the assets (BLENDVOCA_ASSETS)")
    names, numbers = (line.split(",") for line in path.read_text().split())
    published = np.array(numbers, float)
    assert tuple(names) == BLENDVOCA_NAMES
    values = []
    for number, text in enumerate(SENTENCE_TEXTS[::3]):
        said = say(text, Voice("en-us+f2"))
        rng = np.random.default_rng(number)
        values.append(coefficients(said, Style.random(rng), rng).values)
    ratio = np.concatenate(values).std(axis=0) / published
    assert ((ratio > 0.5) & (ratio < 2.0)).sum() >= 26, dict(zip(names, ratio.round(2), strict=True))


def test_faces_blink_and_raise_brows() -> None:
    long = utterance("A: p i: b a " * 40, 0.1)
    speech = coefficients(long, Style(), np.random.default_rng(0))
    face = with_upper_face(speech, long, np.random.default_rng(1))
    assert face.names == FACE_NAMES
    assert len(FACE_NAMES) == 51
    np.testing.assert_array_equal(face.values[:, :32], speech.values)
    lids = face.values[:, FACE_NAMES.index("eyeBlinkLeft")]
    blinks = ((lids[1:] > 0.5) & (lids[:-1] <= 0.5)).sum()
    assert 2 <= blinks <= 20
    assert lids.max() > 0.65
    assert np.median(lids) == 0.0
    assert face.values[:, FACE_NAMES.index("browInnerUp")].max() > 0.15
    assert face.max_step() < 0.1 and MAX_STEP < 0.1
