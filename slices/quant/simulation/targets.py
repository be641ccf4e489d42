"""Trading target weights with shared cash.

The contract: decide at close t; fill at the next session's fill price, never on the same bar. The
equity left after costs is solved exactly and every decided position becomes its weight of it;
the others are left alone and drift. Sales come before purchases, and where cash is short all
purchases are scaled down by one factor, which is reported. Positions are marked at the close.

A symbol without a bar trades at its next one, unless a newer decision comes first. One whose bars
end before the panel does is closed at its last close in that session, free of costs: nobody
trades there, the data ends. A decision at the last session has no next one and stays pending.

An account that is worth nothing is closed; see `Simulation`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import BadDataError
from slices.quant.simulation.account import Fills, Simulation
from slices.quant.simulation.inputs import (
    bars_of,
    check_actions,
    check_bars,
    check_capital,
    known_volatility,
    terms_of,
)
from slices.quant.simulation.plain_ruin import ended_at_ruin
from slices.quant.simulation.records import ORDER, PlainCurves, PlainFills, blank, opened
from slices.quant.simulation.running import lived, simulation_of, world_of

if TYPE_CHECKING:
    from slices.domain.parameters import Costs, TradingRules
    from slices.quant.panel import Panel
    from slices.quant.types import FloatArray, IntArray

SUM_TOLERANCE = 1e-9


def simulate_targets(
    panel: Panel,
    target_weights: FloatArray,
    *,
    costs: Costs,
    rules: TradingRules,
    capital: float,
    dividends: FloatArray | None = None,
    splits: FloatArray | None = None,
) -> Simulation:
    """Simulate an account that trades to target weights.

    Args:
        panel: T sessions x N symbols of bars.
        target_weights: T x N signed fractions of equity decided at each close. NaN leaves a
            position alone and a row of NaN is no decision; absolute values of a row sum to at
            most `rules.gross_exposure`, and what is not invested is cash.
        costs: Of every fill, and of holding.
        rules: What may be traded. Where `volume_share` is below 1, a symbol trades at most this
            share of a session's volume, where that is known, and the rest waits.
        capital: Cash before the first session, positive.
        dividends: T x N cash per new share on the ex-date, for positions held overnight; shorts
            pay.
        splits: T x N new shares for one old, applied before the open; 1 where there is none.

    Raises:
        BadDataError: Where a bar has a price that is not positive, or weights or actions are not
            allowed.
        MissingColumnsError: Where impact is charged and there is no volume.
        ParameterError: Where there is no capital.

    >>> import datetime as dt
    >>> from slices.domain.parameters import Costs, TradingRules
    >>> from slices.quant.panel import Panel
    >>> days = tuple(dt.date(2024, 1, day) for day in (2, 3, 4))
    >>> closes = np.array([[100.0], [110.0], [121.0]])
    >>> panel = Panel(symbols=("A",), sessions=days, close=closes, periods_per_year=252)
    >>> account = simulate_targets(
    ...     panel,
    ...     np.array([[1.0], [np.nan], [0.0]]),
    ...     costs=Costs(commission_bps=0, slippage_bps=0),
    ...     rules=TradingRules(),
    ...     capital=1000.0,
    ... )
    >>> account.equity.round(9).tolist(), account.pending.tolist()
    ([1000.0, 1000.0, 1100.0], [0.0])
    """
    targets = np.ascontiguousarray(target_weights, dtype=np.float64)
    check_capital(capital)
    check_bars(panel)
    check_actions(panel.close.shape, dividends=dividends, splits=splits)
    rows, decisions = checked_targets(targets, panel.close.shape, gross=rules.gross_exposure)
    if is_plain(panel, costs, rules) and dividends is None and splits is None:
        return _plain(
            panel, targets, rows, decisions=decisions, costs=costs, rules=rules, capital=capital
        )
    return _general(
        panel,
        targets,
        costs=costs,
        rules=rules,
        capital=capital,
        dividends=dividends,
        splits=splits,
    )


def checked_targets(
    targets: FloatArray, shape: tuple[int, ...], *, gross: float
) -> tuple[IntArray, int]:
    """Return the rows in which weights are decided, and how many weights that is.

    Raises:
        BadDataError: Where the shape differs, a weight is infinite or a row is over `gross`.
    """
    from slices.quant.simulation.plain import targets_summary

    if targets.shape != shape:
        raise BadDataError(
            dataset="target weights", problem=f"found shape {targets.shape}, needed {shape}"
        )
    rows, known, highest = targets_summary(targets)
    if highest > gross + SUM_TOLERANCE or highest == np.inf:
        raise BadDataError(
            dataset="target weights",
            problem=f"found absolute weights that sum to {highest:.6g} in a session; "
            f"allowed: at most {gross:g}, the gross exposure of the rules",
        )
    return rows, known


def is_plain(panel: Panel, costs: Costs, rules: TradingRules) -> bool:
    """Return whether the fast loop covers this case: proportional costs, every bar there."""
    extras = (
        costs.commission_per_share,
        costs.commission_minimum,
        costs.impact,
        costs.borrow_rate,
        costs.cash_rate,
        costs.debt_rate,
    )
    is_simple = not any(extras) and not rules.whole_shares and rules.volume_share == 1.0
    return is_simple and panel.close.size > 0 and not np.isnan(panel.close.min())


def _plain(
    panel: Panel,
    targets: FloatArray,
    rows: IntArray,
    *,
    decisions: int,
    costs: Costs,
    rules: TradingRules,
    capital: float,
) -> Simulation:
    from slices.quant.simulation.plain import simulate_plain

    sessions, symbols = panel.close.shape
    block = np.empty((8, decisions + 1))
    fills = PlainFills(*block[:2].view(np.int64), *block[2:4])
    curves = PlainCurves(
        equity=np.empty(sessions),
        cash=np.empty(sessions),
        shares=np.empty((sessions, symbols)),
        shortfalls=np.zeros(sessions),
        is_scaled=np.zeros(sessions, dtype=np.bool_),
    )
    closes = np.ascontiguousarray(panel.close)
    prices = closes if panel.open is None else np.ascontiguousarray(panel.open)
    money = (costs.rate, max(0.0, rules.gross_exposure - 1.0), float(capital))
    count = simulate_plain(closes, prices, targets, rows, money, fills, curves)
    account = Simulation(
        capital=capital,
        equity=curves.equity,
        cash=curves.cash,
        shares=curves.shares,
        marks=closes,
        fills=_priced(fills, count, costs, block[4:]),
        interest=np.zeros(sessions),
        dividends=np.zeros(sessions),
        borrow_fees=np.zeros(sessions),
        pending=targets[-1].copy(),
        scaled_rows=np.flatnonzero(curves.is_scaled),
        shortfalls=curves.shortfalls,
        ignored=np.zeros((0, 2), dtype=np.int64),
    )
    ended = ended_at_ruin(account, prices, targets, rows, gross=rules.gross_exposure)
    if ended.ruined_row < 0:
        return account
    return replace(
        ended, ignored=late_decisions(targets, last_rows(closes), ruined_row=ended.ruined_row)
    )


def _priced(fills: PlainFills, count: int, costs: Costs, room: FloatArray) -> Fills:
    """Cut fills to what was written; add their costs and where they come from: target weights.

    All columns lie in one block: fresh memory costs more than the arithmetic, and the system
    hands out a large block in large pages.
    """
    rows, quantities, prices = fills.rows[:count], fills.quantities[:count], fills.prices[:count]
    notional = np.multiply(quantities, prices, out=room[0, :count])
    np.abs(notional, out=notional)
    orders, decided = room[2:].view(np.int64)
    orders.fill(-1)
    spreads = np.multiply(notional, costs.slippage_bps / 1e4, out=room[1, :count])
    return Fills(
        rows=rows,
        columns=fills.columns[:count],
        quantities=quantities,
        prices=prices,
        commissions=np.multiply(notional, costs.commission_bps / 1e4, out=notional),
        spreads=spreads,
        impacts=np.zeros(count),
        reasons=np.zeros(count, dtype=np.int64),
        orders=orders[:count],
        decided=np.subtract(rows, 1, out=decided[:count]),
    )


def _general(
    panel: Panel,
    targets: FloatArray,
    *,
    costs: Costs,
    rules: TradingRules,
    capital: float,
    dividends: FloatArray | None,
    splits: FloatArray | None,
) -> Simulation:
    purse, positions = opened(panel.close.shape[1], capital)
    positions["last"] = last_rows(panel.close)
    world = world_of(
        bars_of(
            panel,
            volatility=known_volatility(panel, costs, splits=splits),
            dividends=dividends,
            splits=splits,
        ),
        terms_of(costs, rules, periods_per_year=panel.periods_per_year),
        purse=purse,
        positions=positions,
        book=blank(ORDER, 0),
        targets=targets,
    )
    world = lived(world)
    ruined_row = int(world.purse[0].ruined)
    ignored = late_decisions(targets, positions["last"], ruined_row=ruined_row)
    return simulation_of(world, capital=capital, ignored=ignored, splits=splits)


def last_rows(closes: FloatArray) -> IntArray:
    """Return the row of each symbol's last bar where bars end before the panel does, else -1.

    >>> last_rows(np.array([[1.0, 1.0], [np.nan, 1.0]])).tolist()
    [0, -1]
    """
    has_bar = ~np.isnan(closes)
    sessions = closes.shape[0]
    last = sessions - 1 - np.argmax(has_bar[::-1], axis=0)
    ends = has_bar.any(axis=0) & (last < sessions - 1)
    return np.where(ends, last, -1).astype(np.int64)


def late_decisions(targets: FloatArray, last: IntArray, *, ruined_row: int = -1) -> IntArray:
    """Return M x 2 sessions and symbols of weights other than 0 that no bar, or ruin, follows."""
    rows = np.arange(targets.shape[0])[:, None]
    is_late = (last >= 0) & (rows >= last)
    if ruined_row >= 0:
        is_late |= rows >= ruined_row
    return np.argwhere(is_late & (np.nan_to_num(targets) != 0.0))
