from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flows.positions import portfolio_rebalance, stop_loss_monitor
from slices.domain.accounts import TradingState
from slices.domain.errors import ParameterError
from slices.domain.orders import OrderState, Side
from slices.domain.rebalancing import PortfolioRebalance
from slices.ledger.accounts import has_account, read_book
from slices.ledger.orders import orders_of
from tests.slices.paper_trade.paper_accounts import books, dumped

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

DAY, LATER = "2012-08-20", "2012-10-19"
HALVES = {"AAPL": 0.5, "MSFT": 0.5}


def rebalanced(account: str, day: str = DAY, **given: Any) -> PortfolioRebalance:
    result: PortfolioRebalance = portfolio_rebalance(account=account, as_of=day, **given)
    return result


def test_by_default_trades_are_shown_and_nothing_is_written() -> None:
    result = rebalanced("shown")
    assert len(result.plan.trades) == 3
    assert all(each.is_accepted for each in result.looked.decisions)
    assert result.placed.records == ()
    assert any("not opened yet" in each for each in result.notes)
    with books() as ledger:
        assert not has_account(ledger, "shown")


def test_orders_are_handed_in_once_and_bring_the_account_to_target() -> None:
    first = rebalanced("sent", execution="paper", target_weights=HALVES)
    assert [each.state for each in first.placed.records] == [OrderState.ACCEPTED] * 2
    before = dumped("sent")
    again = rebalanced("sent", execution="paper", target_weights=HALVES)
    assert again.plan.trades == ()
    assert again.plan.waiting == 2
    assert dumped("sent") == before
    after = rebalanced("sent", "2012-08-21", target_weights=HALVES, execution="paper")
    held = {each.symbol: each.held_weight for each in after.plan.lines}
    assert held["AAPL"] == pytest.approx(0.495, abs=0.02)
    assert held["MSFT"] == pytest.approx(0.495, abs=0.02)
    assert held["GOOGL"] == 0
    assert after.plan.trades == ()
    assert after.plan.cash_after >= 0


@pytest.mark.slow
def test_what_has_no_target_is_sold_before_anything_is_bought() -> None:
    rebalanced("moved", execution="paper", target_weights=HALVES)
    moved = rebalanced("moved", LATER, execution="paper", target_weights={"GOOGL": 1.0})
    with books() as ledger:
        orders = [each.order for each in orders_of(ledger, "moved")]
        book = read_book(ledger, "moved")
    sent = [each for each in orders if str(each.session) == LATER]
    assert [(each.symbol, each.side) for each in sent] == [
        ("AAPL", Side.SELL),
        ("MSFT", Side.SELL),
        ("GOOGL", Side.BUY),
    ]
    assert [each.quantity for each in sent[:2]] == [book.held("AAPL"), book.held("MSFT")]
    assert moved.plan.turnover == pytest.approx(1.0, abs=0.02)


def test_a_plan_that_the_gate_would_deny_is_degraded() -> None:
    state: State[PortfolioRebalance] = portfolio_rebalance(
        account="large", as_of=DAY, limits={"max_order_notional": 100.0}, return_state=True
    )
    assert state.name == "Degraded"
    assert len(state.result().caveats) == 3
    assert all("notional_too_large" in each for each in state.result().caveats)


def test_held_symbols_without_bars_are_named() -> None:
    for day in (DAY, "2012-08-21"):
        rebalanced("lacks", day, execution="paper", target_weights=HALVES)
    failed = portfolio_rebalance(
        account="lacks", as_of="2012-08-22", symbols=["MSFT", "IBM"], return_state=True
    )
    problem = failed.result(raise_on_failure=False)
    assert isinstance(problem, ParameterError)
    assert problem.parameter == "symbols"
    assert "AAPL" in problem.allowed


@pytest.mark.slow
def test_the_report_shows_costs_against_tracking() -> None:
    rebalanced("report", execution="paper", target_weights=HALVES)
    result = rebalanced("report", LATER, target_weights={"AAPL": 0.2, "MSFT": 0.8})
    text = Path(result.report_path).read_text()
    for expected in ("Cost against tracking", "What the risk gate says", "AAPL"):
        assert expected in text
    curve = result.plan.curve
    assert [each.band for each in curve] == sorted(each.band for each in curve)
    assert curve[0].tracking_error <= curve[-1].tracking_error
    assert curve[0].costs >= curve[-1].costs
    assert result.plan.tracking_after < result.plan.tracking_before
    assert result.book.state is TradingState.ACTIVE


@pytest.mark.parametrize(
    "parameters",
    [
        {"target_weights": {"AAPL": 0.7, "MSFT": 0.7}},
        {"target_weights": {"IBM": 0.5}},
        {"target_weights": {"AAPL": -0.5}},
        {"rebalance": {"absolute_band": -0.1}},
        {"rebalance": {"trade_to": "middle"}},
        {"allocator": "held_weights"},
        {"lookback_sessions": 2},
        {"execution": "margin"},
        {"execution": "plan", "approval": True},
    ],
)
def test_bad_parameters_are_refused_before_a_run_exists(parameters: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        portfolio_rebalance.validate_parameters(parameters)


def test_a_stop_is_armed_hit_left_once_and_told() -> None:
    rebalanced("guarded", execution="paper", target_weights=HALVES)
    trailing = {"kind": "trailing", "fraction": 0.08}
    seen = [
        stop_loss_monitor(account="guarded", as_of=day, default_stop=trailing)
        for day in ("2012-08-21", LATER, LATER, "2012-10-22")
    ]
    assert [len(each.stops.armed) for each in seen] == [2, 0, 0, 0]
    assert [len(each.watch.leaving) for each in seen] == [0, 2, 0, 0]
    assert [len(each.placed) for each in seen] == [0, 2, 0, 0]
    assert seen[1].watch.after.gross < seen[1].watch.before.gross
    assert seen[3].book.positions == ()
    assert {each.symbol for each in seen[3].stops.exits} == {"AAPL", "MSFT"}
    assert all(each.beyond > 0 for each in seen[3].stops.exits)
    assert "Level and fill" in Path(seen[3].report_path).read_text()
    assert all(
        f"{each.symbol} left on 2012-10-22" in seen[3].headline for each in seen[3].stops.exits
    )
    assert seen[1].watch.after.unguarded == 0


def test_an_account_without_positions_has_no_stops() -> None:
    rebalanced("empty", execution="paper", rebalance={"absolute_band": 1.0, "relative_band": 9.0})
    result = stop_loss_monitor(account="empty", as_of=DAY, execution="plan")
    assert result.watch.readings == ()


@pytest.mark.parametrize("execution", ["paper", "plan"])
def test_stops_of_an_account_that_does_not_exist_are_not_watched(execution: str) -> None:
    rebalanced("existing", execution="paper", target_weights=HALVES)
    failed = stop_loss_monitor(account="exsting", as_of=DAY, execution=execution, return_state=True)
    problem = failed.result(raise_on_failure=False)
    assert isinstance(problem, ParameterError)
    assert (problem.parameter, "existing" in problem.allowed) == ("account", True)
    with books() as ledger:
        assert not has_account(ledger, "exsting")
