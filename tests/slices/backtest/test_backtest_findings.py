from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest

from slices.backtest.findings import quick_test_findings, simple_backtest_findings
from slices.backtest.selection import choose_strategy, rivals
from slices.backtest.strategies import backtest_choice, backtest_strategy
from slices.domain.backtests import Backtest, SimpleBacktest, StrategyChoice
from slices.domain.dataset import DatasetRef
from slices.domain.report import Table, Tone
from slices.domain.strategies import StrategyOption
from slices.monitor.markdown import render_markdown
from slices.runtime.codec import decode, encode
from tests.slices.backtest.market import embedded, made_up, wandering


def found(bars: DatasetRef, *, strategy: StrategyOption = "sma_cross") -> SimpleBacktest:
    choice = choose_strategy(bars, strategy=strategy)
    tested = backtest_choice(bars, choice)
    return simple_backtest_findings(bars, choice=choice, tested=tested, rivals=rivals(bars, choice))


@pytest.fixture(scope="module")
def google() -> SimpleBacktest:
    return found(embedded("GOOGL"))


@pytest.fixture(scope="module")
def chosen() -> SimpleBacktest:
    return found(embedded("AAPL", "MSFT", "GOOGL"), strategy="auto")


def test_the_headline_says_what_it_made_against_what_and_whether_to_believe_it(
    google: SimpleBacktest,
) -> None:
    tested = google.tested
    for value in (tested.performance, tested.benchmark_performance):
        assert f"{value.annualized_return:.2%}" in google.headline
        assert f"{value.sharpe_ratio:.2f}" in google.headline
    assert tested.verdict.grade.value.upper() in google.headline
    assert "net of costs" in google.headline
    assert "GOOGL" in google.headline


def test_the_report_leads_with_the_same_figures(google: SimpleBacktest) -> None:
    values = [each.value for each in google.report.figures]
    assert google.tested.performance.annualized_return in values
    assert google.tested.performance.max_drawdown in values
    assert len(google.tested.trades) in values
    assert google.report.chart in {b.key for b in google.report.blocks() if hasattr(b, "key")}


def test_the_universe_note_is_shown(google: SimpleBacktest) -> None:
    assert any("Survivorship" in each for each in google.notes)
    assert any("Survivorship" in each.text for each in google.report.notes)


def test_it_can_be_written_stored_and_turned_into_plain_values(google: SimpleBacktest) -> None:
    assert decode(encode(google)).headline == google.headline
    plain = google.to_dict()
    assert plain["choice"]["strategy"] == "sma_cross"  # type: ignore[call-overload,index]
    assert google.headline in render_markdown(google.report)
    assert google.headline in repr(google)


def test_keys_are_unique_in_the_report(chosen: SimpleBacktest) -> None:
    keys = [each.key for each in chosen.report.blocks() if hasattr(each, "key")]
    assert len(keys) == len(set(keys))


def ranking(result: SimpleBacktest) -> Table:
    return next(
        each for each in result.report.blocks() if isinstance(each, Table) and each.key == "ranking"
    )


def test_the_report_of_auto_shows_the_ranking_and_what_came_after(chosen: SimpleBacktest) -> None:
    table = ranking(chosen)
    assert len(table.rows) == chosen.choice.trials + 1
    assert chosen.choice.holding is not None
    tried = (*chosen.choice.ranking, chosen.choice.holding)
    for row, trial, later in zip(table.rows, tried, chosen.rivals, strict=True):
        assert row[1] == trial.performance.sharpe_ratio
        assert row[4] == later.performance.sharpe_ratio
    assert "chosen" in str(table.rows[0][0])
    assert f"{chosen.choice.trials}" in chosen.headline


def test_a_named_strategy_has_no_ranking(google: SimpleBacktest) -> None:
    assert "ranking" not in {b.key for b in google.report.blocks() if hasattr(b, "key")}


def test_what_was_not_tried_degrades_the_run_and_is_named(tmp_path: Path) -> None:
    short = made_up(tmp_path, AAA=wandering(420, seed=1))
    choice = choose_strategy(short, strategy="auto")
    assert choice.not_tried
    result = simple_backtest_findings(short, choice=choice, tested=backtest_choice(short, choice))
    assert len(result.caveats) == len(choice.not_tried)
    warned = [each.text for each in result.report.notes if each.tone is Tone.WARNING]
    assert set(result.caveats) <= set(warned)


def test_less_than_a_year_is_not_annualized(tmp_path: Path) -> None:
    bars = made_up(tmp_path, AAA=wandering(200, seed=2))
    result = found(bars)
    total = result.tested.performance.total_return
    assert f"{abs(total):.2%}" in result.headline
    assert "in all" in result.headline


def test_a_strategy_that_never_trades_has_findings(tmp_path: Path) -> None:
    result = found(made_up(tmp_path, AAA=100.0 * 0.999 ** np.arange(300)))
    assert "REJECT" in result.headline
    assert result.tearsheet.round_trips.count == 0
    assert repr(result)


@pytest.fixture(scope="module")
def quick() -> Backtest:
    return backtest_strategy(embedded("GOOGL"))


def test_the_quick_test_knows_its_answer(quick: Backtest) -> None:
    result = quick_test_findings(embedded("GOOGL"), quick)
    assert result.expected_equity == pytest.approx(quick.equity[-1], rel=1e-9)
    assert result.caveats == ()


def test_the_known_answer_scales_with_the_capital() -> None:
    tested = backtest_strategy(embedded("GOOGL"), capital=5_000.0)
    result = quick_test_findings(embedded("GOOGL"), tested)
    assert result.caveats == ()
    assert result.expected_equity == pytest.approx(tested.equity[-1], rel=1e-9)


def test_a_wrong_answer_degrades_the_run(quick: Backtest) -> None:
    wrong = dataclasses.replace(quick, equity=(*quick.equity[:-1], quick.equity[-1] * 1.001))
    result = quick_test_findings(embedded("GOOGL"), wrong)
    assert len(result.caveats) == 1
    assert f"{wrong.equity[-1]:,.2f}" in result.headline


def test_other_bars_have_no_known_answer() -> None:
    bars = embedded("IBM")
    result = quick_test_findings(bars, backtest_strategy(bars))
    assert math.isnan(result.expected_equity)
    assert result.caveats == ()


def test_a_choice_reads_without_rivals(chosen: SimpleBacktest) -> None:
    bare = simple_backtest_findings(
        embedded("AAPL", "MSFT", "GOOGL"), choice=chosen.choice, tested=chosen.tested
    )
    assert {row[4] for row in ranking(bare).rows} == {None}


def test_a_choice_counts_one_trial_where_a_person_named_it(google: SimpleBacktest) -> None:
    choice: StrategyChoice = google.choice
    assert choice.trials == google.tested.verdict.trials == 1
