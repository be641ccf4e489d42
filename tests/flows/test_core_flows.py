from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from prefect.client.orchestration import get_client

from flows.cli.options import build_parser, given_parameters
from flows.core import quick_test, simple_backtest
from slices.domain.backtests import QuickTest, SimpleBacktest
from slices.domain.errors import InsufficientHistoryError, ParameterError, SymbolNotFoundError
from slices.domain.fingerprint import fingerprint
from slices.domain.strategies import StrategyName
from slices.runtime.settings import load_settings
from tests.support.runs import artifacts, task_runs

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

QUICK_TASKS = 2 + 1 + 1 + 1
BACKTEST_TASKS = 2 + 3 + 1 + 1 + 1
PERIOD = {"start": "2005-01-03", "end": "2012-12-31"}


def flow_run_id(state: State[Any]) -> Any:
    return state.state_details.flow_run_id


@pytest.fixture(scope="module")
def quick() -> State[QuickTest]:
    return quick_test(return_state=True)


@pytest.fixture(scope="module")
def auto() -> State[SimpleBacktest]:
    return simple_backtest(strategy="auto", return_state=True, **PERIOD)


def test_the_quick_test_gives_the_known_answer(quick: State[QuickTest]) -> None:
    assert quick.name == "Completed"
    result = quick.result()
    assert result.tested.equity[-1] == pytest.approx(337_675.8917, abs=1e-4)
    assert result.expected_equity == pytest.approx(337_675.8917, abs=1e-4)
    assert result.caveats == ()


def test_a_second_quick_test_takes_every_computed_step_from_the_cache(
    quick: State[QuickTest],
) -> None:
    again = quick_test(return_state=True)
    runs = task_runs(flow_run_id(again), expected=QUICK_TASKS)
    assert len(runs) == QUICK_TASKS
    computed = [run for run in runs if "kind:act" not in run.tags]
    assert {run.state_name for run in computed} == {"Cached"}
    assert len(computed) == QUICK_TASKS - 1
    assert fingerprint(again.result().tested) == fingerprint(quick.result().tested)


def test_the_answer_is_one_value_called_as_a_state_and_read_back(quick: State[QuickTest]) -> None:
    with get_client(sync_client=True) as client:
        kept = client.read_flow_run(flow_run_id(quick)).state
    assert kept is not None
    assert isinstance(quick_test(), QuickTest)
    assert isinstance(quick.result(), QuickTest)
    assert fingerprint(kept.result()) == fingerprint(quick.result())


def test_auto_chooses_on_the_first_part_and_is_judged_on_the_rest(
    auto: State[SimpleBacktest],
) -> None:
    assert auto.name == "Completed"
    result = auto.result()
    assert result.choice.in_sample is not None
    assert result.tested.sessions[0] > result.choice.in_sample[1]
    assert result.tested.verdict.trials == 1
    assert result.choice.trials == len(StrategyName) - 1 == len(result.choice.ranking)


def test_the_run_shows_its_artifacts(auto: State[SimpleBacktest]) -> None:
    kinds: dict[str, int] = {}
    for each in artifacts(flow_run_id(auto)):
        kinds[str(each.type)] = kinds.get(str(each.type), 0) + 1
    assert kinds["table"] >= 9
    assert kinds["markdown"] == 2
    assert kinds["image"] == 1


def test_the_report_is_one_page_on_disk_that_asks_nobody(auto: State[SimpleBacktest]) -> None:
    result = auto.result()
    page = Path(result.report_path)
    assert page.is_relative_to(load_settings().reports_folder)
    text = page.read_text()
    assert len(text.encode()) < 1_000_000
    assert result.provenance is not None
    own = text.replace(result.provenance.prefect_url, "")
    assert "http://" not in own.replace("http://www.w3.org", "")
    for expected in ("How it was chosen", "Returns by month", result.bars.fingerprint):
        assert expected in text
    assert result.provenance.seed == 0
    assert dict(result.provenance.parameters)["strategy"] == "auto"


def test_a_second_backtest_takes_every_computed_step_from_the_cache(
    auto: State[SimpleBacktest],
) -> None:
    again = simple_backtest(strategy="auto", return_state=True, **PERIOD)
    runs = task_runs(flow_run_id(again), expected=BACKTEST_TASKS)
    assert len(runs) == BACKTEST_TASKS
    computed = [run for run in runs if "kind:act" not in run.tags]
    assert {run.state_name for run in computed} == {"Cached"}
    assert len(computed) == BACKTEST_TASKS - 1
    first, second = auto.result(), again.result()
    for name in ("choice", "tested", "tearsheet", "rivals", "headline", "summary"):
        assert fingerprint(getattr(second, name)) == fingerprint(getattr(first, name))


def test_a_named_strategy_takes_parameters_from_the_command_line() -> None:
    words = ["--symbols", "GOOGL", "--strategy", "sma_cross", "--parameters", "fast=20", "slow=80"]
    chosen = build_parser("simple_backtest", simple_backtest).parse_args(words)
    result = simple_backtest(**given_parameters(simple_backtest, chosen))
    settings = dict(result.choice.parameters)
    assert (settings["fast"], settings["slow"]) == (20, 80)
    assert result.rivals == ()
    assert result.tested.verdict.trials == 1


@pytest.mark.parametrize(
    "parameters",
    [
        {"strategy": "sma_cross", "parameters": {"quick": 3}},
        {"strategy": "sma_cross", "parameters": {"fast": 0}},
        {"strategy": "sma_cross", "parameters": {"fast": 80}},
        {"strategy": "auto", "parameters": {"fast": 10}},
        {"strategy": "golden_cross"},
        {"in_sample_fraction": 1.0},
        {"symbols": []},
    ],
)
def test_bad_parameters_are_refused_before_a_run_exists(parameters: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        simple_backtest.validate_parameters(parameters)


def test_a_history_too_short_fails_the_run_and_says_what_is_needed() -> None:
    failed = simple_backtest(
        symbols=["GOOGL"], start="2012-10-01", end="2012-12-31", return_state=True
    )
    assert failed.is_failed()
    error = failed.result(raise_on_failure=False)
    assert isinstance(error, InsufficientHistoryError)
    assert error.found < error.needed


def test_an_unknown_symbol_fails_the_run() -> None:
    failed = quick_test(symbols=["ZZZZ"], return_state=True)
    assert failed.is_failed()
    assert isinstance(failed.result(raise_on_failure=False), SymbolNotFoundError)


def test_other_costs_are_another_answer(auto: State[SimpleBacktest]) -> None:
    dear = simple_backtest(symbols=["GOOGL"], costs={"commission_bps": 50.0}, **PERIOD)
    cheap = simple_backtest(symbols=["GOOGL"], **PERIOD)
    assert dear.tested.equity[-1] < cheap.tested.equity[-1]
    assert dataclasses.replace(dear.bars, path="") == dataclasses.replace(cheap.bars, path="")
