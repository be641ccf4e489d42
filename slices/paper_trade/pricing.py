"""One session at the simulated exchange, worked out without storing anything.

What waits is handed to the simulation as decided at the close before, and the simulation lives
through the session: the same text that a backtest runs, hence the same fills. What it says in
floats is reported in exact numbers that add up: the quantities of fills are differences of rounded
holdings, so that their sum is the rounded holding.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.calendar import session_close
from slices.domain.errors import BadDataError, SymbolNotFoundError
from slices.domain.exact import price
from slices.domain.orders import CashFlow, Fill, OrderState, ShareAction
from slices.paper_trade.fill_reports import fills_of
from slices.paper_trade.reporting import (
    Session,
    actions_of,
    flows_of,
    updated_orders,
    without_dust,
)
from slices.paper_trade.restating import newest_closes, share_ratios
from slices.paper_trade.venue_state import EngineState, VenueBook, VenueOrder, booked
from slices.quant.simulation.amending import needed_symbols, rearranged
from slices.quant.simulation.intents import OrderIntent
from slices.quant.simulation.stepping import Account, decide, step

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from slices.domain.orders import Order
    from slices.quant.panel import Panel
    from slices.quant.types import BoolArray, FloatArray

HISTORY_SESSIONS = 30
"""Sessions before the one lived through that are looked at; the simulation wants 22."""


MOST_INTERPRETED = 200
"""Symbols up to which plain Python takes milliseconds for a session; machine code has to be loaded,
which takes a second, or be made, which takes many."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Lived:
    """What a session did.

    Attributes:
        book: The account after the close.
        orders: Those that changed.
    """

    book: VenueBook
    orders: tuple[VenueOrder, ...]
    fills: tuple[Fill, ...]
    flows: tuple[CashFlow, ...]
    actions: tuple[ShareAction, ...]


def lived_through(
    book: VenueBook,
    orders: Sequence[VenueOrder],
    panel: Panel,
    row: int,
    *,
    ended: Sequence[tuple[str, dt.date]] = (),
) -> Lived:
    """Live through the session at a row of a panel.

    Args:
        book: The account after the session before.
        orders: Every order that waits, or whose bracket does, in the order of their places.
        panel: Bars up to the session at least; later rows are not looked at.
        row: Of the session.
        ended: Symbols whose bars have ended for good, and the session of the last one.

    Raises:
        SymbolNotFoundError: Where bars of a symbol that is held or ordered are missing.
        BadDataError: Where prices are not positive, or changed without an explanation.
    """
    seen = panel.between(max(0, row - HISTORY_SESSIONS), row + 1)
    waiting = [each for each in orders if each.number is None]
    symbols = _traded(book, waiting, seen)
    own = seen.columns([seen.symbols.index(each) for each in symbols])
    ratios = share_ratios(book.engine.known, seen, symbols)
    engine = rearranged(book.engine.account, symbols, marks=_marks(book, own))
    engine = _decided(engine, book, waiting, ratios)
    stepped = step(
        _in_same_shares(engine, ratios),
        own,
        costs=book.terms.costs,
        rules=book.terms.rules,
        splits=_splits(ratios, len(own.sessions)),
        ended=_ended(ended, own) if ended else None,
        is_compiled=is_compiled(engine),
    )
    first = engine.orders - len(waiting)
    numbered = [*(each for each in orders if each.number is not None), *_numbered(waiting, first)]
    session = Session(
        name=own.sessions[-1],
        at=session_close(own.sessions[-1], calendar=book.terms.calendar),
        book=book,
        symbols=symbols,
        orders=tuple(numbered),
        ratios=ratios,
        shares=engine.shares,
        stepped=stepped,
    )
    return _reported(session, seen)


def _reported(session: Session, seen: Panel) -> Lived:
    actions, fills = actions_of(session), fills_of(session)
    flows = flows_of(session, fills)
    after = booked(session.book, fills=fills, flows=flows, actions=actions)
    engine = without_dust(session.stepped.account)
    marks = zip(engine.symbols, engine.marks.tolist(), strict=True)
    return Lived(
        book=replace(
            after,
            session=session.name,
            engine=EngineState(account=engine, known=newest_closes(seen)),
            marks=tuple((each, price(mark)) for each, mark in marks if not np.isnan(mark)),
        ),
        orders=updated_orders(session, fills),
        fills=fills,
        flows=flows,
        actions=actions,
    )


def _traded(book: VenueBook, waiting: Sequence[VenueOrder], panel: Panel) -> tuple[str, ...]:
    """List what the account holds or has ordered, in the order of the panel."""
    needed = {*needed_symbols(book.engine.account), *(each.order.symbol for each in waiting)}
    lacking = tuple(sorted(needed - set(panel.symbols)))
    if lacking:
        raise SymbolNotFoundError(
            symbols=lacking,
            source=f"bars of {panel.sessions[-1]}",
            available=panel.symbols,
            reason=f"account '{book.terms.account}' holds or has ordered them",
        )
    return tuple(each for each in panel.symbols if each in needed)


def _marks(book: VenueBook, panel: Panel) -> FloatArray:
    """Return the newest close of every symbol as of the session before; NaN where none."""
    before = [t for t, each in enumerate(panel.sessions) if book.session and each <= book.session]
    marks = np.full(len(panel.symbols), np.nan)
    for row in before:
        closes = panel.close[row]
        marks = np.where(np.isnan(closes), marks, closes)
    return marks


def _ended(ended: Sequence[tuple[str, dt.date]], panel: Panel) -> BoolArray:
    gone = {symbol for symbol, last in ended if last <= panel.sessions[-1]}
    return np.array([each in gone for each in panel.symbols], dtype=np.bool_)


def is_compiled(engine: Account) -> bool:
    """Tell whether machine code is worth its while."""
    return len(engine.symbols) > MOST_INTERPRETED


def _splits(ratios: FloatArray, sessions: int) -> FloatArray | None:
    """Write ratios as the splits of the last session; None where there is none."""
    if np.all(ratios == 1.0):
        return None
    splits = np.ones((sessions, ratios.size))
    splits[-1] = ratios
    return splits


def _decided(
    engine: Account, book: VenueBook, waiting: Sequence[VenueOrder], ratios: FloatArray
) -> Account:
    """Hand in what waits, as decided at the close of the newest session."""
    if not waiting:
        return engine
    if engine.sessions == 0:
        raise BadDataError(
            dataset=book.terms.account, problem="found orders before the first session; needed none"
        )
    intents = []
    for each in waiting:
        column = engine.symbols.index(each.order.symbol)
        intent = intent_of(each.order, row=engine.sessions - 1, column=column)
        if ratios[column] == 1.0 and intent.quantity is not None:
            intent = _closing_all(intent, book, engine)
        intents.append(intent)
    return decide(engine, rules=book.terms.rules, orders=intents, is_compiled=is_compiled(engine))


def _closing_all(intent: OrderIntent, book: VenueBook, engine: Account) -> OrderIntent:
    """Let an order for exactly what is reported as held close what is held."""
    held = book.quantity_of(engine.symbols[intent.column])
    if intent.quantity == -float(held):
        return replace(intent, quantity=-float(engine.shares[intent.column]))
    return intent


def intent_of(order: Order, *, row: int, column: int) -> OrderIntent:
    """Say to the simulation what an order says."""
    is_weight = order.target_weight is not None
    return OrderIntent(
        row=row,
        column=column,
        quantity=None if is_weight else float(order.signed_quantity),
        weight=order.target_weight,
        kind=order.kind,
        limit_price=None if order.limit_price is None else float(order.limit_price),
        stop_price=None if order.stop_price is None else float(order.stop_price),
        trail=order.trail,
        valid_sessions=order.valid_sessions,
        reduce_only=order.reduce_only,
        bracket=order.bracket,
    )


def _in_same_shares(engine: Account, ratios: FloatArray) -> Account:
    """Let orders stay orders for as many shares where prices are restated.

    The simulation restates quantities too, which the ledger, to whom an order is for so many
    shares, would take for an overfill.
    """
    book = engine.book.copy()
    for name in ("quantity", "filled"):
        book[name] /= ratios[book["column"]]
    return replace(engine, book=book)


def _numbered(waiting: Sequence[VenueOrder], first: int) -> list[VenueOrder]:
    return [
        replace(each, number=first + place, state=OrderState.ACCEPTED)
        for place, each in enumerate(waiting)
    ]
