from __future__ import annotations

import datetime as dt
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from flows.cli.options import build_parser, given_parameters
from flows.sizing import position_sizing, risk_adjusted_trading
from slices.domain.accounts import TradingMode, TradingState
from slices.domain.errors import ParameterError
from slices.domain.fingerprint import fingerprint
from slices.domain.numbers import written
from slices.domain.orders import OrderState, Side
from slices.domain.position_sizing import (
    BoundName,
    PositionSize,
    PositionSizing,
    RiskAdjustedTrade,
)
from slices.domain.report import Unit
from slices.domain.sizing import PositionRules
from slices.domain.stops import StopKind, StopStatus
from slices.ledger.accounts import account_names, read_book
from slices.ledger.booking import fills_of
from slices.ledger.dump import canonical_dump
from slices.ledger.opening import ledger_for
from slices.ledger.states import set_state
from slices.quant.metrics.tails import expected_shortfall
from slices.quant.panel import read_panel
from slices.quant.sizing import growth_optimal_weights
from tests.support.runs import artifacts, task_runs

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

SIZED = {"symbols": ["AAPL", "MSFT", "IBM"], "start": "2006-01-03", "as_of": "2012-06-29"}
SIZING_TASKS = 2 + 4 + 2
TRADE = {"symbol": "AAPL", "symbols": ["AAPL", "IBM"], "start": "2008-01-02"}
FIRST, NEXT = "2012-06-28", "2012-06-29"


def dumped(account: str) -> bytes:
    ledger = ledger_for(TradingMode.PAPER)
    try:
        return canonical_dump(ledger, account)
    finally:
        ledger.close()


@pytest.fixture(scope="module")
def sized() -> State[PositionSizing]:
    return position_sizing(return_state=True, **SIZED)


@pytest.fixture(scope="module")
def traded() -> State[RiskAdjustedTrade]:
    return risk_adjusted_trading(return_state=True, account="taken", as_of=FIRST, **TRADE)


def test_sizes_complete_and_say_what_limits_them(sized: State[PositionSizing]) -> None:
    assert sized.name == "Completed"
    found = sized.result()
    assert [each.symbol for each in found.sizes] == SIZED["symbols"]
    assert {each.session for each in found.sizes} == {dt.date(2012, 6, 29)}
    kinds = [str(each.type) for each in artifacts(sized.state_details.flow_run_id)]
    assert kinds.count("table") >= 5
    assert kinds.count("image") == 1
    page = Path(found.report_path).read_text()
    for each in found.sizes:
        assert each.bound_by.value in page
        assert each.quantity == math.floor(each.quantity)
        assert {bound.name for bound in each.bounds if bound.binds} >= {each.bound_by}
    assert found.to_dict()["equity"] == 100_000.0


def test_kelly_stands_on_the_strategys_own_trades(sized: State[PositionSizing]) -> None:
    found = sized.result()
    for each in found.sizes:
        own = np.array(
            [trade.return_on_entry for trade in found.tested.trades if trade.symbol == each.symbol]
        )
        assert each.kelly is not None
        assert each.kelly.trades == own.size > 10
        assert each.kelly.full == pytest.approx(growth_optimal_weights(own[None, :])[0])
        if own.mean() <= 0:
            assert (each.quantity, each.bound_by) == (0, BoundName.KELLY)


def test_a_second_sizing_takes_every_computed_step_from_the_cache(
    sized: State[PositionSizing],
) -> None:
    again = position_sizing(return_state=True, **SIZED)
    runs = task_runs(again.state_details.flow_run_id, expected=SIZING_TASKS)
    assert len(runs) == SIZING_TASKS
    computed = [run for run in runs if "kind:act" not in run.tags]
    assert len(computed) == SIZING_TASKS - 1
    assert {run.state_name for run in computed} == {"Cached"}
    assert fingerprint(again.result().sizes) == fingerprint(sized.result().sizes)


def test_a_strategy_without_trades_gives_nothing_and_says_so() -> None:
    found = position_sizing(**SIZED, strategy="buy_and_hold")
    assert {each.quantity for each in found.sizes} == {0.0}
    assert all("no trade" in each.explanation for each in found.sizes)
    others = PositionRules(use=["volatility", "range"])
    assert all(
        each.quantity > 0
        for each in position_sizing(**SIZED, strategy="buy_and_hold", sizing=others).sizes
    )


def test_a_symbol_that_cannot_be_had_is_named(sized: State[PositionSizing]) -> None:
    state = position_sizing(return_state=True, **(SIZED | {"symbols": [*SIZED["symbols"], "ZZZZ"]}))
    assert state.name == "Degraded"
    found = state.result()
    assert [each.symbol for each in found.left_out] == ["ZZZZ"]
    assert fingerprint(found.sizes[0]) == fingerprint(sized.result().sizes[0])


def test_the_account_that_is_named_counts_and_is_not_written(
    traded: State[RiskAdjustedTrade],
) -> None:
    assert traded.name == "Completed"
    before = dumped("taken")
    found = position_sizing(**SIZED, account="taken")
    assert dumped("taken") == before
    assert found.account == "taken"
    assert "2012-06-28" in found.caveats[0]
    ledger = ledger_for(TradingMode.PAPER)
    names = account_names(ledger)
    ledger.close()
    position_sizing(**SIZED, account="nobody")
    ledger = ledger_for(TradingMode.PAPER)
    assert account_names(ledger) == names
    ledger.close()


def test_a_trade_is_sent_with_its_exits_recorded(traded: State[RiskAdjustedTrade]) -> None:
    found = traded.result()
    size = found.proposal.size
    assert isinstance(size, PositionSize)
    assert found.caveats == ()
    (order,) = found.check.orders
    assert order.state is OrderState.ACCEPTED
    assert float(order.order.quantity) == size.quantity > 0
    assert order.order.bracket is not None
    assert order.order.bracket.stop_loss_price == pytest.approx(size.stop_price)
    assert {each.kind for each in found.check.stops} == {StopKind.FIXED, StopKind.TARGET}
    assert {each.status for each in found.check.stops} == {StopStatus.ARMED}
    kinds = [str(each.type) for each in artifacts(traded.state_details.flow_run_id)]
    assert kinds.count("image") == 1
    assert "stop" in found.headline


def test_shortfall_before_and_after_are_those_of_past_sessions(
    traded: State[RiskAdjustedTrade],
) -> None:
    found = traded.result()
    size = found.proposal.size
    assert isinstance(size, PositionSize)
    close = read_panel(found.bars).close[-505:, found.bars.symbols.index("AAPL")]
    losses = expected_shortfall(size.weight * (close[1:] / close[:-1] - 1))
    assert size.before.expected_shortfall == 0
    assert size.after.expected_shortfall == pytest.approx(losses)
    assert found.proposal.risk.beta > 0


def test_the_same_trade_twice_in_a_session_is_one_order(
    traded: State[RiskAdjustedTrade],
) -> None:
    before = dumped("taken")
    again = risk_adjusted_trading(account="taken", as_of=FIRST, **TRADE)
    assert dumped("taken") == before
    assert again.placement.is_repeated
    assert [each.order for each in again.check.orders] == [
        each.order for each in traded.result().check.orders
    ]
    assert fingerprint(again.proposal) == fingerprint(traded.result().proposal)
    larger = risk_adjusted_trading(
        account="taken", as_of=FIRST, sizing=PositionRules(risk=0.02), **TRADE
    )
    assert dumped("taken") == before
    assert larger.placement.is_repeated


def test_it_fills_at_the_next_session_and_is_not_bought_twice(
    traded: State[RiskAdjustedTrade],
) -> None:
    found = risk_adjusted_trading(
        account="taken", as_of=NEXT, sizing=PositionRules(risk=0.005), **TRADE
    )
    assert found.proposal.held == traded.result().proposal.quantity
    assert found.placement.records == ()
    assert "No order" in found.caveats[0]
    size = found.proposal.size
    assert isinstance(size, PositionSize)
    assert size.before == size.after
    assert size.after.expected_shortfall > 0
    kept = found.proposal.held * size.price / size.equity
    assert dict(found.summary)["Weight"] == written(kept, Unit.FRACTION)
    assert not {"Stop (fixed)", "Target"} & {name for name, _ in found.summary}


def test_a_plan_writes_nothing() -> None:
    found = risk_adjusted_trading(account="planned", execution="plan", as_of=FIRST, **TRADE)
    assert found.proposal.quantity > 0
    assert found.placement.records == ()
    assert found.check.problems == ()
    ledger = ledger_for(TradingMode.PAPER)
    assert "planned" not in account_names(ledger)
    ledger.close()


def test_a_spent_budget_ends_without_an_order_and_with_the_reason() -> None:
    state = risk_adjusted_trading(
        return_state=True,
        account="spent",
        as_of=FIRST,
        budget={"account_shortfall": 1e-5},
        **TRADE,
    )
    assert state.name == "Degraded"
    found = state.result()
    assert found.placement.records == found.check.orders == ()
    assert "risk budget of the account" in found.caveats[0]


@pytest.mark.parametrize("stop", ["trailing", "atr", "time"])
def test_a_sale_brings_the_stop_that_was_asked_for(stop: str) -> None:
    found = risk_adjusted_trading(
        account=f"short-{stop}", as_of=FIRST, side="sell", stop=stop, **TRADE
    )
    (order,) = found.check.orders
    assert (order.order.side, order.state) == (Side.SELL, OrderState.ACCEPTED)
    assert StopKind(stop) in {each.kind for each in found.check.stops}
    assert found.check.problems == ()


def test_the_exits_that_were_set_are_taken() -> None:
    options = {"account": "timed", "stop": "time", "most_sessions": 3, **TRADE}
    bought = risk_adjusted_trading(as_of=FIRST, **options)
    spent = {"account_shortfall": 1e-5}
    held = [
        risk_adjusted_trading(as_of=each, budget=spent, **options).proposal.held
        for each in (NEXT, "2012-07-09")
    ]
    assert held == [bought.proposal.quantity, 0.0]
    ledger = ledger_for(TradingMode.PAPER)
    fills = fills_of(ledger, "timed")
    ledger.close()
    assert [each.is_exit for each in fills] == [False, True]


def test_a_halted_account_trades_nothing_and_says_so() -> None:
    risk_adjusted_trading(account="halted", as_of=FIRST, **TRADE)
    ledger = ledger_for(TradingMode.PAPER)
    at = dt.datetime(2012, 6, 28, 21, tzinfo=dt.UTC)
    set_state(ledger, "halted", TradingState.HALTED, reason="a test", by="test", at=at)
    state = risk_adjusted_trading(
        return_state=True, account="halted", as_of=FIRST, side="sell", **(TRADE | {"symbol": "IBM"})
    )
    assert state.name == "Degraded"
    found = state.result()
    assert {each.state for each in found.check.orders} <= {OrderState.DENIED}
    assert any("halted" in each for each in found.caveats)
    assert read_book(ledger, "halted").held("IBM") == 0
    ledger.close()


def test_parameters_that_do_not_fit_are_refused() -> None:
    bad: list[dict[str, Any]] = [
        {"sizing": {"use": ["kelly"]}},
        {"stop": "target"},
        {"side": "hold"},
        {"reward_risk": 0},
        {"account": "No Such"},
        {"sizing": {"use": []}},
        {"budget": {"confidence": 0.5}},
    ]
    for each in bad:
        with pytest.raises(ParameterError):
            risk_adjusted_trading(**each)


def test_the_command_line_sets_the_rules() -> None:
    parser = build_parser("position_sizing", position_sizing)
    words = ["--sizing.use", "volatility,risk", "--sizing.risk", "0.02", "--as-of", "2012-06-29"]
    given = given_parameters(position_sizing, parser.parse_args(words))
    checked = position_sizing.validate_parameters(given)
    assert checked["sizing"].use == ["volatility", "risk"]
    assert checked["sizing"].risk == 0.02
