"""A session lived through in plain Python equals the compiled one, bit for bit."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from slices.quant.simulation.intents import OrderIntent
from slices.quant.simulation.stepping import Account, decide, open_account, step
from slices.quant.simulation.targets import last_rows
from slices.runtime.codec import encode
from tests.slices.quant.simulated import Case, hard_cases, plain_cases, random_orders


def lived(case: Case, orders: list[OrderIntent], *, is_compiled: bool) -> list[bytes]:
    """Write down everything that every session leaves."""
    account, texts = open_account(case.panel.symbols, capital=case.capital), []
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
            is_compiled=is_compiled,
        )
        account = decide(
            stepped.account,
            rules=case.rules,
            target_weights=case.targets[t] if t % 2 else None,
            orders=[each for each in orders if each.row == t],
            is_compiled=is_compiled,
        )
        texts += [encode(stepped.session), encode(stepped.outcomes), encode(readable(account))]
    return texts


def readable(account: Account) -> tuple[object, ...]:
    """List what of an account is not for use within a session alone."""
    names = ("shares", "mark", "pending", "decided", "intent", "ended")
    return (
        account.cash,
        account.alive,
        account.ruined_row,
        tuple(account.positions[name].tolist() for name in names),
        account.book[["number", "status", "filled", "held", "peak", "extreme"]].tolist(),
    )


@settings(max_examples=30)
@given(st.one_of(plain_cases(), hard_cases()), st.integers(0, 10_000))
def test_plain_python_equals_machine_code(case: Case, seed: int) -> None:
    orders = random_orders(np.random.default_rng(seed), case, 25)
    plain, machine = (lived(case, orders, is_compiled=each) for each in (False, True))
    assert plain == machine
