"""The compiled active set method for quadratic programs over weights within bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.quant.compiled import compiled

if TYPE_CHECKING:
    from slices.quant.types import FloatArray, IntArray

ROOM = 1e-13
"""Closer to a bound than this is at the bound."""

LEAST_PIVOT = 1e-14
"""Smallest squared pivot of a Cholesky factor of a matrix with mean diagonal 1."""


@compiled
def append_row(factor: FloatArray, size: int, row: FloatArray) -> None:
    """Extend the leading `size` rows of a Cholesky factor, in place.

    Args:
        factor: Lower triangular factor with room for another row.
        size: Rows in use.
        row: The matrix' new row up to and including its diagonal: `size` + 1 values.
    """
    diagonal = row[size]
    for i in range(size):
        total = row[i]
        for j in range(i):
            total -= factor[i, j] * factor[size, j]
        factor[size, i] = total / factor[i, i]
        diagonal -= factor[size, i] ** 2
    factor[size, size] = np.sqrt(max(diagonal, LEAST_PIVOT))


@compiled
def remove_row(factor: FloatArray, size: int, position: int) -> None:
    """Delete a row and column of a Cholesky factor, in place, by plane rotations."""
    for i in range(position, size - 1):
        factor[i, : i + 2] = factor[i + 1, : i + 2]
    for i in range(position, size - 1):
        radius = np.hypot(factor[i, i], factor[i, i + 1])
        cosine, sine = factor[i, i] / radius, factor[i, i + 1] / radius
        for j in range(i, size - 1):
            left, right = factor[j, i], factor[j, i + 1]
            factor[j, i] = cosine * left + sine * right
            factor[j, i + 1] = cosine * right - sine * left


@compiled
def newton_direction(
    factor: FloatArray, free: IntArray, size: int, gradient: FloatArray
) -> tuple[FloatArray, float]:
    """Solve for the step of the free weights that keeps their sum, and for its multiplier.

    Returns:
        The `size` steps d with H d = multiplier - gradient and sum 0, and the multiplier, which
        is the gradient that all free weights have after the full step.
    """
    forward, ones = np.empty(size), np.empty(size)
    for i in range(size):
        total, one = -gradient[free[i]], 1.0
        for j in range(i):
            total -= factor[i, j] * forward[j]
            one -= factor[i, j] * ones[j]
        forward[i], ones[i] = total / factor[i, i], one / factor[i, i]
    multiplier = -np.sum(forward * ones) / np.sum(ones * ones)
    if size == 1:
        return np.zeros(1), multiplier
    step = forward + multiplier * ones
    for i in range(size - 1, -1, -1):
        step[i] /= factor[i, i]
        for j in range(i):
            step[j] -= factor[i, j] * step[i]
    return step, multiplier


@compiled
def longest_step(
    weights: FloatArray,
    step: FloatArray,
    free: IntArray,
    size: int,
    lower: FloatArray,
    upper: FloatArray,
) -> tuple[float, int]:
    """Return the share of the step that stays within the bounds, and who stops it (-1: nobody)."""
    share, blocking = 1.0, -1
    for i in range(size):
        symbol = free[i]
        bound = lower[symbol] if step[i] < 0 else upper[symbol]
        room = abs(bound - weights[symbol])
        if room < share * abs(step[i]):
            share, blocking = room / abs(step[i]), i
    return share, blocking


@compiled
def worst_violation(
    gradient: FloatArray,
    multiplier: float,
    weights: FloatArray,
    is_free: IntArray,
    lower: FloatArray,
    upper: FloatArray,
) -> tuple[float, int]:
    """Find the weight at a bound that most wants to leave it; its violation is 0 if none does."""
    worst, entering = 0.0, -1
    for i in range(weights.size):
        if is_free[i] == 1 or upper[i] - lower[i] <= ROOM:
            continue
        pull = gradient[i] - multiplier
        violation = -pull if weights[i] - lower[i] <= upper[i] - weights[i] else pull
        if violation > worst:
            worst, entering = violation, i
    return worst, entering


@compiled
def kkt_residual(
    gradient: FloatArray,
    weights: FloatArray,
    is_free: IntArray,
    lower: FloatArray,
    upper: FloatArray,
) -> float:
    """Return how far the optimality conditions are from holding.

    All free weights must have the same gradient, and none at a bound may want to leave it.
    """
    multiplier = np.sum(gradient * is_free) / np.sum(is_free)
    residual, _ = worst_violation(gradient, multiplier, weights, is_free, lower, upper)
    for i in range(weights.size):
        if is_free[i] == 1:
            residual = max(residual, abs(gradient[i] - multiplier))
    return residual


@compiled
def free_factor(
    hessian: FloatArray, weights: FloatArray, lower: FloatArray, upper: FloatArray
) -> tuple[FloatArray, IntArray, IntArray, int]:
    """Find the weights away from their bounds and factor their part of the matrix.

    Returns:
        The Cholesky factor, the positions of the free weights in its order, marks of which
        weights are free, and how many are; one at least.
    """
    count = weights.size
    factor, row = np.empty((count, count)), np.empty(count)
    free, is_free, size = np.empty(count, np.int64), np.zeros(count, np.int64), 0
    widest = np.argmax(upper - lower)
    for i in range(count):
        if weights[i] - lower[i] > ROOM and upper[i] - weights[i] > ROOM:
            free[size], is_free[i] = i, 1
            size += 1
    if size == 0:
        free[0], is_free[widest], size = widest, 1, 1
    for k in range(size):
        for j in range(k + 1):
            row[j] = hessian[free[k], free[j]]
        append_row(factor, k, row)
    return factor, free, is_free, size


@compiled
def gradient_at(hessian: FloatArray, linear: FloatArray, weights: FloatArray) -> FloatArray:
    """Return Hw - q, skipping weights of zero."""
    gradient = -linear
    for i in range(weights.size):
        if weights[i] != 0.0:
            gradient += weights[i] * hessian[i]
    return gradient


@compiled
def box_qp(
    hessian: FloatArray,
    linear: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    start: FloatArray,
    tolerance: float,
    most: int,
) -> tuple[FloatArray, int, float]:
    """Minimize w'Hw/2 - q'w over weights that sum to 1 within bounds.

    A primal active set method: the free weights go to their common optimum; the first to reach a
    bound stays there; when all have arrived, the weight that most wants to leave its bound
    becomes free. The Cholesky factor of the free part follows by updates, so a step costs as many
    operations as there are free weights, squared, plus that number times all weights.

    Args:
        hessian: N x N, positive definite, mean diagonal about 1.
        linear: q, N values.
        lower: N smallest weights.
        upper: N largest weights.
        start: Weights within the bounds with sum 1; near the answer is faster.
        tolerance: Of the optimality conditions, in units of the gradient.
        most: Iterations after which to give up.

    Returns:
        Weights, iterations, and the largest violation of the optimality conditions, computed
        afresh from the weights.

    References:
        Nocedal, Wright (2006), Numerical Optimization, algorithm 16.3.
    """
    weights = start.copy()
    factor, free, is_free, size = free_factor(hessian, weights, lower, upper)
    gradient, row, iteration = gradient_at(hessian, linear, weights), np.empty(start.size), 0
    for iteration in range(1, most + 1):  # noqa: B007 - reported
        step, multiplier = newton_direction(factor, free, size, gradient)
        share, blocking = longest_step(weights, step, free, size, lower, upper)
        for k in range(size):
            weights[free[k]] += share * step[k]
            gradient += share * step[k] * hessian[free[k]]
        if blocking >= 0:
            symbol = free[blocking]
            weights[symbol] = lower[symbol] if step[blocking] < 0 else upper[symbol]
            is_free[symbol] = 0
            remove_row(factor, size, blocking)
            free[blocking : size - 1] = free[blocking + 1 : size]
            size -= 1
            continue
        violation, entering = worst_violation(gradient, multiplier, weights, is_free, lower, upper)
        if violation <= tolerance:
            break
        free[size], is_free[entering] = entering, 1
        for j in range(size + 1):
            row[j] = hessian[entering, free[j]]
        append_row(factor, size, row)
        size += 1
    gradient = gradient_at(hessian, linear, weights)
    return weights, iteration, kkt_residual(gradient, weights, is_free, lower, upper)
