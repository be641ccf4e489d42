"""Axes of line and point charts: grid lines, tick labels and the zero line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from slices.monitor.scales import (
    Scale,
    Tick,
    date_ticks,
    value_ticks,
    without_collisions,
)
from slices.monitor.svg import Canvas, Svg, joined, line, text, text_width

if TYPE_CHECKING:
    from slices.domain.report import Unit
    from slices.monitor.layout import Plot

TICK_GAP = 7.0


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """The values both axes show."""

    x: tuple[float, float]
    y: tuple[float, float]
    dated: bool
    log: bool


def y_ticks(bounds: Bounds, unit: Unit, *, height: float) -> tuple[Tick, ...]:
    """Mark the vertical axis about every 48 pixels."""
    most = max(2, int(height / 48))
    return value_ticks(*bounds.y, most=most, unit=unit, log=bounds.log)


def label_room(ticks: tuple[Tick, ...], font: float) -> float:
    """Measure the width the vertical axis needs for its labels."""
    return max((text_width(tick.label, font) for tick in ticks), default=0.0) + TICK_GAP


def x_ticks(bounds: Bounds, unit: Unit, scale: Scale, canvas: Canvas) -> tuple[Tick, ...]:
    """Mark the horizontal axis with as many labels as have room."""
    most = max(2, int((scale.end - scale.start) / (canvas.font * 5.5)))
    low, high = bounds.x
    ticks = (
        date_ticks(low, high, most=most)
        if bounds.dated
        else value_ticks(low, high, most=most, unit=unit, log=False)
    )
    places = [scale.place(tick.value) for tick in ticks]
    widths = [text_width(tick.label, canvas.font) for tick in ticks]
    return without_collisions(ticks, places, widths, gap=canvas.font)


def horizontal_grid(ticks: tuple[Tick, ...], scale: Scale, plot: Plot, canvas: Canvas) -> Svg:
    """Draw a grid line and a label for every tick of the vertical axis."""
    drawn = []
    for tick in ticks:
        y = scale.place(tick.value)
        drawn.append(line(plot.left, y, plot.right, y, class_="grid"))
        drawn.append(_y_label(tick.label, plot.left - TICK_GAP, y, canvas.font))
    return joined(*drawn)


def _y_label(label: str, x: float, y: float, font: float) -> Svg:
    return text(label, x, y + font * 0.35, text_anchor="end", font_size=font, class_="muted")


def vertical_marks(
    ticks: tuple[Tick, ...], scale: Scale, plot: Plot, canvas: Canvas, *, full: bool
) -> Svg:
    """Draw a mark, or a full grid line, and a label for every tick of the horizontal axis."""
    drawn = [line(plot.left, plot.bottom, plot.right, plot.bottom, class_="zero")]
    for tick in ticks:
        x = scale.place(tick.value)
        top, bottom = (plot.top, plot.bottom) if full else (plot.bottom, plot.bottom + 5)
        drawn.append(line(x, top, x, bottom, class_="grid" if full else "zero"))
        drawn.append(_x_label(tick.label, x, plot, canvas))
    return joined(*drawn)


def _x_label(label: str, x: float, plot: Plot, canvas: Canvas) -> Svg:
    half = text_width(label, canvas.font) / 2
    middle = min(max(x, half), canvas.width - half)
    below = plot.bottom + canvas.font * 1.5
    return text(label, middle, below, text_anchor="middle", font_size=canvas.font, class_="muted")


def zero_line(scale: Scale, plot: Plot) -> Svg:
    """Draw the line at zero where zero is shown."""
    if scale.log or not scale.low <= 0 <= scale.high:
        return joined()
    y = scale.place(0.0)
    return line(plot.left, y, plot.right, y, class_="zero")


def nothing_to_draw(canvas: Canvas) -> Svg:
    """Say that a chart has no values instead of drawing an empty frame."""
    return text(
        "No values to draw",
        canvas.width / 2,
        40,
        text_anchor="middle",
        font_size=canvas.font,
        class_="muted",
    )
