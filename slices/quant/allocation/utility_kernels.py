"""The compiled active set method where every weight may stay, and costs something to move."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.quant.allocation.active_set import (
    ROOM,
    append_row,
    gradient_at,
    longest_step,
    newton_direction,
    remove_row,
)
from slices.quant.compiled import compiled

if TYPE_CHECKING:
    from slices.quant.types import FloatArray, IntArray


@compiled
def side_above(weight: float, held: float, upper: float) -> float:
    """Return the side of what is held on which a weight rises: 1 above it, -1 up to it."""
    return 1.0 if weight >= held - ROOM and upper - held > ROOM else -1.0


@compiled
def side_below(weight: float, held: float) -> float:
    """Return the side of what is held on which a weight falls: 1 down to it, -1 below it."""
    return 1.0 if weight > held + ROOM else -1.0


@compiled
def free_parts(
    hessian: FloatArray, weights: FloatArray, held: FloatArray, lower: FloatArray, upper: FloatArray
) -> tuple[FloatArray, IntArray, FloatArray, int]:
    """Find the weights that are neither at a bound nor at what is held, and factor their part.

    Returns:
        The Cholesky factor, the positions of the free weights in its order, the side of what is
        held on which each is (0 where it is not free), and how many are free; one at least.
    """
    count = weights.size
    factor, row = np.empty((count, count)), np.empty(count)
    free, side, size = np.empty(count, np.int64), np.zeros(count), 0
    for i in range(count):
        inside = weights[i] - lower[i] > ROOM and upper[i] - weights[i] > ROOM
        if inside and abs(weights[i] - held[i]) > ROOM:
            free[size], side[i] = i, 1.0 if weights[i] > held[i] else -1.0
            size += 1
    if size == 0:
        widest = np.argmax(upper - lower)
        free[0], size = widest, 1
        side[widest] = side_above(weights[widest], held[widest], upper[widest])
    for k in range(size):
        for j in range(k + 1):
            row[j] = hessian[free[k], free[j]]
        append_row(factor, k, row)
    return factor, free, side, size


@compiled
def worst_wish(
    gradient: FloatArray,
    multiplier: float,
    weights: FloatArray,
    side: FloatArray,
    held: FloatArray,
    costs: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
) -> tuple[float, int, float]:
    """Find the weight that most wants to move, although it costs.

    Returns:
        By how much its slope differs from the multiplier, 0 if none wants to; which it is; and
        the side of what is held it moves on.
    """
    worst, entering, entered = 0.0, -1, 0.0
    for i in range(weights.size):
        if side[i] != 0.0:
            continue
        if upper[i] - weights[i] > ROOM:
            above = side_above(weights[i], held[i], upper[i])
            wish = multiplier - gradient[i] - above * costs[i]
            if wish > worst:
                worst, entering, entered = wish, i, above
        if weights[i] - lower[i] > ROOM:
            below = side_below(weights[i], held[i])
            wish = gradient[i] + below * costs[i] - multiplier
            if wish > worst:
                worst, entering, entered = wish, i, below
    return worst, entering, entered


@compiled
def utility_residual(
    gradient: FloatArray,
    weights: FloatArray,
    side: FloatArray,
    held: FloatArray,
    costs: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
) -> float:
    """Return how far the optimality conditions are from holding.

    All free weights must have the same slope, costs included, and no other may want to move.
    """
    is_free = np.abs(side)
    slopes = gradient + side * costs
    multiplier = np.sum(slopes * is_free) / np.sum(is_free)
    residual, _, _ = worst_wish(gradient, multiplier, weights, side, held, costs, lower, upper)
    return float(max(residual, np.max(np.abs(slopes - multiplier) * is_free)))


@compiled
def utility_qp(
    hessian: FloatArray,
    linear: FloatArray,
    costs: FloatArray,
    held: FloatArray,
    limits: tuple[FloatArray, FloatArray],
    start: FloatArray,
    tolerance: float,
    most: int,
) -> tuple[FloatArray, int, float]:
    """Minimize w'Hw/2 - q'w + sum of c|w - h| over weights that sum to 1 within bounds.

    The active set method of `box_qp` with a third place to stay at besides the two bounds: what
    is held, where the slope jumps by twice the cost. Free weights move on one side of it and stop
    when they reach it; a weight leaves it when its slope differs from that of the free ones by
    more than the cost. Nothing is smoothed, and weights that should not trade do not move at all.

    Args:
        hessian: N x N, positive definite, mean diagonal about 1.
        linear: q, N values.
        costs: c, N values, at least 0.
        held: h, N values within the bounds.
        limits: N smallest and N largest weights.
        start: Weights within the bounds with sum 1; near the answer is faster.
        tolerance: Of the optimality conditions, in units of the gradient.
        most: Iterations after which to give up.

    Returns:
        Weights, iterations, and the largest violation of the optimality conditions, computed
        afresh from the weights.

    References:
        Nocedal, Wright (2006), Numerical Optimization, algorithm 16.3; the third place after
        Best, Hlouskova (2005), An Algorithm for Portfolio Optimization with Transaction Costs.
    """
    lower, upper = limits
    weights, row, iteration = start.copy(), np.empty(start.size), 0
    factor, free, side, size = free_parts(hessian, weights, held, lower, upper)
    gradient = gradient_at(hessian, linear, weights)
    for iteration in range(1, most + 1):  # noqa: B007 - reported
        lowest = np.where(side > 0, held, lower)
        highest = np.where(side > 0, upper, held)
        step, multiplier = newton_direction(factor, free, size, gradient + side * costs)
        share, blocking = longest_step(weights, step, free, size, lowest, highest)
        for k in range(size):
            weights[free[k]] += share * step[k]
            gradient += share * step[k] * hessian[free[k]]
        if blocking >= 0:
            symbol = free[blocking]
            weights[symbol] = lowest[symbol] if step[blocking] < 0 else highest[symbol]
            side[symbol] = 0.0
            remove_row(factor, size, blocking)
            free[blocking : size - 1] = free[blocking + 1 : size]
            size -= 1
            continue
        wish, entering, entered = worst_wish(
            gradient, multiplier, weights, side, held, costs, lower, upper
        )
        if wish <= tolerance:
            break
        free[size], side[entering] = entering, entered
        for j in range(size + 1):
            row[j] = hessian[entering, free[j]]
        append_row(factor, size, row)
        size += 1
    gradient = gradient_at(hessian, linear, weights)
    residual = utility_residual(gradient, weights, side, held, costs, lower, upper)
    return weights, iteration, residual
