from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from flows.ml_selection import ml_strategy_selection
from flows.trading import paper_trading
from slices.domain.choices import ChoiceBasis
from slices.domain.errors import InsufficientHistoryError, ParameterError
from slices.domain.fingerprint import fingerprint
from slices.domain.report import BarChart, LineChart, Table, Tone
from slices.domain.selection_parameters import SelectionRule
from slices.domain.strategies import StrategyName
from slices.domain.strategy_selection import Interval, SelectionEvidence, StrategySelection
from slices.domain.trading_errors import LedgerError
from slices.ledger.choices import choice_at, choice_series, choices_of
from slices.ledger.verifying import verify
from slices.ml_strategy.selecting.findings import selection_findings
from slices.quant.signals.catalogue import checked_parameters
from slices.runtime import mlflow_store
from tests.slices.paper_trade.paper_accounts import books
from tests.support.runs import artifacts, task_runs

if TYPE_CHECKING:
    import datetime as dt

    from prefect.client.schemas.objects import State

pytestmark = pytest.mark.slow

STRATEGIES = ["buy_and_hold", "sma_cross", "rsi_reversal", "donchian_breakout"]
OPTIONS: dict[str, Any] = {
    "symbols": ["AAPL", "MSFT", "IBM"],
    "end": "2012-06-29",
    "strategies": STRATEGIES,
    "periods": {"train_periods": 30, "refit_periods": 12},
    "tuning_trials": 40,
    "selection": "tested",
}
TASKS = 2 + 1 + 4 + 1 + 2 + 1 + 6 + 1 + 4 + 1 + 2 + 2


@pytest.fixture(scope="module")
def state() -> State[Any]:
    return ml_strategy_selection(**OPTIONS, return_state=True)


@pytest.fixture(scope="module")
def found(state: State[Any]) -> StrategySelection:
    return state.result()


def past(evidence: SelectionEvidence) -> list[tuple[dt.date, StrategyName, float]]:
    return [(each.session, each.chosen, each.probability) for each in evidence.decisions]


def test_every_way_of_choosing_is_one_account_over_the_same_sessions(
    state: State[Any], found: StrategySelection
) -> None:
    evidence = found.evidence
    assert state.name == "Completed"
    assert [each.rule for each in evidence.rules] == list(SelectionRule)
    assert len({each.sessions for each in evidence.rules}) == 1
    assert evidence.rules[0].sessions[0] == evidence.decisions[0].session
    assert evidence.decisions[-1].session == found.bars.last_session
    assert evidence.probe.cuts
    assert evidence.probe.findings == ()
    assert found.tested.verdict.trials == 2


def test_regret_is_told_against_the_best_in_hindsight_and_the_mix(found: StrategySelection) -> None:
    evidence = found.evidence
    best, mix = (evidence.result_of(SelectionRule(each)) for each in ("hindsight", "mix"))
    assert best.regret.value == 0.0
    assert mix.excess.value == 0.0
    foreseen = evidence.result_of(SelectionRule.FORESIGHT)
    assert foreseen.regret.value < min(each.regret.value for each in evidence.rules[:4])
    for each in evidence.rules:
        gap = each.regret.value + each.excess.value
        assert gap == pytest.approx(mix.regret.value, abs=1e-9)
        assert each.performance.annualized_volatility > 0
    assert sum(each.probability for each in evidence.tallies) == pytest.approx(1.0)
    assert sum(each.best for each in evidence.tallies) == evidence.known


def test_what_has_not_earned_it_is_not_followed(found: StrategySelection) -> None:
    evidence, decision = found.evidence, found.decision
    assert evidence.is_better is (evidence.rules[0].excess.t_statistic >= 1.645)
    basis = ChoiceBasis.MODEL if evidence.is_better else ChoiceBasis.LEADER
    assert decision.basis is basis
    sharpes = {each.strategy: each.sharpe_ratio for each in evidence.tallies}
    leader = max(sharpes, key=lambda each: sharpes[each])
    assert decision.strategy is (evidence.decisions[-1].chosen if evidence.is_better else leader)


def test_the_choice_is_stored_with_everything_it_stands_on(found: StrategySelection) -> None:
    with books() as ledger:
        stored = choice_at(ledger, "tested", found.bars.last_session)
        assert verify(ledger).is_whole
    assert stored == found.activation.choice
    assert found.activation.outcome == "stored"
    assert (stored.strategy, stored.session) == (found.decision.strategy, found.decision.session)
    assert stored.symbols == found.bars.symbols
    assert stored.mlflow_run_id == found.mlflow_run_id != ""
    checked = checked_parameters(stored.strategy, dict(stored.parameters))
    assert tuple(checked.model_dump().items()) == found.decision.parameters
    assert dict(stored.probabilities).keys() == set(STRATEGIES)


def test_it_is_tracked_with_its_ways_of_choosing(found: StrategySelection) -> None:
    client = mlflow_store.open_client()
    run = client.get_run(found.mlflow_run_id)
    assert run.data.metrics["excess_t_statistic"] == pytest.approx(
        found.evidence.rules[0].excess.t_statistic
    )
    below = client.search_runs(
        [run.info.experiment_id], f"tags.\"mlflow.parentRunId\" = '{found.mlflow_run_id}'"
    )
    assert len(below) == len(SelectionRule)
    assert {each.path for each in client.list_artifacts(found.mlflow_run_id)} >= {
        "decisions.parquet",
        "accounts.parquet",
    }


def test_the_report_shows_the_choice_the_accounts_and_the_regret(
    state: State[Any], found: StrategySelection
) -> None:
    blocks = {each.key: each for each in found.report.blocks() if not hasattr(each, "text")}
    assert isinstance(blocks["probabilities"], BarChart)
    assert isinstance(blocks["accounts"], LineChart)
    assert isinstance(blocks["regret"], Table)
    assert len(blocks["accounts"].series) == len(SelectionRule) - 1
    keys = {each.key for each in artifacts(state.state_details.flow_run_id)}
    assert {"ml-strategy-selection", "ml-strategy-selection-regret"} <= keys
    assert found.headline.split(".")[0] in Path(found.report_path).read_text()


def with_leader(
    found: StrategySelection, t_statistic: float, basis: ChoiceBasis
) -> tuple[str, int]:
    excess = Interval(value=-0.0348, low=-0.06, high=-0.01, t_statistic=t_statistic)
    rules = tuple(
        dataclasses.replace(each, excess=excess) if each.rule is SelectionRule.LEADER else each
        for each in found.evidence.rules
    )
    evidence = dataclasses.replace(found.evidence, rules=rules, basis=basis)
    told = selection_findings(
        found.bars, evidence, found.decision, found.activation, tested=found.tested
    )
    warned = [each for each in told.report.notes if each.tone is Tone.WARNING]
    return told.headline, len([each for each in warned if "3.48%" in each.text])


def test_a_leader_that_did_worse_than_the_mix_is_warned_of(found: StrategySelection) -> None:
    headline, notes = with_leader(found, -3.16, ChoiceBasis.LEADER)
    assert notes == 1
    assert "WARNING" in headline
    assert "−3.48%" in headline
    assert "−3.16" in headline


@pytest.mark.parametrize(
    ("t_statistic", "basis"),
    [(-1.6, ChoiceBasis.LEADER), (math.nan, ChoiceBasis.LEADER), (-3.16, ChoiceBasis.NAMED)],
)
def test_what_has_no_bad_record_is_not_warned_of(
    found: StrategySelection, t_statistic: float, basis: ChoiceBasis
) -> None:
    headline, notes = with_leader(found, t_statistic, basis)
    assert notes == 0
    assert "WARNING" not in headline


def test_a_second_run_computes_nothing_and_stores_nothing(found: StrategySelection) -> None:
    again = ml_strategy_selection(**OPTIONS, return_state=True)
    second = again.result()
    runs = task_runs(again.state_details.flow_run_id, expected=TASKS)
    fresh = {each.name.rpartition("-")[0] for each in runs if each.state_name != "Cached"}
    assert len(fresh) == 4
    assert second.activation.outcome == "known"
    assert second.activation.choice == found.activation.choice
    assert second.mlflow_run_id == found.mlflow_run_id
    assert fingerprint(second.evidence) == fingerprint(found.evidence)
    with books() as ledger:
        assert choices_of(ledger, "tested") == (found.activation.choice,)


def test_another_choice_for_the_same_session_is_refused(found: StrategySelection) -> None:
    other = next(each for each in STRATEGIES if each != found.decision.strategy)
    with pytest.raises(LedgerError, match="another name"):
        ml_strategy_selection(**{**OPTIONS, "fallback": other, "tuning_trials": 0})
    shown = ml_strategy_selection(
        **{**OPTIONS, "fallback": other, "tuning_trials": 0, "activate": "plan"}
    )
    assert shown.activation.outcome == "planned"
    assert shown.decision.tuning is None
    nothing = ml_strategy_selection(**{**OPTIONS, "fallback": "none", "activate": "paper"})
    expected = "known" if nothing.evidence.is_better else "nothing"
    assert nothing.activation.outcome == expected
    with books() as ledger:
        assert len(choices_of(ledger, "tested")) == 1


def test_decisions_of_the_past_do_not_depend_on_what_came_later(found: StrategySelection) -> None:
    sessions = found.tested.sessions
    earlier = sessions[-1 - 6 * 21]
    before = ml_strategy_selection(
        **{**OPTIONS, "end": str(earlier), "tuning_trials": 0, "activate": "plan"}
    )
    ours, theirs = past(before.evidence), past(found.evidence)[:-6]
    assert [each[:2] for each in ours] == [each[:2] for each in theirs]
    np.testing.assert_allclose([each[2] for each in ours], [each[2] for each in theirs], atol=1e-9)


def test_paper_trading_trades_the_choice_from_its_session_on(found: StrategySelection) -> None:
    stored = found.activation.choice
    traded = paper_trading(
        OPTIONS["symbols"],
        account="follower",
        strategy="selected",
        selection="tested",
        replay_from="2012-07-02",
        replay_to="2012-07-31",
    )
    assert traded.choice.selected == stored
    assert traded.choice.strategy is stored.strategy
    assert traded.choice.parameters == found.decision.parameters
    assert traded.view.parity is not None
    assert traded.view.parity.is_equal
    assert ("Chosen", "by selection 'tested' at the close of 2012-06-29") in traded.summary
    assert any(each.title == "How it was chosen" for each in traded.report.sections)
    assert traded.caveats == ()


def test_a_choice_made_later_is_not_seen(found: StrategySelection) -> None:
    assert found.activation.choice is not None
    with pytest.raises(ParameterError, match=r"made by 2012-06-28.*from 2012-06-29"):
        paper_trading(
            OPTIONS["symbols"],
            account="early",
            strategy="selected",
            selection="tested",
            as_of="2012-06-28",
        )


def test_an_old_choice_for_other_symbols_is_traded_under_protest(found: StrategySelection) -> None:
    assert found.activation.choice is not None
    state = paper_trading(
        ["AAPL", "MSFT"],
        account="late",
        strategy="selected",
        selection="tested",
        as_of="2012-12-31",
        execution="plan",
        return_state=True,
    )
    caveats = state.result().caveats
    assert state.name == "Degraded"
    assert any("run ml_strategy_selection again" in each for each in caveats)
    assert any("was made for AAPL, MSFT, IBM" in each for each in caveats)


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"strategies": ["macd"]}, "strategies"),
        ({"fallback": "macd"}, "fallback"),
        ({"symbols": ["KO"], "strategies": ["macd", "cross_sectional_momentum"]}, "two or more"),
        ({"selection": "Main"}, "selection"),
        ({"activate": "live"}, "activate"),
        ({"periods": {"decision_sessions": 1}}, "decision_sessions"),
    ],
)
def test_bad_parameters_are_refused(changed: dict[str, Any], match: str) -> None:
    with pytest.raises(ParameterError, match=match):
        ml_strategy_selection(**{**OPTIONS, **changed})


def test_too_short_a_history_is_refused() -> None:
    with pytest.raises(InsufficientHistoryError, match="for 38 decisions"):
        ml_strategy_selection(**{**OPTIONS, "start": "2010-01-04", "selection": "untouched"})
    with books() as ledger:
        assert "untouched" not in dict(choice_series(ledger))
