from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from slices.backtest.comparison import compare_strategies
from slices.backtest.findings import quick_test_findings, simple_backtest_findings
from slices.backtest.sections import tearsheet_sections
from slices.backtest.selection import choose_strategy
from slices.backtest.simulation import backtest_targets
from slices.backtest.strategies import backtest_choice, backtest_strategy
from slices.backtest.tearsheet import tearsheet
from slices.domain.backtests import Backtest, SimpleBacktest, StrategyRow, TargetWeights
from slices.domain.bars import Adjustment
from slices.domain.dataset import DatasetRef
from slices.domain.numbers import written
from slices.domain.parameters import DEFAULT_COSTS, DEFAULT_RULES, Costs, TradingRules
from slices.domain.report import Note, Unit
from slices.domain.strategies import StrategyName
from slices.domain.verdicts import Grade, LookAheadProbe
from slices.monitor.markdown import render_markdown
from slices.quant.panel import read_panel
from tests.slices.backtest.market import embedded, made_up, wandering

FREE = Costs(commission_bps=0, slippage_bps=0)
GEARED = TradingRules(gross_exposure=10)


def bought_once(
    bars: DatasetRef,
    *weights: float,
    costs: Costs = FREE,
    rules: TradingRules = DEFAULT_RULES,
    capital: float = 100_000.0,
) -> Backtest:
    panel = read_panel(bars)
    first = panel.sessions[10]
    targets = TargetWeights(
        label="Bought once",
        symbols=panel.symbols,
        sessions=(first,),
        weights=np.array([weights]),
        first_session=first,
        trials=1,
        probe=LookAheadProbe(cuts=(panel.sessions[100],)),
    )
    return backtest_targets(bars, targets, costs=costs, rules=rules, capital=capital)


def about(tested: Backtest, word: str) -> list[str]:
    return [each for each in tested.remarks if word in each]


@pytest.fixture(scope="module")
def falling(tmp_path_factory: pytest.TempPathFactory) -> DatasetRef:
    closes = risen(1500)
    closes[800:] *= 0.3
    return made_up(tmp_path_factory.mktemp("falling"), AAA=closes)


def risen(count: int) -> np.ndarray:
    steps = np.random.default_rng(1).normal(0.0005, 0.005, 1500)
    return 100.0 * np.exp(np.cumsum(steps))[:count]


@pytest.fixture(scope="module")
def ruined(falling: DatasetRef) -> Backtest:
    return bought_once(falling, 3.0, rules=GEARED)


def test_an_account_that_lost_everything_stays_lost(falling: DatasetRef, ruined: Backtest) -> None:
    assert ruined.ruined == read_panel(falling).sessions[800]
    row = ruined.sessions.index(ruined.ruined)
    assert set(ruined.equity[row:]) == {0.0}
    assert min(ruined.equity[:row]) > 0
    assert set(ruined.gross_exposure[row:]) == {0.0}
    assert len(ruined.equity) == len(ruined.sessions) == len(ruined.benchmark_equity)
    assert ruined.performance.total_return == ruined.performance.annualized_return == -1.0
    assert ruined.performance.max_drawdown == 1.0
    assert ruined.performance.sessions == row
    assert math.isfinite(ruined.performance.sharpe_ratio)
    assert math.isfinite(ruined.annual_turnover)


def test_ruin_is_rejected_and_comes_first(ruined: Backtest) -> None:
    assert ruined.verdict.grade is Grade.REJECT
    assert str(ruined.ruined) in ruined.verdict.reasons[0]
    assert str(ruined.ruined) in ruined.remarks[0]


def test_a_ruined_account_has_a_tearsheet(ruined: Backtest) -> None:
    measured = tearsheet(ruined)
    assert math.prod(1 + each.total for each in measured.years) == 0.0
    assert len(measured.benchmark_years) == len(measured.years)
    assert max(measured.drawdowns) == 1.0
    assert measured.worst_drawdowns[0].recovery is None
    assert all(np.isfinite(each.sharpe_ratios).all() for each in measured.rolling)
    assert all(len(each.sessions) == len(each.betas) for each in measured.rolling)
    assert math.isfinite(measured.relative.beta)
    assert len(tearsheet_sections(ruined, measured)) == 3


def reported(bars: DatasetRef, tested: Backtest) -> SimpleBacktest:
    choice = choose_strategy(bars, strategy="sma_cross")
    return simple_backtest_findings(bars, choice=choice, tested=tested)


def test_the_headline_and_a_caveat_say_that_all_was_lost(
    falling: DatasetRef, ruined: Backtest
) -> None:
    found = reported(falling, ruined)
    assert found.headline.count(str(ruined.ruined)) == 2
    assert "lost everything" in found.headline
    assert any(str(ruined.ruined) in each for each in found.caveats)
    assert render_markdown(found.report)
    assert repr(found)
    assert quick_test_findings(falling, ruined).notes


def test_a_session_before_its_ruin_an_account_knows_nothing_of_it(
    tmp_path: Path, ruined: Backtest
) -> None:
    calm = bought_once(made_up(tmp_path, AAA=risen(800)), 3.0, rules=GEARED)
    assert calm.ruined is None
    assert calm.equity == ruined.equity[: len(calm.equity)]


def test_what_falls_short_of_ruin_is_none(falling: DatasetRef) -> None:
    deep = bought_once(falling, 1.0)
    assert deep.ruined is None
    assert 0.5 < deep.performance.max_drawdown < 1.0
    assert deep.lived == len(deep.sessions)


def test_interest_on_idle_cash_is_no_skill() -> None:
    for share in (0.02, 0.1):
        found = bought_once(embedded("AAPL", "MSFT"), share, 0.0, costs=Costs(cash_rate=0.05))
        assert found.costs.interest > 0
        assert found.verdict.risk_free_rate == 0.05
        assert found.verdict.sharpe_ratio == pytest.approx(found.performance.sharpe_ratio)
        equity = np.array(found.equity)
        excess = equity[1:] / equity[:-1] - 1.0 - 0.05 / 252
        expected = excess.mean() / excess.std(ddof=1) * math.sqrt(252)
        assert found.performance.sharpe_ratio == pytest.approx(expected)
        assert tearsheet(found).relative.alpha == pytest.approx(found.verdict.alpha)
        newest = tearsheet(found).rolling[1].sharpe_ratios[-1]
        tail = excess[-252:]
        assert newest == pytest.approx(tail.mean() / tail.std(ddof=1) * math.sqrt(252))


def test_an_account_of_cash_is_rejected_and_has_no_ratio() -> None:
    found = bought_once(embedded("AAPL", "MSFT"), 0.0, 0.0, costs=Costs(cash_rate=0.05))
    assert found.performance.annualized_return == pytest.approx(0.0513, abs=1e-3)
    assert math.isnan(found.performance.sharpe_ratio)
    assert found.verdict.grade is Grade.REJECT


def test_a_comparison_counts_what_is_above_the_cash_rate() -> None:
    costs = Costs(cash_rate=0.05)
    rows = compare_strategies(
        embedded("GOOGL"), strategies=(StrategyName.RSI_REVERSAL,), costs=costs
    )
    (row,) = rows
    assert isinstance(row, StrategyRow)
    tested = backtest_strategy(
        embedded("GOOGL"),
        strategy=StrategyName.RSI_REVERSAL,
        start=row.first_session,
        costs=costs,
    )
    assert row.sharpe_ratio == pytest.approx(tested.performance.sharpe_ratio)
    assert row.benchmark_sharpe_ratio == pytest.approx(tested.benchmark_performance.sharpe_ratio)
    assert row.deflated_sharpe_ratio == pytest.approx(tested.verdict.deflated_sharpe_ratio)


def test_the_headline_says_what_the_ratio_is_over() -> None:
    bars = embedded("GOOGL")
    choice = choose_strategy(bars, strategy="sma_cross")
    paid, plain = (
        simple_backtest_findings(
            bars, choice=choice, tested=backtest_choice(bars, choice, costs=Costs(cash_rate=each))
        )
        for each in (0.025, 0.0)
    )
    assert "cash rate of 2.5%" in paid.headline
    assert "cash" not in plain.headline


@pytest.mark.parametrize(
    ("costs", "rules", "split", "total"),
    [
        (DEFAULT_COSTS, DEFAULT_RULES, 0, 0),
        (Costs(commission_minimum=1.0), DEFAULT_RULES, 0, 0),
        (Costs(commission_per_share=0.01), DEFAULT_RULES, 1, 1),
        (DEFAULT_COSTS, TradingRules(whole_shares=True), 1, 1),
        (Costs(impact=0.1), DEFAULT_RULES, 0, 1),
        (DEFAULT_COSTS, TradingRules(volume_share=0.5), 0, 1),
    ],
)
def test_shares_at_adjusted_prices_are_said_to_be_no_shares_of_the_time(
    costs: Costs, rules: TradingRules, split: int, total: int
) -> None:
    expected = ((Adjustment.RAW, 0), (Adjustment.SPLIT, split), (Adjustment.TOTAL, total))
    for adjustment, count in expected:
        bars = embedded("IBM", adjustment=adjustment)
        tested = bought_once(bars, 0.9, costs=costs, rules=rules)
        assert len(about(tested, "adjusted for")) == count
        if count:
            assert set(about(tested, "adjusted for")) <= set(reported(bars, tested).notes)


def test_exposure_that_prices_raised_is_said_to_be_above_the_limit(tmp_path: Path) -> None:
    rising = np.concatenate((np.full(50, 100.0), np.linspace(100.0, 150.0, 100)))
    bars = made_up(tmp_path, AAA=rising, BBB=np.full(150, 50.0))
    shorted = bought_once(bars, -0.5, 0.5)
    (remark,) = about(shorted, "exposure")
    row = int(np.argmax(shorted.gross_exposure))
    assert str(shorted.sessions[row]) in remark
    assert written(shorted.gross_exposure[row], Unit.FRACTION) in remark
    assert not about(bought_once(bars, 0.5, 0.5), "exposure")
    wide = bought_once(bars, -0.5, 0.5, rules=TradingRules(gross_exposure=2))
    assert not about(wide, "exposure")


def test_costs_that_prevent_every_trade_are_named() -> None:
    bars = embedded("GOOGL")
    tested = backtest_strategy(bars, costs=Costs(commission_minimum=1000), capital=100)
    assert set(tested.equity) == {100.0}
    (remark,) = about(tested, "decisions")
    assert "costs" in remark
    found = reported(bars, tested)
    assert remark in found.caveats
    assert remark not in found.notes
    assert "never traded" in found.headline
    traded = tearsheet_sections(tested)[2]
    assert remark in [each.text for each in traded.blocks if isinstance(each, Note)]


def test_whole_shares_that_prevent_a_trade_are_named(tmp_path: Path) -> None:
    bars = made_up(tmp_path, AAA=np.full(150, 1000.0), BBB=np.full(150, 100.0))
    tested = bought_once(bars, 0.5, 0.5, rules=TradingRules(whole_shares=True), capital=300.0)
    (remark,) = about(tested, "decision ")
    assert "AAA" in remark
    assert "whole share" in remark
    assert {each.symbol for each in tested.open_trades} == {"BBB"}


def test_a_decision_that_found_no_bar_is_not_blamed_on_costs(tmp_path: Path) -> None:
    holed = wandering(300, seed=5)
    holed[11:20] = np.nan
    bars = made_up(tmp_path, AAA=holed, BBB=wandering(300, seed=6))
    tested = bought_once(bars, 0.4, 0.4)
    assert tested.remarks == ()
    assert len(tested.open_trades) == 2


def test_an_account_that_waited_for_the_rule_is_not_hindered(tmp_path: Path) -> None:
    tested = backtest_strategy(made_up(tmp_path, AAA=100.0 * 0.999 ** np.arange(300)))
    assert tested.remarks == ()
