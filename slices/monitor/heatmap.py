"""Heat maps: a square of values in two diverging colours, printed in the cells that have room."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slices.domain.numbers import MINUS, UNDEFINED
from slices.monitor.axes import nothing_to_draw
from slices.monitor.svg import (
    Canvas,
    Drawing,
    Svg,
    hint,
    joined,
    short,
    shortened,
    tag,
    text,
    text_width,
)

if TYPE_CHECKING:
    from slices.domain.report import Heatmap

LARGEST_CELL = 58.0
SMALLEST_CELL = 14.0
PRINTED_FROM = 33.0
STRONG_FROM = 0.58
KEY_STEPS = 9


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Where the cells of a heat map lie."""

    left: float
    top: float
    width: float
    height: float
    font: float
    count: int
    turned: bool


def draw_heatmap(chart: Heatmap, canvas: Canvas) -> Drawing:
    """Draw the cells, their labels on two sides, and the key of the colours."""
    count = len(chart.labels)
    if not count:
        return Drawing(width=canvas.width, height=70, body=nothing_to_draw(canvas))
    grid = _grid(chart, canvas)
    right = grid.left + grid.width * count
    bottom = grid.top + grid.height * count
    rows = (_row(chart, grid, row, named=not canvas.narrow) for row in range(count))
    labels = (_labels(chart.labels[each], grid, each) for each in range(count))
    key = _key(chart, grid, bottom + 14)
    body = joined(*rows, *labels, key)
    return Drawing(width=max(canvas.width, right + 2), height=bottom + 30, body=body)


def describe_heatmap(chart: Heatmap) -> str:
    """Say in words which pairs lie highest and lowest."""
    pairs = [
        (value, chart.labels[row], chart.labels[column])
        for row, values in enumerate(chart.values[: len(chart.labels)])
        for column, value in enumerate(values[:row])
        if math.isfinite(value)
    ]
    if not pairs:
        return f"Matrix of {len(chart.labels)} labels."
    high, low = max(pairs), min(pairs)
    return (
        f"Matrix of {len(chart.labels)} labels. Highest: {high[1]} and {high[2]}, "
        f"{_number(high[0])}; lowest: {low[1]} and {low[2]}, {_number(low[0])}."
    )


def strength(value: float, *, low: float, high: float) -> float:
    """Place a value between -1 and 1 around zero, or around `low` where nothing is negative.

    >>> strength(0.5, low=-1.0, high=1.0), strength(3.0, low=1.0, high=5.0)
    (0.5, 0.5)
    """
    if low < 0:
        reach = max(-low, high, 0.0) or 1.0
        return max(-1.0, min(1.0, value / reach))
    return max(0.0, min(1.0, (value - low) / ((high - low) or 1.0)))


def _grid(chart: Heatmap, canvas: Canvas) -> Grid:
    count = len(chart.labels)
    widest = max(text_width(label, canvas.font) for label in chart.labels)
    side = min(widest, canvas.width * 0.25) + 8
    most = max(LARGEST_CELL, widest + 10)
    width = max(SMALLEST_CELL, min(most, (canvas.width - side - 2) / count))
    height = min(width, max(canvas.font * 2.1, SMALLEST_CELL))
    font = min(canvas.font, height - 2)
    turned = max(text_width(label, font) for label in chart.labels) > width + 2
    top = (min(widest, canvas.width * 0.25) if turned else canvas.font) + 8
    return Grid(
        left=side, top=top, width=width, height=height, font=font, count=count, turned=turned
    )


def _row(chart: Heatmap, grid: Grid, row: int, *, named: bool) -> Svg:
    cells = (_cell(chart, grid, row, column, named=named) for column in range(grid.count))
    size = min(grid.font, grid.width / 3.0)
    place = f"translate({short(grid.left)} {short(grid.top + row * grid.height)})"
    return tag("g", *cells, transform=place, font_size=size, text_anchor="middle", class_="cells")


def _cell(chart: Heatmap, grid: Grid, row: int, column: int, *, named: bool) -> Svg:
    """Draw a cell; its value is printed, or without room for that named under the pointer."""
    value = _value(chart, row, column)
    power = strength(value, low=chart.low, high=chart.high) if math.isfinite(value) else 0.0
    printed = grid.width >= PRINTED_FROM
    name = f"{chart.labels[row]}, {chart.labels[column]}: {_number(value)}"
    rect = tag(
        "rect",
        *((hint(name),) if named and not printed else ()),
        x=column * grid.width,
        width=grid.width - 1,
        height=grid.height - 1,
        fill_opacity=f"{abs(power):.2f}",
        **({"class_": "negative"} if power < 0 else {}),
    )
    return joined(rect, _printed(value, power, column, grid)) if printed else rect


def _printed(value: float, power: float, column: int, grid: Grid) -> Svg:
    x = (column + 0.5) * grid.width - 0.5
    y = grid.height / 2 + min(grid.font, grid.width / 3.0) * 0.35
    if abs(power) < STRONG_FROM:
        return text(_number(value), x, y)
    return text(_number(value), x, y, class_="strong")


def _value(chart: Heatmap, row: int, column: int) -> float:
    values = chart.values[row] if row < len(chart.values) else ()
    return float(values[column]) if column < len(values) else math.nan


def _number(value: float) -> str:
    if not math.isfinite(value):
        return UNDEFINED
    rounded = f"{value:.2f}"
    return rounded.replace("-", MINUS) if float(rounded) else "0.00"


def _labels(label: str, grid: Grid, number: int) -> Svg:
    size = grid.font
    name = shortened(label, font=size, width=grid.left - 8)
    y = grid.top + (number + 0.5) * grid.height + size * 0.33
    side = text(name, grid.left - 6, y, text_anchor="end", font_size=size)
    return joined(side, _column_label(label, grid, number))


def _column_label(label: str, grid: Grid, number: int) -> Svg:
    size = grid.font
    x, y = grid.left + (number + 0.5) * grid.width, grid.top - 6
    if not grid.turned:
        return text(label, x, y, text_anchor="middle", font_size=size)
    name = shortened(label, font=size, width=grid.top - 8)
    across = x + size * 0.35
    turn = f"rotate(-90 {across:.1f} {y:.1f})"
    return text(name, across, y, font_size=size, transform=turn)


def _key(chart: Heatmap, grid: Grid, top: float) -> Svg:
    step, size = 18.0, max(grid.font, 11.0)
    start = grid.left + text_width(_number(chart.low), size) + 6
    span = chart.high - chart.low
    values = [chart.low + span * each / (KEY_STEPS - 1) for each in range(KEY_STEPS)]
    boxes = (
        _key_box(strength(value, low=chart.low, high=chart.high), start + each * step, top)
        for each, value in enumerate(values)
    )
    return joined(
        text(_number(chart.low), grid.left, top + 10, font_size=size, class_="muted"),
        *boxes,
        tag("rect", x=start, y=top, width=KEY_STEPS * step, height=12, class_="frame"),
        text(
            _number(chart.high),
            start + KEY_STEPS * step + 6,
            top + 10,
            font_size=size,
            class_="muted",
        ),
    )


def _key_box(power: float, x: float, top: float) -> Svg:
    colour = "positive" if power >= 0 else "negative"
    opacity = f"{abs(power):.2f}"
    return tag("rect", x=x, y=top, width=18, height=12, fill_opacity=opacity, class_=colour)
