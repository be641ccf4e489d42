from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from flows.cli.options import build_parser, given_parameters
from flows.trading import paper_trading
from slices.domain.accounts import TradingState
from slices.domain.errors import ParameterError
from slices.domain.orders import OrderState
from slices.domain.paper_trading import PaperTrading
from slices.domain.report import LineChart, Table
from slices.ledger.booking import fills_of
from slices.ledger.orders import orders_named, orders_of
from slices.ledger.states import release, set_state
from slices.paper_trade.tables import cost_table
from tests.slices.paper_trade.paper_accounts import books, dumped
from tests.support.runs import artifacts, task_runs

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

AT = dt.datetime(2012, 1, 1, tzinfo=dt.UTC)
FAST = {"symbols": ["MSFT", "IBM"], "parameters": {"fast": 5, "slow": 15}}
HOLD = {"symbols": ["MSFT", "IBM"], "strategy": "buy_and_hold"}
REPLAY = {**FAST, "account": "replayed", "replay_from": "2012-07-02", "replay_to": "2012-09-28"}


def tables(result: PaperTrading) -> dict[str, Table]:
    return {each.key: each for each in result.report.blocks() if isinstance(each, Table)}


@pytest.fixture(scope="module")
def replayed() -> State[PaperTrading]:
    return paper_trading(return_state=True, **REPLAY)


def test_a_replay_equals_its_backtest_and_says_so(replayed: State[PaperTrading]) -> None:
    assert replayed.name == "Completed"
    result = replayed.result()
    assert result.traded.decided == len(result.view.book.curve) == 63
    assert result.traded.placed > 5
    beside = result.view.parity
    assert beside is not None
    assert beside.is_equal
    assert beside.fills == beside.matched > 5
    assert np.allclose(beside.equity, beside.tested, atol=0.01, rtol=0)
    assert any(each.startswith("Equal") for each in result.notes)
    assert "divergence" not in tables(result)
    (chart,) = (each for each in result.report.blocks() if isinstance(each, LineChart))
    assert [each.name for each in chart.series] == ["Paper, equal to its backtest", "Holding"]


def test_the_newest_fills_are_listed_with_orders_that_can_be_explained(
    replayed: State[PaperTrading],
) -> None:
    result = replayed.result()
    listed = tables(result)["newest-fills"]
    with books() as ledger:
        fills = fills_of(ledger, "replayed")[::-1]
        assert [row[0] for row in listed.rows] == [str(each.session) for each in fills[:50]]
        for row in listed.rows:
            (record,) = orders_named(ledger, str(row[-1]))
            assert record.order.symbol == row[1]
    assert f"{len(fills):,} fills" in listed.caption


def test_costs_are_added_up_and_have_no_noise(replayed: State[PaperTrading]) -> None:
    view = replayed.result().view
    noisy = replace(view, costs=(*view.costs, ("Fee", Decimal("0.000001"))))
    *rows, (last, total) = cost_table(noisy).rows
    assert rows[-1] == ("Fee", 0.0)
    assert last == "Total"
    assert total == pytest.approx(sum(float(str(row[1])) for row in rows), abs=0.01)


def test_orders_denied_at_every_session_are_said_to_be_too_large() -> None:
    result = paper_trading(
        account="never",
        limits={"max_order_notional": 10.0},
        replay_from="2012-07-02",
        replay_to="2012-07-06",
        **HOLD,
    )
    view = result.view
    assert view.denied_sessions > 1
    assert any("can never trade" in each for each in result.caveats)
    assert "newest-fills" not in tables(result)


def test_a_second_run_changes_nothing_and_says_so(replayed: State[PaperTrading]) -> None:
    first, before = replayed.result(), dumped("replayed")
    second = paper_trading(**REPLAY)
    assert dumped("replayed") == before
    assert second.traded.is_repeated
    assert (second.traded.placed, second.traded.decided) == (0, 0)
    assert second.view == first.view
    assert second.headline != first.headline


def test_a_replay_goes_on_where_it_ended(replayed: State[PaperTrading]) -> None:
    assert replayed.is_completed()
    longer = paper_trading(**{**REPLAY, "replay_to": "2012-10-31"})
    assert longer.traded.first_session == dt.date(2012, 9, 28)
    assert longer.view.parity is not None
    assert longer.view.parity.is_equal
    assert longer.view.unattended == ()
    assert longer.view.book.session == dt.date(2012, 10, 31)


def test_the_report_is_on_disk_and_names_everything(replayed: State[PaperTrading]) -> None:
    result = replayed.result()
    text = Path(result.report_path).read_text()
    assert result.provenance is not None
    own = text.replace(result.provenance.prefect_url, "")
    assert "http://" not in own.replace("http://www.w3.org", "")
    for expected in ("Paper against backtest", "replayed", "Positions", result.bars.fingerprint):
        assert expected in text
    kinds = {str(each.type) for each in artifacts(replayed.state_details.flow_run_id)}
    assert {"markdown", "table", "image", "progress"} <= kinds


def test_sessions_one_by_one_are_the_replay_of_them() -> None:
    days = [dt.date(2012, 8, day) for day in (20, 21, 22, 23, 24)]
    for day in days:
        stepwise = paper_trading(account="stepwise", as_of=day, **FAST)
    at_once = paper_trading(account="at-once", replay_from=days[0], replay_to=days[-1], **FAST)
    assert [each.equity for each in stepwise.view.book.curve] == [
        each.equity for each in at_once.view.book.curve
    ]
    assert [each.quantity for each in stepwise.view.book.positions] == [
        each.quantity for each in at_once.view.book.positions
    ]
    assert [(each.symbol, each.target_weight) for each in stepwise.traded.orders] == [
        (each.symbol, each.target_weight) for each in at_once.traded.orders
    ]
    assert stepwise.view.parity is None


def test_missed_sessions_are_named_and_nothing_is_decided_for_them() -> None:
    paper_trading(account="away", as_of="2012-08-20", **FAST)
    result = paper_trading(account="away", as_of="2012-08-24", **FAST)
    assert result.view.unattended == tuple(dt.date(2012, 8, day) for day in (21, 22, 23))
    assert len(result.view.book.curve) == 5
    with books() as ledger:
        sessions = {each.order.session for each in orders_of(ledger, "away")}
    assert sessions <= {dt.date(2012, 8, 20), dt.date(2012, 8, 24)}
    assert any("2012-08-22" in each.text for each in result.report.notes)


def test_what_parts_an_account_from_its_backtest_is_shown_and_adds_up() -> None:
    paper_trading(account="gap", as_of="2012-05-01", **FAST)
    result = paper_trading(account="gap", replay_from="2012-07-02", replay_to="2012-07-31", **FAST)
    beside = result.view.parity
    assert beside is not None
    assert not beside.is_equal
    gap = float(result.view.book.equity) - beside.tested[-1]
    assert abs(gap) > 1
    assert np.isclose(beside.total.total, gap, atol=0.01, rtol=0)
    assert abs(beside.total.timing) > 1
    assert (beside.total.price, beside.total.data) == pytest.approx((0.0, 0.0), abs=1e-4)
    assert len(result.view.unattended) > 30
    rows = tables(result)["divergence"].rows
    assert np.isclose(sum(row[-1] for row in rows[:-1]), rows[-1][-1])


def test_a_plan_shows_orders_and_writes_nothing() -> None:
    result = paper_trading(account="planned", execution="plan", **HOLD)
    assert {each.symbol for each in result.traded.orders} == {"MSFT", "IBM"}
    assert {each.state for each in result.traded.orders} == {None}
    assert result.view.book.session is None
    assert result.traded.placed == 0
    with books() as ledger:
        assert orders_of(ledger, "planned") == ()


def test_denied_orders_are_caveats() -> None:
    state: State[PaperTrading] = paper_trading(
        account="denied", limits={"max_order_notional": 10.0}, return_state=True, **HOLD
    )
    assert state.name == "Degraded"
    result = state.result()
    assert {each.state for each in result.traded.orders} == {OrderState.DENIED}
    assert len(result.caveats) == 2
    assert all("notional_too_large" in each for each in result.caveats)


def test_a_halted_account_is_reported_and_sends_nothing() -> None:
    kept_back = {"max_order_notional": 10.0}
    paper_trading(account="halted", as_of="2012-08-20", limits=kept_back, **HOLD)
    with books() as ledger:
        set_state(ledger, "halted", TradingState.HALTED, reason="a test", by="test", at=AT)
    state = paper_trading(account="halted", as_of="2012-08-21", return_state=True, **HOLD)
    result = state.result()
    assert state.name == "Degraded"
    assert result.traded.placed == 0
    assert {each.state for each in result.traded.orders} == {OrderState.DENIED}
    assert "tradeflows release --account halted" in result.caveats[0]
    assert "a test" in result.caveats[0]
    with books() as ledger:
        release(ledger, "halted", reason="tested", by="test", at=AT)
    after = paper_trading(account="halted", as_of="2012-08-22", **HOLD)
    assert after.view.book.state is TradingState.ACTIVE
    assert after.traded.placed == 2


def test_a_replay_of_a_halted_account_waits_for_its_release() -> None:
    days = {"replay_from": "2012-08-20", "replay_to": "2012-08-31"}
    paper_trading(account="waits", as_of="2012-08-20", **FAST)
    with books() as ledger:
        set_state(ledger, "waits", TradingState.HALTED, reason="a test", by="test", at=AT)
    state = paper_trading(account="waits", return_state=True, **days, **FAST)
    stopped = state.result()
    assert state.name == "Degraded"
    assert "2012-08-20" in stopped.caveats[0]
    assert "a test" in stopped.caveats[0]
    assert stopped.view.book.session == stopped.traded.session == dt.date(2012, 8, 20)
    assert stopped.traded.denied == 0
    assert stopped.view.parity is not None
    with books() as ledger:
        release(ledger, "waits", reason="tested", by="test", at=AT)
    after = paper_trading(account="waits", **days, **FAST)
    assert after.view.book.session == dt.date(2012, 8, 31)
    assert after.traded.decided == 9
    assert after.traded.stopped == ""


def test_auto_chooses_on_bars_before_the_replay_alone() -> None:
    result = paper_trading(
        account="auto",
        strategy="auto",
        symbols=["MSFT", "IBM"],
        start="2009-01-02",
        replay_from="2012-08-20",
        replay_to="2012-08-24",
    )
    assert result.choice.in_sample is not None
    assert result.choice.in_sample[1] < dt.date(2012, 8, 20)
    assert "ranking" in tables(result)
    assert result.view.parity is not None
    assert result.view.parity.is_equal


def test_a_second_run_reads_what_was_computed_from_the_cache(
    replayed: State[PaperTrading],
) -> None:
    assert replayed.is_completed()
    again = paper_trading(account="cached", as_of="2012-08-20", return_state=True, **FAST)
    third = paper_trading(account="cached", as_of="2012-08-20", return_state=True, **FAST)
    runs = task_runs(third.state_details.flow_run_id, expected=11)
    computed = [run for run in runs if "kind:act" not in run.tags]
    acts = {run.name.partition("-")[0] for run in runs if "kind:act" in run.tags}
    assert again.is_completed()
    assert len(computed) >= 5
    assert any("settle" in each for each in acts)


@pytest.mark.parametrize(
    "parameters",
    [
        {"replay_to": "2012-01-03"},
        {"replay_from": "2012-01-03", "replay_to": "2012-01-02"},
        {"replay_from": "2012-01-03", "as_of": "2012-02-02"},
        {"replay_from": "2012-01-03", "execution": "plan"},
        {"execution": "live"},
        {"account": "../main"},
        {"strategy": "sma_cross", "parameters": {"quick": 3}},
        {"sizing": "kelly"},
        {"limits": {"max_drawdown": 0}},
    ],
)
def test_bad_parameters_are_refused_before_a_run_exists(parameters: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        paper_trading.validate_parameters(parameters)


def test_an_account_that_has_lived_longer_is_not_taken_back() -> None:
    paper_trading(account="older", as_of="2012-08-24", **FAST)
    failed = paper_trading(account="older", as_of="2012-08-20", return_state=True, **FAST)
    assert failed.is_failed()
    assert isinstance(failed.result(raise_on_failure=False), ParameterError)


def test_the_command_line_sets_limits_and_dates() -> None:
    words = ["--account", "cli", "--replay-from", "2012-08-20", "--limits.max-drawdown", "0.2"]
    chosen = build_parser("paper_trading", paper_trading).parse_args(words)
    given = given_parameters(paper_trading, chosen)
    checked = paper_trading.validate_parameters(given)
    assert checked["replay_from"] == dt.date(2012, 8, 20)
    assert checked["limits"].max_drawdown == 0.2


def test_the_help_names_no_default_that_nothing_has() -> None:
    text = build_parser("paper_trading", paper_trading).format_help()
    assert "--limits.sectors" in text
    assert not any(f"default: {each}" in text for each in ("Pydantic", ")", "{}"))
