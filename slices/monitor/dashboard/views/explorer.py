"""One metric over time: what was asked for, its lines, its numbers."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slices.monitor.dashboard.plots import Plot, line
from slices.monitor.dashboard.wording import labelled
from slices.monitor.history import KEEPALIVE, Points, read_series, series_of
from slices.monitor.metrics import METRICS
from slices.monitor.metrics.registering import MetricType
from slices.monitor.thinning import GRADES

if TYPE_CHECKING:
    from slices.monitor.history import Labels
    from slices.monitor.store import Store

PERIODS = {
    "1h": ("Last hour", dt.timedelta(hours=1)),
    "6h": ("Last 6 hours", dt.timedelta(hours=6)),
    "1d": ("Last day", dt.timedelta(days=1)),
    "7d": ("Last week", dt.timedelta(days=7)),
    "30d": ("Last 30 days", dt.timedelta(days=30)),
    "90d": ("Last 90 days", dt.timedelta(days=90)),
}
USUAL_METRIC, USUAL_PERIOD = "host.cpu", "6h"
MOST_LINES = 8
MOST_POINTS = 600
MOST_ROWS = 40


@dataclass(frozen=True, kw_only=True)
class Question:
    """What the form asks for; anything unknown is taken for the usual.

    Attributes:
        series: Labels of the one series that is wanted, as JSON; empty for all.
    """

    metric: str
    series: str
    period: str


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The numbers of one line; NaN where no value is defined."""

    label: str
    points: Points
    newest: float
    least: float
    most: float
    mean: float

    @property
    def last_points(self) -> Points:
        """The newest points, newest first, as many as a table should have."""
        return self.points[: -MOST_ROWS - 1 : -1]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One entry of the list of series."""

    value: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Explored:
    """A metric and its past.

    Attributes:
        left_out: Lines that are not drawn because there are too many.
    """

    question: Question
    metric: MetricType
    choices: tuple[Choice, ...]
    lines: tuple[Summary, ...]
    left_out: int
    now: dt.datetime


def asked(metric: str, series: str, period: str) -> Question:
    """Read the form's fields."""
    known = {each.name for each in METRICS}
    return Question(
        metric=metric if metric in known else USUAL_METRIC,
        series=series,
        period=period if period in PERIODS else USUAL_PERIOD,
    )


def explored(store: Store, question: Question, *, now: dt.datetime) -> Explored:
    """Read the past of a metric."""
    metric = next(each for each in METRICS if each.name == question.metric)
    known = series_of(store, metric.name)
    chosen = tuple(each for each in known if _key(each) == question.series) or known
    since = now - PERIODS[question.period][1]
    lines = tuple(
        summary(
            labelled(labels) or metric.name,
            read_series(store, metric.name, labels=labels, since=since, most=MOST_POINTS),
        )
        for labels in chosen[:MOST_LINES]
    )
    return Explored(
        question=question,
        metric=metric,
        choices=tuple(Choice(value=_key(each), text=labelled(each)) for each in known if each),
        lines=lines,
        left_out=max(0, len(chosen) - MOST_LINES),
        now=now,
    )


def plotted(found: Explored) -> Plot:
    """Draw what was found."""
    period = PERIODS[found.question.period][1]

    def longest(at: dt.datetime) -> dt.timedelta:
        return longest_step(found.now - at, period=period)

    lines = tuple(line(each.label, each.points, longest=longest) for each in found.lines)
    return Plot(lines=lines, unit=found.metric.unit.value)


def longest_step(age: dt.timedelta, *, period: dt.timedelta) -> dt.timedelta:
    """Return how far apart two points of an age may be where somebody looked all the time."""
    kept = [grade.stretch for grade in GRADES if age > grade.age]
    return max(1.5 * KEEPALIVE, 6 * period / MOST_POINTS, *(2 * each for each in kept))


def summary(label: str, points: Points) -> Summary:
    """Give the numbers of a series; the mean weighs each value by the time until the next.

    >>> start = dt.datetime(2024, 1, 2, tzinfo=dt.UTC)
    >>> hour = dt.timedelta(hours=1)
    >>> summary("", ((start, 1.0), (start + hour, 4.0), (start + 3 * hour, 4.0))).mean
    3.0
    """
    values = [value for _, value in points if math.isfinite(value)]
    return Summary(
        label=label,
        points=points,
        newest=points[-1][1] if points else math.nan,
        least=min(values, default=math.nan),
        most=max(values, default=math.nan),
        mean=_mean(points),
    )


def _mean(points: Points) -> float:
    steps = [
        ((later - at).total_seconds(), value)
        for (at, value), (later, _) in itertools.pairwise(points)
        if math.isfinite(value)
    ]
    seconds = sum(step for step, _ in steps)
    return sum(step * value for step, value in steps) / seconds if seconds else math.nan


def _key(labels: Labels) -> str:
    return json.dumps(labels, ensure_ascii=False)
