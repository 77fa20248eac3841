"""What a face does beside speaking: blinks, eyes that wander, a head that is never quite still. Lips are left alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blendvoca.track import CoefficientTrack

Array = NDArray[np.float64]

#: Shapes that are moved: both lids, and both eyes together.
IDLE_NAMES: tuple[str, ...] = tuple(
    f"eye{action}{side}"
    for action in ("Blink", "LookIn", "LookOut", "LookUp", "LookDown")
    for side in ("Left", "Right")
)
#: Mean seconds between blinks beyond the shortest pause, that pause, seconds of closing and opening. People who talk
#: blink 15 to 30 times a minute; lids fall in about 0.1 s and rise in about twice that (Kwon et al., 2013).
_BETWEEN, _PAUSE, _CLOSE, _OPEN = 2.2, 0.7, 0.09, 0.19
#: Mean seconds of a gaze beyond the shortest, that, seconds of a saccade, and how far eyes go at most, as coefficients.
_GAZE, _LEAST_GAZE, _SACCADE, _FAR = 1.1, 0.4, 0.045, (0.16, 0.09)
#: Radians that the head turns, nods and tilts at most, and cycles per second of its slow waves.
_HEAD, _SLOW = np.radians([3.0, 2.2, 1.6]), (0.06, 0.31)
_WAVES = 4


class Idle:
    """Blinks, eyes and head of one seed; frame n is the same whatever was asked for before.

    :param seed: the same seed gives the same motion.
    :param fps: frames per second.
    """

    names = IDLE_NAMES

    def __init__(self, seed: int, fps: float) -> None:
        self.fps = fps
        lids, eyes, head = (np.random.default_rng([seed, part, 0x1D1E]) for part in range(3))
        self._lids, self._eyes = lids, eyes
        #: Start and depth of each blink; start and place of each gaze.
        self._blinks: list[tuple[float, float]] = [(float(lids.exponential(_BETWEEN)) + 0.4, 0.95)]
        self._gazes: list[tuple[float, float, float]] = [(-1.0, 0.0, 0.0), (0.0, 0.0, 0.0)]
        self._speeds = 2 * np.pi * head.uniform(*_SLOW, (_WAVES, 3))
        self._phases = head.uniform(0, 2 * np.pi, (_WAVES, 3))
        self._shares = head.uniform(0.5, 1.0, (_WAVES, 3))
        self._shares /= self._shares.sum(axis=0)

    def at(self, first: int, count: int) -> tuple[Array, Array]:
        """Return coefficients (count, 10) of :data:`IDLE_NAMES`, and the head (count, 3) in radians, of some frames.

        The head's angles are to the face's left, down, and towards its right shoulder.
        """
        times = (first + np.arange(count)) / self.fps
        self._extend(float(times[-1]) if count else 0.0)
        across, down = self._gaze(times)
        lids = np.maximum(self._lid(times), 0.5 * np.maximum(down, 0.0))
        left, right = np.maximum(across, 0.0), np.maximum(-across, 0.0)
        columns = (lids, lids, right, left, left, right, *[np.maximum(-down, 0.0)] * 2, *[np.maximum(down, 0.0)] * 2)
        waves = np.sin(times[:, None, None] * self._speeds + self._phases) * self._shares
        return np.stack(columns, axis=1), _HEAD * waves.sum(axis=1)

    def _extend(self, until: float) -> None:
        """Decide on blinks and gazes up to a moment."""
        while self._blinks[-1][0] < until:
            pause = _CLOSE + _OPEN + _PAUSE + float(self._lids.exponential(_BETWEEN))
            self._blinks.append((self._blinks[-1][0] + pause, float(self._lids.uniform(0.85, 1.0))))
        while self._gazes[-1][0] < until:
            start = self._gazes[-1][0] + _LEAST_GAZE + float(self._eyes.exponential(_GAZE))
            home = self._eyes.uniform() < 0.4
            place = (0.0, 0.0) if home else self._eyes.uniform(-1, 1, 2) * _FAR
            self._gazes.append((start, float(place[0]), float(place[1])))

    def _lid(self, times: Array) -> Array:
        starts, depths = np.array(self._blinks).T
        place = np.searchsorted(starts, times, side="right") - 1
        since = np.where(place >= 0, times - starts[place.clip(0)], np.inf)
        falling = (since / _CLOSE).clip(0, 1)
        rising = ((since - _CLOSE) / _OPEN).clip(0, 1)
        return np.asarray(depths[place.clip(0)] * (_eased(falling) - _eased(rising)) * (place >= 0))

    def _gaze(self, times: Array) -> Array:
        """Return where the eyes look (2, n): to the left and down, as coefficients."""
        starts, across, down = np.array(self._gazes).T
        place = (np.searchsorted(starts, times, side="right") - 1).clip(1)
        part = _eased(((times - starts[place]) / _SACCADE).clip(0, 1))
        return np.stack([line[place - 1] + part * (line[place] - line[place - 1]) for line in (across, down)])


def _eased(part: Array) -> Array:
    """Return a rise from 0 to 1 that begins and ends at rest."""
    return np.asarray(part * part * (3 - 2 * part))


def with_idle(track: CoefficientTrack, seed: int) -> tuple[CoefficientTrack, Array]:
    """Return a track with blinks and gaze, and the head (T, 3) in radians; all other shapes are as they were.

    :param seed: the same seed gives the same motion.
    """
    values, head = Idle(seed, track.fps).at(0, len(track))
    names = (*track.names, *(name for name in IDLE_NAMES if name not in track.names))
    table = np.zeros((len(track), len(names)))
    table[:, : len(track.names)] = track.values
    for name, column in zip(IDLE_NAMES, values.T):
        place = names.index(name)
        table[:, place] = np.maximum(table[:, place], column)
    return CoefficientTrack(table, names, track.fps), head
