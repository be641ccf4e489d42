"""Exposures after trading, open orders and the rest of the batch included."""

from __future__ import annotations

from decimal import Decimal

import pytest

from slices.domain.limits import ReasonCode, RiskLimits
from slices.domain.orders import OrderKind
from tests.slices.quant.gating import (
    UNIT,
    accepted,
    book,
    buy,
    codes,
    facts,
    judged,
    limited,
    record,
    sell,
    to_weight,
)

SECTORS = {"A": "tech", "B": "tech"}
LIMIT = {"kind": OrderKind.LIMIT, "limit_price": Decimal(100)}


def test_r32_both_legs_of_a_pair_come_in_and_leave_at_once() -> None:
    limits = limited(max_net_exposure=0.1)
    assert len(accepted(judged([sell("A", 500), buy("B", 500)], limits=limits))) == 2
    assert not accepted(judged([sell("A", 500)], limits=limits))
    assert not accepted(judged([buy("B", 500)], limits=limits))
    paired = facts(book(100_000, {"A": -500, "B": 500}))
    assert len(accepted(judged([buy("A", 500), sell("B", 500)], paired, limits))) == 2


def test_r32_pair_of_which_one_leg_is_denied_does_not_come_in() -> None:
    limits = limited(max_net_exposure=0.1, restricted=["A"])
    decisions = judged([sell("A", 500), buy("B", 500)], limits=limits)
    assert not accepted(decisions)
    assert codes(decisions[1]) == {ReasonCode.NET_EXPOSURE}


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (limited(max_gross_exposure=0.5), ReasonCode.GROSS_EXPOSURE),
        (limited(max_concentration=0.5), ReasonCode.CONCENTRATION),
        (limited(max_net_exposure=0.5), ReasonCode.NET_EXPOSURE),
        (limited(max_position_notional=50_000.0), ReasonCode.POSITION_LIMIT),
        (limited(max_sector_exposure=0.5, sectors=SECTORS), ReasonCode.SECTOR_EXPOSURE),
    ],
    ids=str,
)
def test_r32_limit_exceeded_already_lets_orders_bring_it_nearer(
    limits: RiskLimits, code: ReasonCode
) -> None:
    known = facts(book(20_000, {"A": 800}))
    assert accepted(judged([sell("A", 1)], known, limits))
    (decision,) = judged([buy("A", 1)], known, limits)
    assert codes(decision) == {code}


def test_r32_open_orders_count_as_filled_or_not_whichever_is_worse() -> None:
    limits = limited(max_gross_exposure=0.5)
    waiting_sale = book(70_000, {"A": 300}, open_orders=(record(sell("A", 300, **LIMIT)),))
    waiting_purchase = book(70_000, {"A": 300}, open_orders=(record(buy("A", 100, **LIMIT)),))
    for account, room in ((waiting_sale, 200), (waiting_purchase, 100)):
        assert accepted(judged([buy("B", room)], facts(account), limits))
        assert not accepted(judged([buy("B", room + UNIT)], facts(account), limits))


def test_r32_exits_that_wait_do_not_stand_in_the_way_of_an_exit_at_market() -> None:
    stop = sell("A", 100, kind=OrderKind.STOP, stop_price=Decimal(95), reduce_only=True)
    target = sell("A", 100, name="target", reduce_only=True, **LIMIT)
    account = book(90_000, {"A": 100}, open_orders=(record(stop), record(target)))
    limits = limited(allow_short=False)
    assert accepted(judged([sell("A", 100)], facts(account), limits))
    more = sell("A", 100, reduce_only=True, name="more", **LIMIT)
    assert accepted(judged([more], facts(account), limits))
    # Not sure to reduce: once the stop has sold, it would open a short position.
    (decision,) = judged([sell("A", 50, **LIMIT)], facts(account), limits)
    assert codes(decision) == {ReasonCode.SHORT_NOT_ALLOWED}


def test_r32_newer_weight_takes_the_place_of_an_older_one() -> None:
    older = record(to_weight("A", 0.5, 500))
    known = facts(book(open_orders=(older,)))
    limits = limited(max_concentration=0.5)
    (decision,) = judged([to_weight("A", 0.4)], known, limits)
    assert (decision.is_accepted, decision.projected_quantity) == (True, 400.0)
    assert not accepted(judged([buy("A", 1)], known, limits))


def test_r32_drifted_weights_are_brought_back_whatever_comes_first() -> None:
    # Equity 100,000; gross exposure has drifted to 1.1.
    known = facts(book(105_000, {"A": 525, "B": -575}))
    limits = limited(max_gross_exposure=1.0)
    orders = [to_weight("A", 0.55), to_weight("B", -0.45)]
    for batch in (orders, orders[::-1]):
        assert len(accepted(judged(batch, known, limits))) == 2


def test_r32_symbol_without_a_sector_is_one_of_its_own() -> None:
    limits = limited(max_sector_exposure=0.3, sectors=SECTORS)
    decisions = judged([buy("A", 200), buy("B", 200), buy("C", 200), buy("D", 200)], limits=limits)
    assert [each.is_accepted for each in decisions] == [True, False, True, True]


def test_decision_tells_where_the_account_would_stand() -> None:
    known = facts(book(90_000, {"A": 100}), cost_rate=Decimal("0.001"))
    decisions = judged([buy("B", 200), sell("A", 50)], known)
    sale, purchase = decisions[1], decisions[0]
    assert (sale.projected_quantity, purchase.projected_quantity) == (50.0, 200.0)
    assert sale.projected_cash == pytest.approx(90_000 + 5_000 - 5)
    assert purchase.projected_cash == pytest.approx(94_995 - 20_020)
    assert purchase.projected_gross == pytest.approx(25_000 / (100_000 - 25))


def test_r32_order_that_only_reduces_waits_for_a_position() -> None:
    decisions = judged([sell("A", 10), buy("A", 5, reduce_only=True)])
    assert codes(decisions[1]) == {ReasonCode.REDUCE_ONLY_INCREASES}


def test_r32_turning_over_is_nearer_only_where_less_is_held_after_it() -> None:
    known = facts(book(90_000, {"A": 100}))
    limits = limited(max_concentration=0.05)
    assert accepted(judged([sell("A", 200 - UNIT)], known, limits))
    (decision,) = judged([sell("A", 200)], known, limits)
    assert codes(decision) == {ReasonCode.CONCENTRATION}


def test_r32_account_worth_nothing_may_not_enter() -> None:
    nothing = Decimal(0)
    ruined = book(-10_000, {"A": 100}, day_start_equity=nothing, peak_equity=nothing)
    (decision,) = judged([sell("B", 1)], facts(ruined))
    found = {each.code: each.found for each in decision.breaches}
    assert found[ReasonCode.GROSS_EXPOSURE] == "10,100.00 with equity of 0.00"
