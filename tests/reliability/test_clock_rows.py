"""Clocks that are changed: at the exchange twice a year, on the machine at any time."""

from __future__ import annotations

import asyncio
import datetime as dt
import sys
import time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from prefect.server.schemas.schedules import CronSchedule

from slices.domain.accounts import Mark, TradingState
from slices.domain.calendar import session_close, sessions_between
from slices.domain.exact import price
from slices.domain.orders import OrderState
from slices.domain.strategies import StrategyName
from slices.ledger.accounts import close_session, open_account
from slices.ledger.booking import book
from slices.ledger.journal import entries
from slices.ledger.orders import orders_of, write_answer
from slices.ledger.states import release, set_state
from slices.ledger.verifying import verify
from slices.paper_trade.session import trade_sessions
from tests.slices.paper_trade.paper_accounts import ohlcv, rule
from tests.support.ledgers import AT, CAPITAL, SESSION, answer, fill, intend, ledger_at, order
from tests.support.server import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import FrameType

NEW_YORK = ZoneInfo("America/New_York")
WEEK = dt.timedelta(days=7)
HOUR = dt.timedelta(hours=1)
CHANGES = [dt.date(2026, 3, 8), dt.date(2026, 11, 1)]
PROVIDER_DELAY = dt.timedelta(minutes=30)

TIMES = {
    "after-close": [(17, 30)],
    "evening": [(18, 30)],
    "monthly": [(17, 30)],
    "hourly": [(hour, 5) for hour in range(10, 17)],
    "first-half-hour": [(9, minute) for minute in range(35, 60, 5)],
    "while-open": [(hour, minute) for hour in range(10, 16) for minute in range(0, 60, 5)],
}
"""When each schedule is meant to run, in exchange time."""


def written() -> set[tuple[str, str, str]]:
    """Name, times and zone of every schedule of a deployment."""
    deployed = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    every = [each for one in deployed for each in one.get("schedules", ())]
    return {(each["slug"], each["cron"], each["timezone"]) for each in every}


def schedules() -> dict[str, CronSchedule]:
    return {name: CronSchedule(cron=cron, timezone=zone) for name, cron, zone in written()}


def fired(schedule: CronSchedule, start: dt.datetime, end: dt.datetime) -> list[dt.datetime]:
    dates = asyncio.run(schedule.get_dates(start=start, end=end))
    return [each.astimezone(dt.UTC) for each in dates]


def is_meant(name: str, day: dt.date) -> bool:
    return day.weekday() == 0 and day.day <= 7 if name == "monthly" else day.weekday() < 5


def meant(name: str, first: dt.date, days: int) -> list[dt.datetime]:
    every = [first + dt.timedelta(days=each) for each in range(days)]
    return [
        dt.datetime(day.year, day.month, day.day, *clock, tzinfo=NEW_YORK).astimezone(dt.UTC)
        for day in every
        if is_meant(name, day)
        for clock in TIMES[name]
    ]


def midnight(day: dt.date) -> dt.datetime:
    return dt.datetime(day.year, day.month, day.day, tzinfo=NEW_YORK).astimezone(dt.UTC)


def test_r20_every_schedule_is_one_of_those_looked_at_here() -> None:
    assert sorted(name for name, *_ in written()) == sorted(TIMES)


@pytest.mark.parametrize("change", CHANGES, ids=str)
@pytest.mark.parametrize("name", TIMES)
def test_r20_a_schedule_runs_once_at_its_exchange_time_when_clocks_change(
    name: str, change: dt.date
) -> None:
    first, last = change - WEEK, change + WEEK
    found = fired(schedules()[name], midnight(first), midnight(last))
    assert found == meant(name, first, 14)
    assert len({each.astimezone(NEW_YORK).utcoffset() for each in found}) == 2 or name == "monthly"


@pytest.mark.parametrize("change", CHANGES, ids=str)
@pytest.mark.parametrize("name", TIMES)
def test_r20_a_server_whose_clock_jumps_asks_for_the_same_instants_again(
    name: str, change: dt.date
) -> None:
    """Prefect orders one run for one instant of a schedule, however often it is asked for."""
    schedule, end = schedules()[name], midnight(change + dt.timedelta(days=2))
    whole = fired(schedule, midnight(change - dt.timedelta(days=3)), end)
    for hours in range(-20, 44):
        start = midnight(change) + hours * HOUR
        assert fired(schedule, start, end) == [each for each in whole if each >= start]


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_r20_the_daily_schedule_finds_the_bars_of_its_session_final(change: dt.date) -> None:
    first, last = change - WEEK, change + WEEK
    found = {
        each.astimezone(NEW_YORK).date(): each
        for each in fired(schedules()["after-close"], midnight(first), midnight(last))
    }
    for session in sessions_between(first, last - dt.timedelta(days=1)):
        assert found[session] >= session_close(session) + PROVIDER_DELAY


def lived(folder: Path, clock: Callable[[int], dt.datetime]) -> None:
    """Write, book, close and halt, each at what the clock shows, and check every duration."""
    ledger = ledger_at(f"sqlite:///{folder}/ledger/paper.db", folder)
    open_account(ledger, "main", capital=CAPITAL, session=SESSION, at=clock(0))
    bought, cancelled = order("tf-bought"), order("tf-cancelled", symbol="MSFT")
    intend(ledger, bought, cancelled, at=clock(1))
    write_answer(ledger, "tf-bought", answer(bought, OrderState.ACCEPTED), at=clock(2))
    write_answer(ledger, "tf-cancelled", answer(cancelled, OrderState.CANCELLED), at=clock(3))
    book(ledger, "main", fills=[fill("f", 10, of="tf-bought")], at=clock(4))
    marks = [Mark(symbol="AAPL", price=price(101), session=SESSION)]
    close_session(ledger, "main", session=SESSION, marks=marks, at=clock(5))
    set_state(ledger, "main", TradingState.HALTED, reason="test", by="test", at=clock(6))
    release(ledger, "main", reason="test", by="test", at=clock(7))
    orders = orders_of(ledger, "main")
    instants = [each.at for each in entries(ledger, account="main")]
    assert [each.state for each in orders] == [OrderState.FILLED, OrderState.CANCELLED]
    assert all(each.updated_at >= each.decided_at for each in orders)
    assert len(instants) >= 8
    assert instants == sorted(instants)
    assert verify(ledger).is_whole
    ledger.close()


@pytest.mark.parametrize("jump", [-HOUR, HOUR], ids=["back", "forward"])
@pytest.mark.parametrize("step", range(1, 8))
def test_r20_a_clock_that_jumps_between_two_steps_makes_no_negative_duration(
    tmp_path: Path, step: int, jump: dt.timedelta
) -> None:
    lived(
        tmp_path, lambda now: AT + dt.timedelta(seconds=now) + (jump if now >= step else 0 * HOUR)
    )


class Readers:
    """Who of this project asks the machine for the time of day, while a block runs."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def __enter__(self) -> Readers:
        sys.setprofile(self._called)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _called(self, frame: FrameType, event: str, called: Any) -> None:
        if event == "c_call" and (called is time.time or _is_now(called)):
            self.found.append(frame.f_globals.get("__name__", ""))


def _is_now(called: Any) -> bool:
    owner = getattr(called, "__self__", None)
    is_date = isinstance(owner, type) and issubclass(owner, dt.date)
    return is_date and called.__name__ in {"now", "utcnow", "today"}


def test_r20_who_reads_the_clock_is_noticed() -> None:
    with Readers() as readers:
        dt.datetime.now(tz=dt.UTC)
        time.time()
    assert readers.found == [__name__, __name__]


@pytest.mark.slow
def test_r20_paper_sessions_never_read_the_clock_of_the_machine() -> None:
    bars, chosen = ohlcv(), rule(StrategyName.MACD, fast=5, slow=12, signal=4)
    first = dt.date(2013, 1, 2)

    def trade(until: dt.date) -> int:
        traded = trade_sessions("clockless", bars, chosen, replay_from=first, replay_to=until)
        return traded.placed

    trade(first)
    with Readers() as readers:
        assert trade(dt.date(2013, 1, 31)) > 0
    assert not [each for each in readers.found if each.startswith("slices")]
