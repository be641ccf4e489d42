"""Addresses of pages for people: of tracked runs in MLflow, of flow runs in Prefect."""

from __future__ import annotations

from prefect.utilities.urls import url_for

from slices.runtime.mlflow_store import experiment_of
from slices.runtime.settings import load_settings

WORKFLOW = "?workflowType=machine_learning"
"""Without it MLflow opens its pages for language models."""


def mlflow_pages() -> str:
    """Return where the pages of MLflow are: the server of the settings, or the one of this home."""
    settings = load_settings()
    is_server = settings.mlflow_url.startswith(("http://", "https://"))
    return (settings.mlflow_url if is_server else settings.mlflow_ui_url).rstrip("/")


def tracked_url(run_id: str) -> str:
    """Return the address of a tracked run's page; empty without a run."""
    if not run_id:
        return ""
    return f"{mlflow_pages()}/#/experiments/{experiment_of(run_id)}/runs/{run_id}{WORKFLOW}"


def model_url(name: str, version: int) -> str:
    """Return the address of a registered version's page."""
    return f"{mlflow_pages()}/#/models/{name}/versions/{version}{WORKFLOW}"


def flow_run_url(run_id: str) -> str:
    """Return the address of a flow run's page; empty without a run or an address of Prefect."""
    return (url_for("flow-run", run_id) or "") if run_id else ""
