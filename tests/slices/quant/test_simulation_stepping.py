"""Living one session at a time equals simulating at once, bit for bit, also after a restart."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slices.domain.errors import BadDataError, ParameterError
from slices.quant.simulation import targets as targets_module
from slices.quant.simulation.orders import OrderIntent, OrderOutcome, OrderStatus
from slices.quant.simulation.stepping import Account, Step, decide, open_account, step
from slices.quant.simulation.targets import last_rows
from slices.runtime.codec import decode, encode
from tests.slices.quant.simulated import (
    RULES,
    Case,
    hard_cases,
    plain_cases,
    random_orders,
    random_panel,
)


def lived(
    case: Case, *, targets: np.ndarray | None = None, orders: list[OrderIntent] | None = None
) -> tuple[Account, list[Step]]:
    """Step through a case; the account is stored and read back after every session."""
    account, steps = open_account(case.panel.symbols, capital=case.capital), []
    last = last_rows(case.panel.close)
    for t in range(len(case.panel.sessions)):
        now = case.until(t + 1)
        stepped = step(
            account,
            now.panel,
            costs=case.costs,
            rules=case.rules,
            dividends=now.dividends,
            splits=now.splits,
            ended=last == t,
        )
        steps.append(stepped)
        decided = decide(
            stepped.account,
            rules=case.rules,
            target_weights=None if targets is None else targets[t],
            orders=[each for each in orders or [] if each.row == t],
        )
        account = decode(encode(decided))
    return account, steps


def joined(steps: list[Step], name: str) -> np.ndarray:
    return np.concatenate([getattr(each.session, name) for each in steps])


def check_same(case: Case, batch: object, account: Account, steps: list[Step]) -> None:
    for name in ("equity", "cash", "shares", "interest", "dividends", "borrow_fees", "shortfalls"):
        assert np.array_equal(joined(steps, name), getattr(batch, name)), name
    for name in ("rows", "columns", "quantities", "prices", "reasons", "impacts", "decided"):
        mine = np.concatenate([getattr(each.session.fills, name) for each in steps])
        assert np.array_equal(mine, getattr(batch.fills, name)), name
    assert account.equity == batch.equity[-1]
    assert np.array_equal(account.pending, batch.pending, equal_nan=True)


@given(st.one_of(plain_cases(), hard_cases()))
def test_target_weights_in_steps_equal_the_batch(case: Case) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(targets_module, "is_plain", lambda *_: False)
        batch = case.simulated()
    check_same(case, batch, *lived(case, targets=case.targets))


@given(st.one_of(plain_cases(), hard_cases()), st.integers(0, 10_000))
def test_orders_in_steps_equal_the_batch(case: Case, seed: int) -> None:
    orders = random_orders(np.random.default_rng(seed), case, 25)
    orders.sort(key=lambda each: each.row)
    batch = case.ordered(orders)
    account, steps = lived(case, orders=orders)
    check_same(case, batch, account, steps)
    told = dict(itertools.chain.from_iterable(each.outcomes for each in steps))
    finished = {
        number: outcome
        for number, outcome in enumerate(batch.outcomes)
        if outcome.reason != "still open at the end" and outcome.status is not OrderStatus.PENDING
    }
    newest = {k for k, each in enumerate(orders) if each.row == len(case.panel.sessions) - 1}
    untold = {k: each.reason for k, each in finished.items() if k not in told}
    assert all(k in newest or why.startswith("a newer decision") for k, why in untold.items())
    assert {k: v.status for k, v in told.items()} == {
        k: v.status for k, v in finished.items() if k in told
    }
    if case.splits is None:
        assert all(close(told[k], finished[k]) for k in told)


def close(one: OrderOutcome, other: OrderOutcome) -> bool:
    return one.filled_quantity == other.filled_quantity and one.reason == other.reason


def first_step() -> tuple[Case, Account]:
    case = Case(panel=random_panel(np.random.default_rng(5), 5, 2), targets=np.zeros((5, 2)))
    opened = open_account(case.panel.symbols, capital=1e4)
    stepped = step(opened, case.panel.until(1), costs=case.costs, rules=case.rules)
    return case, stepped.account


def test_an_account_given_to_a_step_is_left_as_it_was() -> None:
    case, account = first_step()
    decided = decide(account, rules=RULES, target_weights=np.array([0.5, 0.5]))
    before = encode(decided)
    one = step(decided, case.panel.until(2), costs=case.costs, rules=case.rules)
    other = step(decided, case.panel.until(2), costs=case.costs, rules=case.rules)
    assert encode(decided) == before
    assert np.isnan(account.pending).all()
    assert encode(one.account) == encode(other.account)
    assert one.account.shares.all()
    assert one.session.capital == decided.equity


def test_bars_of_other_symbols_are_refused() -> None:
    case, account = first_step()
    with pytest.raises(BadDataError, match="needed those of the account: S0, S1"):
        step(account, case.panel.columns([1, 0]), costs=case.costs, rules=RULES)


def test_orders_decided_at_another_session_are_refused() -> None:
    case, account = first_step()
    second = step(account, case.panel.until(2), costs=case.costs, rules=RULES).account
    with pytest.raises(ParameterError, match="the newest session"):
        decide(second, rules=RULES, orders=[OrderIntent(row=0, column=0, quantity=1.0)])
