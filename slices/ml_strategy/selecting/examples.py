"""Examples of strategy selection: one per decision, with what every strategy made afterwards.

Decisions are counted back from the newest session, so that there always is one to act on. What is
decided at close t is traded at the next session, so a period's returns begin at close t + 1 and its
outcome is known at close t + 1 + `decision_sessions`: one session after the next decision, which
therefore cannot know it yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import BadDataError, InsufficientHistoryError, listed
from slices.domain.regimes import REGIMES, UNKNOWN
from slices.domain.selection_parameters import DEFAULT_PERIODS, SelectionPeriods
from slices.domain.strategy_selection import SelectionExamples
from slices.ml_strategy.selecting.features import (
    market_features,
    mean_over_deviation,
    performance_features,
    regime_places,
)
from slices.quant.panel import read_panel
from slices.quant.signals.catalogue import default_parameters, strategy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slices.domain.dataset import DatasetRef
    from slices.domain.ensembles import Sleeve
    from slices.domain.regimes import RegimeAnalysis, RegimeHistory
    from slices.domain.strategies import StrategyName
    from slices.quant.panel import Panel
    from slices.quant.types import FloatArray, IntArray

ENTRY_LAG = 1
FEWEST_TESTED = 6
"""Decisions out of sample below which nothing can be said."""


def selection_examples(
    bars: DatasetRef,
    sleeves: Sequence[Sleeve],
    regime: RegimeAnalysis,
    *,
    periods: SelectionPeriods = DEFAULT_PERIODS,
) -> SelectionExamples:
    """Set out every decision: what was known, and what each strategy made afterwards.

    Args:
        bars: What the strategies trade.
        sleeves: The strategies, each traded alone on these bars, net of costs.
        regime: Of the same bars, as it was known at each close.
        periods: When is decided.

    Raises:
        InsufficientHistoryError: Where fewer decisions than needed would be out of sample.
        BadDataError: Where a strategy was traded on other sessions.
    """
    panel = read_panel(bars)
    strange = [each.strategy.value for each in sleeves if each.sessions != panel.sessions]
    if strange:
        raise BadDataError(dataset=listed(tuple(strange)), problem="traded on other sessions")
    names = tuple(each.strategy for each in sleeves)
    first = first_row(panel, names)
    rows = decision_rows(len(panel.sessions), first=first, every=periods.decision_sessions)
    needed = periods.train_periods + 2 + FEWEST_TESTED
    if rows.size < needed:
        raise InsufficientHistoryError(
            symbol=f"{listed(panel.symbols, most=5)}, for {needed} decisions",
            needed=first + needed * periods.decision_sessions,
            found=len(panel.sessions),
        )
    returns = np.column_stack([each.returns for each in sleeves])
    return examples_at(panel, names, returns, regime.history, rows=rows, periods=periods)


def examples_at(
    panel: Panel,
    strategies: tuple[StrategyName, ...],
    returns: FloatArray,
    history: RegimeHistory,
    *,
    rows: IntArray,
    periods: SelectionPeriods,
) -> SelectionExamples:
    """Set out decisions at given rows of a panel; see `selection_examples`.

    Args:
        panel: T sessions.
        strategies: S names.
        returns: T x S net returns of their accounts.
        history: Regimes as they were known at each close.
        rows: P positions of sessions that decide.
        periods: When is decided.
    """
    first = first_row(panel, strategies)
    own_names, own = performance_features(strategies, returns, rows, first=first)
    market_names, market = market_features(panel, history, rows)
    earned, ratios = period_outcomes(returns, rows, every=periods.decision_sessions)
    places = regime_places(panel.sessions, history, rows)
    code, chances = _told(history, int(places[-1]))
    return SelectionExamples(
        strategies=strategies,
        names=(*own_names, *market_names),
        sessions=tuple(panel.sessions[row] for row in rows.tolist()),
        row=rows,
        known=rows + ENTRY_LAG + periods.decision_sessions,
        features=np.column_stack([own, market]),
        returns=earned,
        ratios=ratios,
        best=np.where(np.isnan(ratios[:, 0]), -1, np.nan_to_num(ratios).argmax(axis=1)),
        regimes=tuple(_regime_name(history, place) for place in places.tolist()),
        regime=("" if code == UNKNOWN else REGIMES[code].value, max(dict(chances).values())),
        regime_probabilities=chances,
        first_row=first,
    )


def first_row(panel: Panel, strategies: tuple[StrategyName, ...]) -> int:
    """Return the position at whose close every strategy has the history it needs."""
    warmup = max(int(strategy(each).warmup(default_parameters(each))) for each in strategies)
    begins = int(np.isfinite(panel.close).any(axis=1).argmax())
    return begins + max(warmup, 1) - 1


def decision_rows(sessions: int, *, first: int, every: int) -> IntArray:
    """Return the positions at which is decided: the newest session and every so many before it.

    >>> decision_rows(10, first=2, every=3).tolist()
    [3, 6, 9]
    """
    return np.arange(sessions - 1, first - 1, -every, dtype=np.int64)[::-1]


def period_outcomes(
    returns: FloatArray, rows: IntArray, *, every: int
) -> tuple[FloatArray, FloatArray]:
    """Measure what each account made in the period after each decision.

    Args:
        returns: T x S.
        rows: P positions of sessions that decide.
        every: Sessions of a period; it begins at the close after the decision.

    Returns:
        P x S returns, and P x S ratios of mean and deviation of the sessions, 0 for an account
        that did not move; NaN where the period reaches beyond the last session.

    >>> earned, _ = period_outcomes(np.full((5, 1), 0.1), np.array([0, 2]), every=2)
    >>> earned.round(3).tolist()
    [[0.21], [nan]]
    """
    earned = np.full((rows.size, returns.shape[1]), np.nan)
    ratios = earned.copy()
    for place, row in enumerate(rows.tolist()):
        start = row + ENTRY_LAG + 1
        if start + every <= returns.shape[0]:
            period = returns[start : start + every]
            earned[place] = np.prod(1.0 + period, axis=0) - 1.0
            ratios[place] = np.nan_to_num(mean_over_deviation(period))
    return earned, ratios


def _told(history: RegimeHistory, place: int) -> tuple[int, tuple[tuple[str, float], ...]]:
    """Return the code of the most probable regime at a place, and the probability of each."""
    chances = history.probabilities[place] if place >= 0 else np.full(len(REGIMES), np.nan)
    code = int(history.model_codes[place]) if place >= 0 else UNKNOWN
    named = tuple(
        (each.value, float(chance)) for each, chance in zip(REGIMES, chances.tolist(), strict=True)
    )
    return code, named


def _regime_name(history: RegimeHistory, place: int) -> str:
    code = int(history.model_codes[place]) if place >= 0 else UNKNOWN
    return "" if code == UNKNOWN else REGIMES[code].value
