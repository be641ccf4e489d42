"""Every alert rule, fired for real, reaches its automation, which does what it is there for."""

from __future__ import annotations

import datetime as dt
import time
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId
from prefect.events.actions import DoNothing, SendNotification
from prefect.states import Failed
from pydantic import SecretStr

from deployments.apply import apply
from deployments.automations import PREFIX, Known, desired_automations
from deployments.deployed import deployed
from deployments.document import read_deployments
from slices.domain.alerts import AlertFired, AlertResolved, Level
from slices.monitor.alerts.rules import RULES
from slices.runtime.events import emit
from slices.runtime.settings import Settings
from tests.support.applying import small, wipe
from tests.support.receiver import Receiver, running_receiver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from prefect.client.schemas.objects import FlowRun

    from slices.domain.monitoring import AlertRule

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(600)]

PROTECTION = "drawdown-protection/adhoc"
KNOWING_NOTHING = Known(deployments={}, blocks={}, tags={"trading": ()})
LEVELS = [
    (rule, max((rule.level, *(worse for worse, _ in rule.worse)), key=lambda level: level.rank))
    for rule in RULES
]
"""Every rule at the worst it can be; the automations do not ask for more than the level."""


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with running_receiver() as each:
        yield each


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("automations") / "prefect.yaml"
    path.write_text(small())
    return path


@pytest.fixture(scope="module")
def trading(file: Path) -> set[str]:
    found = set(read_deployments(file).tagged("trading"))
    assert len(found) == 2
    return found


@pytest.fixture(scope="module")
def client(api_url: str, receiver: Receiver, file: Path) -> Iterator[SyncPrefectClient]:
    apply(Settings(alerts_url=SecretStr(receiver.url)), api_url, file=file)
    with get_client(sync_client=True) as each:
        yield each
        wipe(each)


@pytest.fixture(scope="module")
def names(client: SyncPrefectClient) -> dict[str, str]:
    return {str(each.id): name for name, each in deployed(client).items()}


@pytest.fixture
def paused(client: SyncPrefectClient, names: dict[str, str]) -> Callable[[], set[str]]:
    """Say which deployments are paused; none is when a test begins."""

    def found() -> list[str]:
        wanted = {"deployments": {"paused": {"eq_": True}}}
        return [
            each["id"] for each in client.request("POST", "/deployments/filter", json=wanted).json()
        ]

    for each in found():
        client.resume_deployment(UUID(each))
    return lambda: {names[each] for each in found()}


def fired(rule: str, subject: str, level: Level, **others: Any) -> AlertFired:
    """An alert, of an incident that no other test has."""
    given: dict[str, Any] = {
        "message": f"said by a test about {subject}", "incident": f"{rule}-{time.monotonic_ns()}",
        "attempt": 1, "count": 1, "value": 0.25, "threshold": 0.2,
        "opened": dt.datetime.now(dt.UTC).isoformat(), "next_step": "tradeflows alerts list",
        "halts": False, "runs": "", "pauses": "",
    }  # fmt: skip
    return AlertFired(rule=rule, subject=subject, level=level, **(given | others))


def of_rule(rule: AlertRule, level: Level) -> AlertFired:
    about = "account=daily,mode=paper" if "account" in rule.metric else f"{rule.name}-{level}"
    return fired(
        rule.name, f"{about},rule={rule.name},level={level}", level, next_step=rule.next_step,
        halts=rule.halts, runs=rule.runs, pauses=rule.pauses,
    )  # fmt: skip


def about(text: str) -> Callable[[dict[str, Any]], bool]:
    return lambda message: text in message["message"]


def wait_until(is_so: Callable[[], bool]) -> None:
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() < began + 240.0
        time.sleep(0.1)


def runs_of(client: SyncPrefectClient, deployment: str) -> list[FlowRun]:
    wanted = DeploymentFilterId(any_=[client.read_deployment_by_name(deployment).id])
    return client.read_flow_runs(deployment_filter=DeploymentFilter(id=wanted))


def test_every_rule_reaches_the_receiver_at_its_level(
    client: SyncPrefectClient, receiver: Receiver
) -> None:
    alerts = [of_rule(rule, level) for rule, level in LEVELS]
    for each in alerts:
        emit(each)
    for each in alerts:
        (message,) = receiver.wait(about(each.incident))
        assert message["level"] == each.level.value
        assert message["title"].startswith(each.level.value.upper())
        assert each.rule.replace("-", " ") in message["title"]
        for part in (each.subject, each.message, each.next_step, "0.25", "0.2", "/alerts"):
            assert part in message["title"] + message["message"]
    assert {level for _, level in LEVELS} == set(Level)


def test_an_attempt_is_told_once_and_the_next_one_again(
    client: SyncPrefectClient, receiver: Receiver
) -> None:
    first = fired("disk-full", "host-once", Level.WARNING)
    other = fired("disk-full", "host-other", Level.WARNING)
    again = fired("disk-full", "host-again", Level.WARNING, incident=first.incident, attempt=2)
    twice = fired("disk-full", "host-twice", Level.WARNING, incident=first.incident)
    for each in (first, twice, again, other):
        emit(each)
    receiver.wait(about(other.incident))
    # A server looks at two events at a time, so which of two equals comes first is open.
    found = [each["title"] for each in receiver.wait(about(first.incident), count=2)]
    assert len(found) == 2
    assert sum("host-again" in each for each in found) == 1


def test_the_end_of_an_incident_is_told(client: SyncPrefectClient, receiver: Receiver) -> None:
    ended = AlertResolved(
        subject="daily", level=Level.CRITICAL, message="it is over", incident="drawdown-ended",
        rule="drawdown", lasted_seconds=90.0,
    )  # fmt: skip
    emit(ended)
    (message,) = receiver.wait(about("drawdown-ended"))
    assert message["title"] == "RESOLVED drawdown: daily"
    assert "1.5 minutes" in message["message"]


def test_text_arrives_as_it_was_said(client: SyncPrefectClient, receiver: Receiver) -> None:
    said = 'a "b" <i>c</i> {{ 7 * 7 }} {% if %} \\ ü'
    emit(fired("run-failed", "as-it-is", Level.ERROR, message=said, value=float("nan")))
    (message,) = receiver.wait(about(said))
    assert "Value" not in message["message"]
    assert "secret-word" not in str(message)


@pytest.mark.parametrize(
    ("subject", "account", "execution"),
    [
        ("daily", "daily", "paper"),
        ("account=main,mode=live", "main", "live"),
        ("account=other,mode=paper", "other", "paper"),
    ],
)
def test_an_alert_starts_a_deployment_about_its_account(
    client: SyncPrefectClient, subject: str, account: str, execution: str
) -> None:
    before = {each.id for each in runs_of(client, PROTECTION)}
    emit(fired("drawdown", subject, Level.ERROR, runs=PROTECTION))
    wait_until(lambda: len(runs_of(client, PROTECTION)) > len(before))
    (new,) = [each for each in runs_of(client, PROTECTION) if each.id not in before]
    assert (new.parameters["account"], new.parameters["execution"]) == (account, execution)


def test_a_critical_alert_that_halts_pauses_everything_that_trades_once(
    client: SyncPrefectClient, receiver: Receiver, paused: Callable[[], set[str]], trading: set[str]
) -> None:
    alert = fired("drawdown", "account=k,mode=paper", Level.CRITICAL, halts=True, runs=PROTECTION)
    emit(alert)
    wait_until(lambda: paused() == trading)
    resumed = client.read_deployment_by_name("paper-trading/daily").id
    client.resume_deployment(resumed)
    again = fired(
        "drawdown", "account=k,mode=paper,again=yes", Level.CRITICAL, halts=True,
        incident=alert.incident, attempt=2,
    )  # fmt: skip
    emit(again)
    receiver.wait(about(alert.incident), count=2)
    assert paused() == trading - {"paper-trading/daily"}


def test_an_alert_that_does_not_halt_pauses_nothing(
    client: SyncPrefectClient, receiver: Receiver, paused: Callable[[], set[str]]
) -> None:
    alert = fired("drawdown", "account=calm,mode=paper", Level.CRITICAL)
    emit(alert)
    receiver.wait(about(alert.incident))
    assert paused() == set()


def test_an_alert_pauses_the_deployments_of_its_tag(
    client: SyncPrefectClient, paused: Callable[[], set[str]], trading: set[str]
) -> None:
    emit(fired("result-refused", "some-path", Level.CRITICAL, pauses="trading"))
    wait_until(lambda: paused() == trading)


def fail_once(client: SyncPrefectClient, deployment: str) -> None:
    wanted = client.read_deployment_by_name(deployment)
    run = client.create_flow_run_from_deployment(wanted.id)
    client.set_flow_run_state(run.id, Failed(message="on purpose"), force=True)


def test_what_trades_and_fails_three_times_a_day_is_paused_and_told(
    client: SyncPrefectClient, receiver: Receiver, paused: Callable[[], set[str]]
) -> None:
    for _ in range(3):
        fail_once(client, "quick-test/daily")
    for _ in range(2):
        fail_once(client, "paper-trading/daily")
    fail_once(client, "portfolio-rebalance/adhoc")
    mark = fired("run-failed", "after-two-failures", Level.INFO)
    emit(mark)
    receiver.wait(about(mark.incident))
    assert paused() == set()
    fail_once(client, "paper-trading/daily")
    (message,) = receiver.wait(lambda each: "failed again" in each["title"])
    assert message["level"] == "error"
    assert "paper-trading/daily" in message["message"]
    assert "on purpose" in message["message"]
    assert paused() == {"paper-trading/daily"}


def test_an_action_that_fails_is_told(client: SyncPrefectClient, receiver: Receiver) -> None:
    emit(fired("drawdown", "no account's name!", Level.ERROR, runs=PROTECTION))
    (message,) = receiver.wait(lambda each: f"{PREFIX}run {PROTECTION}" in each["title"])
    assert message["level"] == "error"
    assert "run-deployment" in message["message"]


def test_a_message_that_was_not_taken_is_seen_to_have_failed(
    client: SyncPrefectClient, receiver: Receiver
) -> None:
    receiver.status = 500
    alert = fired("disk-full", "receiver-down", Level.ERROR)
    event = emit(alert)

    def failed() -> bool:
        answer = client.request("POST", "/events/filter", json={"filter": {
            "event": {"name": ["prefect.automation.action.failed"]},
            "related": {"id": [f"prefect.event.{event}"]},
        }})  # fmt: skip
        return bool(answer.json()["events"])

    wait_until(failed)
    assert receiver.refused == 1
    receiver.status = 200
    second = fired("disk-full", "receiver-up", Level.ERROR, incident=alert.incident, attempt=2)
    emit(second)
    assert len(receiver.wait(about(alert.incident))) == 1


def test_where_nobody_is_to_be_told_automations_do_all_else() -> None:
    every = {each.name: each for each in desired_automations((), KNOWING_NOTHING)}
    actions = [action for each in every.values() for action in each.actions]
    assert not [each for each in actions if isinstance(each, SendNotification)]
    assert isinstance(every[f"{PREFIX}tell critical"].actions[0], DoNothing)


def test_failed_actions_are_told_but_those_that_are_meant_to_fail() -> None:
    every = {each.name: each for each in desired_automations((), KNOWING_NOTHING)}
    pattern = every[f"{PREFIX}failed actions"].model_dump(mode="json")["trigger"]["match"]
    untold = {each for each in every if not fnmatchcase(each, pattern["prefect.resource.name"])}
    messages = {name for name in every if name.startswith(f"{PREFIX}tell ")}
    assert untold == {f"{PREFIX}failed actions", f"{PREFIX}zombie runs"} | messages
