"""Heat maps: values in two diverging colours, printed in the cells that have room."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slices.domain.numbers import UNDEFINED, written_cell
from slices.domain.report import Unit
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
    from collections.abc import Iterator

    from slices.domain.report import Heatmap

LARGEST_CELL = 58.0
SMALLEST_CELL = 7.0
SMALLEST_FONT = 9.0
GAP_FROM = 12.0
PRINTED_FROM = 33.0
STRONG_FROM = 0.58
KEY_STEPS = 9
WHOLE = (Unit.MONEY, Unit.COUNT, Unit.SESSIONS)


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Where the cells of a heat map lie; `every` column or row has its label drawn."""

    left: float
    top: float
    width: float
    height: float
    font: float
    rows: int
    columns: int
    turned: bool
    every_row: int
    every_column: int

    @property
    def right(self) -> float:
        """The right edge of the cells."""
        return self.left + self.width * self.columns

    @property
    def bottom(self) -> float:
        """The lower edge of the cells."""
        return self.top + self.height * self.rows


def draw_heatmap(chart: Heatmap, canvas: Canvas) -> Drawing:
    """Draw the cells, their labels on two sides, what is marked, and the key of the colours."""
    if not chart.labels:
        return Drawing(width=canvas.width, height=70, body=nothing_to_draw(canvas))
    grid = _grid(chart, canvas)
    rows = (_row(chart, grid, row, named=not canvas.narrow) for row in range(grid.rows))
    body = joined(
        *rows,
        *(_mark(grid, row, column) for row, column in chart.marked),
        *_labels(chart, grid),
        _titles(chart, grid),
        _key(chart, grid, grid.bottom + 14),
    )
    width = max(canvas.width, grid.right + 2)
    return Drawing(width=width, height=grid.bottom + 30, body=body)


def describe_heatmap(chart: Heatmap) -> str:
    """Say in words where the values lie highest and lowest."""
    columns = chart.columns
    size = (
        f"{len(chart.labels)} labels"
        if not chart.column_labels
        else f"{len(chart.labels)} by {len(columns)}"
    )
    pairs = [
        (value, chart.labels[row], columns[column])
        for row, values in enumerate(chart.values[: len(chart.labels)])
        for column, value in enumerate(values[: None if chart.column_labels else row])
        if math.isfinite(value)
    ]
    if not pairs:
        return f"Matrix of {size}."
    high, low = max(pairs), min(pairs)
    marked = f" {len(chart.marked)} cells are outlined." if chart.marked else ""
    return (
        f"Matrix of {size}. Highest: {high[1]} and {high[2]}, {_number(high[0], chart.unit)}; "
        f"lowest: {low[1]} and {low[2]}, {_number(low[0], chart.unit)}.{marked}"
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
    rows, columns = len(chart.labels), len(chart.columns)
    side = min(_widest(chart.labels, canvas.font), canvas.width * 0.25) + 8
    side += canvas.font * 1.5 if chart.row_title else 0.0
    across = _widest(chart.columns, canvas.font)
    most = max(LARGEST_CELL, across + 10)
    width = max(SMALLEST_CELL, min(most, (canvas.width - side - 2) / columns))
    height = min(width, canvas.font * 2.4) if rows != columns else width
    height = min(height, max(canvas.font * 2.1, SMALLEST_CELL))
    height = max(height, SMALLEST_CELL)
    font = min(canvas.font, max(SMALLEST_FONT, height - 2))
    across = _widest(chart.columns, font)
    turned = across > width + 2
    top = (min(across, canvas.width * 0.25) if turned else canvas.font) + 8
    return Grid(
        left=side,
        top=top + (canvas.font * 1.5 if chart.column_title else 0.0),
        width=width,
        height=height,
        font=font,
        rows=rows,
        columns=columns,
        turned=turned,
        every_row=math.ceil((font + 1) / height),
        every_column=math.ceil((font + 1) / width) if turned else 1,
    )


def _widest(labels: tuple[str, ...], font: float) -> float:
    return max(text_width(label, font) for label in labels)


def _row(chart: Heatmap, grid: Grid, row: int, *, named: bool) -> Svg:
    cells = (_cell(chart, grid, row, column, named=named) for column in range(grid.columns))
    size = min(grid.font, grid.width / 3.0)
    place = f"translate({short(grid.left)} {short(grid.top + row * grid.height)})"
    return tag("g", *cells, transform=place, font_size=size, text_anchor="middle", class_="cells")


def _cell(chart: Heatmap, grid: Grid, row: int, column: int, *, named: bool) -> Svg:
    """Draw a cell; its value is printed, or without room for that named under the pointer."""
    value = _value(chart, row, column)
    power = strength(value, low=chart.low, high=chart.high) if math.isfinite(value) else 0.0
    printed = grid.width >= PRINTED_FROM
    name = f"{chart.labels[row]}, {chart.columns[column]}: {_number(value, chart.unit)}"
    rect = tag(
        "rect",
        *((hint(name),) if named and not printed else ()),
        x=column * grid.width,
        width=grid.width - _gap(grid),
        height=grid.height - _gap(grid),
        fill_opacity=f"{abs(power):.2f}",
        **({"class_": "negative"} if power < 0 else {}),
    )
    return joined(rect, _printed(value, power, column, grid, chart.unit)) if printed else rect


def _gap(grid: Grid) -> float:
    return 1.0 if grid.width >= GAP_FROM else 0.2


def _mark(grid: Grid, row: int, column: int) -> Svg:
    """Outline a cell."""
    return tag(
        "rect",
        x=grid.left + column * grid.width,
        y=grid.top + row * grid.height,
        width=grid.width - _gap(grid),
        height=grid.height - _gap(grid),
        class_="outline",
    )


def _printed(value: float, power: float, column: int, grid: Grid, unit: Unit) -> Svg:
    x = (column + 0.5) * grid.width - 0.5
    y = grid.height / 2 + min(grid.font, grid.width / 3.0) * 0.35
    if abs(power) < STRONG_FROM:
        return text(_number(value, unit), x, y)
    return text(_number(value, unit), x, y, class_="strong")


def _value(chart: Heatmap, row: int, column: int) -> float:
    values = chart.values[row] if row < len(chart.values) else ()
    return float(values[column]) if column < len(values) else math.nan


def _number(value: float, unit: Unit) -> str:
    if not math.isfinite(value):
        return UNDEFINED
    decimals = 1 if unit is Unit.FRACTION else 0 if unit in WHOLE else 2
    return written_cell(value, unit, decimals=decimals)


def _labels(chart: Heatmap, grid: Grid) -> Iterator[Svg]:
    for row in range(0, grid.rows, grid.every_row):
        yield _row_label(chart, grid, row)
    for column in range(0, grid.columns, grid.every_column):
        yield _column_label(chart.columns[column], grid, column)


def _row_label(chart: Heatmap, grid: Grid, row: int) -> Svg:
    size = grid.font
    name = shortened(chart.labels[row], font=size, width=grid.left - 8)
    y = grid.top + (row + 0.5) * grid.height + size * 0.33
    return text(name, grid.left - 6, y, text_anchor="end", font_size=size)


def _column_label(label: str, grid: Grid, column: int) -> Svg:
    size = grid.font
    x, y = grid.left + (column + 0.5) * grid.width, grid.top - 6
    if not grid.turned:
        return text(label, x, y, text_anchor="middle", font_size=size)
    name = shortened(label, font=size, width=grid.top - 8)
    across = x + size * 0.35
    turn = f"rotate(-90 {across:.1f} {y:.1f})"
    return text(name, across, y, font_size=size, transform=turn)


def _titles(chart: Heatmap, grid: Grid) -> Svg:
    """Name what rows and columns are."""
    size = max(grid.font, 11.0)
    middle = (grid.top + grid.bottom) / 2
    turn = f"rotate(-90 {size:.1f} {middle:.1f})"
    across = (grid.left + grid.right) / 2
    rows = _title(chart.row_title, size, middle, font_size=size, transform=turn)
    columns = _title(chart.column_title, across, size, font_size=size)
    return joined(rows, columns)


def _title(content: str, x: float, y: float, **attributes: str | float) -> Svg:
    if not content:
        return Svg("")
    return text(content, x, y, class_="muted", text_anchor="middle", **attributes)


def _key(chart: Heatmap, grid: Grid, top: float) -> Svg:
    step, size = 18.0, max(grid.font, 11.0)
    start = grid.left + text_width(_number(chart.low, chart.unit), size) + 6
    span = chart.high - chart.low
    values = [chart.low + span * each / (KEY_STEPS - 1) for each in range(KEY_STEPS)]
    boxes = (
        _key_box(strength(value, low=chart.low, high=chart.high), start + each * step, top)
        for each, value in enumerate(values)
    )
    return joined(
        text(_number(chart.low, chart.unit), grid.left, top + 10, font_size=size, class_="muted"),
        *boxes,
        tag("rect", x=start, y=top, width=KEY_STEPS * step, height=12, class_="frame"),
        text(
            _number(chart.high, chart.unit),
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
