"""Booking: what happened is booked once, and its order of arrival does not matter."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slices.domain.accounts import AccountBook, Mark, TradingState
from slices.domain.orders import CashFlow, Fill, FlowKind, OrderState, ShareAction, Side
from slices.domain.trading_errors import LedgerError
from slices.ledger.accounts import close_session, marks_of, open_account, read_book
from slices.ledger.booking import actions_of, book, fills_of, flows_of
from slices.ledger.dump import canonical_dump
from slices.ledger.opening import Ledger
from slices.ledger.orders import find_order, write_answer
from slices.ledger.positions import rebuilt_positions
from slices.ledger.states import release
from slices.ledger.verifying import verify
from tests.support.ledgers import (
    AT,
    CAPITAL,
    SESSION,
    OpenLedger,
    accept,
    answer,
    fill,
    intend,
    ledger_at,
    order,
    same_but,
)

NEXT = SESSION + dt.timedelta(days=1)


def state_of(ledger: Ledger, name: str) -> OrderState:
    found = find_order(ledger, name)
    assert found is not None
    return found.state


def split(old: int, new: int, *, day: int = 1) -> ShareAction:
    return ShareAction(
        action_id=f"split-{day}",
        account="main",
        symbol="AAPL",
        old_quantity=Decimal(old),
        new_quantity=Decimal(new),
        session=SESSION + dt.timedelta(days=day),
        at=AT + dt.timedelta(days=day),
        reason="split",
    )


def test_a_fill_moves_cash_position_and_order(ledger: Ledger) -> None:
    accept(ledger, order("tf-a", shares=10))
    assert book(ledger, "main", fills=[fill("f", 4, "12.5", of="tf-a", commission="1")], at=AT) == 1
    found = read_book(ledger, "main")
    assert (found.cash, found.costs) == (CAPITAL - 51, 1)
    (position,) = found.positions
    assert (position.quantity, position.basis, position.opened) == (4, 50, SESSION)
    (record,) = found.open_orders
    assert (record.state, record.filled_quantity) == (OrderState.PARTLY_FILLED, 4)
    assert (record.average_price, record.open_quantity) == (Decimal("12.5"), 6)


def test_an_order_is_filled_once_its_fills_are_its_quantity(ledger: Ledger) -> None:
    accept(ledger, order("tf-a", shares=10))
    book(ledger, "main", fills=[fill("f", 4, 10, of="tf-a"), fill("g", 6, 11, of="tf-a")], at=AT)
    record = find_order(ledger, "tf-a")
    assert record is not None
    assert (record.state, record.average_price) == (OrderState.FILLED, Decimal("10.6"))


@pytest.mark.parametrize(
    ("shares", "prices", "quantity", "basis", "realized"),
    [
        ([10, 10], [10, 12], 20, 220, 0),
        ([10, -4], [10, 13], 6, 60, 12),
        ([10, -10], [10, 9], 0, 0, -10),
        ([10, -15], [10, 12], -5, -60, 20),
        ([-10, 4], [10, 8], -6, -60, 8),
        ([-10, 15], [10, 12], 5, 60, -20),
        ([3, -1, -1, -1], [1, 2, 2, 2], 0, 0, 3),
    ],
    ids=["added", "reduced", "closed", "turned", "bought back", "turned up", "thirds"],
)
def test_what_was_paid_follows_the_shares(
    ledger: Ledger, shares: list[int], prices: list[int], quantity: int, basis: int, realized: int
) -> None:
    both = zip(shares, prices, strict=True)
    fills = [fill(f"f{day}", each, at_price, day=day) for day, (each, at_price) in enumerate(both)]
    book(ledger, "main", fills=fills, at=AT)
    found = read_book(ledger, "main")
    held = found.position("AAPL")
    assert (found.held("AAPL"), found.realized_pnl) == (quantity, realized)
    assert (held.basis if held else 0) == basis


def test_what_is_booked_already_is_left_alone(ledger: Ledger) -> None:
    accept(ledger, order("tf-a"))
    fills = [fill("f", 4, of="tf-a"), fill("f", 4, of="tf-a")]
    assert book(ledger, "main", fills=fills, at=AT) == 1
    before = canonical_dump(ledger, "main")
    assert book(ledger, "main", fills=fills, at=AT + dt.timedelta(hours=1)) == 0
    assert canonical_dump(ledger, "main") == before


def refused(ledger: Ledger, *fills: Fill) -> str:
    """Book what cannot be true; only the halt may be left of it."""
    before = (read_book(ledger, "main").cash, fills_of(ledger, "main"))
    with pytest.raises(LedgerError) as caught:
        book(ledger, "main", fills=fills, at=AT)
    found = read_book(ledger, "main")
    assert (found.cash, fills_of(ledger, "main")) == before
    assert found.state is TradingState.HALTED
    assert verify(ledger).is_whole
    return str(caught.value)


def test_r25_more_shares_than_ordered_halt_the_account(ledger: Ledger) -> None:
    accept(ledger, order("tf-a", shares=10))
    book(ledger, "main", fills=[fill("f", 6, of="tf-a")], at=AT)
    assert "11" in refused(ledger, fill("g", 5, of="tf-a"))


def test_r25_a_fill_that_changes_afterwards_halts_the_account(ledger: Ledger) -> None:
    book(ledger, "main", fills=[fill("f", 6)], at=AT)
    refused(ledger, same_but(fill("f", 6), at_price=101))


def test_a_fill_has_to_fit_its_order(ledger: Ledger) -> None:
    accept(ledger, order("tf-a"))
    bad = [
        fill("f", 1, of="tf-nobody"),
        fill("f", -1, of="tf-a"),
        fill("f", 1, of="tf-a", symbol="IBM"),
        fill("f", 0),
        fill("f", 1, account="other"),
    ]
    for each in bad:
        refused(ledger, each)
        release(ledger, "main", reason="next one", by="test", at=AT)


def test_an_order_the_broker_refused_has_no_fills(ledger: Ledger) -> None:
    wanted = order("tf-a")
    intend(ledger, wanted)
    write_answer(ledger, "tf-a", answer(wanted, OrderState.REJECTED), at=AT)
    refused(ledger, fill("f", 1, of="tf-a"))


@pytest.mark.parametrize("cancel_first", [True, False])
def test_r25_partly_filled_then_cancelled(ledger: Ledger, cancel_first: bool) -> None:  # noqa: FBT001
    wanted = order("tf-a")
    accept(ledger, wanted)
    if cancel_first:
        write_answer(ledger, "tf-a", answer(wanted, OrderState.CANCELLED), at=AT)
    book(ledger, "main", fills=[fill("f", 4, of="tf-a")], at=AT)
    write_answer(ledger, "tf-a", answer(wanted, OrderState.CANCELLED), at=AT)
    record = find_order(ledger, "tf-a")
    assert record is not None
    assert (record.state, record.filled_quantity) == (OrderState.CANCELLED, 4)
    assert read_book(ledger, "main").held("AAPL") == 4


def test_what_happened_outranks_that_it_was_cancelled(ledger: Ledger) -> None:
    wanted = order("tf-a")
    accept(ledger, wanted)
    write_answer(ledger, "tf-a", answer(wanted, OrderState.CANCELLED), at=AT)
    book(ledger, "main", fills=[fill("f", 10, of="tf-a")], at=AT)
    assert state_of(ledger, "tf-a") is OrderState.FILLED


def test_an_order_to_a_weight_is_filled_when_the_broker_says_so(ledger: Ledger) -> None:
    wanted = replace(order("tf-a", shares=10), target_weight=0.5)
    accept(ledger, wanted)
    book(ledger, "main", fills=[fill("f", 12, of="tf-a")], at=AT)
    assert state_of(ledger, "tf-a") is OrderState.PARTLY_FILLED
    filled = replace(answer(wanted, OrderState.FILLED), filled_quantity=Decimal(12))
    write_answer(ledger, "tf-a", filled, at=AT)
    assert state_of(ledger, "tf-a") is OrderState.FILLED


def test_a_split_keeps_what_was_paid_and_what_it_is_worth(ledger: Ledger) -> None:
    book(ledger, "main", fills=[fill("f", 10, 100)], at=AT)
    marks = [Mark(symbol="AAPL", price=Decimal(120), session=SESSION)]
    close_session(ledger, "main", session=SESSION, marks=marks, at=AT)
    book(ledger, "main", actions=[split(10, 40)], at=AT)
    (position,) = read_book(ledger, "main").positions
    assert (position.quantity, position.basis, position.value) == (40, 1000, 1200)
    assert marks_of(ledger, "main")[0].price == 30
    assert actions_of(ledger, "main") == (split(10, 40),)
    assert verify(ledger).is_whole


def test_a_fill_from_before_a_split_may_arrive_after_it(ledger: Ledger) -> None:
    book(ledger, "main", fills=[fill("f", 10, 100)], at=AT)
    book(ledger, "main", actions=[split(15, 30)], at=AT)
    book(ledger, "main", fills=[fill("g", 5, 110)], at=AT)
    (position,) = read_book(ledger, "main").positions
    assert (position.quantity, position.basis) == (30, 1550)


def test_flows_move_cash_and_own_money_is_capital(ledger: Ledger) -> None:
    def flow(name: str, kind: FlowKind, amount: str) -> CashFlow:
        exact = Decimal(amount)
        return CashFlow(flow_id=name, account="main", kind=kind, amount=exact, session=NEXT, at=AT)

    flows = [
        flow("d", FlowKind.DIVIDEND, "12.34"),
        flow("w", FlowKind.WITHDRAWAL, "-1000"),
        flow("i", FlowKind.INTEREST, "-0.000001"),
    ]
    assert book(ledger, "main", flows=[*flows, flows[0]], at=AT) == 3
    found = read_book(ledger, "main")
    assert found.capital == CAPITAL - 1000
    assert found.cash == CAPITAL - 1000 + Decimal("12.339999")
    assert {each.flow_id for each in flows_of(ledger, "main", since=NEXT)} == {"d", "w", "i"}


def test_selling_everything_leaves_exactly_nothing(ledger: Ledger) -> None:
    buys = [fill(f"b{i}", "0.1", f"{10 + i / 7:.9f}", day=i) for i in range(10)]
    sales = [fill(f"s{i}", "-0.25", f"{11 + i / 3:.9f}", day=20 + i) for i in range(4)]
    book(ledger, "main", fills=[*buys, *sales], at=AT)
    found = read_book(ledger, "main")
    assert found.positions == ()
    assert found.equity == found.cash == CAPITAL + found.realized_pnl


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["AAPL", "IBM"]),
        st.integers(-30, 30).filter(bool),
        st.decimals("0.01", "900", places=4),
        st.integers(0, 6),
    ),
    min_size=1,
    max_size=14,
)


def as_fills(drawn: list[tuple[str, int, Decimal, int]], account: str) -> list[Fill]:
    return [
        fill(f"f{i}", shares, at_price, symbol=symbol, day=day, account=account, commission="0.07")
        for i, (symbol, shares, at_price, day) in enumerate(drawn)
    ]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    folder: Path = tmp_path_factory.mktemp("booking")
    return ledger_at(f"sqlite:///{folder}/paper.db", folder)


def fresh_account(ledger: Ledger) -> str:
    from slices.ledger.accounts import account_names

    name = f"a{len(account_names(ledger))}"
    open_account(ledger, name, capital=CAPITAL, session=SESSION, at=AT)
    return name


def without_name(found: AccountBook) -> AccountBook:
    return replace(found, name="")


@settings(max_examples=30)
@given(drawn=EVENTS, seed=st.randoms(use_true_random=False), parts=st.integers(1, 5))
def test_r25_the_order_of_arrival_does_not_matter(
    shared: Ledger,
    drawn: list[tuple[str, int, Decimal, int]],
    seed: object,
    parts: int,
) -> None:
    at_once, piecemeal = fresh_account(shared), fresh_account(shared)
    book(shared, at_once, fills=as_fills(drawn, at_once), at=AT)
    shuffled = as_fills(drawn, piecemeal)
    seed.shuffle(shuffled)  # type: ignore[attr-defined]
    for part in range(parts):
        book(shared, piecemeal, fills=shuffled[part::parts], at=AT)
    expected = without_name(read_book(shared, at_once))
    assert without_name(read_book(shared, piecemeal)) == expected
    rebuilt = rebuilt_positions(as_fills(drawn, at_once), ())
    held = {each.symbol: (each.quantity, each.basis) for each in rebuilt if each.quantity}
    assert {each.symbol: (each.quantity, each.basis) for each in expected.positions} == held


def plain(fills: list[Fill]) -> dict[str, tuple[float, float]]:
    """Shares and average price by symbol, worked out in another way: share by share in floats."""
    held: dict[str, list[float]] = {}
    for each in sorted(fills, key=lambda one: (one.session, one.at, one.fill_id)):
        prices = held.setdefault(each.symbol, [])
        for _ in range(abs(int(each.quantity))):
            sign = 1.0 if each.quantity > 0 else -1.0
            if prices and prices[-1] * sign < 0:
                average = sum(prices) / len(prices)
                prices[:] = [average] * (len(prices) - 1)
            else:
                prices.append(sign * float(each.price))
    return {
        symbol: (len(prices) * (1 if prices[0] > 0 else -1), abs(sum(prices) / len(prices)))
        for symbol, prices in held.items()
        if prices
    }


@settings(max_examples=30)
@given(drawn=EVENTS, stop=st.integers(0, 14))
def test_r26_a_restart_finds_the_same_book(
    shared: Ledger, drawn: list[tuple[str, int, Decimal, int]], stop: int
) -> None:
    account = fresh_account(shared)
    fills = as_fills(drawn, account)
    book(shared, account, fills=fills[:stop], at=AT)
    before = canonical_dump(shared, account)
    folder = shared.locks_folder.parent
    again = ledger_at(f"sqlite:///{shared.name}", folder)
    try:
        assert canonical_dump(again, account) == before
        book(again, account, fills=fills, at=AT)
        found = read_book(again, account)
    finally:
        again.close()
    expected = plain(fills)
    assert {each.symbol for each in found.positions} == expected.keys()
    for each in found.positions:
        shares, average = expected[each.symbol]
        assert each.quantity == shares
        assert float(each.average_price) == pytest.approx(average, rel=1e-6, abs=1e-6)


def test_a_sale_of_an_order_reduces(ledger: Ledger) -> None:
    accept(ledger, order("tf-a"), order("tf-b", side=Side.SELL, shares=4))
    book(ledger, "main", fills=[fill("f", 10, of="tf-a")], at=AT)
    book(ledger, "main", fills=[fill("g", -4, 110, of="tf-b", day=1)], at=AT)
    found = read_book(ledger, "main")
    assert (found.held("AAPL"), found.realized_pnl) == (6, 40)
    assert state_of(ledger, "tf-b") is OrderState.FILLED


def test_booking_wants_an_account(opened: OpenLedger, tmp_path: Path) -> None:
    empty = opened(f"sqlite:///{tmp_path}/empty.db")
    with pytest.raises(LedgerError, match="none yet"):
        book(empty, "main", fills=[fill("f", 1)], at=AT)
