"""Markets, decisions and orders for tests of the simulation, and what every account obeys."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from types import ModuleType

import numpy as np
import pytest
from hypothesis import strategies as st

from slices.domain.parameters import DEFAULT_COSTS, Costs, TradingRules
from slices.quant.panel import Panel
from slices.quant.simulation import (
    brackets,
    endings,
    ordering,
    plain,
    ruin,
    session,
    sizing,
    trading,
    triggers,
    tripping,
    volatility,
    weighing,
)
from slices.quant.simulation.account import FillReason, Simulation
from slices.quant.simulation.orders import (
    Bracket,
    OrderIntent,
    OrderKind,
    OrderSimulation,
    simulate_orders,
)
from slices.quant.simulation.targets import simulate_targets
from tests.slices.quant.test_kernels import interpreted

COMPILED: tuple[ModuleType, ...] = (
    plain, volatility, trading, endings, triggers, brackets, weighing, sizing, ordering, ruin,
    session, tripping,
)  # fmt: skip
FREE = Costs(commission_bps=0, slippage_bps=0)
RULES = TradingRules()
CAPITAL = 1e5
EVERY_COST = Costs(
    commission_bps=3,
    slippage_bps=4,
    commission_per_share=0.01,
    commission_minimum=2.0,
    impact=0.3,
    borrow_rate=0.05,
    cash_rate=0.03,
    margin_rate=0.08,
)


@dataclass(frozen=True, kw_only=True)
class Case:
    """All that a simulation is given."""

    panel: Panel
    targets: np.ndarray
    costs: Costs = DEFAULT_COSTS
    rules: TradingRules = RULES
    capital: float = CAPITAL
    dividends: np.ndarray | None = None
    splits: np.ndarray | None = None

    def simulated(self) -> Simulation:
        """Trade the target weights."""
        return simulate_targets(self.panel, self.targets, **self.options())

    def ordered(self, orders: list[OrderIntent]) -> OrderSimulation:
        """Trade orders."""
        return simulate_orders(self.panel, orders, **self.options())

    def options(self) -> dict[str, object]:
        """Name what both doors take."""
        names = ("costs", "rules", "capital", "dividends", "splits")
        return {name: getattr(self, name) for name in names}

    def until(self, stop: int) -> Case:
        """Keep the first sessions."""
        return replace(
            self,
            panel=self.panel.until(stop),
            targets=self.targets[:stop],
            dividends=None if self.dividends is None else self.dividends[:stop],
            splits=None if self.splits is None else self.splits[:stop],
        )

    def columns(self, places: list[int]) -> Case:
        """Put symbols in another order."""
        return replace(
            self,
            panel=self.panel.columns(places),
            targets=self.targets[:, places],
            dividends=None if self.dividends is None else self.dividends[:, places],
            splits=None if self.splits is None else self.splits[:, places],
        )


def sessions(count: int) -> tuple[dt.date, ...]:
    """Dates in a row."""
    return tuple(dt.date(2020, 1, 1) + dt.timedelta(days=i) for i in range(count))


def bars(*rows: tuple[float, float, float, float], volume: float = 1e6) -> Panel:
    """One symbol from opens, highs, lows and closes."""
    first, high, low, close = (
        np.array(each, dtype=float)[:, None] for each in zip(*rows, strict=True)
    )
    return Panel(
        symbols=("A",),
        sessions=sessions(len(rows)),
        open=first,
        high=high,
        low=low,
        close=close,
        volume=np.full(close.shape, volume),
        periods_per_year=252,
    )


def random_panel(random: np.random.Generator, count: int, symbols: int) -> Panel:
    """Prices that wander, every bar there."""
    closes = 50 * np.exp(np.cumsum(random.normal(0, 0.03, (count, symbols)), axis=0))
    opens = closes * np.exp(random.normal(0, 0.01, closes.shape))
    reach = np.exp(np.abs(random.normal(0, 0.015, (2, *closes.shape))))
    return Panel(
        symbols=tuple(f"S{i}" for i in range(symbols)),
        sessions=sessions(count),
        open=opens,
        high=np.maximum(opens, closes) * reach[0],
        low=np.minimum(opens, closes) / reach[1],
        close=closes,
        volume=random.uniform(2e3, 2e5, closes.shape),
        periods_per_year=252,
    )


def random_weights(
    random: np.random.Generator, shape: tuple[int, int], *, gross: float = 1.0
) -> np.ndarray:
    """Signed weights, some of them and some rows undecided, some 0."""
    weights = random.normal(size=shape)
    weights *= gross * random.uniform(0, 1, (shape[0], 1)) / np.abs(weights).sum(1, keepdims=True)
    weights *= random.uniform(size=shape) > 0.2
    weights[random.uniform(size=shape) < random.choice([0.0, 0.5])] = np.nan
    weights[random.uniform(size=shape[0]) < random.choice([0.0, 0.6])] = np.nan
    return weights


@st.composite
def plain_cases(draw: st.DrawFn) -> Case:
    """Proportional costs alone, and every bar there."""
    random = np.random.default_rng(draw(st.integers(0, 100_000)))
    gross = draw(st.sampled_from([1.0, 2.0]))
    panel = random_panel(random, draw(st.integers(2, 40)), draw(st.integers(1, 5)))
    return Case(
        panel=panel,
        targets=random_weights(random, panel.close.shape, gross=gross),
        costs=Costs(commission_bps=draw(st.sampled_from([0, 5, 500])), slippage_bps=2),
        rules=TradingRules(gross_exposure=gross),
    )


def with_holes(panel: Panel, random: np.random.Generator) -> Panel:
    """Take bars away: here and there, before a listing and after a delisting."""
    is_gone = random.uniform(size=panel.close.shape) < 0.1
    for column in range(panel.close.shape[1]):
        ends = random.integers(0, 3 * panel.close.shape[0])
        is_gone[ends:, column] = True
        is_gone[: random.integers(-20, 5).clip(0), column] = True
    names = ("open", "high", "low", "close", "volume")
    return replace(panel, **{n: np.where(is_gone, np.nan, getattr(panel, n)) for n in names})


@st.composite
def hard_cases(draw: st.DrawFn) -> Case:
    """Every cost, cap, hole and corporate action."""
    case = draw(plain_cases())
    random = np.random.default_rng(draw(st.integers(0, 100_000)))
    shape = case.panel.close.shape
    is_split = random.uniform(size=shape) < 0.03
    return replace(
        case,
        panel=with_holes(case.panel, random),
        costs=draw(st.sampled_from([EVERY_COST, Costs(cash_rate=0.1), Costs(), FREE])),
        rules=case.rules.model_copy(
            update={
                "whole_shares": draw(st.booleans()),
                "volume_share": draw(st.sampled_from([1.0, 0.05])),
            }
        ),
        dividends=np.where(random.uniform(size=shape) < 0.05, 0.5, 0.0),
        splits=np.where(is_split, random.choice([2.0, 0.5, 1.5], shape), 1.0),
    )


def random_bracket(random: np.random.Generator) -> Bracket | None:
    """Some of the exits, or none."""
    if random.uniform() < 0.5:
        return None
    values = {"stop_loss": 0.04, "take_profit": 0.05, "trail": 0.05, "most_sessions": 4}
    return Bracket(**{name: each for name, each in values.items() if random.uniform() < 0.6})


def random_orders(random: np.random.Generator, case: Case, count: int) -> list[OrderIntent]:
    """Orders of every kind, about as large as the account."""
    orders = []
    rows, columns = case.panel.close.shape
    for _ in range(count):
        kind = OrderKind(random.choice([each.value for each in OrderKind]))
        row, column = int(random.integers(rows)), int(random.integers(columns))
        price = 50 * float(np.exp(random.normal(0, 0.05)))
        side, is_weight = random.choice([-1.0, 1.0]), random.uniform() < 0.3
        is_weight = is_weight and kind is not OrderKind.TRAILING_STOP
        is_limited = kind in {OrderKind.LIMIT, OrderKind.STOP_LIMIT}
        is_stopped = kind in {OrderKind.STOP, OrderKind.STOP_LIMIT}
        orders.append(
            OrderIntent(
                row=row,
                column=column,
                kind=kind,
                quantity=None if is_weight else side * float(random.uniform(1, 1500)),
                weight=side * float(random.uniform(0, 0.6)) if is_weight else None,
                limit_price=price * 1.01 if is_limited else None,
                stop_price=price if is_stopped else None,
                trail=0.03 if kind is OrderKind.TRAILING_STOP else None,
                valid_sessions=int(random.integers(1, 9)) if random.uniform() < 0.5 else None,
                reduce_only=bool(not is_weight and random.uniform() < 0.3),
                bracket=random_bracket(random),
            )
        )
    return orders


def in_plain_python(patch: pytest.MonkeyPatch) -> None:
    """Run every kernel of the simulation as the Python it is written in."""
    for module in COMPILED:
        interpreted(module, patch)


def check_ledger(case: Case, account: Simulation) -> None:
    """Check the money session by session: fills, interest, dividends, borrow fees, marks."""
    fills, scale = account.fills, case.capital + np.abs(account.values).sum(axis=1).max()
    cash, shares = case.capital, np.zeros(case.panel.close.shape[1])
    marks = np.full(shares.size, np.nan)
    splits = np.ones(case.panel.close.shape) if case.splits is None else case.splits
    for t in range(account.equity.size):
        shares, marks = shares * splits[t], marks / splits[t]
        borrowed = -np.where(shares < 0, shares * marks, 0.0).sum()
        free = cash - borrowed
        rate = case.costs.cash_rate if free > 0 else case.costs.debt_rate
        interest = free * rate / 252 if t else 0.0
        fees = borrowed * case.costs.borrow_rate / 252 if t else 0.0
        paid = 0.0 if case.dividends is None else float(shares @ case.dividends[t])
        assert account.interest[t] == pytest.approx(interest, rel=1e-9, abs=1e-12 * scale)
        assert account.borrow_fees[t] == pytest.approx(fees, rel=1e-9, abs=1e-12 * scale)
        assert account.dividends[t] == pytest.approx(paid, rel=1e-9, abs=1e-12 * scale)
        cash += interest - fees + paid
        for f in np.flatnonzero(fills.rows == t):
            cash -= fills.quantities[f] * fills.prices[f] + fills.costs[f]
            shares[fills.columns[f]] += fills.quantities[f]
        marks = np.where(np.isnan(case.panel.close[t]), marks, case.panel.close[t])
        value = np.where(shares == 0, 0.0, shares * marks).sum()
        cash += account.written_off if t == account.ruined_row else 0.0
        assert np.array_equal(account.shares[t], shares)
        assert account.cash[t] == pytest.approx(cash, rel=1e-9, abs=1e-9 * scale)
        assert account.equity[t] == pytest.approx(cash + value, rel=1e-9, abs=1e-9 * scale)


def check_fills(case: Case, account: Simulation) -> None:
    """Check that every fill comes after its decision, at a price of its session, and costs."""
    fills, panel = account.fills, case.panel
    assert (fills.decided < fills.rows).all()
    assert (np.diff(fills.rows) >= 0).all()
    assert (fills.quantities != 0).all()
    assert min(fills.costs.min(initial=0), fills.commissions.min(initial=0)) >= 0
    at = (fills.rows, fills.columns)
    is_trade = ~np.isin(fills.reasons, [FillReason.DELISTING, FillReason.RUIN])
    tolerance = 1 + 1e-12
    highest = panel.close if panel.high is None else panel.high
    lowest = panel.close if panel.low is None else panel.low
    assert (fills.prices <= highest[at] * tolerance)[is_trade].all()
    assert (fills.prices >= lowest[at] / tolerance)[is_trade].all()
    if case.rules.volume_share < 1:
        taken = np.zeros(panel.close.shape)
        np.add.at(taken, at, np.where(is_trade, np.abs(fills.quantities), 0.0))
        room = np.nan_to_num(case.rules.volume_share * panel.volume)
        assert (taken <= room * (1 + 1e-9) + 1e-9).all()
