from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from slices.backtest.comparison import compare_strategies
from slices.backtest.strategies import backtest_strategy
from slices.domain.backtests import StrategyFailure, StrategyRow
from slices.domain.errors import SymbolNotFoundError
from slices.domain.fingerprint import fingerprint
from slices.domain.parameters import Costs
from slices.domain.strategies import StrategyName
from slices.runtime.codec import decode, encode
from tests.slices.backtest.market import embedded, made_up, wandering

SINGLE = {each for each in StrategyName if each is not StrategyName.CROSS_SECTIONAL_MOMENTUM}


@pytest.fixture(scope="module")
def rows() -> tuple[StrategyRow | StrategyFailure, ...]:
    return compare_strategies(embedded("AAPL", "MSFT", "GOOGL"))


def of(rows: tuple[StrategyRow | StrategyFailure, ...], symbol: str) -> list[StrategyRow]:
    return [each for each in rows if isinstance(each, StrategyRow) and each.symbol == symbol]


def test_every_strategy_is_compared_on_every_symbol(
    rows: tuple[StrategyRow | StrategyFailure, ...],
) -> None:
    for symbol in ("AAPL", "MSFT", "GOOGL"):
        assert {each.strategy for each in of(rows, symbol)} == SINGLE
    assert len(rows) == 3 * len(SINGLE)
    assert fingerprint(decode(encode(rows))) == fingerprint(rows)


def test_the_accounts_of_a_symbol_begin_together(
    rows: tuple[StrategyRow | StrategyFailure, ...],
) -> None:
    google = of(rows, "GOOGL")
    assert len({(each.first_session, each.sessions) for each in google}) == 1
    assert {each.trials for each in google} == {len(SINGLE)}


def test_a_row_is_what_the_backtest_gives(rows: tuple[StrategyRow | StrategyFailure, ...]) -> None:
    for row in of(rows, "GOOGL"):
        tested = backtest_strategy(
            embedded("GOOGL"), strategy=row.strategy, start=row.first_session
        )
        assert tested.performance.sharpe_ratio == pytest.approx(row.sharpe_ratio)
        assert tested.performance.max_drawdown == pytest.approx(row.max_drawdown)
        assert tested.performance.total_return == pytest.approx(row.total_return)
        assert tested.annual_turnover == pytest.approx(row.annual_turnover)
        assert len(tested.trades) == row.round_trips
        assert np.mean(tested.gross_exposure) == pytest.approx(row.mean_exposure)
        assert tested.benchmark_performance.sharpe_ratio == pytest.approx(
            row.benchmark_sharpe_ratio
        )


def test_holding_is_its_own_benchmark(rows: tuple[StrategyRow | StrategyFailure, ...]) -> None:
    held = next(each for each in of(rows, "AAPL") if each.strategy is StrategyName.BUY_AND_HOLD)
    assert held.sharpe_ratio == held.benchmark_sharpe_ratio
    assert held.annualized_return == held.benchmark_return


def test_deflating_takes_the_strategies_compared_for_trials(
    rows: tuple[StrategyRow | StrategyFailure, ...],
) -> None:
    for each in of(rows, "MSFT"):
        assert each.deflated_sharpe_ratio < each.probabilistic_sharpe_ratio
    (alone,) = compare_strategies(embedded("MSFT"), strategies=(StrategyName.SMA_CROSS,))
    assert isinstance(alone, StrategyRow)
    assert alone.trials == 1
    assert alone.deflated_sharpe_ratio == pytest.approx(alone.probabilistic_sharpe_ratio)


def test_a_symbol_does_not_depend_on_its_neighbours(
    rows: tuple[StrategyRow | StrategyFailure, ...],
) -> None:
    alone = compare_strategies(embedded("GOOGL"))
    assert fingerprint(tuple(of(alone, "GOOGL"))) == fingerprint(tuple(of(rows, "GOOGL")))
    some = compare_strategies(embedded("AAPL", "MSFT", "GOOGL"), symbols=("GOOGL",))
    assert fingerprint(some) == fingerprint(alone)


def test_costs_lower_what_trades(rows: tuple[StrategyRow | StrategyFailure, ...]) -> None:
    dear = compare_strategies(embedded("AAPL", "MSFT", "GOOGL"), costs=Costs(commission_bps=50))
    for cheap, each in zip(of(rows, "AAPL"), of(dear, "AAPL"), strict=True):
        assert each.total_return < cheap.total_return


def test_a_symbol_too_short_fails_alone_with_its_reason(tmp_path: Path) -> None:
    short = wandering(1500, seed=2)
    short[:1300] = np.nan
    bars = made_up(tmp_path, AAA=wandering(1500, seed=1), BBB=short)
    rows = compare_strategies(bars)
    assert {each.strategy for each in of(rows, "AAA")} == SINGLE
    failed = {each.strategy: each.reason for each in rows if isinstance(each, StrategyFailure)}
    assert StrategyName.TIME_SERIES_MOMENTUM in failed
    assert "200" in failed[StrategyName.TIME_SERIES_MOMENTUM]
    assert StrategyName.SMA_CROSS in {each.strategy for each in of(rows, "BBB")}


def test_a_symbol_far_too_short_has_failures_only(tmp_path: Path) -> None:
    rows = compare_strategies(made_up(tmp_path, AAA=wandering(40, seed=1)))
    assert len(rows) == len(SINGLE)
    assert all(isinstance(each, StrategyFailure) for each in rows)


def test_a_strategy_that_compares_symbols_is_refused_by_name() -> None:
    (failed,) = compare_strategies(
        embedded("GOOGL"), strategies=(StrategyName.CROSS_SECTIONAL_MOMENTUM,)
    )
    assert isinstance(failed, StrategyFailure)


def test_an_unknown_symbol_is_named() -> None:
    with pytest.raises(SymbolNotFoundError) as raised:
        compare_strategies(embedded("GOOGL"), symbols=("ZZZ",))
    assert raised.value.symbols == ("ZZZ",)


def test_holes_are_left_out_and_not_filled(tmp_path: Path) -> None:
    whole = wandering(900, seed=4)
    holed = whole.copy()
    holed[400] = np.nan
    bars = made_up(tmp_path, AAA=holed, BBB=wandering(900, seed=9))
    found = of(compare_strategies(bars, symbols=("AAA",)), "AAA")
    assert {each.sessions for each in found} == {899 - 252}
    assert all(np.isfinite(each.total_return) for each in found)
