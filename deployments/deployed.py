"""Deployments: flows with their parameters, schedules and limits, as the server has them."""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.objects import (
    ConcurrencyLimitStrategy,
    ConcurrencyOptions,
    DeploymentSchedule,
)
from prefect.client.schemas.schedules import CronSchedule
from prefect.utilities.callables import parameter_schema

from deployments.document import DeploymentEntry, Deployments, refused
from deployments.plan import Change, Stage, differing, paged
from slices.domain.errors import ParameterError
from slices.runtime.workflow import Workflow

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.responses import DeploymentResponse

    from slices.domain.results import FlowResult

FILE = "prefect.yaml"


@dataclass(frozen=True, kw_only=True, eq=False)
class Wanted:
    """One deployment with what its flow says about itself."""

    entry: DeploymentEntry
    pull: tuple[dict[str, object], ...]
    description: str
    version: str | None
    schema: dict[str, object]

    def picture(self) -> dict[str, object]:
        """List what a server must hold of it, in words that can be compared."""
        limit = self.entry.concurrency_limit
        return {
            "entrypoint": self.entry.entrypoint,
            "description": self.description,
            "tags": sorted(self.entry.tags),
            "parameters": self.entry.parameters,
            "parameter form": _plain(self.schema),
            "schedules": sorted(
                (each.slug, each.cron, each.timezone) for each in self.entry.schedules
            ),
            "limit": (limit.limit, limit.collision_strategy) if limit else None,
            "work pool": (self.entry.work_pool.name, self.entry.work_pool.work_queue_name),
            "job variables": self.entry.work_pool.job_variables,
            "pull steps": list(self.pull),
            "check of parameters": True,
        }


def wanted_deployments(deployments: Deployments) -> tuple[Wanted, ...]:
    """Load the flow of every deployment.

    Raises:
        ParameterError: Where there is no such flow, or it does not take the parameters.
    """
    return tuple(_wanted(each, deployments.pull) for each in deployments.entries)


def _wanted(entry: DeploymentEntry, pull: tuple[dict[str, object], ...]) -> Wanted:
    flow = _flow(entry)
    schema = parameter_schema(flow).model_dump(exclude_unset=True)
    _check_parameters(entry, flow)
    return Wanted(
        entry=entry,
        pull=pull,
        description=entry.description.strip() or flow.description or "",
        version=flow.version,
        schema=schema,
    )


def _flow(entry: DeploymentEntry) -> Workflow[..., FlowResult]:
    module, _, name = entry.entrypoint.rpartition(".")
    try:
        flow = getattr(importlib.import_module(module), name, None)
    except ModuleNotFoundError:
        flow = None
    if not isinstance(flow, Workflow):
        raise refused(FILE, entry.full_name, f"entrypoint {entry.entrypoint}", "a flow there is")
    return flow


def _check_parameters(entry: DeploymentEntry, flow: Workflow[..., FlowResult]) -> None:
    try:
        flow.validate_parameters(dict(entry.parameters))
    except ParameterError as bad:
        raise refused(FILE, f"{entry.full_name}: {bad.parameter}", bad.found, bad.allowed) from None


def deployments_stage(wanted: tuple[Wanted, ...]) -> Stage:
    """Make the deployments what the file says; others are left alone.

    Whether one is paused, or one of its schedules, is a person's or an automation's to say.
    """

    def compare(client: SyncPrefectClient) -> tuple[Change, ...]:
        found = deployed(client)
        changes = ((each, _difference(each, found.get(each.entry.full_name))) for each in wanted)
        return tuple(
            _change(each, difference, found.get(each.entry.full_name))
            for each, difference in changes
            if difference
        )

    return compare


def deployed(client: SyncPrefectClient) -> dict[str, DeploymentResponse]:
    """Read all deployments of a server by flow and name."""
    flows = paged(lambda offset: client.read_flows(limit=200, offset=offset))
    names = {each.id: each.name for each in flows}
    every = paged(lambda offset: client.read_deployments(limit=200, offset=offset))
    return {f"{names.get(each.flow_id, '?')}/{each.name}": each for each in every}


def deployment_ids(client: SyncPrefectClient) -> dict[str, UUID]:
    """Find the deployments of a server by flow and name."""
    return {name: each.id for name, each in deployed(client).items()}


def _difference(wanted: Wanted, found: DeploymentResponse | None) -> str:
    return differing(wanted.picture(), _picture(found)) if found else "everything"


def _picture(found: DeploymentResponse) -> dict[str, object]:
    limit, options = found.global_concurrency_limit, found.concurrency_options
    return {
        "entrypoint": found.entrypoint,
        "description": found.description or "",
        "tags": sorted(found.tags),
        "parameters": found.parameters,
        "parameter form": _plain(found.parameter_openapi_schema),
        "schedules": sorted(map(_schedule, found.schedules), key=str),
        "limit": (limit.limit, options.collision_strategy.value) if limit and options else None,
        "work pool": (found.work_pool_name, found.work_queue_name),
        "job variables": found.job_variables,
        "pull steps": found.pull_steps or [],
        "check of parameters": found.enforce_parameter_schema,
    }


def _schedule(found: DeploymentSchedule) -> tuple[str | None, ...]:
    if not isinstance(found.schedule, CronSchedule):
        return found.slug, None, None
    return found.slug, found.schedule.cron, found.schedule.timezone


def _plain(value: object) -> object:
    """Bring a value into the form it has after a way over the wire."""
    return json.loads(json.dumps(value, default=str, sort_keys=True))


def _change(wanted: Wanted, difference: str, found: DeploymentResponse | None) -> Change:
    name = wanted.entry.full_name
    return Change(
        line=f"update deployment {name}: {difference}" if found else f"create deployment {name}",
        make=lambda client: _make(client, wanted, found),
    )


def _make(client: SyncPrefectClient, wanted: Wanted, found: DeploymentResponse | None) -> UUID:
    """Create a deployment, or replace it with all its schedules."""
    entry, limit = wanted.entry, wanted.entry.concurrency_limit
    return client.create_deployment(
        flow_id=found.flow_id if found else client.create_flow_from_name(entry.flow),
        name=entry.name,
        version=wanted.version,
        entrypoint=entry.entrypoint,
        description=wanted.description,
        tags=list(entry.tags),
        parameters=dict(entry.parameters),
        parameter_openapi_schema=wanted.schema,
        enforce_parameter_schema=True,
        schedules=_schedules(entry, found),
        concurrency_limit=limit.limit if limit else None,
        concurrency_options=_options(entry),
        work_pool_name=entry.work_pool.name,
        work_queue_name=entry.work_pool.work_queue_name,
        job_variables=dict(entry.work_pool.job_variables),
        pull_steps=[dict(each) for each in wanted.pull],
    )


def _schedules(
    entry: DeploymentEntry, found: DeploymentResponse | None
) -> list[DeploymentScheduleCreate]:
    """List the schedules; one that somebody turned off stays off."""
    off = {each.slug for each in found.schedules if not each.active} if found else set()
    return [
        DeploymentScheduleCreate(
            schedule=each.schedule, slug=each.slug, active=each.slug not in off
        )
        for each in entry.schedules
    ]


def _options(entry: DeploymentEntry) -> ConcurrencyOptions | None:
    if entry.concurrency_limit is None:
        return None
    strategy = ConcurrencyLimitStrategy(entry.concurrency_limit.collision_strategy)
    return ConcurrencyOptions(collision_strategy=strategy)
