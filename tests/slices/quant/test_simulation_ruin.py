"""Accounts that lose everything: closed at once, worth exactly 0 from then on, never less."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slices.domain.parameters import Costs, TradingRules
from slices.domain.strategies import StrategyName
from slices.quant.panel import Panel
from slices.quant.signals.catalogue import strategy
from slices.quant.signals.crosses import AverageCross
from slices.quant.simulation import targets as targets_module
from slices.quant.simulation.account import FillReason, Simulation
from slices.quant.simulation.exposure import gross_exposure, net_exposure, session_turnover
from slices.quant.simulation.orders import Bracket, OrderIntent, OrderKind, OrderStatus
from slices.quant.simulation.round_trips import trades_of
from slices.quant.simulation.stepping import decide, open_account, step
from slices.quant.simulation.sweep_ways import (
    SweepAccount,
    blank_figures,
    by_crosses,
    by_engine,
    by_signals,
    engine_sleeves,
)
from slices.quant.simulation.sweeps import block_ends
from tests.slices.quant.market import panel_of
from tests.slices.quant.simulated import (
    CAPITAL,
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
from tests.slices.quant.test_simulation_stepping import check_same, lived
from tests.slices.quant.test_simulation_targets import general, same
from tests.slices.quant.test_simulation_trades import check_pnl

NAN = float("nan")
NAMES = ("open", "high", "low", "close")
LEVERED = TradingRules(gross_exposure=10.0)


def wild(panel: Panel, power: int) -> Panel:
    """Make prices move by a power of what they do."""
    return replace(panel, **{name: 50 * (getattr(panel, name) / 50) ** power for name in NAMES})


def ruinous(case: Case) -> Case:
    """Make prices wild and positions large."""
    panel = wild(case.panel, 6)
    rules = case.rules.model_copy(update={"gross_exposure": 10.0})
    return replace(case, panel=panel, targets=case.targets * 5.0, rules=rules)


plain_ruins, hard_ruins = plain_cases().map(ruinous), hard_cases().map(ruinous)


def check_ruin(account: Simulation) -> None:
    """Check that nothing is left from ruin on, and something before."""
    row = account.ruined_row
    before = account.equity if row < 0 else account.equity[:row]
    assert (before > 0).all()
    assert account.written_off >= 0
    if row < 0:
        assert account.written_off == 0
        return
    left = (account.equity, account.cash, np.abs(account.shares).sum(axis=1))
    assert not any(each[row:].any() for each in left)
    assert not any(each[row + 1 :].any() for each in (account.interest, account.dividends))
    assert (account.fills.rows <= row).all()
    returns = np.diff(account.equity[: row + 1]) / account.equity[:row]
    assert np.isfinite(returns).all()
    assert returns.min() == -1.0
    weights = (account.weights, gross_exposure(account), net_exposure(account))
    assert not any(each[row:].any() for each in weights)


@given(st.one_of(plain_ruins, hard_ruins))
@settings(max_examples=200)
def test_the_ledger_adds_up_and_nothing_is_left(case: Case) -> None:
    account = case.simulated()
    check_ledger(case, account)
    check_fills(case, account)
    check_ruin(account)
    check_pnl(case, account)
    assert np.isfinite(session_turnover(account, case.panel)).all()


def test_most_of_these_accounts_are_ruined() -> None:
    random = np.random.default_rng(0)
    rows = []
    for _ in range(50):
        panel = random_panel(random, 40, 3)
        weights = random.uniform(-0.6, 0.6, panel.close.shape)
        rows.append(ruinous(Case(panel=panel, targets=weights)).simulated().ruined_row)
    assert sum(row >= 0 for row in rows) > 25


@given(plain_ruins)
@settings(max_examples=200)
def test_the_fast_loop_is_ruined_as_the_general_one(case: Case) -> None:
    fast, slow = case.simulated(), general(case)
    assert fast.ruined_row == slow.ruined_row
    same(fast, slow, rel=1e-9)
    assert fast.fills.reasons.tolist() == slow.fills.reasons.tolist()
    assert fast.fills.decided.tolist() == slow.fills.decided.tolist()
    assert fast.fills.orders.tolist() == slow.fills.orders.tolist()
    assert fast.written_off == pytest.approx(slow.written_off, rel=1e-6, abs=1e-6 * CAPITAL)
    assert np.array_equal(fast.pending, slow.pending, equal_nan=True)
    assert np.array_equal(fast.ignored, slow.ignored)
    assert fast.shortfalls == pytest.approx(slow.shortfalls, rel=1e-6, abs=1e-6 * CAPITAL)


@given(st.one_of(plain_ruins, hard_ruins))
def test_ruin_in_steps_equals_the_batch(case: Case) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(targets_module, "is_plain", lambda *_: False)
        batch = case.simulated()
    account, steps = lived(case, targets=case.targets)
    check_same(case, batch, account, steps)
    assert (account.ruined_row, account.written_off) == (batch.ruined_row, batch.written_off)


@given(st.one_of(plain_ruins, hard_ruins), st.integers(0, 10_000))
@settings(max_examples=150)
def test_ruin_by_orders_keeps_the_ledger_and_equals_its_steps(case: Case, seed: int) -> None:
    orders = random_orders(np.random.default_rng(seed), case, 25)
    orders = [each if each.quantity is None else replace(each, quantity=each.quantity * 5)
              for each in sorted(orders, key=lambda each: each.row)]  # fmt: skip
    batch = case.ordered(orders)
    check_ledger(case, batch)
    check_fills(case, batch)
    check_ruin(batch)
    account, steps = lived(case, orders=orders)
    check_same(case, batch, account, steps)
    if batch.ruined_row >= 0:
        assert OrderStatus.PENDING not in {each.status for each in batch.outcomes}
        assert account.alive == 0


@given(st.one_of(plain_ruins, hard_ruins), st.data())
def test_a_prefix_of_a_ruined_account_gives_the_same_past(case: Case, data: st.DataObject) -> None:
    length = data.draw(st.integers(2, len(case.panel.sessions)))
    kept = ~np.isnan(case.panel.close[-1]) & ~np.isnan(case.panel.close[length - 1])
    if not kept.any():
        return
    alive = case.columns(np.flatnonzero(kept).tolist())
    whole, part = alive.simulated(), alive.until(length).simulated()
    assert np.array_equal(part.equity, whole.equity[:length])
    assert np.array_equal(part.shares, whole.shares[:length])
    assert part.ruined_row == (whole.ruined_row if whole.ruined_row < length else -1)


@pytest.mark.parametrize("cases", [plain_ruins, hard_ruins])
def test_ruin_in_compiled_code_equals_its_text_in_python(cases: st.SearchStrategy[Case]) -> None:
    @given(cases)
    @settings(max_examples=10)
    def compared(case: Case) -> None:
        short = case.until(15)
        compiled = short.simulated()
        with pytest.MonkeyPatch.context() as patch:
            in_plain_python(patch)
            plain = short.simulated()
        same(compiled, plain, rel=1e-9)
        assert plain.ruined_row == compiled.ruined_row

    compared()


BOTH_LOOPS = pytest.mark.parametrize("simulated", [Case.simulated, general])


def case_of(
    *closes: float, targets: list[float], opens: list[float] | None = None, costs: Costs = FREE
) -> Case:
    panel = panel_of(
        np.array(closes, dtype=float)[:, None], None if opens is None else np.array(opens)[:, None]
    )
    weights = np.array(targets)[:, None]
    return Case(panel=panel, targets=weights, costs=costs, rules=LEVERED, capital=100.0)


def reasons(account: Simulation) -> list[FillReason]:
    return [FillReason(each) for each in account.fills.reasons]


@BOTH_LOOPS
def test_a_levered_account_is_closed_at_the_close_that_ruins_it(simulated: object) -> None:
    targets = [4.0, NAN, 1.0, 0.5, NAN]
    case = case_of(10, 10, 7, 12, 12, targets=targets, opens=[10.0, 10.0, 9.0, 12.0, 12.0])
    account = simulated(case)
    assert (account.ruined_row, account.written_off) == (2, pytest.approx(20.0))
    assert account.equity.tolist() == [100.0, 100.0, 0.0, 0.0, 0.0]
    assert account.fills.prices.tolist() == [10.0, 7.0]
    assert account.fills.quantities.tolist() == [40.0, -40.0]
    assert account.fills.costs.tolist() == [0.0, 0.0]
    assert reasons(account) == [FillReason.TARGET, FillReason.RUIN]
    assert account.ignored.tolist() == [[2, 0], [3, 0]]
    assert np.isnan(account.pending).all()
    (trade,), still_open = trades_of(account, case.panel)
    assert (trade.exit_reason, still_open) == ("ruin", ())


@BOTH_LOOPS
def test_a_gap_ruins_a_short_account_before_it_can_trade(simulated: object) -> None:
    targets = [-1.0, -0.5, 1.0, NAN]
    account = simulated(case_of(10, 10, 15, 15, targets=targets, opens=[10.0, 10.0, 21.0, 15.0]))
    assert (account.ruined_row, account.written_off) == (2, pytest.approx(10.0))
    assert account.fills.prices.tolist() == [10.0, 21.0]
    assert reasons(account) == [FillReason.TARGET, FillReason.RUIN]
    assert account.pending.tolist() == [-0.5]
    assert account.ignored.tolist() == [[2, 0]]


@BOTH_LOOPS
def test_an_account_worth_exactly_nothing_is_ruined(simulated: object) -> None:
    account = simulated(case_of(10, 10, 20, 10, targets=[-1.0, NAN, NAN, NAN]))
    assert (account.ruined_row, account.written_off) == (2, 0.0)
    assert account.equity.tolist() == [100.0, 100.0, 0.0, 0.0]


@BOTH_LOOPS
def test_costs_that_take_everything_ruin_at_the_open(simulated: object) -> None:
    costs = Costs(commission_bps=1000, slippage_bps=0)
    account = simulated(case_of(10, 10, 7.8, 9, targets=[4.0, 0.0, NAN, NAN], costs=costs))
    assert account.ruined_row == 2
    assert account.fills.rows.tolist() == [1, 2]
    assert account.cash.tolist()[2:] == [0.0, 0.0]
    spent = account.fills.costs.sum()
    gained = account.fills.quantities @ account.fills.prices
    assert 100.0 - gained - spent + account.written_off == pytest.approx(0.0, abs=1e-9)


def test_a_least_commission_cannot_push_an_account_below_nothing() -> None:
    costs = Costs(commission_bps=0, slippage_bps=0, commission_minimum=60.0)
    account = case_of(10, 10, 10, 10, targets=[1.0, 0.0, 1.0, NAN], costs=costs).simulated()
    assert account.equity.tolist() == [100.0, 40.0, 0.0, 0.0]
    assert (account.ruined_row, account.written_off) == (2, 20.0)
    assert account.fills.commissions.tolist() == [60.0, 60.0]
    assert account.ignored.tolist() == [[2, 0]]


def test_ruin_cancels_orders_and_brackets() -> None:
    flat = (100.0, 100.0, 100.0, 100.0)
    panel = bars(flat, flat, (100.0, 100.0, 60.0, 60.0), (100.0, 140.0, 50.0, 100.0), flat)
    bracket = Bracket(take_profit=0.3, stop_loss=0.45)
    orders = [
        OrderIntent(row=0, column=0, weight=4.0, bracket=bracket),
        OrderIntent(row=0, column=0, kind=OrderKind.LIMIT, quantity=5.0, limit_price=55.0),
        OrderIntent(row=3, column=0, quantity=5.0),
    ]
    account = Case(panel=panel, targets=panel.close, costs=FREE, rules=LEVERED).ordered(orders)
    assert reasons(account) == [FillReason.MARKET, FillReason.RUIN]
    assert account.fills.prices.tolist() == [100.0, 60.0]
    assert account.ruined_row == 2
    assert [each.status for each in account.outcomes] == [
        OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.CANCELLED
    ]  # fmt: skip
    assert [each.reason for each in account.outcomes[1:]] == ["the account was ruined"] * 2


def test_a_ruined_account_takes_no_decisions_in_steps() -> None:
    case = case_of(10, 10, 21, 21, targets=[-1.0, NAN, NAN, NAN])
    account = open_account(case.panel.symbols, capital=100.0)
    for t in range(3):
        account = step(account, case.panel.until(t + 1), costs=FREE, rules=LEVERED).account
        account = decide(account, rules=LEVERED, target_weights=np.array([-1.0]))
    assert (account.ruined_row, account.equity, account.written_off) == (2, 0.0, pytest.approx(10))
    buying = OrderIntent(row=2, column=0, quantity=1.0)
    stepped = step(
        decide(account, rules=LEVERED, orders=[buying]), case.panel, costs=FREE, rules=LEVERED
    )
    assert [outcome.reason for _, outcome in stepped.outcomes] == ["the account was ruined"]
    assert stepped.session.fills.rows.size == 0
    assert stepped.session.equity.tolist() == [0.0]


@pytest.mark.parametrize("has_open", [True, False])
@pytest.mark.parametrize("bps", [0.0, 300.0])
def test_sweeps_end_ruined_sleeves_as_the_engine_does(*, has_open: bool, bps: float) -> None:
    ruined = 0
    for seed in range(12):
        panel = wild(random_panel(np.random.default_rng(seed), 80, 3), 8)
        panel = panel if has_open else replace(panel, open=None, high=None, low=None)
        account = SweepAccount(
            panel=panel,
            strategy=strategy(StrategyName.SMA_CROSS),
            costs=Costs(commission_bps=bps, slippage_bps=bps),
            capital=CAPITAL,
            first=10,
            ends=block_ends(70, 7),
        )
        chosen = [AverageCross(fast=2, slow=slow, short=True) for slow in (5, 9, 14)]
        engine, *fast = (blank_figures(3, account.ends.size) for _ in range(3))
        by_engine(account, chosen, engine)
        for way, figures in zip((by_crosses, by_signals), fast, strict=True):
            way(account, chosen, figures)
            assert figures.equity == pytest.approx(engine.equity, rel=1e-9, abs=1e-6)
            assert figures.trades.tolist() == engine.trades.tolist()
            assert figures.drawdowns == pytest.approx(engine.drawdowns, rel=1e-9)
            assert figures.sums == pytest.approx(engine.sums, rel=1e-9, abs=1e-12, nan_ok=True)
        sleeves = engine_sleeves(account, chosen[0])
        ruined += sum(each.ruined_row >= 0 for each in sleeves)
    assert ruined > 10
