"""Line charts: equity, drawdowns and anything else over dates or numbers."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from slices.domain.report import LineChart, Series, Unit
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
from slices.monitor.decimation import decimated, finite_runs
from slices.monitor.layout import Key, Plot, legend, spread
from slices.monitor.numbers import written
from slices.monitor.scales import Scale, numeric, value_range
from slices.monitor.svg import (
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
    series_dash,
    shortened,
    tag,
    text,
    text_width,
)

BUCKET = 1.5
END_LABEL_GAP = 1.3
MOST_FILLED = 3
LONGEST_LABEL = 190.0


@dataclass(frozen=True, kw_only=True)
class Trace:
    """A series as numbers, with its place among the series."""

    name: str
    index: int
    x: Floats
    y: Floats

    @property
    def known(self) -> Floats:
        """The values that are defined at a defined place."""
        return self.y[np.isfinite(self.x) & np.isfinite(self.y)]


def draw_lines(chart: LineChart, canvas: Canvas) -> Drawing:
    """Draw lines with labels at their ends, or with a legend where these have no room."""
    traces = tuple(_trace(each, index) for index, each in enumerate(chart.series))
    shown = tuple(trace for trace in traces if trace.known.size)
    if not shown:
        return Drawing(width=canvas.width, height=70, body=nothing_to_draw(canvas))
    bounds = _bounds(chart, shown)
    at_ends = _fits_end_labels(shown, canvas)
    keys = () if at_ends or len(traces) < 2 else _keys(traces)
    top = canvas.font * (2.1 if chart.y_label else 0.8)
    below = canvas.height - canvas.font * (3.6 if chart.x_label else 2.2)
    ticks = y_ticks(bounds, chart.y_unit, height=below - top)
    right = canvas.width - (_end_room(shown, canvas) if at_ends else canvas.font * 0.8)
    plot = Plot(left=label_room(ticks, canvas.font), top=top, right=right, bottom=below)
    across = Scale(low=bounds.x[0], high=bounds.x[1], start=plot.left, end=plot.right)
    down = Scale(low=bounds.y[0], high=bounds.y[1], start=plot.bottom, end=plot.top, log=bounds.log)
    marks = x_ticks(bounds, Unit.RATIO, across, canvas)
    key, key_height = legend(keys, canvas, left=0, top=canvas.height + 2)
    body = joined(
        horizontal_grid(ticks, down, plot, canvas),
        vertical_marks(marks, across, plot, canvas, full=False),
        zero_line(down, plot),
        *(_draw_trace(trace, across, down, chart, filled=_filled(chart)) for trace in shown),
        _end_labels(shown, across, down, plot, canvas) if at_ends else joined(),
        _axis_titles(chart, plot, canvas),
        key,
    )
    return Drawing(width=canvas.width, height=canvas.height + key_height + 4, body=body)


def uses_log_scale(chart: LineChart) -> bool:
    """Tell whether a log scale is wanted and possible: every defined value is above zero."""
    values = [value for series in chart.series for value in series.y if np.isfinite(value)]
    return chart.log_scale and min(values, default=1.0) > 0


def scale_note(chart: LineChart) -> str:
    """Explain a linear scale that stands where a log scale was wanted."""
    if not chart.log_scale or uses_log_scale(chart):
        return ""
    return "Drawn on a linear scale, because a log scale has no place for zero and below."


def describe_lines(chart: LineChart) -> str:
    """Say in words what the lines show."""
    ends = "; ".join(_summary(_trace(each, 0), each, chart.y_unit) for each in chart.series[:12])
    more = len(chart.series) - 12
    return f"Line chart. {ends}" + (f"; and {more} more lines." if more > 0 else ".")


def _summary(trace: Trace, series: Series, unit: Unit) -> str:
    known = np.flatnonzero(np.isfinite(trace.x) & np.isfinite(trace.y))
    if not known.size:
        return f"{series.name}: no values"
    first, last = int(known[0]), int(known[-1])
    start, end = written(series.y[first], unit), written(series.y[last], unit)
    return f"{series.name}: {start} at {_at(series.x[first])}, {end} at {_at(series.x[last])}"


def _at(x: dt.date | float) -> str:
    return x.isoformat() if isinstance(x, dt.date) else f"{x:g}"


def _trace(series: Series, index: int) -> Trace:
    y = np.array(series.y, dtype=np.float64)
    return Trace(name=series.name, index=index, x=numeric(series.x), y=y)


def _bounds(chart: LineChart, shown: tuple[Trace, ...]) -> Bounds:
    log = uses_log_scale(chart)
    x = np.concatenate([trace.x[np.isfinite(trace.x)] for trace in shown])
    y = np.concatenate([trace.known for trace in shown])
    low, high = float(x.min()), float(x.max())
    return Bounds(
        x=(low, high) if high > low else (low - 1, high + 1),
        y=value_range(y, log=log, with_zero=chart.fill),
        dated=isinstance(next(iter(chart.series[shown[0].index].x)), dt.date),
        log=log,
    )


def _filled(chart: LineChart) -> bool:
    return chart.fill and len(chart.series) <= MOST_FILLED


def _keys(traces: tuple[Trace, ...]) -> tuple[Key, ...]:
    return tuple(Key(name=t.name, index=t.index, dashed=True, marked=True) for t in traces)


def _fits_end_labels(shown: tuple[Trace, ...], canvas: Canvas) -> bool:
    enough = len(shown) * canvas.font * END_LABEL_GAP <= canvas.height - canvas.font * 6
    return not canvas.narrow and len(shown) > 1 and enough


def _end_room(shown: tuple[Trace, ...], canvas: Canvas) -> float:
    widest = max(text_width(trace.name, canvas.font) for trace in shown)
    return min(widest, LONGEST_LABEL) + 34


def _draw_trace(trace: Trace, across: Scale, down: Scale, chart: LineChart, *, filled: bool) -> Svg:
    runs = finite_runs(across.at(trace.x), down.at(trace.y))
    thinned = [decimated(x, y, bucket=BUCKET) for x, y in runs]
    zero = down.start if down.log else down.place(min(max(0.0, down.low), down.high))
    areas = [_area(x, y, zero) for x, y in thinned if filled and x.size > 1]
    stroke = "".join(path_data(x, y) for x, y in thinned if x.size > 1)
    dots = [marker(0, float(x[0]), float(y[0]), size=2.5) for x, y in thinned if x.size == 1]
    title = hint(_tooltip(trace, chart))
    dash = series_dash(trace.index) or "none"
    path = tag("path", d=stroke, class_="line", stroke_dasharray=dash) if stroke else joined()
    return tag("g", title, *areas, path, *dots, class_=series_class(trace.index))


def _tooltip(trace: Trace, chart: LineChart) -> str:
    low, high = float(trace.known.min()), float(trace.known.max())
    last = written(float(trace.known[-1]), chart.y_unit)
    between = f"between {written(low, chart.y_unit)} and {written(high, chart.y_unit)}"
    return f"{trace.name}: last {last}, {between}"


def _area(x: Floats, y: Floats, zero: float) -> Svg:
    closed_x = np.concatenate([x[:1], x, x[-1:]])
    closed_y = np.concatenate([[zero], y, [zero]])
    return tag("path", d=path_data(closed_x, closed_y) + "z", class_="area")


def _end_labels(
    shown: tuple[Trace, ...], across: Scale, down: Scale, plot: Plot, canvas: Canvas
) -> Svg:
    ends = [_end(trace, across, down) for trace in shown]
    gap = canvas.font * END_LABEL_GAP
    places = spread([y for _, y in ends], gap=gap, low=plot.top, high=plot.bottom)
    drawn = []
    for trace, (x, y), place in zip(shown, ends, places, strict=True):
        name = shortened(trace.name, font=canvas.font, width=LONGEST_LABEL)
        drawn.append(line(x + 3, y, plot.right + 14, place, class_="leader"))
        symbols = marker(trace.index, plot.right + 20, place, size=4)
        label = text(name, plot.right + 30, place + canvas.font * 0.35, font_size=canvas.font)
        drawn.append(tag("g", symbols, label, class_=series_class(trace.index)))
    return joined(*drawn)


def _end(trace: Trace, across: Scale, down: Scale) -> tuple[float, float]:
    known = np.flatnonzero(np.isfinite(trace.x) & np.isfinite(trace.y))
    last = int(known[-1])
    return across.place(float(trace.x[last])), down.place(float(trace.y[last]))


def _axis_titles(chart: LineChart, plot: Plot, canvas: Canvas) -> Svg:
    drawn = []
    if chart.y_label:
        drawn.append(text(chart.y_label, 0, canvas.font, font_size=canvas.font, class_="muted"))
    if chart.x_label:
        middle, foot = (plot.left + plot.right) / 2, canvas.height - canvas.font * 0.5
        size = canvas.font
        drawn.append(
            text(chart.x_label, middle, foot, text_anchor="middle", font_size=size, class_="muted")
        )
    return joined(*drawn)
