from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from slices.adaptive_portfolio.frontier import efficient_frontier
from slices.domain.errors import InfeasibleError, InsufficientHistoryError, ParameterError
from slices.domain.parameters import WeightBounds
from tests.slices.quant.market import us_closes, us_dataset

if TYPE_CHECKING:
    from slices.domain.dataset import DatasetRef


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> DatasetRef:
    return us_dataset(tmp_path_factory.mktemp("bars"), symbols=8, sessions=600)


def test_the_frontier_is_annualized_and_rises(bars: DatasetRef) -> None:
    found = efficient_frontier(bars, lookback_sessions=504, points=10)
    closes = us_closes()[2][-505:, :8]
    returns = closes[1:] / closes[:-1] - 1
    assert found.symbols == bars.symbols
    assert found.asset_returns == pytest.approx(returns.mean(axis=0) * 252)
    assert found.asset_volatilities == pytest.approx(returns.std(axis=0, ddof=1) * 252**0.5)
    assert len(found.points) == 10
    assert np.all(np.diff([each.expected_return for each in found.points]) > 0)
    assert np.all(np.diff([each.volatility for each in found.points]) > 0)
    for point in found.points:
        portfolio = returns @ np.array(point.weights)
        assert sum(point.weights) == pytest.approx(1.0, abs=1e-9)
        assert point.expected_return == pytest.approx(portfolio.mean() * 252, rel=1e-9)
        assert point.volatility == pytest.approx(portfolio.std(ddof=1) * 252**0.5, rel=1e-9)


def test_no_symbol_lies_above_the_frontier(bars: DatasetRef) -> None:
    found = efficient_frontier(bars, points=30)
    least = min(each.volatility for each in found.points)
    assert least <= min(found.asset_volatilities) + 1e-12
    assert found.points[-1].expected_return == pytest.approx(max(found.asset_returns))


def test_bounds_hold_at_every_point(bars: DatasetRef) -> None:
    bounds = WeightBounds(smallest=0.05, largest=0.3)
    for point in efficient_frontier(bars, bounds=bounds).points:
        assert min(point.weights) >= 0.05
        assert max(point.weights) <= 0.3


def test_bounds_that_leave_one_choice_give_one_point(bars: DatasetRef) -> None:
    bounds = WeightBounds(smallest=0.125, largest=0.125)
    assert len(efficient_frontier(bars, bounds=bounds).points) == 1


def test_what_cannot_be_answered_is_refused(bars: DatasetRef) -> None:
    with pytest.raises(InfeasibleError):
        efficient_frontier(bars, bounds=WeightBounds(largest=0.1))
    with pytest.raises(InsufficientHistoryError, match="needs 601 sessions of bars, found 600"):
        efficient_frontier(bars, lookback_sessions=600)
    with pytest.raises(ParameterError, match="points: found 1; allowed: at least 2"):
        efficient_frontier(bars, points=1)
    with pytest.raises(ParameterError, match="lookback_sessions: found 1"):
        efficient_frontier(bars, lookback_sessions=1)
