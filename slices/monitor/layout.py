"""Layout of labels: legends that wrap, end labels and point labels that make room."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from slices.monitor.svg import (
    Canvas,
    Svg,
    joined,
    line,
    marker,
    series_class,
    series_dash,
    shortened,
    tag,
    text,
    text_width,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

SAMPLE = 26.0
SIDES = ((1, 0), (-1, 0), (0, -1), (0, 1))
CORNERS = ((1, -1), (-1, -1), (1, 1), (-1, 1))
BETWEEN = ((2, -1), (-2, -1), (2, 1), (-2, 1), (1, -2), (-1, -2), (1, 2), (-1, 2))
DIRECTIONS = (*SIDES, *CORNERS, *BETWEEN)
DISTANCES = (8.0, 16.0, 26.0, 38.0, 52.0)
NEEDS_LEADER = 14.0


@dataclass(frozen=True, kw_only=True)
class Plot:
    """The rectangle values are drawn in."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, kw_only=True)
class Box:
    """A rectangle that something occupies."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Box) -> bool:
        """Tell whether two rectangles share any area."""
        apart_across = self.right <= other.left or other.right <= self.left
        apart_down = self.bottom <= other.top or other.bottom <= self.top
        return not (apart_across or apart_down)

    def inside(self, plot: Plot) -> bool:
        """Tell whether the rectangle lies within a plot."""
        across = plot.left <= self.left and self.right <= plot.right
        return across and plot.top <= self.top and self.bottom <= plot.bottom


@dataclass(frozen=True, kw_only=True)
class Label:
    """A text at the place found for it.

    Attributes:
        box: The place; None where there was no room.
        leader: The way from the point, where the label is far enough off to need a line.
        number: Where a number stands for a text without room, that number.
    """

    text: str
    box: Box | None
    leader: tuple[Box, ...] = ()
    number: int = 0


@dataclass(frozen=True, kw_only=True)
class Key:
    """One entry of a legend."""

    name: str
    index: int
    dashed: bool
    marked: bool


def spread(wanted: Sequence[float], *, gap: float, low: float, high: float) -> list[float]:
    """Move positions as little as needed so that none is nearer to another than `gap`.

    >>> spread([10.0, 11.0, 40.0], gap=5.0, low=0.0, high=50.0)
    [10.0, 15.0, 40.0]
    """
    order = sorted(range(len(wanted)), key=lambda each: wanted[each])
    placed = [0.0] * len(wanted)
    floor = low
    for each in order:
        placed[each] = max(wanted[each], floor)
        floor = placed[each] + gap
    ceiling = high
    for each in reversed(order):
        placed[each] = min(placed[each], ceiling)
        ceiling = placed[each] - gap
    return placed


def legend(keys: Sequence[Key], canvas: Canvas, *, left: float, top: float) -> tuple[Svg, float]:
    """Lay out a legend in rows from a corner; returns its markup and its height."""
    row = canvas.font * 1.55
    drawn, x, y = [], left, top + row / 2
    for key in keys:
        name = shortened(key.name, font=canvas.font, width=canvas.width - left - SAMPLE - 8)
        width = SAMPLE + text_width(name, canvas.font) + 18
        if x > left and x + width - 18 > canvas.width:
            x, y = left, y + row
        drawn.append(_entry(key, name, x, y, canvas.font))
        x += width
    return joined(*drawn), (y + row / 2 - top if keys else 0.0)


def _entry(key: Key, name: str, x: float, y: float, font: float) -> Svg:
    sample: list[Svg] = []
    if key.dashed:
        dash = series_dash(key.index)
        sample.append(line(x, y, x + SAMPLE - 6, y, class_="line", stroke_dasharray=dash))
    if key.marked:
        sample.append(marker(key.index, x + SAMPLE / 2 - 3, y, size=4))
    if not sample:
        sample.append(tag("rect", x=x + 6, y=y - 5, width=11, height=11, class_="bar"))
    label = text(name, x + SAMPLE, y + font * 0.35, font_size=font)
    return tag("g", *sample, label, class_=series_class(key.index))


def place_labels(
    names: Sequence[str],
    points: Sequence[tuple[float, float]],
    *,
    font: float,
    plot: Plot,
    taken: Sequence[Box] = (),
) -> list[Label]:
    """Find a place beside each point that covers no point, no other label and no edge."""
    occupied = [*taken, *(_around(x, y, 5.0) for x, y in points)]
    words: list[Box] = []
    labels = []
    for name, (x, y) in zip(names, points, strict=True):
        others = (_around(*each, 4.0) for each in points if each != (x, y))
        label = _first_free(
            name, x, y, font=font, plot=plot, occupied=occupied, uncrossed=[*words, *others]
        )
        labels.append(label)
        if label.box:
            words.append(label.box)
            occupied += [label.box, *label.leader]
    return labels


def _around(x: float, y: float, reach: float) -> Box:
    return Box(left=x - reach, top=y - reach, right=x + reach, bottom=y + reach)


def _first_free(
    name: str,
    x: float,
    y: float,
    *,
    font: float,
    plot: Plot,
    occupied: Sequence[Box],
    uncrossed: Sequence[Box],
) -> Label:
    for distance, direction in product(DISTANCES, DIRECTIONS):
        box = _beside(x, y, text_width(name, font), font * 1.05, distance, direction)
        leader = _leader(x, y, box)
        crossed = any(step.overlaps(each) for step in leader for each in uncrossed)
        if not crossed and box.inside(plot) and not any(box.overlaps(each) for each in occupied):
            return Label(text=name, box=box, leader=leader)
    return Label(text=name, box=None)


def _beside(
    x: float, y: float, width: float, height: float, distance: float, towards: tuple[int, int]
) -> Box:
    length = math.hypot(*towards)
    across, down = towards[0] / length, towards[1] / length
    middle = x + across * distance + _sign(across) * width / 2
    centre = y + down * distance + _sign(down) * height / 2
    return Box(
        left=middle - width / 2,
        right=middle + width / 2,
        top=centre - height / 2,
        bottom=centre + height / 2,
    )


def _sign(number: float) -> int:
    return (number > 0) - (number < 0)


def _leader(x: float, y: float, box: Box) -> tuple[Box, ...]:
    """Cover the way from a point to its label, where it is long enough to need a line."""
    near_x, near_y = min(max(x, box.left), box.right), min(max(y, box.top), box.bottom)
    length = math.dist((x, y), (near_x, near_y))
    if length < NEEDS_LEADER:
        return ()
    steps = (each / length for each in range(2, int(length), 3))
    return tuple(_around(x + (near_x - x) * s, y + (near_y - y) * s, 1.0) for s in steps)
