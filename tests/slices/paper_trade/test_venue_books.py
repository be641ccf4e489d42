"""The books and the paper venue agree after every session, whatever is ordered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slices.domain.accounts import TradingState
from slices.domain.calendar import session_close
from slices.domain.exact import money
from slices.domain.orders import Order, OrderState
from slices.ledger.accounts import close_session, open_account, read_book
from slices.ledger.opening import Ledger
from slices.ledger.orders import find_order
from slices.ledger.path import place
from slices.ledger.reconciling import reconcile
from slices.paper_trade.living import marks_at
from slices.paper_trade.venue import PaperBroker
from slices.quant.panel import Panel
from tests.slices.paper_trade.paper_accounts import LOOSE
from tests.slices.quant.simulated import Case, hard_cases, plain_cases, random_orders
from tests.support.venues import ALWAYS, made_ledger, opened, order_of, restated

LIMITS = LOOSE.model_copy(
    update={
        "price_collar": 1.0,
        "duplicate_seconds": 0.0,
        "pattern_day_trader_equity": 0.0,
        "stale_mark_sessions": 100,
    }
)
SEEDS = st.integers(0, 10_000)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    made = made_ledger(tmp_path_factory.mktemp("venue"))
    yield made
    made.close()


def placed(
    ledger: Ledger, broker: PaperBroker, account: str, panel: Panel, t: int, orders: list[Order]
) -> None:
    session = panel.sessions[t]
    at = session_close(session, calendar=ALWAYS)
    place(
        ledger,
        broker,
        account,
        orders,
        limits=LIMITS,
        session=session,
        at=at,
        workflow="test",
        strategy="test",
        calendar=ALWAYS,
    )


def check_alike(ledger: Ledger, broker: PaperBroker, account: str) -> None:
    book = read_book(ledger, account)
    assert book.state is TradingState.ACTIVE
    assert book.cash == broker.account().cash
    ours = [(each.symbol, each.quantity, each.average_price) for each in book.positions]
    assert ours == [(each.symbol, each.quantity, each.average_price) for each in broker.positions()]
    waiting = {each.client_order_id for each in broker.open_orders()}
    assert {each.order.client_order_id for each in book.open_orders} == waiting


@pytest.mark.slow
@settings(max_examples=3)
@given(hard_cases(), SEEDS)
def test_books_and_venue_agree(ledger: Ledger, case: Case, seed: int) -> None:
    traded(ledger, case, seed)


@pytest.mark.slow
@settings(max_examples=3)
@given(plain_cases(), SEEDS)
def test_books_and_venue_agree_where_history_is_restated(
    ledger: Ledger, case: Case, seed: int
) -> None:
    if len(case.panel.sessions) > 8:
        traded(ledger, case, seed, factor=0.7)


def traded(ledger: Ledger, case: Case, seed: int, *, factor: float | None = None) -> None:
    """Trade random orders through gate, books and venue, comparing after every session."""
    case = replace(case.until(12), dividends=None, splits=None)
    intents = random_orders(np.random.default_rng(seed), case, 25)
    whole = case.panel
    later = restated(whole, factor, until=5) if factor else whole
    broker, account = opened(ledger, whole, costs=case.costs, rules=case.rules)
    first = whole.sessions[0]
    at = session_close(first, calendar=ALWAYS)
    open_account(ledger, account, capital=money(100_000), session=first, at=at)
    names = []
    for t, session in enumerate(whole.sessions):
        panel = later if t >= 5 else whole
        broker.advance(panel.until(t + 1), until=session)
        now = session_close(session, calendar=ALWAYS)
        reconcile(ledger, broker, account, at=now)
        reconcile(ledger, broker, account, at=now)
        close_session(ledger, account, session=session, marks=marks_at(panel, t), at=now)
        check_alike(ledger, broker, account)
        orders = [
            order_of(each, whole, account, k) for k, each in enumerate(intents) if each.row == t
        ]
        placed(ledger, broker, account, panel, t, orders)
        names += [each.client_order_id for each in orders]
    for name in names:
        ours, theirs = find_order(ledger, name), broker.get_by_client_id(name)
        assert ours is not None
        if theirs is None:
            assert ours.state in {OrderState.DENIED, OrderState.REJECTED}
        else:
            assert ours.state is theirs.state
            assert ours.filled_quantity == theirs.filled_quantity
