"""How pages write things, what their plots are made of, and whether everybody can read them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import math
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slices.domain.monitoring import Unit
from slices.monitor.dashboard.plots import Line, Plot, line
from slices.monitor.dashboard.rendering import theme
from slices.monitor.dashboard.views.accounts import shown_limit
from slices.monitor.dashboard.views.explorer import PERIODS, longest_step, summary
from slices.monitor.dashboard.wording import (
    SHAPES,
    coded,
    duration,
    link,
    measured,
    moment,
    run_tone,
)
from slices.monitor.theme import DARK, LIGHT
from tests.support import observed_accounts
from tests.support.observed import NOW

TEXTS = ("ink", "muted", "accent", "good", "warning", "bad")
GROUNDS = ("page", "surface", "good-tint", "warning-tint", "bad-tint", "neutral-tint")
MINUTE = dt.timedelta(minutes=1)


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    channels = [int(colour[each : each + 2], 16) / 255 for each in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_every_text_stands_out_from_every_ground(colours: dict[str, str]) -> None:
    for text in TEXTS:
        for ground in GROUNDS:
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    assert contrast(colours["surface"], colours["bad"]) >= 4.5


def test_the_stylesheet_holds_both_palettes() -> None:
    for colour in (*LIGHT.values(), *DARK.values()):
        assert colour in theme()


def test_every_tone_has_a_shape_of_its_own() -> None:
    assert len(set(SHAPES.values())) == len(SHAPES)
    for kind, state in (("COMPLETED", "Completed"), ("FAILED", "Failed"), ("NEW", "Whatever")):
        assert run_tone(kind, state) in SHAPES
    assert run_tone("COMPLETED", "Degraded") != run_tone("COMPLETED", "Completed")


@given(st.floats(min_value=-1e15, max_value=1e15) | st.just(math.nan))
def test_every_value_of_every_unit_is_written(value: float) -> None:
    for unit in Unit:
        text = measured(value, unit)
        assert text
        assert (text == "–") == math.isnan(value)


@given(st.integers(min_value=1, max_value=10**7))
def test_a_time_span_is_never_written_longer_than_it_is(seconds: int) -> None:
    factors = {"s": 1, "min": 60, "h": 3600, "d": 86_400}
    words = duration(float(seconds)).split()
    said = sum(int(words[each]) * factors[words[each + 1]] for each in range(0, len(words), 2))
    left_out = 3600 if seconds >= 86_400 else 60 if seconds >= 3600 else 1
    assert 0 <= seconds - said < left_out


def test_an_instant_is_that_of_new_york_and_names_utc() -> None:
    text = str(moment(NOW))
    assert "Jul 03, 11:30:00" in text
    assert "2024-07-03 15:30:00 UTC" in text
    assert "never" in str(moment(None))


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "//evil.example", "data:text/html,x", "http:", "", "http://["],
)
def test_only_web_pages_are_linked_to(address: str) -> None:
    assert link(address) == ""


@given(st.text())
def test_code_in_a_text_is_escaped_and_nothing_is_lost(text: str) -> None:
    shown = str(coded(text))
    rest = shown.replace('<code class="command">', "`").replace("</code>", "`")
    assert "<" not in rest
    assert unescape(rest) == text


def test_a_line_is_broken_where_nobody_looked_and_where_nothing_is_defined() -> None:
    times = [NOW + MINUTE * each for each in (0, 1, 2, 30, 31)]
    values = [1.0, math.nan, 3.0, 4.0, 5.0]
    points = tuple(zip(times, values, strict=True))
    made = line("x", points, longest=lambda _at: 5 * MINUTE)
    [table] = json.loads(Plot(lines=(made,), unit="count").as_json())["tables"]
    assert table[1] == [1.0, None, 3.0, None, 4.0, 5.0]
    assert table[0] == sorted(table[0])


def test_infinity_is_not_drawn() -> None:
    plot = Plot(lines=(Line(label="x", seconds=(0.0, 1.0), values=(math.inf, 1.0)),), unit="count")
    assert json.loads(plot.as_json())["tables"] == [[[0.0, 1.0], [None, 1.0]]]


def test_thinned_points_are_joined_and_missing_ones_are_not() -> None:
    day = dt.timedelta(days=1)
    assert longest_step(dt.timedelta(0), period=PERIODS["1h"][1]) < 10 * MINUTE
    assert longest_step(30 * day, period=PERIODS["90d"][1]) >= dt.timedelta(hours=4)


def test_numbers_of_a_series_leave_out_what_is_undefined() -> None:
    points = ((NOW, 1.0), (NOW + MINUTE, math.nan), (NOW + 2 * MINUTE, 3.0))
    found = summary("", points)
    assert (found.least, found.most, found.newest) == (1.0, 3.0, 3.0)
    assert found.mean == 1.0
    empty = summary("", ())
    assert all(map(math.isnan, (empty.least, empty.most, empty.newest, empty.mean)))


def test_the_bar_of_a_limit_shows_what_is_not_left() -> None:
    line = dataclasses.replace(observed_accounts.limit_lines()[0], used=1.0, allowed=1.0)
    free = shown_limit(dataclasses.replace(line, name="max_leverage", headroom=1.0))
    spent = shown_limit(dataclasses.replace(line, headroom=0.0))
    assert (free.share, spent.share) == (0.0, 1.0)


def test_a_limit_whose_use_is_unknown_is_never_shown_as_free() -> None:
    known = observed_accounts.limit_lines()[0]
    unknown = shown_limit(dataclasses.replace(known, used=math.nan, headroom=math.nan))
    assert unknown.share == 1.0
    assert unknown.word != shown_limit(known).word
    assert unknown.used == "–"
