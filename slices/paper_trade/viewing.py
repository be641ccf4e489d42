"""What the ledger has to say of an account at its newest session, as one value."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from slices.domain.calendar import session_close
from slices.domain.exact import ZERO
from slices.domain.limits import ReasonCode
from slices.domain.orders import FlowKind, OrderState
from slices.domain.paper_trading import AccountView
from slices.domain.parameters import DEFAULT_COSTS, DEFAULT_RULES
from slices.ledger.accounts import has_account, marks_of, read_book
from slices.ledger.booking import actions_of, fills_of, flows_of
from slices.ledger.decisions import read_decision
from slices.ledger.orders import orders_of
from slices.paper_trade.beginning import CAPITAL, paper_ledger, unopened
from slices.paper_trade.deciding import WORKFLOW, weights_of
from slices.paper_trade.parity import parity
from slices.quant.panel import read_panel

if TYPE_CHECKING:
    import datetime as dt
    from decimal import Decimal

    from slices.domain.accounts import AccountBook
    from slices.domain.dataset import DatasetRef
    from slices.domain.orders import CashFlow, Fill, OrderRecord
    from slices.domain.paper_trading import Parity, SessionsTraded
    from slices.domain.parameters import Costs, TradingRules
    from slices.ledger.opening import Ledger
    from slices.paper_trade.deciding import Rule
    from slices.quant.panel import Panel

OWN_MONEY = (FlowKind.DEPOSIT, FlowKind.WITHDRAWAL)
NEWEST_FILLS = 50
"""How many fills of an account's life a report shows."""

TOO_MUCH = frozenset(
    {
        ReasonCode.QUANTITY_TOO_LARGE,
        ReasonCode.NOTIONAL_TOO_LARGE,
        ReasonCode.POSITION_LIMIT,
        ReasonCode.GROSS_EXPOSURE,
        ReasonCode.NET_EXPOSURE,
        ReasonCode.LEVERAGE,
        ReasonCode.CONCENTRATION,
        ReasonCode.SECTOR_EXPOSURE,
    }
)
"""Reasons that an order which stays as large meets again at every session."""


def view_account(
    account: str,
    bars: DatasetRef,
    rule: Rule,
    traded: SessionsTraded,
    *,
    is_replay: bool = False,
    capital: float = CAPITAL,
    costs: Costs = DEFAULT_COSTS,
    rules: TradingRules = DEFAULT_RULES,
) -> AccountView:
    """Read everything a report of an account shows; nothing is written.

    Args:
        account: Whose; one that is not opened is described as it would begin.
        bars: Of all symbols, over the account's life where history was replayed.
        rule: What decided.
        traded: What the run did.
        is_replay: Whether to set the account beside a backtest.
        capital: Of an account that is not opened.
        costs: Of the backtest.
        rules: Likewise.
    """
    with paper_ledger() as ledger:
        if not has_account(ledger, account):
            return empty_view(unopened(account, session=traded.session, capital=capital))
        book, fills = read_book(ledger, account), fills_of(ledger, account)
        flows, actions = flows_of(ledger, account), actions_of(ledger, account)
        records = orders_of(ledger, account)
        unattended = unattended_sessions(ledger, book)
        marks = marks_of(ledger, account)
    beside: Parity | None = None
    why = ""
    if is_replay:
        panel = read_panel(bars)
        rows, why = life_rows(panel, book)
        beside = (
            None
            if why
            else parity(
                panel.between(*rows),
                weights_of(panel, rule)[slice(*rows)],
                book=book,
                fills=fills,
                flows=flows,
                actions=actions,
                marks=marks,
                costs=costs,
                rules=rules,
                unattended=unattended,
                denied=sum(each.state is OrderState.DENIED for each in records),
            )
        )
    newest = book.session
    return AccountView(
        book=book,
        waiting=tuple(each for each in records if each.state.is_open),
        fills=tuple(each for each in fills if each.session == newest),
        ended=ended_unfilled(records, closed_at(book, bars)),
        actions=tuple(each for each in actions if each.session == newest),
        unattended=unattended,
        costs=cost_lines(fills, flows),
        parity=beside,
        no_parity=why,
        newest_fills=fills[: -NEWEST_FILLS - 1 : -1],
        fill_count=len(fills),
        denied_sessions=denied_sessions(records),
    )


def empty_view(book: AccountBook) -> AccountView:
    """Describe an account that has not begun."""
    return AccountView(
        book=book,
        waiting=(),
        fills=(),
        ended=(),
        actions=(),
        unattended=(),
        costs=cost_lines((), ()),
    )


def life_rows(panel: Panel, book: AccountBook) -> tuple[tuple[int, int], str]:
    """Find the sessions an account has lived through among the bars.

    Returns:
        The first row and the one after the last, and why a backtest cannot be set beside it; an
        empty reason where it can.
    """
    lived = tuple(each.session for each in book.curve)
    if not lived:
        return (0, 0), "it has not lived through a session"
    first = bisect_left(panel.sessions, lived[0])
    rows = first, first + len(lived)
    if panel.sessions[slice(*rows)] != lived:
        return rows, (
            f"the bars, {panel.sessions[0]} to {panel.sessions[-1]}, do not have the "
            f"{len(lived):,} sessions the account lived through, {lived[0]} to {lived[-1]}"
        )
    return rows, ""


def unattended_sessions(ledger: Ledger, book: AccountBook) -> tuple[dt.date, ...]:
    """List the sessions before the newest at which this workflow did not decide."""
    return tuple(
        each.session
        for each in book.curve[:-1]
        if read_decision(ledger, book.name, workflow=WORKFLOW, strategy="", session=each.session)
        is None
    )


def closed_at(book: AccountBook, bars: DatasetRef) -> dt.datetime | None:
    """Return the instant (UTC) at which an account's newest session closed."""
    return session_close(book.session, calendar=bars.calendar) if book.session else None


def ended_unfilled(
    records: tuple[OrderRecord, ...], closed: dt.datetime | None
) -> tuple[OrderRecord, ...]:
    """List the orders that ended with a session without being filled in full."""
    ended = (OrderState.CANCELLED, OrderState.EXPIRED)
    return tuple(each for each in records if each.state in ended and each.updated_at == closed)


def denied_sessions(records: tuple[OrderRecord, ...]) -> int:
    """Count the sessions at which an account ordered in vain, always for one and the same limit.

    Returns:
        0 where an order was let through, or where no limit on size was met by all of them.
    """
    if not records or any(each.state is not OrderState.DENIED for each in records):
        return 0
    met = [{reason.partition(":")[0] for reason in each.reasons} for each in records]
    always = TOO_MUCH.intersection(*met)
    return len({each.order.session for each in records}) if always else 0


def cost_lines(
    fills: tuple[Fill, ...], flows: tuple[CashFlow, ...]
) -> tuple[tuple[str, Decimal], ...]:
    """Add up what an account paid for its fills, and what it paid and received besides.

    Returns:
        Names and money, positive where paid.
    """
    spent = tuple(
        (name.capitalize(), sum((getattr(each, name) for each in fills), ZERO))
        for name in ("commission", "spread", "impact")
    )
    carried = tuple(
        (kind.value.replace("_", " ").capitalize(), -amount)
        for kind in FlowKind
        if kind not in OWN_MONEY
        and (amount := sum((each.amount for each in flows if each.kind is kind), ZERO))
    )
    return spent + carried
