"""Brings the automations of a server to what they should be."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from prefect.events.schemas.automations import Automation, AutomationCore

from deployments.automations import PREFIX
from deployments.plan import Change, differing, paged

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prefect.client.orchestration import SyncPrefectClient


def automation_changes(
    client: SyncPrefectClient, wanted: Iterable[AutomationCore]
) -> tuple[Change, ...]:
    """Compare automations by name; ours that nobody wants, and doubles, are deleted."""
    found: dict[str, list[Automation]] = defaultdict(list)
    for each in paged(lambda offset: client.read_automations(limit=200, offset=offset)):
        if each.name.startswith(PREFIX):
            found[each.name].append(each)
    changes = [change for each in wanted for change in _changes(each, found.pop(each.name, []))]
    leftovers = [each for several in found.values() for each in several]
    return (*changes, *map(_deletion, leftovers))


def _changes(wanted: AutomationCore, found: list[Automation]) -> list[Change]:
    if not found:
        return [_creation(wanted)]
    first, *others = found
    difference = differing(picture(wanted), picture(first))
    updates = [_update(first, wanted, difference)] if difference else []
    return updates + [_deletion(each) for each in others]


def picture(automation: AutomationCore) -> dict[str, object]:
    """List what an automation is, in a form that does not depend on who wrote it."""
    written = automation.model_dump(
        mode="json", exclude={"id", "created", "updated", "owner_resource"}
    )
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
    whole = AutomationCore.model_validate(picture(wanted))
    return Change(
        line=f"update automation {wanted.name}: {difference}",
        make=lambda client: client.update_automation(found.id, whole),
    )


def _deletion(found: Automation) -> Change:
    return Change(
        line=f"delete automation {found.name}",
        make=lambda client: client.delete_automation(found.id),
    )
