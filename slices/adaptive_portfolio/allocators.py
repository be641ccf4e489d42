"""One door to all allocators: from a window of returns to weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.errors import ParameterError, listed
from slices.domain.parameters import DEFAULT_BOUNDS, WeightBounds
from slices.domain.portfolio import Allocator
from slices.quant.allocation.bounds import uniform_bounds
from slices.quant.covariance import check_returns, sample_covariance

if TYPE_CHECKING:
    from slices.quant.types import FloatArray

ALLOCATORS: tuple[Allocator, ...] = tuple(
    each for each in Allocator if each is not Allocator.HELD_WEIGHTS
)
"""Those that turn returns into weights: all but the held weights, which are given."""


def compared(held_weights: dict[str, float] | None) -> list[Allocator]:
    """List what an analysis compares: the held weights first, where given, then every allocator.

    >>> compared(None)[0].value, compared({"AAPL": 1.0})[0].value
    ('equal_weight', 'held_weights')
    """
    return [*([] if held_weights is None else [Allocator.HELD_WEIGHTS]), *ALLOCATORS]


def allocate(
    allocator: Allocator,
    returns: FloatArray,
    *,
    bounds: WeightBounds = DEFAULT_BOUNDS,
    confidence: float = 0.95,
    risk_free_rate: float = 0.0,
    covariance: FloatArray | None = None,
    start: FloatArray | None = None,
) -> FloatArray:
    """Turn a window of returns into weights that sum to 1 within bounds.

    Args:
        allocator: Which way; one of `ALLOCATORS`.
        returns: T x N simple returns without NaN, T >= 2.
        bounds: Smallest and largest weight of every symbol.
        confidence: Of the expected shortfall that `min_expected_shortfall` makes least.
        risk_free_rate: Per session, for `max_sharpe`.
        covariance: N x N to use in place of the sample covariance of `returns`.
        start: Weights within the bounds to start the search from; changes the time it takes, not
            the answer.

    Raises:
        BadDataError: Where returns are missing.
        InsufficientHistoryError: With fewer than two returns.
        InfeasibleError: Where the bounds exclude a sum of 1, or the allocator has no answer: no
            positive expected excess return for `max_sharpe`, a symbol without variance for those
            that share risk.
        ConvergenceError: Where an answer could not be verified.
        ParameterError: For the held weights, which no returns determine.
    """
    lower, upper = uniform_bounds(
        check_returns(returns).shape[1], smallest=bounds.smallest, largest=bounds.largest
    )
    if allocator is Allocator.MIN_EXPECTED_SHORTFALL:
        from slices.quant.allocation.shortfall import min_expected_shortfall

        return min_expected_shortfall(returns, lower, upper, confidence=confidence, start=start)
    spread = sample_covariance(returns) if covariance is None else covariance
    if allocator is Allocator.MAX_SHARPE:
        from slices.quant.allocation.quadratic import max_sharpe

        excess = returns.mean(axis=0) - risk_free_rate
        return max_sharpe(excess, spread, lower, upper)
    return _from_covariance(allocator, spread, lower, upper, start)


def _from_covariance(
    allocator: Allocator,
    covariance: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    start: FloatArray | None,
) -> FloatArray:
    from slices.quant.allocation import hierarchical, naive, quadratic, risk_parity

    match allocator:
        case Allocator.EQUAL_WEIGHT:
            return naive.equal_weight(lower, upper)
        case Allocator.INVERSE_VOLATILITY:
            return naive.inverse_volatility(covariance, lower, upper)
        case Allocator.MIN_VARIANCE:
            return quadratic.min_variance(covariance, lower, upper, start=start)
        case Allocator.RISK_PARITY:
            return risk_parity.risk_parity(covariance, lower, upper, start=start)
        case Allocator.HIERARCHICAL_RISK_PARITY:
            return hierarchical.hierarchical_risk_parity(covariance, lower, upper)
        case _:
            raise ParameterError(
                parameter="allocator", found=allocator.value, allowed=listed(ALLOCATORS)
            )
