"""Accounts: opened once, valued at closes, read as of one moment."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from slices.domain.accounts import Mark, TradingMode, TradingState
from slices.domain.errors import ParameterError
from slices.domain.orders import CashFlow, FlowKind, OrderState
from slices.domain.trading_errors import LedgerError
from slices.ledger.accounts import (
    account_names,
    close_session,
    has_account,
    marks_of,
    open_account,
    read_book,
)
from slices.ledger.booking import book, flows_of
from slices.ledger.dump import canonical_dump
from slices.ledger.opening import Ledger
from slices.ledger.orders import orders_of
from tests.support.ledgers import AT, CAPITAL, SESSION, accept, fill, order

NEXT = SESSION + dt.timedelta(days=1)
LATER = AT + dt.timedelta(days=1)


def mark(symbol: str, at_price: str, session: dt.date = SESSION) -> Mark:
    return Mark(symbol=symbol, price=Decimal(at_price), session=session)


def test_an_account_begins_with_a_deposit(ledger: Ledger) -> None:
    found = read_book(ledger, "main")
    assert (found.cash, found.capital, found.equity) == (CAPITAL, CAPITAL, CAPITAL)
    assert (found.mode, found.session, found.opened) == (TradingMode.PAPER, None, SESSION)
    assert found.day_start_equity == found.peak_equity == CAPITAL
    (deposit,) = flows_of(ledger, "main")
    assert (deposit.kind, deposit.amount) == (FlowKind.DEPOSIT, CAPITAL)


def test_opening_an_account_again_changes_nothing(ledger: Ledger) -> None:
    before = canonical_dump(ledger, "main")
    open_account(ledger, "main", capital=CAPITAL, session=NEXT, at=LATER)
    assert canonical_dump(ledger, "main") == before


def test_an_account_keeps_the_capital_it_was_opened_with(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="100,000"):
        open_account(ledger, "main", capital=CAPITAL + 1, session=SESSION, at=AT)


@pytest.mark.parametrize(
    ("name", "capital"), [("../main", "1"), ("", "1"), ("UP", "1"), ("new", "0"), ("new", "-1")]
)
def test_an_account_needs_a_name_and_capital(ledger: Ledger, name: str, capital: str) -> None:
    with pytest.raises(ParameterError):
        open_account(ledger, name, capital=Decimal(capital), session=SESSION, at=AT)
    assert account_names(ledger) == ("main",)


def test_an_unknown_account_is_answered_with_the_known_ones(ledger: Ledger) -> None:
    assert not has_account(ledger, "other")
    with pytest.raises(LedgerError, match=r"'other'.*main"):
        read_book(ledger, "other")


def test_accounts_do_not_see_each_other(ledger: Ledger) -> None:
    before = canonical_dump(ledger, "main")
    open_account(ledger, "other", capital=Decimal(500), session=SESSION, at=AT)
    accept(ledger, order("tf-other", account="other"))
    book(ledger, "other", fills=[fill("f", 2, of="tf-other", account="other")], at=AT)
    assert canonical_dump(ledger, "main") == before
    assert orders_of(ledger, "main") == ()
    assert read_book(ledger, "other").cash == 300


def test_r37_equity_is_cash_plus_positions_at_every_event(ledger: Ledger) -> None:
    flow = CashFlow(
        flow_id="fee",
        account="main",
        kind=FlowKind.BORROW_FEE,
        amount=Decimal("-1.250000"),
        session=NEXT,
        at=LATER,
    )
    book(ledger, "main", fills=[fill("a", 7, "101.1", commission="0.5")], at=AT)
    book(ledger, "main", fills=[fill("b", -3, "55.55", symbol="META")], at=AT)
    first = close_session(ledger, "main", session=SESSION, marks=[mark("AAPL", "102")], at=AT)
    book(ledger, "main", fills=[fill("c", -2, "103", day=1)], flows=[flow], at=LATER)
    marks = [mark("AAPL", "99.9", NEXT), mark("META", "60", NEXT)]
    second = close_session(ledger, "main", session=NEXT, marks=marks, at=LATER)
    found = read_book(ledger, "main")
    gains = found.realized_pnl + sum(each.unrealized_pnl for each in found.positions)
    assert found.equity == second.equity == CAPITAL + gains - found.costs + flow.amount
    for point in found.curve:
        assert point.equity == point.cash + point.long_value + point.short_value
    assert found.curve == (first, second)
    assert (second.long_value, second.short_value) == (Decimal("499.5"), Decimal(-180))
    assert found.day_start_equity == first.equity


def test_closing_a_session_again_changes_nothing(ledger: Ledger) -> None:
    book(ledger, "main", fills=[fill("a", 5)], at=AT)
    marks = [mark("AAPL", "110")]
    point = close_session(ledger, "main", session=SESSION, marks=marks, at=AT)
    before = canonical_dump(ledger, "main")
    assert close_session(ledger, "main", session=SESSION, marks=marks, at=LATER) == point
    assert canonical_dump(ledger, "main") == before


def test_what_arrives_after_a_close_is_in_the_close_once_it_is_made_again(ledger: Ledger) -> None:
    marks = [mark("AAPL", "110")]
    close_session(ledger, "main", session=SESSION, marks=marks, at=AT)
    book(ledger, "main", fills=[fill("a", 5)], at=AT)
    point = close_session(ledger, "main", session=SESSION, marks=marks, at=AT)
    assert point.equity == CAPITAL + 50
    assert read_book(ledger, "main").curve == (point,)


def test_a_symbol_without_a_newer_mark_keeps_its_own(ledger: Ledger) -> None:
    book(ledger, "main", fills=[fill("a", 5), fill("b", 1, symbol="IBM")], at=AT)
    old = [mark("AAPL", "110"), mark("IBM", "90")]
    close_session(ledger, "main", session=SESSION, marks=old, at=AT)
    new = [mark("IBM", "91", NEXT)]
    point = close_session(ledger, "main", session=NEXT, marks=new, at=LATER)
    assert marks_of(ledger, "main") == (old[0], *new)
    assert point.long_value == 5 * 110 + 91


def test_an_older_mark_does_not_replace_a_newer_one(ledger: Ledger) -> None:
    close_session(ledger, "main", session=NEXT, marks=[mark("AAPL", "111", NEXT)], at=LATER)
    close_session(ledger, "main", session=NEXT, marks=[mark("AAPL", "99")], at=LATER)
    assert marks_of(ledger, "main") == (mark("AAPL", "111", NEXT),)


@pytest.mark.parametrize(
    ("session", "marked"),
    [
        (SESSION, mark("AAPL", "1")),
        (NEXT, mark("AAPL", "1", NEXT + dt.timedelta(days=1))),
        (NEXT, mark("AAPL", "0", NEXT)),
        (NEXT, mark("AAPL", "NaN", NEXT)),
    ],
    ids=["a session of before", "a mark of later", "a price of nothing", "no number"],
)
def test_what_cannot_be_a_close_is_refused(ledger: Ledger, session: dt.date, marked: Mark) -> None:
    close_session(ledger, "main", session=NEXT, marks=[], at=LATER)
    before = canonical_dump(ledger, "main")
    with pytest.raises(LedgerError):
        close_session(ledger, "main", session=session, marks=[marked], at=LATER)
    assert canonical_dump(ledger, "main") == before


def test_the_peak_is_the_highest_close(ledger: Ledger) -> None:
    book(ledger, "main", fills=[fill("a", 10)], at=AT)
    for day, at_price in enumerate(["150", "120", "130"]):
        session = SESSION + dt.timedelta(days=day)
        marks = [mark("AAPL", at_price, session)]
        close_session(ledger, "main", session=session, marks=marks, at=AT + dt.timedelta(days=day))
    found = read_book(ledger, "main", curve=False)
    assert (found.peak_equity, found.day_start_equity) == (CAPITAL + 500, CAPITAL + 200)
    assert found.curve == ()
    assert found.state is TradingState.ACTIVE


def test_a_book_lists_open_orders_only(ledger: Ledger) -> None:
    accept(ledger, order("tf-a"), order("tf-b"))
    book(ledger, "main", fills=[fill("f", 10, of="tf-a")], at=AT)
    (left,) = read_book(ledger, "main").open_orders
    assert (left.order.client_order_id, left.state) == ("tf-b", OrderState.ACCEPTED)


def paid(ledger: Ledger, amount: str, *, session: dt.date, at: dt.datetime = LATER) -> None:
    flow = CashFlow(
        flow_id=f"paid-{amount}-{session}",
        account="main",
        kind=FlowKind.DEPOSIT if Decimal(amount) > 0 else FlowKind.WITHDRAWAL,
        amount=Decimal(amount),
        session=session,
        at=at,
    )
    book(ledger, "main", flows=[flow], at=at)


def lost(ledger: Ledger, amount: str, *, session: dt.date, at: dt.datetime = LATER) -> None:
    flow = CashFlow(
        flow_id=f"lost-{session}",
        account="main",
        kind=FlowKind.FEE,
        amount=-Decimal(amount),
        session=session,
        at=at,
    )
    book(ledger, "main", flows=[flow], at=at)


def closed(ledger: Ledger, session: dt.date) -> None:
    close_session(ledger, "main", session=session, marks=[], at=LATER)


@pytest.mark.parametrize("amount", ["-45000", "90000"])
@pytest.mark.parametrize("ahead", [0, 1])
def test_money_paid_in_or_out_is_no_gain_and_no_loss(
    ledger: Ledger, amount: str, ahead: int
) -> None:
    """Also where the broker dates it after the session that is closed with it."""
    closed(ledger, SESSION)
    lost(ledger, "10000", session=NEXT)
    closed(ledger, NEXT)
    third = NEXT + dt.timedelta(days=1)
    paid(ledger, amount, session=third + dt.timedelta(days=ahead))
    before_close = read_book(ledger, "main")
    assert before_close.drawdown == pytest.approx(0.1)
    assert before_close.daily_loss == pytest.approx(0.1)
    closed(ledger, third)
    book_then = read_book(ledger, "main")
    assert book_then.capital == CAPITAL + Decimal(amount)
    assert book_then.drawdown == pytest.approx(0.1)
    assert book_then.daily_loss == pytest.approx(0.0)
    closed(ledger, third + dt.timedelta(days=1))
    assert read_book(ledger, "main").drawdown == pytest.approx(0.1)
    assert read_book(ledger, "main").daily_loss == pytest.approx(0.0)
