"""The risk of holding fixed weights, measured on the observed history."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.analyze.closes import shared_returns
from slices.domain.calendar import periods_per_year
from slices.domain.parameters import check_weights
from slices.domain.portfolio import HoldingsRisk, RiskContribution, TailMethod, TailRisk
from slices.quant.contributions import diversification_ratio, effective_bets, risk_contributions
from slices.quant.covariance import sample_covariance
from slices.quant.metrics import performance, tails
from slices.quant.metrics.drawdown import drawdowns

if TYPE_CHECKING:
    from slices.domain.dataset import DatasetRef
    from slices.quant.types import FloatArray


def holdings_risk(
    bars: DatasetRef,
    *,
    held_weights: dict[str, float] | None = None,
    capital: float = 100_000.0,
    confidence: float = 0.95,
) -> HoldingsRisk:
    """Describe the risk of these holdings on past data.

    The weights are applied to every session's returns, as if restored each day without cost: it
    is a description of today's holdings, not a backtest.

    Args:
        bars: The symbols held; returns that span a session where one has no bar are left out.
        held_weights: One for each symbol of `bars`, with sum 1; None for equal weights.
        capital: Value of the holdings, in account currency.
        confidence: Of value at risk and expected shortfall.

    Returns:
        Performance, tails by three methods (NaN where Cornish-Fisher is not valid), contributions
        that sum to the annualized volatility, the diversification ratio, and its square, the
        effective number of independent bets (Choueifaty, Froidure, Reynier 2013).

    Raises:
        ParameterError: Where the weights do not fit the symbols or do not sum to 1.
        InsufficientHistoryError: With fewer than three sessions in common.
        BadDataError: Where too many sessions lack a bar of some symbol.
    """
    held = _checked_weights(held_weights, bars.symbols)
    shared = shared_returns(bars)
    portfolio = shared.returns @ held
    covariance = sample_covariance(shared.returns)
    year = periods_per_year(bars.calendar)
    return HoldingsRisk(
        symbols=bars.symbols,
        weights=tuple(held.tolist()),
        capital=capital,
        performance=performance(portfolio, periods_per_year=year, confidence=confidence),
        tails=tail_risks(portfolio, confidence=confidence),
        contributions=_contributions(bars.symbols, held, covariance * year),
        diversification_ratio=diversification_ratio(held, covariance),
        effective_bets=effective_bets(held, covariance),
        drawdown_sessions=shared.sessions,
        drawdowns=tuple(drawdowns(portfolio).tolist()),
    )


def tail_risks(returns: FloatArray, *, confidence: float) -> tuple[TailRisk, ...]:
    """Estimate value at risk and expected shortfall by every method."""
    measures = {
        TailMethod.HISTORICAL: (tails.value_at_risk, tails.expected_shortfall),
        TailMethod.NORMAL: (tails.normal_value_at_risk, tails.normal_expected_shortfall),
        TailMethod.CORNISH_FISHER: (
            tails.cornish_fisher_value_at_risk,
            tails.cornish_fisher_expected_shortfall,
        ),
    }
    return tuple(
        TailRisk(
            method=method,
            confidence=confidence,
            value_at_risk=value_at_risk(returns, confidence=confidence),
            expected_shortfall=expected_shortfall(returns, confidence=confidence),
        )
        for method, (value_at_risk, expected_shortfall) in measures.items()
    )


def _checked_weights(held_weights: dict[str, float] | None, symbols: tuple[str, ...]) -> FloatArray:
    """Put the weights in the order of the symbols."""
    if held_weights is None:
        return np.full(len(symbols), 1.0 / len(symbols))
    check_weights(held_weights, symbols)
    return np.array([held_weights[symbol] for symbol in symbols], dtype=np.float64)


def _contributions(
    symbols: tuple[str, ...], weights: FloatArray, covariance: FloatArray
) -> tuple[RiskContribution, ...]:
    contributions = risk_contributions(weights, covariance)
    total = float(contributions.sum())
    return tuple(
        RiskContribution(
            symbol=symbol,
            weight=float(weights[i]),
            annualized_volatility=math.sqrt(covariance[i, i]),
            contribution=float(contributions[i]),
            share=float(contributions[i]) / total,
        )
        for i, symbol in enumerate(symbols)
    )
