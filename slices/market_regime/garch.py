"""GARCH(1,1): fitted by `arch`, then run forward by our own filter.

Reference: Bollerslev (1986), "Generalized Autoregressive Conditional Heteroskedasticity".
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import BadDataError, ConvergenceError
from slices.market_regime.series import FLAT

if TYPE_CHECKING:
    from slices.quant.types import FloatArray

BACKCAST_SESSIONS = 75
BACKCAST_DECAY = 0.94
UNIT_ROOT = 1.0 - 1e-9
"""With this persistence or more, shocks to the variance never die out."""


@dataclass(frozen=True, kw_only=True)
class Garch:
    """Parameters of h[t+1] = omega + alpha * e[t]^2 + beta * h[t] with e = return - mean.

    Attributes:
        mean: Log return per session; `omega` is a variance per session.
        backcast: Stands for square and variance before the first return, per session.
    """

    mean: float
    omega: float
    alpha: float
    beta: float
    backcast: float

    @property
    def persistence(self) -> float:
        """Share of a shock to the variance that is left after one session."""
        return self.alpha + self.beta

    @property
    def long_run_variance(self) -> float:
        """Variance per session that forecasts end up at; NaN where shocks never die out."""
        is_stable = self.persistence < UNIT_ROOT
        return self.omega / (1.0 - self.persistence) if is_stable else math.nan

    @property
    def half_life_sessions(self) -> float:
        """Sessions until half a shock is gone; 0 without persistence, infinite with all of it.

        >>> Garch(mean=0.0, omega=1e-6, alpha=0.25, beta=0.25, backcast=2e-6).half_life_sessions
        1.0
        """
        if self.persistence <= 0.0:
            return 0.0
        is_stable = self.persistence < UNIT_ROOT
        return math.log(0.5) / math.log(self.persistence) if is_stable else math.inf

    def variances(self, returns: FloatArray) -> FloatArray:
        """Return T + 1 variances per session; row t is the forecast from the returns before t."""
        from slices.market_regime.kernels import garch_variances

        residuals = returns - self.mean
        return garch_variances(residuals, self.omega, self.alpha, self.beta, self.backcast)

    def mean_variance(self, following: float, sessions: int) -> float:
        """Return the mean variance forecast for the next sessions.

        Args:
            following: Variance of the next one.
            sessions: How many.
        """
        weights = self.persistence ** np.arange(sessions)
        total = following * weights.sum() + self.omega * np.cumsum(weights)[:-1].sum()
        return float(total / sessions)


def backcast(returns: FloatArray) -> float:
    """Return what `arch` puts before the first return, from the returns of the training.

    It is the weighted mean of the first 75 squared deviations from the mean of all; the weights
    fall by 6 % a session.

    >>> backcast(np.array([2.0, -2.0]))
    4.0
    """
    first = (returns - returns.mean())[:BACKCAST_SESSIONS]
    weights = BACKCAST_DECAY ** np.arange(first.size)
    return float((weights / weights.sum() * first**2).sum())


def fitted_garch(returns: FloatArray, *, label: str) -> Garch:
    """Fit by quasi maximum likelihood with normal errors.

    Args:
        returns: T log returns.
        label: What they are of, for messages.

    Raises:
        BadDataError: Where the returns are all alike.
        ConvergenceError: Where the search for the maximum did not end at one.
    """
    from arch import arch_model

    spread = float(returns.std())
    if not spread > FLAT:
        raise BadDataError(dataset=label, problem="the level never changes")
    model = arch_model(returns / spread, mean="Constant", vol="GARCH", p=1, q=1, rescale=False)
    with np.errstate(all="ignore"):
        fit = model.fit(disp="off", show_warning=False)
    mean, omega, alpha, beta = (float(each) for each in fit.params)
    if fit.convergence_flag != 0 or not np.isfinite([mean, omega, alpha, beta]).all():
        raise ConvergenceError(
            method=f"{label}: GARCH(1,1)",
            iterations=int(fit.optimization_result.nit),
            residual=float(np.abs(fit.optimization_result.jac).max()),
        )
    return Garch(
        mean=mean * spread,
        omega=omega * spread**2,
        alpha=alpha,
        beta=beta,
        backcast=backcast(returns),
    )
