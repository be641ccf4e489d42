"""Exits that were filled: at what level, at what price, and what they gained."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING

from slices.adaptive_portfolio.stops.levels import levels_of
from slices.adaptive_portfolio.stops.past import WORKFLOW, entry_of
from slices.adaptive_portfolio.stops.reading import guarded_by, track_of
from slices.domain.accounts import Position
from slices.domain.errors import ParameterError
from slices.domain.exact import ZERO, notional, price
from slices.domain.stop_monitor import StopExit
from slices.quant.panel import read_panel

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection

    from slices.adaptive_portfolio.stops.past import Past
    from slices.domain.dataset import DatasetRef
    from slices.domain.orders import Fill
    from slices.domain.stops import Stop


def exit_of(stop: Stop, past: Past) -> StopExit | None:
    """Tell what an exit brought, against what its stop promised; None where it was not filled."""
    fills = _fills_of(stop, past)
    shares = float(sum((each.quantity for each in fills), ZERO))
    if not shares:
        return None
    paid = float(sum((each.quantity * each.price for each in fills), ZERO)) / shares
    level = _level_then(stop, past, fills[-1].session)
    beyond = math.copysign(1.0, -shares) * (level - paid)
    return StopExit(
        stop_id=stop.stop_id,
        symbol=stop.symbol,
        kind=stop.kind,
        triggered=stop.triggered,
        filled=fills[-1].session,
        quantity=shares,
        level=level,
        price=paid,
        beyond=beyond / level,
        beyond_money=beyond * abs(shares),
        costs=float(sum((each.costs for each in fills), ZERO)),
        gain=gain_of(stop.symbol, past, {each.fill_id for each in fills}),
    )


def _level_then(stop: Stop, past: Past, filled: dt.date) -> float:
    """Return the level at which it was hit in the prices of the fill."""
    if stop.triggered is None or stop.triggered_level is None:
        return math.nan
    hit = stop.triggered
    restated = (
        each.old_quantity / each.new_quantity
        for each in past.actions
        if each.symbol == stop.symbol and hit < each.session <= filled and each.new_quantity
    )
    return float(stop.triggered_level * math.prod(restated, start=Decimal(1)))


def _fills_of(stop: Stop, past: Past) -> tuple[Fill, ...]:
    """List the fills of its own exit orders; where there are none, those of its bracket."""
    names = {
        each.order.client_order_id
        for each in past.orders
        if each.order.workflow == WORKFLOW and each.order.strategy == stop.stop_id
    }
    own = tuple(each for each in past.fills if each.client_order_id in names)
    return own or past.bracket_exits(stop)


def gain_of(symbol: str, past: Past, exits: Collection[str]) -> float:
    """Return the money that fills gained over the average price paid, before costs.

    Args:
        symbol: Of which.
        past: What happened.
        exits: Names of the fills.
    """
    held = basis = gained = ZERO
    actions = [
        (each.session, 0, each.new_quantity, None) for each in past.actions if each.symbol == symbol
    ]
    fills = [(each.session, 1, each.quantity, each) for each in past.fills if each.symbol == symbol]
    for _, _, shares, fill in sorted([*actions, *fills], key=lambda each: each[:2]):
        if fill is None:
            held = shares
        elif held * shares >= 0:
            held, basis = held + shares, basis + shares * fill.price
        else:
            closed = shares if abs(shares) <= abs(held) else -held
            paid = basis / held
            gained += closed * (paid - fill.price) if fill.fill_id in exits else ZERO
            held, basis = held + shares, basis + closed * paid
            basis += (shares - closed) * fill.price
    return float(gained)


def fired_level(bars: DatasetRef, stop: Stop, past: Past) -> Decimal | None:
    """Return the level at which the bracket of its order left; None by time or where unknown."""
    left = past.bracket_exits(stop)
    entries = [e for e in past.fills if e.client_order_id == entry_of(stop) and not e.is_exit]
    opening = past.opening_order(stop)
    bracket = None if opening is None else opening.order.bracket
    if not left or not entries or bracket is None:
        return None
    shares = sum((each.quantity for each in entries), ZERO)
    basis = sum((notional(each.quantity, each.price) for each in entries), ZERO)
    sign, paid = (1 if shares > 0 else -1), float(basis / shares)
    since = past.shares_since(stop.symbol, left[0].session)
    now = float(past.shares_since(stop.symbol, stop.armed) / since)
    match left[-1].reason:
        case "stop loss":
            level = _bracket_level(bracket.stop_loss_price, bracket.stop_loss, paid, -sign)
        case "take profit":
            level = _bracket_level(bracket.take_profit_price, bracket.take_profit, paid, sign)
        case "trailing exit":
            position = Position(
                symbol=stop.symbol, quantity=shares, basis=basis, mark=None, marked=None,
                opened=entries[0].session,
            )  # fmt: skip
            level = _trailing_level(bars, stop, position, left[0].session) * now
        case _:
            return None
    return None if math.isnan(level) else price(level / now)


def _bracket_level(at: float | None, fraction: float | None, paid: float, sign: int) -> float:
    if fraction is not None:
        return paid * (1 + sign * fraction)
    return math.nan if at is None else at


def _trailing_level(bars: DatasetRef, stop: Stop, position: Position, hit: dt.date) -> float:
    panel = read_panel(bars)
    if stop.symbol not in panel.symbols:
        return math.nan
    track = track_of(panel, stop.symbol)
    try:
        guarded = guarded_by(stop, position, track, ratio=1.0)
    except ParameterError:
        return math.nan
    sessions = track.sessions[guarded.first :]
    levels = dict(zip(sessions, levels_of(stop, track, guarded)[:-1], strict=True))
    return float(levels.get(hit, math.nan))
