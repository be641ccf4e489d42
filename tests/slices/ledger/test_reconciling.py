"""The books against the broker: over the union of both, in whatever order fills arrive."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slices.domain.accounts import TradingState
from slices.domain.exact import money
from slices.domain.orders import CashFlow, FlowKind, OrderState, ShareAction, Side
from slices.domain.trading_errors import (
    BrokerUnavailableError,
    LedgerError,
    ReconciliationError,
)
from slices.ledger.accounts import open_account, read_book
from slices.ledger.comparing import BrokerReport, differences
from slices.ledger.dump import canonical_dump
from slices.ledger.journal import entries
from slices.ledger.opening import Ledger
from slices.ledger.orders import find_order
from slices.ledger.reconciling import reconcile
from slices.ledger.states import release
from slices.ledger.verifying import verify
from tests.support.brokers import Fault, FaultyBroker
from tests.support.ledgers import CAPITAL, SESSION, ledger_at
from tests.support.placing import AT, NEXT, mark, placed, wanted

LIES = (
    Fault.OMITS_POSITION,
    Fault.INVENTS_POSITION,
    Fault.INVENTS_ORDER,
    Fault.INVENTS_CASH,
)


@pytest.fixture
def holding(ledger: Ledger) -> tuple[Ledger, FaultyBroker]:
    """An account that holds 10 AAPL, has 5 of 20 MSFT, and a broker that knows it."""
    mark(ledger)
    broker, orders = FaultyBroker(), (wanted("AAPL", 10), wanted("MSFT", 20))
    placed(ledger, broker, orders)
    broker.session = NEXT
    broker.fill(orders[0].client_order_id, shares=10, at_price="101.5", commission="1")
    broker.fill(orders[1].client_order_id, shares=5, at_price=51)
    reconcile(ledger, broker, "main", at=AT)
    return ledger, broker


def test_fills_the_books_missed_are_booked_once(holding: tuple[Ledger, FaultyBroker]) -> None:
    ledger, broker = holding
    book = read_book(ledger, "main")
    assert {each.symbol: each.quantity for each in book.positions} == {"AAPL": 10, "MSFT": 5}
    assert book.cash == money(100_000 - 10 * 101.5 - 1 - 5 * 51)
    found = find_order(ledger, wanted("MSFT", 20).client_order_id)
    assert found is not None
    assert (found.state, found.filled_quantity) == (OrderState.PARTLY_FILLED, 5)
    before = canonical_dump(ledger, "main")
    again = reconcile(ledger, broker, "main", at=AT)
    assert (again.resolved, again.booked, again.updated) == (0, 0, 0)
    assert canonical_dump(ledger, "main") == before


@pytest.mark.parametrize("fault", [Fault.DUPLICATES_FILLS, Fault.REVERSES_FILLS])
def test_fills_listed_twice_or_backwards_make_the_same_books(
    holding: tuple[Ledger, FaultyBroker], fault: Fault
) -> None:
    ledger, broker = holding
    broker.fill(wanted("MSFT", 20).client_order_id, shares=9, at_price=52)
    broker.fill(wanted("MSFT", 20).client_order_id, shares=6, at_price=50)
    broker.faults = {fault}
    assert reconcile(ledger, broker, "main", at=AT).booked == 2
    found = find_order(ledger, wanted("MSFT", 20).client_order_id)
    assert found is not None
    assert found.state is OrderState.FILLED
    assert verify(ledger).problem == ""


def test_flows_and_splits_are_booked_and_agree(holding: tuple[Ledger, FaultyBroker]) -> None:
    ledger, broker = holding
    dividend = CashFlow(
        flow_id="d1",
        account="main",
        kind=FlowKind.DIVIDEND,
        amount=money("2.5"),
        session=NEXT,
        at=AT,
    )
    broker.pay([dividend])
    broker.restate(
        ShareAction(
            action_id="s1",
            account="main",
            symbol="AAPL",
            old_quantity=Decimal(10),
            new_quantity=Decimal(20),
            session=NEXT.replace(day=6),
            at=AT.replace(day=6),
        )
    )
    assert reconcile(ledger, broker, "main", at=AT).booked == 2
    assert read_book(ledger, "main").held("AAPL") == 20


def test_a_fill_reported_late_is_found_further_back(
    holding: tuple[Ledger, FaultyBroker],
) -> None:
    ledger, broker = holding
    for day in (6, 7):
        mark(ledger, session=NEXT.replace(day=day))
    broker.fill(wanted("MSFT", 20).client_order_id, shares=15, at_price=51)
    assert reconcile(ledger, broker, "main", at=AT).booked == 1


def test_an_order_the_broker_ended_is_ended_in_the_books(
    holding: tuple[Ledger, FaultyBroker],
) -> None:
    ledger, broker = holding
    broker.cancel(wanted("MSFT", 20).client_order_id)
    assert reconcile(ledger, broker, "main", at=AT).updated == 1
    found = find_order(ledger, wanted("MSFT", 20).client_order_id)
    assert found is not None
    assert (found.state, found.filled_quantity) == (OrderState.CANCELLED, 5)


@pytest.mark.parametrize("fault", LIES)
def test_r27_what_nothing_explains_halts_until_it_is_released(
    holding: tuple[Ledger, FaultyBroker], fault: Fault
) -> None:
    ledger, broker = holding
    broker.faults = {fault}
    with pytest.raises(ReconciliationError, match="main"):
        reconcile(ledger, broker, "main", at=AT)
    book = read_book(ledger, "main")
    assert book.state is TradingState.HALTED
    assert any(each.kind == "state.halted" for each in entries(ledger, account="main"))
    answer = placed(ledger, broker, [wanted("IBM", 1)], strategy="other")
    assert answer.records[0].state is OrderState.DENIED
    broker.faults = set()
    reconcile(ledger, broker, "main", at=AT)
    assert read_book(ledger, "main").state is TradingState.HALTED
    release(ledger, "main", reason="the broker corrected itself", by="test", at=AT)
    assert read_book(ledger, "main").state is TradingState.ACTIVE


def test_r27_an_order_the_broker_lost_halts(holding: tuple[Ledger, FaultyBroker]) -> None:
    ledger, broker = holding
    broker._orders = broker._orders[:1]
    with pytest.raises(ReconciliationError, match=wanted("MSFT", 20).client_order_id):
        reconcile(ledger, broker, "main", at=AT)


def test_r27_a_broker_that_cannot_be_read_halts(holding: tuple[Ledger, FaultyBroker]) -> None:
    ledger, broker = holding
    broker.faults = {Fault.UNAVAILABLE}
    with pytest.raises(BrokerUnavailableError):
        reconcile(ledger, broker, "main", at=AT)
    assert read_book(ledger, "main").state is TradingState.HALTED


def test_r27_a_fill_that_says_something_else_than_before_halts(
    holding: tuple[Ledger, FaultyBroker],
) -> None:
    ledger, broker = holding
    broker.fill(wanted("MSFT", 20).client_order_id, shares=1, at_price=99, fill_id="f0000")
    with pytest.raises(LedgerError, match="f0000"):
        reconcile(ledger, broker, "main", at=AT)
    assert read_book(ledger, "main").state is TradingState.HALTED


def test_average_prices_may_differ_by_a_millionth(holding: tuple[Ledger, FaultyBroker]) -> None:
    ledger, broker = holding
    book = read_book(ledger, "main")

    def reported(factor: str) -> BrokerReport:
        held = tuple(
            type(each)(
                symbol=each.symbol,
                quantity=each.quantity,
                average_price=each.average_price * Decimal(factor),
            )
            for each in broker.positions()
        )
        return BrokerReport(
            account=broker.account(), positions=held, open_orders=broker.open_orders()
        )

    assert differences(book, reported("1.000001")) == ()
    assert [each.what for each in differences(book, reported("1.0000011"))] == [
        "average price",
        "average price",
    ]


@contextmanager
def fresh(folder: Path, number: int) -> Iterator[Ledger]:
    ledger = ledger_at(f"sqlite:///{folder}/{number}.db", folder)
    open_account(ledger, "main", capital=CAPITAL, session=SESSION, at=AT)
    try:
        yield ledger
    finally:
        ledger.close()


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["AAPL", "MSFT", "IBM"]),
        st.sampled_from(list(Side)),
        st.integers(1, 40),
        st.integers(9_000, 11_000),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)


@pytest.mark.slow
@settings(max_examples=8)
@given(moves=MOVES, restarts=st.sets(st.integers(0, 7), max_size=4), late=st.booleans())
def test_r26_a_restart_at_any_point_agrees_with_the_broker_or_stays_halted(
    moves: list[tuple[str, Side, int, int, bool]],
    restarts: set[int],
    late: bool,  # noqa: FBT001
) -> None:
    """Warm: the books as they were are opened anew. They equal those that missed nothing."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with fresh(folder, 1) as always, fresh(folder, 2) as sometimes:
            broker = FaultyBroker()
            for ledger in (always, sometimes):
                mark(ledger)
            for place, (symbol, side, shares, cents, in_parts) in enumerate(moves):
                order = wanted(symbol, shares, side=side, sequence=place)
                for ledger in (always, sometimes):
                    placed(ledger, broker, [order], strategy=f"rule {place}")
                if order.client_order_id not in broker.submissions:
                    continue
                parts = (1, shares - 1) if in_parts and shares > 1 else (shares,)
                for part in parts[: 1 if late else None]:
                    broker.fill(order.client_order_id, shares=part, at_price=Decimal(cents) / 100)
                reconcile(always, broker, "main", at=AT)
                if place in restarts:
                    _restarted(folder, 2, lambda ledger: reconcile(ledger, broker, "main", at=AT))
            _restarted(folder, 2, lambda ledger: reconcile(ledger, broker, "main", at=AT))
            _agree(always, broker)
            _agree(sometimes, broker)


def _restarted(folder: Path, number: int, work: Callable[[Ledger], object]) -> None:
    ledger = ledger_at(f"sqlite:///{folder}/{number}.db", folder)
    try:
        work(ledger)
    finally:
        ledger.close()


def _agree(ledger: Ledger, broker: FaultyBroker) -> None:
    book = read_book(ledger, "main")
    assert book.cash == broker.account().cash
    assert {each.symbol: each.quantity for each in book.positions} == {
        each.symbol: each.quantity for each in broker.positions()
    }
    for position, told in zip(book.positions, broker.positions(), strict=True):
        assert abs(position.basis / position.quantity - told.average_price) <= Decimal("1e-4")
    assert verify(ledger).problem == ""


def test_r26_a_cold_start_beside_positions_nobody_wrote_down_stays_halted(
    holding: tuple[Ledger, FaultyBroker], tmp_path: Path
) -> None:
    """Cold: the books are lost. Fills of orders they never wrote explain nothing."""
    _, broker = holding
    with fresh(tmp_path, 3) as empty:
        mark(empty)
        with pytest.raises(LedgerError):
            reconcile(empty, broker, "main", at=AT)
        assert read_book(empty, "main").state is TradingState.HALTED
        answer = placed(empty, broker, [wanted("IBM", 1)])
        assert answer.records[0].state is OrderState.DENIED


def test_r26_a_cold_start_with_the_orders_books_every_fill(ledger: Ledger, tmp_path: Path) -> None:
    """The newest books are lost, and an older copy with the orders takes their place."""
    mark(ledger)
    broker, orders = FaultyBroker(), (wanted("AAPL", 10), wanted("MSFT", 20, side=Side.SELL))
    placed(ledger, broker, orders)
    with fresh(tmp_path, 4) as copy:
        mark(copy)
        placed(copy, broker, orders)
        broker.session = NEXT
        for order, shares in zip(orders, (10, 20), strict=True):
            broker.fill(order.client_order_id, shares=shares, at_price=100)
        reconcile(ledger, broker, "main", at=AT)
        reconcile(copy, broker, "main", at=AT)
        assert read_book(copy, "main").positions == read_book(ledger, "main").positions
        assert read_book(copy, "main").cash == broker.account().cash
