from __future__ import annotations

import datetime as dt
import os
from typing import Annotated, Any

import pytest
from prefect.task_runners import ProcessPoolTaskRunner, ThreadPoolTaskRunner
from pydantic import Field

from slices.domain.errors import ParameterError, SettingsError
from slices.domain.parameters import (
    DEFAULT_COSTS,
    Capital,
    Costs,
    PortfolioSymbols,
    SessionDate,
    SourceName,
)
from slices.domain.results import FlowResult
from slices.runtime.settings import Settings
from slices.runtime.workflow import Workflow, runner, workflow


def even_window(parameters: dict[str, Any]) -> None:
    if parameters["window"] % 2:
        raise ParameterError(parameter="window", found="odd", allowed="even")


@workflow(even_window)
def sample(
    symbols: PortfolioSymbols = ["AAPL", "MSFT"],  # noqa: B006 - never changed
    *,
    source: SourceName = "embedded",
    start: SessionDate | None = None,
    end: SessionDate | None = None,
    capital: Capital = 1000.0,
    costs: Costs = DEFAULT_COSTS,
    window: Annotated[int, Field(ge=2, le=100)] = 20,
) -> FlowResult:
    """What is this?"""
    raise AssertionError(symbols, source, start, end, capital, costs, window)


@pytest.mark.parametrize(
    ("parameters", "name", "found"),
    [
        ({"symbols": []}, "symbols", "[]"),
        ({"symbols": ["AAPL"]}, "symbols", "['AAPL']"),
        ({"symbols": ["AAPL", "a b"]}, "symbols.1", "'A B'"),
        ({"start": "2013-13-01"}, "start", "'2013-13-01'"),
        ({"capital": -5}, "capital", "-5"),
        ({"capital": "nan"}, "capital", "'nan'"),
        ({"source": "moon"}, "source", "'moon'"),
        ({"costs": {"commission_bps": -1}}, "costs.commission_bps", "-1"),
        ({"costs": {"fee": 1}}, "costs.fee", "unknown"),
        ({"window": 21}, "window", "odd"),
        ({"windows": 20}, "windows", "unknown"),
        ({"start": "2020-01-02", "end": "2020-01-02"}, "start", "2020-01-02"),
    ],
)
def test_a_bad_parameter_is_refused_in_one_line_before_any_run(
    parameters: dict[str, Any], name: str, found: str
) -> None:
    with pytest.raises(ParameterError) as refused:
        sample(**parameters)
    assert refused.value.parameter == name
    assert found in refused.value.found
    assert refused.value.allowed
    assert "\n" not in str(refused.value)


def test_parameters_are_converted_and_completed() -> None:
    checked = sample.validate_parameters(
        {"symbols": ["aapl", "msft"], "start": "2020-01-02", "capital": "5"}
    )
    assert checked["symbols"] == ["AAPL", "MSFT"]
    assert checked["start"] == dt.date(2020, 1, 2)
    assert checked["capital"] == 5.0
    assert checked["window"] == 20
    assert set(checked) == set(sample.model.model_fields)


def test_a_very_long_value_is_shortened_in_the_message() -> None:
    with pytest.raises(ParameterError) as refused:
        sample.validate_parameters({"source": "x" * 10_000})
    assert len(str(refused.value)) < 300


def test_the_form_carries_types_limits_and_names() -> None:
    form = sample.parameters.model_dump()["properties"]
    assert form["symbols"]["minItems"] == 2
    assert form["capital"]["exclusiveMinimum"] == 0
    assert form["source"]["enum"] == ["embedded", "files", "yfinance", "alpaca"]
    assert isinstance(sample, Workflow)
    assert sample.name == "sample"


def test_the_task_runner_is_a_setting() -> None:
    threads = runner(Settings(task_runner="threads", max_workers=3))
    assert isinstance(threads, ThreadPoolTaskRunner)
    assert threads._max_workers == 3
    processes = runner(Settings(task_runner="processes", max_workers=64))
    assert isinstance(processes, ProcessPoolTaskRunner)
    assert processes._max_workers == os.cpu_count(), "each is a whole interpreter"
    alone = runner(Settings(task_runner="processes", max_workers=1))
    assert isinstance(alone, ProcessPoolTaskRunner)
    assert alone._max_workers == 1
    dask = runner(Settings(task_runner="dask", dask_address="tcp://127.0.0.1:1"))
    assert type(dask).__name__ == "DaskTaskRunner"
    with pytest.raises(SettingsError, match="DASK_ADDRESS"):
        runner(Settings(task_runner="dask"))
