"""Between two sessions orders are taken back and symbols come and go; nothing else changes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slices.domain.errors import ParameterError
from slices.domain.orders import Bracket, OrderKind
from slices.quant.simulation.amending import cancel, needed_symbols, rearranged
from slices.quant.simulation.intents import OrderIntent
from slices.quant.simulation.stepping import Account, Step, decide, open_account, step
from slices.runtime.codec import encode
from tests.slices.quant.simulated import (
    FREE,
    RULES,
    Case,
    bars,
    hard_cases,
    random_orders,
    random_panel,
)

SEEDS = st.integers(0, 10_000)


@dataclass(frozen=True)
class Traded:
    """A fill, without the number of its order."""

    row: int
    symbol: str
    quantity: float
    price: float
    reason: int


def traded(steps: list[Step]) -> list[Traded]:
    found = []
    for each in steps:
        fills = each.session.fills
        columns = (fills.rows, fills.columns, fills.quantities, fills.prices, fills.reasons)
        for row, column, *rest in zip(*(c.tolist() for c in columns), strict=True):
            found.append(Traded(row, each.account.symbols[column], *rest))
    return found


def one_step(account: Account, case: Case, t: int) -> Step:
    now = case.until(t + 1)
    return step(
        account,
        now.panel,
        costs=case.costs,
        rules=case.rules,
        dividends=now.dividends,
        splits=now.splits,
        is_compiled=False,
    )


def lived(case: Case, orders: list[OrderIntent], *, cancelled: list[OrderIntent]) -> list[Step]:
    """Step through a case in which some orders are taken back as soon as they are handed in."""
    account, steps = open_account(case.panel.symbols, capital=case.capital), []
    for t in range(len(case.panel.sessions)):
        steps.append(one_step(account, case, t))
        now = [each for each in orders if each.row == t]
        first = steps[-1].account.orders
        account = decide(steps[-1].account, rules=case.rules, orders=now)
        account = cancel(account, [first + k for k, each in enumerate(now) if each in cancelled])
    return steps


@settings(max_examples=25)
@given(hard_cases(), SEEDS)
def test_a_cancelled_order_leaves_the_rest_as_if_it_had_never_been(case: Case, seed: int) -> None:
    random = np.random.default_rng(seed)
    drawn = sorted(random_orders(random, case, 20), key=lambda each: each.row)
    is_replacing = [each.weight is not None and each.kind is OrderKind.MARKET for each in drawn]
    gone = [
        each
        for each, replaces in zip(drawn, is_replacing, strict=True)
        if not replaces and random.uniform() < 0.5
    ]
    stayed = [each for each in drawn if each not in gone]
    with_them = lived(case, drawn, cancelled=gone)
    without = lived(case, stayed, cancelled=[])
    assert traded(with_them) == traded(without)
    assert [each.account.equity for each in with_them] == [each.account.equity for each in without]


def fallen() -> Case:
    """Opens at 100 three times, then falls through every stop."""
    panel = bars((100, 101, 99, 100), (100, 101, 99, 100), (100, 101, 99, 100), (70, 72, 68, 70))
    return Case(panel=panel, targets=np.zeros((4, 1)), costs=FREE)


def test_cancelling_a_partly_filled_order_takes_its_bracket_along() -> None:
    case = fallen()
    thin = replace(case, rules=RULES.model_copy(update={"volume_share": 0.5}))
    thin = replace(thin, panel=replace(thin.panel, volume=np.full((4, 1), 20.0)))
    order = OrderIntent(row=0, column=0, quantity=500.0, bracket=Bracket(stop_loss=0.1))
    account = one_step(open_account(("A",), capital=1e5), thin, 0).account
    held = one_step(decide(account, rules=thin.rules, orders=[order]), thin, 1).account
    assert held.shares.tolist() == [10.0]
    freed = cancel(held, [0])
    guarded, unguarded = (one_step(one_step(a, thin, 2).account, thin, 3) for a in (held, freed))
    assert guarded.account.shares[0] == 10.0
    assert guarded.account.book["held"].tolist() == [10.0]
    assert guarded.session.fills.reasons.tolist() == [5]
    assert unguarded.account.shares.tolist() == [10.0]
    assert unguarded.session.fills.rows.size == 0
    assert one_step(freed, thin, 2).session.fills.rows.size == 0


def test_the_bracket_of_a_filled_order_survives() -> None:
    case = fallen()
    order = OrderIntent(row=0, column=0, quantity=5.0, bracket=Bracket(stop_loss=0.1))
    account = one_step(open_account(("A",), capital=1e5), case, 0).account
    account = one_step(decide(account, rules=RULES, orders=[order]), case, 1).account
    assert encode(cancel(account, [0, 7])) == encode(account)


def test_a_target_weight_can_be_taken_back() -> None:
    case = fallen()
    account = one_step(open_account(("A",), capital=1e5), case, 0).account
    decided = decide(account, rules=RULES, orders=[OrderIntent(row=0, column=0, weight=0.5)])
    before = encode(decided)
    freed = cancel(decided, [0])
    assert encode(decided) == before
    assert np.isnan(freed.pending).all()
    assert one_step(freed, case, 1).session.fills.rows.size == 0
    assert one_step(decided, case, 1).session.fills.rows.size == 1


def around(case: Case, extra: int, seed: int) -> Case:
    """Put symbols that nobody trades on both sides of the others."""
    strangers = random_panel(np.random.default_rng(seed), len(case.panel.sessions), extra)
    strangers = replace(strangers, symbols=tuple(f"X{i}" for i in range(extra)))

    def joined(name: str) -> np.ndarray:
        own, other = getattr(case.panel, name), getattr(strangers, name)
        return np.hstack([other[:, :1], own, other[:, 1:]])

    names = ("open", "high", "low", "close", "volume")
    symbols = (*strangers.symbols[:1], *case.panel.symbols, *strangers.symbols[1:])
    panel = replace(case.panel, symbols=symbols, **{name: joined(name) for name in names})
    return Case(
        panel=panel, targets=np.zeros(panel.close.shape), costs=case.costs, rules=case.rules
    )


def newest(case: Case, t: int) -> np.ndarray:
    marks = np.full(case.panel.close.shape[1], np.nan)
    for row in range(t + 1):
        closes = case.panel.close[row]
        marks = np.where(np.isnan(closes), marks, closes)
    return marks


@settings(max_examples=25)
@given(hard_cases(), SEEDS)
def test_fills_do_not_depend_on_symbols_that_are_not_traded(case: Case, seed: int) -> None:
    case = replace(case, dividends=None, splits=None)
    orders = random_orders(np.random.default_rng(seed), case, 20)
    orders.sort(key=lambda each: each.row)
    wide = around(case, 3, seed)
    alone = lived(case, orders, cancelled=[])
    account, steps = open_account((), capital=case.capital), []
    for t in range(len(case.panel.sessions)):
        ordered = {case.panel.symbols[each.column] for each in orders if each.row == t - 1}
        kept = {*needed_symbols(account), *ordered}
        symbols = tuple(each for each in wide.panel.symbols if each in kept)
        if t % 3 == 0:
            symbols = wide.panel.symbols
        places = [wide.panel.symbols.index(each) for each in symbols]
        if t > 0:
            account = rearranged(account, symbols, marks=newest(wide, t - 1)[places])
            decided = [
                replace(each, column=symbols.index(case.panel.symbols[each.column]))
                for each in orders
                if each.row == t - 1
            ]
            account = decide(account, rules=case.rules, orders=decided, is_compiled=False)
        else:
            account = rearranged(account, symbols, marks=np.full(len(symbols), np.nan))
        steps.append(one_step(account, wide.columns(places), t))
        account = steps[-1].account
    assert traded(steps) == traded(alone)
    assert steps[-1].account.equity == alone[-1].account.equity


def test_what_is_held_cannot_be_left_out() -> None:
    case = fallen()
    account = one_step(open_account(("A",), capital=1e5), case, 0).account
    decided = decide(account, rules=RULES, orders=[OrderIntent(row=0, column=0, weight=0.5)])
    held = one_step(decided, case, 1).account
    assert needed_symbols(decided) == needed_symbols(held) == ("A",)
    with pytest.raises(ParameterError, match="none of A"):
        rearranged(held, ("B",), marks=np.array([1.0]))
