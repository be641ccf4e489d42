"""What each strategy brought to an ensemble: its own account, its share, its part of the profit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.domain.ensembles import MemberResult, ProfitAttribution
from slices.quant.metrics import performance
from slices.quant.panel import read_panel
from slices.quant.returns import compounded

if TYPE_CHECKING:
    from slices.domain.backtests import Backtest
    from slices.domain.dataset import DatasetRef
    from slices.domain.ensembles import CombinationPlan, Sleeve
    from slices.quant.types import FloatArray, IntArray


def members_of(
    bars: DatasetRef, *, sleeves: list[Sleeve], plan: CombinationPlan, backtest: Backtest
) -> tuple[MemberResult, ...]:
    """Describe every strategy over the sessions of the ensemble's account.

    Args:
        bars: The symbols that were traded.
        sleeves: The strategies, traded alone.
        plan: How the ensemble shared the capital.
        backtest: What became of it.
    """
    panel = read_panel(bars)
    first = panel.sessions.index(backtest.sessions[0])
    stop = first + len(backtest.sessions)
    held = _held_shares(plan, backtest)
    profits = _profits(panel.close[first:stop], sleeves, held, first, backtest)
    return tuple(
        _member(each, held[:, place], float(profits[place]), slice(first, stop), backtest)
        for place, each in enumerate(sleeves)
    )


def _member(
    sleeve: Sleeve, held: FloatArray, profit: float, rows: slice, backtest: Backtest
) -> MemberResult:
    returns = sleeve.returns[rows].copy()
    returns[0] = 0.0
    return MemberResult(
        strategy=sleeve.strategy,
        title=sleeve.title,
        performance=performance(returns[1:], periods_per_year=backtest.periods_per_year),
        equity=tuple((backtest.capital * compounded(returns)).tolist()),
        average_share=float(held.mean()),
        pnl=profit,
    )


def attribution(backtest: Backtest, members: tuple[MemberResult, ...]) -> ProfitAttribution:
    """Split the profit of an account into its members' parts, costs and what is left.

    A member's part of a session is the account's value at the close before, times the member's
    share, times its target weights, times the symbols' returns to this close. What is left comes
    from fills at the open in place of the close and from weights that drift between decisions.
    """
    costs = backtest.costs
    charged = costs.interest + costs.dividends - costs.total
    total = backtest.equity[-1] - backtest.capital
    parts = tuple(each.pnl for each in members)
    return ProfitAttribution(
        members=parts, costs=charged, drift=total - charged - sum(parts), total=total
    )


def sleeve_correlations(sleeves: list[Sleeve]) -> tuple[tuple[float, ...], ...]:
    """Correlate the strategies' returns over all sessions; NaN where one never moved."""
    returns = np.column_stack([each.returns[1:] for each in sleeves])
    spread = returns.std(axis=0)
    moved = np.flatnonzero(spread > 0)
    matrix = np.full((len(sleeves), len(sleeves)), np.nan)
    matrix[np.ix_(moved, moved)] = np.atleast_2d(np.corrcoef(returns[:, moved], rowvar=False))
    return tuple(tuple(row) for row in matrix.tolist())


def _held_shares(plan: CombinationPlan, backtest: Backtest) -> FloatArray:
    """Return the T x S shares in force at the close of each session of the account."""
    refits = np.array(plan.refits, dtype="datetime64[D]")
    sessions = np.array(backtest.sessions, dtype="datetime64[D]")
    at: IntArray = np.searchsorted(refits, sessions, side="right") - 1
    return np.asarray(plan.shares[np.maximum(at, 0)], dtype=np.float64)


def _profits(
    closes: FloatArray, sleeves: list[Sleeve], held: FloatArray, first: int, backtest: Backtest
) -> FloatArray:
    """Sum what each member's target weights earned, in money."""
    returns = closes[1:] / closes[:-1] - 1.0
    returns = np.where(np.isfinite(returns), returns, 0.0)
    value = np.array(backtest.equity[:-1])
    stop = first + closes.shape[0]
    return np.array(
        [
            float(value @ (held[:-1, s] * (each.weights[first : stop - 1] * returns).sum(axis=1)))
            for s, each in enumerate(sleeves)
        ]
    )
