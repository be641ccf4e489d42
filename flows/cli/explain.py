"""`tradeflows explain`: everything about one order, in the order in which it happened."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from flows.cli.books import has_ledger, opened_ledger
from flows.cli.exits import Exit
from flows.cli.output import print_json, print_line
from slices.domain.accounts import TradingMode
from slices.domain.errors import ParameterError, listed
from slices.ledger.booking import fills_of
from slices.ledger.decisions import decision_subject
from slices.ledger.fingerprints import KIND as TRADED_WITH
from slices.ledger.journal import entries
from slices.ledger.orders import orders_named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from slices.domain.orders import Fill, Order, OrderRecord
    from slices.ledger.journal import JournalEntry
    from slices.ledger.opening import Ledger

WRITTEN_ONCE = ("client_order_id", "number", "account")


@dataclass(frozen=True, kw_only=True)
class Happening:
    """One thing that happened: when, what, and its values by name."""

    at: str
    what: str
    details: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What an order was for, what it was judged by, and what became of it."""

    client_order_id: str
    account: str
    mode: str
    order: str
    state: str
    happenings: tuple[Happening, ...]


def explained(beginning: str) -> Explanation:
    """Put together everything about the order whose name begins like this.

    Raises:
        ParameterError: No order's name does, or several orders' names do.
    """
    found = []
    for mode in TradingMode:
        if has_ledger(mode):
            with opened_ledger(mode) as ledger:
                found += [_explanation(ledger, each) for each in orders_named(ledger, beginning)]
    if len(found) == 1:
        return found[0]
    names = tuple(each.client_order_id for each in found)
    said = f"{beginning!r}, with which {len(names)} orders begin" if names else repr(beginning)
    allowed = listed(names, most=5) or "the name of an order, such as tf-1a2b, or its beginning"
    raise ParameterError(parameter="ORDER_ID", found=said, allowed=allowed)


def _explanation(ledger: Ledger, record: OrderRecord) -> Explanation:
    order = record.order
    happened = [
        *_decisions(ledger, order),
        *(_happening(each) for each in entries(ledger, subject=order.client_order_id)),
        *_fills(ledger, order),
    ]
    return Explanation(
        client_order_id=order.client_order_id,
        account=order.account,
        mode=ledger.mode,
        order=_sentence(order),
        state=record.state,
        happenings=tuple(sorted(happened, key=lambda each: each.at)),
    )


def _sentence(order: Order) -> str:
    weight = "" if order.target_weight is None else f" towards a weight of {order.target_weight:g}"
    why = f": {order.purpose}" if order.purpose else ""
    return (
        f"{order.side} {order.quantity.normalize():f} {order.symbol} at {order.kind}{weight}, "
        f"decided by {order.workflow} ({order.strategy}) on {order.session}{why}"
    )


def _decisions(ledger: Ledger, order: Order) -> Iterator[Happening]:
    """Tell of the decision, alone or for the whole account, and of the code it was traded with."""
    for strategy in dict.fromkeys(("", order.strategy)):
        subject = decision_subject(order.workflow, strategy, order.session)
        for each in entries(ledger, account=order.account, subject=subject):
            yield _happening(each)
    for each in entries(ledger, account=order.account, subject=order.session.isoformat()):
        if each.kind == TRADED_WITH:
            yield _happening(each)


def _happening(entry: JournalEntry) -> Happening:
    details = (pair for pair in entry.payload if pair[1] and pair[0] not in WRITTEN_ONCE)
    return Happening(at=_instant(entry.at), what=entry.kind, details=tuple(details))


def _fills(ledger: Ledger, order: Order) -> Iterator[Happening]:
    for fill in fills_of(ledger, order.account, since=order.session):
        if fill.client_order_id == order.client_order_id:
            yield Happening(at=_instant(fill.at), what="filled", details=_told(fill))


def _told(fill: Fill) -> tuple[tuple[str, str], ...]:
    return (
        ("quantity", f"{fill.quantity.normalize():f}"),
        ("price", f"{fill.price.normalize():f}"),
        ("costs", f"{fill.costs:.6f}"),
        ("session", str(fill.session)),
        ("reason", fill.reason),
    )


def _instant(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat()


def show_explained(order_id: str, *, as_json: bool) -> Exit:
    """Print everything about one order."""
    told = explained(order_id)
    if as_json:
        print_json(asdict(told))
        return Exit.OK
    print_line(f"{told.client_order_id}  {told.mode} account {told.account}  {told.state}")
    print_line(told.order)
    for each in told.happenings:
        print_line(f"{each.at[:19]}  {each.what}")
        for name, value in each.details:
            print_line(f"    {name.replace('_', ' ')}: {value}")
    return Exit.OK
