"""What became of every symbol after every session, by each kind of label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.ml_strategy.labels.meta import meta_labels
from slices.ml_strategy.labels.ranks import forward_returns, session_ranks
from slices.ml_strategy.labels.triple_barrier import UNKNOWN, BarrierSettings, triple_barrier
from slices.ml_strategy.labels.volatility import horizon_volatility
from slices.quant.types import FloatArray, IntArray

if TYPE_CHECKING:
    from slices.domain.learning import LabelSettings
    from slices.quant.panel import Panel
    from slices.quant.types import BoolArray

BPS = 1e-4


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcomes:
    """What labels say, and when.

    Attributes:
        labels: T x N in [-0.5, 0.5]; NaN where not known.
        returns: T x N simple returns from the entry to the exit; NaN where not known.
        exits: T x N positions of the close at which the symbol's own return ends; the latest there
            may be where it is not known.
        known: T x N positions of the close at which the label is known; likewise.
    """

    labels: FloatArray
    returns: FloatArray
    exits: IntArray
    known: IntArray


def outcomes_of(panel: Panel, label: LabelSettings, present: BoolArray) -> Outcomes:
    """Label every symbol at every session.

    Args:
        panel: T sessions x N symbols.
        label: What is predicted.
        present: T x N marks of those that are compared with each other within their session.
    """
    if label.kind == "triple_barrier":
        return _at_barriers(panel, label, present)
    returns = np.where(present, forward_returns(panel.close, label), np.nan)
    latest = _latest(returns.shape, label)
    labels = session_ranks(returns)
    if label.kind == "meta":
        labels = signed_labels(
            primary_sides(panel.close, label, present), returns, costs=label.side_costs_bps * BPS
        )
    return Outcomes(labels=labels, returns=returns, exits=latest, known=latest)


def primary_sides(closes: FloatArray, label: LabelSettings, present: BoolArray) -> FloatArray:
    """Take the side of momentum: 1 for the half of a session's symbols with more, -1 with less.

    Args:
        closes: T x N; NaN where a symbol has no bar.
        label: From when to when growth is measured.
        present: T x N marks of those that are compared.

    Returns:
        T x N; 0 for the one in the middle, NaN where momentum is not known.

    >>> from slices.domain.learning import LabelSettings
    >>> label = LabelSettings(kind="meta", side_lookback_sessions=5, side_skip_sessions=0)
    >>> closes = np.array([[1.0, 1.0, 1.0]] * 5 + [[3.0, 1.0, 2.0]])
    >>> primary_sides(closes, label, np.isfinite(closes))[5].tolist()
    [1.0, -1.0, 0.0]
    """
    begin, end = label.side_lookback_sessions, label.side_skip_sessions
    growth = np.full(closes.shape, np.nan)
    kept = max(closes.shape[0] - begin, 0)
    growth[begin:] = closes[begin - end : begin - end + kept] / closes[:kept] - 1.0
    return np.sign(session_ranks(np.where(present, growth, np.nan)))


def signed_labels(sides: FloatArray, returns: FloatArray, *, costs: float) -> FloatArray:
    """Say which side was right, as half of it.

    A plain "not right" would make the other side right wherever a return is smaller than costs, so
    that doubting every side alike would look like skill on prices that follow nothing. There
    neither side is right, and the label is 0.

    Args:
        sides: T x N signed sides; 0 or NaN where none is taken.
        returns: T x N simple returns of the symbol.
        costs: Of a round trip, as a fraction.

    Returns:
        T x N: 0.5 where being long paid its costs, -0.5 where being short did, 0 where neither;
        NaN where no side is taken or the return is not known.

    >>> signed_labels(np.array([[1.0, -1.0, 1.0, 0.0]]), np.array([[0.02, 0.02, 0.001, 0.02]]),
    ...     costs=0.002).tolist()
    [[0.5, 0.5, 0.0, nan]]
    """
    right, wrong = (meta_labels(each, returns, costs=costs) for each in (sides, -sides))
    return np.sign(sides) * (right - wrong) / 2.0


def _at_barriers(panel: Panel, label: LabelSettings, present: BoolArray) -> Outcomes:
    """Rank returns at barriers; a place is known when all that are compared have left."""
    volatility = horizon_volatility(panel.close, horizon=label.horizon_sessions)
    barriers = BarrierSettings(
        profit_multiple=label.profit_multiple, stop_multiple=label.stop_multiple
    )
    found = triple_barrier(panel, volatility, label=label, barriers=barriers)
    exits = np.where(found.known == UNKNOWN, _latest(present.shape, label), found.known)
    settled = np.where(present, exits, UNKNOWN).max(axis=1, keepdims=True)
    is_known = present & (settled < present.shape[0])
    returns = np.where(is_known, found.returns, np.nan)
    known = np.ascontiguousarray(np.broadcast_to(settled, present.shape))
    return Outcomes(labels=session_ranks(returns), returns=returns, exits=exits, known=known)


def _latest(shape: tuple[int, ...], label: LabelSettings) -> IntArray:
    rows = np.arange(shape[0], dtype=np.int64)[:, None] + label.reach
    return np.ascontiguousarray(np.broadcast_to(rows, shape))
