"""What a strategy's own closed trades say about the growth-optimal size."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.numbers import written
from slices.domain.position_sizing import KellyEstimate
from slices.domain.report import Unit
from slices.quant.metrics.registry import deviation
from slices.quant.sizing import edge_shrinkage, growth_optimal_weights

if TYPE_CHECKING:
    from slices.domain.sizing import PositionRules
    from slices.quant.types import FloatArray

RESAMPLES = 1000
INTERVAL = (0.025, 0.975)


def kelly_estimate(returns: FloatArray, *, rules: PositionRules, seed: int = 0) -> KellyEstimate:
    """Estimate the growth-optimal weight of trades, and shrink it by its uncertainty.

    Each trade counts once and in full: the weight is the fraction of equity that goes into one.
    Too few trades, or none that gained on average, give 0.

    Args:
        returns: Of closed trades on the notional of their entries, net of costs.
        rules: How many trades there must be, and which fraction of the weight is used.
        seed: Of the bootstrap behind the interval.
    """
    if returns.size < rules.fewest_trades:
        return _without_size(returns, _too_few(returns.size, rules.fewest_trades))
    full = float(growth_optimal_weights(returns[None, :])[0])
    low, high = _interval(returns, seed=seed)
    shrinkage = edge_shrinkage(returns)
    mean = float(returns.mean())
    return KellyEstimate(
        trades=returns.size,
        hit_rate=float((returns > 0).mean()),
        mean_return=mean,
        deviation=deviation(returns),
        full=full,
        low=low,
        high=high,
        shrinkage=shrinkage,
        weight=rules.kelly * shrinkage * full if full > 0 and rules.kelly > 0 else 0.0,
        reason=_reason(full, mean, rules.kelly),
    )


def _too_few(found: int, needed: int) -> str:
    if found == 0:
        return "the strategy closed no trade of it, so no edge is known"
    return f"{found} closed trades are fewer than the {needed} an edge may be read from"


def _reason(full: float, mean: float, fraction: float) -> str:
    if fraction == 0:
        return "the fraction of Kelly is set to 0"
    if full == 0:
        return f"trades did not gain on average ({written(mean, Unit.FRACTION)} each)"
    return "no trade lost, so growth alone sets no bound" if math.isinf(full) else ""


def _interval(returns: FloatArray, *, seed: int) -> tuple[float, float]:
    random = np.random.default_rng(seed)
    drawn = returns[random.integers(0, returns.size, (RESAMPLES, returns.size))]
    low, high = np.quantile(growth_optimal_weights(drawn), INTERVAL, method="inverted_cdf")
    return float(low), float(high)


def _without_size(returns: FloatArray, reason: str) -> KellyEstimate:
    return KellyEstimate(
        trades=returns.size,
        hit_rate=float((returns > 0).mean()) if returns.size else math.nan,
        mean_return=float(returns.mean()) if returns.size else math.nan,
        deviation=deviation(returns),
        full=math.nan,
        low=math.nan,
        high=math.nan,
        shrinkage=math.nan,
        weight=0.0,
        reason=reason,
    )
