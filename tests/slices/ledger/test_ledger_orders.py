"""Orders in the books: they only move on, and an end is an end."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from slices.domain.exact import ZERO
from slices.domain.limits import ReasonCode
from slices.domain.orders import Bracket, OrderKind, OrderState
from slices.domain.trading_errors import LedgerError
from slices.ledger.decisions import read_decision, write_decision
from slices.ledger.dump import canonical_dump
from slices.ledger.journal import entries
from slices.ledger.opening import Ledger
from slices.ledger.orders import (
    find_order,
    orders_of,
    write_answer,
    write_ended,
    write_intents,
    write_unknown,
)
from slices.ledger.verifying import verify
from tests.support.ledgers import AT, SESSION, accept, answer, decision, fill, intend, order

LATER = AT + dt.timedelta(minutes=1)
ENDS = [OrderState.CANCELLED, OrderState.REJECTED, OrderState.EXPIRED]


def test_an_order_is_read_as_it_was_written(ledger: Ledger) -> None:
    wanted = replace(
        order("tf-a", shares="0.123456789"),
        target_weight=0.1 + 0.2,
        kind=OrderKind.STOP_LIMIT,
        limit_price=Decimal("10.010000000"),
        stop_price=Decimal("9.990000000"),
        trail=1 / 3,
        valid_sessions=5,
        reduce_only=True,
        bracket=Bracket(stop_loss=0.1, most_sessions=3),
        sequence=2,
        purpose="Für die Katz'",
    )
    intend(ledger, wanted)
    record = find_order(ledger, "tf-a")
    assert record is not None
    assert record.order == wanted
    assert (record.state, record.filled_quantity) == (OrderState.INTENDED, ZERO)
    assert record.decided_at == record.updated_at == AT


def test_of_an_order_written_twice_the_first_writing_stays(ledger: Ledger) -> None:
    intend(ledger, order("tf-a", shares=10))
    before = canonical_dump(ledger, "main")
    intend(ledger, order("tf-a", shares=20), at=LATER)
    assert canonical_dump(ledger, "main") == before


def test_a_denied_order_is_written_with_its_reasons(ledger: Ledger) -> None:
    wanted = order("tf-a")
    judged = decision(wanted, ReasonCode.MARK_STALE, ReasonCode.LEVERAGE)
    with ledger.writing() as connection:
        write_intents(connection, "main", [(wanted, judged)], at=AT)
    record = find_order(ledger, "tf-a")
    assert record is not None
    assert record.state is OrderState.DENIED
    assert [each.partition(":")[0] for each in record.reasons] == ["mark_stale", "leverage"]
    assert record.open_quantity == 0
    write_answer(ledger, "tf-a", answer(wanted, OrderState.ACCEPTED), at=LATER)
    assert find_order(ledger, "tf-a") == record


@pytest.mark.parametrize("shares", ["NaN", "Infinity", "-Infinity", "1e30", "0.1234567890123"])
def test_r28_what_no_book_can_hold_is_denied_and_journalled(ledger: Ledger, shares: str) -> None:
    wanted = replace(order("tf-a"), quantity=Decimal(shares), limit_price=Decimal("NaN"))
    judged = replace(decision(order("tf-a"), ReasonCode.QUANTITY_INVALID), projected_cash=1.0)
    with ledger.writing() as connection:
        write_intents(connection, "main", [(wanted, judged)], at=AT)
    (record,) = orders_of(ledger, "main", states=[OrderState.DENIED])
    assert record.reasons[0].startswith("quantity_invalid")
    assert [each.kind for each in entries(ledger, subject="tf-a")] == ["order.denied"]
    assert verify(ledger).is_whole


def test_an_answer_moves_an_order_on(ledger: Ledger) -> None:
    wanted = order("tf-a")
    intend(ledger, wanted)
    record = write_answer(ledger, "tf-a", answer(wanted, OrderState.ACCEPTED), at=LATER)
    assert (record.state, record.broker_order_id) == (OrderState.ACCEPTED, "broker-tf-a")
    assert (record.decided_at, record.updated_at) == (AT, LATER)
    assert find_order(ledger, "tf-a") == record


def test_an_unclear_order_is_cleared_by_an_answer(ledger: Ledger) -> None:
    wanted = order("tf-a")
    intend(ledger, wanted)
    unknown = write_unknown(ledger, "tf-a", "a timeout", at=AT)
    assert (unknown.state, unknown.reasons) == (OrderState.UNKNOWN, ("a timeout",))
    assert unknown.open_quantity == 10
    record = write_answer(ledger, "tf-a", answer(wanted, OrderState.ACCEPTED), at=LATER)
    assert record.state is OrderState.ACCEPTED


def test_an_order_the_broker_has_is_not_unclear_again(ledger: Ledger) -> None:
    accept(ledger, order("tf-a"))
    assert write_unknown(ledger, "tf-a", "late", at=LATER).state is OrderState.ACCEPTED


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("said", [*ENDS, OrderState.ACCEPTED, OrderState.PARTLY_FILLED])
def test_an_end_is_an_end(ledger: Ledger, end: OrderState, said: OrderState) -> None:
    wanted = order("tf-a")
    intend(ledger, wanted)
    ended = write_ended(ledger, "tf-a", end, "because", at=AT)
    assert (ended.state, ended.reasons) == (end, ("because",))
    before = canonical_dump(ledger, "main")
    write_answer(ledger, "tf-a", answer(wanted, said), at=LATER)
    write_unknown(ledger, "tf-a", "late", at=LATER)
    write_ended(ledger, "tf-a", OrderState.CANCELLED, "late", at=LATER)
    assert canonical_dump(ledger, "main") == before


def test_an_order_with_fills_is_not_accepted_again(ledger: Ledger) -> None:
    from slices.ledger.booking import book

    wanted = order("tf-a")
    accept(ledger, wanted)
    book(ledger, "main", fills=[fill("f", 4, of="tf-a")], at=AT)
    record = write_answer(ledger, "tf-a", answer(wanted, OrderState.ACCEPTED), at=LATER)
    assert record.state is OrderState.PARTLY_FILLED


def test_the_same_answer_twice_is_journalled_once(ledger: Ledger) -> None:
    wanted = order("tf-a")
    accept(ledger, wanted)
    before = canonical_dump(ledger, "main")
    write_answer(ledger, "tf-a", answer(wanted, OrderState.ACCEPTED), at=LATER)
    assert canonical_dump(ledger, "main") == before


def test_a_second_order_of_that_name_at_the_broker_is_refused(ledger: Ledger) -> None:
    wanted = order("tf-a")
    accept(ledger, wanted)
    second = answer(wanted, OrderState.CANCELLED, broker_order_id="another")
    with pytest.raises(LedgerError, match="another"):
        write_answer(ledger, "tf-a", second, at=LATER)


def test_an_answer_for_an_order_nobody_wrote_is_refused(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="tf-a"):
        write_answer(ledger, "tf-a", answer(order("tf-a"), OrderState.ACCEPTED), at=AT)
    assert find_order(ledger, "tf-a") is None


def test_orders_are_listed_as_they_were_written(ledger: Ledger) -> None:
    intend(ledger, order("tf-z"), order("tf-a"))
    next_session = SESSION + dt.timedelta(days=1)
    intend(ledger, order("tf-m", session=next_session), at=LATER)
    write_ended(ledger, "tf-a", OrderState.CANCELLED, "", at=LATER)

    def names(found: tuple[object, ...]) -> list[str]:
        return [each.order.client_order_id for each in found]  # type: ignore[attr-defined]

    assert names(orders_of(ledger, "main")) == ["tf-z", "tf-a", "tf-m"]
    assert names(orders_of(ledger, "main", session=next_session)) == ["tf-m"]
    assert names(orders_of(ledger, "main", since=LATER)) == ["tf-m"]
    assert names(orders_of(ledger, "main", states={OrderState.CANCELLED})) == ["tf-a"]


def test_a_decision_is_taken_once(ledger: Ledger) -> None:
    def decide(session: dt.date, weight: float) -> None:
        with ledger.writing() as connection:
            write_decision(
                connection,
                "main",
                workflow="w",
                strategy="s",
                session=session,
                targets=[("AAPL", weight), ("IBM", float("nan"))],
                details=[("rule", "10/50")],
                at=AT,
            )

    decide(SESSION, 0.1 + 0.2)
    before = canonical_dump(ledger, "main")
    decide(SESSION, 0.7)
    assert canonical_dump(ledger, "main") == before
    decide(SESSION + dt.timedelta(days=1), 0.5)
    first = read_decision(ledger, "main", workflow="w", strategy="s", session=SESSION)
    assert first is not None
    assert first.targets[0] == ("AAPL", 0.1 + 0.2)
    assert first.details == (("rule", "10/50"),)
    assert read_decision(ledger, "main", workflow="other", strategy="s", session=SESSION) is None
    assert verify(ledger).is_whole
