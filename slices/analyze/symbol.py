"""Everything about one symbol, as of its newest bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.analyze.evidence import pattern_evidence
from slices.analyze.indicators import chosen, indicator_table
from slices.analyze.levels import levels
from slices.analyze.native import talib
from slices.analyze.patterns import pattern_marks, patterns_left_out, recent_sightings
from slices.analyze.state import (
    VOLATILITY_SESSIONS,
    momentum_state,
    trend_state,
    volatility_state,
)
from slices.domain.analyses import (
    ChartHistory,
    RecentReturns,
    SymbolAnalysis,
)
from slices.domain.errors import InsufficientHistoryError

if TYPE_CHECKING:
    from slices.analyze.series import SymbolBars
    from slices.quant.types import FloatArray


def needed_bars(periods_per_year: int) -> int:
    """Return how many bars an analysis needs: a year of 21-session volatilities.

    >>> needed_bars(252)
    273
    """
    return periods_per_year + VOLATILITY_SESSIONS


def analysis(
    bars: SymbolBars, *, recent_sessions: int, chart_sessions: int, confirmation: int
) -> SymbolAnalysis:
    """Analyse one symbol at its newest bar.

    Raises:
        InsufficientHistoryError: With fewer bars than `needed_bars`.
    """
    needed = needed_bars(bars.periods_per_year)
    if len(bars) < needed:
        raise InsufficientHistoryError(symbol=bars.symbol, needed=needed, found=len(bars))
    table = indicator_table(bars, chosen(None, periods_per_year=bars.periods_per_year))
    marks = pattern_marks(bars)
    recent = [each for each in marks if each.known[-recent_sessions:].any()]
    return SymbolAnalysis(
        symbol=bars.symbol,
        session=bars.sessions[-1],
        bars=len(bars),
        missing_sessions=bars.missing_sessions,
        periods_per_year=bars.periods_per_year,
        close=float(bars.close[-1]),
        returns=_recent_returns(bars),
        trend=trend_state(bars),
        volatility=volatility_state(bars),
        momentum=momentum_state(bars),
        indicator_names=tuple(each.name for each in table.outputs),
        indicator_values=tuple(table.values[-1].tolist()),
        patterns=recent_sightings(bars, recent, sessions=recent_sessions),
        evidence=pattern_evidence(bars, recent),
        levels=levels(bars, confirmation=confirmation),
        history=_history(bars, sessions=chart_sessions),
        left_out=(*table.left_out, *patterns_left_out(bars)),
    )


def _recent_returns(bars: SymbolBars) -> RecentReturns:
    def over(sessions: int) -> float:
        return float(bars.close[-1] / bars.close[-1 - sessions] - 1.0)

    return RecentReturns(
        session=over(1), week=over(5), month=over(21), year=over(bars.periods_per_year)
    )


def _history(bars: SymbolBars, *, sessions: int) -> ChartHistory:
    """Keep the newest part of what a price chart shows."""
    upper, _, lower = talib.BBANDS(bars.close, timeperiod=20)
    averages = [talib.SMA(bars.close, timeperiod=each) for each in (50, 200)]

    def newest(values: FloatArray) -> tuple[float, ...]:
        return tuple(np.asarray(values[-sessions:]).tolist())

    return ChartHistory(
        sessions=bars.sessions[-sessions:],
        close=newest(bars.close),
        sma_50=newest(averages[0]),
        sma_200=newest(averages[1]),
        bollinger_upper=newest(upper),
        bollinger_lower=newest(lower),
    )
