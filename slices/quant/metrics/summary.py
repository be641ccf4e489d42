"""The measures every flow shows for a series of returns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.domain.portfolio import Performance
from slices.quant.metrics.dispersion import annualized_volatility, excess_kurtosis, skewness
from slices.quant.metrics.drawdown import max_drawdown, max_drawdown_sessions
from slices.quant.metrics.growth import annualized_return, total_return
from slices.quant.metrics.ratios import calmar_ratio, sharpe_ratio, sortino_ratio
from slices.quant.metrics.sessions import hit_rate
from slices.quant.metrics.tails import expected_shortfall, value_at_risk
from slices.quant.returns import excess_returns

if TYPE_CHECKING:
    from slices.quant.types import FloatArray


def performance(
    returns: FloatArray,
    *,
    periods_per_year: int,
    risk_free_rate: float = 0.0,
    confidence: float = 0.95,
) -> Performance:
    """Measure one series of simple returns.

    Args:
        returns: One return per session.
        periods_per_year: Sessions in a year.
        risk_free_rate: Simple rate per year, such as what idle cash earns; Sharpe and Sortino
            ratio are of returns in excess of it, and everything else is of the returns.
        confidence: Of value at risk and expected shortfall.

    Returns:
        Every measure, NaN where it is undefined.
    """
    excess = excess_returns(
        returns, risk_free_rate=risk_free_rate, periods_per_year=periods_per_year
    )
    return Performance(
        sessions=int(np.size(returns)),
        total_return=total_return(returns),
        annualized_return=annualized_return(returns, periods_per_year=periods_per_year),
        annualized_volatility=annualized_volatility(returns, periods_per_year=periods_per_year),
        sharpe_ratio=sharpe_ratio(excess, periods_per_year=periods_per_year),
        sortino_ratio=sortino_ratio(excess, periods_per_year=periods_per_year),
        calmar_ratio=calmar_ratio(returns, periods_per_year=periods_per_year),
        max_drawdown=max_drawdown(returns),
        max_drawdown_sessions=max_drawdown_sessions(returns),
        skewness=skewness(returns),
        excess_kurtosis=excess_kurtosis(returns),
        hit_rate=hit_rate(returns),
        value_at_risk=value_at_risk(returns, confidence=confidence),
        expected_shortfall=expected_shortfall(returns, confidence=confidence),
    )
