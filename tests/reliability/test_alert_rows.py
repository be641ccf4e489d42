"""An alert storm is one message, and no receiver that fails makes an alert disappear."""

from __future__ import annotations

import datetime as dt
import math
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from prefect.blocks.webhook import Webhook
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.events.actions import CallWebhook
from prefect.events.filters import EventFilter, EventNameFilter, EventOccurredFilter
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from pydantic import SecretStr

from flows.cli import main
from flows.operations.observing import Observer
from slices.domain.accounts import Mark, TradingMode, TradingState
from slices.domain.alerts import AlertFired, DataStale, Level
from slices.domain.exact import price
from slices.domain.monitoring import AlertRule
from slices.ledger.accounts import close_session, open_account
from slices.ledger.booking import book
from slices.ledger.journal import entries
from slices.ledger.opening import Ledger, ledger_for
from slices.ledger.states import trading_state
from slices.monitor.alerts.incidents import open_incidents
from slices.monitor.store import Store, open_store
from slices.runtime.events import emit
from slices.runtime.server_events import ActionOutcome, action_outcomes, send
from tests.support.ledgers import AT, CAPITAL, SESSION, accept, fill, order
from tests.support.watching import (
    Receiver,
    attempts,
    is_delivered,
    look_until,
    telling,
    wait_until,
    watch_of,
)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("fresh_home")]

STALE = AlertRule(
    name="data-stale",
    level=Level.WARNING,
    title="Data are old",
    next_step="Load them.",
    events=(DataStale.name,),
)


FIRED = AlertFired(
    subject="webhook",
    level=Level.INFO,
    message="a test",
    incident="webhook-1",
    rule="webhook",
    attempt=1,
    count=1,
    value=math.nan,
    threshold=math.inf,
    opened="2026-03-02",
    next_step="",
    halts=False,
    runs="",
    pauses="",
)


def called(block: Webhook) -> AutomationCore:
    """An automation that calls a webhook for events about the subject `webhook`."""
    assert block._block_document_id is not None
    return AutomationCore(
        name="webhook of a test",
        trigger=EventTrigger(
            match={"prefect.resource.name": "webhook", "tradeflows.rule": "webhook"},
            expect={AlertFired.name},
            for_each={"tradeflows.attempt"},
            posture=Posture.Reactive,
            threshold=1,
            within=dt.timedelta(minutes=5),
        ),
        actions=[CallWebhook(block_document_id=block._block_document_id, payload='{"title": "x"}')],
    )


def outcome_of_sending(
    client: SyncPrefectClient, attempt: int, *, since: dt.datetime
) -> ActionOutcome:
    """Send it again until it is acted on: a server learns of automations a moment later."""
    sent: list[str] = []
    for again in range(30):
        sent.append(str(uuid4()))
        event = replace(FIRED, attempt=attempt * 100 + again)
        send(client, event, event_id=sent[-1], at=dt.datetime.now(dt.UTC))
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline:
            for each in action_outcomes(client, since=since, event_ids=sent):
                if each.action == "call-webhook":
                    return each
            time.sleep(0.1)
    raise AssertionError("it never came to that")


def stale(*, level: Level = Level.WARNING) -> DataStale:
    return DataStale(subject="feed", level=level, message="feed is old", missing_sessions=3)


@pytest.fixture(scope="module")
def receiver(api_url: str) -> Iterator[Receiver]:
    """A receiver that the automations of the server send to."""
    made = Receiver()
    made.start()
    with telling(api_url, SecretStr(made.url)):
        yield made
    made.stop()


@pytest.fixture
def taken(receiver: Receiver) -> list[dict[str, str]]:
    """What the receiver takes from now on."""
    receiver.taken.clear()
    receiver.status, receiver.hook = 200, lambda _: None
    return receiver.taken


@pytest.fixture
def store(fresh_home: str) -> Iterator[Store]:
    opened = open_store(Path(fresh_home) / "monitor")
    yield opened
    opened.close()


@pytest.fixture
def paper(fresh_home: str) -> Iterator[Ledger]:
    """Books with one account, `main`, that holds little else than shares."""
    ledger = ledger_for(TradingMode.PAPER)
    open_account(ledger, "main", capital=CAPITAL, session=SESSION, at=AT)
    bought = order("all-in", shares=900)
    accept(ledger, bought)
    book(ledger, "main", fills=[fill("f1", 900, 100, of="all-in", day=1)], at=AT)
    close(ledger, day=1, at_price=100)
    yield ledger
    ledger.close()


def close(ledger: Ledger, *, day: int, at_price: float) -> None:
    session = SESSION + dt.timedelta(days=day)
    mark = Mark(symbol="AAPL", price=price(at_price), session=session)
    close_session(ledger, "main", session=session, marks=[mark], at=AT + dt.timedelta(days=day))


def streamed(since: dt.datetime) -> int:
    """Count the events about stale data that the server has."""
    until = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1)
    wanted = EventFilter(
        event=EventNameFilter(name=[DataStale.name]),
        occurred=EventOccurredFilter(since=since, until=until),
    )
    with get_client(sync_client=True) as client:
        return client.read_events(wanted, limit=50).total


def test_storm_ten_thousand_identical_events_are_one_message_with_their_count(
    api_url: str, taken: list[dict[str, str]], store: Store
) -> None:
    begun = dt.datetime.now(dt.UTC)
    for _ in range(10_000):
        emit(stale())
    seconds = (dt.datetime.now(dt.UTC) - begun).total_seconds()
    watch = watch_of(store, api_url, rules=[STALE])
    look_until(watch, lambda: is_delivered(store))
    (message,) = taken
    assert "10000" in message["title"]
    assert message["level"] == "warning"
    emit(stale())
    watch.tick(watch.clock.now())
    (incident,) = open_incidents(store)
    assert incident.count == 10_001
    assert len(taken) == len(attempts(store)) == 1
    assert streamed(begun) <= seconds + 2


def test_storm_what_differs_reaches_the_server_and_what_repeats_does_not(api_url: str) -> None:
    assert api_url
    begun = dt.datetime.now(dt.UTC)
    for number in range(100):
        emit(replace(stale(), message=f"feed {number % 4} is old"))
    seconds = (dt.datetime.now(dt.UTC) - begun).total_seconds()
    wait_until(lambda: streamed(begun) >= 4)
    assert streamed(begun) <= 4 * (seconds + 2)


@pytest.mark.parametrize("status", [500, 0, None], ids=["error", "hangs", "away"])
def test_storm_a_receiver_that_fails_gets_the_alert_afterwards_and_once(
    status: int | None,
    api_url: str,
    receiver: Receiver,
    taken: list[dict[str, str]],
    store: Store,
    fresh_home: str,
) -> None:
    if status is None:
        receiver.stop()
    else:
        receiver.status = status
    for _ in range(3):
        emit(stale())
    enough = 1 if status == 0 else 2
    look_until(
        watch_of(store, api_url, rules=[STALE]), lambda: sum(map(bool, attempts(store))) >= enough
    )
    store.close()
    if status is None:
        receiver.start()
    receiver.status = 200
    later = open_store(Path(fresh_home) / "monitor")
    watch = watch_of(later, api_url, rules=[STALE])
    look_until(watch, lambda: is_delivered(later))
    sent = attempts(later)
    far = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=30)
    watch.tick(far)
    assert len(attempts(later)) == len(sent)
    (message,) = taken
    assert "3 times" in message["title"]
    later.close()


def test_storm_what_fired_while_the_server_was_away_is_told_when_it_is_back(
    api_url: str, taken: list[dict[str, str]], store: Store
) -> None:
    nowhere = watch_of(store, "http://127.0.0.1:9/api", rules=[STALE])
    emit(stale())
    for _ in range(4):
        nowhere.tick(dt.datetime.now(dt.UTC))
    assert len(attempts(store)) == 1
    look_until(watch_of(store, api_url, rules=[STALE]), lambda: is_delivered(store))
    assert len(taken) == 1


def test_storm_what_is_critical_is_repeated_until_somebody_takes_care_of_it(
    api_url: str, taken: list[dict[str, str]], store: Store
) -> None:
    watch = watch_of(store, api_url, rules=[replace(STALE, cooldown_seconds=1.0)])
    emit(stale(level=Level.CRITICAL))
    look_until(watch, lambda: len(taken) >= 2)
    (incident,) = open_incidents(store)
    assert main(["alerts", "ack", incident.key]) == 0
    look_until(watch, lambda: is_delivered(store))
    sent = len(attempts(store))
    watch.tick(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=30))
    assert len(attempts(store)) == sent
    emit(stale(level=Level.CRITICAL))
    watch.tick(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=31))
    assert len(attempts(store)) == sent


def test_storm_a_webhook_that_answers_with_an_error_has_not_taken_it(
    api_url: str, receiver: Receiver, taken: list[dict[str, str]]
) -> None:
    begun = dt.datetime.now(dt.UTC)
    with get_client(sync_client=True) as client:
        block = Webhook(url=SecretStr(receiver.url))
        block.save("tradeflows-tests", overwrite=True)
        automation = client.create_automation(called(block))
        outcomes = {}
        for status in (500, 200):
            receiver.status = status
            outcomes[status] = outcome_of_sending(client, status, since=begun)
        client.delete_automation(automation)
    assert [outcomes[each].succeeded for each in (500, 200)] == [False, True]
    assert "500" in outcomes[500].reason
    assert any(each["title"] == "x" for each in taken)


def test_storm_a_drawdown_has_halted_the_account_before_anybody_reads_of_it(
    api_url: str, receiver: Receiver, taken: list[dict[str, str]], store: Store, paper: Ledger
) -> None:
    states: list[tuple[str, TradingState]] = []
    receiver.hook = lambda each: states.append((each["level"], trading_state(paper, "main")[0]))
    observer = Observer(api_url=api_url, store=store)
    watch = watch_of(store, api_url, observer=observer)
    watch.tick(dt.datetime.now(dt.UTC))
    assert trading_state(paper, "main")[0] is TradingState.ACTIVE
    close(paper, day=2, at_price=60)
    look_until(watch, lambda: any("drawdown:" in each["title"] for each in taken))
    observer.close()
    assert {state for level, state in states if level == "critical"} == {TradingState.HALTED}
    (halted,) = [each for each in entries(paper, account="main") if each.kind == "state.halted"]
    assert dict(halted.payload)["by"] == "watch"
    message = next(each for each in taken if "drawdown:" in each["title"])
    assert message["level"] == "critical"
