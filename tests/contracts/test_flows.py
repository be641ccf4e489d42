"""What every flow promises, checked for each of them."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from typing import Any, get_type_hints

import pytest
import yaml
from prefect.flows import load_flow_from_entrypoint

from flows.cli.catalogue import FlowEntry, flow_entries
from flows.cli.options import build_parser, given_parameters, help_texts
from slices.domain.results import FlowResult
from slices.runtime.workflow import Workflow

ROOT = Path(__file__).parents[2]
ENTRIES = flow_entries()
DEPLOYMENTS: list[dict[str, Any]] = yaml.safe_load((ROOT / "prefect.yaml").read_text())[
    "deployments"
]
every_flow = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
every_deployment = pytest.mark.parametrize(
    "deployment", DEPLOYMENTS, ids=lambda each: f"{each['entrypoint']}/{each['name']}"
)


def load(entry: FlowEntry) -> Workflow[..., Any]:
    flow: Workflow[..., Any] = getattr(importlib.import_module(entry.module), entry.name)
    return flow


def test_names_are_unique() -> None:
    assert len({entry.name for entry in ENTRIES}) == len(ENTRIES) > 0


@every_flow
def test_prefect_loads_the_entrypoint_strictly(entry: FlowEntry) -> None:
    flow = load_flow_from_entrypoint(entry.entrypoint, use_placeholder_flow=False)
    assert flow is load(entry)
    assert isinstance(flow, Workflow)
    assert flow.name == entry.name.replace("_", "-")


@every_flow
def test_parameters_are_typed_and_explained(entry: FlowEntry) -> None:
    flow = load(entry)
    hints = get_type_hints(flow.fn)
    assert issubclass(hints.pop("return"), FlowResult)
    assert set(hints) == set(inspect.signature(flow.fn).parameters)
    texts = help_texts(flow)
    assert set(texts) == set(hints)
    assert all(text.endswith(".") for text in texts.values())
    form = flow.parameters.model_dump()["properties"]
    assert all(form[name]["description"] for name in hints)


@every_flow
def test_defaults_are_valid_and_run_offline(entry: FlowEntry) -> None:
    checked = load(entry).validate_parameters({})
    assert checked["source"] == "embedded"


@every_flow
def test_the_docstring_begins_with_the_question(entry: FlowEntry) -> None:
    assert entry.question.endswith("?")
    assert load(entry).description


@every_flow
def test_the_command_line_reaches_every_parameter(entry: FlowEntry) -> None:
    flow = load(entry)
    reachable = {
        action.dest.partition(".")[0]
        for action in build_parser(entry.name, flow)._actions
        if action.dest != "help"
    }
    assert reachable == set(flow.model.model_fields)
    assert given_parameters(flow, build_parser(entry.name, flow).parse_args([])) == {}


@every_flow
def test_the_catalogue_has_a_row(entry: FlowEntry) -> None:
    catalogue = (ROOT / "flows" / "README.md").read_text()
    rows = [line for line in catalogue.splitlines() if line.startswith(f"| `{entry.name}` |")]
    assert len(rows) == 1
    assert entry.question in rows[0]


def test_the_catalogue_has_no_other_rows() -> None:
    catalogue = (ROOT / "flows" / "README.md").read_text()
    rows = [line for line in catalogue.splitlines() if line.startswith("| `")]
    assert len(rows) == len(ENTRIES)


@every_flow
def test_there_is_a_deployment_for_hand_use(entry: FlowEntry) -> None:
    names = {each["name"] for each in DEPLOYMENTS if each["entrypoint"] == entry.entrypoint}
    assert "adhoc" in names


@every_deployment
def test_a_deployment_fits_its_flow(deployment: dict[str, Any]) -> None:
    entries = {entry.entrypoint: entry for entry in ENTRIES}
    flow = load(entries[deployment["entrypoint"]])
    checked = flow.validate_parameters(deployment["parameters"])
    assert set(deployment["parameters"]) <= set(checked)
    assert deployment["work_pool"]["name"] == "local"


@every_deployment
def test_schedules_keep_exchange_time_and_may_be_applied_twice(
    deployment: dict[str, Any],
) -> None:
    for schedule in deployment.get("schedules", []):
        assert schedule["timezone"] == "America/New_York"
        assert schedule["slug"]
    if deployment.get("schedules"):
        assert deployment["concurrency_limit"]["collision_strategy"] in {"ENQUEUE", "CANCEL_NEW"}
