"""Everything a server should have, read and checked, and the order in which it is made."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, UUID, uuid5

from prefect.blocks.notifications import AbstractAppriseNotificationBlock

from deployments.automations import TRADING, WATCH_SILENCE, Known, desired_automations
from deployments.blocks import block_ids, blocks_stage
from deployments.deployed import Wanted, deployment_ids, deployments_stage, wanted_deployments
from deployments.document import FILE, Deployments, read_deployments
from deployments.limits import limits_stage
from deployments.pools import pools_stage
from deployments.receivers import wanted_blocks
from deployments.syncing import automation_changes
from deployments.triggers import check_triggers, trigger_changes
from deployments.variables import variables_stage, wanted_variables
from slices.domain.errors import ParameterError
from slices.domain.monitoring import AlertRule
from slices.monitor.alerts.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from prefect.client.orchestration import SyncPrefectClient

    from deployments.plan import Change, Stage
    from slices.runtime.settings import Settings

BEATS = 4
"""Beats of the watch that may be missing before it counts as silent."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Desired:
    """What there should be.

    Attributes:
        wanted: The deployments with what their flows say.
        blocks: Of the receiver of alerts; empty where there is none.
        watch_silence: How long the watch may be silent.
    """

    deployments: Deployments
    wanted: tuple[Wanted, ...]
    blocks: dict[str, AbstractAppriseNotificationBlock]
    variables: dict[str, str]
    rules: tuple[AlertRule, ...]
    watch_silence: timedelta


def desired(
    settings: Settings, *, file: Path = FILE, rules: tuple[AlertRule, ...] = RULES
) -> Desired:
    """Read and check everything; no server is asked.

    Raises:
        ParameterError: The file or a rule asks for what there is not.
        SettingsError: A setting cannot be used.
    """
    deployments = read_deployments(file)
    check_rules(rules, deployments)
    check_triggers(deployments.entries)
    return Desired(
        deployments=deployments,
        wanted=wanted_deployments(deployments),
        blocks=wanted_blocks(settings.alerts_url),
        variables=wanted_variables(settings),
        rules=rules,
        watch_silence=max(WATCH_SILENCE, timedelta(seconds=BEATS * settings.watch_seconds)),
    )


def check_rules(rules: Iterable[AlertRule], deployments: Deployments) -> None:
    """Check that what rules start and pause is deployed.

    Raises:
        ParameterError: Naming the rule, and what there is.
    """
    tags = {tag for each in deployments.entries for tag in each.tags}
    for rule in rules:
        if rule.runs and rule.runs not in deployments.names:
            raise _unknown(rule, "runs", rule.runs, deployments.names)
        for tag in {rule.pauses, TRADING if rule.halts else ""} - {"", *tags}:
            raise _unknown(rule, "pauses", f"the tag {tag}", tags)


def _unknown(rule: AlertRule, word: str, found: str, there_are: Iterable[str]) -> ParameterError:
    listed = ", ".join(sorted(there_are))
    return ParameterError(
        parameter=f"rule {rule.name}: {word}", found=found, allowed=f"of prefect.yaml: {listed}"
    )


def stages(wanted: Desired) -> tuple[Stage, ...]:
    """Order what is made: each stage finds what it needs made by those before it."""
    return (
        pools_stage(each.work_pool.name for each in wanted.deployments.entries),
        limits_stage(),
        variables_stage(wanted.variables),
        blocks_stage(wanted.blocks),
        deployments_stage(wanted.wanted),
        _automations_stage(wanted),
    )


def _automations_stage(wanted: Desired) -> Stage:
    def compare(client: SyncPrefectClient) -> tuple[Change, ...]:
        ids = _Ids(deployment_ids(client))
        known = Known(
            deployments=ids,
            blocks=_Ids(block_ids(client)) if wanted.blocks else {},
            tags=_by_tag(wanted.deployments),
        )
        ours = desired_automations(wanted.rules, known, watch_silence=wanted.watch_silence)
        triggers = trigger_changes(client, wanted.deployments.entries, ids)
        return (*automation_changes(client, ours), *triggers)

    return compare


def _by_tag(deployments: Deployments) -> Mapping[str, tuple[str, ...]]:
    names: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
    for each in deployments.entries:
        for tag in each.tags:
            names[tag] += (each.full_name,)
    return names


class _Ids(dict[str, UUID]):
    """Ids by name; where something is still to be made, one that nothing has."""

    def __missing__(self, name: str) -> UUID:
        return uuid5(NAMESPACE_URL, name)
