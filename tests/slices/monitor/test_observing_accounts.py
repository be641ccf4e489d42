"""Accounts whose books were written by hand, so that every fact can be worked out on paper."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from slices.domain.accounts import EquityPoint, Mark, TradingMode, TradingState
from slices.domain.exact import ZERO, money
from slices.domain.limits import DEFAULT_LIMITS, ReasonCode, RiskLimits
from slices.domain.observations import AccountFacts
from slices.domain.orders import CashFlow, FlowKind, Order, OrderState, Side
from slices.domain.stops import Stop, StopKind
from slices.ledger.accounts import close_session, open_account
from slices.ledger.booking import book
from slices.ledger.fingerprints import record_traded_with, traded_with
from slices.ledger.opening import Ledger
from slices.ledger.orders import write_answer, write_intents, write_unknown
from slices.ledger.states import set_state, write_halt_file
from slices.ledger.stops import arm_stop
from slices.monitor.observing.accounts import account_facts
from slices.monitor.observing.books import Books
from slices.monitor.observing.curves import thinned
from slices.runtime.settings import load_settings
from tests.support.ledgers import (
    AT,
    CAPITAL,
    SESSION,
    accept,
    answer,
    decision,
    fill,
    intend,
    ledger_at,
    order,
)

LATER = AT + dt.timedelta(days=90)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = ledger_at(f"sqlite:///{tmp_path}/paper.db", tmp_path)
    open_account(opened, "main", capital=CAPITAL, session=SESSION, at=AT)
    yield opened
    opened.close()


def only(ledger: Ledger) -> AccountFacts:
    (found,) = account_facts(ledger, at=LATER)
    return found


def day(number: int) -> dt.date:
    return SESSION + dt.timedelta(days=number)


def close(ledger: Ledger, number: int, **marks: str) -> None:
    """Close a session with prices."""
    at = AT + dt.timedelta(days=number)
    made = [Mark(symbol=name, price=Decimal(each), session=day(number))
            for name, each in marks.items()]  # fmt: skip
    close_session(ledger, "main", session=day(number), marks=made, at=at)


def traded(
    ledger: Ledger, wanted: Order, shares: str, at_price: str, *, commission: str = "0"
) -> None:
    """Fill an order that was accepted."""
    accept(ledger, wanted)
    made = fill(f"f-{wanted.client_order_id}", Decimal(shares), at_price, of=wanted.client_order_id,
                symbol=wanted.symbol, commission=commission)  # fmt: skip
    book(ledger, "main", fills=[made], at=AT)


def test_a_fresh_account_has_its_capital_and_nothing_that_is_not_known(ledger: Ledger) -> None:
    found = only(ledger)
    assert (found.name, found.mode, found.state) == ("main", TradingMode.PAPER, TradingState.ACTIVE)
    assert found.capital == found.equity == found.cash == 100_000
    assert (found.gross, found.net, found.leverage, found.concentration) == (0, 0, 1, 0)
    assert (found.drawdown, found.max_drawdown, found.day_pnl, found.turnover) == (0, 0, 0, 0)
    assert not any((found.orders, found.rejected, found.positions, found.curve))
    unknown = (found.volatility, found.value_at_risk, found.expected_shortfall)
    assert all(map(math.isnan, (*unknown, found.fill_ratio, found.slippage_bps)))


def test_worth_exposure_and_losses_are_those_of_the_books(ledger: Ledger) -> None:
    traded(ledger, order("buy", shares=300), "300", "100", commission="30")
    short = order("sell", shares=200, side=Side.SELL, symbol="MSFT")
    traded(ledger, short, "-200", "50", commission="10")
    close(ledger, 0, AAPL="100", MSFT="50")
    close(ledger, 1, AAPL="110", MSFT="50")
    close(ledger, 2, AAPL="90", MSFT="55")
    found = only(ledger)
    cash = 100_000 - 30_000 - 30 + 10_000 - 10
    equity = cash + 300 * 90 - 200 * 55
    before = cash + 300 * 110 - 200 * 50
    assert (found.cash, found.equity, found.costs) == (cash, equity, 40)
    assert found.day_pnl == equity - before
    assert found.unrealized_pnl == 300 * -10 + 200 * -5
    assert found.gross == pytest.approx((27_000 + 11_000) / equity)
    assert found.net == pytest.approx((27_000 - 11_000) / equity)
    assert found.concentration == pytest.approx(27_000 / equity)
    assert found.leverage == 1
    assert found.drawdown == pytest.approx(1 - equity / before)
    assert found.max_drawdown == pytest.approx(1 - equity / before)
    assert found.turnover == pytest.approx(
        (30_000 + 10_000) / 2 / np.mean([cash + 20_000, before, equity])
    )
    assert [float(each.equity) for each in found.curve] == [cash + 20_000, before, equity]
    assert [each.symbol for each in found.positions] == ["AAPL", "MSFT"]


def test_money_that_is_owed_is_leverage(ledger: Ledger) -> None:
    traded(ledger, order("buy", shares=1500), "1500", "100")
    close(ledger, 0, AAPL="100")
    found = only(ledger)
    assert found.leverage == found.gross == 1.5
    line = next(each for each in found.limits if each.name == "max_leverage")
    assert (line.used, line.is_breached) == (1.5, True)


def test_risk_is_that_of_returns_and_money_paid_in_is_none(ledger: Ledger) -> None:
    returns = np.random.default_rng(5).normal(0, 0.02, size=40)
    prices = 100 * np.cumprod(np.concatenate(([1.0], 1 + returns)))
    traded(ledger, order("buy", shares=1000), "1000", "100")
    for number, each in enumerate(prices):
        close(ledger, number, AAPL=f"{each:.6f}")
        if number == 29:
            assert math.isfinite(only(ledger).volatility), "thirty returns, the first one is 0"
        if number == 28:
            assert math.isnan(only(ledger).value_at_risk)
    found = only(ledger)
    all_returns = np.concatenate(([0.0], returns))
    assert found.volatility == pytest.approx(all_returns.std(ddof=1), rel=1e-4)
    worst = np.sort(all_returns)
    assert found.value_at_risk == pytest.approx(-worst[2], rel=1e-4)
    whole, part = divmod(0.05 * 41, 1)
    tail = -(worst[: int(whole)].sum() + part * worst[int(whole)]) / (0.05 * 41)
    assert found.expected_shortfall == pytest.approx(tail, rel=1e-4)
    peaks = np.maximum.accumulate(prices)
    assert found.max_drawdown == pytest.approx((1 - prices / peaks).max(), rel=1e-4)
    deposit = CashFlow(
        flow_id="in", account="main", kind=FlowKind.DEPOSIT, amount=money(50_000),
        session=day(41), at=AT + dt.timedelta(days=41),
    )  # fmt: skip
    book(ledger, "main", flows=[deposit], at=AT + dt.timedelta(days=41))
    close(ledger, 41, AAPL=f"{prices[-1]:.6f}")
    after = only(ledger)
    assert after.max_drawdown == pytest.approx(found.max_drawdown)
    assert after.volatility == pytest.approx(np.append(all_returns, 0.0).std(ddof=1), rel=1e-4)


def test_orders_are_counted_by_state_and_refusals_by_reason(ledger: Ledger) -> None:
    denied = [order(f"no-{each}") for each in range(3)]
    codes = [(ReasonCode.HALTED,), (ReasonCode.HALTED, ReasonCode.LEVERAGE), (ReasonCode.LEVERAGE,)]
    with ledger.writing() as connection:
        judged = [(each, decision(each, *why)) for each, why in zip(denied, codes, strict=True)]
        write_intents(connection, "main", judged, at=AT)
    accept(ledger, order("open"))
    refused, lost = order("refused"), order("lost")
    intend(ledger, refused, lost)
    write_answer(ledger, "refused", answer(refused, OrderState.REJECTED), at=AT)
    write_unknown(ledger, "lost", "no answer", at=AT)
    found = only(ledger)
    assert dict(found.orders) == {"denied": 3, "accepted": 1, "rejected": 1, "unknown": 1}
    assert dict(found.rejected) == {"halted": 2, "leverage": 1, "rejected_by_broker": 1}
    assert (found.open_orders, found.unknown_orders) == (2, 1)


def test_fills_are_held_against_what_was_ordered(ledger: Ledger) -> None:
    traded(ledger, order("whole", shares=10), "10", "100")
    part = order("part", shares=30)
    traded(ledger, part, "5", "100")
    write_answer(ledger, "part", answer(part, OrderState.CANCELLED), at=AT)
    accept(ledger, order("waits", shares=1000))
    found = only(ledger)
    assert found.fill_ratio == pytest.approx(15 / 40)
    assert found.fills == 2
    assert found.slippage_bps == 0


def test_slippage_is_spread_and_impact_of_what_was_traded(ledger: Ledger) -> None:
    accept(ledger, order("buy", shares=100), order("sell", shares=50, side=Side.SELL))
    one = fill("one", 100, "100", of="buy")
    other = fill("two", -50, "200", of="sell")
    fills = [replace(one, spread=money("3"), impact=money("1")), replace(other, spread=money("6"))]
    book(ledger, "main", fills=fills, at=AT)
    assert only(ledger).slippage_bps == pytest.approx(10 / 20_000 * 1e4)


def test_only_the_newest_thirty_days_of_an_account_are_counted(ledger: Ledger) -> None:
    traded(ledger, order("old"), "10", "100")
    close(ledger, 0, AAPL="100")
    assert only(ledger).fills == 1
    close(ledger, 30, AAPL="100")
    assert (only(ledger).fills, dict(only(ledger).orders)) == (1, {"filled": 1})
    close(ledger, 31, AAPL="100")
    assert (only(ledger).fills, only(ledger).orders) == (0, ())


def test_stops_that_are_armed_are_listed(ledger: Ledger) -> None:
    traded(ledger, order("buy", shares=10), "10", "100")
    for name, kind, level in (("a", StopKind.FIXED, Decimal(90)), ("b", StopKind.TRAILING, None)):
        stop = Stop(stop_id=name, account="main", symbol="AAPL", kind=kind, level=level,
                    trail=0.1 if level is None else None, armed=SESSION)  # fmt: skip
        arm_stop(ledger, stop, at=AT)
    fixed, trailing = only(ledger).stops
    assert (fixed.symbol, fixed.kind, fixed.quantity, fixed.trigger) == ("AAPL", "fixed", 10, 90)
    assert trailing.kind == "trailing"
    assert math.isnan(trailing.trigger)


def test_a_state_and_a_halt_file_are_seen(ledger: Ledger) -> None:
    set_state(ledger, "main", TradingState.REDUCING, reason="a loss", by="test", at=AT)
    assert (only(ledger).state, only(ledger).state_reason) == (TradingState.REDUCING, "a loss")
    write_halt_file(ledger.halt_file, reason="everything", by="test", at=AT)
    assert only(ledger).state is TradingState.HALTED


def test_limits_are_shown_where_they_are_known(ledger: Ledger) -> None:
    assert {each.name for each in only(ledger).limits} >= {"max_drawdown", "max_daily_loss"}
    for number, limits in enumerate((RiskLimits(max_leverage=2.0), DEFAULT_LIMITS)):
        with ledger.writing() as connection:
            record_traded_with(
                connection, "main", day(number), traded_with(limits, code="c"), at=AT
            )
        assert bool(only(ledger).limits) is (limits == DEFAULT_LIMITS)


@pytest.mark.parametrize("count", [1, 499, 500, 501, 2000])
def test_long_curves_keep_their_ends_and_extremes(count: int) -> None:
    values = np.random.default_rng(1).uniform(50, 150, size=count)
    points = [
        EquityPoint(session=day(number), equity=money(float(each)), cash=ZERO,
                    long_value=money(float(each)), short_value=ZERO)
        for number, each in enumerate(values)
    ]  # fmt: skip
    curve = thinned(points, most=500)
    sessions = [each.session for each in curve]
    assert len(curve) == count if count <= 500 else 250 < len(curve) <= 500
    assert sessions == sorted(set(sessions))
    assert (sessions[0], sessions[-1]) == (day(0), day(count - 1))
    assert {day(int(values.argmin())), day(int(values.argmax()))} <= set(sessions)


def test_books_that_are_not_there_are_not_made_and_a_restored_file_is_read_anew(
    fresh_home: str, ledger: Ledger
) -> None:
    books = Books()
    assert books.account_facts(at=AT) == ()
    assert not list(Path(fresh_home).iterdir())
    file = load_settings().ledger_folder / "paper.db"
    file.parent.mkdir()
    ledger.close()
    backup = Path(ledger.name).read_bytes()
    file.write_bytes(backup)
    (found,) = books.account_facts(at=AT)
    assert found.equity == 100_000
    file.replace(file.with_suffix(".aside"))
    assert books.account_facts(at=AT) == ()
    file.write_bytes(backup)
    assert len(books.account_facts(at=AT)) == 1
    books.close()
