"""Returns from prices and wealth from returns.

Prices are matrices of T sessions x N symbols, or one series of T; returns have one row less.
Missing prices are NaN: a return is NaN where either of its two prices is. Nothing is filled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import BadDataError, InsufficientHistoryError, listed

if TYPE_CHECKING:
    from slices.quant.types import BoolArray, FloatArray

MOST_INCOMPLETE = 0.02
"""Share of sessions without some symbol's price from which on the data is refused as sparse."""

ROUNDING = 1e-12
"""Returns this close to each other differ by rounding alone."""


def simple_returns(prices: FloatArray) -> FloatArray:
    """Return the fractional change from each row to the next.

    Args:
        prices: T x N or T positive prices; NaN where there is none.

    Returns:
        T - 1 rows; no rows where `prices` has fewer than two.

    >>> simple_returns(np.array([100.0, 110.0, 99.0])).round(12).tolist()
    [0.1, -0.1]
    """
    values = np.asarray(prices, dtype=np.float64)
    change: FloatArray = values[1:] / values[:-1] - 1.0
    return change


def excess_returns(
    returns: FloatArray, *, risk_free_rate: float, periods_per_year: int
) -> FloatArray:
    """Return what is left of returns after a risk-free rate.

    Args:
        returns: T x N or T simple returns.
        risk_free_rate: Simple rate per year, spread evenly over the periods.
        periods_per_year: Sessions in a year.

    Returns:
        Exactly 0 where a return is the risk-free one but for rounding, as that of idle cash is.

    >>> excess_returns(np.array([0.02, 0.01]), risk_free_rate=0.01, periods_per_year=1).tolist()
    [0.01, 0.0]
    """
    values = np.asarray(returns, dtype=np.float64)
    if risk_free_rate == 0:
        return values
    excess = values - risk_free_rate / periods_per_year
    return np.where(np.abs(excess) <= ROUNDING, 0.0, excess)


def equity_returns(equity: FloatArray) -> FloatArray:
    """Return the fractional change of an account's value; 0 once nothing is left of it.

    Args:
        equity: T values, at least 0.

    >>> equity_returns(np.array([100.0, 50.0, 0.0, 0.0])).tolist()
    [-0.5, -1.0, 0.0]
    """
    before = np.asarray(equity, dtype=np.float64)[:-1]
    gained = np.diff(equity)
    return np.divide(gained, before, out=np.zeros_like(before), where=before > 0)


def compounded(returns: FloatArray) -> FloatArray:
    """Return the wealth that 1 has become after each return.

    Args:
        returns: T x N or T simple returns. A NaN makes everything after it NaN.

    Returns:
        As many rows as `returns`; the 1 at the start is not among them.

    >>> compounded(np.array([0.1, -0.1])).round(12).tolist()
    [1.1, 0.99]
    """
    growth = 1.0 + np.asarray(returns, dtype=np.float64)
    return np.asarray(np.cumprod(growth, axis=0), dtype=np.float64)


def complete_rows(prices: FloatArray) -> BoolArray:
    """Mark the sessions where every symbol has a price; nothing is filled.

    Args:
        prices: T x N, NaN where there is no price.

    Returns:
        T marks.

    >>> complete_rows(np.array([[1.0, np.nan], [1.0, 2.0]])).tolist()
    [False, True]
    """
    return np.asarray(np.isfinite(prices).all(axis=1), dtype=np.bool_)


def shared_rows(prices: FloatArray, symbols: tuple[str, ...], *, needed: int = 2) -> BoolArray:
    """Mark the sessions where every symbol has a price, and refuse prices too sparse to use.

    The rule: from the first to the last session that all symbols share, at most 2 % of the
    sessions may lack a price of some symbol. With more, returns from one shared session to the
    next would often span several, and annualizing them as if they did not would be wrong.

    Args:
        prices: T x N, NaN where there is no price; a row for every session of any symbol.
        symbols: Names of the N columns, for messages.
        needed: Sessions that all symbols must share, at least.

    Returns:
        T marks.

    Raises:
        BadDataError: Where symbols share no session, or too many sessions are incomplete.
        InsufficientHistoryError: Where symbols share fewer sessions than needed.

    >>> shared_rows(np.array([[1.0, np.nan], [1.0, 2.0], [1.1, 2.1]]), ("A", "B")).tolist()
    [False, True, True]
    """
    shared = complete_rows(prices)
    _check_overlap(prices, shared, symbols, needed=needed)
    inside = np.flatnonzero(shared)
    _check_gaps(np.isnan(prices[inside[0] : inside[-1] + 1]), symbols)
    return shared


def _check_overlap(
    prices: FloatArray, shared: BoolArray, symbols: tuple[str, ...], *, needed: int
) -> None:
    found = int(shared.sum())
    if found >= max(needed, 1):
        return
    names = _least_overlapping(np.isfinite(prices), symbols, fewer_than=max(needed, 1))
    if found == 0 and len(symbols) > 1:
        raise BadDataError(dataset="bars", problem=f"{names} share 0 sessions")
    together = f"{names}, in the sessions they share" if len(symbols) > 1 else names
    raise InsufficientHistoryError(symbol=together, needed=needed, found=found)


def _least_overlapping(present: BoolArray, symbols: tuple[str, ...], *, fewer_than: int) -> str:
    """Name the two symbols with the fewest sessions in common if these are too few, else all."""
    marks = present.astype(np.float64)
    overlaps = marks.T @ marks
    np.fill_diagonal(overlaps, np.inf)
    first, second = np.unravel_index(int(overlaps.argmin()), overlaps.shape)
    if overlaps[first, second] < fewer_than:
        return f"{symbols[first]} and {symbols[second]}"
    return listed(symbols, most=5)


def _check_gaps(missing: BoolArray, symbols: tuple[str, ...]) -> None:
    incomplete = float(missing.any(axis=1).mean())
    if incomplete <= MOST_INCOMPLETE:
        return
    shares = missing.mean(axis=0)
    worst = listed(tuple(symbols[i] for i in np.flatnonzero(shares == shares.max())), most=3)
    raise BadDataError(
        dataset="bars",
        problem=f"{incomplete:.1%} of the sessions from the first to the last that all symbols "
        f"share lack a bar of some symbol, at most {MOST_INCOMPLETE:.0%} may; most lacks {worst} "
        f"({shares.max():.1%}): leave it out or choose another source",
    )
