"""What is to be left now: one exit for each position whose stop was hit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.adaptive_portfolio.rebalancing.weighing import annual_covariance
from slices.adaptive_portfolio.stops.guarding import (
    after_exits,
    stop_losses,
    unguarded_of,
    unguarded_shares,
)
from slices.adaptive_portfolio.stops.past import WORKFLOW
from slices.adaptive_portfolio.stops.reading import read_stops
from slices.domain.exact import ZERO
from slices.domain.orders import Side
from slices.domain.stop_monitor import PositionRisk, StopWatch
from slices.domain.stops import StopKind, StopStatus
from slices.domain.trading import OrderPlan, PlannedOrder
from slices.quant.panel import read_panel

if TYPE_CHECKING:
    import datetime as dt
    from decimal import Decimal

    from slices.adaptive_portfolio.stops.guarding import Shares
    from slices.domain.accounts import AccountBook
    from slices.domain.dataset import DatasetRef
    from slices.domain.stop_monitor import StopBook, StopReading
    from slices.quant.types import FloatArray


def watch_stops(
    bars: DatasetRef, book: AccountBook, stops: StopBook, *, lookback_sessions: int = 252
) -> StopWatch:
    """Look at every stop and plan the exits of those that were hit.

    Args:
        bars: Up to the session, from before the stops were armed.
        book: The account.
        stops: Its stops.
        lookback_sessions: On how many returns the volatility stands.

    Raises:
        ParameterError: Where the bars begin after a stop was armed.
        SymbolNotFoundError: Where bars of something held are missing.
    """
    panel = read_panel(bars)
    readings = read_stops(bars, panel, book, stops)
    leaving = _leaving(book, readings)
    covariance = annual_covariance(panel, lookback_sessions)
    plans = tuple(exit_plan(book, each, stops.session) for each in leaving)
    held = {each.symbol: each.quantity for each in book.positions}
    kept, still = after_exits(held, readings, leaving, plans)
    return StopWatch(
        session=stops.session,
        readings=readings,
        leaving=leaving,
        unguarded=unguarded_shares(book, held, readings),
        plans=plans,
        before=_risk(bars, book, readings, covariance, held=held),
        after=_risk(bars, book, still, covariance, held=kept),
    )


def to_leave(book: AccountBook, symbol: str) -> Decimal:
    """Return the shares of a position that no waiting order sells yet, positive.

    Args:
        book: The account.
        symbol: Of which.
    """
    held = book.held(symbol)
    pending = sum(
        (each.open_quantity for each in book.open_orders if each.order.symbol == symbol), ZERO
    )
    return max(ZERO, abs(held) - max(ZERO, -pending if held > 0 else pending))


def _leaving(book: AccountBook, readings: tuple[StopReading, ...]) -> tuple[StopReading, ...]:
    """Choose one stop for each position that is to be left, and that nothing leaves already.

    One that sells all that is held comes before one that sells a part.
    """
    chosen: dict[str, StopReading] = {}
    busy = {each.stop.symbol for each in readings if each.is_leaving}
    for each in sorted((each for each in readings if each.is_due), key=_precedence):
        symbol = each.stop.symbol
        if symbol not in busy and to_leave(book, symbol) > 0:
            chosen.setdefault(symbol, each)
    return tuple(chosen[symbol] for symbol in sorted(chosen))


def _precedence(reading: StopReading) -> tuple[bool, bool, str, bool, str]:
    """Put what was recorded as hit first, then the earliest, and losses before gains."""
    stop = reading.stop
    return (
        bool(reading.entry),
        stop.status is not StopStatus.TRIGGERED,
        str(stop.triggered or reading.hit or ""),
        stop.kind is StopKind.TARGET,
        stop.stop_id,
    )


def exit_plan(book: AccountBook, reading: StopReading, session: dt.date) -> OrderPlan:
    """Write the order that leaves what one stop guards of a position.

    It is named by the stop and the session, so that one session has one exit of a stop.
    """
    stop = reading.stop
    level = "" if math.isnan(reading.hit_level) else f" at {reading.hit_level:,.4f}"
    order = PlannedOrder(
        symbol=stop.symbol,
        side=Side.SELL if reading.quantity > 0 else Side.BUY,
        quantity=min(abs(reading.quantity), to_leave(book, stop.symbol)),
        valid_sessions=1,
        reduce_only=True,
        purpose=f"{stop.kind} stop hit on {stop.triggered or reading.hit}{level}",
    )
    return OrderPlan(
        workflow=WORKFLOW,
        strategy=stop.stop_id,
        session=session,
        orders=(order,),
        details=(("stop", stop.stop_id), ("hit", str(stop.triggered or reading.hit))),
    )


def _risk(
    bars: DatasetRef,
    book: AccountBook,
    readings: tuple[StopReading, ...],
    covariance: FloatArray | None,
    *,
    held: Shares,
) -> PositionRisk:
    equity = float(book.equity)
    if equity <= 0:
        return PositionRisk(
            gross=math.nan, net=math.nan, volatility=math.nan, at_risk=math.nan, unguarded=math.nan
        )
    weights = {
        each.symbol: float(each.value * held[each.symbol] / each.quantity) / equity
        for each in book.positions
    }
    loose = unguarded_of(held, readings)
    return PositionRisk(
        gross=sum(map(abs, weights.values())),
        net=sum(weights.values()),
        volatility=_volatility(np.array([weights.get(e, 0.0) for e in bars.symbols]), covariance),
        at_risk=stop_losses(held, readings) / equity,
        unguarded=sum(
            abs(weights[each]) * float(loose[each] / shares)
            for each, shares in held.items()
            if shares
        ),
    )


def _volatility(weights: FloatArray, covariance: FloatArray | None) -> float:
    if covariance is None:
        return math.nan
    return math.sqrt(max(0.0, float(weights @ covariance @ weights)))
