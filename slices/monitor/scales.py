"""Scales and ticks: from values and dates to pixels, marked where a person would mark them."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.numbers import axis_label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slices.domain.report import Unit
    from slices.monitor.svg import Floats

NICE_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
LOG_MANTISSAS = ((1.0, 1.5, 2.0, 3.0, 5.0, 7.0), (1.0, 2.0, 5.0), (1.0, 3.0), (1.0,))
MONTH_STEPS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600)
DAY_STEPS = (1, 2, 5, 7, 14)
DAYS_PER_MONTH = 30.44


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A marked value of an axis."""

    value: float
    label: str


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Values from `low` to `high` laid out from pixel `start` to pixel `end`."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def at(self, values: Floats) -> Floats:
        """Place values; with `log`, what is not positive has no place and becomes NaN."""
        low, high, placed = self.low, self.high, values
        if self.log:
            low, high = math.log10(low), math.log10(high)
            placed = np.log10(np.where(values > 0, values, np.nan))
        across: Floats = self.start + (placed - low) / (high - low) * (self.end - self.start)
        return across

    def place(self, value: float) -> float:
        """Place a single value."""
        return float(self.at(np.array([value]))[0])


def numeric(x: Sequence[dt.date] | Sequence[float]) -> Floats:
    """Turn dates into days, and leave numbers as they are."""
    return np.array([_number(each) for each in x], dtype=np.float64)


def _number(value: dt.date | float) -> float:
    if isinstance(value, dt.datetime):
        return value.toordinal() + (value.hour * 60 + value.minute) / 1440
    return float(value.toordinal()) if isinstance(value, dt.date) else float(value)


def value_range(
    values: Floats, *, log: bool, with_zero: bool = False, room: float = 0.04
) -> tuple[float, float]:
    """Find the range an axis must show: the finite values and some room.

    Args:
        values: What is shown; NaN and infinities take no part.
        log: Whether the axis is logarithmic; then every value must be above zero.
        with_zero: Whether zero must be shown too.
        room: How much more than the span to show at either end, as a fraction of it.
    """
    finite = values[np.isfinite(values)]
    if not finite.size:
        return (1.0, 10.0) if log else (0.0, 1.0)
    low, high = float(finite.min()), float(finite.max())
    if log:
        factor = (high / low) ** room if high > low else 1.1
        return low / factor, high * factor
    low, high = (min(low, 0.0), max(high, 0.0)) if with_zero else (low, high)
    if high <= low:
        half = abs(low) * 0.05 or 1.0
        return low - half, high + half
    more = (high - low) * room
    return (low if low == 0 else low - more), (high if high == 0 else high + more)


def nice_step(span: float, most: int) -> float:
    """Choose a step of 1, 2, 2.5 or 5 times a power of ten that gives at most `most` steps."""
    rough = span / max(most, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    return next(each * power for each in NICE_STEPS if each * power >= rough * (1 - 1e-9))


def value_ticks(low: float, high: float, *, most: int, unit: Unit, log: bool) -> tuple[Tick, ...]:
    """Mark round values between two bounds."""
    if log:
        values = _log_values(low, high, most)
        if len(values) >= 3:
            return tuple(Tick(value=v, label=axis_label(v, unit, step=v)) for v in values)
    step = nice_step(high - low, most)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    values = tuple(count * step for count in range(first, last + 1) if not log or count > 0)
    return tuple(Tick(value=v, label=axis_label(v, unit, step=step)) for v in values)


def _log_values(low: float, high: float, most: int) -> tuple[float, ...]:
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for mantissas in LOG_MANTISSAS:
        values = tuple(m * 10.0**p for p in powers for m in mantissas if low <= m * 10.0**p <= high)
        if len(values) <= most:
            return values
    sparse = math.ceil(len(powers) / most)
    return tuple(10.0**p for p in powers[::sparse] if low <= 10.0**p <= high)


def date_ticks(low: float, high: float, *, most: int) -> tuple[Tick, ...]:
    """Mark the first days of years, months or days, whichever suits the span."""
    span = max(high - low, 1.0)
    months = next((m for m in MONTH_STEPS if span / (m * DAYS_PER_MONTH) <= most), MONTH_STEPS[-1])
    if span / DAYS_PER_MONTH >= 2.5:
        return _month_ticks(low, high, months)
    days = next((d for d in DAY_STEPS if span / d <= most), DAY_STEPS[-1])
    return _day_ticks(low, high, days)


def _month_ticks(low: float, high: float, step: int) -> tuple[Tick, ...]:
    first, last = _day(low), _day(high)
    months = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    starts = [dt.date(m // 12, m % 12 + 1, 1) for m in months if m % step == 0]
    shown = [each for each in starts if low <= each.toordinal() <= high]
    return tuple(Tick(value=d.toordinal(), label=_month_label(d, step)) for d in shown)


def _month_label(day: dt.date, step: int) -> str:
    return str(day.year) if step >= 12 else f"{day:%b} {day.year}"


def _day_ticks(low: float, high: float, step: int) -> tuple[Tick, ...]:
    days = range(math.ceil(low), math.floor(high) + 1, step)
    return tuple(Tick(value=each, label=_day_label(_day(each))) for each in days)


def _day_label(day: dt.date) -> str:
    return f"{day.day} {day:%b}"


def _day(ordinal: float) -> dt.date:
    return dt.date.fromordinal(max(1, int(ordinal)))


def without_collisions(
    ticks: tuple[Tick, ...], places: Sequence[float], widths: Sequence[float], *, gap: float
) -> tuple[Tick, ...]:
    """Thin ticks evenly until no label touches its neighbour."""
    for every in range(1, len(ticks) + 1):
        kept = range(0, len(ticks), every)
        room = (
            places[b] - widths[b] / 2 - places[a] - widths[a] / 2 >= gap for a, b in pairwise(kept)
        )
        if all(room):
            return tuple(ticks[each] for each in kept)
    return ticks[:1]
