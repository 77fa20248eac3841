"""Mel-frequency cepstra as the front end of SyncNet computes them, written out: one frame and one filter at a time.

Pre-emphasis 0.97; frames of 25 ms every 10 ms, no window; power spectrum of 512 points; 26 triangles between 0 Hz and
half the rate, their corners rounded down to bins; logarithm; orthonormal DCT-II; 13 coefficients, liftered with 22; the
first is the logarithm of the frame's energy (Davis and Mermelstein 1980, with the defaults of the package that
SyncNet's authors used, python_speech_features 0.6: compared once, equal to 1e-12).
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

POINTS, FILTERS, KEPT, LIFTER = 512, 26, 13, 22


def plain_cepstra(samples: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """Return cepstra (frames, 13) of a sound of 16-bit amplitudes."""
    emphasised = [float(samples[0])] + [float(b - 0.97 * a) for a, b in pairwise(samples)]
    length, step = round(0.025 * rate), round(0.010 * rate)
    count = 1 if len(samples) <= length else 1 + math.ceil((len(samples) - length) / step)
    padded = np.array(emphasised + [0.0] * max((count - 1) * step + length - len(emphasised), 0))
    triangles = [_triangle(place, rate) for place in range(FILTERS)]
    return np.array([_of_frame(padded[n * step : n * step + length], triangles) for n in range(count)])


def _of_frame(frame: NDArray[np.float64], triangles: list[NDArray[np.float64]]) -> list[float]:
    power = np.abs(np.fft.rfft(frame, POINTS)) ** 2 / POINTS
    tiny = float(np.finfo(float).eps)
    logs = [math.log(float(power @ triangle) or tiny) for triangle in triangles]
    found = []
    for k in range(KEPT):
        total = sum(value * math.cos(math.pi * k * (2 * n + 1) / (2 * FILTERS)) for n, value in enumerate(logs))
        scale = math.sqrt((1 if k == 0 else 2) / FILTERS)
        found.append(scale * total * (1 + LIFTER / 2 * math.sin(math.pi * k / LIFTER)))
    found[0] = math.log(float(power.sum()) or tiny)
    return found


def _triangle(place: int, rate: int) -> NDArray[np.float64]:
    highest = 2595 * math.log10(1 + rate / 2 / 700)
    corners = [math.floor((POINTS + 1) * 700 * (10 ** (mel / 2595) - 1) / rate)
               for mel in (highest * (place + n) / (FILTERS + 1) for n in range(3))]  # fmt: skip
    low, middle, high = corners
    weights = np.zeros(POINTS // 2 + 1)
    for bin_ in range(low, middle):
        weights[bin_] = (bin_ - low) / (middle - low)
    for bin_ in range(middle, high):
        weights[bin_] = (high - bin_) / (high - middle)
    return weights
