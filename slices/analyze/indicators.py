"""The catalogue of indicators, and their values for every symbol of a panel."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from slices.analyze import momentum, trend, volatility, volume
from slices.analyze.indicator import Indicator, IndicatorTable, Output
from slices.analyze.series import market_levels, panel_bars
from slices.domain.analyses import NotComputed
from slices.domain.errors import ParameterError, listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slices.analyze.series import SymbolBars
    from slices.quant.panel import Panel
    from slices.quant.types import FloatArray


@cache
def catalogue(periods_per_year: int) -> tuple[Indicator, ...]:
    """List all indicators; windows of a year are as long as the calendar's year."""
    return (
        *trend.INDICATORS,
        *momentum.INDICATORS,
        *volatility.INDICATORS,
        *volume.INDICATORS,
        volume.distance_from_high(periods_per_year),
        volume.distance_from_low(periods_per_year),
        volume.skip_month_return(periods_per_year),
    )


def outputs(periods_per_year: int) -> dict[str, Output]:
    """Return what the catalogue says of every series, by name."""
    return {each.name: each for one in catalogue(periods_per_year) for each in one.outputs}


def chosen(names: Sequence[str] | None, *, periods_per_year: int) -> tuple[Indicator, ...]:
    """Return indicators by name, in the order asked for; None for all.

    Raises:
        ParameterError: Saying which names there are.
    """
    known = {each.name: each for each in catalogue(periods_per_year)}
    if names is None:
        return tuple(known.values())
    unknown = tuple(each for each in names if each not in known)
    if unknown:
        raise ParameterError(
            parameter="names", found=listed(unknown), allowed=listed(tuple(known), most=99)
        )
    return tuple(known[each] for each in names)


def indicators(panel: Panel, *, names: Sequence[str] | None = None) -> tuple[IndicatorTable, ...]:
    """Compute indicators over each symbol's own bars.

    Sessions without a bar are passed over, never filled. What a symbol's bars cannot answer is
    left out by name with the reason; a history shorter than a warm-up gives NaN.

    Args:
        panel: T sessions x N symbols.
        names: Of the catalogue; None for all.

    Returns:
        One table per symbol, in the order of the panel.

    Raises:
        ParameterError: Where a name is unknown.
    """
    asked = chosen(names, periods_per_year=panel.periods_per_year)
    needs_market = any(each.needs_market for each in asked)
    market = market_levels(panel.close) if needs_market else None
    return tuple(indicator_table(bars, asked) for bars in panel_bars(panel, market=market))


def indicator_table(bars: SymbolBars, asked: Sequence[Indicator]) -> IndicatorTable:
    """Compute indicators of one symbol."""
    obstacles = [(each, each.obstacle(bars)) for each in asked]
    answered = [each for each, reason in obstacles if not reason]
    values = np.empty((sum(len(each.outputs) for each in answered), len(bars)))
    if len(bars):
        _fill(values, bars, answered)
    return IndicatorTable(
        symbol=bars.symbol,
        sessions=bars.sessions,
        outputs=tuple(output for each in answered for output in each.outputs),
        groups=tuple(each.group for each in answered for _ in each.outputs),
        values=values.T,
        left_out=tuple(
            NotComputed(name=each.name, reason=reason) for each, reason in obstacles if reason
        ),
    )


def _fill(values: FloatArray, bars: SymbolBars, answered: Sequence[Indicator]) -> None:
    row = 0
    for each in answered:
        for series in each.values(bars):
            values[row] = series
            row += 1
