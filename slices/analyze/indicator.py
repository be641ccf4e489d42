"""What an indicator is: series over a symbol's own bars, declared once with all it needs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from slices.analyze.series import SymbolBars
from slices.domain.analyses import NotComputed
from slices.domain.bars import BarShape
from slices.domain.report import Unit
from slices.quant.types import BoolArray, FloatArray


class IndicatorGroup(StrEnum):
    """What an indicator measures."""

    TREND = "trend"
    MOMENTUM = "momentum"
    VOLATILITY = "volatility"
    VOLUME = "volume"
    POSITION = "position"


Values = Callable[[SymbolBars], tuple[FloatArray, ...]]


@dataclass(frozen=True, kw_only=True)
class Output:
    """One of the series an indicator gives."""

    name: str
    title: str
    unit: Unit


@dataclass(frozen=True, kw_only=True)
class Indicator:
    """A rule from bars to one or more series of the same length.

    Attributes:
        name: What a person asks for it by.
        parameters: Name and value of what it was made with.
        warmup: Bars before the first value; these are NaN, as is every later bar where the rule
            has no answer, such as an oscillator of prices that did not move.
        source: Who computes it, and who wrote it down first.
        shape: The least bars it can be computed from.
        needs_market: Whether it compares with the other symbols of the data.
        values: Its series; row t depends on bars up to t alone.
    """

    name: str
    title: str
    group: IndicatorGroup
    outputs: tuple[Output, ...]
    parameters: tuple[tuple[str, float], ...]
    warmup: int
    source: str
    shape: BarShape = BarShape.CLOSE_ONLY
    needs_market: bool = False
    values: Values

    def obstacle(self, bars: SymbolBars) -> str:
        """Say why these bars cannot answer; empty where they can."""
        if self.shape is BarShape.OHLCV and bars.shape is not BarShape.OHLCV:
            return "needs open, high, low, close and volume; found close only"
        if self.needs_market and bars.market is None:
            return "needs other symbols to compare with; found one"
        return ""


@dataclass(frozen=True, kw_only=True, eq=False)
class IndicatorTable:
    """The indicators of one symbol, side by side.

    Attributes:
        outputs: What each of the K columns is.
        groups: What each of them measures.
        values: T x K, a row for each of the symbol's bars; NaN where undefined.
        left_out: Indicators that these bars cannot answer, with the reason.
    """

    symbol: str
    sessions: tuple[dt.date, ...]
    outputs: tuple[Output, ...]
    groups: tuple[IndicatorGroup, ...]
    values: FloatArray
    left_out: tuple[NotComputed, ...] = ()

    def column(self, name: str) -> FloatArray:
        """Return one series by name.

        Raises:
            KeyError: Where there is none of that name.
        """
        places = [place for place, each in enumerate(self.outputs) if each.name == name]
        if not places:
            raise KeyError(name)
        return self.values[:, places[0]]


def single(name: str, title: str, unit: Unit) -> tuple[Output, ...]:
    """Declare the only output of an indicator."""
    return (Output(name=name, title=title, unit=unit),)


def defined(values: FloatArray, where: BoolArray) -> FloatArray:
    """Keep values where a rule has an answer; NaN elsewhere, whatever the library says there."""
    return values if where.all() else np.where(where, values, np.nan)


def ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    """Divide; NaN where the divisor is not positive or undefined.

    >>> ratio(np.array([1.0, 1.0]), np.array([4.0, 0.0])).tolist()
    [0.25, nan]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below > 0, above / below, np.nan)
