"""Compiled: fills gathered into trades."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.quant.compiled import compiled

if TYPE_CHECKING:
    from slices.quant.simulation.records import Line, Rows, Trip
    from slices.quant.types import FloatArray, IntArray


@compiled
def begin(trip: Trip, line: Line) -> None:
    """Begin a trade with a fill."""
    trip.column, trip.entry_row, trip.exit_row = line.column, line.row, -1
    trip.is_long = line.quantity > 0.0


@compiled
def add_part(trip: Trip, held: float, quantity: float, price: float, costs: float) -> None:
    """Count a fill, or the part of it that belongs to this trade."""
    trip.costs += costs
    trip.pnl -= quantity * price + costs
    if (quantity > 0.0) == trip.is_long:
        trip.entered += abs(quantity)
        trip.bought += abs(quantity) * price
        trip.most = max(trip.most, abs(held + quantity))
    else:
        trip.left += abs(quantity)
        trip.sold += abs(quantity) * price


@compiled
def restate(trip: Trip, ratio: float) -> None:
    """Put a trade in new shares."""
    trip.entered *= ratio
    trip.left *= ratio
    trip.most *= ratio


@compiled
def carried(
    trip: Trip, held: float, first: int, stop: int, column: int, splits: FloatArray
) -> float:
    """Carry a position over the splits of some sessions."""
    for row in range(first, min(stop, splits.shape[0])):
        if held != 0.0 and splits[row, column] != 1.0:
            held *= splits[row, column]
            restate(trip, splits[row, column])
    return held


@compiled
def mark_open(trip: Trip, held: float, mark: float) -> None:
    """Value a position that is still open: what is left is sold at the mark, in thought."""
    trip.pnl += held * mark
    trip.left, trip.sold = 1.0, mark


@compiled
def close_part(line: Line, place: int, held: float, trip: Trip) -> float:
    """Count what a fill takes off a position; return the quantity that does."""
    if held * line.quantity >= 0.0:
        return 0.0
    part = line.quantity if abs(line.quantity) <= abs(held) else -held
    add_part(trip, held, part, line.price, line_costs(line) * (part / line.quantity))
    if held + part == 0.0:
        trip.exit_row, trip.reason, trip.place = line.row, line.reason, place
    return part


@compiled
def line_costs(line: Line) -> float:
    """Return commission, spread and impact of a fill."""
    return line.commission + line.spread + line.impact


@compiled
def take_fill(
    line: Line, place: int, held: float, count: int, trips: Rows[Trip]
) -> tuple[float, int]:
    """Count a fill; return what is held after it and the number of trades."""
    closing = close_part(line, place, held, trips[max(count - 1, 0)])
    held += closing
    opening = line.quantity - closing
    if opening != 0.0:
        if held == 0.0:
            begin(trips[count], line)
            count += 1
        part = line_costs(line) * (opening / line.quantity)
        add_part(trips[count - 1], held, opening, line.price, part)
        held += opening
    return held, count


@compiled
def gather_trips(
    lines: Rows[Line], places: IntArray, splits: FloatArray, marks: FloatArray, trips: Rows[Trip]
) -> int:
    """Gather fills that are ordered by symbol and then by time.

    Args:
        lines: F fills.
        places: Their positions in time.
        splits: T x N, or empty where there are none.
        marks: T x N; the last row values what is open.
        trips: Written; at least F + 1.

    Returns:
        The number of trades.
    """
    count, held, row, sessions = 0, 0.0, 0, marks.shape[0]
    for f in range(lines.size):
        line = lines[f]
        held = carried(trips[max(count - 1, 0)], held, row, line.row + 1, line.column, splits)
        held, count = take_fill(line, places[f], held, count, trips)
        row = line.row + 1
        if f + 1 == lines.size or lines[f + 1].column != line.column:
            if held != 0.0:
                trip = trips[count - 1]
                held = carried(trip, held, row, sessions, line.column, splits)
                mark_open(trip, held, marks[sessions - 1, line.column])
            held, row = 0.0, 0
    return count
