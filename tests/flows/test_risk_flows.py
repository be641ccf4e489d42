from __future__ import annotations

import datetime as dt
import subprocess
import sys
import time
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from prefect.client.orchestration import get_client
from prefect.events.filters import EventFilter, EventNameFilter, EventOccurredFilter

from flows.positions import portfolio_rebalance
from flows.risk import drawdown_protection, risk_monitoring
from slices.domain.accounts import TradingMode, TradingState
from slices.domain.calendar import session_close
from slices.domain.errors import ParameterError
from slices.domain.exact import money
from slices.domain.orders import Side
from slices.domain.parameters import Costs
from slices.domain.trading import OrderPlan, PlannedOrder
from slices.ledger.accounts import account_names, open_account
from slices.ledger.dump import canonical_dump
from slices.ledger.journal import entries
from slices.ledger.opening import ledger_for
from slices.ledger.states import release
from slices.ledger.verifying import verify
from slices.paper_trade import desk
from slices.paper_trade.beginning import paper_ledger
from tests.support.frames import ohlcv, sessions

if TYPE_CHECKING:
    from slices.domain.dataset import DatasetRef
    from slices.domain.trading import Placement

DAYS = sessions(90)
BOUGHT, HELD, CRASH, AFTER = 60, 61, 62, 63
LOSS = 0.12
STATE = """
import sys
from slices.domain.accounts import TradingMode
from slices.ledger.opening import ledger_for
from slices.ledger.states import trading_state
print(trading_state(ledger_for(TradingMode.PAPER), sys.argv[1])[0].value)
"""


@dataclass
class Falling:
    """A market that loses a tenth and more in one session, and accounts that hold it."""

    options: dict[str, Any]

    def day(self, place: int, account: str) -> dict[str, Any]:
        return self.options | {"as_of": str(DAYS[place]), "account": account}

    def opened(self, account: str) -> DatasetRef:
        """Open an account, which watching does not; return the bars it begins with."""
        thirds = {symbol: 0.3 for symbol in self.options["symbols"]}
        options = self.day(BOUGHT, account) | {"target_weights": thirds, "lookback_sessions": 20}
        bars = portfolio_rebalance(**options).bars
        desk.settle(account, bars, costs=Costs(commission_bps=0, slippage_bps=0))
        return bars

    def invested(self, account: str) -> None:
        """Open an account and buy; the orders fill in the session after."""
        found = self.opened(account)
        orders = tuple(
            PlannedOrder(symbol=symbol, side=Side.BUY, quantity=Decimal(0), target_weight=0.45)
            for symbol in ("AAA", "BBB")
        )
        desk.submit(account, found, plan("test", BOUGHT, *orders))

    def buy(self, account: str, place: int, bars: Any) -> Placement:
        order = PlannedOrder(symbol="CCC", side=Side.BUY, quantity=Decimal(1))
        return desk.submit(account, bars, plan(f"buy {time.monotonic_ns()}", place, order))


def plan(strategy: str, place: int, *orders: PlannedOrder) -> OrderPlan:
    return OrderPlan(workflow="test", strategy=strategy, session=DAYS[place], orders=orders)


@pytest.fixture(scope="module")
def falling(tmp_path_factory: pytest.TempPathFactory) -> Falling:
    folder = tmp_path_factory.mktemp("falling")
    random = np.random.default_rng(11)
    names = ("AAA", "BBB", "CCC")
    for name in names:
        moves = random.normal(0, 0.004, 90)
        moves[CRASH] = np.log(1 - LOSS)
        level = pl.Series(np.exp(np.cumsum(moves)) / 1.005 ** np.arange(90))
        frame = ohlcv(90).drop("split_factor", "total_factor")
        frame.with_columns(pl.col("open", "high", "low", "close") * level).write_parquet(
            folder / f"{name}.parquet"
        )
    return Falling(
        {
            "symbols": list(names),
            "source": "files",
            "feed": str(folder),
            "adjustment": "split",
            "costs": {"commission_bps": 0, "slippage_bps": 0},
        }
    )


def announced(name: str, account: str, since: dt.datetime, *, seconds: float = 20.0) -> list[Any]:
    """Wait for events about an account; empty where none comes in time."""
    deadline = time.monotonic() + seconds
    with get_client(sync_client=True) as client:
        while time.monotonic() < deadline:
            wanted = EventFilter(
                event=EventNameFilter(name=[name]),
                occurred=EventOccurredFilter(since=since, until=dt.datetime.now(dt.UTC)),
            )
            received = client.read_events(wanted, limit=50).events
            mine = [each for each in received if each.resource.id == f"{name}.{account}"]
            if mine:
                return mine
            time.sleep(0.25)
    return []


def state_elsewhere(account: str) -> str:
    """Ask another process what an account may do."""
    words = [sys.executable, "-c", STATE, account]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.slow
def test_r33_a_loss_halts_in_the_same_run_until_a_recorded_release(falling: Falling) -> None:
    since = dt.datetime.now(dt.UTC)
    falling.invested("bleeding")
    calm = drawdown_protection(**falling.day(HELD, "bleeding"))
    assert calm.protection.state is TradingState.ACTIVE
    assert calm.plan.orders == ()

    bleeding = drawdown_protection(return_state=True, **falling.day(CRASH, "bleeding"))
    assert bleeding.name == "Degraded"
    found = bleeding.result()
    assert found.protection.recovery.drawdown == pytest.approx(0.9 * LOSS, abs=0.02)
    assert found.pauses[-1].after is TradingState.HALTED
    assert len(found.book.positions) == 2
    assert announced("tradeflows.risk.paused", "bleeding", since)

    assert state_elsewhere("bleeding") == "halted"
    denied = falling.buy("bleeding", CRASH, found.bars)
    assert [str(each.code) for each in denied.decisions[0].breaches] == ["halted"]
    again = drawdown_protection(return_state=True, **falling.day(CRASH, "bleeding")).result()
    assert not any(each.is_new for each in again.pauses)

    ledger = ledger_for(TradingMode.PAPER)
    release(ledger, "bleeding", reason="seen", by="somebody", at=dt.datetime.now(dt.UTC))
    kinds = [each.kind for each in entries(ledger, account="bleeding")]
    assert kinds.index("state.halted") < kinds.index("state.active")
    assert verify(ledger).problem == ""
    assert state_elsewhere("bleeding") == "active"
    free = drawdown_protection(return_state=True, **falling.day(AFTER, "bleeding")).result()
    assert free.protection.state is TradingState.ACTIVE
    assert free.protection.released.by == "somebody"
    drawdown, daily, _ = free.protection.readings
    for reading, counted_from in (
        (drawdown, free.book.peak_equity),
        (daily, free.book.day_start_equity),
    ):
        lost = max(0.0, 1 - float(free.book.equity / counted_from))
        assert reading.loss == pytest.approx(lost, abs=1e-9)
    assert falling.buy("bleeding", AFTER, free.bars).decisions[0].is_accepted
    ledger.close()


@pytest.mark.slow
def test_r33_what_is_liquidated_is_sold_once_and_then_halted(falling: Falling) -> None:
    falling.invested("closing")
    drawdown_protection(**falling.day(HELD, "closing"))
    closed = drawdown_protection(
        return_state=True, liquidate=True, **falling.day(CRASH, "closing")
    ).result()
    assert [each.after.value for each in closed.pauses] == ["reducing", "halted"]
    assert [each.is_accepted for each in closed.placed.decisions] == [True, True]
    ledger = ledger_for(TradingMode.PAPER)
    before = canonical_dump(ledger, "closing")
    repeated = drawdown_protection(
        return_state=True, liquidate=True, **falling.day(CRASH, "closing")
    ).result()
    assert repeated.placed is None
    assert canonical_dump(ledger, "closing") == before
    ledger.close()
    after = drawdown_protection(return_state=True, **falling.day(AFTER, "closing")).result()
    assert after.book.positions == ()
    assert after.protection.state is TradingState.HALTED


@pytest.mark.slow
def test_reducing_brings_exposure_down(falling: Falling) -> None:
    rules = {
        "halting_drawdown": 0.5, "halting_daily_loss": 0.5, "halting_velocity": 0.5,
        "reducing_exposure": 0.3,
    }  # fmt: skip
    falling.invested("reducing")
    found = drawdown_protection(
        return_state=True, protection=rules, **falling.day(CRASH, "reducing")
    ).result()
    assert found.pauses[-1].after is TradingState.REDUCING
    assert len(found.placed.records) == 2
    later = drawdown_protection(
        return_state=True, protection=rules, **falling.day(AFTER, "reducing")
    ).result()
    assert later.protection.gross_exposure == pytest.approx(0.3, abs=0.01)


@pytest.mark.slow
def test_a_plan_changes_nothing(falling: Falling) -> None:
    falling.invested("planned")
    drawdown_protection(**falling.day(HELD, "planned"))
    risk_monitoring(execution="paper", **falling.day(CRASH, "planned"))
    ledger = ledger_for(TradingMode.PAPER)
    before = canonical_dump(ledger, "planned")
    found = drawdown_protection(
        return_state=True, execution="plan", liquidate=True, **falling.day(CRASH, "planned")
    ).result()
    assert found.protection.asked is TradingState.HALTED
    assert len(found.plan.orders) == 2
    assert found.placed.records == ()
    assert canonical_dump(ledger, "planned") == before
    ledger.close()


@pytest.mark.slow
def test_a_breach_degrades_the_run_and_is_announced_once(falling: Falling) -> None:
    since = dt.datetime.now(dt.UTC)
    falling.invested("watched")
    tight = {"max_concentration": 0.2}
    drawdown_protection(**falling.day(HELD, "watched"))
    options = falling.day(HELD, "watched") | {"limits": tight}
    watched = risk_monitoring(return_state=True, **options)
    assert watched.name == "Degraded"
    found = watched.result()
    assert [each.name for each in found.watch.breached] == ["max_concentration"]
    [event] = announced("tradeflows.risk.limit-breached", "watched", since)
    assert event.resource["tradeflows.level"] == "warning"
    assert event.payload["limit"] == "max_concentration"
    risk_monitoring(return_state=True, **options)
    time.sleep(1.0)
    assert len(announced("tradeflows.risk.limit-breached", "watched", since)) == 1


@pytest.mark.parametrize("flow", [drawdown_protection, risk_monitoring])
def test_an_account_without_history_has_nothing_to_protect(falling: Falling, flow: Any) -> None:
    with paper_ledger() as ledger:
        at = session_close(DAYS[BOUGHT])
        open_account(ledger, "fresh", capital=money(100_000), session=DAYS[BOUGHT], at=at)
    state = flow(return_state=True, execution="plan", **falling.day(CRASH, "fresh"))
    assert state.name == "Completed"
    found = state.result()
    assert "no history" in found.headline
    assert found.book.positions == ()
    assert found.to_dict()["headline"] == found.headline


@pytest.mark.parametrize("execution", ["paper", "plan"])
@pytest.mark.parametrize("flow", [drawdown_protection, risk_monitoring])
def test_an_account_that_does_not_exist_is_refused_and_not_opened(
    falling: Falling, flow: Any, execution: str
) -> None:
    falling.opened("existing")
    options = falling.day(CRASH, "exsting") | {"execution": execution}
    problem = flow(return_state=True, **options).result(raise_on_failure=False)
    assert isinstance(problem, ParameterError)
    assert (problem.parameter, "existing" in problem.allowed) == ("account", True)
    with paper_ledger() as ledger:
        assert "exsting" not in account_names(ledger)


@pytest.mark.parametrize(
    ("flow", "options", "parameter"),
    [
        (drawdown_protection, {"protection": {"reducing_drawdown": 0.3}}, "protection"),
        (drawdown_protection, {"tiers": {"thresholds": [3, 2, 1]}}, "tiers.thresholds"),
        (drawdown_protection, {"lookback_sessions": 5}, "lookback_sessions"),
        (drawdown_protection, {"execution": "guess"}, "execution"),
        (risk_monitoring, {"confidence": 0.5}, "confidence"),
        (risk_monitoring, {"account": "../main"}, "account"),
    ],
)
def test_bad_parameters_are_refused_before_a_run(
    flow: Any, options: dict[str, Any], parameter: str
) -> None:
    with pytest.raises(ParameterError) as raised:
        flow(**options)
    assert raised.value.parameter == parameter
