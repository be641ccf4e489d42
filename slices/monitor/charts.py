"""Charts of a report as SVG: twice for the page, wide and narrow, or once as an image."""

from __future__ import annotations

from slices.domain.report import BarChart, Chart, Heatmap, LineChart, PointChart
from slices.monitor.bar_chart import describe_bars, draw_bars
from slices.monitor.heatmap import describe_heatmap, draw_heatmap
from slices.monitor.line_chart import draw_lines
from slices.monitor.point_chart import describe_points, draw_points
from slices.monitor.svg import (
    NARROW,
    WIDE,
    Canvas,
    Drawing,
    Svg,
    escaped,
    hint,
    joined,
    short,
    shortened,
    tag,
    text,
)
from slices.monitor.theme import image_rules
from slices.monitor.traces import describe_lines, scale_note

NAMESPACE = "http://www.w3.org/2000/svg"
MARGIN = 24.0
TITLE_FONT = 18.0


def draw_chart(chart: Chart, canvas: Canvas) -> Drawing:
    """Draw a chart of any kind for the given room."""
    match chart:
        case LineChart():
            return draw_lines(chart, canvas)
        case PointChart():
            return draw_points(chart, canvas)
        case BarChart():
            return draw_bars(chart, canvas)
        case Heatmap():
            return draw_heatmap(chart, canvas)


def describe_chart(chart: Chart) -> str:
    """Say in words what a chart shows, for those who do not see it."""
    match chart:
        case LineChart():
            return describe_lines(chart)
        case PointChart():
            return describe_points(chart)
        case BarChart():
            return describe_bars(chart)
        case Heatmap():
            return describe_heatmap(chart)


def chart_note(chart: Chart) -> str:
    """Give the caption of a chart, with what had to be drawn differently than asked for."""
    note = scale_note(chart) if isinstance(chart, LineChart) else ""
    return " ".join(part for part in (chart.caption, note) if part)


def inline_svg(chart: Chart) -> Svg:
    """Draw a chart for a page: a wide and a narrow variant, of which the style shows one."""
    description = describe_chart(chart)
    return joined(
        _variant(chart, description, WIDE, "chart wide"),
        _variant(chart, description, NARROW, "chart narrow"),
    )


def _variant(chart: Chart, description: str, canvas: Canvas, class_: str) -> Svg:
    drawing = draw_chart(chart, canvas)
    return tag(
        "svg",
        tag("desc", escaped(description)),
        drawing.body,
        viewBox=_view_box(drawing.width, drawing.height),
        width=drawing.width,
        height=drawing.height,
        class_=f"{class_} scrolls" if drawing.width > canvas.width else class_,
        role="img",
        aria_label=chart.title,
    )


def standalone_svg(chart: Chart) -> str:
    """Draw a chart as an image of its own: with style, background, title and caption."""
    drawing = draw_chart(chart, WIDE)
    width = drawing.width + 2 * MARGIN
    head = MARGIN + TITLE_FONT * 1.9
    height = head + drawing.height + MARGIN
    title = shortened(chart.title, font=TITLE_FONT, width=drawing.width)
    body = tag("g", drawing.body, transform=f"translate({short(MARGIN)} {short(head)})")
    return tag(
        "svg",
        hint(chart.title),
        tag("desc", escaped(describe_chart(chart))),
        tag("style", Svg(image_rules())),
        tag("rect", width=width, height=height, class_="surface"),
        text(title, MARGIN, MARGIN + TITLE_FONT * 0.8, font_size=TITLE_FONT, class_="title"),
        body,
        xmlns=NAMESPACE,
        viewBox=_view_box(width, height),
        width=width,
        height=height,
        class_="chart",
        role="img",
    )


def _view_box(width: float, height: float) -> str:
    return f"0 0 {short(width)} {short(height)}"
