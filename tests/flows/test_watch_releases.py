"""A person's release stands, and what is lost after it halts anew."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from flows.operations.watch import Watch
from slices.domain.accounts import Mark, TradingMode, TradingState
from slices.domain.observations import Observation
from slices.ledger.accounts import close_session, open_account
from slices.ledger.booking import book
from slices.ledger.journal import entries
from slices.ledger.opening import Ledger, ledger_for
from slices.ledger.states import release, trading_state
from slices.monitor.observing.accounts import account_facts
from slices.monitor.store import Store, open_store, writing
from tests.support.ledgers import AT, CAPITAL, SESSION, accept, fill, order
from tests.support.watching import watch_of

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("fresh_home")]


class Accounts:
    """Sees the books and nothing else."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def observe(self, at: dt.datetime) -> Observation:
        return Observation(at=at, accounts=account_facts(self.ledger, at=at))


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    """Books of an account that holds 1,000 shares for all its money."""
    opened = ledger_for(TradingMode.PAPER)
    open_account(opened, "main", capital=CAPITAL, session=SESSION, at=AT)
    accept(opened, order("buy", shares=1000))
    book(opened, "main", fills=[fill("f", Decimal(1000), "100", of="buy")], at=AT)
    yield opened
    opened.close()


@pytest.fixture
def store(fresh_home: str) -> Iterator[Store]:
    opened = open_store(Path(fresh_home) / "monitor")
    yield opened
    opened.close()


@pytest.fixture
def looked(store: Store, ledger: Ledger) -> Callable[..., TradingState]:
    watch: Watch = watch_of(store, None, observer=Accounts(ledger))

    def look(at: dt.datetime) -> TradingState:
        watch.tick(at)
        return trading_state(ledger, "main")[0]

    return look


def close(ledger: Ledger, day: int, price: str) -> dt.datetime:
    session, at = SESSION + dt.timedelta(days=day), AT + dt.timedelta(days=day)
    marks = [Mark(symbol="AAPL", price=Decimal(price), session=session)]
    close_session(ledger, "main", session=session, marks=marks, at=at)
    return at


def test_what_is_lost_right_after_a_release_halts_anew(
    ledger: Ledger, looked: Callable[..., TradingState]
) -> None:
    minute = dt.timedelta(minutes=1)
    assert looked(close(ledger, 0, "100")) is TradingState.ACTIVE
    fallen = close(ledger, 1, "79")
    assert looked(fallen) is TradingState.HALTED
    release(ledger, "main", reason="looked at it", by="ann", at=fallen + minute)
    assert looked(fallen + minute) is TradingState.ACTIVE
    assert looked(fallen + 2 * minute) is TradingState.ACTIVE
    close(ledger, 2, "60")
    assert looked(fallen + 3 * minute) is TradingState.HALTED


def test_a_loss_halts_even_where_no_alert_can_be_kept(
    ledger: Ledger, store: Store, looked: Callable[..., TradingState]
) -> None:
    minute = dt.timedelta(minutes=1)
    assert looked(close(ledger, 0, "100")) is TradingState.ACTIVE
    with writing(store) as connection:
        connection.exec_driver_sql("DROP TABLE incidents")
    fallen = close(ledger, 1, "79")
    assert looked(fallen) is TradingState.HALTED
    written = len(entries(ledger))
    assert looked(fallen + minute) is TradingState.HALTED
    assert len(entries(ledger)) == written
    release(ledger, "main", reason="looked at it", by="ann", at=fallen + minute)
    assert looked(fallen + 2 * minute) is TradingState.ACTIVE
