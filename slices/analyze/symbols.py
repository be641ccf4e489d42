"""Analysing a batch of symbols: the good ones are analysed, each bad one is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.analyses import AnalysisFailure
from slices.domain.errors import InsufficientHistoryError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slices.analyze.series import SymbolBars
    from slices.domain.analyses import SymbolAnalysis
    from slices.domain.dataset import DatasetRef


def symbol_batches(symbols: Sequence[str], *, size: int = 64) -> tuple[tuple[str, ...], ...]:
    """Split symbols into batches of one task each.

    >>> symbol_batches(["A", "B", "C"], size=2)
    (('A', 'B'), ('C',))
    """
    starts = range(0, len(symbols), size)
    return tuple(tuple(symbols[start : start + size]) for start in starts)


def analyse_symbols(
    bars: DatasetRef,
    symbols: tuple[str, ...],
    *,
    recent_sessions: int = 5,
    chart_sessions: int = 252,
    confirmation_sessions: int = 5,
) -> tuple[SymbolAnalysis | AnalysisFailure, ...]:
    """Find indicators, patterns, levels and states of some symbols, each at its newest bar.

    Every symbol is analysed over its own bars; sessions without one are passed over, never filled.
    Betas are to the equal-weighted mean of all symbols of the data, not of the batch alone, so a
    symbol's analysis does not depend on its batch.

    Args:
        bars: The data.
        symbols: Of the data, in the order wanted.
        recent_sessions: How many of a symbol's newest bars to list patterns of.
        chart_sessions: How many of them to keep for a chart.
        confirmation_sessions: How many bars confirm a swing, from which levels are made.

    Returns:
        For each symbol its analysis, or a failure that says how many bars are needed.

    Raises:
        ParameterError: Where the data lacks a symbol or a number of sessions is not positive.
        IntegrityError: Where the data's file is gone or not the one referred to.
    """
    from slices.analyze.series import read_symbol_bars

    _check_sessions("recent_sessions", recent_sessions, least=1)
    _check_sessions("chart_sessions", chart_sessions, least=2)
    _check_sessions("confirmation_sessions", confirmation_sessions, least=2)
    return tuple(
        _outcome(
            each,
            recent_sessions=recent_sessions,
            chart_sessions=chart_sessions,
            confirmation=confirmation_sessions,
        )
        for each in read_symbol_bars(bars, symbols)
    )


def _check_sessions(parameter: str, found: int, *, least: int) -> None:
    if found < least:
        raise ParameterError(parameter=parameter, found=str(found), allowed=f"{least} or more")


def _outcome(
    bars: SymbolBars, *, recent_sessions: int, chart_sessions: int, confirmation: int
) -> SymbolAnalysis | AnalysisFailure:
    from slices.analyze.symbol import analysis

    try:
        return analysis(
            bars,
            recent_sessions=recent_sessions,
            chart_sessions=chart_sessions,
            confirmation=confirmation,
        )
    except InsufficientHistoryError as error:
        return AnalysisFailure(symbol=bars.symbol, reason=str(error))
