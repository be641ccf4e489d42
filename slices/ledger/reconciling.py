"""Bringing the books up to what the broker says, and stopping where that is impossible."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slices.domain.accounts import TradingState
from slices.domain.errors import SourceError, counted, listed
from slices.domain.trading_errors import (
    BrokerError,
    LedgerBusyError,
    LedgerError,
    ReconciliationError,
)
from slices.ledger.accounts import read_book
from slices.ledger.booking import book
from slices.ledger.comparing import BrokerReport, Difference, differences
from slices.ledger.orders import write_answers
from slices.ledger.sending import resolve
from slices.ledger.states import set_state

if TYPE_CHECKING:
    from slices.domain.brokers import Broker
    from slices.ledger.opening import Ledger

BY = "reconciliation"
LATE = dt.timedelta(days=30)
"""How far back fills are looked for that a broker reports late."""

MOST_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Reconciliation:
    """The broker and the books agree.

    Attributes:
        resolved: Orders of which nobody knew whether they had left.
        booked: Fills, cash flows and restatements that the books did not have.
        updated: Orders whose state the broker knew better.
    """

    account: str
    at: dt.datetime
    resolved: int
    booked: int
    updated: int


def reconcile(ledger: Ledger, broker: Broker, account: str, *, at: dt.datetime) -> Reconciliation:
    """Bring the books up to the broker's and prove that they agree.

    Unclear orders are found out about; fills, cash flows and restatements are booked under the
    broker's names for them, so that doing it twice adds nothing. Then cash, positions and open
    orders are compared over the union of both. What differs is read once more, from further back,
    since a broker goes on trading while it is read and reports some things late.

    Args:
        ledger: Where the account is.
        broker: Who trades for it.
        account: Whose books they are.
        at: Instant (UTC) to record everything with.

    Raises:
        ReconciliationError: Something differs and nothing explains it; the account is halted.
        BrokerError: The broker could not be read; the account is halted.
        SourceError: It could not be understood; the account is halted.
        LedgerError: It tells something else than before about what is booked; the account is
            halted.
    """
    try:
        resolved = resolve(ledger, broker, account, at=at)
        counts, found = _compared(ledger, broker, account, at=at)
    except LedgerBusyError:
        raise
    except (BrokerError, SourceError, LedgerError) as unreadable:
        _halt(ledger, account, str(unreadable), at=at)
        raise
    if found:
        problem = _told(found)
        _halt(ledger, account, problem, at=at)
        raise ReconciliationError(ledger=ledger.name, problem=f"{account}: {problem}")
    booked, updated = counts
    return Reconciliation(account=account, at=at, resolved=resolved, booked=booked, updated=updated)


def _compared(
    ledger: Ledger, broker: Broker, account: str, *, at: dt.datetime
) -> tuple[tuple[int, int], tuple[Difference, ...]]:
    """Book and compare until nothing differs, looking further back each time."""
    known = read_book(ledger, account, curve=False)
    newest = known.session or known.opened
    booked = updated = 0
    found: tuple[Difference, ...] = ()
    for since in (newest, newest - LATE, known.opened):
        report = BrokerReport(
            account=broker.account(),
            positions=broker.positions(),
            open_orders=broker.open_orders(),
        )
        booked += _booked(ledger, broker, account, since=max(since, known.opened), at=at)
        updated += _updated(ledger, broker, account, report, at=at)
        found = differences(read_book(ledger, account, curve=False), report)
        if not found:
            break
    return (booked, updated), found


def _booked(
    ledger: Ledger, broker: Broker, account: str, *, since: dt.date, at: dt.datetime
) -> int:
    return book(
        ledger,
        account,
        fills=broker.fills(since),
        flows=broker.cash_flows(since),
        actions=broker.share_actions(since),
        at=at,
    )


def _updated(
    ledger: Ledger, broker: Broker, account: str, report: BrokerReport, *, at: dt.datetime
) -> int:
    """Take over what the broker says of every order that is open in the books."""
    told = {each.client_order_id: each for each in report.open_orders}
    known = {
        each.order.client_order_id: each
        for each in read_book(ledger, account, curve=False).open_orders
    }
    answers = [told.get(name) or broker.get_by_client_id(name) for name in known]
    written = write_answers(ledger, [each for each in answers if each is not None], at=at)
    return sum(each != known[each.order.client_order_id] for each in written)


def _halt(ledger: Ledger, account: str, problem: str, *, at: dt.datetime) -> None:
    set_state(ledger, account, TradingState.HALTED, reason=problem, by=BY, at=at)


def _told(found: tuple[Difference, ...]) -> str:
    shown = listed(tuple(str(each) for each in found), most=MOST_SHOWN)
    return f"{counted(len(found), 'difference')} nothing explains: {shown}"
