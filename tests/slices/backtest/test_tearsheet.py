from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import empyrical
import numpy as np
import pandas as pd
import pytest

from slices.backtest.sections import tearsheet_sections
from slices.backtest.strategies import backtest_strategy
from slices.backtest.tearsheet import tearsheet
from slices.domain.backtests import Backtest
from slices.domain.fingerprint import fingerprint
from slices.domain.report import LineChart, Note, Section, Table
from slices.domain.strategies import StrategyName
from slices.domain.tearsheets import Tearsheet
from slices.runtime.codec import decode, encode
from tests.slices.backtest.market import embedded, made_up, wandering


@pytest.fixture(scope="module")
def tested() -> Backtest:
    return backtest_strategy(embedded("AAPL", "IBM"))


@pytest.fixture(scope="module")
def measured(tested: Backtest) -> Tearsheet:
    return tearsheet(tested)


def returns(values: tuple[float, ...]) -> pd.Series:
    return pd.Series(values).pct_change().dropna()


def test_it_survives_storage(measured: Tearsheet) -> None:
    assert fingerprint(decode(encode(measured))) == fingerprint(measured)


def test_the_benchmark_figures_are_those_of_another_library(
    tested: Backtest, measured: Tearsheet
) -> None:
    mine, market = returns(tested.equity), returns(tested.benchmark_equity)
    found = measured.relative
    assert found.beta == pytest.approx(empyrical.beta(mine, market), rel=1e-9)
    compounded = empyrical.alpha(mine, market, period="daily")
    assert (1 + found.alpha / 252) ** 252 - 1 == pytest.approx(compounded, rel=1e-6)
    active = (mine - market).std() * math.sqrt(252)
    assert found.tracking_error == pytest.approx(active)
    assert found.information_ratio == pytest.approx((mine - market).mean() * 252 / active)
    assert found.correlation == pytest.approx(mine.corr(market))


def test_the_months_compound_to_the_account(tested: Backtest, measured: Tearsheet) -> None:
    for years, values in (
        (measured.years, tested.equity),
        (measured.benchmark_years, tested.benchmark_equity),
    ):
        grown = math.prod(1 + each.total for each in years)
        assert grown == pytest.approx(values[-1] / values[0])


def test_the_deepest_drawdown_is_that_of_the_performance(
    tested: Backtest, measured: Tearsheet
) -> None:
    assert measured.worst_drawdowns[0].depth == pytest.approx(tested.performance.max_drawdown)
    assert max(measured.drawdowns) == pytest.approx(tested.performance.max_drawdown)
    market = tested.benchmark_performance.max_drawdown
    assert max(measured.benchmark_drawdowns) == pytest.approx(market)


def test_rolling_figures_end_with_the_newest_window(tested: Backtest, measured: Tearsheet) -> None:
    assert [each.window for each in measured.rolling] == [126, 252]
    mine = returns(tested.equity)
    for each in measured.rolling:
        newest = mine.iloc[-each.window :]
        assert each.sessions[-1] == tested.sessions[-1]
        assert len(each.sessions) == len(each.sharpe_ratios) == len(each.betas)
        expected = newest.mean() / newest.std() * math.sqrt(252)
        assert each.sharpe_ratios[-1] == pytest.approx(expected)


def test_costs_are_a_share_of_the_average_account(tested: Backtest, measured: Tearsheet) -> None:
    years = (len(tested.sessions) - 1) / 252
    expected = tested.costs.total / years / np.mean(tested.equity)
    assert measured.annual_costs == pytest.approx(expected)
    assert 0 < measured.mean_exposure < measured.invested <= 1


def test_only_covered_stress_windows_are_shown(measured: Tearsheet) -> None:
    names = {each.name for each in measured.stress}
    assert "Financial crisis 2007-09" in names
    assert "Covid 2020" not in names


def blocks(sections: tuple[Section, ...], kind: type) -> dict[str, object]:
    found = [block for section in sections for block in section.blocks if isinstance(block, kind)]
    return {each.key: each for each in found}


def test_the_sections_show_everything_once(tested: Backtest, measured: Tearsheet) -> None:
    sections = tearsheet_sections(tested, measured)
    tables = blocks(sections, Table)
    assert tables.keys() >= {"performance", "months", "drawdowns", "stress", "round-trips"}
    assert tables.keys() >= {"relative", "costs", "trades"}
    keys = [b.key for s in sections for b in s.blocks if not isinstance(b, Note)]
    assert len(keys) == len(set(keys))
    assert {"equity", "drawdown", "rolling-sharpe", "exposure"} <= set(blocks(sections, LineChart))
    for table in tables.values():
        assert isinstance(table, Table)
        assert all(len(row) == len(table.columns) == len(table.units) for row in table.rows)


def test_the_months_have_a_row_for_every_year(tested: Backtest, measured: Tearsheet) -> None:
    table = blocks(tearsheet_sections(tested, measured), Table)["months"]
    assert isinstance(table, Table)
    assert len(table.columns) == 1 + 12 + 1
    years = [row[0] for row in table.rows]
    assert years == [str(year) for year in range(tested.sessions[0].year, 2014)]


def test_money_in_the_cost_table_sums_up(tested: Backtest) -> None:
    table = blocks(tearsheet_sections(tested), Table)["costs"]
    assert isinstance(table, Table)
    money = {row[0]: row[1] for row in table.rows}
    assert money["All costs"] == pytest.approx(money["Commission"] + money["Spread"])  # type: ignore[operator]


def test_an_account_that_never_traded_has_a_report(tmp_path: Path) -> None:
    falling = made_up(tmp_path / "f", AAA=100.0 * 0.999 ** np.arange(200))
    tested = backtest_strategy(falling)
    sections = tearsheet_sections(tested)
    assert "trades" not in blocks(sections, Table)
    assert "drawdowns" not in blocks(sections, Table)
    assert tearsheet(tested).round_trips.count == 0


def test_a_short_history_has_no_rolling_figures(tmp_path: Path) -> None:
    short = made_up(tmp_path / "s", AAA=wandering(150, seed=8))
    tested = backtest_strategy(short)
    assert tearsheet(tested).rolling == ()
    assert "rolling-sharpe" not in blocks(tearsheet_sections(tested), LineChart)


def test_short_positions_show_in_net_exposure() -> None:
    tested = backtest_strategy(
        embedded("IBM"), strategy=StrategyName.SMA_CROSS, parameters=(("short", True),)
    )
    assert min(tested.net_exposure) < 0 <= min(tested.gross_exposure)
    chart = blocks(tearsheet_sections(tested), LineChart)["exposure"]
    assert isinstance(chart, LineChart)
    assert len(chart.series) == 2
    assert any(not each.is_long for each in tested.trades)


def test_the_trade_table_lists_the_newest_first(tested: Backtest) -> None:
    table = blocks(tearsheet_sections(tested), Table)["trades"]
    assert isinstance(table, Table)
    exits = [row[2] for row in table.rows if row[2] != "open"]
    assert exits == sorted(exits, reverse=True)  # type: ignore[type-var]
    many = dataclasses.replace(tested, trades=tested.trades * 10)
    cut = blocks(tearsheet_sections(many), Table)["trades"]
    assert isinstance(cut, Table)
    assert len(cut.rows) == 50
