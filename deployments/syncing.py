"""Brings the automations of a server to what they should be."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from prefect.events import DeploymentTriggerTypes
from prefect.events.schemas.automations import Automation, AutomationCore
from pydantic import TypeAdapter, ValidationError

from deployments.automations import PREFIX
from deployments.document import DeploymentEntry, refused
from deployments.plan import Change, differing, paged

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from uuid import UUID

    from prefect.client.orchestration import SyncPrefectClient

TRIGGER: TypeAdapter[DeploymentTriggerTypes] = TypeAdapter(DeploymentTriggerTypes)


def owned_automations(
    entries: Iterable[DeploymentEntry], ids: Mapping[str, UUID]
) -> tuple[AutomationCore, ...]:
    """Make the automations that `triggers` of deployments stand for.

    Raises:
        ParameterError: Where a trigger cannot be read.
    """
    return tuple(
        _owned(entry, spec, ids[entry.full_name]) for entry in entries for spec in entry.triggers
    )


def _owned(entry: DeploymentEntry, spec: dict[str, object], deployment: UUID) -> AutomationCore:
    try:
        trigger = TRIGGER.validate_python(spec)
    except ValidationError as invalid:
        first = invalid.errors()[0]
        found = " ".join(repr(first["input"]).split())[:80]
        where = f"{entry.full_name}: triggers"
        raise refused("prefect.yaml", where, found, first["msg"]) from None
    trigger.set_deployment_id(deployment)
    return trigger.as_automation()


def automation_changes(
    client: SyncPrefectClient,
    wanted: Iterable[AutomationCore],
    *,
    owners: Iterable[UUID],
) -> tuple[Change, ...]:
    """Compare automations by name and owner.

    Args:
        client: Of the server.
        wanted: All that there should be.
        owners: Ids of the deployments whose own automations are ours too.
    """
    resources = {f"prefect.deployment.{each}" for each in owners}
    found: dict[tuple[str, str], list[Automation]] = defaultdict(list)
    for each in paged(lambda offset: client.read_automations(limit=200, offset=offset)):
        if each.name.startswith(PREFIX) or each.owner_resource in resources:
            found[_key(each)].append(each)
    changes = [change for each in wanted for change in _changes(each, found.pop(_key(each), []))]
    leftovers = [each for several in found.values() for each in several]
    return (*changes, *map(_deletion, leftovers))


def _key(automation: AutomationCore) -> tuple[str, str]:
    return automation.owner_resource or "", automation.name


def _changes(wanted: AutomationCore, found: list[Automation]) -> list[Change]:
    if not found:
        return [_creation(wanted)]
    first, *others = found
    difference = differing(picture(wanted), picture(first))
    updates = [_update(first, wanted, difference)] if difference else []
    return updates + [_deletion(each) for each in others]


def picture(automation: AutomationCore) -> dict[str, object]:
    """List what an automation is, in a form that does not depend on who wrote it."""
    written = automation.model_dump(mode="json", exclude={"id", "created", "updated", "name"})
    return {name: _ordered(value) for name, value in written.items()}


def _ordered(value: object) -> object:
    if isinstance(value, dict):
        return {name: _ordered(each) for name, each in value.items()}
    if isinstance(value, list):
        parts = [_ordered(each) for each in value]
        is_set = all(isinstance(each, str) for each in parts)
        return sorted(parts, key=str) if is_set else parts
    return value


def _creation(wanted: AutomationCore) -> Change:
    return Change(
        line=f"create automation {wanted.name}",
        make=lambda client: client.create_automation(wanted),
    )


def _update(found: Automation, wanted: AutomationCore, difference: str) -> Change:
    # An update sends what was set and nothing else, and the server wants the posture set.
    whole = AutomationCore.model_validate(wanted.model_dump(mode="json"))
    return Change(
        line=f"update automation {wanted.name}: {difference}",
        make=lambda client: client.update_automation(found.id, whole),
    )


def _deletion(found: Automation) -> Change:
    return Change(
        line=f"delete automation {found.name}",
        make=lambda client: client.delete_automation(found.id),
    )
