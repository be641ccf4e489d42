"""Whether fills could have happened: when they were decided, and at which price."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import BadDataError
from slices.domain.verdicts import Leak, LeakFinding
from slices.quant.simulation.account import FillReason

if TYPE_CHECKING:
    from slices.quant.panel import Panel
    from slices.quant.simulation.account import Fills, Simulation
    from slices.quant.types import BoolArray, FloatArray

TOLERANCE = 1e-9
"""Relative; prices pass through files and factors."""

STOPS = (FillReason.STOP, FillReason.TRAILING_STOP, FillReason.STOP_LOSS)
LIMITS = (FillReason.LIMIT, FillReason.TAKE_PROFIT)
FORCED = (FillReason.DELISTING, FillReason.RUIN)
"""Closed by nobody's decision, where there may be no bar."""

AT_ONCE = (FillReason.TARGET, FillReason.MARKET, FillReason.TIME_LIMIT)
"""Fills that take the first price there is: the open, or the close where there are no opens."""


def audit_fills(
    simulation: Simulation, panel: Panel, *, levels: FloatArray | None = None
) -> tuple[LeakFinding, ...]:
    """Find fills that could not have happened as they are recorded.

    A fill must come after the session its decision was made at, at a price between the bar's low
    and high; without stop or limit at the open. A stop fills at its level or worse, at the open
    where the bar opens beyond it, so that a sale on a stop never gets more than the open. Where
    the data has closes alone every fill is at the close. What a delisting closes is paid the last
    close.

    Args:
        simulation: Its fills.
        panel: The bars they happened on.
        levels: One price per fill at which its stop or limit stood, NaN where it had none; without
            them a stop is held against the open alone.

    Returns:
        For every kind of leak the first such fill, and how many there are.

    Raises:
        BadDataError: Where fills lie outside the panel, or levels are not one per fill.
    """
    fills = simulation.fills
    _check(fills, panel, levels)
    stood = np.full(fills.prices.size, np.nan) if levels is None else levels
    is_forced = np.isin(fills.reasons, FORCED)
    outside = _outside(fills, panel) & ~is_forced
    checks = (
        (Leak.SAME_BAR_FILL, (fills.decided >= fills.rows) & ~is_forced),
        (Leak.PRICE_OUTSIDE_BAR, outside),
        (Leak.CHOSEN_PRICE, _chosen(fills, panel) & ~outside),
        (Leak.BETTER_THAN_STOP, _better(fills, panel, stood)),
    )
    return tuple(_finding(leak, wrong, fills, panel) for leak, wrong in checks if wrong.any())


def _check(fills: Fills, panel: Panel, levels: FloatArray | None) -> None:
    sessions, symbols = panel.close.shape
    inside = (fills.rows >= 0) & (fills.rows < sessions)
    inside &= (fills.columns >= 0) & (fills.columns < symbols)
    if not inside.all():
        raise BadDataError(
            dataset="fills",
            problem=f"{int((~inside).sum())} lie outside the panel of {sessions} x {symbols}",
        )
    if levels is not None and levels.shape != fills.prices.shape:
        raise BadDataError(
            dataset="levels", problem=f"found {levels.size}, needed {fills.prices.size} as of fills"
        )


def _at(values: FloatArray, fills: Fills) -> FloatArray:
    return np.asarray(values[fills.rows, fills.columns], dtype=np.float64)


def _alike(prices: FloatArray, expected: FloatArray) -> BoolArray:
    return np.asarray(np.abs(prices - expected) <= TOLERANCE * np.abs(expected), dtype=np.bool_)


def _outside(fills: Fills, panel: Panel) -> BoolArray:
    """Mark prices no trade was made at; without a bar there is none."""
    if panel.high is None or panel.low is None:
        return ~_alike(fills.prices, _at(panel.close, fills))
    low, high = _at(panel.low, fills), _at(panel.high, fills)
    inside = (fills.prices >= low * (1 - TOLERANCE)) & (fills.prices <= high * (1 + TOLERANCE))
    return np.asarray(~inside, dtype=np.bool_)


def _first_prices(fills: Fills, panel: Panel) -> FloatArray:
    opens = _at(panel.fill_prices, fills)
    return np.where(np.isnan(opens), _at(panel.close, fills), opens)


def _chosen(fills: Fills, panel: Panel) -> BoolArray:
    """Mark prices that could not be waited for: not the first one, and no stop or limit."""
    at_once = np.isin(fills.reasons, AT_ONCE) & ~_alike(fills.prices, _first_prices(fills, panel))
    delisted = fills.reasons == FillReason.DELISTING
    return np.asarray(at_once | (delisted & ~_alike(fills.prices, _last_closes(fills, panel))))


def _last_closes(fills: Fills, panel: Panel) -> FloatArray:
    """Return the last close known at each fill's session; NaN where there is none yet."""
    closes = np.full(fills.prices.size, np.nan)
    for place in np.flatnonzero(fills.reasons == FillReason.DELISTING):
        known = panel.close[: fills.rows[place] + 1, fills.columns[place]]
        rows = np.flatnonzero(~np.isnan(known))
        closes[place] = known[rows[-1]] if rows.size else np.nan
    return closes


def _better(fills: Fills, panel: Panel, levels: FloatArray) -> BoolArray:
    """Mark stops filled better than their level, or than the open, and limits beyond both.

    The open does not bound a stop of a position that was entered later in the same session.
    """
    side = np.sign(fills.quantities)
    is_stop = np.isin(fills.reasons, STOPS)
    opens = np.where(_entered_within(fills), np.nan, _first_prices(fills, panel))
    worst = side * np.fmax(side * opens, side * levels)
    gain = side * (worst - fills.prices) > TOLERANCE * np.abs(worst)
    best = side * np.fmin(side * _first_prices(fills, panel), side * levels)
    is_limit = np.isin(fills.reasons, LIMITS) & ~np.isnan(levels)
    more = side * (best - fills.prices) > TOLERANCE * np.abs(best)
    return np.asarray((is_stop & gain) | (is_limit & more), dtype=np.bool_)


def _entered_within(fills: Fills) -> BoolArray:
    """Mark fills that follow one by stop or limit of the same symbol in the same session."""
    places = fills.rows * (int(fills.columns.max(initial=0)) + 1) + fills.columns
    waited = np.isin(fills.reasons, (*STOPS, *LIMITS))
    marks = np.zeros(places.size, dtype=np.bool_)
    seen: set[int] = set()
    for place in np.flatnonzero(waited):
        marks[place] = int(places[place]) in seen
        seen.add(int(places[place]))
    return marks


def _finding(leak: Leak, wrong: BoolArray, fills: Fills, panel: Panel) -> LeakFinding:
    first = int(wrong.argmax())
    session = panel.sessions[fills.rows[first]]
    side = "bought" if fills.quantities[first] > 0 else "sold"
    others = int(wrong.sum()) - 1
    more = f", and {others:,} other fill{'' if others == 1 else 's'} likewise" if others else ""
    what = f"{panel.symbols[fills.columns[first]]} was {side} on {session}"
    return LeakFinding(
        leak=leak, session=session, detail=f"{what} {_detail(leak, first, fills, panel)}{more}."
    )


def _detail(leak: Leak, place: int, fills: Fills, panel: Panel) -> str:
    price, row, column = fills.prices[place], fills.rows[place], fills.columns[place]
    close, first = panel.close[row, column], _first_prices(fills, panel)[place]
    match leak:
        case Leak.SAME_BAR_FILL:
            return f"by a decision made at the close of {panel.sessions[fills.decided[place]]}"
        case Leak.PRICE_OUTSIDE_BAR:
            if panel.high is None or panel.low is None:
                return f"at {price:g}, where the close was {close:g}"
            low, high = panel.low[row, column], panel.high[row, column]
            return f"at {price:g}, outside its bar of {low:g} to {high:g}"
        case Leak.CHOSEN_PRICE:
            return f"at {price:g} without a stop or limit, where the first price was {first:g}"
        case _:
            return f"at {price:g}, better than its order allows where the first price was {first:g}"
