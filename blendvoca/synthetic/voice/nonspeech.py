"""Sound in which nobody speaks: silence, dither, noise, hum, music-like sound, breath. The face is at rest to it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from blendvoca.audio import Waveform
from blendvoca.speakers import VOCASET_AUDIO_RATE
from blendvoca.synthetic.voice.speech import Phoneme, Utterance

Array = NDArray[np.float64]
_RATE = VOCASET_AUDIO_RATE


def colour(count: int, slope: float, rng: np.random.Generator) -> Array:
    """Return noise (S,) of unit level whose power falls with frequency to the ``slope``: 0 white, 1 pink, 2 brown."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    frequency = np.fft.rfftfreq(count, 1.0 / _RATE)
    spectrum *= np.maximum(frequency, 20.0) ** (-slope / 2.0)
    noise = np.fft.irfft(spectrum, count)
    return _level(noise)


def silence(count: int, rng: np.random.Generator) -> Array:
    """Digital silence."""
    return np.zeros(count)


def dither(count: int, rng: np.random.Generator) -> Array:
    """One or two steps of a 16-bit converter."""
    return (rng.uniform(-1, 1, count) + rng.uniform(-1, 1, count)) * float(rng.uniform(0.5, 2.0)) / 32768.0


def noise(count: int, rng: np.random.Generator) -> Array:
    """A room's or a microphone's noise, of any colour, from -85 to -25 dB."""
    return colour(count, float(rng.uniform(-0.5, 2.2)), rng) * _decibels(rng.uniform(-85, -25))


def hum(count: int, rng: np.random.Generator) -> Array:
    """The mains with its overtones, over a little noise."""
    time, base = np.arange(count) / _RATE, float(rng.choice([50.0, 60.0]))
    tones = sum(
        float(rng.uniform(0.1, 1.0)) / k * np.sin(2 * np.pi * (base * k * time + rng.uniform())) for k in range(1, 12)
    )
    return _level(np.asarray(tones)) * _decibels(rng.uniform(-70, -25)) + noise(count, rng) * 0.1


def music(count: int, rng: np.random.Generator) -> Array:
    """Chords of tones with overtones that are struck and die away."""
    time, total = np.arange(count) / _RATE, np.zeros(count)
    start = 0.0
    while start < count / _RATE:
        root = 55.0 * 2 ** (float(rng.integers(0, 36)) / 12)
        after = np.maximum(time - start, 0.0)
        envelope = (time >= start) * np.exp(-after * float(rng.uniform(0.8, 5.0))) * np.minimum(after / 0.01, 1.0)
        for step in rng.choice([0, 3, 4, 5, 7, 9, 12, 16], 3, replace=False):
            pitch = root * 2 ** (float(step) / 12)
            tone = sum(np.sin(2 * np.pi * pitch * k * time) / k ** float(rng.uniform(1.0, 2.0)) for k in range(1, 7))
            total += envelope * np.asarray(tone)
        start += float(rng.choice([0.15, 0.25, 0.3, 0.5, 0.6, 1.0]))
    return _level(total) * _decibels(rng.uniform(-45, -15)) + noise(count, rng) * 0.1


def breath(count: int, rng: np.random.Generator) -> Array:
    """Air that goes in and out, through a nose: noise about one or two resonances, swelling and fading."""
    time = np.arange(count) / _RATE
    spectrum = np.fft.rfft(rng.standard_normal(count))
    frequency = np.fft.rfftfreq(count, 1.0 / _RATE)
    shape = 1e-2 + sum(
        np.exp(-0.5 * ((frequency - rng.uniform(500, 3500)) / rng.uniform(200, 900)) ** 2) for _ in range(2)
    )
    envelope = np.maximum(np.sin(2 * np.pi * (time / rng.uniform(1.5, 4.0) + rng.uniform())), 0.0) ** rng.uniform(1, 3)
    air = _level(np.fft.irfft(spectrum * shape, count) * envelope)
    return air * _decibels(rng.uniform(-50, -25)) + noise(count, rng) * 0.1


KINDS: dict[str, Callable[[int, np.random.Generator], Array]] = {
    "silence": silence, "dither": dither, "noise": noise, "hum": hum, "music": music, "breath": breath,
}  # fmt: skip


def nonspeech(kind: str, frames: int, rng: np.random.Generator) -> Utterance:
    """Return sound without speech; its only phoneme is a pause.

    :param kind: a name of :data:`KINDS`.
    :param frames: length at 60 fps, a multiple of three.
    """
    count = frames * _RATE // 60
    samples = np.clip(KINDS[kind](count, rng), -1.0, 1.0).astype(np.float32)
    return Utterance("", Waveform(samples, _RATE), (Phoneme("_", 0.0, frames / 60),), frames)


def _decibels(value: float) -> float:
    return float(10.0 ** (float(value) / 20.0))


def _level(samples: Array) -> Array:
    """Bring to a root mean square of one."""
    result: Array = samples / max(float(np.sqrt(np.mean(samples**2))), 1e-12)
    return result
