from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pytest

from slices.adaptive_portfolio.protection import assess_protection
from slices.adaptive_portfolio.protection_findings import drawdown_protection_findings
from slices.adaptive_portfolio.protection_plan import plan_reduction
from slices.adaptive_portfolio.protection_sections import crowding_section, recovery_sentence
from slices.adaptive_portfolio.recovery import recovery_plan
from slices.adaptive_portfolio.risk_findings import risk_monitoring_findings
from slices.adaptive_portfolio.risk_watch import watch_account
from slices.domain.accounts import AccountBook, EquityPoint, Position, TradingMode, TradingState
from slices.domain.exact import money
from slices.domain.limits import DEFAULT_LIMITS
from slices.domain.protection import DrawdownProtection, ProtectionRules, Release
from slices.domain.report import Table
from slices.domain.tiers import CapitalTiers
from tests.slices.quant.market import stored
from tests.support.frames import sessions

if TYPE_CHECKING:
    from slices.domain.dataset import DatasetRef
    from slices.domain.risk_monitoring import RiskMonitoring

DAYS = tuple(sessions(80))
RULES = ProtectionRules()
RELEASE = Release(
    session=DAYS[1], at=dt.datetime(2024, 6, 3, tzinfo=dt.UTC), by="me", reason="seen"
)


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> DatasetRef:
    moves = np.random.default_rng(5).normal(0, 0.01, (80, 3))
    closes = 100 * np.exp(np.cumsum(moves, axis=0))
    folder = tmp_path_factory.mktemp("bars")
    return stored(folder, DAYS, {name: closes[:, i] for i, name in enumerate("ABC")})


def book(*values: float, held: dict[str, int] | None = None) -> AccountBook:
    """An account with these closes; of the last, `held` is in positions at a mark of 1."""
    shares = held or {}
    cash = money(values[-1]) - sum(shares.values())
    return AccountBook(
        name="main", mode=TradingMode.PAPER, capital=Decimal(100), opened=DAYS[0],
        session=DAYS[len(values) - 1], cash=cash,
        positions=tuple(
            Position(symbol=symbol, quantity=Decimal(each), basis=Decimal(each),
                     mark=Decimal(1), marked=DAYS[0], opened=DAYS[0])
            for symbol, each in shares.items()
        ),
        day_start_equity=money(values[-1]), peak_equity=money(values[-1]),
        curve=tuple(
            EquityPoint(session=day, equity=money(value), cash=cash, long_value=Decimal(0),
                        short_value=Decimal(0))
            for day, value in zip(DAYS, values, strict=False)
        ),
    )  # fmt: skip


def protected(
    bars: DatasetRef,
    account: AccountBook,
    *,
    released: Release | None = None,
    liquidate: bool = False,
) -> DrawdownProtection:
    protection = assess_protection(
        bars, account, rules=RULES, tiers=CapitalTiers(), lookback_sessions=60,
        released=released, liquidate=liquidate,
    )  # fmt: skip
    plan = plan_reduction(account, protection, whole_shares=False)
    return drawdown_protection_findings(
        bars, book=account, protection=protection, pauses=(), withdrawn=0, plan=plan, placed=None
    )


@pytest.mark.parametrize("liquidate", [False, True])
def test_a_halted_account_is_allowed_nothing(bars: DatasetRef, *, liquidate: bool) -> None:
    found = protected(bars, book(100, 70, held={"A": 30}), liquidate=liquidate)
    assert found.protection.state is TradingState.HALTED
    assert dict(found.summary)["Allowed exposure"] == "none: halted"
    assert found.report.figures[3].note == "allowed: none: halted"
    done = found.report.sections[1].intro
    assert "nothing may be opened" in done
    assert ("closed" in done) == liquidate


@pytest.mark.parametrize("values", [(100, 100), (100, 96.5), (100, 70), (100, 0.0)])
def test_no_infinity_is_shown(bars: DatasetRef, values: tuple[float, ...]) -> None:
    found = protected(bars, book(*values))
    told = repr((found.summary, found.headline, found.notes, found.report))
    assert "∞" not in told
    assert "inf" not in dict(found.summary)["Allowed exposure"]


def test_an_active_account_has_no_cap(bars: DatasetRef) -> None:
    found = protected(bars, book(100, 100))
    assert dict(found.summary)["Allowed exposure"] == "no cap"


def test_after_a_release_the_loss_that_counts_is_shown(bars: DatasetRef) -> None:
    found = protected(bars, book(100, 78, 77.5, held={"A": 10}), released=RELEASE)
    loss = found.protection.readings[0].loss
    assert loss == pytest.approx(1 - 77.5 / 78)
    assert found.report.figures[0].value == loss
    assert "0.64%" in found.headline
    assert "22.50% below its highest close ever" in found.headline
    shown = dict(found.summary)
    assert shown["Loss since the peak"] == "0.64%"
    assert shown["Loss since the highest close ever"] == "22.50%"
    before = protected(bars, book(100, 78, 77.5))
    assert before.report.figures[0].value == pytest.approx(0.225)
    assert "ever" not in before.headline


def test_one_order_brings_and_two_bring(bars: DatasetRef) -> None:
    one = protected(bars, book(100, 96.5, held={"A": 80}))
    two = protected(bars, book(100, 96.5, held={"A": 40, "C": 40}))
    assert "1 order brings it" in one.headline
    assert "2 orders bring it" in two.headline


def test_what_moves_together_is_told_by_unit(bars: DatasetRef) -> None:
    found = protected(bars, book(100, 100, held={"A": 50, "C": 25}))
    [table] = (each for each in crowding_section(found.protection).blocks
               if isinstance(each, Table))  # fmt: skip
    shown = dict(table.rows)
    assert shown["Positions"] == "2"
    assert shown["Returns in common"] == str(found.protection.crowding.returns)
    assert shown["Largest weight"] == "50%"


def test_the_way_back_names_its_chances() -> None:
    path = 100 * np.exp(np.cumsum(np.random.default_rng(1).normal(0, 0.02, 60)))
    path[-1] = path.max() * 0.8
    plan = recovery_plan(path, rules=RULES, is_released=False, is_invested=True)
    told = recovery_sentence(plan)
    for chance, each in zip(("25%", "50%", "75%"), plan.likely_sessions, strict=True):
        assert f"{chance} within {each:,.0f}" in told


def watched(bars: DatasetRef, account: AccountBook) -> RiskMonitoring:
    watch = watch_account(
        bars, account, limits=DEFAULT_LIMITS, tiers=CapitalTiers(), window_sessions=21,
        lookback_sessions=60, confidence=0.95,
    )  # fmt: skip
    return risk_monitoring_findings(bars, book=account, watch=watch)


def test_an_account_in_cash_uses_no_limit(bars: DatasetRef) -> None:
    found = watched(bars, book(100, 100))
    assert "leverage" not in found.headline
    assert "none of them is used" in found.headline


def test_the_limit_with_least_left_is_one_that_is_used(bars: DatasetRef) -> None:
    account = replace(book(100, 100, held={"A": 15}), peak_equity=Decimal(100))
    found = watched(bars, account)
    least = min(found.watch.lines, key=lambda each: each.headroom)
    assert least.used > 0
    assert least.name != "max_leverage"
    assert "least is left of" in found.headline


def test_the_two_values_at_risk_have_names_of_their_own(bars: DatasetRef) -> None:
    found = watched(bars, book(100, 100, held={"A": 15}))
    names = [name for name, _ in found.summary if name.startswith("Value at risk")]
    assert len(set(names)) == len(names) == 2
    assert found.report.figures[3].label in names
