from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from slices.adaptive_portfolio.crowding import average_correlation, crowding
from slices.adaptive_portfolio.pausing import to_withdraw
from slices.adaptive_portfolio.protection import (
    assess_protection,
    counted_values,
    loss_readings,
    velocity,
)
from slices.adaptive_portfolio.protection_plan import plan_reduction
from slices.domain.accounts import AccountBook, EquityPoint, Position, TradingMode, TradingState
from slices.domain.exact import money
from slices.domain.orders import Order, OrderRecord, OrderState, Side
from slices.domain.protection import LossMeasure, Protection, ProtectionRules, Release
from slices.domain.tiers import CapitalTiers
from tests.slices.quant.market import stored
from tests.support.frames import sessions

if TYPE_CHECKING:
    from pathlib import Path

    from slices.domain.dataset import DatasetRef

RULES = ProtectionRules()
DAYS = tuple(sessions(80))
NOON = dt.datetime(2024, 6, 3, 12, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> DatasetRef:
    random = np.random.default_rng(5)
    moves = random.normal(0, 0.01, (80, 3))
    moves[:, 1] = moves[:, 0] * 1.1 + random.normal(0, 0.0005, 80)
    closes = 100 * np.exp(np.cumsum(moves, axis=0))
    folder: Path = tmp_path_factory.mktemp("bars")
    return stored(folder, DAYS, {name: closes[:, i] for i, name in enumerate("ABC")})


def book(*values: float, held: dict[str, float] | None = None, **changes: object) -> AccountBook:
    """An account with these closes; of the last, `held` is in positions at a mark of 1."""
    shares = held or {}
    cash = Decimal(repr(values[-1])) - sum((money(each) for each in shares.values()), Decimal(0))
    positions = tuple(
        Position(
            symbol=symbol, quantity=money(each), basis=money(each), mark=Decimal(1),
            marked=DAYS[0], opened=DAYS[0],
        )
        for symbol, each in shares.items()
    )  # fmt: skip
    points = tuple(
        EquityPoint(session=day, equity=money(value), cash=cash, long_value=Decimal(0),
                    short_value=Decimal(0))
        for day, value in zip(DAYS, values, strict=False)
    )  # fmt: skip
    made = AccountBook(
        name="main", mode=TradingMode.PAPER, capital=Decimal(100), opened=DAYS[0],
        session=DAYS[len(values) - 1], cash=cash, positions=positions,
        day_start_equity=money(values[-2] if len(values) > 1 else 100),
        peak_equity=money(max(100, *values)), curve=points,
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def assessed(
    bars: DatasetRef,
    account: AccountBook,
    *,
    rules: ProtectionRules = RULES,
    released: Release | None = None,
    liquidate: bool = False,
) -> Protection:
    return assess_protection(
        bars, account, rules=rules, tiers=CapitalTiers(), lookback_sessions=60,
        released=released, liquidate=liquidate,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("measure", "values", "state"),
    [
        (LossMeasure.DRAWDOWN, (100, 90.01), "active"),
        (LossMeasure.DRAWDOWN, (100, 90), "reducing"),
        (LossMeasure.DRAWDOWN, (100, 80.01), "reducing"),
        (LossMeasure.DRAWDOWN, (100, 80), "halted"),
        (LossMeasure.DAILY_LOSS, (100, 97.01), "active"),
        (LossMeasure.DAILY_LOSS, (100, 97), "reducing"),
        (LossMeasure.DAILY_LOSS, (100, 94), "halted"),
        (LossMeasure.VELOCITY, (100, 95.01), "active"),
        (LossMeasure.VELOCITY, (100, 95), "reducing"),
        (LossMeasure.VELOCITY, (100, 90), "halted"),
    ],
)
def test_r33_a_threshold_itself_is_a_breach(
    measure: LossMeasure, values: tuple[float, ...], state: str
) -> None:
    readings = loss_readings(np.array(values, dtype=float), RULES, is_crowded=False)
    assert {each.measure: each.state for each in readings}[measure] == state


@given(st.lists(st.floats(1, 1e6), min_size=1, max_size=40), st.booleans())
def test_losing_more_never_asks_for_less(path: list[float], crowded: bool) -> None:  # noqa: FBT001
    values = np.array(path)
    poorer = values.copy()
    poorer[-1] *= 0.9
    before = loss_readings(values, RULES, is_crowded=crowded)
    after = loss_readings(poorer, RULES, is_crowded=crowded)
    for less, more in zip(before, after, strict=True):
        assert more.loss >= less.loss
        assert more.state.severity >= less.state.severity
    loose = loss_readings(values, RULES, is_crowded=False)
    cut = loss_readings(values, RULES, is_crowded=True)
    assert all(c.state.severity >= f.state.severity for f, c in zip(loose, cut, strict=True))


@given(st.lists(st.floats(50, 100), min_size=1, max_size=20), st.integers(1, 10))
def test_speed_is_the_loss_over_the_window_per_session(path: list[float], window: int) -> None:
    padded = [path[0]] * window + path
    expected = max(0.0, 1 - padded[-1] / padded[-1 - window]) / window
    assert velocity(np.array(path), window) == pytest.approx(expected, abs=1e-12)


def test_losses_count_anew_from_a_release() -> None:
    account = book(100, 120, 90, 91)
    assert counted_values(account, None).tolist() == [100, 100, 120, 90, 91]
    release = Release(session=DAYS[2], at=NOON, by="me", reason="looked at it")
    assert counted_values(account, release).tolist() == [90, 91]
    assert counted_values(book(90), replace(release, session=DAYS[0])).tolist() == [90]
    assert counted_values(account, replace(release, session=None)).size == 5


def test_the_severest_measure_and_the_state_before_decide(bars: DatasetRef) -> None:
    assert assessed(bars, book(100, 99)).state is TradingState.ACTIVE
    assert assessed(bars, book(100, 93)).asked is TradingState.HALTED
    halted = assessed(bars, book(100, 100, state=TradingState.HALTED))
    assert (halted.asked, halted.state) == (TradingState.ACTIVE, TradingState.HALTED)


def test_positions_that_move_as_one_are_crowded(bars: DatasetRef) -> None:
    together = crowding(bars, book(100, held={"A": 30, "B": 30}), rules=RULES, lookback_sessions=60)
    assert together.average_correlation > 0.9
    assert together.is_crowded
    apart = crowding(bars, book(100, held={"A": 30, "C": 30}), rules=RULES, lookback_sessions=60)
    assert not apart.is_crowded
    assert apart.effective_bets == pytest.approx(2, abs=0.5)
    hedged = crowding(bars, book(100, held={"A": 30, "B": -30}), rules=RULES, lookback_sessions=60)
    assert hedged.average_correlation == pytest.approx(-together.average_correlation)
    empty = crowding(bars, book(100), rules=RULES, lookback_sessions=60)
    assert not empty.is_crowded
    heavy = crowding(bars, book(100, held={"A": 60, "C": 20}), rules=RULES, lookback_sessions=60)
    assert any("largest" in each for each in heavy.reasons)


def test_what_is_unknown_counts_as_crowded(bars: DatasetRef) -> None:
    account = book(100, held={"A": 30, "Z": 30})
    unknown = crowding(bars, account, rules=RULES, lookback_sessions=60)
    assert unknown.is_crowded
    assert "Z" in unknown.unknown
    assert math.isnan(unknown.effective_bets)


def test_correlations_agree_with_numpy() -> None:
    random = np.random.default_rng(2)
    returns = random.normal(size=(50, 4))
    matrix = np.asarray(np.corrcoef(returns.T))
    pairs = [matrix[i, j] for i in range(4) for j in range(i)]
    assert average_correlation(returns, np.ones(4)) == pytest.approx(np.mean(pairs))


held_values = st.dictionaries(st.sampled_from("ABC"), st.integers(-60, 60).filter(bool))


@given(held_values, st.sampled_from([0.0, 0.25, 0.5, 1.0, math.inf]), st.booleans())
def test_a_plan_only_reduces_and_reaches_the_exposure(
    held: dict[str, float],
    allowed: float,
    whole: bool,  # noqa: FBT001
) -> None:
    account = book(100, held=held)
    base = _protection(account, allowed)
    plan = plan_reduction(account, base, whole_shares=whole)
    left = {each.symbol: each.quantity for each in account.positions}
    for order in plan.orders:
        before = left[order.symbol]
        left[order.symbol] += order.side.sign * order.quantity
        assert order.reduce_only
        assert order.quantity > 0
        assert abs(left[order.symbol]) < abs(before)
        assert left[order.symbol] * before >= 0
        assert not whole or order.quantity == order.quantity.to_integral_value()
    gross = float(sum(map(abs, left.values()))) / 100
    assert gross <= allowed + 1e-12
    slack = (len(held) if whole else 1e-6) / 100
    assert gross >= min(allowed, sum(map(abs, held.values())) / 100) - slack
    assert plan == plan_reduction(account, base, whole_shares=whole)


def _protection(account: AccountBook, allowed: float) -> Protection:
    crowd = crowding(_NO_BARS, account, rules=RULES, lookback_sessions=60)
    made = assess_protection(
        _NO_BARS, account, rules=RULES, tiers=CapitalTiers(positions=[9, 9, 9, 9]),
        lookback_sessions=60, released=None, liquidate=False,
    )  # fmt: skip
    state = TradingState.ACTIVE if allowed == math.inf else TradingState.REDUCING
    gross = sum(map(abs, crowd.weights))
    return replace(made, state=state, allowed_exposure=allowed, gross_exposure=gross)


class _NoBars:
    symbols: tuple[str, ...] = ()


_NO_BARS: DatasetRef = _NoBars()  # type: ignore[assignment]


def test_too_many_positions_lose_the_smallest(bars: DatasetRef) -> None:
    account = book(100, held={"A": 20, "B": 5, "C": 20})
    protection = assess_protection(
        bars, account, rules=RULES, tiers=CapitalTiers(positions=[2, 2, 2, 2]),
        lookback_sessions=60, released=None, liquidate=False,
    )  # fmt: skip
    plan = plan_reduction(account, protection, whole_shares=False)
    assert [(each.symbol, each.quantity) for each in plan.orders] == [("B", Decimal(5))]


def test_a_halted_account_is_asked_for_nothing_and_closing_is_another_decision(
    bars: DatasetRef,
) -> None:
    falling = book(100, 70, held={"A": 30, "C": 30})
    kept = plan_reduction(falling, assessed(bars, falling), whole_shares=False)
    assert kept.orders == ()
    closing = plan_reduction(falling, assessed(bars, falling, liquidate=True), whole_shares=False)
    assert [each.quantity for each in closing.orders] == [Decimal(30), Decimal(30)]
    assert closing.strategy != kept.strategy
    shut = replace(falling, state=TradingState.HALTED)
    late = plan_reduction(shut, assessed(bars, shut, liquidate=True), whole_shares=False)
    assert late.orders == ()


def waiting(symbol: str, side: Side, quantity: int, *, workflow: str = "x") -> OrderRecord:
    order = Order(
        client_order_id=f"{symbol}{side}{quantity}", account="main", workflow=workflow,
        strategy="s", session=DAYS[0], symbol=symbol, side=side, quantity=Decimal(quantity),
        reduce_only=workflow != "x",
    )  # fmt: skip
    return OrderRecord(order=order, state=OrderState.ACCEPTED, decided_at=NOON, updated_at=NOON)


def test_reducing_takes_back_what_adds_and_halting_everything_but_own_exits(
    bars: DatasetRef,
) -> None:
    orders = (
        waiting("A", Side.BUY, 5),
        waiting("A", Side.SELL, 5),
        waiting("A", Side.SELL, 50),
        waiting("C", Side.SELL, 5),
        waiting("A", Side.SELL, 6, workflow="drawdown_protection"),
    )

    def taken(*values: float) -> tuple[str, ...]:
        account = book(*values, held={"A": 30}, open_orders=orders)
        return to_withdraw(account, assessed(bars, account))

    assert taken(100, 100) == ()
    assert taken(100, 96.5) == ("Abuy5", "Asell50", "Csell5")
    assert taken(100, 70) == ("Abuy5", "Asell5", "Asell50", "Csell5")


@pytest.mark.parametrize(
    "values",
    [
        {"reducing_drawdown": 0.3},
        {"halting_velocity": 0.005},
        {"reducing_daily_loss": 0.06},
        {"recovery_exposures": "0.5,0.25"},
        {"recovery_exposures": []},
        {"velocity_sessions": 1},
        {"crowding_cut": 1.0},
    ],
)
def test_rules_that_contradict_themselves_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ProtectionRules.model_validate(values)
