"""Plots as inline SVG, in the page's colours. Every one names its quantity and its unit."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: Sizes in units of the picture; a wide plot takes the whole width of the page.
_WIDTH, _WIDE, _LEFT, _RIGHT, _TOP, _BOTTOM = 320, 1000, 34, 8, 26, 34


#: Below so many values every one is shown as a dot.
_FEW = 20


def spread(values: ArrayLike, title: str, unit: str = "", height: int = 170) -> str:
    """Return how values are spread: dots where they are few, bars where they are many.

    :param values: (N,) finite numbers, at least one.
    :param title: what they are.
    :param unit: theirs.
    :param height: of the picture.
    """
    array = np.asarray(values, dtype=np.float64)
    return histogram(array, title, unit, height=height) if len(array) >= _FEW else dots(array, title, unit)


def dots(values: ArrayLike, title: str, unit: str = "") -> str:
    """Return every value as a dot on a line, those that would cover each other one above the other, and their mean.

    :param values: (N,) finite numbers, at least one.
    :param title: what they are.
    :param unit: theirs.
    """
    array, height = np.sort(np.asarray(values, dtype=np.float64)), 110
    margin = 0.06 * float(np.ptp(array)) or 0.5 * abs(float(array[0])) or 1.0
    across, ground = _Axis(array[0] - margin, array[-1] + margin, _LEFT, _WIDTH - _RIGHT), height - _BOTTOM
    taken: list[float] = []
    circles = []
    for value in array:
        x = across(value)
        level = sum(abs(x - other) < 7 for other in taken) % 6
        taken.append(x)
        circles.append(f'<circle class=dot cx="{x:.1f}" cy="{ground - 7 - 7 * level:.1f}" r="3.4"/>')
    at = across(float(array.mean()))
    mean = f'<line class=mark x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP}" y2="{ground:.1f}"/>'
    anchor, place = ("end", at - 4) if at > _WIDTH / 2 else ("start", at + 4)
    label = f'<text class=mark x="{place:.1f}" y="{_TOP + 4}" text-anchor="{anchor}">mean {array.mean():.3g}</text>'
    return _svg(title, height, "".join(circles) + across.ticks_below(ground, unit) + mean + label)


def intervals(rows: Sequence[tuple[str, float, float, float]], title: str, aim: float | None = None) -> str:
    """Return a line a system: its value as a dot, its interval as a bar.

    :param rows: name, value, lower and upper end of the interval.
    :param title: what is measured.
    :param aim: the value to reach, drawn as a line through all; None where there is none.
    """
    step, left = 22, 10 + 6.2 * max(len(name[:22]) for name, *_ in rows)
    height = _TOP + step * len(rows) + _BOTTOM
    shown = [x for _, *three in rows for x in three if np.isfinite(x)] + ([] if aim is None else [aim])
    low, high = min(shown, default=0.0), max(shown, default=1.0)
    margin = 0.05 * (high - low) or 1.0
    across, ground = _Axis(low - margin, high + margin, left, _WIDTH - _RIGHT), height - _BOTTOM
    parts = []
    for number, (name, value, least, most) in enumerate(rows):
        y = _TOP + step * (number + 0.5)
        parts.append(f'<text x="{left - 8:.1f}" y="{y + 4:.1f}" text-anchor="end">{escape(name[:22])}</text>')
        if np.isfinite(least) and np.isfinite(most):
            ends = f'x1="{across(least):.1f}" x2="{across(most):.1f}" y1="{y:.1f}" y2="{y:.1f}"'
            parts.append(f"<line class=span {ends}/>")
        if np.isfinite(value):
            parts.append(f'<circle class=point cx="{across(value):.1f}" cy="{y:.1f}" r="4"/>')
    if aim is not None:
        parts.append(f'<line class=mark x1="{across(aim):.1f}" x2="{across(aim):.1f}" y1="{_TOP}" y2="{ground:.1f}"/>')
    return _svg(title, height, "".join(parts) + across.ticks_below(ground, "", 4))


def histogram(values: ArrayLike, title: str, unit: str = "", bins: int = 20, height: int = 170) -> str:
    """Return how values are spread: a bar a bin, and their mean as a line.

    :param values: (N,) finite numbers, at least one.
    """
    array = np.asarray(values, dtype=np.float64)
    counts, edges = np.histogram(array, bins=bins if np.ptp(array) > 0 else bins + 1 - bins % 2)
    across = _Axis(edges[0], edges[-1], _LEFT, _WIDTH - _RIGHT)
    up = _Axis(0, float(counts.max()), height - _BOTTOM, _TOP + 10)
    bars = "".join(
        f'<rect class=bar x="{across(low) + 0.5:.1f}" y="{up(count):.1f}" '
        f'width="{max(across(high) - across(low) - 1, 0.5):.1f}" height="{up(0) - up(count):.1f}"/>'
        for count, low, high in zip(counts, edges[:-1], edges[1:])
        if count
    )
    at = across(float(array.mean()))
    mean = f'<line class=mark x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP}" y2="{up(0):.1f}"/>'
    # The label keeps inside the picture whichever side the mean is on.
    anchor, place = ("end", at - 4) if at > _WIDTH / 2 else ("start", at + 4)
    label = f'<text class=mark x="{place:.1f}" y="{_TOP + 4}" text-anchor="{anchor}">mean {array.mean():.3g}</text>'
    ticks = across.ticks_below(up(0), unit) + up.ticks_left(_LEFT, whole=True)
    return _svg(title, height, bars + ticks + mean + label)


def strips(groups: Sequence[tuple[str, ArrayLike]], title: str, unit: str = "") -> str:
    """Return one line of dots a group: every value where it stands, the group's mean as a mark.

    :param groups: names with their values.
    """
    rows = [(name, np.asarray(values, dtype=np.float64)) for name, values in groups]
    step, left = 20, 12 + 6.4 * max(len(name[:28]) for name, _ in rows)
    height = _TOP + step * len(rows) + _BOTTOM
    everything = np.concatenate([values for _, values in rows])
    low, high = float(everything.min()), float(everything.max())
    across = _Axis(min(low, 0.0) if low < 0.35 * high else low, high, left, _WIDE - _RIGHT)
    parts = []
    for number, (name, values) in enumerate(rows):
        y = _TOP + step * (number + 0.5)
        parts.append(f'<text x="{left - 8:.1f}" y="{y + 4:.1f}" text-anchor="end">{escape(name[:28])}</text>')
        parts.append(f'<line class=axis x1="{left:.1f}" x2="{_WIDE - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts += [f'<circle class=dot cx="{across(value):.1f}" cy="{y:.1f}" r="3.2"/>' for value in values]
        at = across(float(values.mean()))
        parts.append(f'<line class=mark x1="{at:.1f}" x2="{at:.1f}" y1="{y - 6:.1f}" y2="{y + 6:.1f}"/>')
    return _svg(title, height, "".join(parts) + across.ticks_below(height - _BOTTOM, unit, 10), _WIDE)


def curve(values: ArrayLike, title: str, unit: str, seconds: float, mark: int | None = None, height: int = 120) -> str:
    """Return a quantity over the time of a clip.

    :param values: (T,).
    :param seconds: length of the clip.
    :param mark: a frame to be pointed at.
    """
    array = np.asarray(values, dtype=np.float64)
    across = _Axis(0, seconds, _LEFT, _WIDTH - _RIGHT)
    up = _Axis(0, float(array.max()) or 1.0, height - _BOTTOM, _TOP)
    times = (np.arange(len(array)) + 0.5) / len(array) * seconds
    path = " ".join(f"{across(time):.1f},{up(value):.1f}" for time, value in zip(times, array))
    pointer = "" if mark is None else (
        f'<line class=mark x1="{across(times[mark]):.1f}" x2="{across(times[mark]):.1f}" y1="{_TOP}" '
        f'y2="{up(0):.1f}"/>'
    )  # fmt: skip
    ticks = across.ticks_below(up(0), "s") + up.ticks_left(_LEFT)
    return _svg(f"{title} ({unit})", height, f'{ticks}<polyline class=line points="{path}"/>{pointer}')


class _Axis:
    """Values between two numbers, and where they stand between two places."""

    def __init__(self, low: float, high: float, start: float, stop: float) -> None:
        self.low, self.start, self.stop = float(low), start, stop
        self.span = float(high) - self.low or 1.0

    def __call__(self, value: float) -> float:
        return self.start + (float(value) - self.low) / self.span * (self.stop - self.start)

    def round_values(self, most: int, whole: bool = False) -> NDArray[np.float64]:
        """Return round numbers inside, at most so many."""
        raw = self.span / most
        power = 10.0 ** np.floor(np.log10(raw))
        step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * 0.999)
        step = max(step, 1.0) if whole else step
        first = np.ceil(self.low / step - 1e-9)
        last = np.floor((self.low + self.span) / step + 1e-9)
        return np.arange(first, last + 1) * step

    def ticks_below(self, y: float, unit: str, most: int = 6) -> str:
        """Return the axis along the bottom, its numbers, and the unit at its end."""
        line = f'<line class=axis x1="{self.start:.1f}" x2="{self.stop:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
        numbers = "".join(
            f'<text x="{self(value):.1f}" y="{y + 15:.1f}" text-anchor="middle">{_number(value)}</text>'
            for value in self.round_values(most)
        )
        named = f'<text x="{self.stop:.1f}" y="{y + 29:.1f}" text-anchor="end">{escape(unit)}</text>' if unit else ""
        return line + numbers + named

    def ticks_left(self, x: float, whole: bool = False) -> str:
        """Return the numbers along the left side."""
        return "".join(
            f'<text x="{x - 6:.1f}" y="{self(value) + 4:.1f}" text-anchor="end">{_number(value)}</text>'
            for value in self.round_values(3, whole)
        )


def _number(value: float) -> str:
    return f"{value + 0.0:.6g}"


def _svg(title: str, height: float, body: str, width: int = _WIDTH) -> str:
    words = escape(title)
    picture = (
        f'<svg{" class=wide" if width == _WIDE else ""} viewBox="0 0 {width} {height:.0f}" role="img" '
        f'aria-label="{words}"><text class=title x="0" y="12">{words}</text>{body}</svg>'
    )
    # On a small screen a wide plot would shrink until nobody can read it.
    return f"<div class=scroll>{picture}</div>" if width == _WIDE else picture
