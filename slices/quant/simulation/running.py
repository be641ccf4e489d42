"""Worlds made of what a simulation is given, lived through, and read as a simulation."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from slices.quant.simulation.account import Fills, Simulation
from slices.quant.simulation.records import CLOSE, LINE, RecordArray, World, blank

if TYPE_CHECKING:
    from slices.quant.simulation.records import (
        Bar,
        Close,
        Line,
        Order,
        Position,
        Purse,
        Rows,
        Terms,
    )
    from slices.quant.types import FloatArray, IntArray

FILL_COLUMNS = {
    "rows": "row",
    "columns": "column",
    "quantities": "quantity",
    "prices": "price",
    "commissions": "commission",
    "spreads": "spread",
    "impacts": "impact",
    "reasons": "reason",
    "orders": "order",
    "decided": "decided",
}


def world_of(
    bars: RecordArray,
    terms: Terms,
    *,
    purse: RecordArray,
    positions: RecordArray,
    book: RecordArray,
    targets: FloatArray | None,
) -> World:
    """Put a world together, with blank curves and a tape that is lengthened when it is full."""
    sessions, symbols = bars.shape
    return World(
        bars=cast("Rows[Bar]", bars),
        terms=terms,
        purse=cast("Rows[Purse]", purse),
        positions=cast("Rows[Position]", positions),
        book=cast("Rows[Order]", book),
        tape=cast("Rows[Line]", blank(LINE, 4 * symbols + 3 * book.size + sessions)),
        closes=cast("Rows[Close]", blank(CLOSE, sessions)),
        shares=np.zeros((sessions, symbols)),
        marks=np.zeros((sessions, symbols)),
        targets=np.full((sessions, symbols), np.nan) if targets is None else targets,
    )


def lived(world: World, *, shift: int = 0, is_compiled: bool = True) -> World:
    """Live through all sessions of a world; return it with a tape that was long enough.

    Args:
        world: Changed.
        shift: Number of the session that its first row is.
        is_compiled: Whether machine code does it, or the Python it was made from: the same bits.
    """
    from slices.quant.simulation.interpreting import advance_plainly
    from slices.quant.simulation.session import advance as advance_compiled

    advance = advance_compiled if is_compiled else advance_plainly
    row, sessions = advance(0, shift, world), world.shares.shape[0]
    while row < sessions:
        tape = cast("RecordArray", world.tape)
        longer = blank(LINE, 2 * tape.size)
        longer[: tape.size] = tape
        world = world._replace(tape=cast("Rows[Line]", longer))
        row = advance(row, shift, world)
    return world


def simulation_of(
    world: World, *, capital: float, ignored: IntArray, splits: FloatArray | None
) -> Simulation:
    """Gather what the compiled sessions wrote."""
    closes = cast("RecordArray", world.closes)
    return Simulation(
        capital=capital,
        equity=closes["equity"].copy(),
        cash=closes["cash"].copy(),
        shares=world.shares,
        marks=world.marks,
        fills=fills_of(world),
        interest=closes["interest"].copy(),
        dividends=closes["dividends"].copy(),
        borrow_fees=closes["borrow"].copy(),
        pending=cast("RecordArray", world.positions)["pending"].copy(),
        scaled_rows=np.flatnonzero(closes["is_scaled"]),
        shortfalls=closes["shortfall"].copy(),
        ignored=ignored,
        splits=splits,
        ruined_row=int(world.purse[0].ruined),
        written_off=float(world.purse[0].written_off),
    )


def fills_of(world: World) -> Fills:
    """Cut the tape to what was written on it."""
    lines = cast("RecordArray", world.tape)[: world.purse[0].fills]
    return Fills(**{name: lines[field].copy() for name, field in FILL_COLUMNS.items()})
