"""Work pools: where the runs of deployments wait for a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect.client.schemas.actions import WorkPoolCreate
from prefect.workers.process import ProcessWorker

from deployments.plan import Change, Stage, paged
from slices.domain.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import WorkPool

POOL_TYPE = "process"


def pools_stage(names: Iterable[str]) -> Stage:
    """Make the pools that deployments name; what a person changed about one is left alone."""
    wanted = sorted(set(names))

    def compare(client: SyncPrefectClient) -> tuple[Change, ...]:
        found = {each.name: each for each in _all_pools(client)}
        for name in wanted:
            if name in found:
                _check_type(found[name])
        return tuple(_creation(name) for name in wanted if name not in found)

    return compare


def _all_pools(client: SyncPrefectClient) -> list[WorkPool]:
    return paged(lambda offset: client.read_work_pools(limit=200, offset=offset))


def _check_type(pool: WorkPool) -> None:
    if pool.type != POOL_TYPE:
        raise SettingsError(
            setting=f"work pool {pool.name}",
            found=f"the type {pool.type}",
            needed=f"the type {POOL_TYPE}: delete the pool, or name another in prefect.yaml",
        )


def _creation(name: str) -> Change:
    pool = WorkPoolCreate(
        name=name,
        type=POOL_TYPE,
        base_job_template=ProcessWorker.get_default_base_job_template(),
    )
    return Change(
        line=f"create work pool {name}", make=lambda client: client.create_work_pool(pool)
    )
