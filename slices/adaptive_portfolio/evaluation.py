"""Allocators judged out of sample: weights from the past, traded at the next session, net of costs.

At the last session of every period weights are fitted to the window that ends there and traded at
the next session: at the open where the data has opens, else at the close. Between refits shares
are held and weights drift.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.adaptive_portfolio.allocators import allocate
from slices.adaptive_portfolio.history import PriceHistory, read_history
from slices.domain.errors import ComputationError, InsufficientHistoryError, ParameterError
from slices.domain.parameters import (
    DEFAULT_BOUNDS,
    DEFAULT_COSTS,
    Costs,
    RebalanceFrequency,
    WeightBounds,
)
from slices.domain.portfolio import Allocator, AllocatorEvaluation
from slices.quant.allocation.bounds import uniform_bounds
from slices.quant.metrics import performance
from slices.quant.returns import simple_returns
from slices.quant.simulation.weights import WeightSimulation, trade_weights

if TYPE_CHECKING:
    import datetime as dt

    from slices.domain.dataset import DatasetRef
    from slices.quant.types import FloatArray, IntArray

PERIODS_IN_A_YEAR = {"weekly": 52, "monthly": 12, "quarterly": 4, "yearly": 1}


@dataclass(frozen=True, kw_only=True)
class AllocationRule:
    """An allocator with everything it needs but data; the risk-free rate is per session."""

    allocator: Allocator
    lookback_sessions: int
    bounds: WeightBounds
    confidence: float
    risk_free_rate: float

    def weights(self, closes: FloatArray, start: FloatArray | None = None) -> FloatArray:
        """Fit weights to the newest window of these closes."""
        return allocate(
            self.allocator,
            simple_returns(closes[-self.lookback_sessions - 1 :]),
            bounds=self.bounds,
            confidence=self.confidence,
            risk_free_rate=self.risk_free_rate,
            start=start,
        )


def evaluate(
    bars: DatasetRef,
    allocator: Allocator,
    *,
    lookback_sessions: int = 504,
    rebalance: RebalanceFrequency = "monthly",
    bounds: WeightBounds = DEFAULT_BOUNDS,
    costs: Costs = DEFAULT_COSTS,
    capital: float = 100_000.0,
    confidence: float = 0.95,
    risk_free_rate: float = 0.0,
) -> AllocatorEvaluation:
    """Walk one allocator through history and fit it to the newest window.

    Args:
        bars: The symbols to allocate among; sessions where one has no bar are left out.
        allocator: Which way of turning returns into weights.
        lookback_sessions: Returns in the trailing window that weights are fitted to, at least 2.
        rebalance: Weights are fitted at the last session of every such period.
        bounds: Smallest and largest weight of every symbol.
        costs: Of every trade.
        capital: Money at the start.
        confidence: Of tail measures, and of the shortfall allocator.
        risk_free_rate: Simple rate per year, for `max_sharpe`.

    Returns:
        The result from the first refit on: it starts with cash, buys at the session after and is
        net of costs. A refit without an answer keeps the held positions and is counted.

    Raises:
        InsufficientHistoryError: Where no period ends with a full window before the last session.
        InfeasibleError: Where the bounds exclude weights that sum to 1.
        ParameterError: Where the lookback is too short.
    """
    history = read_history(bars)
    rule = AllocationRule(
        allocator=allocator,
        lookback_sessions=lookback_sessions,
        bounds=bounds,
        confidence=confidence,
        risk_free_rate=risk_free_rate / history.periods_per_year,
    )
    refits = _refit_rows(history, lookback_sessions, rebalance)
    uniform_bounds(len(bars.symbols), smallest=bounds.smallest, largest=bounds.largest)
    first = int(refits[0])
    targets = walk_forward_weights(history.closes, rule, refits)
    account = trade_weights(
        history.closes[first:],
        history.fill_prices[first:],
        targets[first:],
        cost_rate=costs.rate,
        capital=capital,
    )
    newest, reason = _newest(history, rule)
    return _evaluation(
        history,
        account,
        allocator=allocator,
        weights=newest,
        undefined_reason=reason,
        refits=refits.size,
        undefined_refits=int(np.isnan(targets[refits, 0]).sum()),
        confidence=confidence,
    )


def period_ends(sessions: tuple[dt.date, ...], rebalance: RebalanceFrequency) -> IntArray:
    """Return the positions of the last session of every period that has ended.

    The last session of all is never among them: whether its period has ended is not known yet.

    >>> import datetime as dt
    >>> days = (dt.date(2024, 1, 30), dt.date(2024, 1, 31), dt.date(2024, 2, 1))
    >>> period_ends(days, "monthly").tolist()
    [1]
    """
    keys = [_period(session, rebalance) for session in sessions]
    ends = [i for i in range(len(keys) - 1) if keys[i] != keys[i + 1]]
    return np.array(ends, dtype=np.int64)


def _period(session: dt.date, rebalance: RebalanceFrequency) -> tuple[int, int]:
    match rebalance:
        case "weekly":
            year, week, _ = session.isocalendar()
            return year, week
        case "monthly":
            return session.year, session.month
        case "quarterly":
            return session.year, (session.month - 1) // 3
        case _:
            return session.year, 0


def walk_forward_weights(closes: FloatArray, rule: AllocationRule, refits: IntArray) -> FloatArray:
    """Fit weights at each refit to the window that ends there.

    Args:
        closes: T x N.
        rule: The allocator.
        refits: Positions of the sessions to fit at, each with a full window before it.

    Returns:
        T x N target weights; NaN where there is no refit or it has no answer.
    """
    targets = np.full(closes.shape, np.nan)
    last: FloatArray | None = None
    for row in refits:
        try:
            last = rule.weights(closes[: row + 1], last)
        except ComputationError:
            continue
        targets[row] = last
    return targets


def _refit_rows(
    history: PriceHistory, lookback_sessions: int, rebalance: RebalanceFrequency
) -> IntArray:
    if lookback_sessions < 2:
        raise ParameterError(
            parameter="lookback_sessions", found=str(lookback_sessions), allowed="at least 2"
        )
    period = math.ceil(history.periods_per_year / PERIODS_IN_A_YEAR[rebalance])
    history.check_length(lookback_sessions + 2)
    ends = period_ends(history.sessions, rebalance)
    ends = ends[ends >= lookback_sessions]
    if ends.size == 0:
        raise InsufficientHistoryError(
            symbol=f"portfolio of {len(history.symbols)} symbols",
            needed=lookback_sessions + 1 + period,
            found=len(history.sessions),
        )
    return ends


def _newest(history: PriceHistory, rule: AllocationRule) -> tuple[tuple[float, ...], str]:
    try:
        return tuple(rule.weights(history.closes).tolist()), ""
    except ComputationError as error:
        return (), str(error)


def _evaluation(
    history: PriceHistory,
    account: WeightSimulation,
    *,
    allocator: Allocator,
    weights: tuple[float, ...],
    undefined_reason: str,
    refits: int,
    undefined_refits: int,
    confidence: float,
) -> AllocatorEvaluation:
    sessions = account.equity.size
    years = (sessions - 1) / history.periods_per_year
    return AllocatorEvaluation(
        allocator=allocator,
        symbols=history.symbols,
        weights=weights,
        undefined_reason=undefined_reason,
        refits=refits,
        undefined_refits=undefined_refits,
        performance=performance(
            simple_returns(account.equity),
            periods_per_year=history.periods_per_year,
            confidence=confidence,
        ),
        annual_turnover=float(account.turnover.sum()) / years,
        costs_paid=float(account.costs.sum() / account.equity[0]),
        sessions=history.sessions[-sessions:],
        equity=tuple(account.equity.tolist()),
    )
