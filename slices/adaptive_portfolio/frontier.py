"""The efficient frontier on the newest window."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.adaptive_portfolio.history import read_history
from slices.domain.errors import ParameterError
from slices.domain.parameters import DEFAULT_BOUNDS
from slices.domain.portfolio import EfficientFrontier, FrontierPoint
from slices.quant.allocation.bounds import uniform_bounds
from slices.quant.contributions import portfolio_volatility
from slices.quant.covariance import sample_covariance

if TYPE_CHECKING:
    from slices.domain.dataset import DatasetRef
    from slices.domain.parameters import WeightBounds


def efficient_frontier(
    bars: DatasetRef,
    *,
    lookback_sessions: int = 252,
    bounds: WeightBounds = DEFAULT_BOUNDS,
    points: int = 20,
) -> EfficientFrontier:
    """Find the portfolios of least variance for rising expected returns.

    Expected returns are the means of the newest window and as uncertain as these: the curve
    describes that window and promises nothing.

    Args:
        bars: The symbols; sessions where one has no bar are left out.
        lookback_sessions: Returns in the window, at least 2.
        bounds: Smallest and largest weight of every symbol.
        points: How many portfolios, at least 2.

    Returns:
        Annualized points from least variance to highest expected return; one point where the two
        coincide.

    Raises:
        InsufficientHistoryError: Where the history is shorter than the window.
        InfeasibleError: Where the bounds exclude weights that sum to 1.
        ParameterError: Where the lookback or the number of points is too small.
    """
    from slices.quant.allocation import quadratic

    for name, value in (("lookback_sessions", lookback_sessions), ("points", points)):
        if value < 2:
            raise ParameterError(parameter=name, found=str(value), allowed="at least 2")
    history = read_history(bars)
    returns = history.newest_returns(lookback_sessions)
    year = history.periods_per_year
    mean, covariance = returns.mean(axis=0) * year, sample_covariance(returns) * year
    lower, upper = uniform_bounds(mean.size, smallest=bounds.smallest, largest=bounds.largest)
    portfolios = quadratic.efficient_frontier(mean, covariance, lower, upper, points=points)
    return EfficientFrontier(
        symbols=history.symbols,
        points=tuple(
            FrontierPoint(
                expected_return=float(mean @ weights),
                volatility=portfolio_volatility(weights, covariance),
                weights=tuple(weights.tolist()),
            )
            for weights in portfolios
        ),
        asset_returns=tuple(mean.tolist()),
        asset_volatilities=tuple(math.sqrt(each) for each in np.diag(covariance)),
    )
