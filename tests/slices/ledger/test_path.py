"""The one order path: judged, written, sent once; and what happens where a broker is unclear."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from slices.domain.accounts import TradingState
from slices.domain.brokers import BrokerOrder
from slices.domain.limits import DEFAULT_LIMITS
from slices.domain.orders import Order, OrderState, Side
from slices.domain.trading_errors import BrokerUnavailableError, LedgerError
from slices.ledger.accounts import read_book
from slices.ledger.decisions import read_decision
from slices.ledger.dump import canonical_dump
from slices.ledger.journal import entries
from slices.ledger.opening import Ledger
from slices.ledger.orders import find_order, orders_of
from slices.ledger.path import Step, cancel_open, look, resolve
from slices.ledger.reconciling import reconcile
from slices.ledger.states import release, set_state, write_halt_file
from slices.ledger.verifying import verify
from tests.support.brokers import Fault, FaultyBroker
from tests.support.ledgers import SESSION
from tests.support.placing import AT, NEXT, mark, placed, plan, wanted

TIGHT = DEFAULT_LIMITS.model_copy(update={"max_order_quantity": 15.0})
UNCLEAR = (Fault.LOSES_ORDERS, Fault.DROPS_ACKS, Fault.FAILS_AFTER, Fault.UNAVAILABLE)


@pytest.fixture
def marked(ledger: Ledger) -> Ledger:
    """The account after its first close."""
    mark(ledger)
    return ledger


def states(ledger: Ledger) -> list[OrderState]:
    return [each.state for each in orders_of(ledger, "main")]


def calls(broker: FaultyBroker, word: str) -> list[str]:
    return [each for each in broker.asked if each.startswith(word)]


def test_orders_are_judged_written_and_sent_with_sales_first(marked: Ledger) -> None:
    broker, orders = FaultyBroker(), plan()
    steps: list[Step] = []
    answer = placed(marked, broker, orders, limits=TIGHT, reached=steps.append)
    assert [each.is_accepted for each in answer.decisions] == [True, False, True]
    assert [each.state for each in answer.records] == [
        OrderState.ACCEPTED,
        OrderState.DENIED,
        OrderState.ACCEPTED,
    ]
    assert calls(broker, "submit") == [
        f"submit {orders[2].client_order_id}",
        f"submit {orders[0].client_order_id}",
    ]
    assert steps == [
        Step.JUDGED, Step.INTENDED, Step.SENT, Step.ANSWERED, Step.SENT, Step.ANSWERED, Step.PLACED,
    ]  # fmt: skip
    assert verify(marked).problem == ""


def test_a_plan_placed_again_changes_nothing(marked: Ledger) -> None:
    broker = FaultyBroker()
    placed(marked, broker, plan())
    before = canonical_dump(marked, "main")
    again = placed(marked, broker, plan())
    assert again.is_repeated
    assert [each.state for each in again.records] == [OrderState.ACCEPTED] * 3
    assert set(broker.submissions.values()) == {1}
    assert canonical_dump(marked, "main") == before


def test_another_plan_for_a_decision_that_stands_is_not_sent_but_its_exits_are(
    marked: Ledger,
) -> None:
    broker = FaultyBroker()
    bought = wanted("AAPL", 10)
    placed(marked, broker, [bought])
    broker.fill(bought.client_order_id, shares=10, at_price=100)
    reconcile(marked, broker, "main", at=AT)
    entry = wanted("MSFT", 1)
    leave = wanted("AAPL", 10, side=Side.SELL, reduce_only=True)
    assert placed(marked, broker, [entry]).is_repeated
    answer = placed(marked, broker, [entry, leave])
    assert not answer.is_repeated
    assert leave.client_order_id in broker.submissions
    assert find_order(marked, entry.client_order_id) is None


def test_looking_writes_nothing(marked: Ledger) -> None:
    before = canonical_dump(marked, "main")
    seen = look(marked, "main", plan(), limits=TIGHT, session=SESSION, at=AT)
    assert [each.is_accepted for each in seen] == [True, False, True]
    assert canonical_dump(marked, "main") == before


def test_a_refused_order_is_rejected_and_the_others_go_on(marked: Ledger) -> None:
    broker = FaultyBroker(faults={Fault.REJECTS})
    answer = placed(marked, broker, [wanted("AAPL", 1), wanted("MSFT", 1)])
    assert [each.state for each in answer.records] == [OrderState.REJECTED] * 2
    assert answer.records[0].reasons == ("not tradable",)
    assert len(calls(broker, "submit")) == 2
    assert broker.submissions == {}


class RefusesSales(FaultyBroker):
    def submit(self, order: Order) -> BrokerOrder:
        self.faults = {Fault.REJECTS} if order.side is Side.SELL else set()
        return super().submit(order)


def test_a_purchase_that_a_refused_sale_was_to_pay_for_is_not_sent(marked: Ledger) -> None:
    broker = RefusesSales()
    held = wanted("AAPL", 900)
    placed(marked, broker, [held], strategy="first")
    broker.fill(held.client_order_id, shares=900, at_price=100)
    broker.session = NEXT
    reconcile(marked, broker, "main", at=AT)
    mark(marked, session=NEXT)
    sale = wanted("AAPL", 900, side=Side.SELL, session=NEXT)
    paid_by_it, affordable = (
        wanted("IBM", 500, session=NEXT),
        wanted("MSFT", 2, session=NEXT),
    )
    answer = placed(marked, broker, [sale, affordable, paid_by_it], session=NEXT)
    assert all(each.is_accepted for each in answer.decisions)
    assert [each.state for each in answer.records] == [
        OrderState.REJECTED,
        OrderState.ACCEPTED,
        OrderState.CANCELLED,
    ]


def test_r23_killed_after_a_refused_sale_no_purchase_leaves_that_it_was_to_pay_for(
    marked: Ledger,
) -> None:
    broker = RefusesSales()
    held = wanted("AAPL", 900)
    placed(marked, broker, [held], strategy="first")
    broker.fill(held.client_order_id, shares=900, at_price=100)
    broker.session = NEXT
    reconcile(marked, broker, "main", at=AT)
    mark(marked, session=NEXT)
    sale = wanted("AAPL", 900, side=Side.SELL, session=NEXT)
    with pytest.raises(InterruptedError):
        placed(
            marked,
            broker,
            [sale, wanted("IBM", 500, session=NEXT)],
            session=NEXT,
            reached=interrupted_at(Step.INTENDED),
        )
    assert states(marked)[1:] == [OrderState.INTENDED] * 2
    resolve(marked, broker, "main", at=AT)
    assert states(marked)[1:] == [OrderState.REJECTED, OrderState.CANCELLED]
    assert list(broker.submissions) == [held.client_order_id]


def interrupted_at(step: Step) -> Callable[[Step], None]:
    def reached(now: Step) -> None:
        if now is step:
            raise InterruptedError

    return reached


@pytest.mark.parametrize("fault", UNCLEAR)
def test_r24_no_clear_answer_is_unknown_and_never_rejected(marked: Ledger, fault: Fault) -> None:
    broker = FaultyBroker(faults={fault})
    placed(marked, broker, [wanted("AAPL", 1), wanted("MSFT", 1)])
    assert states(marked) == [OrderState.UNKNOWN, OrderState.INTENDED]
    assert len(calls(broker, "submit")) == 1


@pytest.mark.parametrize("fault", UNCLEAR)
def test_r24_nothing_is_sent_again_before_the_broker_was_asked(
    marked: Ledger, fault: Fault
) -> None:
    broker, order = FaultyBroker(faults={fault}), wanted("AAPL", 1)
    placed(marked, broker, [order])
    broker.faults = set()
    broker.asked.clear()
    resolve(marked, broker, "main", at=AT)
    assert broker.asked[0] == f"query {order.client_order_id}"
    assert broker.submissions == {order.client_order_id: 1}
    assert states(marked) == [OrderState.ACCEPTED]


def test_r24_nothing_is_sent_again_where_the_broker_cannot_be_asked(marked: Ledger) -> None:
    broker = FaultyBroker(faults={Fault.LOSES_ORDERS})
    placed(marked, broker, [wanted("AAPL", 1)])
    broker.faults = {Fault.UNAVAILABLE}
    broker.asked.clear()
    with pytest.raises(BrokerUnavailableError):
        resolve(marked, broker, "main", at=AT)
    assert calls(broker, "submit") == []
    assert states(marked) == [OrderState.UNKNOWN]


def test_r24_what_never_left_in_its_session_is_withdrawn_in_the_next(marked: Ledger) -> None:
    broker = FaultyBroker(faults={Fault.LOSES_ORDERS})
    placed(marked, broker, [wanted("AAPL", 1)])
    broker.faults, broker.session = set(), NEXT
    resolve(marked, broker, "main", at=AT)
    assert states(marked) == [OrderState.CANCELLED]
    assert broker.submissions == {}


def halting(ledger: Ledger, at_step: Step, *, by_file: bool) -> list[Step]:
    """Return steps that halt trading once one of them is reached."""

    class Halting(list[Step]):
        def append(self, step: Step) -> None:
            super().append(step)
            if self.count(at_step) == 1 and step is at_step:
                if by_file:
                    ledger.halt_file.write_text("")
                else:
                    set_state(ledger, "main", TradingState.HALTED, reason="stop", by="test", at=AT)

    return Halting()


@pytest.mark.parametrize("by_file", [True, False])
def test_r34_a_halt_before_orders_are_written_denies_them(marked: Ledger, by_file: bool) -> None:  # noqa: FBT001
    broker = FaultyBroker()
    placed(marked, broker, plan(), reached=halting(marked, Step.JUDGED, by_file=by_file).append)
    assert states(marked) == [OrderState.DENIED] * 3
    assert broker.submissions == {}


@pytest.mark.parametrize("by_file", [True, False])
def test_r34_a_halt_between_writing_and_sending_leaves_nothing_sent(
    marked: Ledger,
    by_file: bool,  # noqa: FBT001
) -> None:
    broker = FaultyBroker()
    placed(marked, broker, plan(), reached=halting(marked, Step.INTENDED, by_file=by_file).append)
    assert states(marked) == [OrderState.CANCELLED] * 3
    assert all("halted" in each.reasons[0] for each in orders_of(marked, "main"))
    assert broker.submissions == {}


def test_r34_a_halt_while_orders_leave_withdraws_those_that_left(marked: Ledger) -> None:
    broker = FaultyBroker()
    placed(marked, broker, plan(), reached=halting(marked, Step.SENT, by_file=True).append)
    assert states(marked) == [OrderState.CANCELLED] * 3
    assert len(broker.submissions) == 1
    assert broker.open_orders() == ()


def test_r34_what_waits_is_not_sent_after_a_halt(marked: Ledger) -> None:
    broker = FaultyBroker(faults={Fault.LOSES_ORDERS})
    placed(marked, broker, plan())
    broker.faults = set()
    write_halt_file(marked.halt_file, reason="stop", by="test", at=AT)
    resolve(marked, broker, "main", at=AT)
    assert states(marked) == [OrderState.CANCELLED] * 3
    assert broker.submissions == {}


def test_r34_cancelling_is_allowed_in_every_state(marked: Ledger) -> None:
    broker = FaultyBroker()
    placed(marked, broker, plan())
    write_halt_file(marked.halt_file, reason="stop", by="test", at=AT)
    assert cancel_open(marked, broker, "main", at=AT) == 3
    assert states(marked) == [OrderState.CANCELLED] * 3
    assert broker.open_orders() == ()


def test_r34_a_file_made_by_hand_denies_every_order_until_it_is_gone(marked: Ledger) -> None:
    marked.halt_file.write_bytes(b"\xff\xfe not text")
    broker = FaultyBroker()
    answer = placed(marked, broker, plan())
    assert {str(each.breaches[0].code) for each in answer.decisions} == {"halted"}
    marked.halt_file.unlink()
    broker.session = NEXT
    mark(marked, session=NEXT)
    later = placed(marked, broker, [wanted("AAPL", 1, session=NEXT)], session=NEXT)
    assert later.records[0].state is OrderState.ACCEPTED


def test_reducing_lets_what_waits_leave_only_where_it_reduces(marked: Ledger) -> None:
    broker = FaultyBroker()
    held = wanted("AAPL", 10)
    placed(marked, broker, [held], strategy="first")
    broker.fill(held.client_order_id, shares=10, at_price=100)
    reconcile(marked, broker, "main", at=AT)

    def reducing(step: Step) -> None:
        if step is Step.INTENDED:
            set_state(marked, "main", TradingState.REDUCING, reason="loss", by="test", at=AT)

    leave, enter = wanted("AAPL", 4, side=Side.SELL), wanted("MSFT", 1)
    placed(marked, broker, [leave, enter], reached=reducing)
    assert [each.state for each in orders_of(marked, "main")][1:] == [
        OrderState.ACCEPTED,
        OrderState.CANCELLED,
    ]


def test_r39_other_code_may_not_trade_an_account_in_the_same_session(marked: Ledger) -> None:
    broker = FaultyBroker()
    placed(marked, broker, [wanted("AAPL", 1)], code="a" * 32)
    before = canonical_dump(marked, "main")
    with pytest.raises(LedgerError, match=r"a{10}.*b{10}"):
        placed(marked, broker, [wanted("MSFT", 1)], strategy="other", code="b" * 32)
    assert canonical_dump(marked, "main") == before
    assert len(broker.submissions) == 1


def test_r39_other_limits_may_not_open_positions_in_the_same_session(marked: Ledger) -> None:
    broker = FaultyBroker()
    held = wanted("AAPL", 10)
    placed(marked, broker, [held])
    broker.fill(held.client_order_id, shares=10, at_price=100)
    reconcile(marked, broker, "main", at=AT)
    with pytest.raises(LedgerError, match="limits"):
        placed(marked, broker, [wanted("MSFT", 1)], strategy="other", limits=TIGHT)
    leave = wanted("AAPL", 10, side=Side.SELL, reduce_only=True)
    answer = placed(marked, broker, [leave], strategy="stop", limits=TIGHT)
    assert answer.records[0].state is OrderState.ACCEPTED


def test_r39_another_session_may_be_traded_with_other_code_and_both_are_recorded(
    marked: Ledger,
) -> None:
    broker = FaultyBroker()
    placed(marked, broker, [wanted("AAPL", 1)], code="a" * 32)
    mark(marked, session=NEXT)
    broker.session = NEXT
    placed(marked, broker, [wanted("MSFT", 1, session=NEXT)], session=NEXT, code="b" * 32)
    recorded = [each for each in entries(marked, account="main") if each.kind == "traded_with"]
    assert [dict(each.payload)["code"] for each in recorded] == ["a" * 32, "b" * 32]


def test_a_released_account_trades_again_and_its_decision_is_kept(marked: Ledger) -> None:
    set_state(marked, "main", TradingState.HALTED, reason="stop", by="test", at=AT)
    broker = FaultyBroker()
    placed(marked, broker, [wanted("AAPL", 1)])
    release(marked, "main", reason="checked", by="test", at=AT)
    assert placed(marked, broker, [wanted("AAPL", 1)]).is_repeated
    answer = placed(marked, broker, [wanted("MSFT", 1)], strategy="other")
    assert answer.records[0].state is OrderState.ACCEPTED
    assert read_decision(marked, "main", workflow="test", strategy="rule", session=SESSION)
    assert read_book(marked, "main").state is TradingState.ACTIVE
