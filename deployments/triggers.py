"""Automations that belong to a deployment: its `triggers` in `prefect.yaml`, which start it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect.events import DeploymentTriggerTypes
from pydantic import TypeAdapter, ValidationError

from deployments.automations import PREFIX
from deployments.document import DeploymentEntry, refused
from deployments.plan import Change, differing
from deployments.syncing import picture

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from uuid import UUID

    from prefect.client.orchestration import SyncPrefectClient
    from prefect.events.schemas.automations import AutomationCore

TRIGGER: TypeAdapter[DeploymentTriggerTypes] = TypeAdapter(DeploymentTriggerTypes)


def check_triggers(entries: Iterable[DeploymentEntry]) -> None:
    """Check that all triggers can be read.

    Raises:
        ParameterError: Naming the deployment and what is wrong.
    """
    for entry in entries:
        for spec in entry.triggers:
            _read(entry, spec)


def trigger_changes(
    client: SyncPrefectClient, entries: Iterable[DeploymentEntry], ids: Mapping[str, UUID]
) -> tuple[Change, ...]:
    """Compare the automations of deployments; where one differs all of its own are made anew.

    A server does not say which automations belong to a deployment, only which have to do with it.
    """
    return tuple(
        change
        for entry in entries
        if entry.triggers
        for change in _changes(client, entry, ids[entry.full_name])
    )


def _changes(client: SyncPrefectClient, entry: DeploymentEntry, deployment: UUID) -> list[Change]:
    resource = f"prefect.deployment.{deployment}"
    wanted = [_automation(entry, spec, deployment) for spec in entry.triggers]
    related = client.read_resource_related_automations(resource)
    found = [picture(each) for each in related if not each.name.startswith(PREFIX)]
    if all(_times(picture(each), found) == 1 for each in wanted):
        return []
    return [
        Change(
            line=f"make the triggers of deployment {entry.full_name}",
            make=lambda client: _make(client, resource, wanted),
        )
    ]


def _times(wanted: dict[str, object], found: list[dict[str, object]]) -> int:
    return sum(not differing(wanted, each) for each in found)


def _make(client: SyncPrefectClient, resource: str, wanted: list[AutomationCore]) -> None:
    client.delete_resource_owned_automations(resource)
    for each in wanted:
        client.create_automation(each)


def _automation(
    entry: DeploymentEntry, spec: dict[str, object], deployment: UUID
) -> AutomationCore:
    trigger = _read(entry, spec)
    trigger.set_deployment_id(deployment)
    return trigger.as_automation()


def _read(entry: DeploymentEntry, spec: dict[str, object]) -> DeploymentTriggerTypes:
    try:
        return TRIGGER.validate_python(spec)
    except ValidationError as invalid:
        first = invalid.errors()[0]
        found = " ".join(repr(first["input"]).split())[:80]
        where = f"{entry.full_name}: triggers"
        raise refused("prefect.yaml", where, found, first["msg"]) from None
