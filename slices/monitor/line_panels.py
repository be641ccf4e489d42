"""Small multiples of filled lines: a panel for each, where areas would bury one another."""

from __future__ import annotations

import math
from dataclasses import replace

from slices.domain.numbers import written
from slices.domain.report import LineChart, Unit
from slices.monitor.axes import (
    Bounds,
    horizontal_grid,
    label_room,
    vertical_marks,
    x_ticks,
    zero_line,
)
from slices.monitor.layout import Plot
from slices.monitor.scales import value_ticks
from slices.monitor.svg import Canvas, Drawing, Svg, joined, shortened, text, text_width
from slices.monitor.traces import Trace, bounds_of, draw_trace, frame

MOST_TOGETHER = 2
WIDE_COLUMNS = 2
COLUMN_GAP = 26.0
PANEL_HEIGHT = 96.0
NARROW_PANEL_HEIGHT = 72.0
Y_TICKS = 3
BOLD = 1.12  # how much wider bold letters run


def wants_panels(chart: LineChart, traces: tuple[Trace, ...]) -> bool:
    """Tell whether the areas would hide one another."""
    return chart.fill and len(traces) > MOST_TOGETHER


def draw_panels(chart: LineChart, traces: tuple[Trace, ...], canvas: Canvas) -> Drawing:
    """Draw every line in a panel of its own, all with the same range of values."""
    bounds = bounds_of(chart, traces)
    columns = 1 if canvas.narrow else WIDE_COLUMNS
    width = (canvas.width - COLUMN_GAP * (columns - 1)) / columns
    height = _panel_height(canvas) + canvas.font * 4.3
    head = canvas.font * 1.6 if chart.y_label else 0.0
    drawn = []
    for number, trace in enumerate(traces):
        row, column = divmod(number, columns)
        left, top = column * (width + COLUMN_GAP), head + row * height
        drawn.append(_panel(chart, trace, bounds, canvas, left, top, width))
    title = text(chart.y_label, 0, canvas.font, font_size=canvas.font, class_="muted")
    rows = math.ceil(len(traces) / columns)
    body = joined(title if chart.y_label else joined(), *drawn)
    return Drawing(width=canvas.width, height=head + rows * height - canvas.font * 0.8, body=body)


def _panel_height(canvas: Canvas) -> float:
    return NARROW_PANEL_HEIGHT if canvas.narrow else PANEL_HEIGHT


def _panel(
    chart: LineChart,
    trace: Trace,
    bounds: Bounds,
    canvas: Canvas,
    left: float,
    top: float,
    width: float,
) -> Svg:
    size = canvas.font
    ticks = value_ticks(*bounds.y, most=Y_TICKS, unit=chart.y_unit, log=bounds.log)
    start = left + label_room(ticks, size)
    head = top + size * 1.8
    plot = Plot(
        left=start, top=head, right=left + width - size, bottom=head + _panel_height(canvas)
    )
    where = frame(plot, bounds)
    marks = x_ticks(bounds, Unit.RATIO, where.across, replace(canvas, width=left + width))
    return joined(
        _heading(chart, trace, plot, size, top),
        horizontal_grid(ticks, where.down, plot, canvas),
        vertical_marks(marks, where.across, plot, canvas, full=False),
        zero_line(where.down, plot),
        draw_trace(trace, where, filled=True),
    )


def _heading(chart: LineChart, trace: Trace, plot: Plot, size: float, top: float) -> Svg:
    low, high = float(trace.values.min()), float(trace.values.max())
    lowest = abs(low) > abs(high)
    value = written(low if lowest else high, chart.y_unit)
    words = f"{'lowest' if lowest else 'highest'} {value}"
    room = (plot.right - plot.left - text_width(words, size)) / BOLD
    name = shortened(trace.name, font=size, width=room)
    return joined(
        text(name, plot.left, top + size, font_size=size, class_="title"),
        text(words, plot.right, top + size, text_anchor="end", font_size=size, class_="muted"),
    )
