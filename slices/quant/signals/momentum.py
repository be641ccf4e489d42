"""Momentum: what has risen over many months tends to rise for some more."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field, model_validator

from slices.domain.strategies import StrategyName, StrategyParameters
from slices.quant.signals.strategy import SHORT, Strategy
from slices.quant.signals.symbols import delayed, directed, each_symbol, spread
from slices.quant.ties import TIE

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from slices.quant.panel import Panel
    from slices.quant.types import BoolArray, FloatArray


class _SkipBelowLookback(StrategyParameters):
    lookback: int
    skip: int

    @model_validator(mode="after")
    def _ordered(self) -> _SkipBelowLookback:
        if self.skip >= self.lookback:
            message = f"skip {self.skip} is not below lookback {self.lookback}"
            raise ValueError(message)
        return self


class TimeSeriesMomentum(_SkipBelowLookback):
    """From when to when a price's growth is measured."""

    lookback: int = Field(default=252, ge=10, le=504, description="Sessions back it starts.")
    skip: int = Field(default=0, ge=0, le=63, description="Sessions back it ends.")
    short: bool = SHORT


class CrossSectionalMomentum(_SkipBelowLookback):
    """From when to when growth is measured, and how many of the symbols are chosen."""

    lookback: int = Field(default=252, ge=10, le=504, description="Sessions back it starts.")
    skip: int = Field(default=21, ge=0, le=63, description="Sessions back it ends.")
    share: float = Field(default=0.2, ge=0.05, le=0.5, description="Share of symbols to choose.")
    short: bool = SHORT


def time_series_momentum(panel: Panel, parameters: TimeSeriesMomentum) -> FloatArray:
    """Be long while the close `skip` bars ago is above the one `lookback` bars ago."""
    from slices.quant.averages import cross_states

    def rule(closes: FloatArray) -> FloatArray:
        recent = delayed(closes, parameters.skip)
        return cross_states(recent, delayed(closes, parameters.lookback))

    return directed(each_symbol(panel, rule), short=parameters.short)


def cross_sectional_momentum(panel: Panel, parameters: CrossSectionalMomentum) -> FloatArray:
    """Hold the symbols that grew most, chosen anew at the close of each month's first session.

    That a session is a month's last is known only from the next one. Symbols without a bar on
    that session keep their signal; of those with too short a history none is chosen; fewer than
    two cannot be ranked. Where equal growth leaves open who is chosen, each keeps its signal.
    """
    growths = _growths(panel, parameters)
    signals = np.zeros(growths.shape)
    rows = [*month_starts(panel.sessions), len(panel.sessions)]
    for row, following in pairwise(rows):
        signals[row:following] = _renewed(growths[row], signals[row - 1], parameters)
    for place in range(len(panel.symbols)):
        present = np.flatnonzero(~np.isnan(panel.close[:, place]))
        if present.size:
            signals[:, place] = spread(signals[present, place], present, len(panel.sessions))
    return signals


def month_starts(sessions: Sequence[dt.date]) -> list[int]:
    """List the sessions that open a month; of the first one of all that is not known.

    >>> import datetime as dt
    >>> month_starts([dt.date(2024, 1, 30), dt.date(2024, 1, 31), dt.date(2024, 2, 1)])
    [2]
    """
    months = [(each.year, each.month) for each in sessions]
    return [row for row, (before, month) in enumerate(pairwise(months), 1) if month != before]


def _growths(panel: Panel, parameters: CrossSectionalMomentum) -> FloatArray:
    growths = np.full(panel.close.shape, np.nan)
    for place, closes in enumerate(panel.close.T):
        present = np.flatnonzero(~np.isnan(closes))
        own = closes[present]
        started = delayed(own, parameters.lookback)
        growths[present, place] = delayed(own, parameters.skip) / started
    return growths


def _renewed(
    growths: FloatArray, held: FloatArray, parameters: CrossSectionalMomentum
) -> FloatArray:
    ranked = np.flatnonzero(~np.isnan(growths))
    if ranked.size < 2:
        return held
    count = max(1, int(parameters.share * ranked.size + 1e-9))
    renewed, growth = held.copy(), growths[ranked]
    renewed[ranked] = _leaders(growth, held[ranked] > 0, count)
    if parameters.short:
        renewed[ranked] -= _leaders(-growth, held[ranked] < 0, count)
    return renewed


def _leaders(growth: FloatArray, held: BoolArray, count: int) -> FloatArray:
    last = np.partition(growth, -count)[-count]
    equal = np.abs(growth - last) <= TIE * abs(last)
    above = (growth > last) & ~equal
    fits = int(above.sum() + equal.sum()) == count
    return np.asarray(above | (equal & (held | fits)), dtype=np.float64)


TIME_SERIES_MOMENTUM = Strategy(
    name=StrategyName.TIME_SERIES_MOMENTUM,
    title="Time-series momentum",
    idea="News is believed slowly, so that a price which rose over a year tends to go on rising.",
    parameters=TimeSeriesMomentum,
    signals=time_series_momentum,
    warmup=lambda parameters: int(parameters.lookback + 1),
    reference="Moskowitz, Ooi, Pedersen (2012), Time series momentum",
)
CROSS_SECTIONAL_MOMENTUM = Strategy(
    name=StrategyName.CROSS_SECTIONAL_MOMENTUM,
    title="Cross-sectional momentum",
    idea="Last year's winners tend to beat last year's losers for some months more.",
    parameters=CrossSectionalMomentum,
    signals=cross_sectional_momentum,
    warmup=lambda parameters: int(parameters.lookback + 1),
    joint=True,
    reference="Jegadeesh, Titman (1993), Returns to buying winners and selling losers",
)
