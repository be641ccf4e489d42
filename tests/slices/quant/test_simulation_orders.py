"""Orders: where they fill, what ends them, and that no price is used that was not there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slices.domain.errors import MissingColumnsError, ParameterError
from slices.domain.parameters import Costs, TradingRules
from slices.quant.panel import Panel
from slices.quant.simulation.account import FillReason
from slices.quant.simulation.orders import (
    Bracket,
    OrderIntent,
    OrderKind,
    OrderSimulation,
    OrderStatus,
)
from tests.slices.quant.simulated import (
    FREE,
    Case,
    bars,
    check_fills,
    check_ledger,
    hard_cases,
    in_plain_python,
    plain_cases,
    random_orders,
    random_panel,
)

FALLING = bars(
    (100, 102, 98, 100),
    (100, 101, 97, 99),
    (95, 98, 94, 96),
    (90, 93, 88, 92),
    (120, 123, 118, 121),
)


def ordered(
    *orders: OrderIntent, panel: Panel = FALLING, costs: Costs = FREE, **rules: object
) -> OrderSimulation:
    case = Case(
        panel=panel, targets=np.zeros(panel.close.shape), costs=costs, rules=TradingRules(**rules)
    )
    account = case.ordered(list(orders))
    check_ledger(case, account)
    check_fills(case, account)
    return account


def told(account: OrderSimulation) -> list[tuple[int, float, float, FillReason]]:
    fills = account.fills
    parts = (fills.rows, fills.quantities, fills.prices, fills.reasons)
    return [
        (int(t), float(q), float(p), FillReason(int(r))) for t, q, p, r in zip(*parts, strict=True)
    ]


def order(quantity: float = 10, *, row: int = 0, **more: object) -> OrderIntent:
    return OrderIntent(row=row, column=0, quantity=quantity, **more)


def limit(quantity: float, price: float, **more: object) -> OrderIntent:
    return order(quantity, kind=OrderKind.LIMIT, limit_price=price, **more)


def stop(quantity: float, price: float, **more: object) -> OrderIntent:
    return order(quantity, kind=OrderKind.STOP, stop_price=price, **more)


LIMIT, STOP, MARKET = FillReason.LIMIT, FillReason.STOP, FillReason.MARKET


@pytest.mark.parametrize(
    ("intent", "expected"),
    [
        (order(10), (1, 10, 100, MARKET)),
        (limit(10, 97.5), (1, 10, 97.5, LIMIT)),
        (limit(10, 96), (2, 10, 95, LIMIT)),
        (limit(10, 94.5), (2, 10, 94.5, LIMIT)),
        (limit(-10, 100.5), (1, -10, 100.5, LIMIT)),
        (limit(-10, 110), (4, -10, 120, LIMIT)),
        (stop(10, 100.5), (1, 10, 100.5, STOP)),
        (stop(10, 110), (4, 10, 120, STOP)),
        (stop(-10, 98), (1, -10, 98, STOP)),
        (stop(-10, 96), (2, -10, 95, STOP)),
    ],
)
def test_a_touch_fills_at_the_level_and_a_gap_at_the_open(
    intent: OrderIntent, expected: tuple[int, float, float, FillReason]
) -> None:
    account = ordered(intent, gross_exposure=2.0)
    assert told(account) == [expected]
    assert account.outcomes[0].status is OrderStatus.FILLED
    assert account.outcomes[0].average_price == expected[2]


def test_a_stop_limit_fills_where_both_prices_allow() -> None:
    kind = OrderKind.STOP_LIMIT
    near = order(10, kind=kind, stop_price=100.5, limit_price=101.0)
    gapped = order(10, kind=kind, stop_price=110.0, limit_price=119.0)
    unmet = order(10, kind=kind, stop_price=110.0, limit_price=112.0)
    assert told(ordered(near)) == [(1, 10, 100.5, LIMIT)]
    assert told(ordered(gapped)) == [(4, 10, 119.0, LIMIT)]
    assert told(ordered(unmet)) == []


def test_a_limit_set_off_within_a_session_waits_for_the_next() -> None:
    panel = bars((100, 101, 99, 100), (100, 106, 96, 104), (104, 105, 97, 100))
    intent = order(10, kind=OrderKind.STOP_LIMIT, stop_price=105.0, limit_price=98.0)
    assert told(ordered(intent, panel=panel)) == [(2, 10, 98.0, LIMIT)]


def test_a_trailing_stop_follows_the_highs_of_sessions_before() -> None:
    panel = bars((100, 100, 100, 100), (100, 120, 99, 119), (118, 119, 109, 110), (90, 90, 90, 90))
    held = order(10)
    trailing = order(-10, kind=OrderKind.TRAILING_STOP, trail=0.05)
    account = ordered(held, trailing, panel=panel)
    assert told(account)[1:] == [(2, -10, pytest.approx(114.0), FillReason.TRAILING_STOP)]


def bracketed(quantity: float, panel: Panel = FALLING, **exits: object) -> list:
    return told(ordered(order(quantity, bracket=Bracket(**exits)), panel=panel, gross_exposure=2))


@pytest.mark.parametrize(
    ("quantity", "exits", "expected"),
    [
        (10, {"stop_loss": 0.02}, (1, -10, 98, FillReason.STOP_LOSS)),
        (10, {"stop_loss": 0.04}, (2, -10, 95, FillReason.STOP_LOSS)),
        (10, {"stop_loss_price": 94.5}, (2, -10, 94.5, FillReason.STOP_LOSS)),
        (10, {"trail": 0.04}, (2, -10, 95, FillReason.TRAILING_STOP)),
        (10, {"take_profit": 0.01}, (1, -10, 101, FillReason.TAKE_PROFIT)),
        (10, {"take_profit": 0.15}, (4, -10, 120, FillReason.TAKE_PROFIT)),
        (10, {"take_profit_price": 122}, (4, -10, 122, FillReason.TAKE_PROFIT)),
        (10, {"most_sessions": 2}, (3, -10, 90, FillReason.TIME_LIMIT)),
        (-10, {"stop_loss": 0.1}, (4, 10, 120, FillReason.STOP_LOSS)),
        (-10, {"take_profit": 0.02}, (1, 10, 98, FillReason.TAKE_PROFIT)),
        (-10, {"trail": 0.005}, (1, 10, pytest.approx(100.5), FillReason.TRAILING_STOP)),
    ],
)
def test_a_bracket_closes_what_its_order_opened(
    quantity: float, exits: dict, expected: tuple
) -> None:
    assert bracketed(quantity, **exits)[1:] == [expected]


def test_the_stop_comes_before_the_target_in_one_bar() -> None:
    panel = bars((100, 100, 100, 100), (100, 100, 100, 100), (100, 110, 90, 100))
    assert bracketed(10, panel, stop_loss=0.05, take_profit=0.05)[1:] == [
        (2, -10, 95, FillReason.STOP_LOSS)
    ]
    account = ordered(
        order(10), limit(-10, 105, reduce_only=True), stop(-10, 95, reduce_only=True), panel=panel
    )
    assert told(account)[1:] == [(2, -10, 95, STOP)]


def test_after_an_entry_within_the_session_an_uncertain_stop_counts_and_a_target_does_not() -> None:
    panel = bars((100, 100, 100, 100), (100, 110, 94, 100), (100, 100, 100, 100))
    target = limit(10, 95, bracket=Bracket(take_profit=0.1))
    assert told(ordered(target, panel=panel)) == [(1, 10, 95, LIMIT)]
    loss = stop(10, 105, bracket=Bracket(stop_loss=0.1))
    assert told(ordered(loss, panel=panel))[1:] == [(1, -10, 94.5, FillReason.STOP_LOSS)]


def test_with_closes_alone_levels_fill_at_the_close_that_passed_them() -> None:
    panel = replace(FALLING, open=None, high=None, low=None)
    assert told(ordered(limit(10, 97), panel=panel)) == [(2, 10, 96, LIMIT)]
    assert told(ordered(stop(10, 110), panel=panel)) == [(4, 10, 121, STOP)]
    entry = order(10, bracket=Bracket(stop_loss=0.02))
    assert told(ordered(entry, panel=panel)) == [
        (1, 10, 99, MARKET), (2, -10, 96, FillReason.STOP_LOSS)
    ]  # fmt: skip


def test_an_order_lives_as_long_as_it_says() -> None:
    account = ordered(limit(10, 91, valid_sessions=2), limit(10, 91, valid_sessions=3))
    assert [each.status for each in account.outcomes] == [OrderStatus.EXPIRED, OrderStatus.FILLED]
    assert told(account) == [(3, 10, 90, LIMIT)]


def test_an_order_of_the_last_session_stays_pending() -> None:
    account = ordered(order(10, row=4), limit(10, 1))
    assert [each.status for each in account.outcomes] == [OrderStatus.PENDING] * 2
    assert np.isnan(account.outcomes[0].average_price)


def test_an_order_that_only_reduces_never_opens() -> None:
    account = ordered(order(-10, reduce_only=True), order(4), order(-10, row=1, reduce_only=True))
    statuses = [each.status for each in account.outcomes]
    assert statuses == [OrderStatus.CANCELLED, OrderStatus.FILLED, OrderStatus.PARTLY_FILLED]
    assert account.shares[-1, 0] == 0.0


def test_a_newer_weight_replaces_one_that_waits() -> None:
    closes = np.array([[100.0, 10.0], [np.nan, 10.0], [np.nan, 10.0], [100.0, 10.0]])
    panel = replace(random_panel(np.random.default_rng(0), 4, 2), open=None, high=None, low=None)
    panel = replace(panel, close=closes)
    orders = [OrderIntent(row=row, column=0, weight=0.5 + row / 10) for row in (0, 1)]
    account = Case(panel=panel, targets=closes, costs=FREE).ordered(orders)
    assert [each.status.value for each in account.outcomes] == ["cancelled", "filled"]
    assert account.fills.orders.tolist() == [1]
    assert account.fills.decided.tolist() == [1]
    assert account.shares[-1, 0] == pytest.approx(0.6 * 1e5 / 100)


def test_volume_caps_a_fill_and_the_rest_stays_open() -> None:
    panel = bars(*[(100, 101, 99, 100)] * 6, volume=100.0)
    account = ordered(order(12), panel=panel, volume_share=0.05)
    assert told(account) == [(1, 5, 100, MARKET), (2, 5, 100, MARKET), (3, 2, 100, MARKET)]
    assert account.outcomes[0].status is OrderStatus.FILLED
    unfinished = ordered(order(50), panel=panel, volume_share=0.05).outcomes[0]
    assert (unfinished.status, unfinished.filled_quantity) == (OrderStatus.PARTLY_FILLED, 25)


def test_a_stop_that_volume_held_up_leaves_at_the_next_open() -> None:
    flat, drop, after = (100, 100, 100, 100), (100, 100, 90, 97), (96, 99, 96, 98)
    panel = bars(flat, flat, flat, drop, after, volume=100.0)
    account = ordered(order(8, bracket=Bracket(stop_loss=0.05)), panel=panel, volume_share=0.05)
    assert told(account)[2:] == [
        (3, -5, 95, FillReason.STOP_LOSS), (4, -3, 96, FillReason.STOP_LOSS)
    ]  # fmt: skip


def test_purchases_beyond_cash_are_cut_together_and_reported() -> None:
    account = ordered(order(600), order(1400))
    assert account.fills.quantities == pytest.approx([300, 700])
    assert {each.status for each in account.outcomes} == {OrderStatus.PARTLY_FILLED}
    assert account.scaled_rows.tolist() == [1]
    assert account.shortfalls[1] == pytest.approx(1e5)


def test_sales_pay_for_purchases_of_the_same_session() -> None:
    account = ordered(order(1000), order(500, row=1), order(-500, row=1))
    assert account.fills.quantities.tolist() == [1000, -500, 500]
    assert account.scaled_rows.size == 0


def test_a_short_sale_is_cut_to_what_gross_exposure_allows() -> None:
    account = ordered(order(-5000))
    assert account.fills.quantities == pytest.approx([-1000])
    assert account.outcomes[0].reason == "cash or gross exposure did not allow it"


def test_whole_shares_are_floored_toward_zero() -> None:
    account = ordered(order(3.7), order(-1.2, row=1), order(0.3, row=1), whole_shares=True)
    assert account.fills.quantities.tolist() == [3.0, -1.0]
    assert account.outcomes[2].reason == "less than a whole share"


def test_splits_restate_orders_and_brackets() -> None:
    panel = bars((100, 100, 100, 100), (100, 100, 100, 100), (50, 51, 49, 50), (44, 45, 43, 44))
    splits = np.array([[1.0], [1.0], [2.0], [1.0]])
    case = Case(panel=panel, targets=splits, costs=FREE, splits=splits)
    account = case.ordered([order(10, bracket=Bracket(stop_loss=0.1)), limit(10, 98)])
    check_ledger(case, account)
    assert told(account)[1:] == [(2, 20, 49, LIMIT), (3, -20, 44, FillReason.STOP_LOSS)]


def test_a_symbol_that_ends_closes_its_position_and_its_orders() -> None:
    gone = np.where(np.arange(5)[:, None] > 2, np.nan, 1.0)
    names = ("open", "high", "low", "close", "volume")
    panel = replace(FALLING, **{name: getattr(FALLING, name) * gone for name in names})
    account = ordered(order(10), limit(10, 50), order(1, row=3), panel=panel)
    assert told(account)[1:] == [(2, -10, 96, FillReason.DELISTING)]
    assert [each.reason for each in account.outcomes[1:]] == ["the symbol's bars end"] * 2
    assert account.equity[-1] == pytest.approx(1e5 - 40)


def test_commission_is_the_larger_of_minimum_and_schedule() -> None:
    costs = Costs(
        commission_bps=10, slippage_bps=0, commission_per_share=0.5, commission_minimum=20
    )
    account = ordered(order(10), order(100, row=1), costs=costs)
    assert account.fills.commissions == pytest.approx([20.0, 0.001 * 9500 + 50])


def test_impact_follows_the_square_root_of_participation() -> None:
    random = np.random.default_rng(1)
    panel = random_panel(random, 40, 1)
    costs = Costs(commission_bps=0, slippage_bps=0, impact=0.8)
    case = Case(panel=panel, targets=panel.close, costs=costs)
    account = case.ordered([order(100, row=30)])
    returns = panel.close[1:31, 0] / panel.close[:30, 0] - 1
    share = 100 / panel.volume[31, 0]
    expected = 100 * panel.open[31, 0] * 0.8 * returns[-20:].std(ddof=1) * np.sqrt(share)
    assert account.fills.impacts == pytest.approx([expected], rel=1e-12)


def test_impact_without_volume_is_refused() -> None:
    with pytest.raises(MissingColumnsError):
        ordered(order(1), panel=replace(FALLING, volume=None), costs=Costs(impact=0.1))


def test_interest_borrow_fees_and_dividends_follow_what_was_held_overnight() -> None:
    panel = bars(*[(100, 100, 100, 100)] * 4)
    dividends = np.array([[0.0], [5.0], [1.0], [0.0]])
    costs = Costs(commission_bps=0, slippage_bps=0, borrow_rate=0.0252, cash_rate=0.252)
    case = Case(panel=panel, targets=dividends, costs=costs, dividends=dividends)
    account = case.ordered([order(-100)])
    own = 1e5 * 1.001
    assert account.dividends.tolist() == [0, 0, -100, 0]
    assert account.interest[:3] == pytest.approx([0, 100, own * 0.001])
    assert account.borrow_fees == pytest.approx([0, 0, 1, 1])
    check_ledger(case, account)


@given(st.one_of(plain_cases(), hard_cases()), st.integers(0, 10_000))
@settings(max_examples=150)
def test_any_orders_keep_the_ledger_and_the_rules(case: Case, seed: int) -> None:
    orders = random_orders(np.random.default_rng(seed), case, 25)
    account = case.ordered(orders)
    check_ledger(case, account)
    check_fills(case, account)
    splits = case.splits is not None and (case.splits != 1).any()
    entries = np.isin(account.fills.reasons, [MARKET, LIMIT, STOP, FillReason.TRAILING_STOP])
    for number, outcome in enumerate(account.outcomes):
        mine = entries & (account.fills.orders == number)
        if not splits and orders[number].bracket is None:
            filled = account.fills.quantities[mine].sum()
            assert outcome.filled_quantity == pytest.approx(filled, rel=1e-9, abs=1e-9)
        assert (outcome.reason == "") is (outcome.status is OrderStatus.FILLED)


@given(plain_cases(), st.integers(0, 10_000), st.data())
def test_orders_after_a_day_change_nothing_before(
    case: Case, seed: int, data: st.DataObject
) -> None:
    length = data.draw(st.integers(1, len(case.panel.sessions)))
    orders = random_orders(np.random.default_rng(seed), case, 25)
    whole = case.ordered(orders)
    part = case.until(length).ordered([each for each in orders if each.row < length])
    assert np.array_equal(part.equity, whole.equity[:length])
    assert np.array_equal(part.shares, whole.shares[:length])


@given(hard_cases(), st.integers(0, 10_000))
@settings(max_examples=8)
def test_orders_in_compiled_code_equal_their_text_in_python(case: Case, seed: int) -> None:
    short = case.until(12)
    orders = random_orders(np.random.default_rng(seed), short, 15)
    compiled = short.ordered(orders)
    with pytest.MonkeyPatch.context() as patch:
        in_plain_python(patch)
        plain = short.ordered(orders)
    scale = 1e5 + np.abs(compiled.values).max()
    assert plain.equity == pytest.approx(compiled.equity, rel=1e-12, abs=1e-12 * scale)
    assert plain.fills.orders.tolist() == compiled.fills.orders.tolist()
    assert [e.status for e in plain.outcomes] == [e.status for e in compiled.outcomes]


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"quantity": None}, "quantity and weight"),
        ({"weight": 0.5}, "quantity and weight"),
        ({"quantity": 0.0}, "quantity"),
        ({"row": 9}, "row"),
        ({"column": 1}, "column"),
        ({"kind": OrderKind.LIMIT}, "limit_price"),
        ({"limit_price": 5.0}, "limit_price"),
        ({"kind": OrderKind.STOP, "stop_price": -5.0}, "stop_price"),
        ({"kind": OrderKind.TRAILING_STOP, "trail": 1.5}, "trail"),
        ({"valid_sessions": 0}, "valid_sessions"),
        ({"quantity": None, "weight": 1.5}, "weight"),
        ({"quantity": None, "weight": 0.5, "reduce_only": True}, "weight"),
        ({"bracket": Bracket(stop_loss=-0.1)}, "stop_loss"),
        ({"bracket": Bracket(stop_loss=0.1, stop_loss_price=9.0)}, "stop_loss"),
        ({"bracket": Bracket(most_sessions=0)}, "most_sessions"),
    ],
)
def test_orders_that_make_no_sense_are_refused_by_name(wrong: dict, named: str) -> None:
    with pytest.raises(ParameterError) as refused:
        ordered(OrderIntent(**{"row": 0, "column": 0, "quantity": 1.0, **wrong}))
    assert refused.value.parameter == named
