"""Applying: a server becomes what the file says, twice changes nothing, and drift is seen."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from prefect.blocks.notifications import DiscordWebhook, SlackWebhook
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import VariableUpdate, WorkPoolCreate
from prefect.events.actions import DoNothing
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from pydantic import SecretStr

from deployments.apply import apply, main
from deployments.automations import PREFIX
from deployments.desired import check_rules
from deployments.document import FILE, read_deployments
from deployments.receivers import wanted_blocks
from slices.domain.alerts import Level
from slices.domain.errors import ParameterError, SettingsError
from slices.domain.monitoring import AlertRule
from slices.monitor.alerts.rules import RULES
from slices.runtime.closed import TRADING_DAYS
from slices.runtime.settings import Settings
from tests.support.applying import wipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from prefect.events.schemas.automations import Automation

SLACK = "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
DISCORD = "https://discord.com/api/webhooks/4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js"
HOOK = "http://127.0.0.1:9/hook?key=secret-word"
KEPT = {
    "flows.core.quick_test/daily",
    "flows.trading.paper_trading/daily",
    "flows.risk.drawdown_protection/adhoc",
    "flows.ml_training.ml_model_training/retrain",
}


def small(change: Callable[[dict[str, Any]], object] = lambda _: None) -> str:
    """The project's file with four deployments, changed."""
    document = yaml.safe_load(FILE.read_text())
    document["deployments"] = [
        each for each in document["deployments"] if f"{each['entrypoint']}/{each['name']}" in KEPT
    ]
    change(document)
    return yaml.safe_dump(document)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("apply") / "prefect.yaml"
    path.write_text(small())
    return path


class Applied:
    """A server to which the file was applied."""

    def __init__(self, client: SyncPrefectClient, api_url: str, file: Path) -> None:
        self.client, self.api_url, self.file = client, api_url, file

    def look(self, *, to: str = HOOK) -> tuple[str, ...]:
        return apply(self._settings(to), self.api_url, check=True, file=self.file)

    def change(self, *, to: str = HOOK) -> tuple[str, ...]:
        return apply(self._settings(to), self.api_url, file=self.file)

    def automation(self, name: str) -> Automation:
        (found,) = self.client.read_automations_by_name(f"{PREFIX}{name}")
        return found

    def _settings(self, address: str) -> Settings:
        return Settings(alerts_url=SecretStr(address) if address else None)


@pytest.fixture(scope="module")
def applied(api_url: str, file: Path) -> Iterator[Applied]:
    with get_client(sync_client=True) as client:
        each = Applied(client, api_url, file)
        each.change()
        yield each
        wipe(client)


@pytest.fixture(autouse=True)
def _file_as_it_was(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "applied" in request.fixturenames:
        each: Applied = request.getfixturevalue("applied")
        each.file.write_text(small())
        each.change()
        assert each.look() == ()


server = pytest.mark.server
slow = pytest.mark.slow


def own(name: str) -> AutomationCore:
    return AutomationCore(
        name=name,
        trigger=EventTrigger(
            expect={"my.event"}, posture=Posture.Reactive, threshold=1, within=dt.timedelta(0)
        ),
        actions=[DoNothing()],
    )


@server
@slow
def test_twice_changes_nothing_and_a_person_s_own_automations_stay(applied: Applied) -> None:
    mine = applied.client.create_automation(own("mine"))
    applied.client.create_automation(own(f"{PREFIX}tell critical"))
    applied.client.create_automation(own(f"{PREFIX}of an earlier version"))
    assert sorted(applied.change()) == [
        f"delete automation {PREFIX}of an earlier version",
        f"delete automation {PREFIX}tell critical",
    ]
    assert applied.change() == ()
    kept = applied.client.read_automation(mine)
    assert kept is not None
    applied.client.delete_automation(mine)


@server
@slow
def test_check_sees_what_differs_and_changes_nothing(applied: Applied) -> None:
    client = applied.client
    renamed = applied.automation("tell error")
    other = AutomationCore.model_validate(
        renamed.model_dump(mode="json", exclude={"id", "created", "updated", "owner_resource"})
        | {"name": "mine now"}
    )
    client.update_automation(renamed.id, other)
    client.pause_automation(applied.automation("stop trading").id)
    SlackWebhook.delete("tradeflows-critical")
    SlackWebhook(url=SecretStr("json://elsewhere")).save("tradeflows-info", overwrite=True)
    client.update_variable(VariableUpdate(name="tradeflows_dashboard", value="elsewhere"))
    client.create_concurrency_limit("training", 77)
    seen = applied.look()
    assert seen == applied.look()
    assert {
        "update limit of tag training: 2 at once instead of 77",
        "update variable tradeflows_dashboard",
        "create block slack-webhook/tradeflows-critical",
        "update block slack-webhook/tradeflows-info",
        f"create automation {PREFIX}tell error",
        f"update automation {PREFIX}stop trading: enabled",
    } <= set(seen)
    client.delete_automation(renamed.id)


@server
@slow
def test_what_the_file_no_longer_says_is_gone_from_the_server(applied: Applied) -> None:
    def edited(document: dict[str, Any]) -> None:
        quick, paper, *_ = document["deployments"]
        del quick["schedules"], quick["concurrency_limit"]
        paper["schedules"][0]["cron"] = "0 18 * * MON-FRI"
        paper["parameters"] = {"account": "other"}
        paper["tags"] = ["trading"]

    applied.file.write_text(small(edited))
    assert sorted(applied.change()) == [
        "update deployment paper-trading/daily: tags, parameters, schedules",
        "update deployment quick-test/daily: schedules, limit",
    ]
    quick = applied.client.read_deployment_by_name("quick-test/daily")
    paper = applied.client.read_deployment_by_name("paper-trading/daily")
    assert (quick.schedules, quick.global_concurrency_limit) == ([], None)
    assert [getattr(each.schedule, "cron", "") for each in paper.schedules] == ["0 18 * * MON-FRI"]
    assert paper.parameters == {"account": "other"}
    assert applied.look() == ()


@server
@slow
def test_what_is_paused_stays_paused(applied: Applied) -> None:
    paper = applied.client.read_deployment_by_name("paper-trading/daily")
    applied.client.pause_deployment(paper.id)
    applied.client.update_deployment_schedule(paper.id, paper.schedules[0].id, active=False)
    assert applied.look() == ()
    applied.file.write_text(
        small(lambda document: document["deployments"][1].update(tags=["trading", "new"]))
    )
    assert len(applied.change()) == 1
    found = applied.client.read_deployment_by_name("paper-trading/daily")
    assert found.paused
    assert [each.active for each in found.schedules] == [False]
    applied.client.resume_deployment(paper.id)
    applied.client.update_deployment_schedule(paper.id, found.schedules[0].id, active=True)


@server
@slow
def test_a_trigger_that_was_edited_or_doubled_is_made_anew(applied: Applied) -> None:
    (trigger,) = applied.client.read_automations_by_name("retrain-model")
    applied.client.pause_automation(trigger.id)
    assert applied.look() == ("make the triggers of deployment ml-model-training/retrain",)
    applied.change()
    (made,) = applied.client.read_automations_by_name("retrain-model")
    assert made.enabled


@server
@slow
def test_another_receiver_leaves_nothing_of_the_one_before(applied: Applied) -> None:
    applied.change(to=DISCORD)
    blocks = applied.client.read_block_documents(include_secrets=False)
    ours = [each for each in blocks if (each.name or "").startswith("tradeflows-")]
    assert {each.block_type.slug for each in ours if each.block_type} == {"discord-webhook"}
    assert "JHMHI8qBe7bk2ZwO5U711o3dV_js" not in str([each.data for each in ours])
    applied.change(to="")
    names = [each.name or "" for each in applied.client.read_block_documents()]
    assert not [each for each in names if each.startswith("tradeflows-")]
    (action,) = applied.automation("tell critical").actions
    assert isinstance(action, DoNothing)


@server
@slow
def test_the_address_of_the_receiver_is_shown_nowhere(applied: Applied) -> None:
    blocks = applied.client.read_block_documents(include_secrets=False)
    automations = applied.client.read_automations()
    shown = str([each.data for each in blocks]) + str(automations)
    assert "secret-word" not in shown


@server
@slow
def test_a_pool_of_another_type_is_refused(applied: Applied) -> None:
    name = "other-type"
    applied.client.create_work_pool(WorkPoolCreate(name=name, type="kubernetes"))

    def moved(document: dict[str, Any]) -> None:
        document["deployments"][0]["work_pool"]["name"] = name

    applied.file.write_text(small(moved))
    with pytest.raises(SettingsError, match="kubernetes"):
        applied.look()
    applied.client.delete_work_pool(name)


@server
@slow
def test_the_command_says_what_it_did_and_its_code_says_whether(
    applied: Applied, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRADEFLOWS_ALERTS_URL", HOOK)
    words = ["--file", str(applied.file)]
    assert main([*words, "--check"]) == 0
    assert capsys.readouterr().out == "nothing to do\n"
    applied.client.delete_automation(applied.automation("tell info").id)
    assert main([*words, "--check"]) == 1
    assert main(words) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"would create automation {PREFIX}tell info",
        f"create automation {PREFIX}tell info",
    ]
    monkeypatch.delenv("TRADEFLOWS_ALERTS_URL")
    assert main([*words, "--check"]) == 1
    assert "TRADEFLOWS_ALERTS_URL" in capsys.readouterr().err


def changed(**values: object) -> Callable[[dict[str, Any]], object]:
    return lambda document: document["deployments"][0].update(values)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (changed(cron="x"), "cron"),
        (changed(entrypoint="flows.core.no_such_flow"), "flows.core.no_such_flow"),
        (changed(entrypoint="flows.nowhere.quick_test"), "flows.nowhere.quick_test"),
        (changed(parameters={"moon": 1}), "quick-test/daily: moon"),
        (changed(parameters={"symbols": []}), "quick-test/daily: symbols"),
        (changed(work_pool={}), "work_pool.name"),
        (changed(schedules=[{"cron": "61 * * * *", "timezone": "UTC", "slug": "s"}]), "61 *"),
        (changed(concurrency_limit={"limit": 0, "collision_strategy": "ENQUEUE"}), "limit"),
        (changed(triggers=[{"type": "event", "expect": 5}]), "triggers"),
        (lambda document: document["deployments"].append(document["deployments"][0]), "twice"),
        (lambda document: document["deployments"].pop(2), "drawdown-protection/adhoc"),
    ],
)
def test_a_bad_file_is_one_clear_line_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: Callable[[dict[str, Any]], object],
    said: str,
) -> None:  # fmt: skip
    file = tmp_path / "prefect.yaml"
    file.write_text(small(change))
    assert main(["--file", str(file)]) == 2
    line = capsys.readouterr().err
    assert said in line
    assert line.count("\n") == 1


@pytest.mark.parametrize("text", ["a: [", "", "- 1", None])
def test_a_file_that_is_none_is_refused(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "prefect.yaml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ParameterError, match=r"prefect\.yaml"):
        read_deployments(file)


def a_rule(**values: Any) -> AlertRule:
    given = {"name": "new", "level": Level.ERROR, "title": "new", "next_step": "look"}
    return AlertRule(**(given | values))


@pytest.mark.parametrize(
    "rule",
    [a_rule(runs="quick-test/nightly"), a_rule(runs="quick-test"), a_rule(pauses="no-such-tag")],
)
def test_a_rule_that_asks_for_what_is_not_deployed_is_refused(rule: AlertRule) -> None:
    with pytest.raises(ParameterError, match="rule new"):
        check_rules([rule], read_deployments())


def test_every_rule_asks_for_what_is_deployed() -> None:
    check_rules(RULES, read_deployments())


@pytest.mark.parametrize(
    ("address", "kind", "sent_to"),
    [
        (SLACK, SlackWebhook, "slack://"),
        (DISCORD, DiscordWebhook, "discord://4174216298/"),
        (
            "https://user:word@example.org/a/b?key=1",
            SlackWebhook,
            "jsons://user:word@example.org/a",
        ),
        ("http://127.0.0.1:81/x", SlackWebhook, "json://127.0.0.1:81/x"),
        ("mailtos://me:word@example.org?to=you@example.org", SlackWebhook, "mailtos://me:word@"),
    ],
)
def test_an_address_becomes_what_apprise_sends_to(
    address: str, kind: type[object], sent_to: str
) -> None:
    blocks = wanted_blocks(SecretStr(address))
    assert len(blocks) == 5
    for block in blocks.values():
        assert isinstance(block, kind)
        (client,) = list(block._apprise_client)
        found: str = client.url()  # type: ignore[no-untyped-call]
        assert found.startswith(sent_to)
        assert "word" not in repr(block)


@pytest.mark.parametrize(
    "address",
    ["ftp://example.org", "example.org", "https://", "https://discord.com/channels/1", "json://x"],
)
def test_an_address_nobody_can_send_to_is_refused_without_being_shown(address: str) -> None:
    with pytest.raises(SettingsError, match="TRADEFLOWS_ALERTS_URL") as refused:
        wanted_blocks(SecretStr(address))
    assert "example" not in str(refused.value).partition("needed")[0]


def test_what_runs_every_weekday_knows_days_of_trading() -> None:
    for each in read_deployments().entries:
        on_weekdays = any(schedule.cron.endswith("MON-FRI") for schedule in each.schedules)
        assert (TRADING_DAYS in each.tags) == on_weekdays, each.full_name


def test_every_schedule_says_its_purpose_and_is_limited() -> None:
    for each in read_deployments().entries:
        if each.schedules or each.triggers:
            assert "New York" in each.description or not each.name.endswith(("daily", "monthly"))
            assert each.description
            assert each.concurrency_limit is not None
