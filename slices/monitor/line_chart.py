"""Line charts: equity, drawdowns and anything else over dates or numbers."""

from __future__ import annotations

from slices.domain.report import LineChart, Unit
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
from slices.monitor.layout import Key, Plot, legend, spread
from slices.monitor.line_panels import draw_panels, wants_panels
from slices.monitor.svg import (
    Canvas,
    Drawing,
    Svg,
    joined,
    line,
    marker,
    series_class,
    shortened,
    tag,
    text,
    text_width,
)
from slices.monitor.traces import (
    Frame,
    Trace,
    bounds_of,
    draw_bands,
    draw_symbols,
    draw_trace,
    frame,
    traces_of,
)

END_LABEL_GAP = 1.3
LONGEST_LABEL = 215.0
MOST_IN_BANDS = 12


def draw_lines(chart: LineChart, canvas: Canvas) -> Drawing:
    """Draw lines, named at their ends or in a legend; many filled ones in panels of their own."""
    traces = traces_of(chart)
    if not traces:
        return Drawing(width=canvas.width, height=70, body=nothing_to_draw(canvas))
    if wants_panels(chart, traces):
        return draw_panels(chart, traces, canvas)
    bounds = bounds_of(chart, traces)
    at_ends = _fits_end_labels(traces, canvas)
    keys = () if at_ends or len(traces) < 2 else _keys(traces)
    where = frame(_plot(chart, bounds, traces, canvas, at_ends=at_ends), bounds)
    key, key_height = legend(keys, canvas, left=0, top=canvas.height + 4)
    body = joined(
        _axes(chart, bounds, where, canvas),
        *(draw_trace(trace, where, filled=chart.fill) for trace in traces),
        _symbols(traces, where),
        _end_labels(traces, where, canvas) if at_ends else joined(),
        key,
        _bands(chart, traces, bounds, where, canvas),
    )
    return Drawing(width=canvas.width, height=canvas.height + key_height + 4, body=body)


def _keys(traces: tuple[Trace, ...]) -> tuple[Key, ...]:
    return tuple(Key(name=t.name, index=t.index, dashed=True, marked=True) for t in traces)


def _fits_end_labels(traces: tuple[Trace, ...], canvas: Canvas) -> bool:
    enough = len(traces) * canvas.font * END_LABEL_GAP <= canvas.height - canvas.font * 6
    return not canvas.narrow and len(traces) > 1 and enough


def _plot(
    chart: LineChart, bounds: Bounds, traces: tuple[Trace, ...], canvas: Canvas, *, at_ends: bool
) -> Plot:
    top = canvas.font * (2.1 if chart.y_label else 0.8)
    bottom = canvas.height - canvas.font * (3.4 if chart.x_label else 1.9)
    ticks = y_ticks(bounds, chart.y_unit, height=bottom - top)
    room = _end_room(traces, canvas) if at_ends else canvas.font * 0.8
    left = label_room(ticks, canvas.font)
    return Plot(left=left, top=top, right=canvas.width - room, bottom=bottom)


def _end_room(traces: tuple[Trace, ...], canvas: Canvas) -> float:
    widest = max(text_width(trace.name, canvas.font) for trace in traces)
    return min(widest, LONGEST_LABEL) + 34


def _axes(chart: LineChart, bounds: Bounds, where: Frame, canvas: Canvas) -> Svg:
    plot = where.plot
    ticks = y_ticks(bounds, chart.y_unit, height=plot.bottom - plot.top)
    marks = x_ticks(bounds, Unit.RATIO, where.across, canvas)
    return joined(
        horizontal_grid(ticks, where.down, plot, canvas),
        vertical_marks(marks, where.across, plot, canvas, full=False),
        zero_line(where.down, plot),
        _titles(chart, plot, canvas),
    )


def _titles(chart: LineChart, plot: Plot, canvas: Canvas) -> Svg:
    size, drawn = canvas.font, []
    if chart.y_label:
        drawn.append(text(chart.y_label, 0, size, font_size=size, class_="muted"))
    if chart.x_label:
        middle, foot = (plot.left + plot.right) / 2, canvas.height - size * 0.3
        drawn.append(
            text(chart.x_label, middle, foot, text_anchor="middle", font_size=size, class_="muted")
        )
    return joined(*drawn)


def _symbols(traces: tuple[Trace, ...], where: Frame) -> Svg:
    if len(traces) < 2:
        return joined()
    return joined(*(draw_symbols(trace, where, count=len(traces)) for trace in traces))


def _bands(
    chart: LineChart, traces: tuple[Trace, ...], bounds: Bounds, where: Frame, canvas: Canvas
) -> Svg:
    """Values under the pointer, where there is a pointer."""
    if canvas.narrow or len(traces) > MOST_IN_BANDS:
        return joined()
    return draw_bands(chart, traces, where, dated=bounds.dated)


def _end_labels(traces: tuple[Trace, ...], where: Frame, canvas: Canvas) -> Svg:
    plot, gap = where.plot, canvas.font * END_LABEL_GAP
    ends = [_end(trace, where) for trace in traces]
    places = spread([y for _, y in ends], gap=gap, low=plot.top, high=plot.bottom)
    drawn = []
    for trace, (x, y), place in zip(traces, ends, places, strict=True):
        name = shortened(trace.name, font=canvas.font, width=LONGEST_LABEL)
        drawn.append(line(x + 3, y, plot.right + 14, place, class_="leader"))
        symbol = marker(trace.index, plot.right + 20, place, size=4)
        label = text(name, plot.right + 30, place + canvas.font * 0.35, font_size=canvas.font)
        drawn.append(tag("g", symbol, label, class_=series_class(trace.index)))
    return joined(*drawn)


def _end(trace: Trace, where: Frame) -> tuple[float, float]:
    x, y = trace.last
    return where.across.place(x), where.down.place(y)
