"""What the rules of factor portfolios share: windows without holes, dates of decision, sizing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.adaptive_portfolio.allocators import allocate
from slices.adaptive_portfolio.evaluation import OUT_OF_SAMPLE_SESSIONS
from slices.adaptive_portfolio.periods import period_ends
from slices.domain.backtests import TargetWeights
from slices.domain.errors import InsufficientHistoryError, counted
from slices.domain.parameters import WeightBounds
from slices.quant.validity.look_ahead import probe_decisions

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from slices.domain.parameters import RebalanceFrequency
    from slices.domain.portfolio import Allocator
    from slices.domain.verdicts import LookAheadProbe
    from slices.quant.panel import Panel
    from slices.quant.types import BoolArray, FloatArray, IntArray

PROBE_CUTS = 4
"""Sessions after which the probe changes the future: few, as each decides all over again."""
PROBE_SESSIONS = 1260
"""Sessions of decisions that are probed, the newest: the rule is the same in all of them."""
PROBE_SYMBOLS = 40
"""Symbols that are probed, spread over all there are; likewise."""


def complete_windows(closes: FloatArray, sessions: int) -> BoolArray:
    """Mark where a symbol has a close at a session and at each of the `sessions` before it.

    Only such symbols are candidates: one hole, or a late listing, keeps a symbol out until it is
    older than the window. Nothing is filled and no other symbol is touched.

    Args:
        closes: T x N, NaN where there is none.
        sessions: Returns in the window.

    Returns:
        T x N marks, none in the first `sessions` rows.

    >>> complete_windows(np.array([[1.0], [1.0], [np.nan], [1.0], [1.0]]), 1).ravel().tolist()
    [False, True, False, False, True]
    """
    counts = np.cumsum(np.isfinite(closes), axis=0)
    marks = np.zeros(closes.shape, dtype=np.bool_)
    if closes.shape[0] > sessions:
        before = np.vstack((np.zeros((1, closes.shape[1]), np.int64), counts[: -sessions - 1]))
        marks[sessions:] = counts[sessions:] - before == sessions + 1
    return marks


def decision_dates(
    panel: Panel, rebalance: RebalanceFrequency, able: BoolArray
) -> tuple[dt.date, ...]:
    """List the last sessions of periods from the first at which a decision can be made.

    Args:
        panel: The symbols.
        rebalance: A decision is made at the last session of every such period that has ended.
        able: T marks of sessions with enough candidates.

    Raises:
        InsufficientHistoryError: Where fewer than 63 sessions follow the first of them.
    """
    ends = period_ends(panel.sessions, rebalance)
    able_ends = ends[able[ends]]
    total = len(panel.sessions)
    first = int(able_ends[0]) if able_ends.size else total
    check_out_of_sample(panel, first)
    return tuple(panel.sessions[row] for row in ends[ends >= first])


def check_out_of_sample(panel: Panel, first: int) -> None:
    """Check that enough sessions follow the first decision.

    Args:
        panel: The symbols.
        first: Position of the session it is made at.

    Raises:
        InsufficientHistoryError: Where fewer than 63 sessions follow.
    """
    needed = first + 1 + OUT_OF_SAMPLE_SESSIONS
    if needed > len(panel.sessions):
        raise InsufficientHistoryError(
            symbol=f"portfolio of {counted(len(panel.symbols), 'symbol')}",
            needed=needed,
            found=len(panel.sessions),
        )


def rows_of(panel: Panel, dates: tuple[dt.date, ...]) -> IntArray:
    """Find dates in a panel, which may end before the last of them."""
    wanted = frozenset(dates)
    rows = [row for row, session in enumerate(panel.sessions) if session in wanted]
    return np.array(rows, dtype=np.int64)


def shared_out(
    allocator: Allocator, returns: FloatArray, *, largest: float, total: float
) -> FloatArray:
    """Share a part of the equity among symbols, none of which may get more than `largest`.

    Args:
        allocator: Which way.
        returns: T x N simple returns without NaN.
        largest: Largest weight of one symbol, more than 0.
        total: Sum of the weights; less where N symbols cannot hold as much.

    Raises:
        InfeasibleError: Where the allocator has no answer.
        ConvergenceError: Where its answer could not be verified.

    >>> from slices.domain.portfolio import Allocator
    >>> shared_out(Allocator.EQUAL_WEIGHT, np.ones((3, 2)), largest=0.3, total=1.0).tolist()
    [0.3, 0.3]
    """
    held = min(total, largest * returns.shape[1])
    bounds = WeightBounds(largest=min(1.0, largest / held))
    return np.asarray(held * allocate(allocator, returns, bounds=bounds), dtype=np.float64)


def leverage(
    weights: FloatArray,
    covariance: FloatArray,
    *,
    target_volatility: float,
    gross_exposure: float,
    periods_per_year: int,
) -> float:
    """Return what weights are multiplied by to have a volatility, as far as exposure allows.

    Args:
        weights: N weights.
        covariance: N x N, per session.
        target_volatility: Annualized.
        gross_exposure: Largest sum of absolute weights afterwards.
        periods_per_year: Sessions in a year.

    >>> leverage(np.array([1.0]), np.array([[0.04]]), target_volatility=0.1, gross_exposure=1.0,
    ...          periods_per_year=1)
    0.5
    """
    most = gross_exposure / float(np.abs(weights).sum())
    volatility = math.sqrt(max(float(weights @ covariance @ weights), 0.0) * periods_per_year)
    return min(target_volatility / volatility if volatility > 0 else 1.0, most)


def probed(
    decide: Callable[[Panel], FloatArray], panel: Panel, *, lookback_sessions: int, seed: int
) -> LookAheadProbe:
    """Prove on the newest sessions of some symbols that a rule does not look ahead.

    Whether it does lies in the rule, not in how much it is asked.
    """
    total, symbols = len(panel.sessions), len(panel.symbols)
    first = max(0, total - PROBE_SESSIONS - lookback_sessions)
    spread = np.linspace(0, symbols - 1, min(symbols, PROBE_SYMBOLS)).astype(np.int64)
    recent = panel.between(first, total).columns(spread.tolist())
    return probe_decisions(decide, recent, cuts=PROBE_CUTS, seed=seed)


def as_targets(
    label: str,
    panel: Panel,
    weights: FloatArray,
    *,
    first_session: dt.date,
    probe: LookAheadProbe,
) -> TargetWeights:
    """Keep the rows of T x N weights that hold a decision; one configuration was tried."""
    rows = np.flatnonzero(np.isfinite(weights).any(axis=1))
    return TargetWeights(
        label=label,
        symbols=panel.symbols,
        sessions=tuple(panel.sessions[row] for row in rows),
        weights=np.ascontiguousarray(weights[rows]),
        first_session=first_session,
        trials=1,
        probe=probe,
    )
