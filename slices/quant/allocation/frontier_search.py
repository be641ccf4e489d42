"""The search along the tolerance for risk for the frontier portfolio that fits a condition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.errors import ConvergenceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from slices.quant.allocation.bounded_problem import BoundedProblem
    from slices.quant.types import FloatArray

WIDEST = 4.0**40
SECANT_STEPS = 200


class FrontierSearch:
    """The frontier of one problem along the tolerance for risk, each answer starting the next."""

    def __init__(self, problem: BoundedProblem, returns: FloatArray, start: FloatArray) -> None:
        self.problem = problem
        self.returns = returns
        self.weights = start
        self.tolerance = 0.0

    def weights_at(self, tolerance: float) -> FloatArray:
        """Return the frontier portfolio at a tolerance, starting from the last one."""
        self.weights = self.problem.solution(tolerance * self.returns, self.weights)
        return self.weights

    def solve(self, gap: Callable[[float], float], *, first: float, accepted: float) -> None:
        """Move to the tolerance where `gap`, negative at 0 and rising through it once, is 0.

        Regula falsi with the factor of Anderson and Bjoerck: exact once both ends lie on the
        straight piece of the answer.
        """
        low, high = self._bracket(gap, first)
        if low[1] >= 0:  # the least variance is had by many, and this one returns enough
            self.tolerance = 0.0
            return
        exact = [tolerance for tolerance, distance in (low, high) if abs(distance) <= accepted]
        if exact:
            self.tolerance = exact[0]
            gap(self.tolerance)
            return
        for _ in range(SECANT_STEPS):
            width = high[0] - low[0]
            self.tolerance = low[0] - low[1] * width / (high[1] - low[1])
            distance = gap(self.tolerance)
            if abs(distance) <= accepted or width <= 1e-15 * high[0]:
                return
            replaced = low[1] if distance < 0 else high[1]
            factor = 1.0 - distance / replaced
            factor = factor if factor > 0 else 0.5
            if distance < 0:
                low, high = (self.tolerance, distance), (high[0], high[1] * factor)
            else:
                low, high = (low[0], low[1] * factor), (self.tolerance, distance)
        raise ConvergenceError(
            method="frontier search", iterations=SECANT_STEPS, residual=abs(distance)
        )

    def _bracket(
        self, gap: Callable[[float], float], first: float
    ) -> tuple[tuple[float, float], tuple[float, float]]:
        """Find two tolerances between which `gap` passes through 0, at most four times apart.

        Where it is still not negative at the least tolerance worth trying, the lower one is 0.
        """
        low = high = (first, gap(first))
        while high[1] < 0 and high[0] < first * WIDEST:
            low, high = high, (high[0] * 4.0, gap(high[0] * 4.0))
        if high[1] < 0:
            raise ConvergenceError(method="frontier search", iterations=0, residual=-high[1])
        while low[1] >= 0 and low[0] > first / WIDEST:
            low, high = (low[0] / 4.0, gap(low[0] / 4.0)), low
        return (low if low[1] < 0 else (0.0, gap(0.0))), high
