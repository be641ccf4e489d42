"""How far and how long below the peak.

A drawdown is a positive fraction of the highest wealth so far, which includes the 1 at the start:
a loss in the first session is a drawdown. Wealth is compounded; skfolio's default adds returns up.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.report import Unit
from slices.quant.metrics.registry import Direction, metric
from slices.quant.metrics.tails import shortfall
from slices.quant.returns import compounded

if TYPE_CHECKING:
    from slices.quant.types import FloatArray


def drawdowns(returns: FloatArray) -> FloatArray:
    """Return the drawdown after every session, as positive fractions of the peak.

    Args:
        returns: T simple returns.

    Returns:
        T values between 0 (at a peak) and 1 (all is lost).

    >>> drawdowns(np.array([-0.5, 1.0, 0.5, -0.25])).tolist()
    [0.5, 0.0, 0.0, 0.25]
    """
    wealth = compounded(returns)
    peak = np.maximum(np.maximum.accumulate(wealth), 1.0) if wealth.size else wealth
    below: FloatArray = 1.0 - wealth / peak
    return below


def _episodes(below: FloatArray) -> list[FloatArray]:
    """Split into stretches under water."""
    under = np.concatenate(([False], below > 0, [False]))
    edges = np.flatnonzero(under[1:] != under[:-1])
    return [below[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True)]


@metric(unit=Unit.FRACTION, direction=Direction.LOWER)
def max_drawdown(returns: FloatArray) -> float:
    """Deepest drawdown, as a positive fraction of the peak.

    >>> max_drawdown(np.array([-0.5, 1.0, 0.5, -0.25]))
    0.5
    """
    return float(drawdowns(returns).max())


@metric(unit=Unit.FRACTION, direction=Direction.LOWER)
def average_drawdown(returns: FloatArray) -> float:
    """Mean depth of the separate drawdowns; 0 where there was none."""
    depths = [float(each.max()) for each in _episodes(drawdowns(returns))]
    return math.fsum(depths) / len(depths) if depths else 0.0


@metric(unit=Unit.SESSIONS, direction=Direction.LOWER)
def max_drawdown_sessions(returns: FloatArray) -> float:
    """Longest stretch below a peak, in sessions, the unfinished one included."""
    return float(max((each.size for each in _episodes(drawdowns(returns))), default=0))


@metric(unit=Unit.FRACTION, direction=Direction.LOWER)
def current_drawdown(returns: FloatArray) -> float:
    """Drawdown after the last session."""
    return float(drawdowns(returns)[-1])


@metric(unit=Unit.FRACTION, direction=Direction.LOWER)
def time_under_water(returns: FloatArray) -> float:
    """Share of sessions that ended below an earlier peak."""
    return float(np.mean(drawdowns(returns) > 0))


@metric(unit=Unit.FRACTION, direction=Direction.LOWER, reference="Martin, McCann (1989)")
def ulcer_index(returns: FloatArray) -> float:
    """Root mean square of the drawdowns."""
    return math.sqrt(float(np.mean(drawdowns(returns) ** 2)))


@metric(unit=Unit.FRACTION, direction=Direction.LOWER, reference="Zephyr Associates (2006)")
def pain_index(returns: FloatArray) -> float:
    """Mean drawdown over all sessions."""
    return float(drawdowns(returns).mean())


@metric(
    unit=Unit.FRACTION, direction=Direction.LOWER, reference="Chekhlov, Uryasev, Zabarankin (2005)"
)
def expected_drawdown_shortfall(returns: FloatArray, *, confidence: float = 0.95) -> float:
    """Mean of the deepest drawdowns, the share 1 - confidence of the sessions."""
    return shortfall(drawdowns(returns), confidence)
