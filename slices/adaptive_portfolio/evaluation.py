"""Allocators judged out of sample: weights from the past, traded at the next session, net of costs.

At the last session of every period weights are fitted to the window that ends there and traded at
the next session: at the open where the data has opens, else at the close. Between refits shares
are held and weights drift. Given weights are judged the same way, so that they can be compared.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.adaptive_portfolio.allocators import allocate
from slices.adaptive_portfolio.history import PriceHistory, read_history
from slices.adaptive_portfolio.periods import period_ends
from slices.domain.errors import (
    ComputationError,
    ConvergenceError,
    InfeasibleError,
    ParameterError,
)
from slices.domain.parameters import (
    DEFAULT_BOUNDS,
    DEFAULT_COSTS,
    DEFAULT_RULES,
    Costs,
    RebalanceFrequency,
    WeightBounds,
    check_weights,
)
from slices.domain.portfolio import Allocator, AllocatorEvaluation
from slices.quant.allocation.bounds import uniform_bounds
from slices.quant.metrics import performance
from slices.quant.panel import Panel
from slices.quant.returns import simple_returns
from slices.quant.simulation.exposure import session_turnover
from slices.quant.simulation.targets import simulate_targets
from slices.quant.types import FloatArray, IntArray

if TYPE_CHECKING:
    from slices.domain.dataset import DatasetRef
    from slices.domain.portfolio import Performance
    from slices.quant.simulation.account import Simulation

OUT_OF_SAMPLE_SESSIONS = 63
"""Fewer returns than this quarter of a year say nothing about an allocator."""


@dataclass(frozen=True, kw_only=True, eq=False)
class AllocationRule:
    """An allocator with everything it needs but data.

    Attributes:
        risk_free_rate: Per session.
        fixed: N weights that `HELD_WEIGHTS` returns to at every refit; None for the others.
    """

    allocator: Allocator
    lookback_sessions: int
    bounds: WeightBounds
    confidence: float
    risk_free_rate: float
    fixed: FloatArray | None = None

    def weights(self, closes: FloatArray, start: FloatArray | None = None) -> FloatArray:
        """Fit weights to the newest window of these closes."""
        if self.fixed is not None:
            return self.fixed
        return allocate(
            self.allocator,
            simple_returns(closes[-self.lookback_sessions - 1 :]),
            bounds=self.bounds,
            confidence=self.confidence,
            risk_free_rate=self.risk_free_rate,
            start=start,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class WalkForward:
    """What an allocator decided at its refits.

    Attributes:
        targets: T x N target weights; NaN where there is no refit or it has no answer.
        undefined: Why refits had no answer, one sentence each.
        failed: Why refits did not converge, one sentence each.
    """

    targets: FloatArray
    undefined: tuple[str, ...]
    failed: tuple[str, ...]


def evaluate(
    bars: DatasetRef,
    allocator: Allocator,
    *,
    lookback_sessions: int = 252,
    rebalance: RebalanceFrequency = "monthly",
    bounds: WeightBounds = DEFAULT_BOUNDS,
    costs: Costs = DEFAULT_COSTS,
    capital: float = 100_000.0,
    confidence: float = 0.95,
    risk_free_rate: float = 0.0,
    held_weights: dict[str, float] | None = None,
) -> AllocatorEvaluation:
    """Walk one allocator through history and fit it to the newest window.

    Args:
        bars: The symbols to allocate among; sessions where one has no bar are left out.
        allocator: Which way of turning returns into weights, or `HELD_WEIGHTS` to return to given
            ones at the same sessions.
        lookback_sessions: Returns in the trailing window that weights are fitted to, at least 2.
        rebalance: Weights are fitted at the last session of every such period.
        bounds: Smallest and largest weight of every symbol; given weights may break them.
        costs: Of every trade.
        capital: Money at the start.
        confidence: Of tail measures, and of the shortfall allocator.
        risk_free_rate: Simple rate per year, for `max_sharpe`.
        held_weights: One for each symbol of `bars`, with sum 1; for `HELD_WEIGHTS` alone.

    Returns:
        The result from the first refit on: it starts with cash, buys at the session after and is
        net of costs. A refit without an answer keeps the held positions and is counted.

    Raises:
        InsufficientHistoryError: Where fewer than 63 sessions follow the first refit, the first
            end of a period with a full window before it.
        BadDataError: Where too many sessions lack a bar of some symbol.
        InfeasibleError: Where the bounds exclude weights that sum to 1.
        ParameterError: Where the lookback is too short, or the held weights are needed and do not
            fit.
    """
    history = read_history(bars)
    rule = AllocationRule(
        allocator=allocator,
        lookback_sessions=lookback_sessions,
        bounds=bounds,
        confidence=confidence,
        risk_free_rate=risk_free_rate / history.periods_per_year,
        fixed=_fixed_weights(allocator, held_weights, bars.symbols),
    )
    refits = _refit_rows(history, lookback_sessions, rebalance)
    uniform_bounds(len(bars.symbols), smallest=bounds.smallest, largest=bounds.largest)
    first = int(refits[0])
    walked = walk_forward(history.closes, rule, refits)
    panel = _panel(history, first)
    account = simulate_targets(
        panel, walked.targets[first:], costs=costs, rules=DEFAULT_RULES, capital=capital
    )
    weights, reason = _newest(history, rule)
    return AllocatorEvaluation(
        allocator=allocator,
        symbols=history.symbols,
        weights=weights,
        undefined_reason=reason,
        refits=refits.size,
        undefined_refits=len(walked.undefined),
        failed_refits=len(walked.failed),
        refit_reasons=tuple(dict.fromkeys(walked.undefined + walked.failed)),
        performance=_performance(account, history.periods_per_year, confidence=confidence),
        annual_turnover=_annual_turnover(account, panel),
        annual_costs=_annual_costs(account, history.periods_per_year),
        sessions=history.sessions[first:],
        equity=tuple(account.equity.tolist()),
    )


def walk_forward(closes: FloatArray, rule: AllocationRule, refits: IntArray) -> WalkForward:
    """Fit weights at each refit to the window that ends there.

    Args:
        closes: T x N.
        rule: The allocator.
        refits: Positions of the sessions to fit at, each with a full window before it.
    """
    targets = np.full(closes.shape, np.nan)
    undefined: list[str] = []
    failed: list[str] = []
    last: FloatArray | None = None
    for row in refits:
        try:
            last = rule.weights(closes[: row + 1], last)
        except InfeasibleError as error:
            undefined.append(str(error))
        except ConvergenceError as error:
            failed.append(str(error))
        else:
            targets[row] = last
    return WalkForward(targets=targets, undefined=tuple(undefined), failed=tuple(failed))


def _fixed_weights(
    allocator: Allocator, held_weights: dict[str, float] | None, symbols: tuple[str, ...]
) -> FloatArray | None:
    """Put the held weights in the order of the symbols, rid of rounding in their sum."""
    if allocator is not Allocator.HELD_WEIGHTS:
        return None
    if held_weights is None:
        raise ParameterError(
            parameter="held_weights", found="none", allowed="one weight for each symbol"
        )
    check_weights(held_weights, symbols)
    held = np.array([held_weights[symbol] for symbol in symbols], dtype=np.float64)
    if held.min() < 0:
        raise ParameterError(
            parameter="held_weights", found=f"a weight of {held.min():g}", allowed="at least 0"
        )
    return np.asarray(held / held.sum(), dtype=np.float64)


def _refit_rows(
    history: PriceHistory, lookback_sessions: int, rebalance: RebalanceFrequency
) -> IntArray:
    """Return the ends of periods with a full window before them and enough sessions after."""
    if lookback_sessions < 2:
        raise ParameterError(
            parameter="lookback_sessions", found=str(lookback_sessions), allowed="at least 2"
        )
    ends = period_ends(history.sessions, rebalance)
    ends = ends[ends >= lookback_sessions]
    earliest = max(lookback_sessions, len(history.sessions) - 1)
    first = int(ends[0]) if ends.size else earliest
    history.check_length(first + 1 + OUT_OF_SAMPLE_SESSIONS)
    return ends


def _newest(history: PriceHistory, rule: AllocationRule) -> tuple[tuple[float, ...], str]:
    try:
        return tuple(rule.weights(history.closes).tolist()), ""
    except ComputationError as error:
        return (), str(error)


def _performance(account: Simulation, periods_per_year: int, *, confidence: float) -> Performance:
    """Measure the account; NaN throughout where it was never invested."""
    returns = simple_returns(account.equity)
    return performance(
        returns if account.fills.rows.size else np.full(returns.size, np.nan),
        periods_per_year=periods_per_year,
        confidence=confidence,
    )


def _panel(history: PriceHistory, first: int) -> Panel:
    return Panel(
        symbols=history.symbols,
        sessions=history.sessions[first:],
        close=history.closes[first:],
        open=history.fill_prices[first:],
        periods_per_year=history.periods_per_year,
    )


def _annual_turnover(account: Simulation, panel: Panel) -> float:
    """Leave the first purchase out: it is the price of beginning, not of keeping to the rule."""
    if not account.fills.rows.size:
        return math.nan
    turnover = session_turnover(account, panel)
    turnover[account.fills.rows[0]] = 0.0
    return float(turnover.sum()) / _years(account, panel.periods_per_year)


def _annual_costs(account: Simulation, periods_per_year: int) -> float:
    if not account.fills.rows.size:
        return math.nan
    spent = float(account.fills.costs.sum()) / _years(account, periods_per_year)
    return spent / float(account.equity.mean())


def _years(account: Simulation, periods_per_year: int) -> float:
    return (account.equity.size - 1) / periods_per_year
