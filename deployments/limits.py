"""Limits on tasks that run at once, over all runs and processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deployments.plan import Change, Stage, paged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prefect.client.orchestration import SyncPrefectClient

TASK_LIMITS: Mapping[str, int] = {"training": 2}
"""Task runs of a tag at once: a training uses every core it finds, and memory for its folds."""


def limits_stage(wanted: Mapping[str, int] = TASK_LIMITS) -> Stage:
    """Make the limits that tags of tasks stand for; without them a tag limits nothing."""

    def compare(client: SyncPrefectClient) -> tuple[Change, ...]:
        limits = paged(lambda offset: client.read_concurrency_limits(limit=200, offset=offset))
        found = {each.tag: each.concurrency_limit for each in limits}
        return tuple(
            _setting(tag, limit, found.get(tag))
            for tag, limit in wanted.items()
            if found.get(tag) != limit
        )

    return compare


def _setting(tag: str, limit: int, before: int | None) -> Change:
    what = "create" if before is None else "update"
    after = "" if before is None else f" instead of {before}"
    return Change(
        line=f"{what} limit of tag {tag}: {limit} at once{after}",
        make=lambda client: client.create_concurrency_limit(tag, limit),
    )
