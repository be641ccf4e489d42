"""What applying reads is checked: a bad file, rule or address is one clear line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from prefect.blocks.notifications import DiscordWebhook, SlackWebhook
from pydantic import SecretStr

from deployments.apply import main
from deployments.desired import check_rules
from deployments.document import read_deployments
from deployments.receivers import wanted_blocks
from slices.domain.alerts import Level
from slices.domain.errors import ParameterError, SettingsError
from slices.domain.monitoring import AlertRule
from slices.monitor.alerts.rules import RULES
from slices.runtime.closed import TRADING_DAYS
from tests.support.applying import small

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SLACK = "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
DISCORD = "https://discord.com/api/webhooks/4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js"


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
        (lambda document: document["deployments"].pop(3), "drawdown-protection/adhoc"),
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
