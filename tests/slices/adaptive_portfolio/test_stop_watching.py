"""Stops of paper accounts: hit, left once, told honestly, ended with their positions."""

from __future__ import annotations

import os
import subprocess
import sys
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from slices.adaptive_portfolio.stops.findings import headline
from slices.domain.errors import ParameterError
from slices.domain.orders import Bracket, Side
from slices.domain.stop_monitor import DefaultStop
from slices.domain.stops import StopKind, StopStatus
from slices.domain.trading import StopRule
from slices.ledger.booking import fills_of
from slices.ledger.stops import stops_of
from tests.slices.adaptive_portfolio.stop_accounts import bought, days, look, market
from tests.slices.paper_trade.paper_accounts import books, dumped
from tests.support.frames import repository

if TYPE_CHECKING:
    from pathlib import Path

    from slices.domain.dataset import DatasetRef

FIXED = StopRule(kind=StopKind.FIXED, level=Decimal(95))


def statuses(account: str) -> list[StopStatus]:
    with books() as ledger:
        return [each.status for each in stops_of(ledger, account)]


def test_r35_a_gap_through_the_level_is_told_at_the_real_fill() -> None:
    bars = market(
        {"X": [100.0, 100.0, 100.0, 88.0, 84.0]}, {"X": [100.0, 100.0, 100.0, 90.0, 85.0]}
    )
    bought(bars, FIXED, account="gap", back=5)
    hit = look(bars, back=2, account="gap")
    (leaving,) = hit.watch.leaving
    assert (leaving.hit, leaving.hit_level) == (days()[-2], 95.0)
    assert leaving.distance == pytest.approx((88 - 95) / 88)
    assert hit.placed[0].records[0].order.reduce_only
    filled = look(bars, account="gap")
    (left,) = filled.stops.exits
    assert (left.level, left.price, left.filled) == (95.0, 85.0, days()[-1])
    assert left.beyond == pytest.approx(10 / 95)
    assert left.beyond_money == pytest.approx(1000.0)
    assert filled.book.positions == ()
    assert statuses("gap") == [StopStatus.DONE]


def test_looking_again_changes_nothing() -> None:
    bars = market({"X": [100.0, 100.0, 100.0, 90.0, 91.0, 92.0]})
    bought(bars, FIXED, account="again", back=6)
    look(bars, back=3, account="again")
    before = dumped("again")
    assert look(bars, back=3, account="again").watch.leaving == ()
    assert dumped("again") == before
    for back in (2, 1, 1):
        look(bars, back=back, account="again")
    with books() as ledger:
        assert [each.quantity for each in fills_of(ledger, "again")] == [100, -100]


def test_a_plan_shows_the_exit_and_writes_nothing() -> None:
    bars = market({"X": [100.0, 100.0, 100.0, 90.0, 91.0, 92.0]})
    bought(bars, FIXED, account="shown", back=6)
    look(bars, back=4, account="shown")
    before = dumped("shown")
    seen = look(bars, back=3, account="shown", execution="plan")
    assert [each.stop.symbol for each in seen.watch.leaving] == ["X"]
    assert seen.placed[0].decisions[0].is_accepted
    assert dumped("shown") == before


def test_two_stops_of_a_position_make_one_exit_and_end_with_it() -> None:
    bars = market({"X": [100.0, 100.0, 104.0, 90.0, 91.0]})
    bought(bars, FIXED, StopRule(kind=StopKind.TRAILING, trail=0.05), account="two", back=5)
    assert len(look(bars, back=2, account="two").watch.plans) == 1
    look(bars, account="two")
    assert sorted(statuses("two")) == [StopStatus.CANCELLED, StopStatus.DONE]
    with books() as ledger:
        assert len(fills_of(ledger, "two")) == 2


def test_a_short_position_is_bought_back_above_its_stop() -> None:
    bars = market({"X": [100.0, 100.0, 100.0, 106.0, 107.0]})
    rule = StopRule(kind=StopKind.FIXED, level=Decimal(105))
    bought(bars, rule, account="short", side=Side.SELL, back=5)
    look(bars, back=2, account="short")
    after = look(bars, account="short")
    assert after.book.positions == ()
    assert after.stops.exits[0].beyond == pytest.approx(2 / 105)


def test_a_stop_by_time_and_a_target_leave_too() -> None:
    bars = market({"X": [100.0, 100.0, 101.0, 102.0, 103.0], "Y": [50.0, 50.0, 50.0, 56.0, 57.0]})
    bought(bars, StopRule(kind=StopKind.TIME, most_sessions=3), account="other", back=5)
    target = StopRule(kind=StopKind.TARGET, level=Decimal(55))
    bought(bars, target, symbol="Y", account="other", back=5)
    hit = look(bars, back=2, account="other").watch.leaving
    assert {each.stop.kind for each in hit} == {StopKind.TIME, StopKind.TARGET}
    after = look(bars, account="other")
    assert after.book.positions == ()
    assert {each.kind for each in after.stops.exits} == {StopKind.TIME, StopKind.TARGET}


def test_a_position_without_a_stop_gets_one_once() -> None:
    bars = market({"X": [100.0, 100.0, 100.0, 100.0, 88.0]})
    bought(bars, account="bare", back=5)
    rule = DefaultStop(kind="fixed", fraction=0.1)
    (loose,) = look(bars, back=4, account="bare").watch.unguarded
    assert (loose.symbol, loose.shares, loose.is_whole) == ("X", 100, True)
    assert len(look(bars, back=3, account="bare", default_stop=rule).stops.armed) == 1
    assert look(bars, back=3, account="bare", default_stop=rule).stops.armed == ()
    found = look(bars, account="bare", default_stop=rule)
    assert [each.hit_level for each in found.watch.leaving] == [90.0]


def test_a_bracket_that_filled_ends_its_stops_without_another_exit() -> None:
    bars = market({"X": [100.0, 100.0, 100.0, 90.0, 91.0]})
    bought(bars, FIXED, account="bracket", bracket=Bracket(stop_loss_price=95.0), back=5)
    seen = look(bars, back=2, account="bracket")
    assert seen.watch.plans == ()
    (left,) = seen.stops.exits
    assert (left.triggered, left.filled, left.level) == (days()[-2], days()[-2], 95.0)
    assert left.gain == pytest.approx(100 * (left.price - 100))
    assert statuses("bracket") == [StopStatus.DONE]
    with books() as ledger:
        (stop,) = stops_of(ledger, "bracket")
    assert (stop.triggered, stop.triggered_level) == (days()[-2], Decimal(95))
    said = headline(seen.stops, seen.watch, [], execution="paper")
    assert said.startswith(f"X left on {days()[-2]} at {left.price:,.2f} by its fixed stop, a loss")
    before = dumped("bracket")
    assert headline_again(bars) == said
    assert dumped("bracket") == before


def headline_again(bars: DatasetRef) -> str:
    seen = look(bars, back=2, account="bracket")
    return headline(seen.stops, seen.watch, [], execution="paper")


def test_of_the_stops_of_a_bracket_the_one_that_fired_is_done() -> None:
    bars = market({"X": [100.0, 100.0, 110.0, 104.0, 98.0, 98.0]})
    rules = (
        StopRule(kind=StopKind.TRAILING, trail=0.1),
        StopRule(kind=StopKind.TARGET, level=Decimal(130)),
    )
    bracket = Bracket(trail=0.1, take_profit_price=130.0)
    bought(bars, *rules, account="trails", bracket=bracket, back=6)
    (left,) = look(bars, account="trails").stops.exits
    assert (left.kind, left.triggered) == (StopKind.TRAILING, days()[-2])
    assert left.level == pytest.approx(99.0)
    assert statuses("trails") == [StopStatus.DONE, StopStatus.CANCELLED]


def test_a_bracket_guards_the_shares_of_its_order_alone() -> None:
    bars = market({"X": [100.0, 100.0, 100.0, 100.0, 90.0, 90.0]})
    bought(bars, account="partly", shares=50, back=20)
    bracket = Bracket(stop_loss_price=95.0)
    bought(bars, FIXED, account="partly", shares=18, bracket=bracket, back=6)
    before = look(bars, back=3, account="partly")
    (reading,), (loose,) = before.watch.readings, before.watch.unguarded
    assert (reading.quantity, reading.at_risk) == (18, pytest.approx(18 * 5.0))
    assert (loose.symbol, loose.shares, loose.is_whole) == ("X", 50, False)
    equity = float(before.book.equity)
    assert before.watch.before.unguarded == pytest.approx(5000 / equity)
    assert before.watch.before.at_risk == pytest.approx(18 * 5.0 / equity)
    after = look(bars, back=2, account="partly")
    assert after.watch.plans == after.watch.readings == ()
    assert [(each.shares, each.is_whole) for each in after.watch.unguarded] == [(50, True)]
    assert [each.quantity for each in after.stops.exits] == [-18]
    assert statuses("partly") == [StopStatus.DONE]


def test_an_exit_of_a_part_leaves_the_rest_and_calls_it_unguarded() -> None:
    bars = market({"X": [100.0, 100.0, 100.0, 90.0, 90.0, 90.0]})
    bought(bars, account="rest", shares=50, back=20)
    bracket = Bracket(stop_loss_price=50.0)
    bought(bars, FIXED, account="rest", shares=18, bracket=bracket, back=6)
    seen = look(bars, back=3, account="rest")
    assert [each.orders[0].quantity for each in seen.watch.plans] == [18]
    assert seen.watch.after.at_risk == 0
    assert seen.watch.after.unguarded == pytest.approx(50 * 90 / float(seen.book.equity))
    after = look(bars, back=2, account="rest")
    assert after.book.held("X") == 50
    assert look(bars, account="rest").watch.plans == ()
    assert statuses("rest") == [StopStatus.DONE]


def test_a_stop_waits_while_its_order_does() -> None:
    bars = market({"X": [100.0, 100.0, 100.0, 100.0, 100.0]})
    bought(bars, FIXED, account="waits", back=5)
    seen = look(bars, back=5, account="waits")
    assert [each.is_waiting for each in seen.stops.standing] == [True]
    assert statuses("waits") == [StopStatus.ARMED]


def test_bars_that_begin_after_a_stop_was_armed_are_refused() -> None:
    from slices.adaptive_portfolio.stops.reading import guarded_by, track_of
    from slices.quant.panel import read_panel

    bars = market({"X": [100.0, 100.0, 100.0, 100.0, 100.0]})
    bought(bars, FIXED, account="begins", back=5)
    seen = look(bars, account="begins")
    panel = read_panel(bars)
    late = track_of(panel.between(len(panel.sessions) - 2, len(panel.sessions)), "X")
    with pytest.raises(ParameterError, match="start"):
        guarded_by(seen.watch.readings[0].stop, seen.book.positions[0], late, ratio=1.0)


def ran(what: str, home: Path) -> list[list[str]]:
    """Run `stop_accounts` and return the words of its lines."""
    words = [sys.executable, "-m", "tests.slices.adaptive_portfolio.stop_accounts", what]
    found = subprocess.run(
        words,
        cwd=repository(),
        env={**os.environ, "TRADEFLOWS_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr[-2000:]
    return [line.split() for line in found.stdout.splitlines()]


@pytest.mark.slow
def test_r23_a_monitor_killed_at_any_step_leaves_once(tmp_path: Path) -> None:
    (steps, exits, states, whole), *rounds = ran("kills", tmp_path)
    assert int(steps) == 13
    assert [each.partition("-")[0] for each in exits.split(",")] == ["X", "Y"]
    assert states == "cancelled,cancelled,done,done"
    assert len(rounds) == 5
    assert {code for _, code, *_ in rounds} == {"-9"}
    assert {books for *_, books in rounds} == {whole}


@pytest.mark.slow
def test_r23_a_monitor_killed_and_looking_again_a_session_later_leaves_once(tmp_path: Path) -> None:
    rounds = ran("late", tmp_path)
    assert {code for _, code, *_ in rounds} == {"-9"}
    for _, _, exits, states, _ in rounds:
        assert sorted(each.partition("@")[0] for each in exits.split(",")) == ["X-100", "Y-100"]
        assert states == "cancelled,cancelled,done,done"


@pytest.mark.slow
def test_r16_two_monitors_at_once_leave_once(tmp_path: Path) -> None:
    ((one, other, exits, states, _),) = ran("race", tmp_path)
    assert (one, other) == ("0", "0")
    assert sorted(each.partition("@")[0] for each in exits.split(",")) == ["X-100", "Y-100"]
    assert states == "cancelled,cancelled,done,done"
