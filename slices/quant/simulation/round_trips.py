"""Round trips: fills gathered into trades, from flat to flat, symbol by symbol.

A fill that turns a long position short, or the other way, ends one trade and begins the next; its
costs are divided by shares. The gains of all trades, closed and open, plus interest and dividends
minus borrow fees, and what was written off at ruin, are the change in equity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from slices.domain.backtests import Trade
from slices.quant.simulation.account import FillReason
from slices.quant.simulation.records import LINE, TRIP, blank
from slices.quant.simulation.running import FILL_COLUMNS
from slices.quant.types import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from slices.quant.panel import Panel
    from slices.quant.simulation.account import Fills, Simulation
    from slices.quant.simulation.records import Line, RecordArray, Rows, Trip

REASONS = {
    FillReason.TARGET: "target weight",
    FillReason.MARKET: "order at market",
    FillReason.LIMIT: "limit",
    FillReason.STOP: "stop",
    FillReason.TRAILING_STOP: "trailing stop",
    FillReason.STOP_LOSS: "stop loss",
    FillReason.TAKE_PROFIT: "take profit",
    FillReason.DELISTING: "end of the data",
    FillReason.TIME_LIMIT: "time limit",
    FillReason.RUIN: "ruin",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class RoundTrips:
    """M trades, one number in each column; shares and prices in the shares of the last session.

    Attributes:
        columns: Symbols.
        entry_rows: Sessions of the first fills.
        exit_rows: Sessions of the last fills; -1 where a position is open.
        is_long: False where sold short.
        quantities: The most that was held, positive.
        entry_prices: Averages, before costs; exit prices likewise, or the mark where open.
        pnl: Money gained, net of costs.
        costs: Money.
        returns_on_entry: `pnl` over the notional of the entries.
        reasons: `FillReason` of the last fill.
    """

    columns: IntArray
    entry_rows: IntArray
    exit_rows: IntArray
    is_long: BoolArray
    quantities: FloatArray
    entry_prices: FloatArray
    exit_prices: FloatArray
    pnl: FloatArray
    costs: FloatArray
    returns_on_entry: FloatArray
    reasons: IntArray


def round_trips(simulation: Simulation) -> tuple[RoundTrips, RoundTrips]:
    """Gather fills into closed trades, in the order in which they were closed, and open ones."""
    from slices.quant.simulation.tripping import gather_trips

    lines = _lines(simulation.fills)
    order = np.argsort(lines["column"], kind="stable")
    trips = blank(TRIP, order.size + 1)
    splits = np.zeros((0, 0)) if simulation.splits is None else simulation.splits
    count = gather_trips(
        cast("Rows[Line]", lines[order]),
        order,
        np.ascontiguousarray(splits),
        np.ascontiguousarray(simulation.marks),
        cast("Rows[Trip]", trips),
    )
    is_closed = trips["exit_row"][:count] >= 0
    closed = trips[:count][is_closed]
    return _columns(closed[np.argsort(closed["place"], kind="stable")]), _columns(
        trips[:count][~is_closed]
    )


def _lines(fills: Fills) -> RecordArray:
    lines = blank(LINE, fills.rows.size)
    for name, field in FILL_COLUMNS.items():
        lines[field] = getattr(fills, name)
    return lines


def _columns(trips: np.ndarray) -> RoundTrips:
    notional = trips["bought"]
    return RoundTrips(
        columns=trips["column"].copy(),
        entry_rows=trips["entry_row"].copy(),
        exit_rows=trips["exit_row"].copy(),
        is_long=trips["is_long"].copy(),
        quantities=trips["most"].copy(),
        entry_prices=notional / trips["entered"],
        exit_prices=trips["sold"] / trips["left"],
        pnl=trips["pnl"].copy(),
        costs=trips["costs"].copy(),
        returns_on_entry=trips["pnl"] / notional,
        reasons=trips["reason"].copy(),
    )


def trades_of(simulation: Simulation, panel: Panel) -> tuple[tuple[Trade, ...], tuple[Trade, ...]]:
    """Return closed trades, in the order in which they were closed, and open ones.

    Args:
        simulation: T sessions.
        panel: The bars it was simulated on.
    """
    closed, still_open = round_trips(simulation)
    return _trades(closed, panel), _trades(still_open, panel)


def _trades(trips: RoundTrips, panel: Panel) -> tuple[Trade, ...]:
    return tuple(_trade(trips, place, panel) for place in range(trips.columns.size))


def _trade(trips: RoundTrips, place: int, panel: Panel) -> Trade:
    entry, leaving = int(trips.entry_rows[place]), int(trips.exit_rows[place])
    is_open = leaving < 0
    return Trade(
        symbol=panel.symbols[trips.columns[place]],
        is_long=bool(trips.is_long[place]),
        entry_session=panel.sessions[entry],
        exit_session=None if is_open else panel.sessions[leaving],
        sessions_held=(len(panel.sessions) - 1 if is_open else leaving) - entry,
        quantity=float(trips.quantities[place]),
        entry_price=float(trips.entry_prices[place]),
        exit_price=float(trips.exit_prices[place]),
        pnl=float(trips.pnl[place]),
        costs=float(trips.costs[place]),
        return_on_entry=float(trips.returns_on_entry[place]),
        exit_reason="" if is_open else REASONS[FillReason(int(trips.reasons[place]))],
    )
