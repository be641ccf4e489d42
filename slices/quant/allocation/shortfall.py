"""The least expected shortfall, by linear programming on the scenarios that matter."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import ConvergenceError
from slices.quant.allocation.bounds import check_bounds, proportional_within, without_rounding
from slices.quant.covariance import check_returns

if TYPE_CHECKING:
    from highspy import Highs

    from slices.quant.types import FloatArray

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
    program = _Program(lower, upper, most=1.0 / tail)
    losses = -(scenarios @ guess)
    fresh = np.argsort(-losses)[: math.ceil(tail) + lower.size]
    inside = np.zeros(losses.size, dtype=np.bool_)
    for _ in range(ROUNDS):
        inside[fresh] = True
        program.add(scenarios[fresh])
        weights, value_at_risk = program.solve()
        losses = -(scenarios @ weights)
        fresh = np.flatnonzero(~inside & (losses > value_at_risk + TOLERANCE))
        if fresh.size == 0:
            return without_rounding(weights, lower, upper)
    raise ConvergenceError(
        method="least expected shortfall", iterations=ROUNDS, residual=float(fresh.size)
    )


class _Program:
    """The dual of Rockafellar and Uryasev's program: one column per session, N + 1 rows.

    Maximize the multiplier of the sum plus what the bounds contribute, over probabilities of the
    sessions that sum to 1 and are each at most 1 / ((1 - confidence) T). The weights are the
    prices of the first N rows, the value at risk that of the last, both with the sign changed.
    """

    def __init__(self, lower: FloatArray, upper: FloatArray, *, most: float) -> None:
        self.symbols = lower.size
        self.most = most
        self.model = _quiet_model()
        count = self.symbols
        rows = np.arange(count, dtype=np.int32)
        ones, sums = np.ones(count), np.append(np.zeros(count), 1.0)
        self.model.addRows(
            count + 1, sums, sums, 0, np.zeros(count + 1, np.int32), rows[:0], ones[:0]
        )
        self.model.addCol(-1.0, -np.inf, np.inf, count, rows, ones)
        for cost, sign in ((-lower, 1.0), (upper, -1.0)):
            self.model.addCols(
                count, cost, np.zeros(count), np.full(count, np.inf), count, rows, rows, sign * ones
            )

    def add(self, scenarios: FloatArray) -> None:
        """Add sessions, one column each."""
        count, height = scenarios.shape[0], self.symbols + 1
        rows = np.tile(np.arange(height, dtype=np.int32), count)
        entries = np.column_stack((scenarios, np.ones(count))).ravel()
        none = np.zeros(count)
        self.model.addCols(
            count,
            none,
            none,
            np.full(count, self.most),
            entries.size,
            np.arange(count, dtype=np.int32) * height,
            rows,
            entries,
        )

    def solve(self) -> tuple[FloatArray, float]:
        """Return the weights and the value at risk of the optimum."""
        from highspy import HighsModelStatus

        self.model.run()
        if self.model.getModelStatus() != HighsModelStatus.kOptimal:
            raise ConvergenceError(
                method="linear program", iterations=int(self.model.getNumCol()), residual=math.nan
            )
        prices = np.array(self.model.getSolution().row_dual)
        return -prices[:-1], -float(prices[-1])


def _quiet_model() -> Highs:
    from highspy import Highs

    model = Highs()  # type: ignore[no-untyped-call]
    model.silent()
    model.setOptionValue("presolve", "off")
    model.setOptionValue("threads", 1)
    model.setOptionValue("primal_feasibility_tolerance", 1e-10)
    model.setOptionValue("dual_feasibility_tolerance", 1e-10)
    return model
