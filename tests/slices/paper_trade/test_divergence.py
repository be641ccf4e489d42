"""What parts an account from its backtest is told apart, and adds up to the whole difference."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slices.domain.paper_trading import Divergence
from slices.domain.parameters import Costs, TradingRules
from slices.paper_trade.divergence import Leg, Quotes, divergence, matched, same
from slices.paper_trade.parity import quotes, simulated_legs
from slices.quant.panel import Panel
from slices.quant.simulation.targets import simulate_targets

COSTS = Costs(commission_bps=5, slippage_bps=5)
CAPITAL = 100_000.0
SYMBOLS = ("AA", "BB", "CC")
PARTS = ("timing", "price", "fee", "size", "data")


def market(seed: int, sessions: int = 40) -> Panel:
    random = np.random.default_rng(seed)
    closes = 50 * np.exp(np.cumsum(random.normal(0, 0.02, (sessions, 3)), axis=0))
    first = dt.date(2020, 1, 1)
    return Panel(
        symbols=SYMBOLS,
        sessions=tuple(first + dt.timedelta(days=i) for i in range(sessions)),
        close=closes,
        open=closes * np.exp(random.normal(0, 0.01, closes.shape)),
        periods_per_year=252,
    )


def weights(panel: Panel, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    wanted = np.full(panel.close.shape, np.nan)
    for row in range(0, len(panel.sessions) - 1, 5):
        wanted[row] = random.dirichlet(np.ones(4))[:3]
    return wanted


def lived(panel: Panel, wanted: np.ndarray, costs: Costs = COSTS) -> tuple[tuple[Leg, ...], float]:
    account = simulate_targets(panel, wanted, costs=costs, rules=TradingRules(), capital=CAPITAL)
    return simulated_legs(account, panel), float(account.equity[-1])


def split(
    panel: Panel,
    mine: tuple[Leg, ...],
    other: tuple[Leg, ...],
    *,
    seen: Quotes | None = None,
    unattended: tuple[dt.date, ...] = (),
) -> Divergence:
    bars = quotes(panel)
    rows, total = divergence(mine, other, bars=bars, seen=seen or bars, unattended=unattended)
    for name in (*PARTS, "total"):
        assert math.fsum(getattr(each, name) for each in rows) == pytest.approx(
            getattr(total, name), abs=1e-8
        )
    return total


def only(found: Divergence, *names: str) -> None:
    for name in PARTS:
        if name not in names:
            assert getattr(found, name) == pytest.approx(0.0, abs=1e-8), name


def test_equal_fills_part_in_nothing() -> None:
    panel = market(1)
    legs, _ = lived(panel, weights(panel, 1))
    rows, total = divergence(legs, legs, bars=quotes(panel), seen=quotes(panel))
    assert rows == ()
    assert total == Divergence(symbol="all")
    assert all(same(pair) for pair in matched(legs, legs))
    assert len(legs) > 20


@given(st.integers(0, 10_000), st.floats(0.0, 40.0))
def test_other_costs_are_fee_and_the_sizes_they_leave(seed: int, extra: float) -> None:
    panel = market(seed)
    wanted = weights(panel, seed)
    dearer = Costs(commission_bps=5 + extra, slippage_bps=5)
    (mine, ended), (other, its) = lived(panel, wanted, dearer), lived(panel, wanted)
    found = split(panel, mine, other)
    assert found.total == pytest.approx(ended - its, abs=1e-6)
    only(found, "fee", "size")
    common = [one for one, like in matched(mine, other) if one is not None and like is not None]
    charged = sum(each.costs * extra / (10 + extra) for each in common)
    assert found.fee == pytest.approx(-charged, abs=1e-6)


@given(st.integers(0, 10_000), st.integers(0, 6), st.integers(1, 3))
def test_a_session_missed_and_caught_up_with_is_timing(seed: int, missed: int, late: int) -> None:
    panel = market(seed)
    wanted = weights(panel, seed)
    row = 5 * missed
    later = wanted.copy()
    later[row + late], later[row] = wanted[row], np.nan
    (mine, ended), (other, its) = lived(panel, later), lived(panel, wanted)
    found = split(panel, mine, other, unattended=(panel.sessions[row],))
    assert found.total == pytest.approx(ended - its, abs=1e-6)
    only(found, "timing", "size")
    assert abs(found.timing) > 0


@given(st.integers(0, 10_000))
def test_what_was_never_ordered_because_nobody_looked_is_timing(seed: int) -> None:
    panel = market(seed, sessions=12)
    wanted = np.full(panel.close.shape, np.nan)
    wanted[3] = [0.5, 0.0, 0.0]
    other, its = lived(panel, wanted)
    found = split(panel, (), other, unattended=(panel.sessions[3],))
    assert found.total == pytest.approx(CAPITAL - its, abs=1e-6)
    only(found, "timing")
    denied = split(panel, (), other)
    assert denied.total == pytest.approx(CAPITAL - its, abs=1e-6)
    only(denied, "size")


@given(st.integers(0, 10_000), st.floats(0.1, 0.99))
def test_a_capped_order_is_size(seed: int, share: float) -> None:
    panel = market(seed)
    other, _ = lived(panel, weights(panel, seed))
    first = other[0]
    cut = replace(first, quantity=first.quantity * share, costs=first.costs * share)
    found = split(panel, (cut, *other[1:]), other)
    mark = quotes(panel).last(first.symbol)
    lost = (share - 1) * (first.quantity * (mark - first.price) - first.costs)
    assert found.total == pytest.approx(lost, abs=1e-6)
    only(found, "size")


@given(st.integers(0, 10_000), st.floats(-0.05, 0.05))
def test_another_fill_price_in_the_same_bars_is_price(seed: int, slip: float) -> None:
    panel = market(seed)
    other, _ = lived(panel, weights(panel, seed))
    first = other[0]
    moved = replace(first, price=first.price * (1 + slip), costs=first.costs * (1 + slip))
    found = split(panel, (moved, *other[1:]), other)
    paid = first.quantity * first.price * slip + first.costs * slip
    assert found.total == pytest.approx(-paid, abs=1e-6)
    only(found, "price")


@given(st.integers(0, 10_000), st.floats(-0.1, 0.1))
def test_bars_revised_afterwards_are_data_and_the_sizes_they_led_to(
    seed: int, change: float
) -> None:
    panel = market(seed)
    wanted = weights(panel, seed)
    opens = panel.open.copy()
    opens[6, 0] *= 1 + change
    revised = replace(panel, open=opens)
    (mine, ended), (other, its) = lived(panel, wanted), lived(revised, wanted)
    found = split(revised, mine, other, seen=quotes(panel))
    assert found.total == pytest.approx(ended - its, abs=1e-6)
    only(found, "data", "size")


@given(st.integers(0, 10_000))
def test_everything_at_once_still_adds_up(seed: int) -> None:
    panel, random = market(seed), np.random.default_rng(seed)
    wanted = weights(panel, seed)
    dearer = Costs(commission_bps=20, slippage_bps=5)
    later = wanted.copy()
    later[7], later[5] = wanted[5], np.nan
    opens = panel.open * np.exp(random.normal(0, 0.01, panel.close.shape))
    revised = replace(panel, open=opens, close=panel.close * 1.01)
    (mine, ended), (other, its) = lived(panel, later, dearer), lived(revised, wanted)
    found = split(revised, mine, other, seen=quotes(panel), unattended=(panel.sessions[5],))
    assert found.total == pytest.approx(ended - its, abs=1e-6)
    assert all(abs(getattr(found, name)) > 0 for name in ("timing", "fee", "size", "data"))


def test_a_late_fill_is_paired_with_the_decision_it_makes_up_for() -> None:
    days = tuple(dt.date(2020, 1, day) for day in range(1, 9))

    def leg(day: int, quantity: float) -> Leg:
        return Leg(
            symbol="AA",
            session=days[day],
            decided=days[day - 1],
            quantity=quantity,
            price=10.0,
            costs=0.0,
        )

    mine = (leg(1, 5.0), leg(4, 7.0))
    other = (leg(1, 5.0), leg(3, 7.0), leg(6, 9.0), leg(7, -21.0))
    found = [tuple(each and each.session for each in pair) for pair in matched(mine, other)]
    assert found == [
        (days[1], days[1]),
        (days[4], days[3]),
        (None, days[6]),
        (None, days[7]),
    ]
