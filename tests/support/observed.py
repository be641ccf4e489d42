"""Observations as a running system gives them, with faults that a test can ask for."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math

from slices.domain.alerts import Level
from slices.domain.monitoring import Incident
from slices.domain.observations import (
    AlertFacts,
    FeedFacts,
    HostFacts,
    ModelFacts,
    Observation,
    QueueFacts,
    RunFacts,
    ServerFacts,
    WorkerFacts,
)
from tests.support.observed_accounts import NOW, account_facts, empty_account

HOSTILE = "<script>document.title='owned'</script>"
GIB = 1024**3
PAGES = "http://127.0.0.1:4200"


def host_facts() -> HostFacts:
    """A machine of two cores with room to spare."""
    return HostFacts(
        name="desk",
        cores=2,
        cpu=0.37,
        load_1m=0.9,
        memory_total=8 * GIB,
        memory_used=0.61,
        swap_used=0.0,
        disk_total=100 * GIB,
        disk_used=0.42,
        disk_free=58 * GIB,
        home_size=3 * GIB,
        open_files=212,
        open_files_limit=1024,
        processes=6,
    )


def run_facts(
    number: int, *, flow: str = "paper-trading", state: str = "Completed", at: dt.datetime = NOW
) -> RunFacts:
    """A run of two minutes that began `number` quarters of an hour ago."""
    kinds = {"Degraded": "COMPLETED", "Late": "SCHEDULED"}
    is_running = state == "Running"
    started = at - dt.timedelta(minutes=15 * number)
    failed = int(state == "Failed")
    return RunFacts(
        run_id=f"0190a1b2-0000-7000-8000-{number:012d}",
        name=f"brave-heron-{number}",
        flow=flow,
        deployment="daily",
        tags=("scheduled",),
        state=state,
        kind=kinds.get(state, state.upper()),
        message="Task 'paper_trade.settle' raised BrokerError" if failed else "",
        expected=started,
        started=started,
        ended=None if is_running else started + dt.timedelta(seconds=124),
        seconds=(at - started).total_seconds() if is_running else 124.0,
        heard=at - dt.timedelta(seconds=12) if is_running else None,
        tasks_done=7 - failed if not is_running else 4,
        tasks_failed=failed,
        tasks_all=7,
    )


def server_facts(at: dt.datetime = NOW) -> ServerFacts:
    """A server with two running runs, one failure and one worker."""
    states = ("Completed", "Failed", "Completed", "Degraded", "Completed", "Cancelled")
    flows = ("paper-trading", "risk-monitoring", "ml-model-training", "stop-loss-monitor")
    recent = tuple(
        run_facts(number, flow=flows[number % 4], state=state, at=at)
        for number, state in enumerate(states, 3)
    )
    return ServerFacts(
        url=f"{PAGES}/api",
        pages=PAGES,
        version="3.8.8",
        answered_seconds=0.021,
        since=at - dt.timedelta(days=1),
        states=(("Completed", 61), ("Degraded", 3), ("Failed", 2), ("Running", 2)),
        running=(
            run_facts(1, flow="ml-model-training", state="Running", at=at),
            run_facts(2, flow="risk-monitoring", state="Running", at=at),
        ),
        recent=recent,
        durations=tuple((flows[each % 4], 40.0 + each) for each in range(24)),
        late=1,
        retries=2,
        task_runs=412,
        cacheable=300,
        cached=214,
        failed_fetches=1,
        failed_actions=0,
        deployments=46,
        paused=("ml-model-training/weekly",),
        workers=(
            WorkerFacts(
                name="desk-1", pool="local", status="ONLINE", heard=at - dt.timedelta(seconds=9)
            ),
        ),
        queues=(QueueFacts(pool="local", queue="default", is_paused=False, waiting=1),),
    )


def feed_facts(at: dt.datetime = NOW) -> tuple[FeedFacts, ...]:
    """The embedded feed, and one of files that is two sessions behind."""
    final = FeedFacts(
        source="embedded",
        feed="us_ohlcv5",
        symbols=5,
        rows=15_000,
        last_session=dt.date(2013, 3, 1),
        is_final=True,
        age_sessions=0,
        gaps=0,
        quarantined=0,
        suspected_splits=0,
        ingested=at - dt.timedelta(days=3),
    )
    behind = dataclasses.replace(
        final,
        source="files",
        feed="daily",
        is_final=False,
        last_session=(at - dt.timedelta(days=4)).date(),
        age_sessions=2,
        quarantined=3,
    )
    return final, behind


def model_facts() -> tuple[ModelFacts, ...]:
    """A champion that drifts, and a challenger nobody has measured live yet."""
    champion = ModelFacts(
        model="ranker",
        version=4,
        alias="champion",
        kind="lightgbm",
        trained_to=dt.date(2024, 5, 31),
        age_sessions=22,
        expected_ic=0.041,
        live_ic=0.017,
        matured=48,
        pending=5,
        coverage=0.83,
        nominal_coverage=0.9,
        drifted=0.18,
        page="http://127.0.0.1:5000/#/models/ranker/versions/4",
    )
    challenger = dataclasses.replace(
        champion,
        version=5,
        alias="challenger",
        age_sessions=3,
        live_ic=math.nan,
        coverage=math.nan,
        drifted=math.nan,
        matured=0,
        page="http://127.0.0.1:5000/#/models/ranker/versions/5",
    )
    return champion, challenger


def alert_facts() -> AlertFacts:
    """Two incidents that last, one notification on its way."""
    return AlertFacts(
        opened=(("warning", 2), ("critical", 1)),
        open=(("warning", 1), ("critical", 1)),
        unacknowledged=2,
        undelivered=1,
        oldest_undelivered_seconds=18.0,
        delivered=5,
        events=64,
    )


def observation(*, at: dt.datetime = NOW) -> Observation:
    """Everything seen, nothing halted."""
    return Observation(
        at=at,
        host=host_facts(),
        server=server_facts(at),
        data=feed_facts(at),
        accounts=(account_facts(at=at), empty_account(at=at)),
        models=model_facts(),
        alerts=alert_facts(),
    )


def half_seen(*, at: dt.datetime = NOW) -> Observation:
    """The Prefect server and the models could not be looked at."""
    return dataclasses.replace(
        observation(at=at),
        server=None,
        models=None,
        unknown=(
            ("orchestration", "no answer from http://127.0.0.1:4200/api"),
            ("models", "the registry's database is locked"),
        ),
    )


def hostile(*, at: dt.datetime = NOW) -> Observation:
    """Names from outside that are markup."""
    seen = observation(at=at)
    run = dataclasses.replace(run_facts(1, state="Running", at=at), name=HOSTILE, flow=HOSTILE)
    server = dataclasses.replace(server_facts(at), running=(run,), pages="javascript:alert(1)")
    account = account_facts(at=at)
    positions = (dataclasses.replace(account.positions[0], symbol=HOSTILE),)
    model = dataclasses.replace(model_facts()[0], model=HOSTILE, page="javascript:alert(1)")
    return dataclasses.replace(
        seen,
        server=server,
        accounts=(
            dataclasses.replace(account, name=HOSTILE, state_reason=HOSTILE, positions=positions),
        ),
        models=(model,),
        halted=HOSTILE,
    )


def incident(
    rule: str = "daily-loss",
    subject: str = "account=daily",
    *,
    level: Level = Level.CRITICAL,
    at: dt.datetime = NOW,
) -> Incident:
    """An open incident of eleven minutes, seen 44 times and delivered once."""
    opened = at - dt.timedelta(minutes=11)
    return Incident(
        key=f"{rule}:{subject}:{opened:%Y%m%dT%H%M%S}",
        rule=rule,
        subject=subject,
        level=level,
        message="daily lost 6.2% since the close before, more than 5%",
        next_step="Look at the account's positions; `tradeflows release --account daily` ends it.",
        value=0.062,
        threshold=0.05,
        count=44,
        opened=opened,
        last_seen=at,
        notified=opened + dt.timedelta(seconds=2),
        attempts=1,
        delivered=opened + dt.timedelta(seconds=3),
    )
