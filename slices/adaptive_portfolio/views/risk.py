"""How symbols vary together now: the window that a decision stands on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.adaptive_portfolio.risk_parity.fit import ParityRule, estimated_covariance
from slices.adaptive_portfolio.walking import complete_windows
from slices.domain.errors import InsufficientHistoryError, counted
from slices.domain.view_portfolio import RiskEstimate
from slices.quant.covariance import correlation
from slices.quant.panel import read_panel
from slices.quant.returns import simple_returns

if TYPE_CHECKING:
    from slices.domain.dataset import DatasetRef
    from slices.domain.view_portfolio import ViewRules
    from slices.quant.types import FloatArray

FEWEST_SYMBOLS = 2


def measure_risk(bars: DatasetRef, *, rules: ViewRules) -> RiskEstimate:
    """Estimate the covariance of the symbols with a bar of every session of the newest window.

    Args:
        bars: Up to the session of the decision.
        rules: Which estimator, on how many returns.

    Raises:
        InsufficientHistoryError: Where fewer than two symbols have a whole window.
    """
    panel, window = read_panel(bars), rules.lookback_sessions
    able = complete_windows(panel.close, window)[-1]
    if able.sum() < FEWEST_SYMBOLS:
        raise InsufficientHistoryError(
            symbol=f"portfolio of {counted(len(panel.symbols), 'symbol')}",
            needed=window + 1,
            found=len(panel.sessions),
        )
    places = np.flatnonzero(able)
    how = ParityRule(estimator=rules.estimator, halflife_sessions=rules.halflife_sessions)
    covariance = estimated_covariance(simple_returns(panel.close[-window - 1 :, places]), how)
    yearly = np.sqrt(np.diag(covariance) * panel.periods_per_year)
    return RiskEstimate(
        session=panel.sessions[-1],
        symbols=tuple(panel.symbols[i] for i in places),
        estimator=rules.estimator,
        window_sessions=window,
        covariance=covariance,
        annualized_volatilities=tuple(yearly.tolist()),
        average_correlation=mean_correlation(covariance),
        left_out=tuple(panel.symbols[i] for i in np.flatnonzero(~able)),
    )


def mean_correlation(covariance: FloatArray) -> float:
    """Return the mean correlation of all pairs.

    >>> round(mean_correlation(np.array([[4.0, 1.0], [1.0, 1.0]])), 9)
    0.5
    """
    relations = correlation(covariance)
    above = relations[np.triu_indices(relations.shape[0], k=1)]
    return float(above.mean()) if above.size else math.nan
