from __future__ import annotations

import datetime as dt
import itertools
import math
import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from slices.domain.report import BarChart, Chart, Heatmap, LineChart, PointChart, Series, Unit
from slices.monitor.bar_chart import draw_bars
from slices.monitor.charts import chart_note, draw_chart, inline_svg, standalone_svg
from slices.monitor.layout import Box, Plot, place_labels, spread
from slices.monitor.svg import NARROW, WIDE, Canvas, marker, series_class, series_dash

HOSTILE = "<script>alert(1)</script>&\"'\x00"
SVG = "{http://www.w3.org/2000/svg}"
DAYS = tuple(dt.date(2024, 1, 1) + dt.timedelta(days=each) for each in range(30))


def line_chart(
    *curves: tuple[float, ...], names: tuple[str, ...] = (), **options: Any
) -> LineChart:
    series = tuple(
        Series(name=names[at] if names else f"Line {at}", x=DAYS[: len(curve)], y=curve)
        for at, curve in enumerate(curves)
    )
    return LineChart(key="k", title="T", series=series, y_unit=Unit.RATIO, **options)


def bar_chart(categories: int, groups: int, value: float = 0.5) -> BarChart:
    names = tuple(f"Category {each}" for each in range(categories))
    rows = tuple((f"Group {each}", (value,) * categories) for each in range(groups))
    return BarChart(key="k", title="T", categories=names, groups=rows, unit=Unit.FRACTION)


def heatmap(count: int, value: float = 0.5) -> Heatmap:
    labels = tuple(f"SYM{each}" for each in range(count))
    rows = tuple((value,) * count for _ in range(count))
    return Heatmap(key="k", title="T", labels=labels, values=rows, low=-1, high=1)


def parameter_map(rows: int, columns: int) -> Heatmap:
    return Heatmap(
        key="k",
        title="T",
        labels=tuple(str(5 + each) for each in range(rows)),
        column_labels=tuple(str(20 + 5 * each) for each in range(columns)),
        values=tuple(tuple(0.1 * (row + c) for c in range(columns)) for row in range(rows)),
        low=-1.0,
        high=5.0,
        marked=((0, 1), (1, 1)),
        row_title="fast",
        column_title="slow",
    )


def point_chart(*points: Series, curve: Series | None = None) -> PointChart:
    return PointChart(
        key="k",
        title="T",
        points=points,
        curve=curve,
        x_unit=Unit.FRACTION,
        y_unit=Unit.FRACTION,
        x_label="Risk",
        y_label="Return",
    )


def paths(chart: LineChart) -> list[str]:
    root = ET.fromstring(standalone_svg(chart))  # noqa: S314 - our own markup
    return [each.get("d", "") for each in root.iter(f"{SVG}path")]


def absolute(path: str) -> list[list[tuple[float, float]]]:
    """Follow the moves of a path, one list of points for each of its pieces."""
    pieces = []
    for start, moves in re.findall(r"M([^lMz]+)(?:l([^Mz]*))?", path):
        numbers = [float(n) for n in re.findall(r"-?(?:\d+\.\d+|\.\d+|\d+)", f"{start} {moves}")]
        pairs = list(zip(numbers[::2], numbers[1::2], strict=True))
        points = [pairs[0]]
        for across, down in pairs[1:]:
            points.append((points[-1][0] + across, points[-1][1] + down))
        pieces.append(points)
    return pieces


EDGE_CASES = {
    "no lines": line_chart(),
    "an empty line": line_chart(()),
    "a single point": line_chart((5.0,)),
    "constant": line_chart((3.0,) * 30),
    "constant zero, filled": line_chart((0.0,) * 30, fill=True),
    "constant, logarithmic": line_chart((3.0,) * 30, log_scale=True),
    "only undefined": line_chart((math.nan,) * 30),
    "infinite": line_chart((math.inf, 1.0, -math.inf, 2.0)),
    "huge": line_chart((1e300, -1e300, 0.0)),
    "sixty lines": line_chart(*(tuple(float(i + j) for j in range(30)) for i in range(60))),
    "sixty filled lines": line_chart(*((-0.1, 0.0),) * 60, fill=True),
    "no bars": bar_chart(0, 0),
    "one bar": bar_chart(1, 1),
    "a bar of zero": bar_chart(1, 1, 0.0),
    "sixty categories": bar_chart(60, 1),
    "sixty categories and groups": bar_chart(60, 7),
    "one category, sixty groups": bar_chart(1, 60),
    "undefined bars": bar_chart(3, 2, math.nan),
    "negative bars": bar_chart(3, 2, -0.4),
    "no cells": heatmap(0),
    "one cell": heatmap(1),
    "sixty labels": heatmap(60),
    "undefined cells": heatmap(4, math.nan),
    "more columns than rows": parameter_map(3, 40),
    "more rows than columns": parameter_map(90, 2),
    "no points": point_chart(),
    "one point": point_chart(Series(name="A", x=(0.1,), y=(0.2,))),
    "points on one spot": point_chart(
        Series(name="A", x=(0.1,) * 40, y=(0.2,) * 40, labels=("same",) * 40)
    ),
    "undefined point": point_chart(Series(name="A", x=(math.nan,), y=(0.2,))),
    "only a curve": point_chart(curve=Series(name="C", x=(0.1, 0.2), y=(0.1, 0.3))),
    "numbers across": LineChart(
        key="k",
        title="T",
        series=(Series(name="A", x=(0.0, 1.0, 2.0), y=(1.0, 4.0, 9.0)),),
        y_unit=Unit.BPS,
    ),
}


@pytest.mark.parametrize("chart", EDGE_CASES.values(), ids=EDGE_CASES.keys())
def test_every_edge_case_is_drawn_as_well_formed_markup(chart: Chart) -> None:
    for markup in (standalone_svg(chart), f"<p>{inline_svg(chart)}</p>"):
        ET.fromstring(markup)  # noqa: S314 - our own markup
        assert not re.search(r'="[^"]*\b(nan|inf)\b', markup)


@pytest.mark.parametrize("name", ["equity", "drawdowns", "weights", "correlations", "frontier"])
def test_an_image_stands_on_its_own(
    name: str, some_charts: Callable[[int, int], dict[str, Chart]]
) -> None:
    markup = standalone_svg(some_charts(400, 6)[name])
    root = ET.fromstring(markup)  # noqa: S314 - our own markup
    assert root.get("role") == "img"
    assert root.find(f"{SVG}title").text
    assert root.find(f"{SVG}desc").text
    assert float(root.get("width")) > 600
    assert float(root.get("height")) > 200
    assert "prefers-color-scheme:dark" in root.find(f"{SVG}style").text
    assert "var(" not in markup
    assert "url(" not in markup
    assert not re.search(r"(href|src)=", markup)


@pytest.mark.parametrize(
    "chart",
    [
        line_chart((1.0, 2.0), (2.0, 1.0), names=(HOSTILE, HOSTILE), y_label=HOSTILE),
        line_chart(*((-0.1, 0.0),) * 4, names=(HOSTILE,) * 4, fill=True),
        BarChart(
            key="k",
            title=HOSTILE,
            categories=(HOSTILE,),
            groups=((HOSTILE, (1.0,)),) * 9,
            unit=Unit.RATIO,
        ),
        Heatmap(key="k", title=HOSTILE, labels=(HOSTILE,), values=((1.0,),), low=-1, high=1),
        point_chart(Series(name=HOSTILE, x=(1.0,), y=(1.0,), labels=(HOSTILE,))),
    ],
)
def test_hostile_names_stay_text(chart: Chart) -> None:
    for markup in (standalone_svg(chart), f"<p>{inline_svg(chart)}</p>"):
        root = ET.fromstring(markup)  # noqa: S314 - our own markup
        assert not [each.tag for each in root.iter() if each.tag.endswith("script")]
        assert "alert(1)" in "".join(root.itertext())
        assert "\x00" not in markup


def test_undefined_values_leave_a_gap() -> None:
    (path,) = paths(line_chart((1.0, 2.0, math.nan, math.nan, 2.0, 1.0)))
    pieces = absolute(path)
    assert [len(piece) for piece in pieces] == [2, 2]
    heights = {round(y) for piece in pieces for _, y in piece}
    assert len(heights) == 2  # nothing is drawn at zero, which would be a third height


def test_a_point_alone_between_gaps_is_still_seen() -> None:
    markup = standalone_svg(line_chart((math.nan, 2.0, math.nan, 1.0, 1.5)))
    root = ET.fromstring(markup)  # noqa: S314 - our own markup
    assert len(list(root.iter(f"{SVG}circle"))) == 1


def test_the_drawn_line_reaches_the_extremes() -> None:
    curve = [0.0] * 30
    curve[17] = -3.0
    (path,) = paths(line_chart(tuple(curve)))
    ((first, *_), *_) = [absolute(path)[0]]
    lowest = max(y for _, y in absolute(path)[0])
    assert lowest > first[1] + 200


def test_thousands_of_points_are_thinned_to_the_pixels(
    some_charts: Callable[[int, int], dict[str, Chart]],
) -> None:
    for d in paths(some_charts(8313, 3)["equity"]):
        assert sum(len(piece) for piece in absolute(d)) <= 900


def test_a_log_scale_that_cannot_be_is_linear_and_says_so() -> None:
    impossible = line_chart((1.0, 0.0, 10.0), log_scale=True, caption="Mine.")
    possible = line_chart((1.0, 5.0, 10.0), log_scale=True, caption="Mine.")
    assert chart_note(possible) == "Mine."
    assert chart_note(impossible).startswith("Mine.")
    assert "linear" in chart_note(impossible)
    straight = line_chart((1.0, 0.0, 10.0))
    assert paths(impossible) == paths(straight)


def test_a_log_scale_makes_equal_ratios_equally_high() -> None:
    (path,) = paths(line_chart((1.0, 10.0, 100.0), log_scale=True))
    (low, middle, high) = (y for _, y in absolute(path)[0])
    assert low - middle == pytest.approx(middle - high, abs=0.2)


def test_many_filled_lines_get_panels_of_their_own(
    some_charts: Callable[[int, int], dict[str, Chart]],
) -> None:
    together = draw_chart(line_chart((-0.1, 0.0), fill=True), WIDE)
    apart = draw_chart(some_charts(50, 3)["drawdowns"], WIDE)
    assert apart.body.count('class="area"') == 7
    assert apart.height > together.height


def test_sixty_series_can_be_told_apart() -> None:
    looks = {
        (series_class(each), series_dash(each), re.sub(r"[\d.-]+", "", marker(each, 0, 0, size=4)))
        for each in range(24)
    }
    assert len(looks) == 24


@pytest.mark.parametrize("canvas", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize(("categories", "groups"), [(20, 7), (4, 2), (60, 1), (1, 60)])
def test_every_bar_is_drawn_once_with_its_value(
    canvas: Canvas, categories: int, groups: int
) -> None:
    drawing = draw_bars(bar_chart(categories, groups), canvas)
    root = ET.fromstring(f"<g>{drawing.body}</g>")  # noqa: S314 - our own markup
    bars = [each for each in root.iter("rect") if each.find("title") is not None]
    assert len(bars) == categories * groups
    assert "".join(root.itertext()).count("50%") >= categories * groups
    assert all(0 <= float(each.get("x")) <= drawing.width for each in bars)


def test_longer_bars_stand_for_larger_values() -> None:
    chart = BarChart(
        key="k", title="T", categories=("a", "b", "c"), groups=(("g", (1.0, 2.0, -2.0)),),
        unit=Unit.RATIO,
    )  # fmt: skip
    root = ET.fromstring(f"<g>{draw_bars(chart, WIDE).body}</g>")  # noqa: S314 - our own markup
    small, large, negative = (float(each.get("width")) for each in root.iter("rect"))
    assert large == pytest.approx(2 * small, abs=0.2)
    assert negative == pytest.approx(large, abs=0.2)


def test_values_are_printed_in_cells_with_room() -> None:
    few, many = inline_svg(heatmap(5, 0.37)), inline_svg(heatmap(60, 0.37))
    assert few.count(">0.37</text>") == 2 * 25
    assert ">0.37</text>" not in many
    assert "SYM3, SYM4: 0.37" in many


def test_point_labels_overlap_neither_each_other_nor_the_edge() -> None:
    plot = Plot(left=0, top=0, right=300, bottom=200)
    spots = [(150 + each % 5 * 9.0, 100 + each // 5 * 9.0) for each in range(25)]
    names = [f"Name {each}" for each in range(25)]
    boxes = [each.box for each in place_labels(names, spots, font=12, plot=plot) if each.box]
    assert len(boxes) > 5
    assert all(box.inside(plot) for box in boxes)
    assert not any(a.overlaps(b) for at, a in enumerate(boxes) for b in boxes[at + 1 :])


def test_every_point_is_named_somewhere_however_crowded() -> None:
    names = tuple(f"Name {each}" for each in range(30))
    spots = tuple(0.1 + each / 1e4 for each in range(30))
    chart = point_chart(Series(name="All", x=spots, y=spots, labels=names))
    for canvas in (WIDE, NARROW):
        root = ET.fromstring(f"<g>{draw_chart(chart, canvas).body}</g>")  # noqa: S314 - our own
        shown = " ".join(each.text or "" for each in root.iter("text"))
        assert [name for name in names if name not in shown] == []


def test_end_labels_keep_their_distance() -> None:
    placed = sorted(spread([100.0] * 7, gap=17.0, low=0.0, high=300.0))
    assert min(b - a for a, b in itertools.pairwise(placed)) >= 17.0 - 1e-9
    assert spread([290.0, 299.0], gap=17.0, low=0.0, high=300.0) == [283.0, 300.0]


def test_boxes_that_only_touch_do_not_overlap() -> None:
    left = Box(left=0, top=0, right=10, bottom=10)
    assert not left.overlaps(Box(left=10, top=0, right=20, bottom=10))
    assert left.overlaps(Box(left=9, top=9, right=20, bottom=20))


def test_a_map_has_a_cell_for_every_value_and_outlines_what_is_marked() -> None:
    root = ET.fromstring(standalone_svg(parameter_map(6, 11)))  # noqa: S314 - our own markup
    rows = [each for each in root.iter(f"{SVG}g") if each.get("class") == "cells"]
    assert len(rows) == 6
    assert all(len(row.findall(f"{SVG}rect")) == 11 for row in rows)
    outlined = [each for each in root.iter(f"{SVG}rect") if each.get("class") == "outline"]
    assert len(outlined) == 2
    texts = [each.text for each in root.iter(f"{SVG}text")]
    assert {"fast", "slow", "5", "70"} <= {each for each in texts if each}


def test_a_map_says_where_its_highest_value_lies() -> None:
    assert "10 and 70" in root_description(parameter_map(6, 11))


def root_description(chart: Chart) -> str:
    root = ET.fromstring(standalone_svg(chart))  # noqa: S314 - our own markup
    return str(root.find(f"{SVG}desc").text)
