"""Sweeps: many configurations of a strategy at compiled speed, each kept as a few figures.

Every configuration trades each symbol in a sleeve of its own with an equal part of the capital:
decide at a close, fill at the next session's fill price, all in, drift until the signal changes.
The figures are those of the sum of the sleeves and equal what the engine gives for each sleeve.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import BadDataError, ParameterError
from slices.quant.simulation.sweep_ways import SweepAccount, blank_figures, way
from slices.quant.types import FloatArray, IntArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slices.domain.parameters import Costs
    from slices.domain.strategies import StrategyParameters
    from slices.quant.panel import Panel
    from slices.quant.signals.strategy import Strategy


ROUNDING = 1e-14
"""A variance below this fraction of the mean square is rounding: all returns are equal."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Sweep:
    """What became of C configurations; every figure is net of costs.

    Attributes:
        final_equity: C account values at the last close.
        trades: C numbers of closed round trips, of all symbols.
        max_drawdown: C largest drawdowns, as positive fractions of the peak.
        block_sums: C x B sums of the returns in each block of sessions; NaN from the block on in
            which nothing was left.
        block_squares: C x B sums of their squares.
        block_lengths: B numbers of returns; all but the last are equal.
        periods_per_year: Sessions in a year.
    """

    final_equity: FloatArray
    trades: IntArray
    max_drawdown: FloatArray
    block_sums: FloatArray
    block_squares: FloatArray
    block_lengths: IntArray
    periods_per_year: int

    @property
    def sharpe_ratio(self) -> FloatArray:
        """C annualized Sharpe ratios over all sessions."""
        return self.sharpe_ratios(slice(None))

    def sharpe_ratios(self, blocks: slice | IntArray) -> FloatArray:
        """Return C annualized Sharpe ratios over some blocks; NaN where returns do not vary."""
        per_session = block_sharpe_ratios(
            self.block_sums[:, blocks], self.block_squares[:, blocks], self.block_lengths[blocks]
        )
        return np.asarray(per_session * np.sqrt(self.periods_per_year), dtype=np.float64)


def block_sharpe_ratios(sums: FloatArray, squares: FloatArray, lengths: IntArray) -> FloatArray:
    """Return C Sharpe ratios per session (ddof 1) from sums over blocks.

    Args:
        sums: C x B sums of returns.
        squares: C x B sums of squared returns.
        lengths: B numbers of returns.

    Returns:
        NaN where there are fewer than two returns or all are equal.

    >>> block_sharpe_ratios(np.array([[0.04]]), np.array([[0.001]]), np.array([2])).round(6)
    array([1.414214])
    """
    count = int(lengths.sum())
    if count < 2:
        return np.full(sums.shape[0], np.nan)
    mean, square = sums.sum(axis=1) / count, squares.sum(axis=1)
    variance = (square - count * mean**2) / (count - 1)
    varies = variance > ROUNDING * square
    deviation = np.sqrt(np.where(varies, variance, np.nan))
    return np.asarray(mean / deviation, dtype=np.float64)


def joined(sweeps: Sequence[Sweep]) -> Sweep:
    """Put sweeps of the same sessions together, in this order."""
    return Sweep(
        final_equity=np.concatenate([each.final_equity for each in sweeps]),
        trades=np.concatenate([each.trades for each in sweeps]),
        max_drawdown=np.concatenate([each.max_drawdown for each in sweeps]),
        block_sums=np.concatenate([each.block_sums for each in sweeps]),
        block_squares=np.concatenate([each.block_squares for each in sweeps]),
        block_lengths=sweeps[0].block_lengths,
        periods_per_year=sweeps[0].periods_per_year,
    )


def block_ends(sessions: int, block_sessions: int) -> IntArray:
    """Return the sessions at which blocks of returns end; the last block may be shorter.

    >>> block_ends(8, 3).tolist()
    [3, 6, 7]
    """
    ends = np.arange(block_sessions, sessions - 1, block_sessions)
    return np.append(ends, sessions - 1).astype(np.int64)


def sweep(
    panel: Panel,
    strategy: Strategy,
    configurations: Sequence[StrategyParameters],
    *,
    costs: Costs,
    capital: float = 100_000.0,
    first: int = 0,
    block_sessions: int = 21,
) -> Sweep:
    """Simulate a strategy with many sets of parameters.

    Args:
        panel: T sessions; signals see all of them.
        strategy: What decides.
        configurations: C sets of parameters.
        costs: Of every fill.
        capital: Of all sleeves together.
        first: The account's first session, whose close is the first decision.
        block_sessions: Length of the blocks of returns that are kept.

    Raises:
        ParameterError: Where there is no configuration, or blocks have no length.
        BadDataError: Where fewer than two sessions are left.
    """
    _check(panel, configurations, first=first, block_sessions=block_sessions)
    ends = block_ends(len(panel.sessions) - first, block_sessions)
    account = SweepAccount(
        panel=panel, strategy=strategy, costs=costs, capital=capital, first=first, ends=ends
    )
    figures = blank_figures(len(configurations), ends.size)
    way(account)(account, configurations, figures)
    return Sweep(
        final_equity=figures.equity,
        trades=figures.trades,
        max_drawdown=figures.drawdowns,
        block_sums=figures.sums,
        block_squares=figures.squares,
        block_lengths=np.diff(ends, prepend=0).astype(np.int64),
        periods_per_year=panel.periods_per_year,
    )


def _check(
    panel: Panel,
    configurations: Sequence[StrategyParameters],
    *,
    first: int,
    block_sessions: int,
) -> None:
    if not configurations:
        raise ParameterError(parameter="configurations", found="none", allowed="at least one")
    if block_sessions < 1:
        raise ParameterError(
            parameter="block_sessions", found=str(block_sessions), allowed="at least 1"
        )
    left = len(panel.sessions) - first
    if first < 0 or left < 2:
        raise BadDataError(
            dataset="panel",
            problem=f"an account that begins at session {first} of {len(panel.sessions)} has "
            "no return; needed: at least two sessions",
        )
