"""Models fitted again and again to the past, and what they said at every close.

Fits are counted from the first return, so that a longer history has the same fits at the same
sessions. A fit at a close is used from that close on until the next one. Where a fit has no answer
the one before stays in use, and the reason is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import BadDataError, ComputationError
from slices.domain.regimes import REGIMES, UNKNOWN
from slices.market_regime.garch import Garch, fitted_garch
from slices.market_regime.hidden import HiddenMarkovEstimate, fitted_model
from slices.market_regime.rules import CRISIS, trend_code
from slices.quant.types import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from slices.domain.errors import TradingError
    from slices.domain.regimes import RegimeModel
    from slices.market_regime.series import ReturnSeries


@dataclass(frozen=True, kw_only=True, eq=False)
class WalkForward:
    """What the models knew at each close.

    Attributes:
        fit_rows: Last rows of training of the fits that have an answer, rising.
        failures: Why the others have none, oldest first.
        state_probabilities: T x K, filtered; NaN before the first fit.
        next_variances: T forecasts per session made at this close for the session after it.
        hidden: The newest fit; so is `garch`.
    """

    fit_rows: tuple[int, ...]
    failures: tuple[str, ...]
    state_probabilities: FloatArray
    next_variances: FloatArray
    hidden: HiddenMarkovEstimate
    garch: Garch


@dataclass(frozen=True, kw_only=True, eq=False)
class _Fit:
    row: int
    hidden: HiddenMarkovEstimate
    garch: Garch


def fit_rows(length: int, settings: RegimeModel) -> tuple[int, ...]:
    """List the rows at whose close models are fitted; none with less than one training.

    >>> from slices.domain.regimes import RegimeModel
    >>> fit_rows(1100, RegimeModel(training_sessions=504, refit_sessions=252))
    (503, 755, 1007)
    """
    return tuple(range(settings.training_sessions - 1, length, settings.refit_sessions))


def walk_forward(series: ReturnSeries, settings: RegimeModel) -> WalkForward:
    """Fit both models at the first close with enough history and then at regular intervals.

    Raises:
        InsufficientHistoryError: With fewer returns than `training_sessions`.
        ConvergenceError: Where no fit has an answer and the last one did not converge.
        InfeasibleError: Where no fit has an answer and the last one does not find so many states.
    """
    series.check_usable(settings.training_sessions)
    returns = series.returns
    rows = fit_rows(returns.size, settings)
    states = np.full((returns.size, settings.states), np.nan)
    variances = np.full(returns.size, np.nan)
    fits: list[_Fit] = []
    errors: list[TradingError] = []
    for row, stop in zip(rows, (*rows[1:], returns.size), strict=True):
        try:
            fits.append(_fit(series, row, settings, fits[-1] if fits else None))
        except (ComputationError, BadDataError) as error:
            errors.append(error)
        if fits:
            states[row:stop] = fits[-1].hidden.model.filtered(returns[:stop])[row:]
            variances[row:stop] = fits[-1].garch.variances(returns[:stop])[row + 1 :]
    if not fits:
        raise errors[-1]
    return WalkForward(
        fit_rows=tuple(each.row for each in fits),
        failures=tuple(str(each) for each in errors),
        state_probabilities=states,
        next_variances=variances,
        hidden=fits[-1].hidden,
        garch=fits[-1].garch,
    )


def _fit(series: ReturnSeries, row: int, settings: RegimeModel, before: _Fit | None) -> _Fit:
    past, label = series.returns[: row + 1], f"{series.label} until {series.sessions[row]}"
    previous = before.hidden.model if before else None
    return _Fit(
        row=row,
        hidden=fitted_model(past, label=label, states=settings.states, previous=previous),
        garch=fitted_garch(past, label=label),
    )


def regime_probabilities(states: FloatArray, trends: IntArray, deep: BoolArray) -> FloatArray:
    """Turn probabilities of states into those of regimes.

    The rule: the quietest state is quiet, every other one volatile, and the most volatile one is a
    crisis while the drawdown is that of a crisis; the trend is the one by rules. States that mean
    the same regime add up.

    Args:
        states: T x K, quietest first.
        trends: T of -1, 0 and 1.
        deep: T marks of a drawdown as deep as a crisis.

    Returns:
        T x 7 in the order of `REGIMES`; NaN where states are.
    """
    rows = np.arange(states.shape[0])
    found = np.zeros((states.shape[0], len(REGIMES)))
    quiet = trend_code(trends)
    last = states.shape[1] - 1
    for state in range(last + 1):
        codes = quiet + int(state > 0)
        codes = np.where(deep, CRISIS, codes) if state == last else codes
        found[rows, codes] += states[:, state]
    found[np.isnan(states).any(axis=1)] = np.nan
    return found


def most_probable(probabilities: FloatArray) -> IntArray:
    """Return the code of the most probable regime of each row, `UNKNOWN` where it is NaN."""
    known = np.isfinite(probabilities).all(axis=1)
    best = np.nan_to_num(probabilities).argmax(axis=1)
    return np.where(known, best, UNKNOWN).astype(np.int64)
