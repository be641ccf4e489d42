"""What the browser draws: points of one or more lines over time, as JSON."""

from __future__ import annotations

import datetime as dt
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from slices.domain.accounts import EquityPoint
    from slices.monitor.history import Points


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a plot.

    Attributes:
        seconds: Times since 1970, UTC, rising.
        values: NaN breaks the line.
    """

    label: str
    seconds: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Plot:
    """Lines that share axes.

    Attributes:
        unit: How the browser writes the values, such as currency or ratio.
        daily: Whether the times are sessions, which have no time of day.
        filled: Whether the area between line and zero is tinted.
    """

    lines: tuple[Line, ...]
    unit: str
    daily: bool = False
    filled: bool = False

    def as_json(self) -> str:
        """Write the plot for the browser; what is undefined becomes null."""
        return json.dumps(
            {
                "tables": [[each.seconds, _nulled(each.values)] for each in self.lines],
                "labels": [each.label for each in self.lines],
                "unit": self.unit,
                "daily": self.daily,
                "filled": self.filled,
            },
            allow_nan=False,
        )


def _nulled(values: Iterable[float]) -> list[float | None]:
    return [each if math.isfinite(each) else None for each in values]


def line(label: str, points: Points, *, longest: Callable[[dt.datetime], dt.timedelta]) -> Line:
    """Make a line of measured points, broken where nobody looked.

    Args:
        label: What it is about.
        points: In order of time.
        longest: How far the next point may be from one of this time to be joined to it.
    """
    seconds: list[float] = []
    values: list[float] = []
    before: dt.datetime | None = None
    for at, value in points:
        if before is not None and at - before > longest(before):
            seconds.append((before + (at - before) / 2).timestamp())
            values.append(math.nan)
        seconds.append(at.timestamp())
        values.append(value)
        before = at
    return Line(label=label, seconds=tuple(seconds), values=tuple(values))


def equity_plot(curve: tuple[EquityPoint, ...]) -> Plot:
    """Plot equity by session."""
    equity = tuple(float(each.equity) for each in curve)
    return _by_session("Equity", curve, equity, unit="currency")


def drawdown_plot(curve: tuple[EquityPoint, ...], *, capital: float) -> Plot:
    """Plot the loss from the peak by session, at most 0, where capital is the first peak."""
    lost = losses(curve, capital=capital)
    return _by_session("Drawdown", curve, lost, unit="ratio", filled=True)


def losses(curve: tuple[EquityPoint, ...], *, capital: float) -> tuple[float, ...]:
    """Return the fraction lost since the peak at each point, at most 0."""
    peak, found = capital, []
    for point in curve:
        equity = float(point.equity)
        peak = max(peak, equity)
        found.append(min(0.0, equity / peak - 1) if peak > 0 else math.nan)
    return tuple(found)


def _by_session(
    label: str,
    curve: tuple[EquityPoint, ...],
    values: tuple[float, ...],
    *,
    unit: str,
    filled: bool = False,
) -> Plot:
    midnight = dt.time(tzinfo=dt.UTC)
    seconds = tuple(dt.datetime.combine(each.session, midnight).timestamp() for each in curve)
    only = Line(label=label, seconds=seconds, values=values)
    return Plot(lines=(only,), unit=unit, daily=True, filled=filled)
