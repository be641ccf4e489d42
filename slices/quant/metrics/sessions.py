"""How often sessions gain, and by how much."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.domain.report import Unit
from slices.quant.metrics.registry import Direction, metric, ratio
from slices.quant.metrics.tails import tail_ratio

if TYPE_CHECKING:
    from slices.quant.types import FloatArray


def _gains(returns: FloatArray) -> float:
    return float(np.maximum(returns, 0.0).sum())


def _losses(returns: FloatArray) -> float:
    return float(np.maximum(-returns, 0.0).sum())


@metric(unit=Unit.FRACTION, direction=Direction.HIGHER)
def hit_rate(returns: FloatArray) -> float:
    """Share of all sessions that gained; one without change is no gain."""
    return float(np.mean(returns > 0))


@metric(unit=Unit.FRACTION, direction=Direction.HIGHER)
def average_gain(returns: FloatArray) -> float:
    """Mean return of the sessions that gained; NaN where none did."""
    return ratio(_gains(returns), float(np.sum(returns > 0)))


@metric(unit=Unit.FRACTION, direction=Direction.LOWER)
def average_loss(returns: FloatArray) -> float:
    """Mean loss of the sessions that lost, as a positive fraction; NaN where none did."""
    return ratio(_losses(returns), float(np.sum(returns < 0)))


@metric(unit=Unit.RATIO, direction=Direction.HIGHER)
def profit_factor(returns: FloatArray) -> float:
    """Sum of gains over the sum of losses; NaN where nothing was lost."""
    return ratio(_gains(returns), _losses(returns))


@metric(unit=Unit.RATIO, direction=Direction.HIGHER)
def payoff_ratio(returns: FloatArray) -> float:
    """Average gain over average loss; NaN where nothing was gained or lost."""
    return ratio(average_gain(returns), average_loss(returns))


@metric(unit=Unit.RATIO, direction=Direction.HIGHER, reference="Schwager (2012)")
def gain_to_pain_ratio(returns: FloatArray) -> float:
    """Sum of all returns over the sum of losses; NaN where nothing was lost."""
    return ratio(float(returns.sum()), _losses(returns))


@metric(unit=Unit.RATIO, direction=Direction.HIGHER, reference="quantstats' common_sense_ratio")
def common_sense_ratio(returns: FloatArray) -> float:
    """Profit factor times tail ratio."""
    return profit_factor(returns) * tail_ratio(returns)


@metric(unit=Unit.SESSIONS, direction=Direction.LOWER)
def longest_losing_streak(returns: FloatArray) -> float:
    """Most losing sessions in a row."""
    losing = np.concatenate(([False], returns < 0, [False]))
    edges = np.flatnonzero(losing[1:] != losing[:-1])
    lengths = edges[1::2] - edges[::2]
    return float(lengths.max()) if lengths.size else 0.0
