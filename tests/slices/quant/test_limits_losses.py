"""Losses that take the right to trade, and how much of every limit is left."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slices.domain.accounts import AccountBook, TradingState
from slices.domain.limits import DEFAULT_LIMITS, LimitLine, ReasonCode, RiskLimits
from slices.domain.orders import OrderKind
from slices.quant.limits.headroom import headroom
from slices.quant.limits.loss import state_after
from tests.slices.quant.gating import book, buy, codes, facts, judged, limited, marks, record, sell

STOP = {"kind": OrderKind.STOP, "stop_price": Decimal(95)}


def losing(equity: object, *, before: object = 100_000, peak: object = 100_000) -> AccountBook:
    return book(equity, day_start_equity=Decimal(str(before)), peak_equity=Decimal(str(peak)))


@pytest.mark.parametrize(
    ("account", "expected"),
    [
        (losing(100_000), None),
        (losing("90000.01"), None),
        (losing(90_000), TradingState.REDUCING),
        (losing("50000.01", before=50_001), None),
        (losing(50_000, before=50_001), TradingState.HALTED),
        (losing(50_000), TradingState.HALTED),
        (losing(110_000, peak=220_000), TradingState.HALTED),
        (losing(0, before=0), TradingState.HALTED),
        (losing(1, before=0, peak=1), TradingState.REDUCING),
        (losing(-1), TradingState.HALTED),
    ],
)
def test_r33_loss_as_large_as_its_limit_takes_the_right_to_trade(
    account: AccountBook, expected: TradingState | None
) -> None:
    found = state_after(account, DEFAULT_LIMITS)
    assert (found and found[0]) == expected


@given(
    lost=st.decimals(0, 1, places=6),
    daily=st.floats(0.001, 1.0),
    since_peak=st.floats(0.001, 1.0),
)
def test_r33_state_grows_no_less_severe_as_losses_grow(
    lost: Decimal, daily: float, since_peak: float
) -> None:
    limits = RiskLimits(max_daily_loss=daily, max_drawdown=since_peak)
    severities = [
        found[0].severity if found else 0
        for found in (
            state_after(losing(100_000 * (1 - part)), limits)
            for part in (lost / 2, lost, (lost + 1) / 2)
        )
    ]
    assert severities == sorted(severities)


def test_r33_gate_knows_of_the_loss_before_anybody_wrote_it_down() -> None:
    account = book(0, {"A": 1000})
    fallen = facts(account, marks=marks("A", "B", price=90))
    entry, exit_ = judged([buy("B"), sell("A", 1000)], fallen)
    assert ReasonCode.DAILY_LOSS in codes(entry)
    assert exit_.is_accepted
    ruinous = facts(account, marks=marks("A", "B", price=50))
    decisions = judged([buy("B"), sell("A", 1000)], ruinous)
    assert all(ReasonCode.DRAWDOWN in codes(each) for each in decisions)


def test_r33_halt_denies_exits_too_and_says_why() -> None:
    halted = book(0, {"A": 1000}, state=TradingState.HALTED, state_reason="books differ")
    (decision,) = judged([sell("A", 1000)], facts(halted))
    assert [each.found for each in decision.breaches] == ["books differ"]


@pytest.mark.parametrize(
    ("held", "exit_", "is_allowed"),
    [
        ({"A": 10}, sell("A", 10), True),
        ({"A": 10}, sell("A", 11), False),
        ({"A": 10}, buy("A", 1), False),
        ({"A": -10}, buy("A", 10), True),
        ({"A": -10}, buy("A", 11), False),
        ({"A": -10}, sell("A", 1), False),
        ({}, sell("A", 1), False),
        ({"A": 10}, sell("A", 10, kind=OrderKind.STOP, stop_price=Decimal(95)), True),
        (
            {"A": 10},
            sell("A", 10, kind=OrderKind.STOP, stop_price=Decimal(95), reduce_only=True),
            True,
        ),
    ],
)
def test_r33_reducing_account_only_makes_positions_smaller(
    held: dict[str, object], exit_: object, *, is_allowed: bool
) -> None:
    account = book(100_000, held, state=TradingState.REDUCING)
    (decision,) = judged([exit_], facts(account))  # type: ignore[list-item]
    assert decision.is_accepted == is_allowed


def test_r33_exits_of_one_batch_do_not_turn_a_position_over() -> None:
    account = book(100_000, {"A": 10}, state=TradingState.REDUCING)
    decisions = judged([sell("A", 6), sell("A", 4), sell("A", 1)], facts(account))
    assert [each.is_accepted for each in decisions] == [True, True, False]


def test_r33_waiting_exits_do_not_turn_a_position_over() -> None:
    limit = {"kind": OrderKind.LIMIT, "limit_price": Decimal(105)}
    waiting = record(sell("A", 6, **limit))
    account = book(100_000, {"A": 10}, state=TradingState.REDUCING, open_orders=(waiting,))
    for shares, is_allowed in ((4, True), (5, False)):
        (decision,) = judged([sell("A", shares)], facts(account))
        assert decision.is_accepted == is_allowed


def lines_of(account: AccountBook, limits: RiskLimits) -> dict[str, LimitLine]:
    return {each.name: each for each in headroom(account, limits)}


def test_headroom_is_what_is_left_of_each_limit() -> None:
    account = book(40_000, {"A": 300, "B": 200, "C": -150}, peak_equity=Decimal(100_000))
    limits = limited(
        max_gross_exposure=2.0,
        max_net_exposure=0.7,
        max_leverage=1.5,
        max_concentration=0.4,
        max_sector_exposure=0.625,
        sectors={"A": "tech", "B": "tech"},
        max_position_notional=60_000.0,
        max_daily_loss=0.5,
        max_drawdown=0.5,
    )
    lines = lines_of(account, limits)
    equity = 75_000
    expected = {
        "max_gross_exposure": (65_000 / equity, 2.0, ""),
        "max_net_exposure": (35_000 / equity, 0.7, ""),
        "max_leverage": (1.0, 1.5, ""),
        "max_concentration": (30_000 / equity, 0.4, "A"),
        "max_sector_exposure": (50_000 / equity, 0.625, "tech"),
        "max_position_notional": (30_000, 60_000, "A"),
        "max_daily_loss": (0.25, 0.5, ""),
        "max_drawdown": (0.25, 0.5, ""),
    }
    assert lines.keys() == expected.keys()
    for name, (used, allowed, subject) in expected.items():
        line = lines[name]
        assert line.subject == subject
        assert line.used == pytest.approx(used)
        if name != "max_leverage":
            assert line.headroom == pytest.approx(1 - used / allowed)
    assert [name for name, line in lines.items() if line.is_breached] == ["max_sector_exposure"]


@pytest.mark.parametrize(
    ("cash", "allowed", "left"),
    [
        (10_000, 1.0, 1.0),
        (0, 1.0, 1.0),
        (0, 1.5, 1.0),
        (-10_000, 1.5, 0.5),
        (-10_000, 1.0, -0.25),
        (-30_000, 1.5, -2.0),
    ],
)
def test_leverage_is_used_by_debt_alone(cash: int, allowed: float, left: float) -> None:
    account = book(cash, {"A": 500})
    equity = cash + 50_000
    line = lines_of(account, limited(max_leverage=allowed))["max_leverage"]
    assert line.used == pytest.approx((equity + max(0, -cash)) / equity)
    assert line.is_breached == (left < 0)
    assert line.headroom == pytest.approx(left)


def test_headroom_counts_open_orders_and_leaves_out_limits_not_set() -> None:
    account = book(100_000, {"A": 100}, open_orders=(record(buy("A", 100)),))
    lines = lines_of(account, DEFAULT_LIMITS)
    assert lines["max_gross_exposure"].used == pytest.approx(20_000 / 110_000)
    assert lines.keys().isdisjoint({"max_sector_exposure", "max_position_notional"})


@given(
    shares=st.lists(st.integers(-500, 500).filter(bool), min_size=1, max_size=4),
    cash=st.integers(250_000, 500_000),
    multiple=st.floats(0.05, 3.0),
)
def test_breached_lines_are_those_with_nothing_left(
    shares: list[int], cash: int, multiple: float
) -> None:
    account = book(cash, dict(zip("ABCD", shares, strict=False)))
    limits = limited(max_gross_exposure=multiple, max_net_exposure=multiple, max_leverage=1.0)
    values = np.array(shares) * 100.0
    equity = cash + values.sum()
    lines = lines_of(account, limits)
    assert lines["max_gross_exposure"].used == pytest.approx(np.abs(values).sum() / equity)
    assert lines["max_net_exposure"].used == pytest.approx(abs(values.sum()) / equity)
    for name in ("max_gross_exposure", "max_net_exposure", "max_leverage", "max_concentration"):
        if abs(lines[name].headroom) > 1e-12:
            assert lines[name].is_breached == (lines[name].headroom < 0)


def test_headroom_of_an_account_without_equity_is_unknown_and_breached() -> None:
    lines = lines_of(book(-20_000, {"A": 100}), DEFAULT_LIMITS)
    assert math.isnan(lines["max_gross_exposure"].used)
    assert lines["max_gross_exposure"].is_breached
    assert lines["max_drawdown"].is_breached
