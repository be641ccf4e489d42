"""Scores of known worth on simulated and real panels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from slices.adaptive_portfolio.views.believing import following_returns
from slices.adaptive_portfolio.views.optimising import Terms, terms_of
from slices.adaptive_portfolio.views.walk import Course, Walk, believable, course, walked
from slices.adaptive_portfolio.walking import decision_dates
from slices.domain.learning import LabelSettings, ModelKind, OutOfSampleScores
from slices.domain.parameters import Costs, RebalanceFrequency
from slices.domain.view_portfolio import ViewRules
from slices.quant.panel import Panel

LABEL = LabelSettings()
FREE = Costs(commission_bps=0, slippage_bps=0)
RULES = ViewRules(lookback_sessions=60, fewest_sessions=60, largest_weight=0.5)


def scored(panel: Panel, worth: float | np.ndarray, *, seed: int = 0) -> OutOfSampleScores:
    """Scores with a correlation of `worth` with the returns that follow, by session if an array."""
    returns = following_returns(panel.close, lag=1, horizon=LABEL.horizon_sessions)
    known = np.nan_to_num(returns)
    centred = known - known.mean(axis=1, keepdims=True)
    spread = centred.std(axis=1, keepdims=True)
    standard = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 0)
    share = np.broadcast_to(np.asarray(worth, dtype=np.float64), (len(panel.sessions),))[:, None]
    noise = np.random.default_rng(seed).normal(size=standard.shape)
    return as_scores(panel, share * standard + np.sqrt(1 - share**2) * noise)


def as_scores(panel: Panel, values: np.ndarray) -> OutOfSampleScores:
    """Scores of every session; what is not used of them is unknown."""
    nothing = np.full(values.shape, np.nan)
    return OutOfSampleScores(
        kind=ModelKind.LIGHTGBM,
        symbols=panel.symbols,
        sessions=panel.sessions,
        scores=values,
        labels=nothing,
        forward_returns=nothing,
        volatilities=nothing,
        folds=np.ones(len(panel.sessions), dtype=np.int64),
    )


def terms(rules: ViewRules = RULES, rebalance: RebalanceFrequency = "weekly") -> Terms:
    return terms_of(rules, LABEL, rebalance, periods_per_year=252)


def coursed(
    panel: Panel,
    scores: OutOfSampleScores,
    *,
    rules: ViewRules = RULES,
    costs: Costs = FREE,
    rebalance: RebalanceFrequency = "weekly",
) -> Course:
    return course(panel, scores, LABEL, terms=terms(rules, rebalance), costs=costs)


def walk_of(given: Course, rebalance: RebalanceFrequency = "weekly", *, only: str = "") -> Walk:
    return walked(given, decision_dates(given.panel, rebalance, believable(given)), only=only)


def without_purge(given: Course) -> Course:
    """The same, with outcomes counted as known at the session they are predicted."""
    return replace(given, record=replace(given.record, reach=0))
