"""Lines as numbers: what is defined of them, what range they need, and how one is drawn."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.numbers import written
from slices.monitor.axes import Bounds
from slices.monitor.decimation import decimated, finite_runs
from slices.monitor.layout import Plot
from slices.monitor.scales import Scale, numeric, value_range
from slices.monitor.svg import (
    Floats,
    Svg,
    hint,
    joined,
    marker,
    path_data,
    series_class,
    series_dash,
    tag,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from slices.domain.report import LineChart, Series, Unit

BUCKET = 2.0
MARKED_TIMES = 4
NEAR_ENOUGH = 4.0
MOST_DESCRIBED = 12
BANDS = 44


@dataclass(frozen=True, kw_only=True)
class Trace:
    """A series as numbers, with its place among the series; what is undefined is left in."""

    name: str
    index: int
    x: Floats
    y: Floats

    @property
    def known(self) -> NDArray[np.intp]:
        """List the positions at which both coordinates are defined."""
        return np.flatnonzero(np.isfinite(self.x) & np.isfinite(self.y))

    @property
    def values(self) -> Floats:
        """List the defined values."""
        values: Floats = self.y[self.known]
        return values

    @property
    def last(self) -> tuple[float, float]:
        """Give the last defined point."""
        at = int(self.known[-1])
        return float(self.x[at]), float(self.y[at])


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Where values are drawn, and how they get there."""

    plot: Plot
    across: Scale
    down: Scale


def frame(plot: Plot, bounds: Bounds) -> Frame:
    """Lay both axes out over a plot."""
    return Frame(
        plot=plot,
        across=Scale(low=bounds.x[0], high=bounds.x[1], start=plot.left, end=plot.right),
        down=Scale(
            low=bounds.y[0], high=bounds.y[1], start=plot.bottom, end=plot.top, log=bounds.log
        ),
    )


def traces_of(chart: LineChart) -> tuple[Trace, ...]:
    """Turn every series with a defined value into numbers; the others keep their colours free."""
    traces = (_trace(series, index) for index, series in enumerate(chart.series))
    return tuple(trace for trace in traces if trace.known.size)


def _trace(series: Series, index: int) -> Trace:
    y = np.array(series.y, dtype=np.float64)
    return Trace(name=series.name, index=index, x=numeric(series.x), y=y)


def bounds_of(chart: LineChart, traces: tuple[Trace, ...]) -> Bounds:
    """Find the ranges that show every trace; a filled chart includes zero."""
    log = uses_log_scale(chart)
    x = np.concatenate([trace.x[trace.known] for trace in traces])
    low, high = float(x.min()), float(x.max())
    return Bounds(
        x=(low, high) if high > low else (low - 1, high + 1),
        y=value_range(
            np.concatenate([trace.values for trace in traces]), log=log, with_zero=chart.fill
        ),
        dated=isinstance(chart.series[traces[0].index].x[0], dt.date),
        log=log,
    )


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
    """Say in words where the lines begin and end."""
    shown = chart.series[:MOST_DESCRIBED]
    ends = "; ".join(_summary(series, chart.y_unit) for series in shown) or "No lines"
    more = len(chart.series) - len(shown)
    return f"Line chart. {ends}" + (f"; and {more} more lines." if more else ".")


def _summary(series: Series, unit: Unit) -> str:
    known = _trace(series, 0).known
    if not known.size:
        return f"{series.name}: no values"
    first, last = int(known[0]), int(known[-1])
    start, end = written(series.y[first], unit), written(series.y[last], unit)
    return f"{series.name}: {start} at {_at(series.x[first])}, {end} at {_at(series.x[last])}"


def _at(x: dt.date | float) -> str:
    return x.isoformat() if isinstance(x, dt.date) else f"{x:g}"


def draw_trace(trace: Trace, where: Frame, *, filled: bool) -> Svg:
    """Draw a line with its gaps left open; a point alone between gaps becomes a dot."""
    runs = finite_runs(where.across.at(trace.x), where.down.at(trace.y))
    thinned = [decimated(x, y, bucket=BUCKET) for x, y in runs]
    zero = where.down.place(min(max(0.0, where.down.low), where.down.high)) if filled else 0.0
    areas = [_area(x, y, zero) for x, y in thinned if filled and x.size > 1]
    stroke = "".join(path_data(x, y) for x, y in thinned if x.size > 1)
    dots = [marker(0, float(x[0]), float(y[0]), size=2.5) for x, y in thinned if x.size == 1]
    dash = series_dash(trace.index)
    path = tag("path", d=stroke, class_="line", stroke_dasharray=dash) if stroke else joined()
    return tag("g", hint(trace.name), *areas, path, *dots, class_=series_class(trace.index))


def _area(x: Floats, y: Floats, zero: float) -> Svg:
    closed_x = np.concatenate([x[:1], x, x[-1:]])
    closed_y = np.concatenate([[zero], y, [zero]])
    return tag("path", d=path_data(closed_x, closed_y) + "z", class_="area")


def draw_symbols(trace: Trace, where: Frame, *, count: int) -> Svg:
    """Mark a line with its symbol a few times, apart from where the others are marked."""
    known = trace.known
    x, y = where.across.at(trace.x[known]), where.down.at(trace.y[known])
    pitch = (where.plot.right - where.plot.left) / MARKED_TIMES
    offset = (trace.index % count + 0.5) / count
    wanted = where.plot.left + pitch * (np.arange(MARKED_TIMES) + offset)
    nearest = {int(np.abs(x - each).argmin()) for each in wanted}
    kept = [at for at in sorted(nearest) if np.abs(wanted - x[at]).min() <= NEAR_ENOUGH]
    symbols = (marker(trace.index, float(x[at]), float(y[at]), size=3.4) for at in kept)
    return tag("g", *symbols, class_=series_class(trace.index))


def draw_bands(chart: LineChart, traces: tuple[Trace, ...], where: Frame, *, dated: bool) -> Svg:
    """Lay invisible bands over a chart that name every line's value under the pointer."""
    plot, width = where.plot, (where.plot.right - where.plot.left) / BANDS
    span = where.across.high - where.across.low
    longest = max(traces, key=lambda trace: trace.known.size)
    drawn = []
    for number in range(BANDS):
        middle = where.across.low + span * (number + 0.5) / BANDS
        at = float(longest.x[np.nanargmin(np.abs(longest.x - middle))])
        rows = [_value_near(trace, at, span / BANDS, chart.y_unit) for trace in traces]
        head = dt.date.fromordinal(int(at)).isoformat() if dated else f"{at:.4g}"
        title = hint("\n".join([head, *(row for row in rows if row)]))
        left, height = plot.left + number * width, plot.bottom - plot.top
        drawn.append(tag("rect", title, x=left, y=plot.top, width=width, height=height))
    return tag("g", *drawn, class_="bands")


def _value_near(trace: Trace, at: float, reach: float, unit: Unit) -> str:
    distance = np.where(np.isfinite(trace.y), np.abs(trace.x - at), np.inf)
    nearest = int(distance.argmin())
    if not distance[nearest] <= reach:
        return ""
    return f"{trace.name}: {written(float(trace.y[nearest]), unit)}"
