"""Applying: a server becomes what the file says, twice changes nothing, and drift is seen."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from prefect.blocks.notifications import SlackWebhook
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import VariableUpdate, WorkPoolCreate
from prefect.events.actions import DoNothing
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from pydantic import SecretStr

from deployments.apply import apply, main
from deployments.automations import PREFIX
from deployments.deployed import deployed
from deployments.resume import main as resume_main
from slices.domain.errors import SettingsError
from slices.runtime.settings import Settings
from tests.support.applying import small, wipe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from prefect.events.schemas.automations import Automation

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(600)]

DISCORD = "https://discord.com/api/webhooks/4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js"
HOOK = "http://127.0.0.1:9/hook?key=secret-word"


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


def own(name: str) -> AutomationCore:
    return AutomationCore(
        name=name,
        trigger=EventTrigger(
            expect={"my.event"}, posture=Posture.Reactive, threshold=1, within=dt.timedelta(0)
        ),
        actions=[DoNothing()],
    )


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


def test_what_an_alert_paused_is_resumed_by_one_command(
    applied: Applied, capsys: pytest.CaptureFixture[str]
) -> None:
    client = applied.client
    tagged = {name: each for name, each in deployed(client).items() if "trading" in each.tags}
    quick = client.read_deployment_by_name("quick-test/daily")
    for each in (*tagged.values(), quick):
        client.pause_deployment(each.id)
    assert resume_main([]) == 0
    assert capsys.readouterr().out.split() == [
        word for name in sorted(tagged) for word in ("resumed", name)
    ]
    assert {name for name, each in deployed(client).items() if each.paused} == {"quick-test/daily"}
    assert resume_main([]) == 0
    assert capsys.readouterr().out == "nothing tagged trading was paused\n"
    assert resume_main(["unheard-of"]) == 2
    assert "core" in capsys.readouterr().err
    client.resume_deployment(quick.id)


def test_a_trigger_that_was_edited_or_doubled_is_made_anew(applied: Applied) -> None:
    (trigger,) = applied.client.read_automations_by_name("retrain-model")
    applied.client.pause_automation(trigger.id)
    assert applied.look() == ("make the triggers of deployment ml-model-training/retrain",)
    applied.change()
    (made,) = applied.client.read_automations_by_name("retrain-model")
    assert made.enabled


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


def test_the_address_of_the_receiver_is_shown_nowhere(applied: Applied) -> None:
    blocks = applied.client.read_block_documents(include_secrets=False)
    automations = applied.client.read_automations()
    shown = str([each.data for each in blocks]) + str(automations)
    assert "secret-word" not in shown


def test_a_pool_of_another_type_is_refused(applied: Applied) -> None:
    name = "other-type"
    applied.client.create_work_pool(WorkPoolCreate(name=name, type="kubernetes"))

    def moved(document: dict[str, Any]) -> None:
        document["deployments"][0]["work_pool"]["name"] = name

    applied.file.write_text(small(moved))
    with pytest.raises(SettingsError, match="kubernetes"):
        applied.look()
    applied.client.delete_work_pool(name)


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
