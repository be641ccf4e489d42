"""Point charts: risk against return, with the efficient frontier as a curve."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.numbers import written
from slices.monitor.axes import (
    Bounds,
    horizontal_grid,
    label_room,
    nothing_to_draw,
    vertical_marks,
    x_ticks,
    y_ticks,
    zero_line,
)
from slices.monitor.decimation import finite_runs
from slices.monitor.layout import Box, Key, Label, Plot, legend, place_labels
from slices.monitor.scales import Scale, numeric, value_range
from slices.monitor.svg import (
    SERIES_COLOURS,
    Canvas,
    Drawing,
    Floats,
    Svg,
    hint,
    joined,
    line,
    marker,
    path_data,
    series_class,
    shortened,
    tag,
    text,
)

if TYPE_CHECKING:
    from slices.domain.report import PointChart, Series

WIDE_HEIGHT = 460.0
NARROW_HEIGHT = 380.0
CURVE_INDEX = 7
LABEL_WIDTH = 210.0
CURVE_STEPS = 60
ROOM = 0.08


@dataclass(frozen=True, kw_only=True)
class Point:
    """One point: its label, the series it belongs to, and its values."""

    label: str
    index: int
    x: float
    y: float


def draw_points(chart: PointChart, canvas: Canvas) -> Drawing:
    """Draw points with the labels that find room, and name the others beneath."""
    points = _points(chart)
    curve = _curve(chart)
    if not points and not curve[0].size:
        return Drawing(width=canvas.width, height=70, body=nothing_to_draw(canvas))
    room = replace(canvas, height=NARROW_HEIGHT if canvas.narrow else WIDE_HEIGHT)
    bounds = _bounds(points, curve)
    plot = _plot(chart, bounds, room)
    across = Scale(low=bounds.x[0], high=bounds.x[1], start=plot.left, end=plot.right)
    down = Scale(low=bounds.y[0], high=bounds.y[1], start=plot.bottom, end=plot.top)
    placed = [(across.place(point.x), down.place(point.y)) for point in points]
    curve_pixels = (across.at(curve[0]), down.at(curve[1]))
    labels = _labels(points, placed, curve_pixels, plot, room)
    key, key_height = legend(_keys(chart, points), room, left=0, top=room.height + 2)
    missing = _unlabelled(points, labels, room, top=room.height + key_height + 4)
    body = joined(
        _frame(chart, bounds, plot, across, down, room),
        _draw_curve(chart, curve_pixels),
        *(_draw_point(chart, each, at) for each, at in zip(points, placed, strict=True)),
        *(_draw_label(label, at, room) for label, at in zip(labels, placed, strict=True)),
        key,
        missing.body,
    )
    height = room.height + key_height + missing.height + 6
    return Drawing(width=room.width, height=height, body=body)


def describe_points(chart: PointChart) -> str:
    """Say in words where the points lie."""
    names = [_tooltip(chart, point) for point in _points(chart)[:30]]
    return f"{chart.y_label} against {chart.x_label}. " + "; ".join(names) + "."


def _points(chart: PointChart) -> tuple[Point, ...]:
    groups = _group_indexes(chart)
    return tuple(
        Point(label=label, index=groups[number], x=float(x), y=float(y))
        for number, series in enumerate(chart.points)
        for label, x, y in zip(_names(series), numeric(series.x), series.y, strict=True)
        if math.isfinite(x) and math.isfinite(y)
    )


def _group_indexes(chart: PointChart) -> list[int]:
    """Colour series apart while there are colours; a crowd of single points shares one."""
    crowd = len(chart.points) > SERIES_COLOURS and all(len(s.y) <= 1 for s in chart.points)
    return [0 if crowd else number for number in range(len(chart.points))]


def _names(series: Series) -> tuple[str, ...]:
    if series.labels:
        return series.labels
    return (series.name,) if len(series.y) == 1 else ("",) * len(series.y)


def _curve(chart: PointChart) -> tuple[Floats, Floats]:
    if chart.curve is None:
        return np.empty(0), np.empty(0)
    x, y = numeric(chart.curve.x), np.array(chart.curve.y, dtype=np.float64)
    known = np.isfinite(x) & np.isfinite(y)
    return x[known], y[known]


def _bounds(points: tuple[Point, ...], curve: tuple[Floats, Floats]) -> Bounds:
    x = np.concatenate([[point.x for point in points], curve[0]])
    y = np.concatenate([[point.y for point in points], curve[1]])
    return Bounds(
        x=value_range(x, log=False, room=ROOM),
        y=value_range(y, log=False, room=ROOM),
        dated=False,
        log=False,
    )


def _plot(chart: PointChart, bounds: Bounds, room: Canvas) -> Plot:
    top, bottom = room.font * 2.1, room.height - room.font * 3.6
    ticks = y_ticks(bounds, chart.y_unit, height=bottom - top)
    left = label_room(ticks, room.font)
    return Plot(left=left, top=top, right=room.width - room.font, bottom=bottom)


def _frame(
    chart: PointChart, bounds: Bounds, plot: Plot, across: Scale, down: Scale, room: Canvas
) -> Svg:
    ticks = y_ticks(bounds, chart.y_unit, height=plot.bottom - plot.top)
    marks = x_ticks(bounds, chart.x_unit, across, room)
    size = room.font
    foot = room.height - size * 0.6
    middle = (plot.left + plot.right) / 2
    x_title = text(
        chart.x_label, middle, foot, text_anchor="middle", font_size=size, class_="muted"
    )
    return joined(
        horizontal_grid(ticks, down, plot, room),
        vertical_marks(marks, across, plot, room, full=True),
        zero_line(down, plot),
        text(chart.y_label, 0, size, font_size=size, class_="muted"),
        x_title,
    )


def _draw_curve(chart: PointChart, pixels: tuple[Floats, Floats]) -> Svg:
    runs = finite_runs(*pixels)
    if chart.curve is None or not runs:
        return joined()
    stroke = path_data(*runs[0])
    path = tag("path", d=stroke, class_="line", stroke_width=2)
    return tag("g", hint(chart.curve.name), path, class_=series_class(CURVE_INDEX))


def _draw_point(chart: PointChart, point: Point, at: tuple[float, float]) -> Svg:
    symbol = marker(point.index, *at, size=5, name=_tooltip(chart, point))
    return tag("g", symbol, class_=series_class(point.index))


def _tooltip(chart: PointChart, point: Point) -> str:
    x, y = written(point.x, chart.x_unit), written(point.y, chart.y_unit)
    name = point.label or chart.points[point.index].name
    return f"{name}: {chart.x_label} {x}, {chart.y_label} {y}"


def _labels(
    points: tuple[Point, ...],
    placed: list[tuple[float, float]],
    curve: tuple[Floats, Floats],
    plot: Plot,
    room: Canvas,
) -> list[Label]:
    """Find places for labels, those of the smaller groups first."""
    width = LABEL_WIDTH * (0.75 if room.narrow else 1)
    sizes = Counter(point.index for point in points)
    order = sorted(range(len(points)), key=lambda each: sizes[points[each].index])
    names = [shortened(points[each].label, font=room.font, width=width) for each in order]
    spots = [placed[each] for each in order]
    found = place_labels(names, spots, font=room.font, plot=plot, taken=_along(curve))
    by_point = dict(zip(order, found, strict=True))
    labels = [by_point[each] for each in range(len(points))]
    return _numbered(labels, placed, plot, room)


def _numbered(
    labels: list[Label], placed: list[tuple[float, float]], plot: Plot, room: Canvas
) -> list[Label]:
    """Give those without room for their names a number, which the list beneath explains."""
    crowded = [at for at, label in enumerate(labels) if label.text and label.box is None]
    boxes = [label.box for label in labels if label.box]
    around = [Box(left=x - 4, right=x + 4, top=y - 4, bottom=y + 4) for x, y in placed]
    numbers = [str(number) for number in range(1, len(crowded) + 1)]
    spots = [placed[at] for at in crowded]
    found = place_labels(numbers, spots, font=room.font - 2, plot=plot, taken=[*boxes, *around])
    numbered = (replace(label, number=count) for count, label in enumerate(found, 1))
    by_point = dict(zip(crowded, numbered, strict=True))
    return [by_point.get(at, label) for at, label in enumerate(labels)]


def _along(curve: tuple[Floats, Floats]) -> list[Box]:
    """Cover a curve with small boxes so that labels stay off it."""
    x, y = curve
    if x.size < 2:
        return []
    steps = np.linspace(0, x.size - 1, CURVE_STEPS)
    order = np.arange(x.size)
    return [
        Box(left=across - 3, right=across + 3, top=down - 3, bottom=down + 3)
        for across, down in zip(np.interp(steps, order, x), np.interp(steps, order, y), strict=True)
    ]


def _draw_label(label: Label, at: tuple[float, float], room: Canvas) -> Svg:
    box = label.box
    if box is None or not label.text:
        return joined()
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2 + room.font * 0.35
    size = room.font - 2 if label.number else room.font
    words = text(label.text, x, y, text_anchor="middle", font_size=size, class_="halo")
    if not label.leader:
        return words
    near_x = min(max(at[0], box.left), box.right)
    near_y = min(max(at[1], box.top), box.bottom)
    return joined(line(*at, near_x, near_y, class_="leader"), words)


def _keys(chart: PointChart, points: tuple[Point, ...]) -> tuple[Key, ...]:
    named_groups = [s for s in chart.points if s.labels or len(s.y) > 1]
    shown = {point.index for point in points}
    keys = [
        Key(name=series.name, index=number, dashed=False, marked=True)
        for number, series in enumerate(chart.points)
        if named_groups and number in shown
    ]
    if chart.curve is not None and len(chart.curve.y):
        keys.append(Key(name=chart.curve.name, index=CURVE_INDEX, dashed=True, marked=False))
    return tuple(keys)


def _unlabelled(
    points: tuple[Point, ...], labels: list[Label], room: Canvas, *, top: float
) -> Drawing:
    pairs = zip(points, labels, strict=True)
    names = [f"{label.number} {point.label}" for point, label in pairs if label.number]
    if not names:
        return Drawing(width=room.width, height=0, body=joined())
    size = room.font - 1
    sentence = f"Numbered: {', '.join(names)}"
    rows = _wrapped(sentence, per_row=int(room.width / (size * 0.6)))
    drawn = (
        text(row, 0, top + size * 1.35 * (number + 1), font_size=size, class_="muted")
        for number, row in enumerate(rows)
    )
    return Drawing(width=room.width, height=size * 1.35 * len(rows) + 6, body=joined(*drawn))


def _wrapped(sentence: str, *, per_row: int) -> list[str]:
    rows = [""]
    for word in sentence.split(" "):
        longer = f"{rows[-1]} {word}".strip()
        if len(longer) > per_row and rows[-1]:
            rows.append(word)
        else:
            rows[-1] = longer
    return rows
