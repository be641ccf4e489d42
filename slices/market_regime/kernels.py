"""Compiled loops of regimes: latches, the hidden Markov model's recursions, the GARCH filter."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.quant.compiled import compiled

if TYPE_CHECKING:
    from slices.quant.types import BoolArray, FloatArray, IntArray

LEAST_DENSITY = 1e-300
"""Of an observation in a state, over that in its best one; no state is ever impossible."""


@compiled
def latched(entering: BoolArray, staying: BoolArray) -> BoolArray:
    """Switch on where `entering` holds and off where `staying` no longer does."""
    on = np.zeros(entering.size, dtype=np.bool_)
    state = False
    for t in range(entering.size):
        state = staying[t] if state else entering[t]
        on[t] = state
    return on


@compiled
def settled(codes: IntArray, minimum: int, urgent: int) -> IntArray:
    """Hold every code for at least `minimum` steps; only `urgent` may cut one short.

    Args:
        codes: T codes; negative where unknown, which stays as it is.
        minimum: Least length of a spell.
        urgent: The code that is entered at once.
    """
    held = codes.copy()
    current, age = -1, 0
    for t in range(codes.size):
        if codes[t] < 0:
            continue
        is_new = codes[t] != current
        if is_new and (current < 0 or age >= minimum or codes[t] == urgent):
            current, age = codes[t], 0
        age += 1
        held[t] = current
    return held


@compiled
def relative_densities(
    returns: FloatArray, means: FloatArray, variances: FloatArray
) -> tuple[FloatArray, float]:
    """Return T x K normal densities, each row over its largest, and the sum of their logarithms."""
    sessions, states = returns.size, means.size
    densities, total = np.empty((sessions, states)), 0.0
    for t in range(sessions):
        largest = -np.inf
        for k in range(states):
            deviation = returns[t] - means[k]
            densities[t, k] = -0.5 * (
                math.log(2.0 * math.pi * variances[k]) + deviation * deviation / variances[k]
            )
            largest = max(largest, densities[t, k])
        total += largest
        for k in range(states):
            densities[t, k] = max(math.exp(densities[t, k] - largest), LEAST_DENSITY)
    return densities, total


@compiled
def filtered_probabilities(
    densities: FloatArray, start: FloatArray, transitions: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Run Hamilton's forward recursion: each row knows the observations up to it and no more.

    Args:
        densities: T x K, of each observation in each state, up to a factor per row.
        start: K probabilities before the first observation.
        transitions: K x K, from the row's state to the column's.

    Returns:
        T x K probabilities given the past, and T likelihoods of each observation given the ones
        before, up to the same factors.
    """
    sessions, states = densities.shape
    filtered, likelihoods = np.empty((sessions, states)), np.empty(sessions)
    for t in range(sessions):
        total = 0.0
        for j in range(states):
            prior = start[j]
            if t > 0:
                prior = 0.0
                for i in range(states):
                    prior += filtered[t - 1, i] * transitions[i, j]
            filtered[t, j] = prior * densities[t, j]
            total += filtered[t, j]
        likelihoods[t] = total
        for j in range(states):
            filtered[t, j] /= total
    return filtered, likelihoods


@compiled
def smoothed_counts(
    densities: FloatArray, filtered: FloatArray, likelihoods: FloatArray, transitions: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Run the backward recursion, for fitting only: its probabilities know the future.

    Returns:
        T x K smoothed probabilities and K x K expected numbers of transitions.
    """
    sessions, states = densities.shape
    smoothed, counts = filtered.copy(), np.zeros((states, states))
    later, now = np.ones(states), np.ones(states)
    for t in range(sessions - 2, -1, -1):
        for i in range(states):
            now[i] = 0.0
            for j in range(states):
                step = transitions[i, j] * densities[t + 1, j] * later[j] / likelihoods[t + 1]
                counts[i, j] += filtered[t, i] * step
                now[i] += step
            smoothed[t, i] = filtered[t, i] * now[i]
        for i in range(states):
            later[i] = now[i]
    return smoothed, counts


@compiled
def renewed_moments(
    returns: FloatArray, smoothed: FloatArray, least_variance: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the weighted mean, variance and total weight of each state."""
    sessions, states = smoothed.shape
    means, variances, weights = np.zeros(states), np.zeros(states), np.zeros(states)
    for t in range(sessions):
        for k in range(states):
            weights[k] += smoothed[t, k]
            means[k] += smoothed[t, k] * returns[t]
    means /= np.maximum(weights, 1e-300)
    for t in range(sessions):
        for k in range(states):
            variances[k] += smoothed[t, k] * (returns[t] - means[k]) ** 2
    variances = np.maximum(variances / np.maximum(weights, 1e-300), least_variance)
    return means, variances, weights


@compiled
def baum_welch(
    returns: FloatArray,
    start: FloatArray,
    transitions: FloatArray,
    means: FloatArray,
    variances: FloatArray,
    least_variance: float,
    tolerance: float,
    most_iterations: int,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray, tuple[float, float, int]]:
    """Raise the likelihood of a Gaussian hidden Markov model until a step gains too little.

    Args:
        returns: T observations.
        start: K probabilities before the first; like the next three the point to begin at.
        transitions: K x K.
        means: K.
        variances: K.
        least_variance: Smallest variance a state may have.
        tolerance: Gain in log-likelihood below which the iteration ends.
        most_iterations: After so many it ends anyway.

    Returns:
        Start, transitions, means, variances and expected sessions of each state; log-likelihood
        of these parameters but for the last step, its last gain, and iterations made.
    """
    likelihood, gain, weights = -np.inf, np.inf, np.zeros(means.size)
    done = 0
    while done < most_iterations and gain >= tolerance:
        densities, scale = relative_densities(returns, means, variances)
        filtered, likelihoods = filtered_probabilities(densities, start, transitions)
        reached = scale + np.sum(np.log(likelihoods))
        gain, likelihood = reached - likelihood, reached
        smoothed, counts = smoothed_counts(densities, filtered, likelihoods, transitions)
        means, variances, weights = renewed_moments(returns, smoothed, least_variance)
        start = smoothed[0].copy()
        left = counts.sum(axis=1).reshape((-1, 1))
        transitions = np.where(left > 0.0, counts / np.maximum(left, 1e-300), transitions)
        done += 1
    return start, transitions, means, variances, weights, (likelihood, gain, done)


@compiled
def garch_variances(
    residuals: FloatArray, omega: float, alpha: float, beta: float, first: float
) -> FloatArray:
    """Return T + 1 conditional variances: row t knows the residuals before t and no more.

    Args:
        residuals: T returns less their mean.
        omega: Constant.
        alpha: Weight of the last squared residual.
        beta: Weight of the last variance.
        first: Stands for the squared residual and the variance before the first session.
    """
    variances = np.empty(residuals.size + 1)
    variances[0] = omega + (alpha + beta) * first
    for t in range(residuals.size):
        variances[t + 1] = omega + alpha * residuals[t] ** 2 + beta * variances[t]
    return variances
