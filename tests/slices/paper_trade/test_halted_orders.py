"""Orders that wait at the venue when trading is halted do not fill."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from slices.domain.accounts import TradingState
from slices.domain.calendar import session_close
from slices.domain.exact import money, price, quantity
from slices.domain.limits import DEFAULT_LIMITS
from slices.domain.orders import OrderKind, OrderState, Side
from slices.domain.paper_trading import SessionsTraded
from slices.domain.trading import OrderPlan, PlannedOrder
from slices.ledger.accounts import open_account, read_book
from slices.ledger.opening import Ledger
from slices.ledger.orders import orders_of
from slices.ledger.path import Step
from slices.ledger.states import release, remove_halt_file, set_state, write_halt_file
from slices.paper_trade import desk
from slices.paper_trade.session import trade_sessions
from slices.paper_trade.venue import PaperBroker
from slices.quant.panel import read_panel
from tests.slices.paper_trade.paper_accounts import LOOSE, books, closes, rule
from tests.slices.quant.market import stored

BARS = closes(symbols=4, sessions=60)
PANEL = read_panel(BARS)
DAYS = PANEL.sessions
FIRST = PANEL.symbols[0]
AT = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)

Halt = Callable[[Ledger, str], object]


def by_file(ledger: Ledger, _account: str) -> None:
    write_halt_file(ledger.halt_file, reason="a test", by="test", at=AT)


def by_state(ledger: Ledger, account: str) -> None:
    set_state(ledger, account, TradingState.HALTED, reason="a test", by="test", at=AT)


def of_everybody(ledger: Ledger, _account: str) -> None:
    by_state(ledger, "")


def order(side: Side = Side.BUY, *, shares: float = 100, stop: float | None = None) -> PlannedOrder:
    return PlannedOrder(
        symbol=FIRST,
        side=side,
        quantity=quantity(shares),
        kind=OrderKind.MARKET if stop is None else OrderKind.STOP,
        stop_price=None if stop is None else price(stop),
    )


def handed_in(account: str, day: dt.date, *orders: PlannedOrder) -> None:
    plan = OrderPlan(workflow="a_flow", strategy="by hand", session=day, orders=orders)
    placed = desk.submit(account, BARS, plan)
    assert [each.state for each in placed.records] == [OrderState.ACCEPTED] * len(orders)


def states(account: str) -> list[OrderState]:
    with books() as ledger:
        return [each.state for each in orders_of(ledger, account)]


@pytest.mark.parametrize("halt", [by_file, by_state, of_everybody])
def test_r34_what_waits_at_the_venue_does_not_fill_after_a_halt(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, halt: Halt
) -> None:
    monkeypatch.setenv("TRADEFLOWS_HOME", str(tmp_path))
    desk.settle("main", BARS, as_of=DAYS[10])
    handed_in("main", DAYS[10], order())
    with books() as ledger:
        halt(ledger, "main")
    book = desk.settle("main", BARS, as_of=DAYS[13])
    assert (book.state, book.session, book.positions) == (TradingState.HALTED, DAYS[13], ())
    assert states("main") == [OrderState.CANCELLED]


def test_r34_what_waits_is_cancelled_at_once_where_no_session_has_passed() -> None:
    desk.settle("at-once", BARS, as_of=DAYS[10])
    handed_in("at-once", DAYS[10], order())
    with books() as ledger:
        by_state(ledger, "at-once")
    assert desk.settle("at-once", BARS, as_of=DAYS[10]).open_orders == ()
    with books() as ledger:
        assert PaperBroker(ledger, "at-once").open_orders() == ()


@pytest.mark.parametrize("state", [TradingState.REDUCING, TradingState.HALTED])
def test_an_account_that_is_restricted_by_itself_keeps_the_orders_that_reduce(
    state: TradingState,
) -> None:
    name = f"only-{state}"
    desk.settle(name, BARS, as_of=DAYS[10])
    handed_in(name, DAYS[10], order())
    desk.settle(name, BARS, as_of=DAYS[11])
    handed_in(name, DAYS[11], order(Side.SELL, shares=40), order())
    with books() as ledger:
        set_state(ledger, name, state, reason="a test", by="test", at=AT)
    book = desk.settle(name, BARS, as_of=DAYS[12])
    assert [each.quantity for each in book.positions] == [quantity(60)]
    assert states(name)[1:] == [OrderState.FILLED, OrderState.CANCELLED]


def test_r34_a_halt_of_everything_takes_back_what_reduces_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TRADEFLOWS_HOME", str(tmp_path))
    desk.settle("main", BARS, as_of=DAYS[10])
    handed_in("main", DAYS[10], order())
    desk.settle("main", BARS, as_of=DAYS[11])
    handed_in("main", DAYS[11], order(Side.SELL, shares=40))
    with books() as ledger:
        by_file(ledger, "main")
    book = desk.settle("main", BARS, as_of=DAYS[12])
    assert [each.quantity for each in book.positions] == [quantity(100)]


def test_r33_a_loss_that_halts_takes_back_what_waits(tmp_path: Path) -> None:
    bars = stored(tmp_path, DAYS[:4], {FIRST: np.array([100.0, 100.0, 100.0, 45.0])})
    limits = DEFAULT_LIMITS.model_copy(update={"max_drawdown": 0.5})
    waits = order(shares=1, stop=105.0)
    plan = OrderPlan(
        workflow="a_flow", strategy="by hand", session=DAYS[1], orders=(order(shares=950),)
    )
    later = OrderPlan(workflow="a_flow", strategy="breakout", session=DAYS[2], orders=(waits,))
    desk.settle("fallen", bars, as_of=DAYS[1], limits=limits)
    desk.submit("fallen", bars, plan, limits=limits)
    desk.settle("fallen", bars, as_of=DAYS[2], limits=limits)
    placed = desk.submit("fallen", bars, later, limits=limits)
    assert [each.state for each in placed.records] == [OrderState.ACCEPTED]
    book = desk.settle("fallen", bars, as_of=DAYS[3], limits=limits)
    assert (book.state, book.open_orders) == (TradingState.HALTED, ())


def test_an_account_killed_before_its_first_close_goes_on_with_bars_that_begin_later(
    tmp_path: Path,
) -> None:
    with books() as ledger:
        at = session_close(DAYS[10])
        open_account(ledger, "late", capital=money(100_000), session=DAYS[10], at=at)
    later = stored(tmp_path, DAYS[12:20], {FIRST: PANEL.close[12:20, 0].copy()})
    book = desk.settle("late", later)
    assert [each.session for each in book.curve] == list(DAYS[12:20])


@pytest.mark.parametrize("halt", [by_file, by_state, of_everybody])
def test_r34_a_halt_ends_a_replay_at_the_session_it_has_finished(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, halt: Halt
) -> None:
    monkeypatch.setenv("TRADEFLOWS_HOME", str(tmp_path))
    decided: list[Step] = []

    def halted_at_the_sixth(step: Step) -> None:
        decided.extend([step] * (step is Step.DECIDED))
        if len(decided) == 6 and step is Step.DECIDED:
            with books() as ledger:
                halt(ledger, "main")

    def replayed(reached: Callable[[Step], object] = decided.append) -> SessionsTraded:
        return trade_sessions(
            "main", BARS, rule(fast=2, slow=5), replay_from=DAYS[20], limits=LOOSE, reached=reached
        )

    stopped = replayed(halted_at_the_sixth)
    assert (stopped.session, stopped.decided, stopped.denied) == (DAYS[25], 6, 0)
    assert "a test" in stopped.stopped
    again = replayed()
    assert (again.session, again.is_repeated, again.denied) == (DAYS[25], True, 0)
    assert again.stopped == stopped.stopped
    with books() as ledger:
        book = read_book(ledger, "main")
        assert (book.session, book.open_orders) == (DAYS[25], ())
        remove_halt_file(ledger.halt_file)
        for name in ("", "main"):
            release(ledger, name, reason="tested", by="test", at=AT)
    on = replayed()
    assert (on.session, on.decided, on.denied, on.stopped) == (DAYS[-1], 34, 0, "")
