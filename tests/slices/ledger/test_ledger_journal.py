"""The journal: sealed, in time, and telling of every change made past it."""

from __future__ import annotations

import datetime as dt
import shutil
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from slices.domain.accounts import Mark, TradingState
from slices.domain.orders import CashFlow, FlowKind, OrderState, ShareAction
from slices.domain.stops import Stop, StopKind
from slices.ledger.accounts import close_session, open_account
from slices.ledger.booking import book
from slices.ledger.decisions import write_decision
from slices.ledger.journal import append, digest_of, entries
from slices.ledger.opening import Ledger
from slices.ledger.orders import write_answer
from slices.ledger.states import set_state
from slices.ledger.stops import arm_stop
from slices.ledger.verifying import verify
from tests.support.ledgers import (
    AT,
    SESSION,
    OpenLedger,
    accept,
    answer,
    fill,
    intend,
    ledger_at,
    order,
)

NEXT = SESSION + dt.timedelta(days=1)


def lived_in(ledger: Ledger) -> None:
    """Leave a row in every table."""
    wanted = order("tf-a")
    accept(ledger, wanted)
    intend(ledger, order("tf-b"))
    write_answer(ledger, "tf-b", answer(order("tf-b"), OrderState.REJECTED), at=AT)
    dividend = CashFlow(
        flow_id="div",
        account="main",
        kind=FlowKind.DIVIDEND,
        amount=Decimal("1.5"),
        session=SESSION,
        at=AT,
    )
    book(ledger, "main", fills=[fill("f", 6, of="tf-a"), fill("g", 2)], flows=[dividend], at=AT)
    marks = [Mark(symbol="AAPL", price=Decimal(101), session=SESSION)]
    close_session(ledger, "main", session=SESSION, marks=marks, at=AT)
    split = ShareAction(
        action_id="split",
        account="main",
        symbol="AAPL",
        old_quantity=Decimal(8),
        new_quantity=Decimal(16),
        session=NEXT,
        at=AT,
    )
    book(ledger, "main", actions=[split], at=AT)
    stop = Stop(stop_id="s", account="main", symbol="AAPL", kind=StopKind.TIME, armed=SESSION)
    arm_stop(ledger, stop, at=AT)
    with ledger.writing() as connection:
        write_decision(
            connection,
            "main",
            workflow="w",
            strategy="s",
            session=SESSION,
            targets=[("AAPL", 0.1 + 0.2)],
            details=[("why", "test")],
            at=AT,
        )
    set_state(ledger, "main", TradingState.REDUCING, reason="test", by="test", at=AT)
    set_state(ledger, "", TradingState.HALTED, reason="test", by="test", at=AT)
    with ledger.writing() as connection:
        append(connection, "main", kind="note.made", subject="x", payload=[("a", "b")], at=AT)


def test_untouched_books_are_whole(ledger: Ledger) -> None:
    lived_in(ledger)
    found = verify(ledger)
    assert (found.problem, found.is_whole) == ("", True)
    assert found.entries == len(entries(ledger))
    assert {account for account, _, _ in found.heads} == {"", "main"}


def test_entries_seal_the_ones_before(ledger: Ledger) -> None:
    lived_in(ledger)
    before = ""
    for number, entry in enumerate(entries(ledger, account="main"), start=1):
        assert entry.number == number
        assert entry.digest == digest_of(entry, before=before)
        before = entry.digest


def test_entries_are_found_by_what_they_are_about(ledger: Ledger) -> None:
    lived_in(ledger)
    kinds = [each.kind for each in entries(ledger, subject="tf-a")]
    assert kinds == ["order.intended", "order.accepted", "order.partly_filled"]


def test_r20_time_never_runs_backwards_in_a_journal(ledger: Ledger) -> None:
    instants = [AT + dt.timedelta(hours=2), AT - dt.timedelta(hours=1), AT + dt.timedelta(hours=3)]
    for at in instants:
        with ledger.writing() as connection:
            append(connection, "main", kind="note.made", subject="x", payload=[("a", "b")], at=at)
    found = entries(ledger, subject="x")
    assert len(found) == len(instants)
    assert [each.at for each in found] == [instants[0], instants[0], instants[2]]
    assert dict(found[1].payload)["given_at"] == instants[1].isoformat()
    assert "given_at" not in dict(found[2].payload)
    assert verify(ledger).is_whole


def test_r20_an_order_is_never_updated_before_it_was_decided(ledger: Ledger) -> None:
    wanted = order("tf-a")
    accept(ledger, wanted)
    before = AT - dt.timedelta(hours=1)
    record = write_answer(ledger, "tf-a", answer(wanted, OrderState.CANCELLED), at=before)
    assert record.state is OrderState.CANCELLED
    assert record.updated_at >= record.decided_at


TAMPERING = {
    "a fill's price": "UPDATE fills SET price = price + 1 WHERE fill_id = 'f'",
    "a fill's reason": "UPDATE fills SET reason = 'other' WHERE fill_id = 'f'",
    "a fill taken away": "DELETE FROM fills WHERE fill_id = 'g'",
    "a fill added": (
        "INSERT INTO fills SELECT account, 'new', client_order_id, symbol, quantity, price,"
        " commission, spread, impact, session, at, reason FROM fills WHERE fill_id = 'g'"
    ),
    "an order's quantity": "UPDATE orders SET quantity = 1 WHERE client_order_id = 'tf-a'",
    "an order's state": "UPDATE orders SET state = 'filled' WHERE client_order_id = 'tf-a'",
    "an order's end": "UPDATE orders SET state = 'accepted' WHERE client_order_id = 'tf-b'",
    "an order's reasons": "UPDATE orders SET reasons = '[]', purpose = 'x'",
    "an order taken away": "DELETE FROM orders WHERE client_order_id = 'tf-b'",
    "a word nobody knows": "UPDATE orders SET state = 'excellent'",
    "a flow's amount": "UPDATE cash_flows SET amount = amount + 1 WHERE flow_id = 'div'",
    "a flow taken away": "DELETE FROM cash_flows WHERE flow_id = 'div'",
    "a share action": "UPDATE share_actions SET new_quantity = new_quantity * 2",
    "cash": "UPDATE accounts SET cash = cash + 1",
    "capital": "UPDATE accounts SET capital = capital + 1",
    "opening capital": "UPDATE accounts SET opening_capital = opening_capital + 1",
    "the newest session": "UPDATE accounts SET session = '2030-01-02'",
    "a position's shares": "UPDATE positions SET quantity = quantity + 1",
    "a position's gains": "UPDATE positions SET realized_pnl = realized_pnl + 1",
    "a position taken away": "DELETE FROM positions",
    "a mark": "UPDATE marks SET price = price + 1",
    "a mark taken away": "DELETE FROM marks",
    "an equity point": "UPDATE equity SET equity = equity + 1, cash = cash + 1",
    "an equity point taken away": "DELETE FROM equity; UPDATE accounts SET session = NULL",
    "a trading state": "UPDATE trading_states SET state = 'active' WHERE account = ''",
    "a trading state taken away": "DELETE FROM trading_states WHERE account = 'main'",
    "a stop": "UPDATE stops SET status = 'cancelled'",
    "a stop taken away": "DELETE FROM stops",
    "a decision": "UPDATE decisions SET targets = '[[\"AAPL\", 0.3]]'",
    "a decision taken away": "DELETE FROM decisions",
    "an entry's payload": "UPDATE journal SET payload = '[]' WHERE account = 'main' AND number = 3",
    "an entry's instant": "UPDATE journal SET at = '2020-01-01 00:00:00.000000' WHERE number = 3",
    "an entry's kind": "UPDATE journal SET kind = 'note.made' WHERE account = 'main' AND number=3",
    "an entry taken away": "DELETE FROM journal WHERE account = 'main' AND number = 4",
    "the last entry taken away": (
        "DELETE FROM journal WHERE account = 'main' AND number ="
        " (SELECT max(number) FROM journal WHERE account = 'main')"
    ),
    "the end taken away with its head": (
        "DELETE FROM journal WHERE account = 'main' AND number > 5;"
        "UPDATE journal_heads SET number = 5, digest ="
        " (SELECT digest FROM journal WHERE account = 'main' AND number = 5)"
        " WHERE account = 'main'"
    ),
    "a journal taken away": "DELETE FROM journal WHERE account = ''",
    "a journal and its head taken away": (
        "DELETE FROM journal WHERE account = ''; DELETE FROM journal_heads WHERE account = ''"
    ),
    "a head taken away": "DELETE FROM journal_heads WHERE account = 'main'",
}


def tamper(ledger: Ledger, statements: str) -> None:
    with closing(sqlite3.connect(ledger.name)) as connection:
        connection.executescript(statements)


@pytest.fixture(scope="module")
def written_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a ledger with a row in every table."""
    folder = tmp_path_factory.mktemp("journal")
    ledger = ledger_at(f"sqlite:///{folder}/paper.db", folder)
    open_account(ledger, "main", capital=Decimal(100_000), session=SESSION, at=AT)
    lived_in(ledger)
    ledger.close()
    return folder / "paper.db"


@pytest.fixture
def small(written_once: Path, tmp_path: Path, opened: OpenLedger) -> Ledger:
    """A copy of it that a test may spoil."""
    shutil.copy(written_once, tmp_path)
    found = opened(f"sqlite:///{tmp_path}/{written_once.name}")
    assert verify(found).is_whole
    return found


@pytest.mark.parametrize("statements", TAMPERING.values(), ids=TAMPERING.keys())
def test_what_was_changed_past_the_journal_is_found(small: Ledger, statements: str) -> None:
    tamper(small, statements)
    found = verify(small)
    assert not found.is_whole
    assert found.problem


def test_books_made_to_agree_again_are_found_out_by_a_noted_head(small: Ledger) -> None:
    noted = dict((account, digest) for account, _, digest in verify(small).heads)
    tamper(
        small,
        "DELETE FROM trading_states WHERE account = '';"
        "DELETE FROM journal WHERE account = ''; DELETE FROM journal_heads WHERE account = ''",
    )
    found = verify(small)
    assert found.is_whole
    assert dict((account, digest) for account, _, digest in found.heads) != noted
