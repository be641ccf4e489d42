"""How sure a Sharpe ratio is: of one track record, and of the best of many trials.

Ratios here are per period, not annualized, and over a risk-free rate of 0. What is undefined, for
too few returns or returns that do not vary, is NaN.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import ParameterError
from slices.quant.metrics.ratios import sharpe_exceedance, sharpe_variance
from slices.quant.metrics.registry import deviation, ratio

if TYPE_CHECKING:
    from slices.quant.types import FloatArray

EULER_MASCHERONI = 0.5772156649015329
_NORMAL = NormalDist()


def period_sharpe_ratio(returns: FloatArray) -> float:
    """Return the mean over the sample deviation (ddof 1), per period.

    >>> round(period_sharpe_ratio(np.array([0.01, 0.03])), 6)
    1.414214
    """
    return ratio(float(returns.mean()), deviation(returns)) if returns.size > 1 else math.nan


def sharpe_ratio_error(sharpe_ratio: float, *, sessions: int) -> float:
    """Return the standard error of a per-period Sharpe ratio of independent normal returns.

    Args:
        sharpe_ratio: Per period.
        sessions: Returns it was estimated from; NaN below two.

    References:
        Lo (2002), The Statistics of Sharpe Ratios, equation 9.

    >>> round(sharpe_ratio_error(0.05, sessions=2520), 6)
    0.019933
    """
    return math.sqrt((1.0 + sharpe_ratio**2 / 2.0) / sessions) if sessions > 1 else math.nan


def minimum_track_record_length(
    returns: FloatArray, *, benchmark_sharpe: float = 0.0, confidence: float = 0.95
) -> float:
    """Return how many returns it takes to tell this Sharpe ratio from a given one.

    Args:
        returns: T returns, whose Sharpe ratio, skewness and kurtosis are taken for the true ones.
        benchmark_sharpe: Per period.
        confidence: Wanted probability that the true ratio is above the given one.

    Returns:
        A number of sessions; infinite where the ratio is not above the given one.

    References:
        Bailey, Lopez de Prado (2012), The Sharpe Ratio Efficient Frontier, equation 11.
    """
    observed, variance = period_sharpe_ratio(returns), sharpe_variance(returns)
    if math.isnan(observed) or math.isnan(variance):
        return math.nan
    if observed <= benchmark_sharpe:
        return math.inf
    deviations = _NORMAL.inv_cdf(confidence) / (observed - benchmark_sharpe)
    return 1.0 + variance * deviations**2


def expected_maximum_sharpe_ratio(*, trials: int, trial_variance: float) -> float:
    """Return the Sharpe ratio that the best of some trials without skill is expected to show.

    Args:
        trials: Number of independent trials, at least 1.
        trial_variance: Variance of the trials' Sharpe ratios; the answer is in the same terms.

    Raises:
        ParameterError: Where there is no trial, or the variance is negative.

    References:
        Bailey, Lopez de Prado (2014), The Deflated Sharpe Ratio.

    >>> round(expected_maximum_sharpe_ratio(trials=100, trial_variance=1.0), 4)
    2.5306
    """
    if trials < 1:
        raise ParameterError(parameter="trials", found=str(trials), allowed="at least 1")
    if trial_variance < 0:
        raise ParameterError(
            parameter="trial_variance", found=f"{trial_variance:g}", allowed="at least 0"
        )
    if trials == 1:
        return 0.0
    first = _NORMAL.inv_cdf(1.0 - 1.0 / trials)
    second = _NORMAL.inv_cdf(1.0 - 1.0 / (trials * math.e))
    mixed = (1.0 - EULER_MASCHERONI) * first + EULER_MASCHERONI * second
    return math.sqrt(trial_variance) * mixed


def deflated_sharpe_ratio(
    returns: FloatArray, *, trials: int = 1, trial_variance: float | None = None
) -> float:
    """Return the probability that the true Sharpe ratio is above what the best trial shows by luck.

    Args:
        returns: T returns of the chosen trial.
        trials: How many were really tried, the chosen one included.
        trial_variance: Variance of the per-period Sharpe ratios of all trials, see
            `sharpe_variance_of`; by default 1 / T, that of trials without skill.

    References:
        Bailey, Lopez de Prado (2014), The Deflated Sharpe Ratio, equation 9.
    """
    if returns.size < 3:
        return math.nan
    spread = 1.0 / returns.size if trial_variance is None else trial_variance
    hurdle = expected_maximum_sharpe_ratio(trials=trials, trial_variance=spread)
    return sharpe_exceedance(returns, benchmark_sharpe=hurdle)


def sharpe_variance_of(trial_sharpes: FloatArray | None) -> float | None:
    """Return the variance (ddof 1) of the per-period Sharpe ratios of trials.

    A trial without a Sharpe ratio, such as one that never traded, is a trial but has no part in
    the variance.

    Returns:
        None with fewer than two ratios: their variance is then not known.

    >>> sharpe_variance_of(np.array([0.0, 0.02, np.nan]))
    0.0002
    """
    if trial_sharpes is None:
        return None
    known = trial_sharpes[np.isfinite(trial_sharpes)]
    return float(known.var(ddof=1)) if known.size > 1 else None
