"""What closed trades have in common."""

from __future__ import annotations

import math
from itertools import groupby
from typing import TYPE_CHECKING

from slices.domain.tearsheets import RoundTrips
from slices.quant.metrics.registry import ratio

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slices.domain.backtests import Trade


def round_trip_statistics(trades: Sequence[Trade]) -> RoundTrips:
    """Summarise closed trades; what breaks even counts as neither a win nor a loss.

    Args:
        trades: Closed trades in the order in which they were closed.

    Returns:
        Every statistic, NaN where there is no trade it could stand on.
    """
    wins = [each for each in trades if each.pnl > 0]
    losses = [each for each in trades if each.pnl < 0]
    returns = [each.return_on_entry for each in trades]
    average_win = _mean([each.return_on_entry for each in wins])
    average_loss = _mean([-each.return_on_entry for each in losses])
    return RoundTrips(
        count=len(trades),
        hit_rate=ratio(len(wins), len(trades)),
        profit_factor=ratio(
            math.fsum(each.pnl for each in wins), -math.fsum(each.pnl for each in losses)
        ),
        average_win=average_win,
        average_loss=average_loss,
        payoff_ratio=ratio(average_win, average_loss),
        average_return=_mean(returns),
        average_sessions_held=_mean([float(each.sessions_held) for each in trades]),
        best=max(returns, default=math.nan),
        worst=min(returns, default=math.nan),
        longest_losing_streak=_longest_losing_streak(trades),
        pnl=math.fsum(each.pnl for each in trades),
        costs=math.fsum(each.costs for each in trades),
    )


def _mean(values: list[float]) -> float:
    return ratio(math.fsum(values), len(values))


def _longest_losing_streak(trades: Sequence[Trade]) -> int:
    runs = groupby(trades, key=lambda each: each.pnl < 0)
    return max((sum(1 for _ in run) for is_losing, run in runs if is_losing), default=0)
