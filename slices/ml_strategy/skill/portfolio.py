"""The long-short test portfolio: what scores would have earned, before and after costs.

Every `horizon` sessions the fifth of the symbols with the highest scores is bought and the fifth
with the lowest sold short, in equal parts and with a gross exposure of 1; the account is simulated
like every other, so decisions of a close fill at the next session.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import BadDataError
from slices.domain.parameters import Costs, TradingRules
from slices.quant.metrics.ratios import sharpe_ratio
from slices.quant.returns import equity_returns
from slices.quant.simulation.exposure import annual_turnover
from slices.quant.simulation.targets import simulate_targets
from slices.quant.types import FloatArray

if TYPE_CHECKING:
    from slices.domain.learning import LabelSettings, OutOfSampleScores
    from slices.quant.panel import Panel
    from slices.quant.simulation.account import Simulation
    from slices.quant.types import IntArray

LEG_SHARE = 5
CAPITAL = 1e6
FREE = Costs(commission_bps=0.0, slippage_bps=0.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class LongShort:
    """What became of the test portfolio.

    Attributes:
        net_returns: One for each session after the first decision, after costs.
        gross_returns: The same before costs.
        annual_turnover: One-way, fraction of equity.
        periods_per_year: Sessions in a year.
    """

    net_returns: FloatArray
    gross_returns: FloatArray
    annual_turnover: float
    periods_per_year: int

    @property
    def net_sharpe_ratio(self) -> float:
        """Annualized, after costs; NaN where nothing was held."""
        return sharpe_ratio(self.net_returns, periods_per_year=self.periods_per_year)

    @property
    def gross_sharpe_ratio(self) -> float:
        """Annualized, before costs; NaN where nothing was held."""
        return sharpe_ratio(self.gross_returns, periods_per_year=self.periods_per_year)


def long_short(
    scores: OutOfSampleScores, panel: Panel, *, label: LabelSettings, costs: Costs
) -> LongShort:
    """Simulate the test portfolio from the first scored session until the last position ends.

    Args:
        scores: Of sessions of the panel; none where there are gaps, and nothing is held there.
        panel: Bars to trade on.
        label: Its horizon is how long positions are held, its entry lag when they are entered.
        costs: Of every fill, and of holding.

    Raises:
        BadDataError: Where the panel lacks a session or a symbol of the scores.
    """
    rows, columns = _places(scores, panel)
    weights = _decisions(leg_weights(scores.scores), rows, columns, panel, label=label)
    stop = min(int(rows[-1]) + label.reach + 1, len(panel.sessions))
    lived, decided = panel.between(int(rows[0]), stop), weights[int(rows[0]) : stop]
    net, gross = (_account(lived, decided, each) for each in (costs, FREE))
    return LongShort(
        net_returns=equity_returns(net.equity),
        gross_returns=equity_returns(gross.equity),
        annual_turnover=annual_turnover(net, lived),
        periods_per_year=panel.periods_per_year,
    )


def leg_weights(scores: FloatArray) -> FloatArray:
    """Weight the top fifth of each row against the bottom fifth, at least one symbol each.

    Symbols that tie for the last places share them, so that equal scores hold nothing at all.

    Args:
        scores: S x N, higher is better; NaN where a symbol is not scored.

    Returns:
        S x N signed weights whose absolute values sum to 1 or less; 0 where not scored.

    >>> leg_weights(np.array([[3.0, 1.0, 2.0], [1.0, 1.0, 1.0]])).tolist()
    [[0.5, -0.5, 0.0], [0.0, 0.0, 0.0]]
    """
    counts = np.isfinite(scores).sum(axis=1, keepdims=True)
    places = np.maximum(counts // LEG_SHARE, 1)
    long, short = (_places_taken(each, places) for each in (scores, -scores))
    return np.where(counts < 2, 0.0, (long - short) / (2.0 * places))


def hit_rate(scores: OutOfSampleScores, *, label: LabelSettings) -> float:
    """Return the share of the test portfolio's positions whose return had their sign.

    Returns:
        NaN where no position has a known return.
    """
    places = _held(np.arange(len(scores.sessions)), label)
    weights, returns = leg_weights(scores.scores)[places], scores.forward_returns[places]
    earned = (weights * returns)[(weights != 0.0) & np.isfinite(returns)]
    return float((earned > 0.0).mean()) if earned.size else math.nan


def _places_taken(scores: FloatArray, places: IntArray) -> FloatArray:
    """Return which part of a place in the top each score has; S x N."""
    from scipy.stats import rankdata

    known = np.isfinite(scores)
    falling = np.where(known, -scores, np.inf)
    before = rankdata(falling, axis=1, method="min") - 1.0
    tied = rankdata(falling, axis=1, method="max") - before
    return np.where(known, np.clip((places - before) / tied, 0.0, 1.0), 0.0)


def _held(rows: IntArray, label: LabelSettings) -> IntArray:
    """Choose the places at which positions are decided: when those before have ended."""
    chosen, free = [], -1
    for place, row in enumerate(rows.tolist()):
        if row >= free:
            chosen.append(place)
            free = row + label.horizon_sessions
    return np.array(chosen, dtype=np.int64)


def _decisions(
    weights: FloatArray, rows: IntArray, columns: IntArray, panel: Panel, *, label: LabelSettings
) -> FloatArray:
    """Set the weights out over the panel: decided, held for the horizon, then sold."""
    sessions, decided = len(panel.sessions), np.full(panel.close.shape, np.nan)
    wait = label.entry_lag_sessions - 1
    for place in _held(rows, label):
        row = int(rows[place]) + wait
        if row < sessions:
            decided[row] = 0.0
            decided[row, columns] = weights[place]
        if row + label.horizon_sessions < sessions:
            decided[row + label.horizon_sessions] = 0.0
    return decided


def _account(panel: Panel, decided: FloatArray, costs: Costs) -> Simulation:
    return simulate_targets(panel, decided, costs=costs, rules=TradingRules(), capital=CAPITAL)


def _places(scores: OutOfSampleScores, panel: Panel) -> tuple[IntArray, IntArray]:
    try:
        rows = [panel.sessions.index(scores.sessions[0])]
        places = {each: row for row, each in enumerate(panel.sessions)}
        rows = [places[each] for each in scores.sessions]
        columns = [panel.symbols.index(each) for each in scores.symbols]
    except (KeyError, ValueError) as error:
        problem = f"lacks a session or symbol of the scores: {error}"
        raise BadDataError(dataset="bars", problem=problem) from error
    return np.array(rows, dtype=np.int64), np.array(columns, dtype=np.int64)
