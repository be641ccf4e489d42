from __future__ import annotations

import math
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from flows.cli.progress import Board
from flows.search import optimization
from slices.domain.errors import ParameterError
from slices.domain.studies import Optimization, SearchMethod
from slices.optimize import tpe
from slices.optimize.space import make_space, random_points
from slices.runtime import mlflow_store
from slices.runtime.progress import Step, listeners
from slices.runtime.settings import load_settings
from slices.runtime.tracking import PARENT_TAG
from tests.support.runs import artifacts, task_runs

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

pytestmark = pytest.mark.slow

OPTIONS: dict[str, Any] = {
    "symbols": ["GOOGL"],
    "trials": 1_900,
    "ranges": {"fast": "2:60", "slow": "20:150"},
}
BATCHES = 8
TASKS = 2 + 2 + BATCHES + 4 + 1 + 3 + 1 + 2
INTERRUPTED_AFTER = 3


class Count:
    """Interrupts this process, as Ctrl-C does, once some batches are done."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.done: list[str] = []

    def __call__(self, step: Step) -> None:
        if step.task == "optimize.try_batch" and step.state == "Completed":
            self.done.append(step.name)
            if len(self.done) == self.limit:
                signal.raise_signal(signal.SIGINT)


def stored_batches() -> set[str]:
    return {each.name for each in load_settings().results_folder.glob("optimize.try_batch-*")}


@pytest.fixture(scope="module")
def interrupted() -> set[str]:
    """What was stored when the first run of the study was interrupted."""
    before, count = stored_batches(), Count(INTERRUPTED_AFTER)
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    listeners.append(count)
    try:
        with pytest.raises(KeyboardInterrupt):
            optimization(**OPTIONS)
    finally:
        listeners.remove(count)
        signal.signal(signal.SIGINT, handler)
    return stored_batches() - before


@pytest.fixture(scope="module")
def state(interrupted: set[str]) -> State[Optimization]:
    assert interrupted
    return optimization(**OPTIONS, return_state=True)


@pytest.fixture(scope="module")
def study(state: State[Optimization]) -> Optimization:
    return state.result()


def client() -> Any:
    return mlflow_store.open_client()


def batch_states(state: State[Any]) -> list[str | None]:
    runs = task_runs(state.state_details.flow_run_id, expected=TASKS)
    return [run.state_name for run in runs if "try batch" in run.name]


def test_an_interrupted_study_goes_on_and_repeats_no_finished_batch(
    interrupted: set[str], state: State[Optimization]
) -> None:
    assert state.name == "Completed"
    states = batch_states(state)
    assert len(states) == BATCHES
    assert INTERRUPTED_AFTER <= len(interrupted) <= BATCHES
    assert states.count("Cached") == len(interrupted)
    assert states.count("Completed") == BATCHES - len(interrupted)


def test_it_answers_both_questions(study: Optimization) -> None:
    assert study.settings.trials > 1_500
    assert study.overfitting.trials == study.settings.trials
    assert 0 <= study.overfitting.probability_of_overfitting <= 1
    assert 0 <= study.overfitting.deflated_sharpe_ratio <= 1
    assert study.combinatorial.folds >= 4
    assert len(study.surface.top) == 20
    assert f"{study.settings.trials:,} trials" in study.headline


def test_the_walk_forward_is_one_account_over_the_folds(study: Optimization) -> None:
    walked = study.walk_forward
    assert walked.sessions[0] == study.folds[0].decided
    assert walked.sessions[-1] == study.folds[-1].out_of_sample_last
    assert walked.equity[0] == 100_000.0
    assert walked.verdict.trials == 1
    assert walked.verdict.probe.cuts
    assert not walked.verdict.probe.findings
    for picked in (study.hindsight, study.recommended):
        assert picked is None or not picked.verdict.probe.cuts
    assert study.hindsight.verdict.trials == study.settings.trials
    assert study.hindsight.sessions == walked.sessions
    assert study.hindsight.performance.sharpe_ratio > walked.performance.sharpe_ratio


def test_the_study_is_one_tracked_run_with_every_trial(
    state: State[Optimization], study: Optimization, tmp_path: Path
) -> None:
    run = client().get_run(study.mlflow_run_id)
    assert study.provenance is not None
    assert study.provenance.mlflow_run_id == study.mlflow_run_id
    assert run.info.status == "FINISHED"
    assert run.data.params["strategy"] == "sma_cross"
    assert run.data.params["range.slow"].startswith("20 to 150")
    assert run.data.tags["tradeflows.prefect_run"] == str(state.state_details.flow_run_id)
    assert run.data.tags["tradeflows.data"] == study.bars.fingerprint
    assert run.data.tags["tradeflows.code"] == study.provenance.code_version
    odds = run.data.metrics["probability_of_overfitting"]
    assert odds == pytest.approx(study.overfitting.probability_of_overfitting)
    table = client().download_artifacts(study.mlflow_run_id, "trials.parquet", str(tmp_path))
    trials = pl.read_parquet(table)
    assert trials.height == study.settings.trials
    best = trials.sort("sharpe_ratio", descending=True).row(0, named=True)
    assert best["sharpe_ratio"] == pytest.approx(study.surface.best.sharpe_ratio)
    assert {name: best[name] for name in ("fast", "slow")} == dict(study.surface.best.parameters)


def tracked_runs() -> list[Any]:
    experiment = client().get_experiment_by_name("optimization")
    return list(client().search_runs([experiment.experiment_id]))


def test_a_second_run_is_cached_and_tracks_nothing_new(study: Optimization) -> None:
    before, tree = tracked_runs(), study.mlflow_run_id
    own = [run for run in before if tree in {run.info.run_id, run.data.tags.get(PARENT_TAG)}]
    assert 1 < len(own) <= 1 + 5
    again = optimization(**OPTIONS, return_state=True)
    runs = task_runs(again.state_details.flow_run_id, expected=TASKS)
    assert len(runs) == TASKS
    computed = [run for run in runs if "kind:compute" in run.tags or "kind:fetch" in run.tags]
    assert {run.state_name for run in computed} == {"Cached"}
    assert again.result().mlflow_run_id == study.mlflow_run_id
    assert len(tracked_runs()) == len(before)


def test_the_report_shows_map_curve_and_evidence(study: Optimization) -> None:
    text = Path(study.report_path).read_text()
    for expected in (
        "Sharpe ratio of each neighbourhood", "Walk-forward", "Best in hindsight", "Buy and hold",
        "Probability of overfitting", "Deflated Sharpe ratio", "Combinatorial purged",
        study.mlflow_run_id,
    ):  # fmt: skip
        assert expected in text
    assert "plateau" in text


def test_the_run_shows_its_progress(state: State[Optimization]) -> None:
    kinds = [str(each.type) for each in artifacts(state.state_details.flow_run_id)]
    assert "progress" in kinds
    assert "image" in kinds


def test_a_parzen_search_keeps_a_journal_and_gives_the_same_kind_of_answer() -> None:
    found = optimization(
        symbols=["GOOGL"],
        strategy="rsi_reversal",
        method="tpe",
        trials=2 * tpe.BATCH,
        start="2008-01-02",
        seed=3,
    )
    assert found.settings.trials == 2 * tpe.BATCH
    journal = tpe.journal_of(found.settings.key)
    assert journal.stat().st_size > 0
    assert found.settings.validation_method is SearchMethod.RANDOM
    assert found.settings.validation_trials == 2 * tpe.BATCH
    space = make_space("rsi_reversal")
    points = random_points(space, 2 * tpe.BATCH, seed=3).tolist()
    assert [each.parameters for each in found.folds] == [
        space.values(points[each.trial]) for each in found.folds
    ]


def test_a_strategy_that_never_trades_has_no_probability_of_overfitting() -> None:
    found = optimization(
        symbols=["GOOGL"],
        strategy="rsi_reversal",
        method="random",
        trials=20,
        fixed={"window": 100, "lower": 5},
        start="2008-01-02",
    )
    assert math.isnan(found.overfitting.probability_of_overfitting)
    assert f"not defined ({found.overfitting.reason})" in found.headline
    assert "100%" not in found.headline


def test_several_symbols_are_traded_in_sleeves() -> None:
    found = optimization(
        symbols=["AAPL", "IBM"], method="random", trials=40, start="2006-01-03", seed=1
    )
    assert found.bars.symbols == ("AAPL", "IBM")
    assert found.settings.trials == 40
    assert found.walk_forward.symbols == ("AAPL", "IBM")


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"strategy": "buy_and_hold"}, "nothing to vary"),
        ({"method": "tpe", "trials": 50_000}, "1,000"),
        ({"ranges": {"slow": "300:200"}}, "slow"),
        ({"fixed": {"speed": 1}}, "speed"),
        ({"trials": 1}, "trials"),
        ({"strategy": "cross_sectional_momentum"}, "symbols"),
        ({"method": "guess"}, "method"),
    ],
)
def test_what_makes_no_sense_is_refused_before_a_run_exists(
    given: dict[str, Any], named: str
) -> None:
    with pytest.raises(ParameterError, match=named):
        optimization(**given)


def step(task: str, number: int, state: str) -> Step:
    return Step(
        run_id=f"{task}{number}", name=f"{task} {number}", task=task, state=state, seconds=1
    )


def test_many_runs_of_one_task_share_a_line() -> None:
    board = Board("optimization")
    for number in range(3):
        board.update(step("few", number, "Completed"))
    for number in range(12):
        board.update(step("many", number, "Running" if number > 6 else "Cached"))
    rows = [tuple(str(cell) for cell in row) for row in board.rows()]
    assert [row[1] for row in rows] == ["few 0", "few 1", "few 2", "many"]
    assert rows[-1][3].startswith("7 of 12")


def test_plain_lines_name_a_group_once_and_every_failure(
    capsys: pytest.CaptureFixture[str],
) -> None:
    board = Board("optimization")
    for number in range(8):
        board.update(step("many", number, "Running"))
    for number in range(8):
        board.say(step("many", number, "Failed" if number == 4 else "Completed"))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("many 4  Failed")
    assert "7 Completed" in lines[1]
    assert lines[1].endswith("of 8")
