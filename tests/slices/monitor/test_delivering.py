"""Sendings: none is forgotten, none is repeated once somebody took it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from slices.domain.alerts import Level
from slices.domain.monitoring import Incident
from slices.monitor.alerts.delivering import (
    Pace,
    Sending,
    asked_about,
    begin,
    due,
    fail,
    take_outcomes,
)
from slices.monitor.alerts.incidents import (
    acknowledge,
    alert_facts,
    silence,
    write_incidents,
)
from slices.monitor.alerts.incidents import incident as read_incident
from slices.monitor.schema import DELIVERIES
from slices.monitor.store import Store, open_store, reading, writing
from slices.runtime.server_events import ActionOutcome

NOW = dt.datetime(2026, 3, 2, 15, 0, tzinfo=dt.UTC)
PACE = Pace(first_seconds=10, most_seconds=40, unheard_seconds=25)
KEY = "data-stale-1"


def seconds(number: float) -> dt.timedelta:
    return dt.timedelta(seconds=number)


def incident(key: str = KEY, *, resolved: dt.datetime | None = None) -> Incident:
    return Incident(
        key=key,
        rule="data-stale",
        subject="feed",
        level=Level.ERROR,
        message="old",
        next_step="load it",
        value=3.0,
        threshold=1.0,
        count=3,
        opened=NOW,
        last_seen=NOW,
        resolved=resolved,
    )


@dataclass
class Desk:
    """A store, and what is done with it at a time that moves on."""

    store: Store
    at: dt.datetime = NOW
    sent: list[Sending] = field(default_factory=list)

    def has(self, *incidents: Incident) -> None:
        with writing(self.store) as connection:
            write_incidents(connection, incidents)

    def send(self, key: str = KEY) -> Sending:
        self.sent.append(begin(self.store, read_incident(self.store, key), at=self.at))
        return self.sent[-1]

    def wait(self, number: float) -> None:
        self.at += seconds(number)

    def due(self) -> tuple[str, ...]:
        return due(self.store, at=self.at, pace=PACE)

    def outcome(
        self, sending: Sending, *, action: str = "send-notification", reason: str = ""
    ) -> tuple[str, ...]:
        outcome = ActionOutcome(
            event_id=sending.event_id,
            succeeded=not reason,
            action=action,
            reason=reason,
            at=self.at,
        )
        return take_outcomes(self.store, [outcome])

    def failures(self) -> list[str]:
        with reading(self.store) as connection:
            query = select(DELIVERIES.c.failure).order_by(DELIVERIES.c.attempt)
            return list(connection.scalars(query))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    store = open_store(tmp_path / "monitor")
    opened = Desk(store=store)
    opened.has(incident())
    yield opened
    store.close()


def test_what_a_receiver_took_is_not_sent_again(desk: Desk) -> None:
    sending = desk.send()
    assert (sending.attempt, sending.is_end) == (1, False)
    assert desk.outcome(sending) == (KEY,)
    desk.wait(100_000)
    assert desk.due() == ()
    assert read_incident(desk.store, KEY).delivered == NOW
    assert desk.outcome(sending) == ()


def test_what_failed_is_due_ever_less_often(desk: Desk) -> None:
    for pause in (10, 20, 40, 40, 40):
        desk.outcome(desk.send(), reason="refused")
        desk.wait(pause - 0.1)
        assert desk.due() == ()
        desk.wait(0.1)
        assert desk.due() == (KEY,)
    assert [each.attempt for each in desk.sent] == [1, 2, 3, 4, 5]


def test_what_nobody_speaks_of_is_given_more_time(desk: Desk) -> None:
    desk.send()
    desk.wait(24.9)
    assert desk.due() == ()
    desk.wait(0.1)
    assert desk.due() == (KEY,)
    desk.outcome(desk.sent[-1], reason="timed out")
    assert desk.due() == (KEY,)


def test_a_success_ends_the_failures_before_it(desk: Desk) -> None:
    desk.outcome(desk.send(), reason="refused")
    desk.outcome(desk.send(), reason="refused")
    assert alert_facts(desk.store, at=desk.at).undelivered == 1
    desk.outcome(desk.send())
    assert alert_facts(desk.store, at=desk.at).undelivered == 0
    assert alert_facts(desk.store, at=desk.at).delivered == 1
    desk.wait(3600)
    assert desk.due() == ()
    desk.outcome(desk.send(), reason="refused")
    desk.wait(10)
    assert desk.due() == (KEY,)


def test_a_late_success_settles_what_was_sent_in_its_place(desk: Desk) -> None:
    first = desk.send()
    desk.wait(30)
    desk.send()
    assert desk.outcome(first) == (KEY,)
    desk.wait(3600)
    assert desk.due() == ()


def test_a_late_failure_does_not_undo_a_success(desk: Desk) -> None:
    sending = desk.send()
    desk.outcome(sending)
    desk.outcome(sending, reason="another receiver refused")
    desk.wait(3600)
    assert desk.due() == ()


def test_the_success_of_a_message_before_does_not_settle_a_new_one(desk: Desk) -> None:
    first = desk.send()
    desk.outcome(first)
    second = desk.send()
    assert desk.outcome(first) == ()
    desk.wait(25)
    assert desk.due() == (KEY,)
    assert desk.outcome(second) == (KEY,)


def test_starting_a_deployment_is_no_delivery_and_is_done_once(desk: Desk) -> None:
    sending = desk.send()
    assert (sending.runs, sending.pauses) == (True, True)
    assert desk.outcome(sending, action="run-deployment") == ()
    desk.wait(25)
    assert desk.due() == (KEY,)
    again = desk.send()
    assert (again.runs, again.pauses) == (False, True)
    desk.outcome(again, action="pause-deployment")
    assert desk.send().pauses is False


def test_a_deployment_that_could_not_be_started_is_started_again(desk: Desk) -> None:
    desk.outcome(desk.send(), action="run-deployment", reason="no such deployment")
    assert desk.send().runs is True


def test_what_is_worse_starts_its_deployment_too(desk: Desk) -> None:
    desk.outcome(desk.send(), action="run-deployment")
    worse = Incident(**{**vars(read_incident(desk.store, KEY)), "level": Level.CRITICAL})
    desk.has(worse)
    assert desk.send().runs is True


def test_where_nobody_is_to_be_told_doing_nothing_is_enough(desk: Desk) -> None:
    assert desk.outcome(desk.send(), action="do-nothing") == (KEY,)


def test_what_somebody_takes_care_of_waits_no_longer(desk: Desk) -> None:
    desk.outcome(desk.send(), reason="refused")
    desk.wait(100)
    acknowledge(desk.store, KEY, by="ann", at=desk.at)
    assert desk.due() == ()
    assert alert_facts(desk.store, at=desk.at).undelivered == 0


def test_what_is_silenced_waits_until_the_silence_ends(desk: Desk) -> None:
    desk.outcome(desk.send(), reason="refused")
    until = desk.at + seconds(600)
    silence(desk.store, rule="data-stale", until=until, by="ann", reason="moving house")
    desk.wait(599)
    assert desk.due() == ()
    desk.wait(2)
    assert desk.due() == (KEY,)


def test_an_end_is_told_to_whom_the_beginning_was_told(desk: Desk) -> None:
    desk.outcome(desk.send())
    desk.has(Incident(**{**vars(read_incident(desk.store, KEY)), "resolved": NOW + seconds(60)}))
    sending = desk.send()
    assert (sending.attempt, sending.is_end) == (2, True)
    told = read_incident(desk.store, KEY)
    assert told.notified is not None
    assert told.resolved is not None
    assert told.notified >= told.resolved


def test_an_end_nobody_knew_the_beginning_of_is_told_as_the_whole(desk: Desk) -> None:
    desk.outcome(desk.send(), reason="refused")
    desk.has(Incident(**{**vars(read_incident(desk.store, KEY)), "resolved": NOW + seconds(60)}))
    desk.wait(100)
    assert desk.due() == (KEY,)
    assert desk.send().is_end is False


def test_incidents_wait_each_for_themselves_the_oldest_first(desk: Desk) -> None:
    desk.has(incident("b"), incident("a"))
    desk.outcome(desk.send("b"), reason="refused")
    desk.wait(1)
    desk.outcome(desk.send("a"), reason="refused")
    desk.outcome(desk.send(), reason="")
    desk.wait(30)
    assert desk.due() == ("b", "a")


def test_only_what_is_open_is_asked_about(desk: Desk) -> None:
    desk.outcome(desk.send(), reason="refused")
    desk.wait(60)
    taken = desk.send()
    desk.outcome(taken)
    assert dict(asked_about(desk.store, at=desk.at)) == {
        each.event_id: NOW + seconds(60 * (each.attempt - 1)) for each in desk.sent
    }
    desk.wait(3600)
    assert asked_about(desk.store, at=desk.at) == ()
    waiting = desk.send()
    desk.wait(3600)
    assert [event_id for event_id, _ in asked_about(desk.store, at=desk.at)] == [waiting.event_id]


def test_outcomes_of_events_of_others_are_passed_over(desk: Desk) -> None:
    outcome = ActionOutcome(
        event_id="not-ours", succeeded=True, action="send-notification", reason="", at=NOW
    )
    assert take_outcomes(desk.store, [outcome]) == ()


def test_a_clock_that_was_set_back_does_not_hold_anything_back(desk: Desk) -> None:
    desk.outcome(desk.send(), reason="refused")
    desk.wait(-86_400)
    assert desk.due() == (KEY,)


def test_what_was_written_down_and_never_sent_is_due(desk: Desk) -> None:
    desk.send()
    desk.store.close()
    desk.store = open_store(desk.store.folder)
    desk.wait(25)
    assert desk.due() == (KEY,)


def test_why_it_failed_is_kept(desk: Desk) -> None:
    fail(desk.store, desk.send().event_id, "the server is away")
    desk.outcome(desk.send(), reason="Notification failed")
    desk.send()
    desk.send()
    first, second, third, last = desk.failures()
    assert (first, second) == ("the server is away", "Notification failed")
    assert third
    assert not last


@given(
    failures=st.integers(1, 10_000),
    first=st.floats(0.1, 100),
    most=st.floats(100, 10_000),
    unheard=st.floats(0, 200),
)
def test_pauses_grow_and_have_an_end(
    failures: int, first: float, most: float, unheard: float
) -> None:
    pace = Pace(first_seconds=first, most_seconds=most, unheard_seconds=unheard)
    one, next_one = (pace.pause(failures + n, is_unheard=False) for n in (0, 1))
    assert seconds(first) <= one <= next_one <= seconds(most)
    assert pace.pause(failures, is_unheard=True) >= max(one, seconds(unheard))
