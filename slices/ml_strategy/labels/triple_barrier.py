"""The triple barrier: profit, stop or the end of patience, whichever comes first.

References:
    Lopez de Prado (2018), Advances in Financial Machine Learning, chapter 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from slices.domain.parameters import ParameterGroup
from slices.quant.panel import Panel
from slices.quant.types import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from slices.domain.learning import LabelSettings

UNKNOWN = -1


class BarrierSettings(ParameterGroup):
    """How far away the barriers are, in deviations of a return over the horizon."""

    profit_multiple: float = Field(default=1.0, gt=0, le=20, description="Of the profit barrier.")
    stop_multiple: float = Field(default=1.0, gt=0, le=20, description="Of the stop barrier.")


DEFAULT_BARRIERS = BarrierSettings()


@dataclass(frozen=True, kw_only=True, eq=False)
class BarrierLabels:
    """Which barrier was touched first.

    Attributes:
        outcomes: T x N: 1 at the profit, -1 at the stop, 0 where neither was touched in time; NaN
            where not known.
        returns: T x N simple returns in the direction of the side until then; NaN likewise.
        known: T x N positions of the session at whose close the outcome is known; -1 where it
            is not.
    """

    outcomes: FloatArray
    returns: FloatArray
    known: IntArray


def triple_barrier(
    panel: Panel,
    volatility: FloatArray,
    *,
    label: LabelSettings,
    barriers: BarrierSettings = DEFAULT_BARRIERS,
    sides: FloatArray | None = None,
) -> BarrierLabels:
    """Find the first barrier that prices touch after the entry.

    Highs and lows are looked at where there are any, else closes, at which the position then ends.
    A bar that opens beyond a barrier is left at its open; one whose range holds both counts as the
    stop, for which came first is not known. A session without a bar touches nothing.

    Args:
        panel: T sessions x N symbols.
        volatility: T x N deviations of a return over the horizon, known at the decision.
        label: When a position is entered, and after how many sessions it ends at the latest.
        barriers: In deviations.
        sides: T x N; negative where the position is short. All are long where it is missing.

    >>> import datetime as dt
    >>> from slices.domain.learning import LabelSettings
    >>> from slices.quant.panel import Panel
    >>> days = tuple(dt.date(2024, 1, day) for day in (2, 3, 4, 5))
    >>> closes = np.array([[100.0], [100.0], [101.0], [111.0]])
    >>> panel = Panel(symbols=("A",), sessions=days, close=closes, periods_per_year=252)
    >>> labels = triple_barrier(
    ...     panel, np.full((4, 1), 0.1), label=LabelSettings(horizon_sessions=2)
    ... )
    >>> labels.outcomes[0].tolist(), labels.known[0].tolist(), labels.returns[0].round(9).tolist()
    ([1.0], [3], [0.11])
    """
    short = np.zeros(panel.close.shape, dtype=np.bool_) if sides is None else sides < 0
    walk = _Walk.begun(panel, volatility, short, label=label, barriers=barriers)
    for ahead in range(1, label.horizon_sessions + 1):
        walk.step(ahead, is_last=ahead == label.horizon_sessions)
    returns = np.where(short, -walk.returns, walk.returns)
    return BarrierLabels(
        outcomes=np.where(short, -walk.outcomes, walk.outcomes), returns=returns, known=walk.known
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Walk:
    """Positions that are open, session by session; outcomes are 1 above and -1 below."""

    panel: Panel
    lag: int
    entries: FloatArray
    upper: FloatArray
    lower: FloatArray
    short: BoolArray
    outcomes: FloatArray
    returns: FloatArray
    known: IntArray

    @staticmethod
    def begun(
        panel: Panel,
        volatility: FloatArray,
        short: BoolArray,
        *,
        label: LabelSettings,
        barriers: BarrierSettings,
    ) -> _Walk:
        entries = np.where(
            np.isnan(panel.close), np.nan, _ahead(panel.close, label.entry_lag_sessions)
        )
        profit, stop = barriers.profit_multiple * volatility, barriers.stop_multiple * volatility
        return _Walk(
            panel=panel,
            lag=label.entry_lag_sessions,
            entries=entries,
            upper=entries * (1.0 + np.where(short, stop, profit)),
            lower=entries * (1.0 - np.where(short, profit, stop)),
            short=short,
            outcomes=np.full(entries.shape, np.nan),
            returns=np.full(entries.shape, np.nan),
            known=np.full(entries.shape, UNKNOWN, dtype=np.int64),
        )

    def step(self, ahead: int, *, is_last: bool) -> None:
        """Look at the bars so many sessions after the entry."""
        closes, opens, highs, lows = (
            _ahead(self.panel.close if each is None else each, self.lag + ahead)
            for each in (self.panel.close, self.panel.open, self.panel.high, self.panel.low)
        )
        if self.panel.open is None:
            opens = np.full(closes.shape, np.nan)
        above, below = highs >= self.upper, lows <= self.lower
        gapped = (opens >= self.upper) | (opens <= self.lower)
        up = np.where(gapped, opens >= self.upper, above & (~below | self.short))
        down = np.where(gapped, opens <= self.lower, below & ~up)
        for touched, barrier, outcome in ((up, self.upper, 1.0), (down, self.lower, -1.0)):
            left = closes if self.panel.high is None else np.where(gapped, opens, barrier)
            self._close(touched, left, outcome, ahead)
        if is_last:
            self._close(np.isfinite(self.upper) & np.isfinite(closes), closes, 0.0, ahead)

    def _close(self, touched: BoolArray, prices: FloatArray, outcome: float, ahead: int) -> None:
        here = touched & (self.known == UNKNOWN)
        rows = np.broadcast_to(np.arange(here.shape[0])[:, None], here.shape)
        self.outcomes[here] = outcome
        self.returns[here] = prices[here] / self.entries[here] - 1.0
        self.known[here] = rows[here] + self.lag + ahead


def _ahead(values: FloatArray, sessions: int) -> FloatArray:
    """Move what comes later to where it is asked about; NaN beyond the end."""
    moved = np.full(values.shape, np.nan)
    moved[: max(values.shape[0] - sessions, 0)] = values[sessions:]
    return moved
