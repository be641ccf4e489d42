"""Variables that automations read when they write a message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect.client.schemas.actions import VariableCreate, VariableUpdate

from deployments.plan import Change, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prefect.client.orchestration import SyncPrefectClient

    from slices.runtime.settings import Settings

DASHBOARD = "tradeflows_dashboard"


def wanted_variables(settings: Settings) -> dict[str, str]:
    """Say where the dashboard is, which messages lead to."""
    return {DASHBOARD: f"http://127.0.0.1:{settings.dashboard_port}"}


def variables_stage(wanted: Mapping[str, str]) -> Stage:
    """Set the variables; others are left alone."""

    def compare(client: SyncPrefectClient) -> tuple[Change, ...]:
        found = {name: client.read_variable_by_name(name) for name in wanted}
        return tuple(
            _setting(name, value, exists=found[name] is not None)
            for name, value in wanted.items()
            if (present := found[name]) is None or present.value != value
        )

    return compare


def _setting(name: str, value: str, *, exists: bool) -> Change:
    if exists:
        update = VariableUpdate(name=name, value=value)
        return Change(
            line=f"update variable {name}", make=lambda client: client.update_variable(update)
        )
    created = VariableCreate(name=name, value=value)
    return Change(
        line=f"create variable {name}", make=lambda client: client.create_variable(created)
    )
