"""The watch looks on whatever fails, halts before it tells, and says so when it cannot."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect.events.filters import EventFilter, EventNameFilter, EventOccurredFilter

from flows.cli import main
from flows.operations.halting import EVERYTHING, halt
from flows.operations.telling import alert_event
from slices.domain.accounts import TradingMode, TradingState
from slices.domain.alerts import (
    AlertFired,
    AlertResolved,
    BooksDisagree,
    DataStale,
    Level,
    WatchBeat,
)
from slices.domain.monitoring import AlertRule, Incident
from slices.domain.observations import Observation
from slices.ledger.accounts import open_account
from slices.ledger.journal import entries
from slices.ledger.opening import Ledger, ledger_for
from slices.ledger.states import read_halt_file, release, trading_state
from slices.monitor.alerts.delivering import Sending
from slices.monitor.alerts.incidents import open_incidents, silences
from slices.monitor.alerts.rules import RULES
from slices.monitor.history import read_latest
from slices.monitor.store import Store, open_store, writing
from slices.runtime import outbox
from slices.runtime.settings import load_settings
from tests.support.ledgers import AT, CAPITAL, SESSION
from tests.support.observed import host_facts
from tests.support.watching import wait_until, watch_of

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("fresh_home")]

NOW = dt.datetime(2026, 3, 2, 15, 0, tzinfo=dt.UTC)
LOST = AlertRule(
    name="lost",
    level=Level.CRITICAL,
    title="All is lost",
    next_step="Stop.",
    events=(BooksDisagree.name,),
    halts=True,
    runs="drawdown-protection/adhoc",
)
STALE = AlertRule(
    name="stale", level=Level.WARNING, title="Old", next_step="Load.", events=(DataStale.name,)
)
MAIN = "account=main,mode=paper"
FULL = AlertRule(
    name="full",
    level=Level.ERROR,
    title="Full",
    next_step="Delete.",
    metric="host.disk_used",
    threshold=0.9,
    calm_seconds=0.0,
    ends_when_gone=True,
)


def after(minutes: float) -> dt.datetime:
    return NOW + dt.timedelta(minutes=minutes)


def incident(
    subject: str = "account=main,mode=paper", *, level: Level = Level.CRITICAL
) -> Incident:
    return Incident(
        key=f"lost-{abs(hash(subject)):x}",
        rule="lost",
        subject=subject,
        level=level,
        message="36 % lost",
        next_step="Stop.",
        value=0.36,
        threshold=0.2,
        count=2,
        opened=NOW,
        last_seen=NOW,
    )


def disagree(subject: str) -> BooksDisagree:
    return BooksDisagree(subject=subject, level=Level.CRITICAL, message="differs", broker="here")


@dataclass
class Scripted:
    """Sees what it is told to, or fails as it is told to."""

    seen: Observation | Exception

    def observe(self, at: dt.datetime) -> Observation:
        if isinstance(self.seen, Exception):
            raise self.seen
        return replace(self.seen, at=at)


@pytest.fixture
def store(fresh_home: str) -> Iterator[Store]:
    opened = open_store(Path(fresh_home) / "monitor")
    yield opened
    opened.close()


@pytest.fixture
def ledgers() -> Iterator[Callable[[TradingMode], Ledger]]:
    """Books of either mode with one account, `main`."""
    opened: list[Ledger] = []

    def made(mode: TradingMode) -> Ledger:
        ledger = ledger_for(mode)
        open_account(ledger, "main", capital=CAPITAL, session=SESSION, at=AT)
        opened.append(ledger)
        return ledger

    yield made
    for each in opened:
        each.close()


def halt_reason() -> str | None:
    return read_halt_file(load_settings().halt_file)


def test_an_account_is_halted_in_its_books_and_told_once(
    store: Store, ledgers: Callable[[TradingMode], Ledger]
) -> None:
    paper, live = ledgers(TradingMode.PAPER), ledgers(TradingMode.LIVE)
    assert "main" in halt(store, incident(), at=NOW)
    assert halt(store, incident(), at=after(1)) == ""
    state, reason = trading_state(paper, "main")
    assert state is TradingState.HALTED
    assert "36 % lost" in reason
    assert trading_state(live, "main")[0] is TradingState.ACTIVE
    assert halt_reason() is None
    written = [each for each in entries(paper, account="main") if each.kind == "state.halted"]
    assert [dict(each.payload)["by"] for each in written] == ["watch"]


def test_an_account_of_unknown_mode_is_halted_wherever_it_is(
    store: Store, ledgers: Callable[[TradingMode], Ledger]
) -> None:
    both = [ledgers(mode) for mode in TradingMode]
    halt(store, incident("main"), at=NOW)
    assert {trading_state(each, "main")[0] for each in both} == {TradingState.HALTED}


@pytest.mark.parametrize("subject", ["all", "source=embedded", "account=other,mode=paper", "other"])
def test_what_is_about_no_account_halts_everything(
    subject: str, store: Store, ledgers: Callable[[TradingMode], Ledger]
) -> None:
    paper = ledgers(TradingMode.PAPER)
    assert halt(store, incident(subject), at=NOW) == EVERYTHING
    assert "36 % lost" in (halt_reason() or "")
    assert trading_state(paper, "main")[0] is TradingState.HALTED


def test_looking_for_an_account_makes_no_books(store: Store) -> None:
    assert halt(store, incident(), at=NOW) == EVERYTHING
    assert not list(load_settings().ledger_folder.glob("*.db"))


def test_books_that_cannot_be_written_halt_everything(store: Store) -> None:
    folder = load_settings().ledger_folder
    folder.mkdir()
    (folder / "paper.db").write_bytes(b"no database" * 1000)
    assert halt(store, incident(), at=NOW) == EVERYTHING
    assert halt_reason()


def test_a_release_by_a_person_stands_until_something_new_happens(
    store: Store, ledgers: Callable[[TradingMode], Ledger]
) -> None:
    paper = ledgers(TradingMode.PAPER)
    watch = watch_of(store, None, rules=[LOST])
    outbox.put(disagree("main"))
    watch.tick(NOW)
    assert trading_state(paper, "main")[0] is TradingState.HALTED
    release(paper, "main", reason="looked at it", by="ann", at=NOW)
    outbox.put(disagree("main"))
    watch.tick(after(1))
    assert trading_state(paper, "main")[0] is TradingState.ACTIVE
    outbox.put(disagree("another"))
    watch.tick(after(2))
    assert halt_reason()


def test_only_what_is_critical_halts(
    store: Store, ledgers: Callable[[TradingMode], Ledger]
) -> None:
    paper = ledgers(TradingMode.PAPER)
    watch = watch_of(store, None, rules=[replace(LOST, level=Level.ERROR)])
    outbox.put(replace(disagree("main"), level=Level.WARNING))
    watch.tick(NOW)
    assert len(open_incidents(store)) == 1
    assert trading_state(paper, "main")[0] is TradingState.ACTIVE


def test_what_could_not_be_halted_is_said_and_tried_again(store: Store) -> None:
    folder = load_settings().ledger_folder
    folder.write_text("a file where a folder should be")
    watch = watch_of(store, None, rules=[LOST])
    outbox.put(disagree("main"))
    watch.tick(NOW)
    assert "halting" in watch.troubles
    folder.unlink()
    measured = watch.tick(after(1))
    assert watch.troubles == {}
    assert halt_reason()
    assert any("halting" in reason for _, reason in measured.observation.unknown)


def test_a_look_that_fails_leaves_everything_else_at_work(store: Store) -> None:
    watch = watch_of(store, None, rules=[STALE], observer=Scripted(OSError("no such machine")))
    outbox.put(DataStale(subject="feed", level=Level.ERROR, message="old", missing_sessions=1))
    measured = watch.tick(NOW)
    assert list(watch.troubles) == ["observing"]
    assert [each.level for each in open_incidents(store)] == [Level.ERROR]
    unknown = dict(measured.observation.unknown)
    assert {"host", "orchestration", "data", "trading", "models"} <= unknown.keys()
    assert "no such machine" in unknown["host"]
    assert read_latest(store) == measured


def test_what_nobody_looked_at_is_not_over(store: Store) -> None:
    full = Observation(at=NOW, host=replace(host_facts(), disk_used=0.99))
    eyes = Scripted(full)
    watch = watch_of(store, None, rules=[FULL], observer=eyes)
    watch.tick(NOW)
    assert len(open_incidents(store)) == 1
    eyes.seen = OSError("no such machine")
    for hour in range(1, 5):
        watch.tick(after(60 * hour))
    assert len(open_incidents(store)) == 1
    eyes.seen = replace(full, host=replace(host_facts(), disk_used=0.1))
    watch.tick(after(300))
    watch.tick(after(301))
    assert open_incidents(store) == ()


def test_an_outbox_that_cannot_be_read_is_seen_as_blindness(store: Store) -> None:
    outbox.outbox_file().write_bytes(b"no database, but long enough" * 100)
    watch = watch_of(store, None, rules=[STALE])
    watch.tick(NOW)
    assert "outbox" in watch.troubles
    unknown = dict(watch.tick(after(1)).observation.unknown)
    assert "outbox" in unknown["alerting"]


def test_an_outbox_that_was_made_anew_is_read_from_its_beginning(store: Store) -> None:
    watch = watch_of(store, None, rules=[STALE])
    for number in range(3):
        outbox.put(
            DataStale(subject=f"{number}", level=Level.ERROR, message="", missing_sessions=1)
        )
    watch.tick(NOW)
    for each in outbox.outbox_file().parent.glob("outbox.db*"):
        each.unlink()
    watch.tick(after(1))
    outbox.put(DataStale(subject="new", level=Level.ERROR, message="", missing_sessions=1))
    watch.tick(after(2))
    assert "new" in {each.subject for each in open_incidents(store)}


def beats(since: dt.datetime) -> int:
    until = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1)
    wanted = EventFilter(
        event=EventNameFilter(name=[WatchBeat.name]),
        occurred=EventOccurredFilter(since=since, until=until),
    )
    with get_client(sync_client=True) as client:
        return client.read_events(wanted, limit=50).total


def test_only_who_judges_shows_that_it_lives(api_url: str, store: Store) -> None:
    begun = dt.datetime.now(dt.UTC)
    blind = watch_of(store, api_url, rules=[STALE])
    with writing(store) as connection:
        connection.exec_driver_sql("ALTER TABLE incidents RENAME TO gone")
    blind.tick(dt.datetime.now(dt.UTC))
    assert "judging" in blind.troubles
    with writing(store) as connection:
        connection.exec_driver_sql("ALTER TABLE gone RENAME TO incidents")
    blind.tick(dt.datetime.now(dt.UTC))
    assert blind.troubles == {}
    wait_until(lambda: beats(begun) > 0)
    assert beats(begun) == 1


def sending(found: Incident, *, is_end: bool = False, runs: bool = True) -> Sending:
    return Sending(event_id="e", incident=found, attempt=3, is_end=is_end, runs=runs, pauses=True)


def test_an_alert_says_what_is_wrong_what_was_done_and_what_to_do() -> None:
    told = alert_event(sending(incident()), LOST, is_unhalted=False)
    assert isinstance(told, AlertFired)
    assert (told.halts, told.runs, told.attempt) == (True, "drawdown-protection/adhoc", 3)
    assert (told.count, told.value, told.next_step) == (2, 0.36, "Stop.")
    labels = told.labels()
    assert labels["tradeflows.attempt"] == "3"
    assert labels["tradeflows.halts"] == "yes"


def test_an_alert_does_not_claim_what_did_not_happen() -> None:
    told = alert_event(sending(incident(), runs=False), LOST, is_unhalted=True)
    assert isinstance(told, AlertFired)
    assert (told.halts, told.runs) == (False, "")
    assert "NOT" in told.message
    lesser = alert_event(sending(incident(level=Level.ERROR)), LOST, is_unhalted=False)
    assert isinstance(lesser, AlertFired)
    assert lesser.halts is False


def test_an_end_says_how_long_it_lasted() -> None:
    over = replace(incident(), resolved=after(5))
    told = alert_event(sending(over, is_end=True), LOST, is_unhalted=False)
    assert isinstance(told, AlertResolved)
    assert told.lasted_seconds == 300
    late = alert_event(sending(over), LOST, is_unhalted=False)
    assert isinstance(late, AlertFired)
    assert "ended" in late.message


def test_one_watch_for_a_home_which_ends_when_it_is_told_to(
    fresh_home: str, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PREFECT_API")
    } | {"TRADEFLOWS_HOME": fresh_home, "TRADEFLOWS_WATCH_SECONDS": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "flows", "watch"],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    ) as watch:
        try:
            wait_until(lambda: (Path(fresh_home) / "monitor" / "monitor.db").exists())
            store = open_store(Path(fresh_home) / "monitor")
            wait_until(lambda: read_latest(store) is not None)
            assert main(["watch", "--once"]) == 7
            assert "watched already" in capsys.readouterr().err
            store.close()
            watch.send_signal(signal.SIGTERM)
            said = watch.communicate(timeout=90)[1]
        finally:
            watch.kill()
    assert watch.returncode == 0, said
    assert "has ended" in said
    assert main(["watch", "--once", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["values"] > 30
    assert document["troubles"] == {}


def test_alerts_are_listed_taken_care_of_and_silenced(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["alerts"]) == 0
    assert "nobody has watched yet" in capsys.readouterr().err
    assert main(["alerts", "test", "error"]) == 0
    watch_of(store, None).tick(dt.datetime.now(dt.UTC))
    capsys.readouterr()
    assert main(["alerts", "list", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["level"], found["count"], found["attempts"]) == ("error", 1, 1)
    assert main(["alerts"]) == 0
    assert found["key"] in capsys.readouterr().out
    assert main(["alerts", "--json", "ack", found["key"]]) == 0
    assert json.loads(capsys.readouterr().out)["acknowledged"]
    words = ["alerts", "silence", found["rule"], found["subject"], "--for", "2h"]
    assert main([*words, "--reason", "testing"]) == 0
    (silence,) = silences(store, dt.datetime.now(dt.UTC))
    assert (silence.subject, silence.reason) == (found["subject"], "testing")
    capsys.readouterr()
    assert main(["alerts", "rules", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == len(RULES)


@pytest.mark.parametrize(
    "words",
    [
        ["ack", "no-such-alert"],
        ["silence", "no-such-rule", "--for", "2h", "--reason", "why"],
        ["silence", "drawdown", "--for", "2 weeks", "--reason", "why"],
        ["silence", "drawdown", "--for", "400d", "--reason", "why"],
        ["silence", "drawdown", "--for", "2h", "--reason", " "],
        ["list", "--since", "yesterday"],
    ],
    ids=" ".join,
)
def test_what_cannot_be_meant_is_refused(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["alerts", *words]) == 2
    assert capsys.readouterr().err.startswith("tradeflows: ")
