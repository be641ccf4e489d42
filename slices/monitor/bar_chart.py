"""Bar charts: horizontal bars, side by side for a few groups and one panel each for many."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.numbers import MOST_DECIMALS, column_decimals, written, written_cell
from slices.domain.report import BarChart, Unit
from slices.monitor.axes import nothing_to_draw
from slices.monitor.layout import Key, legend
from slices.monitor.scales import Scale
from slices.monitor.svg import (
    Canvas,
    Drawing,
    Svg,
    hint,
    joined,
    line,
    series_class,
    shortened,
    tag,
    text,
    text_width,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_TOGETHER = 3
MOST_ROWS_TOGETHER = 12
PANEL_WIDTH = 100.0
NARROW_PANEL_WIDTH = 84.0
MOST_HEAD_ROWS = 3
BOLD = 1.08  # how much wider bold letters run
MOST_PANEL_DECIMALS = 1
PANEL_GAP = 14.0
ROW = 1.5
BAR = 0.95


@dataclass(frozen=True, kw_only=True)
class Bars:
    """A chart's bars as numbers.

    Attributes:
        values: One row per group, one column per category; NaN where there is no value.
        texts: The values as written at the ends of the bars, in the same shape.
    """

    categories: tuple[str, ...]
    groups: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    texts: tuple[tuple[str, ...], ...]
    unit: Unit


@dataclass(frozen=True, kw_only=True)
class Lane:
    """The horizontal room bars share, from the left edge to the right one."""

    left: float
    right: float
    scale: Scale
    font: float


def draw_bars(chart: BarChart, canvas: Canvas) -> Drawing:
    """Draw few groups side by side in one panel, and many as one small panel each."""
    few_groups = len(chart.groups) <= MOST_TOGETHER
    few = few_groups and len(chart.categories) <= MOST_ROWS_TOGETHER
    together = few or len(chart.groups) == 1
    bars = _bars(chart, most_decimals=MOST_DECIMALS if together else MOST_PANEL_DECIMALS)
    if not bars.categories or not bars.groups:
        return Drawing(width=canvas.width, height=70, body=nothing_to_draw(canvas))
    if together:
        return _together(bars, canvas)
    return _panels(bars, canvas)


def describe_bars(chart: BarChart) -> str:
    """Say in words what the bars show."""
    largest = "; ".join(_largest(chart, name, values) for name, values in chart.groups[:12])
    return f"Bar chart of {len(chart.categories)} categories. {largest}."


def _largest(chart: BarChart, name: str, values: tuple[float, ...]) -> str:
    pairs = zip(chart.categories, values, strict=False)
    known = [(value, category) for category, value in pairs if math.isfinite(value)]
    if not known:
        return f"{name}: no values"
    value, category = max(known)
    return f"{name}: largest is {category} with {written(value, chart.unit)}"


def _bars(chart: BarChart, *, most_decimals: int) -> Bars:
    rows = tuple(_filled(values, len(chart.categories)) for _, values in chart.groups)
    flat = tuple(value for row in rows for value in row)
    decimals = min(column_decimals(flat, chart.unit), most_decimals)
    texts = tuple(
        tuple(written_cell(value, chart.unit, decimals=decimals) for value in row) for row in rows
    )
    return Bars(
        categories=chart.categories,
        groups=tuple(name for name, _ in chart.groups),
        values=rows,
        texts=texts,
        unit=chart.unit,
    )


def _filled(values: tuple[float, ...], count: int) -> tuple[float, ...]:
    return (*values, *(math.nan,) * (count - len(values)))[:count]


def _category_room(bars: Bars, canvas: Canvas) -> float:
    widest = max(text_width(each, canvas.font) for each in bars.categories)
    return min(widest, canvas.width * 0.35) + 10


def _lane(bars: Bars, left: float, right: float, font: float) -> Lane:
    finite = [value for row in bars.values for value in row if math.isfinite(value)]
    low, high = min([0.0, *finite]), max([0.0, *finite])
    high = high if high > low else low + 1.0
    room = max(text_width(each, font) for row in bars.texts for each in row) + 6
    start = left + (room if low < 0 else 0)
    end = max(right - (room if high > 0 else 0), start + 4)
    scale = Scale(low=low, high=high, start=start, end=end)
    return Lane(left=left, right=right, scale=scale, font=font)


def _together(bars: Bars, canvas: Canvas) -> Drawing:
    left = _category_room(bars, canvas)
    lane = _lane(bars, left, canvas.width, canvas.font - 1)
    count = len(bars.groups)
    key, top = legend(_keys(bars) if count > 1 else (), canvas, left=0, top=0)
    row = canvas.font * (BAR * count + 0.65 if count > 1 else ROW + 0.2)
    drawn = []
    for number in range(len(bars.categories)):
        start = top + 6 + number * row
        drawn.append(_category(bars.categories[number], left, start + row / 2, canvas.font))
        for group in range(count):
            pitch = canvas.font * BAR
            middle = start + row / 2 + (group - (count - 1) / 2) * pitch
            bar = _bar(bars, group, number, lane, middle, thickness=pitch * 0.84)
            drawn.append(tag("g", bar, class_=series_class(group)))
    height = top + 6 + len(bars.categories) * row + 4
    return Drawing(
        width=canvas.width,
        height=height,
        body=joined(key, *drawn, _zero(lane, top + 4, height - 2)),
    )


def _keys(bars: Bars) -> Sequence[Key]:
    return [
        Key(name=name, index=number, dashed=False, marked=False)
        for number, name in enumerate(bars.groups)
    ]


def _panels(bars: Bars, canvas: Canvas) -> Drawing:
    left = _category_room(bars, canvas)
    panel_width = NARROW_PANEL_WIDTH if canvas.narrow else PANEL_WIDTH
    per_row = max(1, int((canvas.width - left + PANEL_GAP) / (panel_width + PANEL_GAP)))
    rows = math.ceil(len(bars.groups) / per_row)
    per_row = math.ceil(len(bars.groups) / rows)
    width = (canvas.width - left - PANEL_GAP * (per_row - 1)) / per_row
    heads = _heads(bars, width, canvas.font)
    head_height = max(len(head) for head in heads) * canvas.font * 1.2 + 8
    height = head_height + len(bars.categories) * canvas.font * ROW + canvas.font * 1.2
    drawn = []
    for band in range(rows):
        top = band * height
        drawn.append(_band_names(bars, left, top + head_height, canvas))
        for column in range(min(per_row, len(bars.groups) - band * per_row)):
            group = band * per_row + column
            start = left + column * (width + PANEL_GAP)
            lane = _lane(bars, start, start + width, canvas.font - 2)
            drawn.append(_head(heads[group], start, top + head_height - 8, canvas.font))
            drawn.append(_panel(bars, group, lane, top + head_height, canvas.font * ROW))
    total = rows * height - canvas.font
    return Drawing(width=canvas.width, height=total, body=joined(*drawn))


def _heads(bars: Bars, width: float, font: float) -> list[tuple[str, ...]]:
    return [_wrapped(name, width=width, font=font * BOLD) for name in bars.groups]


def _wrapped(name: str, *, width: float, font: float) -> tuple[str, ...]:
    rows = [""]
    for word in name.split(" "):
        longer = f"{rows[-1]} {word}".strip()
        if rows[-1] and text_width(longer, font) > width:
            rows.append(word)
        else:
            rows[-1] = longer
    return tuple(shortened(row, font=font, width=width) for row in rows[:MOST_HEAD_ROWS])


def _head(lines: tuple[str, ...], x: float, bottom: float, font: float) -> Svg:
    first = bottom - (len(lines) - 1) * font * 1.2
    return joined(
        *(
            text(each, x, first + number * font * 1.2, font_size=font, class_="title")
            for number, each in enumerate(lines)
        )
    )


def _band_names(bars: Bars, left: float, top: float, canvas: Canvas) -> Svg:
    row = canvas.font * ROW
    names = (
        joined(
            line(
                0, top + (number + 1) * row, canvas.width, top + (number + 1) * row, class_="grid"
            ),
            _category(name, left, top + (number + 0.5) * row, canvas.font),
        )
        for number, name in enumerate(bars.categories)
    )
    return joined(*names)


def _panel(bars: Bars, group: int, lane: Lane, top: float, row: float) -> Svg:
    drawn = [
        _bar(bars, group, number, lane, top + (number + 0.5) * row, thickness=row * 0.62)
        for number in range(len(bars.categories))
    ]
    bottom = top + row * len(bars.categories)
    return tag("g", *drawn, _zero(lane, top, bottom), class_=series_class(group))


def _category(name: str, right: float, middle: float, font: float) -> Svg:
    label = shortened(name, font=font, width=right - 10)
    words = text(label, right - 8, middle + font * 0.35, text_anchor="end", font_size=font)
    return tag("g", hint(name), words) if label != name else words


def _bar(
    bars: Bars, group: int, number: int, lane: Lane, middle: float, *, thickness: float
) -> Svg:
    value, written_value = bars.values[group][number], bars.texts[group][number]
    zero = lane.scale.place(0.0)
    end = lane.scale.place(value) if np.isfinite(value) else zero
    title = hint(f"{bars.groups[group]}, {bars.categories[number]}: {written_value}")
    left, width = min(zero, end), abs(end - zero)
    rect = tag(
        "rect", title, x=left, y=middle - thickness / 2, width=width, height=thickness, class_="bar"
    )
    anchor, x = ("end", end - 4) if end < zero else ("start", end + 4)
    words = text(
        written_value,
        x,
        middle + lane.font * 0.36,
        text_anchor=anchor,
        font_size=lane.font,
        class_="muted",
    )
    return joined(rect, words)


def _zero(lane: Lane, top: float, bottom: float) -> Svg:
    x = lane.scale.place(0.0)
    return line(x, top, x, bottom, class_="zero")
