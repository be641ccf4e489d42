"""What applying leaves on a server that other tests use too, and how it is taken away again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from deployments.automations import PREFIX
from deployments.blocks import block_ids
from deployments.deployed import deployed
from deployments.document import FILE

if TYPE_CHECKING:
    from collections.abc import Callable

    from prefect.client.orchestration import SyncPrefectClient

KEPT = {
    "flows.core.quick_test/daily",
    "flows.trading.paper_trading/daily",
    "flows.positions.portfolio_rebalance/adhoc",
    "flows.risk.drawdown_protection/adhoc",
    "flows.ml_training.ml_model_training/retrain",
}


def small(change: Callable[[dict[str, Any]], object] = lambda _: None) -> str:
    """The project's file with five deployments, changed."""
    document = yaml.safe_load(FILE.read_text())
    document["deployments"] = [
        each for each in document["deployments"] if f"{each['entrypoint']}/{each['name']}" in KEPT
    ]
    change(document)
    return yaml.safe_dump(document)


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
