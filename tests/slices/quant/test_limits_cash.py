"""Cash: purchases are paid for, with costs, by what is there and settled."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slices.domain.accounts import AccountBook
from slices.domain.limits import ReasonCode
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

OWN_CASH = limited(max_leverage=1.0)
COSTS = Decimal("0.001")


def unharmed(cash: object, held: dict[str, object] | None = None, **fields: object) -> AccountBook:
    """Return an account that has lost nothing, however little it has."""
    return book(cash, held, day_start_equity=Decimal(1), peak_equity=Decimal(1), **fields)


def test_r37_costs_have_to_be_paid_too() -> None:
    known = facts(unharmed("10010"), cost_rate=COSTS)
    assert accepted(judged([buy("A", 100)], known, OWN_CASH))
    (decision,) = judged([buy("A", 100 + UNIT)], known, OWN_CASH)
    assert codes(decision) == {ReasonCode.INSUFFICIENT_CASH}
    (decision,) = judged(
        [buy("A", 100)], facts(unharmed("10009.999999"), cost_rate=COSTS), OWN_CASH
    )
    assert codes(decision) == {ReasonCode.INSUFFICIENT_CASH}


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": OrderKind.LIMIT, "limit_price": Decimal(110)},
        {"kind": OrderKind.STOP, "stop_price": Decimal(110)},
        {"kind": OrderKind.STOP_LIMIT, "stop_price": Decimal(105), "limit_price": Decimal(110)},
    ],
    ids=str,
)
def test_r37_purchase_needs_cash_for_the_highest_price_it_may_fill_at(
    fields: dict[str, object],
) -> None:
    known = facts(unharmed(11_000))
    assert accepted(judged([buy("A", 100, **fields)], known, OWN_CASH))
    assert not accepted(judged([buy("A", 100 + UNIT, **fields)], known, OWN_CASH))


def test_r37_purchase_below_the_mark_needs_cash_for_the_mark() -> None:
    limit = {"kind": OrderKind.LIMIT, "limit_price": Decimal(95)}
    assert not accepted(judged([buy("A", 101, **limit)], facts(unharmed(10_000)), OWN_CASH))


def test_r37_waiting_purchases_keep_their_cash() -> None:
    limit = {"kind": OrderKind.LIMIT, "limit_price": Decimal(100)}
    waiting = record(buy("B", 90, **limit), filled=40)
    known = facts(unharmed(10_000, open_orders=(waiting,)))
    assert accepted(judged([buy("A", 50)], known, OWN_CASH))
    assert not accepted(judged([buy("A", 50 + UNIT)], known, OWN_CASH))


def test_r37_sales_of_a_batch_pay_for_its_purchases_in_whatever_order_they_come() -> None:
    known = facts(unharmed(0, {"A": 100}), cost_rate=COSTS)
    affordable = Decimal("99.800199")  # 9,990 over 100.10
    batch = [buy("B", affordable), sell("A", 100)]
    assert len(accepted(judged(batch, known, OWN_CASH))) == 2
    batch = [buy("B", affordable + Decimal("0.000001")), sell("A", 100)]
    assert accepted(judged(batch, known, OWN_CASH)) == ["A sell 100"]


def test_r37_sale_that_may_not_happen_pays_for_nothing() -> None:
    limit = {"kind": OrderKind.LIMIT, "limit_price": Decimal(101)}
    known = facts(unharmed(0, {"A": 100}))
    assert len(accepted(judged([sell("A", 100, **limit), buy("B", 1)], known, OWN_CASH))) == 1
    waiting = facts(unharmed(0, {"A": 100}, open_orders=(record(sell("A", 100)),)))
    assert not accepted(judged([buy("B", 1)], waiting, OWN_CASH))


def test_r37_denied_sale_pays_for_nothing() -> None:
    known = facts(unharmed(0, {"A": 100}))
    limits = limited(max_leverage=1.0, max_order_quantity=50.0)
    assert not accepted(judged([sell("A", 100), buy("B", 1)], known, limits))


def test_r37_short_sale_needs_no_cash() -> None:
    assert accepted(judged([sell("A", 10)], facts(unharmed(100)), OWN_CASH))


def test_r37_debt_goes_as_far_as_leverage_allows() -> None:
    # Equity 90,000 with 10,000 owed: 1.5 leaves room to owe 45,000 in all.
    known = facts(unharmed(-10_000, {"A": 1000}))
    limits = limited(max_leverage=1.5)
    assert accepted(judged([buy("B", 350)], known, limits))
    (decision,) = judged([buy("B", 350 + UNIT)], known, limits)
    assert codes(decision) == {ReasonCode.LEVERAGE}


def test_r37_leverage_below_one_lets_nobody_enter() -> None:
    limits = limited(max_leverage=0.9)
    assert ReasonCode.LEVERAGE in codes(judged([sell("A")], facts(), limits)[0])
    assert accepted(judged([sell("A")], facts(unharmed(0, {"A": 1000})), limits))


def test_r37_settled_cash_excludes_sales_of_today_and_of_the_batch() -> None:
    known = facts(unharmed(10_000, {"A": 900}), unsettled_cash=Decimal(4_000))
    settled = limited(max_leverage=1.0, settled_cash_only=True)
    batch = [sell("A", 100), buy("B", 60)]
    assert len(accepted(judged(batch, known, settled))) == 2
    for greedy in (buy("B", 60 + UNIT), to_weight("B", 0.07)):
        decisions = judged([sell("A", 100), greedy], known, settled)
        assert codes(decisions[1]) == {ReasonCode.UNSETTLED_CASH}


def test_r37_purchases_towards_weights_share_what_cash_there_is() -> None:
    known = facts(unharmed(10_000, {"A": 900}), cost_rate=COSTS)
    decisions = judged([to_weight("B", 0.1), to_weight("C", 0.3)], known, OWN_CASH)
    assert all(each.is_accepted for each in decisions)
    # 40,040 wanted, 10,000 there: a quarter less costs.
    share = 10_000 / 40_040
    assert decisions[0].projected_quantity == pytest.approx(100 * share)
    assert decisions[1].projected_quantity == pytest.approx(300 * share)
    assert decisions[1].projected_cash == pytest.approx(0.0, abs=1e-6)


def test_denied_purchase_towards_a_weight_leaves_its_cash_to_the_others() -> None:
    known = facts(unharmed(10_000, {"A": 900}))
    limits = limited(max_leverage=1.0, restricted=["C"])
    decisions = judged([to_weight("B", 0.1), to_weight("C", 0.3)], known, limits)
    assert codes(decisions[1]) == {ReasonCode.RESTRICTED}
    assert decisions[0].projected_quantity == pytest.approx(100)


def test_weights_that_sum_to_one_but_for_float_noise_pass() -> None:
    limits = limited(max_gross_exposure=1.0)
    weights = {"A": 0.1 + 0.2, "B": 0.7, "C": 1e-17}
    assert sum(Decimal(repr(each)) for each in weights.values()) > 1
    orders = [to_weight(symbol, weight) for symbol, weight in weights.items()]
    assert len(accepted(judged(orders, facts(), limits))) == 3
    orders[1] = to_weight("B", 0.70000001)
    assert len(accepted(judged(orders, facts(), limits))) == 2


@given(
    cash=st.integers(0, 100_000),
    sold=st.integers(0, 500),
    bought=st.lists(st.integers(1, 600), min_size=1, max_size=5),
    costs=st.sampled_from(["0", "0.001", "0.05"]),
)
def test_r37_cash_is_never_negative_and_equity_is_cash_plus_positions(
    cash: int, sold: int, bought: list[int], costs: str
) -> None:
    account = unharmed(cash, {"A": 500})
    known = facts(account, cost_rate=Decimal(costs))
    orders = [buy(symbol, each) for symbol, each in zip("BCDEF", bought, strict=False)]
    orders += [sell("A", sold)] if sold else []
    decisions = judged(orders, known, OWN_CASH)
    left, positions = Decimal(cash), Decimal(50_000)
    taken = [each for each, said in zip(orders, decisions, strict=True) if said.is_accepted]
    for each in taken:
        value = each.signed_quantity * 100
        left -= value + abs(value) * Decimal(costs)
        positions += value
    assert left >= 0
    paid = sum((abs(each.quantity) for each in taken), Decimal(0)) * 100 * Decimal(costs)
    assert left + positions == cash + 50_000 - paid
