"""What arrivals make of cash, positions, marks and orders, written with them."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import Table, bindparam, delete, insert, select, update

from slices.domain.exact import ZERO, price
from slices.domain.orders import (
    EXIT_REASONS,
    CashFlow,
    Fill,
    FlowKind,
    OrderRecord,
    OrderState,
    ShareAction,
)
from slices.ledger.arrivals import Arrivals, ContradictionError
from slices.ledger.closing import restate_marks
from slices.ledger.journal import Note, append_all, written
from slices.ledger.order_rows import records_within, rewrite
from slices.ledger.positions import Event, Holding, after, place_of, rebuilt_positions
from slices.ledger.schema import ACCOUNTS, CASH_FLOWS, FILLS, ORDERS, POSITIONS, SHARE_ACTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from slices.domain.orders import Order

OWN_MONEY = frozenset({FlowKind.DEPOSIT, FlowKind.WITHDRAWAL})
NEVER_LEFT = frozenset({OrderState.DENIED, OrderState.REJECTED})
MY_ACCOUNT = ACCOUNTS.c.account == bindparam("owner")
BALANCES = select(ACCOUNTS.c.cash, ACCOUNTS.c.costs, ACCOUNTS.c.capital).where(MY_ACCOUNT)
MOVE_BALANCES = update(ACCOUNTS).where(MY_ACCOUNT)
HOLDING = [POSITIONS.c[name] for name in Holding.__dataclass_fields__]


def apply(connection: Connection, account: str, news: Arrivals, *, at: dt.datetime) -> None:
    """Write arrivals and everything that follows from them.

    Raises:
        ContradictionError: A fill does not fit its order.
    """
    _check_numbers(news)
    orders = _orders_of(connection, account, news.fills)
    _insert(connection, FILLS, news.fills)
    _insert(connection, CASH_FLOWS, news.flows)
    _insert(connection, SHARE_ACTIONS, news.actions)
    _move_cash(connection, account, news)
    _move_positions(connection, account, news)
    marks = restate_marks(connection, account, news.actions)
    append_all(connection, account, _notes(news, marks), at)
    for record in orders:
        _fill_order(connection, record, at=at)


def _check_numbers(news: Arrivals) -> None:
    for fill in news.fills:
        is_price = fill.price.is_finite() and fill.price >= 0
        if not is_price or not fill.quantity.is_finite() or fill.quantity == 0:
            raise ContradictionError(f"{fill.fill_id} is {fill.quantity} shares at {fill.price}")
        if min(fill.commission, fill.spread, fill.impact) < 0:
            raise ContradictionError(f"{fill.fill_id} has costs below 0: {fill}")


def _insert(
    connection: Connection, table: Table, items: Iterable[Fill | CashFlow | ShareAction]
) -> None:
    rows = [vars(each) for each in items]
    if rows:
        connection.execute(insert(table), rows)


def _notes(news: Arrivals, marks: str) -> tuple[Note, ...]:
    notes = [_note("action.booked", each.action_id, each) for each in news.actions]
    notes += [_note("fill.booked", each.fill_id, each) for each in news.fills]
    notes += [_note("flow.booked", each.flow_id, each) for each in news.flows]
    if marks:
        subject = news.actions[-1].action_id
        notes.append(Note(kind="marks.restated", subject=subject, payload=(("marks", marks),)))
    return tuple(notes)


def _note(kind: str, subject: str, item: Fill | CashFlow | ShareAction) -> Note:
    payload = tuple((name, written(value)) for name, value in vars(item).items())
    return Note(kind=kind, subject=subject, payload=payload)


def _move_cash(connection: Connection, account: str, news: Arrivals) -> None:
    row = connection.execute(BALANCES, {"owner": account}).one()
    flows = sum((each.amount for each in news.flows), ZERO)
    own = sum((each.amount for each in news.flows if each.kind in OWN_MONEY), ZERO)
    values = {
        "cash": row.cash + flows + sum((each.cash for each in news.fills), ZERO),
        "costs": row.costs + sum((each.costs for each in news.fills), ZERO),
        "capital": row.capital + own,
    }
    connection.execute(MOVE_BALANCES, {"owner": account, **values})


def _move_positions(connection: Connection, account: str, news: Arrivals) -> None:
    if not news.symbols:
        return
    mine = (POSITIONS.c.account == account) & POSITIONS.c.symbol.in_(news.symbols)
    rows = connection.execute(select(*HOLDING).where(mine)).all()
    holdings = {row.symbol: Holding(**row._asdict()) for row in rows}
    late = set()
    events: list[Event] = [*news.actions, *news.fills]
    for event in sorted(events, key=place_of):
        before = holdings.get(event.symbol) or Holding(symbol=event.symbol)
        if place_of(event) < before.newest:
            late.add(event.symbol)
        holdings[event.symbol] = after(before, event)
    for symbol in late:
        holdings[symbol] = _rebuilt(connection, account, symbol)
    connection.execute(delete(POSITIONS).where(mine))
    new = [{"account": account, **vars(each)} for each in holdings.values()]
    connection.execute(insert(POSITIONS), new)


def _rebuilt(connection: Connection, account: str, symbol: str) -> Holding:
    """Work a holding out anew, because something arrived that happened before what was booked."""
    fills = select(FILLS).where((FILLS.c.account == account) & (FILLS.c.symbol == symbol))
    rows = SHARE_ACTIONS.c
    actions = select(SHARE_ACTIONS).where((rows.account == account) & (rows.symbol == symbol))
    (holding,) = rebuilt_positions(
        [Fill(**row._asdict()) for row in connection.execute(fills)],
        [ShareAction(**row._asdict()) for row in connection.execute(actions)],
    )
    return holding


def _orders_of(
    connection: Connection, account: str, fills: Iterable[Fill]
) -> tuple[OrderRecord, ...]:
    """Find the orders of fills, each of which has to fit its own."""
    ordered = [each for each in fills if each.client_order_id]
    names = sorted({each.client_order_id for each in ordered})
    if not names:
        return ()
    mine = (ORDERS.c.account == account) & ORDERS.c.client_order_id.in_(names)
    found = records_within(connection, mine)
    by_name = {each.order.client_order_id: each for each in found}
    for fill in ordered:
        _check_fits(fill, by_name.get(fill.client_order_id))
    return found


def _check_fits(fill: Fill, record: OrderRecord | None) -> None:
    what = f"fill {fill.fill_id} of order {fill.client_order_id}"
    if record is None:
        raise ContradictionError(f"{what}, which nobody wrote")
    if record.state in NEVER_LEFT:
        raise ContradictionError(f"{what}, which was {record.state}")
    order = record.order
    if fill.symbol != order.symbol or not _is_on_its_side(fill, order):
        wanted = f"{order.side} {order.symbol}"
        raise ContradictionError(f"{what} is {fill.quantity} {fill.symbol}, not to {wanted}")


def _is_on_its_side(fill: Fill, order: Order) -> bool:
    """Tell whether a fill goes the way of its order.

    Prices may turn what an order to a weight comes to, and a bracket leaves what it has opened.
    """
    if order.target_weight is not None:
        return fill.quantity != 0
    way = -order.side.sign if fill.is_exit else order.side.sign
    return fill.quantity * way > 0


def _fill_order(connection: Connection, record: OrderRecord, *, at: dt.datetime) -> None:
    """Work out from all its fills how much of an order is filled, at what price."""
    order = record.order
    mine = (FILLS.c.account == order.account) & (FILLS.c.client_order_id == order.client_order_id)
    mine &= FILLS.c.reason.not_in(EXIT_REASONS)
    rows = connection.execute(select(FILLS.c.quantity, FILLS.c.price).where(mine)).all()
    if not rows:
        return
    shares = sum((abs(row.quantity) for row in rows), ZERO)
    paid = sum((abs(row.quantity) * row.price for row in rows), ZERO)
    if order.target_weight is None and shares > order.quantity:
        found = f"{shares.normalize():f} shares filled of {order.quantity.normalize():f} ordered"
        raise ContradictionError(f"order {order.client_order_id}: {found}")
    moved = replace(
        record,
        state=_state_with(record, is_complete=shares == order.quantity),
        filled_quantity=shares,
        average_price=price(paid / shares),
        updated_at=max(at.astimezone(dt.UTC), record.updated_at),
    )
    rewrite(connection, record, moved)


def _state_with(record: OrderRecord, *, is_complete: bool) -> OrderState:
    if is_complete and record.order.target_weight is None:
        return OrderState.FILLED
    return OrderState.PARTLY_FILLED if record.state.is_open else record.state
