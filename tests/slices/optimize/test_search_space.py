from __future__ import annotations

import numpy as np
import pytest

from slices.backtest.selection import check_strategy
from slices.data.adapters.embedded import open_embedded
from slices.domain.bars import Adjustment
from slices.domain.dataset import DatasetRef
from slices.domain.errors import InsufficientHistoryError, ParameterError
from slices.domain.studies import SearchMethod, ValidationWindows
from slices.optimize.plan import (
    batches,
    block_length,
    check_search,
    first_row,
    plan_search,
)
from slices.optimize.space import grid, make_space, random_points
from slices.quant.panel import read_panel
from slices.quant.signals.catalogue import STRATEGIES, search_space
from slices.runtime.codec import decode, encode
from tests.support.frames import load

SEARCH = {
    "strategy": "sma_cross",
    "symbols": ["GOOGL"],
    "method": SearchMethod.GRID,
    "trials": 100,
    "fixed": None,
    "ranges": None,
}
SEARCHABLE = [name.value for name in STRATEGIES if search_space(name)]


@pytest.fixture(scope="module")
def googl(tmp_path_factory: pytest.TempPathFactory) -> DatasetRef:
    folder = tmp_path_factory.mktemp("googl")
    return load(open_embedded(None, ["GOOGL"]), folder, "GOOGL", adjustment=Adjustment.TOTAL)


@pytest.mark.parametrize("name", SEARCHABLE)
@pytest.mark.parametrize("trials", [40, 300])
def test_a_grid_holds_allowed_points_only_and_no_more_than_asked(name: str, trials: int) -> None:
    space = make_space(name)
    levels, points = grid(space, trials)
    assert trials / 8 < len(points) <= trials
    assert len(np.unique(points, axis=0)) == len(points)
    assert all(space.parameters(each) is not None for each in points.tolist())
    for values, dimension in zip(levels, space.dimensions, strict=True):
        assert (values[0], values[-1]) == (dimension.low, dimension.high)


def test_a_grid_that_has_room_is_the_full_one() -> None:
    space = make_space("sma_cross", ranges={"fast": (2, 5), "slow": (5, 9)})
    _, points = grid(space, 10_000)
    expected = [(fast, slow) for fast in range(2, 6) for slow in range(5, 10) if fast < slow]
    assert points.tolist() == [list(map(float, each)) for each in expected]


@pytest.mark.parametrize("name", SEARCHABLE)
def test_random_points_are_distinct_allowed_and_repeatable(name: str) -> None:
    space = make_space(name)
    points = random_points(space, 200, seed=3)
    assert len(np.unique(points, axis=0)) == 200
    assert all(space.parameters(each) is not None for each in points.tolist())
    assert np.array_equal(points, random_points(space, 200, seed=3))
    assert not np.array_equal(points, random_points(space, 200, seed=4))


def test_random_points_cover_every_tenth_of_a_dimension() -> None:
    lower = random_points(make_space("rsi_reversal"), 300, seed=0)[:, 1]
    counts, _ = np.histogram(lower, np.linspace(5, 45, 11))
    assert counts.min() >= 28
    assert counts.max() <= 32


def test_random_points_end_where_the_space_does() -> None:
    space = make_space("sma_cross", ranges={"fast": (2, 4), "slow": (5, 8)})
    assert len(random_points(space, 500, seed=1)) == 3 * 4


def test_what_is_fixed_is_not_varied() -> None:
    space = make_space("sma_cross", fixed={"short": True, "fast": "7"})
    assert [each.name for each in space.dimensions] == ["slow"]
    (parameters,) = space.configurations(np.array([[33.0]]))
    assert parameters.model_dump() == {"fast": 7, "slow": 33, "short": True}


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"fixed": {"speed": 3}}, "speed"),
        ({"ranges": {"speed": (1, 2)}}, "speed"),
        ({"ranges": {"short": (0, 1)}}, "short"),
        ({"ranges": {"slow": (5, 4000)}}, "4000"),
        ({"ranges": {"slow": (50, 20)}}, "slow"),
        ({"ranges": {"fast": (2.5, 7)}}, "whole"),
        ({"fixed": {"fast": 900}}, "900"),
        ({"fixed": {"fast": 5, "slow": 50}}, "nothing to vary"),
    ],
)
def test_a_space_that_makes_no_sense_is_refused(options: dict, named: str) -> None:
    with pytest.raises(ParameterError, match=named):
        make_space("sma_cross", **options)


def test_a_strategy_without_parameters_cannot_be_searched() -> None:
    with pytest.raises(ParameterError, match="nothing to vary"):
        make_space("buy_and_hold")


def test_a_parzen_estimator_takes_a_thousand_trials_at_most() -> None:
    given = SEARCH | {"trials": 1_001}
    check_search(given | {"method": SearchMethod.GRID})
    with pytest.raises(ParameterError, match="1,000"):
        check_search(given | {"method": SearchMethod.TPE})


def test_a_strategy_that_compares_symbols_needs_two() -> None:
    given = SEARCH | {"strategy": "cross_sectional_momentum"}
    check_search(given | {"symbols": ["GOOGL", "IBM"]})
    with pytest.raises(ParameterError) as search:
        check_search(given)
    with pytest.raises(ParameterError) as backtest:
        check_strategy(given | {"parameters": None})
    assert str(search.value) == str(backtest.value)


def test_all_accounts_begin_where_the_longest_lookback_is_filled(googl: DatasetRef) -> None:
    plan = plan_search(googl, strategy="sma_cross", ranges={"slow": (20, 120)}, trials=50)
    assert plan.lookback_sessions == 120
    assert plan.first == 119
    panel = read_panel(googl)
    panel.close[:5] = np.nan
    assert first_row(panel, 120) == 124


@pytest.mark.parametrize("method", list(SearchMethod))
def test_a_plan_survives_storage_and_its_name_says_what_it_is(
    googl: DatasetRef, method: SearchMethod
) -> None:
    plan = plan_search(googl, strategy="sma_cross", method=method, trials=60, seed=2)
    again = decode(encode(plan))
    assert again.key == plan.key
    assert np.array_equal(again.points, plan.points)
    other = plan_search(googl, strategy="sma_cross", method=method, trials=60, seed=3)
    assert other.key != plan.key


def test_what_validates_is_set_before_any_score(googl: DatasetRef) -> None:
    for method in (SearchMethod.RANDOM, SearchMethod.TPE):
        plan = plan_search(googl, strategy="rsi_reversal", method=method, trials=80, seed=2)
        assert np.array_equal(plan.points, random_points(plan.space, 80, seed=2))


def test_a_history_too_short_to_walk_forward_is_refused(googl: DatasetRef) -> None:
    windows = ValidationWindows(in_sample_sessions=1500, out_of_sample_sessions=200)
    with pytest.raises(InsufficientHistoryError) as raised:
        plan_search(googl, strategy="sma_cross", windows=windows, trials=50)
    assert (raised.value.needed, raised.value.found) == (400 + 1500 + 400, 2148)


def test_batches_are_the_points_in_order(googl: DatasetRef) -> None:
    plan = plan_search(googl, strategy="sma_cross", trials=2_000)
    parts = batches(plan)
    assert len(parts) > 5
    assert np.array_equal(np.concatenate(parts), plan.points)


def test_blocks_grow_with_what_has_to_be_kept() -> None:
    lengths = [block_length(2_000, trials) for trials in (1_000, 40_000, 80_000, 200_000)]
    assert lengths == sorted(lengths)
    assert lengths[0] < lengths[-1]
