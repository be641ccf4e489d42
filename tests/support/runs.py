"""What a flow run left behind, asked from the server."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterId,
    TaskRunFilter,
    TaskRunFilterFlowRunId,
)

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.client.schemas.objects import Artifact, TaskRun

WAIT_SECONDS = 20.0


def task_runs(flow_run_id: UUID, *, expected: int) -> list[TaskRun]:
    """List the task runs of a flow run once the server has recorded as many as expected."""
    deadline = time.monotonic() + WAIT_SECONDS
    with get_client(sync_client=True) as client:
        while True:
            runs = client.read_task_runs(
                task_run_filter=TaskRunFilter(
                    flow_run_id=TaskRunFilterFlowRunId(any_=[flow_run_id])
                )
            )
            done = [run for run in runs if run.state is not None and run.state.is_final()]
            if len(done) >= expected or time.monotonic() > deadline:
                return runs
            time.sleep(0.2)


def artifacts(flow_run_id: UUID) -> list[Artifact]:
    """List the artifacts of a flow run."""
    with get_client(sync_client=True) as client:
        return client.read_artifacts(
            flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[flow_run_id]))
        )
