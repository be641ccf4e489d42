"""The least expected shortfall, by linear programming on the scenarios that matter."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import ConvergenceError
from slices.quant.allocation.bounds import check_bounds, proportional_within
from slices.quant.covariance import check_returns

if TYPE_CHECKING:
    from highspy import Highs

    from slices.quant.types import FloatArray, IntArray

ROUNDS = 100
TOLERANCE = 1e-9


def min_expected_shortfall(
    returns: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    *,
    confidence: float = 0.95,
    start: FloatArray | None = None,
) -> FloatArray:
    """Return the weights whose mean loss in the worst share 1 - confidence is least.

    The linear program of Rockafellar and Uryasev has one row per session, but only those in the
    tail of the answer matter. It is solved for the worst sessions of a first guess, then again
    with every session whose loss exceeds the value at risk found, until there is none: the answer
    is that of the whole program.

    Args:
        returns: T x N simple returns.
        lower: N smallest weights.
        upper: N largest weights.
        confidence: Between 0 and 1.
        start: Weights whose worst sessions are tried first.

    Raises:
        InfeasibleError: Where no weights within the bounds sum to 1.
        ConvergenceError: Where the solver stops before the optimum.

    References:
        Rockafellar, Uryasev (2000), Optimization of conditional value-at-risk; Kuenzi-Bay, Mayer
        (2006) for solving on a growing set of scenarios.
    """
    scenarios = check_returns(returns, needed=1)
    check_bounds(lower, upper)
    if lower.size == 1:
        return np.ones(1)
    guess = proportional_within(np.ones(lower.size), lower, upper) if start is None else start
    scale = float(np.abs(scenarios).mean()) or 1.0
    scenarios = scenarios / scale
    tail = (1.0 - confidence) * scenarios.shape[0]
    program = _Program(lower, upper, cost=1.0 / tail)
    losses = -(scenarios @ guess)
    fresh = np.argsort(-losses)[: min(losses.size, 2 * math.ceil(tail) + lower.size)]
    inside = np.zeros(losses.size, dtype=np.bool_)
    for _ in range(ROUNDS):
        inside[fresh] = True
        program.add(scenarios[fresh])
        weights, value_at_risk = program.solve()
        losses = -(scenarios @ weights)
        fresh = np.flatnonzero(~inside & (losses > value_at_risk + TOLERANCE))
        if fresh.size == 0:
            return _clean(weights, lower, upper)
    raise ConvergenceError(
        method="least expected shortfall", iterations=ROUNDS, residual=float(fresh.size)
    )


def _clean(weights: FloatArray, lower: FloatArray, upper: FloatArray) -> FloatArray:
    """Remove the solver's rounding: put weights inside their bounds and make the sum exactly 1."""
    inside = np.clip(weights, lower, upper)
    room = upper - inside if inside.sum() < 1.0 else inside - lower
    missing = 1.0 - float(inside.sum())
    return np.asarray(inside + missing * room / max(float(room.sum()), 1e-300), np.float64)


class _Program:
    """Minimize a + cost * sum(excess) with excess_s >= -r_s w - a; columns w, a, then excesses."""

    def __init__(self, lower: FloatArray, upper: FloatArray, *, cost: float) -> None:
        self.symbols = lower.size
        self.cost = cost
        self.model = _quiet_model()
        count = self.symbols
        none = np.empty(0)
        empty = np.empty(0, dtype=np.int32)
        self.model.addCols(
            count + 1,
            np.append(np.zeros(count), 1.0),
            np.append(lower, -np.inf),
            np.append(upper, np.inf),
            0,
            np.zeros(count + 1, dtype=np.int32),
            empty,
            none,
        )
        self.model.addRow(1.0, 1.0, count, np.arange(count, dtype=np.int32), np.ones(count))

    def add(self, scenarios: FloatArray) -> None:
        """Add sessions: one excess column and one row each."""
        count, width = scenarios.shape[0], self.symbols + 2
        first = self.model.getNumCol()
        self.model.addCols(
            count,
            np.full(count, self.cost),
            np.zeros(count),
            np.full(count, np.inf),
            0,
            np.zeros(count, dtype=np.int32),
            np.empty(0, dtype=np.int32),
            np.empty(0),
        )
        self.model.addRows(
            count,
            np.zeros(count),
            np.full(count, np.inf),
            count * width,
            np.arange(count, dtype=np.int32) * width,
            self._columns(count, first).ravel(),
            np.column_stack((scenarios, np.ones((count, 2)))).ravel(),
        )

    def _columns(self, count: int, first: int) -> IntArray:
        shared = np.broadcast_to(np.arange(self.symbols + 1), (count, self.symbols + 1))
        own = np.arange(first, first + count)[:, None]
        return np.concatenate((shared, own), axis=1).astype(np.int32)

    def solve(self) -> tuple[FloatArray, float]:
        """Return the weights and the value at risk of the optimum."""
        from highspy import HighsModelStatus

        self.model.run()
        if self.model.getModelStatus() != HighsModelStatus.kOptimal:
            raise ConvergenceError(
                method="linear program", iterations=int(self.model.getNumRow()), residual=math.nan
            )
        values = np.array(self.model.getSolution().col_value[: self.symbols + 1])
        return values[:-1], float(values[-1])


def _quiet_model() -> Highs:
    from highspy import Highs

    model = Highs()  # type: ignore[no-untyped-call]
    model.silent()
    model.setOptionValue("threads", 1)
    model.setOptionValue("primal_feasibility_tolerance", 1e-10)
    model.setOptionValue("dual_feasibility_tolerance", 1e-10)
    return model
