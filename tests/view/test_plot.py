"""Plots say what their numbers are: bars as high as counts, marks at means, axes with round numbers, text escaped."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from blendvoca.view.page import plot
from blendvoca.view.page.document import document, section, table


def drawn(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(re.sub(r"(\sclass=)([\w]+)", r'\1"\2"', svg))


def elements(svg: str, kind: str, tag: str) -> list[ElementTree.Element]:
    return [item for item in drawn(svg).iter(tag) if item.get("class") == kind]


def test_bars_are_as_high_as_their_counts():
    values = np.repeat([0.0, 1.0, 2.0], [1, 4, 2])
    bars = elements(plot.histogram(values, "counts", "mm", bins=3), "bar", "rect")
    heights = np.array([float(bar.get("height")) for bar in bars])
    assert heights / heights[0] == pytest.approx([1, 4, 2], abs=0.02)
    mark = elements(plot.histogram(values, "counts", bins=3), "mark", "line")[0]
    left, right = float(bars[0].get("x")), float(bars[2].get("x")) + float(bars[2].get("width"))
    assert (float(mark.get("x1")) - left) / (right - left) == pytest.approx(values.mean() / 2, abs=0.01)


def test_equal_values_are_one_bar():
    assert len(elements(plot.histogram([3.0, 3.0, 3.0], "same"), "bar", "rect")) == 1


def test_a_strip_has_a_dot_a_value_and_its_mean():
    svg = plot.strips([("a", [1.0, 3.0]), ("b <i>", [5.0])], "by speaker", "mm")
    dots = [(float(dot.get("cx")), dot.get("cy")) for dot in elements(svg, "dot", "circle")]
    marks = [float(mark.get("x1")) for mark in elements(svg, "mark", "line")]
    assert [row for _, row in dots] == [dots[0][1], dots[0][1], dots[2][1]] != [dots[0][1]] * 3
    assert marks == pytest.approx([(dots[0][0] + dots[1][0]) / 2, dots[2][0]], abs=0.1)
    assert "b &lt;i&gt;" in svg


def test_a_curve_rises_where_its_values_do():
    svg = plot.curve([0.0, 1.0, 2.0, 1.0], "Distance", "mm", 2.0, mark=2)
    places = elements(svg, "line", "polyline")[0].get("points").split()
    points = [tuple(map(float, place.split(","))) for place in places]
    heights = -np.array([y for _, y in points])
    assert (heights - heights[0]) / (heights[2] - heights[0]) == pytest.approx([0, 0.5, 1, 0.5], abs=0.01)
    assert float(elements(svg, "mark", "line")[0].get("x1")) == pytest.approx(points[2][0], abs=0.1)


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.237, 0.251), (1e-6, 3e-6), (3.0, 45000.0)])
def test_ticks_are_round_and_inside(low, high):
    values = plot._Axis(low, high, 0, 100).round_values(6)
    assert 2 <= len(values) <= 7
    assert values[0] >= low - 1e-9 * (high - low)
    assert values[-1] <= high + 1e-9 * (high - low)
    assert all(len(f"{value:.6g}") <= 8 for value in values)


def test_pages_escape_what_they_are_told():
    page = document("<b>", "a & b", [section("<i>", table(("<h>",), [("<td>",)], ("<foot>",)))])
    assert not re.search(r"<(b|i|h|foot)>", page.split("</style>")[1])
    assert "&lt;b&gt;" in page
    assert "a &amp; b" in page
    assert "http" not in page


def test_few_values_are_dots_and_many_are_bars():
    few, many = plot.spread(np.arange(19.0), "Few", "mm"), plot.spread(np.arange(20.0), "Many", "mm")
    assert few.count("class=dot") == 19 and "class=bar" not in few
    assert "class=bar" in many and "class=dot" not in many
    assert plot.dots([1.0, 1.0, 1.0], "Equal").count("class=dot") == 3


def test_intervals_hold_their_values():
    drawn = plot.intervals([("a", 1.0, 0.5, 2.0), ("b<", 3.0, float("nan"), float("nan"))], "MAE ↓", 0.0)
    assert drawn.count("class=point") == 2 and drawn.count("class=span") == 1 and "class=mark" in drawn
    assert "b&lt;" in drawn
    middle = float(re.search(r'class=point cx="([\d.]+)"', drawn)[1])
    low, high = map(float, re.search(r'class=span x1="([\d.]+)" x2="([\d.]+)"', drawn).groups())
    assert low < middle < high
