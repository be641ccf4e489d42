"""Keeping the stops in the books: armed, triggered and ended once each."""

from __future__ import annotations

import datetime as dt
import math
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from slices.adaptive_portfolio.stops.exits import exit_of, fired_level
from slices.adaptive_portfolio.stops.past import entry_of, past_of
from slices.adaptive_portfolio.stops.standing import (
    default_stop_for,
    end_of,
    is_waiting,
    unguarded,
)
from slices.domain.calendar import session_close
from slices.domain.clock import SystemClock
from slices.domain.exact import price
from slices.domain.stop_monitor import StandingStop, StopBook
from slices.domain.stops import StopStatus
from slices.ledger.accounts import read_book
from slices.ledger.locking import account_lock
from slices.ledger.opening import books_of
from slices.ledger.stops import arm_stop, end_stop, trigger_stop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from slices.adaptive_portfolio.stops.past import Past
    from slices.domain.accounts import AccountBook, Execution
    from slices.domain.dataset import DatasetRef
    from slices.domain.stop_monitor import DefaultStop, StopExit, StopWatch
    from slices.domain.stops import Stop
    from slices.ledger.opening import Ledger

LATELY = dt.timedelta(days=30)
"""How long an exit is shown after it was filled."""


def keep_stops(
    bars: DatasetRef, book: AccountBook, *, default_stop: DefaultStop, execution: Execution
) -> StopBook:
    """Bring the stops of an account up to date: end what has had its day, guard what has none.

    Args:
        bars: In whose newest session and calendar.
        book: The account, up to date.
        default_stop: The stop of positions that have none.
        execution: `plan` writes nothing and tells what would be written.
    """
    session, is_plan = bars.last_session, execution == "plan"
    with books_of(execution) as ledger, _to_itself(ledger, book.name, execution):
        if not is_plan:
            book = read_book(ledger, book.name, curve=False)
        past = past_of(ledger, book.name)
        known = past.stops
        ended = _ended(bars, book, past)
        over = {each.stop_id for each in ended}
        standing = tuple(e for e in known if _stands(e) and e.stop_id not in over)
        made = (
            default_stop_for(each, book.name, default_stop, session=session)
            for each in unguarded(book, standing)
        )
        armed = tuple(each for each in made if each is not None)
        if not is_plan:
            at = instant(bars, execution)
            for each in ended:
                _end(ledger, each, at=at)
            for each in armed:
                arm_stop(ledger, each, at=at)
    moved = {each.stop_id: each for each in (*known, *ended)}
    return StopBook(
        session=session,
        standing=tuple(
            StandingStop(
                stop=each,
                ratio=past.ratio(each),
                order=past.exit_order(each),
                is_waiting=is_waiting(each, book.position(each.symbol), past),
                covers=past.covers(each, book.position(each.symbol)),
            )
            for each in (*standing, *armed)
        ),
        armed=armed,
        ended=ended,
        exits=_exits(tuple(moved.values()), past, since=session - LATELY),
    )


def record_triggers(bars: DatasetRef, watch: StopWatch, *, execution: Execution) -> int:
    """Record every stop that was hit before its exit is sent, so that it never comes up anew.

    Args:
        bars: In whose calendar.
        watch: What was hit, and the exits planned for it.
        execution: `plan` writes nothing.

    Returns:
        How many were armed until now.
    """
    if execution == "plan" or not watch.leaving:
        return 0
    at, account = instant(bars, execution), watch.leaving[0].stop.account
    new = 0
    with books_of(execution) as ledger, account_lock(ledger, account):
        for reading, plan in zip(watch.leaving, watch.plans, strict=True):
            if reading.hit is not None:
                level = reading.hit_level
                new += trigger_stop(
                    ledger,
                    reading.stop.stop_id,
                    session=reading.hit,
                    level=None if math.isnan(level) else price(level),
                    client_order_id=plan.named(account)[0].client_order_id,
                    at=at,
                )
    return new


def instant(bars: DatasetRef, execution: Execution) -> dt.datetime:
    """Return when things are recorded: at the close on paper, now where it is real."""
    if execution == "live":
        return SystemClock().now()
    return session_close(bars.last_session, calendar=bars.calendar)


@contextmanager
def _to_itself(ledger: Ledger, account: str, execution: Execution) -> Iterator[None]:
    """Keep others from trading the account meanwhile; a plan needs nobody to wait."""
    if execution == "plan":
        yield
    else:
        with account_lock(ledger, account):
            yield


def _stands(stop: Stop) -> bool:
    return stop.status in (StopStatus.ARMED, StopStatus.TRIGGERED)


def _end(ledger: Ledger, stop: Stop, *, at: dt.datetime) -> None:
    """Record an end; of a stop that fired at the venue first when, and at what level."""
    if stop.status is StopStatus.DONE and stop.triggered is not None:
        trigger_stop(
            ledger,
            stop.stop_id,
            session=stop.triggered,
            level=stop.triggered_level,
            client_order_id=stop.client_order_id,
            at=at,
        )
    end_stop(ledger, stop.stop_id, stop.status, at=at)


def _ended(bars: DatasetRef, book: AccountBook, past: Past) -> tuple[Stop, ...]:
    found = []
    for each in past.stops:
        end = end_of(each, book.position(each.symbol), past) if _stands(each) else None
        if end is not None:
            found.append(replace(_fired(bars, each, past), status=end))
    return tuple(found)


def _fired(bars: DatasetRef, stop: Stop, past: Past) -> Stop:
    left = past.bracket_exits(stop)
    if not left or stop.status is not StopStatus.ARMED:
        return stop
    return replace(
        stop,
        triggered=left[0].session,
        triggered_level=fired_level(bars, stop, past),
        client_order_id=entry_of(stop),
    )


def _exits(stops: tuple[Stop, ...], past: Past, *, since: dt.date) -> tuple[StopExit, ...]:
    done = (exit_of(each, past) for each in stops if each.status is StopStatus.DONE)
    found = [each for each in done if each is not None and each.filled >= since]
    return tuple(sorted(found, key=lambda each: (each.filled, each.symbol), reverse=True))
