"""A known observation gives known values: accounts, their risk, their orders."""

from __future__ import annotations

import dataclasses
import math
from decimal import Decimal

import numpy as np
import pytest

from slices.domain.accounts import TradingMode, TradingState
from slices.domain.limits import LimitLine
from slices.domain.observations import AccountFacts, Observation, StopFacts
from slices.monitor.metrics import METRICS, metric_type
from tests.support.observed_accounts import NOW, account_facts, limit_lines, position

Values = dict[str, float]
NAN = math.nan


def account(**facts: object) -> AccountFacts:
    return dataclasses.replace(account_facts(), **facts)  # type: ignore[arg-type]


def one(**facts: object) -> Observation:
    return Observation(at=NOW, accounts=(account(**facts),))


def stop(symbol: str, trigger: float) -> StopFacts:
    return StopFacts(symbol=symbol, kind="stop_loss", quantity=1.0, trigger=trigger)


def line(headroom: float) -> LimitLine:
    return dataclasses.replace(limit_lines()[0], headroom=headroom)


SEVERAL = Observation(
    at=NOW,
    accounts=(
        account(name="a", equity=100.0, day_pnl=-1.0),
        account(name="b", equity=50.0, day_pnl=3.0, state=TradingState.HALTED),
        account(name="a", equity=7.0, day_pnl=0.5, mode=TradingMode.LIVE),
    ),
)
ORDERS = (("filled", 5), ("denied", 2), ("rejected", 1), ("cancelled", 2))
UNMARKED = dataclasses.replace(position("NEW"), mark=None)
SHORT = dataclasses.replace(position("MSFT"), quantity=Decimal(-10), mark=Decimal(100))
HELD = (dataclasses.replace(position("AAPL"), mark=Decimal(200)), SHORT, UNMARKED)
STOPS = (stop("AAPL", 180.0), stop("MSFT", 105.0), stop("AAPL", NAN), stop("NEW", 1.0))
NO_ACCOUNTS = Observation(at=NOW, accounts=())

CASES: list[tuple[str, Observation, Values]] = [
    ("account.equity", SEVERAL, {"a paper": 100.0, "b paper": 50.0, "a live": 7.0}),
    ("account.cash", one(cash=-5.0), {"daily paper": -5.0}),
    ("account.capital", one(capital=1000.0), {"daily paper": 1000.0}),
    ("account.profit", one(capital=1000.0, equity=900.0), {"daily paper": -100.0}),
    ("account.day_pnl", one(day_pnl=-4.0), {"daily paper": -4.0}),
    ("account.day_loss", one(equity=90.0, day_pnl=-10.0), {"daily paper": 0.1}),
    ("account.day_loss", one(equity=110.0, day_pnl=10.0), {"daily paper": 0.0}),
    ("account.day_loss", one(equity=-5.0, day_pnl=0.0), {"daily paper": 1.0}),
    ("account.day_loss", one(equity=NAN), {"daily paper": NAN}),
    ("account.realized_pnl", one(realized_pnl=3.0), {"daily paper": 3.0}),
    ("account.unrealized_pnl", one(unrealized_pnl=-3.0), {"daily paper": -3.0}),
    ("account.costs", one(costs=2.5), {"daily paper": 2.5}),
    ("account.gross", one(gross=1.5), {"daily paper": 1.5}),
    ("account.net", one(net=-0.5), {"daily paper": -0.5}),
    ("account.leverage", one(leverage=2.0), {"daily paper": 2.0}),
    ("account.concentration", one(concentration=0.3), {"daily paper": 0.3}),
    ("account.drawdown", one(drawdown=0.2), {"daily paper": 0.2}),
    ("account.max_drawdown", one(max_drawdown=0.4), {"daily paper": 0.4}),
    ("account.needed_recovery", one(drawdown=0.5), {"daily paper": 1.0}),
    ("account.needed_recovery", one(drawdown=1.0), {"daily paper": NAN}),
    ("account.volatility", one(volatility=0.01), {"daily paper": 0.01}),
    ("account.volatility", one(volatility=NAN), {"daily paper": NAN}),
    ("account.value_at_risk", one(value_at_risk=0.02), {"daily paper": 0.02}),
    ("account.expected_shortfall", one(expected_shortfall=0.03), {"daily paper": 0.03}),
    ("account.day_loss_to_risk", one(equity=98.0, day_pnl=-2.0, value_at_risk=0.01),
     {"daily paper": 2.0}),
    ("account.day_loss_to_risk", one(value_at_risk=NAN), {"daily paper": NAN}),
    ("account.positions", one(positions=HELD), {"daily paper": 3}),
    ("account.stops", one(stops=STOPS), {"daily paper": 4}),
    ("account.nearest_stop", one(stops=STOPS, positions=HELD), {"daily paper": 0.05}),
    ("account.nearest_stop", one(stops=STOPS[:1], positions=HELD), {"daily paper": 0.1}),
    ("account.nearest_stop", one(stops=STOPS[2:], positions=HELD), {}),
    ("account.limit_headroom", one(),
     {"daily max_concentration paper": -0.075, "daily max_drawdown paper": 0.08,
      "daily max_gross_exposure paper": 0.25}),
    ("account.limit_headroom", one(limits=(line(0.4), line(0.1), line(0.2))),
     {"daily max_gross_exposure paper": 0.1}),
    ("account.limit_headroom", one(limits=(line(0.4), line(NAN))),
     {"daily max_gross_exposure paper": NAN}),
    ("account.breached_limits", one(), {"daily paper": 1}),
    ("account.state", SEVERAL, {"a paper": 0, "b paper": 2, "a live": 0}),
    ("account.state", one(state=TradingState.REDUCING), {"daily paper": 1}),
    ("account.orders", one(orders=ORDERS),
     {"daily paper filled": 5, "daily paper denied": 2, "daily paper rejected": 1,
      "daily paper cancelled": 2}),
    ("account.rejects", one(rejected=(("halted", 2),)), {"daily paper halted": 2}),
    ("account.reject_ratio", one(orders=ORDERS), {"daily paper": 0.3}),
    ("account.reject_ratio", one(orders=()), {"daily paper": NAN}),
    ("account.open_orders", one(open_orders=4), {"daily paper": 4}),
    ("account.unknown_orders", one(unknown_orders=1), {"daily paper": 1}),
    ("account.fills", one(fills=9), {"daily paper": 9}),
    ("account.fill_ratio", one(fill_ratio=0.5), {"daily paper": 0.5}),
    ("account.slippage_bps", one(slippage_bps=1.5), {"daily paper": 1.5}),
    ("account.turnover", one(turnover=0.75), {"daily paper": 0.75}),
    ("trading.halted", Observation(at=NOW), {"": 0}),
    ("trading.halted", Observation(at=NOW, halted=""), {"": 1}),
    ("trading.accounts", SEVERAL, {"active": 2, "reducing": 0, "halted": 1}),
    ("trading.accounts", NO_ACCOUNTS, {"active": 0, "reducing": 0, "halted": 0}),
    ("trading.equity", SEVERAL, {"paper": 150.0, "live": 7.0}),
    ("trading.equity", NO_ACCOUNTS, {}),
    ("trading.day_pnl", SEVERAL, {"paper": 2.0, "live": 0.5}),
]  # fmt: skip


def values(name: str, seen: Observation) -> Values:
    """What a metric says, by the words of its labels."""
    samples = metric_type(name).measure(seen)
    return {" ".join(word for _, word in each.labels): each.value for each in samples}


@pytest.mark.parametrize(("name", "seen", "expected"), CASES)
def test_a_known_account_gives_known_values(name: str, seen: Observation, expected: Values) -> None:
    assert values(name, seen) == pytest.approx(expected, nan_ok=True)


def test_every_metric_of_trading_has_a_known_value() -> None:
    mine = {each.name for each in METRICS if each.name.startswith(("account.", "trading."))}
    assert {name for name, _, _ in CASES} == mine


def test_the_loss_of_a_day_is_that_of_the_curve() -> None:
    chance = np.random.default_rng(7)
    for before, after in chance.uniform(1.0, 1000.0, (50, 2)):
        seen = one(equity=float(after), day_pnl=float(after - before))
        expected = max(0.0, -np.diff([before, after])[0] / before)
        assert values("account.day_loss", seen)["daily paper"] == pytest.approx(expected)


def test_the_needed_recovery_leads_back_to_the_peak() -> None:
    for drawdown in np.linspace(0.0, 0.99, 40):
        found = values("account.needed_recovery", one(drawdown=float(drawdown)))["daily paper"]
        assert (1.0 - drawdown) * (1.0 + found) == pytest.approx(1.0)
