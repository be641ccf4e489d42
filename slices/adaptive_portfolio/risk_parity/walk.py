"""Equal-risk weights walked through history, and how equal the risk was that followed."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.adaptive_portfolio.risk_parity.fit import (
    FEWEST_SYMBOLS,
    ParityFit,
    ParityRule,
    candidates,
    fitted_at,
)
from slices.adaptive_portfolio.risk_parity.realised import realised_risk
from slices.adaptive_portfolio.walking import (
    as_targets,
    decision_dates,
    leverage,
    probed,
    rows_of,
)
from slices.domain.errors import ComputationError, InfeasibleError, InsufficientHistoryError
from slices.domain.factor_portfolios import CovarianceEstimator, EqualRisk, EstimatorEvaluation
from slices.domain.portfolio import RiskContribution
from slices.quant.contributions import risk_contributions
from slices.quant.panel import read_panel
from slices.quant.types import FloatArray

if TYPE_CHECKING:
    import datetime as dt

    from slices.domain.backtests import TargetWeights
    from slices.domain.dataset import DatasetRef
    from slices.domain.parameters import RebalanceFrequency
    from slices.quant.panel import Panel


@dataclass(frozen=True, kw_only=True, eq=False)
class Refits:
    """What was fitted at each date.

    Attributes:
        weights: T x N fractions of equity; NaN where nothing is decided.
        forecasts: T volatilities per session of weights that sum to 1, as estimated; NaN likewise.
        deviation: The largest of any fit.
        count: How many dates there were.
        reasons: Why there was no answer, one sentence for each date without.
    """

    weights: FloatArray
    forecasts: FloatArray
    deviation: float
    count: int
    reasons: tuple[str, ...]


def equal_risk(bars: DatasetRef, *, rule: ParityRule) -> EqualRisk:
    """Fit equal-risk weights to the newest window and prove the risks equal.

    Raises:
        InsufficientHistoryError: Where fewer than two symbols have a whole window of bars.
        InfeasibleError: Where risk cannot be shared.
        ConvergenceError: Where a share of risk deviates by 1e-6 or more from an equal one.
    """
    panel = read_panel(bars)
    row = len(panel.sessions) - 1
    whole = candidates(panel, rule)[row]
    if whole.sum() < FEWEST_SYMBOLS:
        raise InsufficientHistoryError(
            symbol=f"{int(whole.sum())} of {whole.size} symbols have every session of the newest "
            "window; the second",
            needed=rule.lookback_sessions + 1,
            found=int(np.sort(_newest_run(panel))[-2]),
        )
    fit = fitted_at(panel, rule, row, np.flatnonzero(whole))
    year = panel.periods_per_year
    return EqualRisk(
        estimator=rule.estimator,
        session=panel.sessions[row],
        window_sessions=rule.lookback_sessions,
        contributions=_contributions(panel, fit),
        largest_deviation=fit.deviation,
        annualized_volatility=fit.volatility * math.sqrt(year),
        leverage=_leverage(fit, rule, year),
        left_out=tuple(panel.symbols[at] for at in np.flatnonzero(~whole)),
    )


def _newest_run(panel: Panel) -> FloatArray:
    """Count the newest bars in a row of each symbol."""
    backwards = np.isfinite(panel.close[::-1])
    return np.asarray(np.cumprod(backwards, axis=0).sum(axis=0), dtype=np.float64)


def _contributions(panel: Panel, fit: ParityFit) -> tuple[RiskContribution, ...]:
    year = math.sqrt(panel.periods_per_year)
    added = risk_contributions(fit.weights, fit.covariance)
    volatilities = np.sqrt(np.diag(fit.covariance))
    return tuple(
        RiskContribution(
            symbol=panel.symbols[place],
            weight=float(fit.weights[at]),
            annualized_volatility=float(volatilities[at]) * year,
            contribution=float(added[at]) * year,
            share=float(added[at] / added.sum()),
        )
        for at, place in enumerate(fit.places)
    )


def _leverage(fit: ParityFit, rule: ParityRule, periods_per_year: int) -> float:
    if rule.target_volatility is None:
        return min(1.0, rule.gross_exposure)
    return leverage(
        fit.weights,
        fit.covariance,
        target_volatility=rule.target_volatility,
        gross_exposure=rule.gross_exposure,
        periods_per_year=periods_per_year,
    )


def risk_parity_targets(
    bars: DatasetRef,
    *,
    rule: ParityRule,
    rebalance: RebalanceFrequency = "monthly",
    seed: int = 0,
) -> TargetWeights:
    """Fit equal-risk weights at the end of every period, to the window that ends there.

    Args:
        bars: The symbols; each takes part while its window has no hole.
        rule: How weights are found.
        rebalance: Weights are fitted at the last session of every such period.
        seed: Of the cuts at which the rule is proven not to look ahead.

    Raises:
        InsufficientHistoryError: Where fewer than 63 sessions follow the first fit.
        ConvergenceError: Where any fit's shares of risk did not become equal.
    """
    panel = read_panel(bars)
    dates = _dates(panel, rule, rebalance)
    refits = refitted(panel, rule, dates)
    probe = probed(
        lambda known: refitted(known, rule, dates).weights,
        panel,
        lookback_sessions=rule.lookback_sessions,
        seed=seed,
    )
    return as_targets("Risk parity", panel, refits.weights, first_session=dates[0], probe=probe)


def _dates(panel: Panel, rule: ParityRule, rebalance: RebalanceFrequency) -> tuple[dt.date, ...]:
    able = candidates(panel, rule).sum(axis=1) >= FEWEST_SYMBOLS
    return decision_dates(panel, rebalance, able)


def refitted(
    panel: Panel,
    rule: ParityRule,
    dates: tuple[dt.date, ...],
    *,
    excused: tuple[type[ComputationError], ...] = (InfeasibleError,),
) -> Refits:
    """Fit at each date from closes up to it; a symbol that is no candidate gets a weight of 0.

    Args:
        panel: The symbols.
        rule: How weights are found.
        dates: When.
        excused: What a fit may fail with; nothing is decided then.

    Raises:
        ConvergenceError: Where a fit's shares of risk did not become equal, if not excused.
    """
    whole = candidates(panel, rule)
    weights = np.full(panel.close.shape, np.nan)
    forecasts = np.full(panel.close.shape[0], np.nan)
    rows, deviation, reasons = rows_of(panel, dates), 0.0, []
    for row in rows:
        try:
            fit = fitted_at(panel, rule, row, np.flatnonzero(whole[row]))
        except excused as error:
            reasons.append(str(error))
            continue
        weights[row] = 0.0
        weights[row, fit.places] = fit.weights * _leverage(fit, rule, panel.periods_per_year)
        forecasts[row] = fit.volatility
        deviation = max(deviation, fit.deviation)
    return Refits(
        weights=weights,
        forecasts=forecasts,
        deviation=deviation,
        count=int(rows.size),
        reasons=tuple(reasons),
    )


def evaluate_estimator(
    bars: DatasetRef,
    estimator: CovarianceEstimator,
    *,
    rule: ParityRule,
    rebalance: RebalanceFrequency = "monthly",
) -> EstimatorEvaluation:
    """Measure how equal the risk was that followed from one covariance estimator.

    Leverage and costs play no part: shares of risk do not depend on them.

    Raises:
        InsufficientHistoryError: Where fewer than 63 sessions follow the first fit.
    """
    panel = read_panel(bars)
    plain = dataclasses.replace(
        rule, estimator=estimator, target_volatility=None, gross_exposure=1.0
    )
    dates = _dates(panel, plain, rebalance)
    refits = refitted(panel, plain, dates, excused=(ComputationError,))
    realised = realised_risk(panel, refits.weights, refits.forecasts)
    weights, reason = _newest_weights(panel, plain)
    return EstimatorEvaluation(
        estimator=estimator,
        symbols=panel.symbols,
        weights=weights,
        undefined_reason=reason,
        refits=refits.count,
        undefined_refits=len(refits.reasons),
        refit_reasons=tuple(dict.fromkeys(refits.reasons)),
        largest_deviation=refits.deviation,
        realised_shares=tuple(realised.shares.tolist()),
        equal_shares=tuple(realised.equal_shares.tolist()),
        realised_deviation=realised.deviation,
        yearly_deviation=realised.yearly_deviation,
        volatility_ratio=realised.volatility_ratio,
    )


def _newest_weights(panel: Panel, rule: ParityRule) -> tuple[tuple[float, ...], str]:
    row = len(panel.sessions) - 1
    try:
        fit = fitted_at(panel, rule, row, np.flatnonzero(candidates(panel, rule)[row]))
    except ComputationError as error:
        return (), str(error)
    weights = np.full(len(panel.symbols), np.nan)
    weights[fit.places] = fit.weights
    return tuple(weights.tolist()), ""
