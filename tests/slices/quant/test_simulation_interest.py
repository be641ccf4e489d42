"""What cash earns and what debt costs: never on what short sales brought in, never for nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from slices.domain.parameters import Costs, TradingRules
from slices.quant.simulation.account import Simulation
from slices.quant.simulation.targets import simulate_targets
from tests.slices.quant.market import panel_of
from tests.slices.quant.simulated import FREE, Case, check_ledger, plain_cases

SESSIONS = 4
LEVERED = TradingRules(gross_exposure=3.0)


def held(*weights: float, **rates: float) -> Simulation:
    """Hold weights of 25,200 at prices that stand still."""
    targets = np.full((SESSIONS, len(weights)), np.nan)
    targets[0] = weights
    return simulate_targets(
        panel_of(np.full(targets.shape, 10.0)),
        targets,
        costs=Costs(commission_bps=0, slippage_bps=0, **rates),
        rules=LEVERED,
        capital=25_200.0,
    )


@pytest.mark.parametrize(
    ("weights", "rates", "expected"),
    [
        pytest.param([0.0], {"cash_rate": 0.05}, 5.0, id="idle_cash_earns"),
        pytest.param([0.4], {"cash_rate": 0.05}, 3.0, id="what_is_not_invested_earns"),
        pytest.param([-1.0], {"cash_rate": 0.05}, 5.0, id="short_sale_adds_nothing"),
        pytest.param([1.0, -1.0], {"cash_rate": 0.05}, 0.0, id="collateral_earns_nothing"),
        pytest.param([2.0], {"cash_rate": 0.05}, -5.0, id="debt_costs_the_cash_rate"),
        pytest.param([2.0], {"margin_rate": 0.08}, -8.0, id="debt_costs_the_margin_rate"),
        pytest.param([2.0], {"cash_rate": 0.05, "margin_rate": 0.08}, -8.0, id="both_rates"),
        pytest.param([1.3, -0.3], {"margin_rate": 0.1}, -3.0, id="collateral_is_not_spent"),
        pytest.param([2.0], {}, 0.0, id="no_rates"),
    ],
)
def test_one_session_of_interest(
    weights: list[float], rates: dict[str, float], expected: float
) -> None:
    account = held(*weights, **rates)
    before = 5.0 if "cash_rate" in rates else 0.0
    assert account.interest[:2] == pytest.approx([0.0, before])
    assert account.interest[2] == pytest.approx(expected * (1 + before / 25_200), abs=1e-9)


def test_interest_is_owed_on_interest() -> None:
    account = held(2.0, margin_rate=0.252)
    assert account.cash[1:] == pytest.approx([-25_200 * 1.001**t for t in range(3)])
    assert account.equity[-1] == pytest.approx(25_200 * (2 - 1.001**2))


def test_a_rise_of_the_price_sold_at_makes_more_of_cash_collateral() -> None:
    costs = Costs(commission_bps=0, slippage_bps=0, cash_rate=0.252)
    closes = np.array([10.0, 10.0, 15.0, 15.0])[:, None]
    targets = np.array([-0.5, np.nan, np.nan, np.nan])[:, None]
    case = Case(panel=panel_of(closes), targets=targets, costs=costs, capital=1000.0)
    account = case.simulated()
    cash = account.cash[2]
    assert account.interest[3] == pytest.approx((cash + account.values[2, 0]) * 0.001)
    check_ledger(case, account)


@given(plain_cases(), st.sampled_from([0.0, 0.02]), st.sampled_from([0.0, 0.02, 0.3]))
def test_dearer_debt_never_earns_more(case: Case, cash_rate: float, more: float) -> None:
    cheap = Costs(commission_bps=0, slippage_bps=0, cash_rate=cash_rate)
    dear = Costs(
        commission_bps=0, slippage_bps=0, cash_rate=cash_rate, margin_rate=cash_rate + more
    )
    targets = np.where(np.arange(len(case.targets))[:, None] == 0, case.targets, np.nan)
    once = replace(case, targets=targets)
    accounts = [replace(once, costs=costs).simulated() for costs in (cheap, dear)]
    for account, costs in zip(accounts, (cheap, dear), strict=True):
        check_ledger(replace(once, costs=costs), account)
    assert (accounts[1].interest <= accounts[0].interest + 1e-9).all()
    assert accounts[1].equity[-1] <= accounts[0].equity[-1] + 1e-6


def test_a_rate_that_is_not_given_is_the_cash_rate() -> None:
    assert Costs(cash_rate=0.04).debt_rate == 0.04
    assert FREE.debt_rate == 0.0
    assert Costs(cash_rate=0.04, margin_rate=0.04).debt_rate == 0.04
    assert Costs(cash_rate=0.04, margin_rate=0.06).debt_rate == 0.06


def test_debt_cheaper_than_cash_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"margin_rate 0\.01 must not be below cash_rate"):
        Costs(cash_rate=0.04, margin_rate=0.01)
