"""A Gaussian hidden Markov model of returns, fitted by maximum likelihood from several starts.

The iteration climbs to the nearest top, and the nearest is often not the highest: from one
k-means start a fit of daily returns stopped 240 log-likelihood short. So it begins from groups of
sessions by volatility, measured over several windows and cut in several ways, and the best stays.

Reference: Hamilton (1989), "A New Approach to the Economic Analysis of Nonstationary Time Series";
Baum et al. (1970) for the iteration.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from slices.domain.errors import BadDataError, ConvergenceError, InfeasibleError
from slices.market_regime.series import FLAT
from slices.quant.types import FloatArray, IntArray

START_WINDOWS = (1, 10, 42)
"""Sessions over which the volatility that starts the iteration is measured."""
TOP_SHARES = (0.5, 0.15)
"""Shares of the sessions that the groups above the quietest take."""
TOLERANCE = 1e-3
"""Gain in log-likelihood below which the iteration ends."""
MOST_ITERATIONS = 2000
LEAST_VARIANCE = 1e-4
"""Of a state, as a fraction of the variance of all returns."""
FEWEST_SESSIONS = 10.0
"""A state expected in fewer sessions explains outliers, not a state of the market."""


@dataclass(frozen=True, kw_only=True, eq=False)
class HiddenMarkovModel:
    """K normal distributions of one session's log return and the chain that moves among them.

    Attributes:
        start: K probabilities before the first observation.
        transitions: K x K, from the row's state to the column's.
        means: K, of log returns per session.
        variances: K, rising.
    """

    start: FloatArray
    transitions: FloatArray
    means: FloatArray
    variances: FloatArray

    def filtered(self, returns: FloatArray) -> FloatArray:
        """Return T x K probabilities, each row from the returns up to it alone."""
        from slices.market_regime.kernels import filtered_probabilities, relative_densities

        densities, _ = relative_densities(returns, self.means, self.variances)
        return filtered_probabilities(densities, self.start, self.transitions)[0]

    def log_likelihood(self, returns: FloatArray) -> float:
        """Return the log-likelihood of returns under these parameters."""
        from slices.market_regime.kernels import filtered_probabilities, relative_densities

        densities, scale = relative_densities(returns, self.means, self.variances)
        likelihoods = filtered_probabilities(densities, self.start, self.transitions)[1]
        return float(scale + np.log(likelihoods).sum())


@dataclass(frozen=True, kw_only=True, eq=False)
class HiddenMarkovEstimate:
    """The best of several fits.

    Attributes:
        start_log_likelihoods: What each start arrived at; -inf where a state was left without
            sessions.
    """

    model: HiddenMarkovModel
    log_likelihood: float
    start_log_likelihoods: tuple[float, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Climb:
    model: HiddenMarkovModel
    log_likelihood: float
    sessions: float
    gain: float
    iterations: int


def fitted_model(
    returns: FloatArray,
    *,
    label: str,
    states: int = 2,
    previous: HiddenMarkovModel | None = None,
    tolerance: float = TOLERANCE,
) -> HiddenMarkovEstimate:
    """Fit by expectation maximization from every start and keep the most likely.

    Args:
        returns: T log returns.
        label: What they are of, for messages.
        states: K, at least 2.
        previous: An earlier fit, one more point to start from.
        tolerance: Gain in log-likelihood below which an iteration ends.

    Raises:
        BadDataError: Where the returns are all alike.
        ConvergenceError: Where no start converged.
        InfeasibleError: Where every start leaves some state without sessions.
    """
    spread = float(returns.std())
    if not spread > FLAT:
        raise BadDataError(dataset=label, problem="the level never changes")
    begun = [_grouped_start(returns, labels, states) for labels in _groupings(returns, states)]
    climbs = [
        _climbed(returns, each, spread, tolerance)
        for each in [*begun, *([previous] if previous else [])]
    ]
    reached = tuple(each.log_likelihood if _has_states(each) else -np.inf for each in climbs)
    done = [each for each in climbs if _has_states(each) and each.gain < tolerance]
    if not done:
        raise _no_answer(climbs, label, states)
    best = max(done, key=lambda each: each.log_likelihood)
    return HiddenMarkovEstimate(
        model=_by_volatility(best.model),
        log_likelihood=best.log_likelihood,
        start_log_likelihoods=reached,
    )


def stationary_shares(transitions: FloatArray) -> FloatArray:
    """Return the long-run share of each state of a chain.

    >>> stationary_shares(np.array([[0.9, 0.1], [0.3, 0.7]])).round(6).tolist()
    [0.75, 0.25]
    """
    states = transitions.shape[0]
    equations = np.vstack([transitions.T - np.eye(states), np.ones(states)])
    shares: FloatArray = np.linalg.lstsq(equations, np.eye(states + 1)[-1], rcond=None)[0]
    return shares


def expected_durations(transitions: FloatArray) -> FloatArray:
    """Return 1 / (1 - p) of the probability p of staying; infinite where nothing leaves.

    >>> expected_durations(np.array([[0.9, 0.1], [0.5, 0.5]])).round(9).tolist()
    [10.0, 2.0]
    """
    leaving = 1.0 - np.diag(transitions)
    return np.where(leaving > 0, 1.0 / np.where(leaving > 0, leaving, 1.0), np.inf)


def _has_states(climb: _Climb) -> bool:
    return bool(climb.sessions >= FEWEST_SESSIONS and np.isfinite(climb.log_likelihood))


def _no_answer(climbs: list[_Climb], label: str, states: int) -> ConvergenceError | InfeasibleError:
    slow = [each for each in climbs if _has_states(each)]
    if slow:
        nearest = min(slow, key=lambda each: each.gain)
        return ConvergenceError(
            method=f"{label}: hidden Markov model with {states} states",
            iterations=nearest.iterations,
            residual=nearest.gain,
        )
    return InfeasibleError(
        problem=f"{label}: none of {len(climbs)} starts found {states} states of at least "
        f"{FEWEST_SESSIONS:.0f} sessions each; fit fewer states or more sessions"
    )


def _groupings(returns: FloatArray, states: int) -> list[IntArray]:
    """Sort sessions into groups of rising volatility, in several ways."""
    size = np.abs(returns - returns.mean())
    found = []
    for window in START_WINDOWS:
        sums = np.cumsum(np.concatenate([np.zeros(window), size]))
        volatility = sums[window:] - sums[:-window]
        for share in TOP_SHARES:
            cuts = 1.0 - share * (np.arange(states - 1, 0, -1) / (states - 1))
            bounds = np.quantile(volatility, np.sort(cuts))
            found.append(np.searchsorted(bounds, volatility).astype(np.int64))
    return found


def _grouped_start(returns: FloatArray, labels: IntArray, states: int) -> HiddenMarkovModel:
    members = [returns[labels == k] for k in range(states)]
    counts = np.ones((states, states))
    np.add.at(counts, (labels[:-1], labels[1:]), 1.0)
    overall = float(returns.var())
    return HiddenMarkovModel(
        start=np.full(states, 1.0 / states),
        transitions=counts / counts.sum(axis=1, keepdims=True),
        means=np.array([each.mean() if each.size else returns.mean() for each in members]),
        variances=np.array(
            [max(each.var() if each.size else 0.0, 0.01 * overall) for each in members]
        ),
    )


def _climbed(
    returns: FloatArray,
    begun: HiddenMarkovModel,
    spread: float,
    tolerance: float,
) -> _Climb:
    """Iterate in units of the returns' deviation, so that the unit of prices changes nothing."""
    from slices.market_regime.kernels import baum_welch

    start, transitions, means, variances, weights, (_, gain, iterations) = baum_welch(
        returns / spread,
        begun.start,
        begun.transitions,
        begun.means / spread,
        begun.variances / spread**2,
        LEAST_VARIANCE,
        tolerance,
        MOST_ITERATIONS,
    )
    model = HiddenMarkovModel(
        start=start,
        transitions=transitions,
        means=means * spread,
        variances=variances * spread**2,
    )
    return _Climb(
        model=model,
        log_likelihood=model.log_likelihood(returns),
        sessions=float(weights.min()),
        gain=float(gain),
        iterations=int(iterations),
    )


def _by_volatility(model: HiddenMarkovModel) -> HiddenMarkovModel:
    order = np.argsort(model.variances, kind="stable")
    return HiddenMarkovModel(
        start=model.start[order],
        transitions=np.ascontiguousarray(model.transitions[np.ix_(order, order)]),
        means=model.means[order],
        variances=model.variances[order],
    )
