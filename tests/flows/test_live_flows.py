"""Flows that trade real money, against a local stand-in of the broker."""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas import OrchestrationResult
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, FlowRunFilterStateType
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.responses import SetStateStatus

from flows.cli import main
from flows.cli.exits import Exit, exit_code
from flows.cli.run import CONSOLE_LEVEL
from flows.positions import portfolio_rebalance, stop_loss_monitor
from flows.risk import drawdown_protection, risk_monitoring
from flows.sizing import risk_adjusted_trading
from slices.domain.accounts import TradingMode, TradingState
from slices.domain.errors import ParameterError
from slices.domain.orders import OrderState
from slices.domain.rebalancing import PortfolioRebalance
from slices.domain.stops import StopStatus
from slices.domain.trading_errors import (
    BrokerUnavailableError,
    LedgerError,
    LiveTradingRefusedError,
    ReconciliationError,
    TradingHaltedError,
)
from slices.ledger.accounts import read_book
from slices.ledger.journal import entries
from slices.ledger.opening import ledger_for
from slices.ledger.orders import orders_of
from slices.ledger.stops import stops_of
from slices.ledger.verifying import verify
from tests.slices.live_trade.live_accounts import live_books, switches
from tests.slices.live_trade.live_orders import ACCOUNT
from tests.support.broker_server import KEY, SECRET, Exchange, trading_server

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

    from slices.runtime.workflow import Workflow

DAY, NEXT, LOWER = "2012-09-20", "2012-09-21", "2012-10-19"
"""Apple fell by 12.7 % from the first to the last."""

PAIR = ["AAPL", "MSFT"]
HALVES = {"AAPL": 0.5, "MSFT": 0.5}
FLOWS = (
    portfolio_rebalance, stop_loss_monitor, risk_adjusted_trading, drawdown_protection,
    risk_monitoring,
)  # fmt: skip
SWITCHED = list(zip(FLOWS, list(switches(Exchange()))[:5], strict=True))
"""Every flow, each without another of the switches."""

WAIT_SECONDS = 60.0


@pytest.fixture
def exchange(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Exchange]:
    """A broker at the close of DAY, live books of their own, and every switch on."""
    monkeypatch.setenv("TRADEFLOWS_LIVE_LEDGER_URL", f"sqlite:///{tmp_path}/live.db")
    with trading_server() as running:
        at_close(running, DAY)
        for name, value in switches(running).items():
            monkeypatch.setenv(name, value)
        yield running


def at_close(exchange: Exchange, day: str) -> None:
    """Let it be half an hour after a session."""
    exchange.now = dt.datetime.fromisoformat(f"{day}T20:30:00+00:00")


def filled(exchange: Exchange, day: str, **prices: str) -> None:
    """Let the exchange fill what waits in a session, and close it."""
    exchange.now = dt.datetime.fromisoformat(f"{day}T13:30:00+00:00")
    for each in exchange.orders:
        if each["status"] == "new":
            exchange.fill(each, each["qty"], prices[each["symbol"]])
    at_close(exchange, day)


def traded(flow: Workflow[..., Any], day: str = DAY, **given: Any) -> Any:
    common = {"account": ACCOUNT, "symbols": PAIR, "adjustment": "split", "execution": "live"}
    return flow(as_of=day, **common, **given)


def rebalanced(day: str = DAY, **given: Any) -> PortfolioRebalance:
    found: PortfolioRebalance = traded(portfolio_rebalance, day, target_weights=HALVES, **given)
    return found


@pytest.mark.slow
def test_a_rebalance_leaves_once_and_is_booked(exchange: Exchange) -> None:
    first = rebalanced()
    assert [each.state for each in first.placed.records] == [OrderState.ACCEPTED] * 2
    assert [each.is_accepted for each in first.looked.decisions] == [True] * 2
    sent = {each["symbol"]: Decimal(each["qty"]) for each in exchange.orders}
    assert sent == {each.symbol: each.quantity for each in first.plan.orders.orders}
    again = rebalanced()
    assert (again.plan.trades, again.plan.waiting) == ((), 2)
    assert exchange.requests("POST") == 2
    filled(exchange, NEXT, AAPL="702.41", MSFT="31.43")
    after = rebalanced(NEXT)
    assert exchange.requests("POST") == 2
    assert {each.symbol: Decimal(str(each.held)) for each in after.plan.lines} == sent
    with live_books() as ledger:
        assert verify(ledger).is_whole


@pytest.mark.slow
def test_a_stop_is_left_once(exchange: Exchange) -> None:
    rebalanced()
    filled(exchange, NEXT, AAPL="702.41", MSFT="31.43")
    guard = {"default_stop": {"kind": "fixed", "fraction": 0.1}}
    armed = traded(stop_loss_monitor, NEXT, **guard)
    assert (len(armed.stops.armed), armed.watch.leaving) == (2, ())
    at_close(exchange, LOWER)
    left = traded(stop_loss_monitor, LOWER, **guard)
    assert [each.stop.symbol for each in left.watch.leaving] == ["AAPL"]
    assert [each.records[0].state for each in left.placed] == [OrderState.ACCEPTED]
    again = traded(stop_loss_monitor, LOWER, **guard)
    assert again.watch.leaving == ()
    exits = [each for each in exchange.orders if each["side"] == "sell"]
    assert [(each["symbol"], each["qty"]) for each in exits] == [
        ("AAPL", str(exchange.positions["AAPL"][0]))
    ]
    with live_books() as ledger:
        found = {each.symbol: each.status for each in stops_of(ledger, ACCOUNT)}
    assert found == {"AAPL": StopStatus.TRIGGERED, "MSFT": StopStatus.ARMED}


@pytest.mark.slow
def test_a_trade_by_its_risk_leaves_once_with_its_exits(exchange: Exchange) -> None:
    taken = traded(risk_adjusted_trading, symbol="AAPL")
    assert [each.state for each in taken.check.orders] == [OrderState.ACCEPTED]
    assert taken.check.problems == ()
    assert [each.status for each in taken.check.stops] == [StopStatus.ARMED] * 2
    entry, *exits = exchange.orders
    assert Decimal(entry["qty"]) == Decimal(str(taken.proposal.quantity))
    assert sorted(each["type"] for each in exits) == ["limit", "stop"]
    traded(risk_adjusted_trading, symbol="AAPL")
    assert exchange.requests("POST") == 1


@pytest.mark.slow
def test_losses_halt_and_take_back_what_waits(exchange: Exchange) -> None:
    rebalanced()
    exchange.pay("FEE", "-30000")
    for _ in range(2):
        found = traded(drawdown_protection)
        assert found.book.mode is TradingMode.LIVE
        assert [each["status"] for each in exchange.orders] == ["canceled"] * 2
    with live_books() as ledger:
        assert read_book(ledger, ACCOUNT).state is TradingState.HALTED
        assert {each.state for each in orders_of(ledger, ACCOUNT)} == {OrderState.CANCELLED}
    assert exchange.requests("POST") == 2


@pytest.mark.slow
def test_losses_may_close_every_position_once(exchange: Exchange) -> None:
    rebalanced()
    filled(exchange, NEXT, AAPL="702.41", MSFT="31.43")
    held = {symbol: str(shares) for symbol, (shares, _) in exchange.positions.items()}
    rules = {"halting_drawdown": 0.06, "reducing_drawdown": 0.03}
    at_close(exchange, LOWER)
    for _ in range(2):
        traded(drawdown_protection, LOWER, liquidate=True, protection=rules)
    sales = [each for each in exchange.orders if each["side"] == "sell"]
    assert {each["symbol"]: each["qty"] for each in sales} == held
    assert [each["status"] for each in sales] == ["new"] * 2
    assert exchange.requests("POST") == 4
    with live_books() as ledger:
        assert read_book(ledger, ACCOUNT).state is TradingState.HALTED


def test_watching_a_live_account_sends_nothing(exchange: Exchange) -> None:
    exchange.pay("CSD", "2500")
    watched = traded(risk_monitoring)
    assert watched.book.cash == Decimal(102_500)
    assert exchange.requests("POST") + exchange.requests("DELETE") == 0


@pytest.mark.parametrize(("flow", "switch"), SWITCHED, ids=[switch for _, switch in SWITCHED])
def test_r38_a_flow_without_a_switch_fails_before_anything_is_sent(
    exchange: Exchange,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    flow: Workflow[..., Any],
    switch: str,
) -> None:
    monkeypatch.delenv(switch)
    state: State[Any] = traded(flow, return_state=True)
    assert state.is_failed()
    assert isinstance(state.result(raise_on_failure=False), LiveTradingRefusedError)
    assert exchange.asked == []
    assert not (tmp_path / "live.db").exists()


@pytest.mark.slow
def test_r38_the_command_line_says_which_switch_and_has_a_code_for_it(
    fresh_home: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fresh_home
    monkeypatch.setenv(CONSOLE_LEVEL, "CRITICAL")  # which a run sets for the rest of its process
    words = ("run", "portfolio_rebalance", "--execution", "live", "--as-of", DAY, "--json")
    code = main(words)
    told = capsys.readouterr()
    assert code == Exit.SETTINGS, told.err
    assert json.loads(told.out)["error"]["kind"] == "LiveTradingRefusedError"
    assert "TRADEFLOWS_LIVE_TRADING" in told.err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (LiveTradingRefusedError(found="nothing", needed="a switch"), Exit.SETTINGS),
        (BrokerUnavailableError(broker="b", problem="silent"), Exit.SOURCE),
        (LedgerError(ledger="l", problem="p"), Exit.STORAGE),
        (ReconciliationError(ledger="l", problem="p"), Exit.HALTED),
        (TradingHaltedError(account="a", reason="r"), Exit.HALTED),
    ],
    ids=lambda each: type(each).__name__,
)
def test_failures_of_trading_have_exit_codes(error: Exception, code: Exit) -> None:
    assert exit_code(error) is code


def is_accepted(answer: OrchestrationResult[Any]) -> bool:
    return answer.status is SetStateStatus.ACCEPT


class Asking:
    """A rebalancing that waits for a person, in a thread of its own."""

    def __init__(self, execution: str) -> None:
        self.states: list[State[PortfolioRebalance]] = []

        def run() -> None:
            state = portfolio_rebalance(
                account=ACCOUNT if execution == "live" else "asked", symbols=PAIR, as_of=DAY,
                target_weights=HALVES, execution=execution, approval=True, return_state=True,
            )  # fmt: skip
            self.states.append(state)

        self.thread = threading.Thread(target=run)
        self.thread.start()

    def answered(self, **form: object) -> State[PortfolioRebalance]:
        """Fill in the form of the run that is paused, as the UI does; return how it ends."""
        paused = FlowRunFilter(
            state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.PAUSED]))
        )
        deadline = time.monotonic() + WAIT_SECONDS
        with get_client(sync_client=True) as client:
            while not (waiting := client.read_flow_runs(flow_run_filter=paused)):
                assert time.monotonic() < deadline
                assert self.thread.is_alive()
                time.sleep(0.1)
            # A server under load may refuse: its database waits for another writer no longer.
            while not is_accepted(client.resume_flow_run(waiting[0].id, run_input=form)):
                assert time.monotonic() < deadline
                time.sleep(0.5)
        return self.ended()

    def ended(self) -> State[PortfolioRebalance]:
        """Wait for the end."""
        self.thread.join(WAIT_SECONDS)
        assert not self.thread.is_alive()
        return self.states[0]


def said(mode: TradingMode, account: str) -> list[str]:
    ledger = ledger_for(mode)
    try:
        return [each.kind for each in entries(ledger, account=account) if "orders_" in each.kind]
    finally:
        ledger.close()


@pytest.mark.slow
def test_live_orders_wait_for_a_person(exchange: Exchange) -> None:
    refused = Asking("live").answered(approve=False, note="not today")
    assert refused.name == "Degraded"
    assert "not today" in refused.result().caveats[0]
    assert exchange.requests("POST") == 0
    approved = Asking("live").answered(approve=True, by="Ada")
    assert len(approved.result().placed.records) == 2
    assert exchange.requests("POST") == 2
    assert Asking("live").ended().result().plan.trades == ()
    assert exchange.requests("POST") == 2
    assert said(TradingMode.LIVE, ACCOUNT) == ["orders_refused", "orders_approved"]


@pytest.mark.slow
def test_paper_orders_may_wait_for_a_person_too() -> None:
    approved = Asking("paper").answered(approve=True)
    assert len(approved.result().placed.records) == 2
    assert said(TradingMode.PAPER, "asked") == ["orders_approved"]


@pytest.mark.parametrize("flow", [portfolio_rebalance, risk_adjusted_trading])
def test_nobody_is_asked_about_what_is_not_sent(flow: Workflow[..., Any]) -> None:
    with pytest.raises(ParameterError):
        flow.validate_parameters({"approval": True, "execution": "plan"})


def test_parts_of_a_share_are_not_sized_for_a_real_broker() -> None:
    with pytest.raises(ParameterError):
        risk_adjusted_trading.validate_parameters(
            {"execution": "live", "sizing": {"whole_shares": False}}
        )


def test_no_secret_is_left_in_books_or_reports(exchange: Exchange, tmp_path: Path) -> None:
    result = rebalanced()
    written = (tmp_path / "live.db").read_bytes() + Path(result.report_path).read_bytes()
    assert not [each for each in (KEY, SECRET) if each.encode() in written]
