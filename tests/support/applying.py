"""What applying leaves on a server that other tests use too, and how it is taken away again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deployments.automations import PREFIX
from deployments.blocks import block_ids
from deployments.deployed import deployed

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient


def wipe(client: SyncPrefectClient) -> None:
    """Delete the deployments and automations, blocks and pools of a server."""
    for deployment in deployed(client).values():
        client.delete_deployment(deployment.id)
    for automation in client.read_automations(limit=200):
        if automation.name.startswith(PREFIX) or automation.name == "retrain-model":
            client.delete_automation(automation.id)
    for block in block_ids(client).values():
        client.delete_block_document(block)
    for pool in client.read_work_pools():
        client.delete_work_pool(pool.name)
