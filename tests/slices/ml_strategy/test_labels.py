"""Labels against slow, independent definitions of them."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.stats import rankdata

from slices.domain.errors import BadDataError
from slices.domain.learning import LabelSettings
from slices.ml_strategy.features.building import build_features
from slices.ml_strategy.labels.joining import examples_from, examples_of
from slices.ml_strategy.labels.meta import meta_labels
from slices.ml_strategy.labels.ranks import forward_returns, session_ranks
from slices.ml_strategy.labels.triple_barrier import BarrierSettings, triple_barrier
from slices.ml_strategy.labels.uniqueness import example_weights, uniqueness
from slices.ml_strategy.labels.volatility import horizon_volatility
from slices.quant.panel import Panel
from tests.slices.ml_strategy.leaky_features import HONEST, frame_of
from tests.slices.ml_strategy.slow_labels import first_touch, walk
from tests.slices.quant.market import us_closes, us_dataset

LABEL = LabelSettings(horizon_sessions=3, entry_lag_sessions=2)


def test_a_return_runs_from_the_entry_to_the_exit() -> None:
    panel = walk(40, 4)
    returns = forward_returns(panel.close, LABEL)
    for row in range(40):
        for column in range(4):
            now, entry, leave = (
                panel.close[place, column] if place < 40 else math.nan
                for place in (row, row + 2, row + 5)
            )
            expected = leave / entry - 1.0 if not math.isnan(now) else math.nan
            assert returns[row, column] == pytest.approx(expected, nan_ok=True)


def test_a_symbol_that_ends_before_the_exit_has_no_label() -> None:
    panel = walk(40, 5, holes=0.0)
    panel.close[30:, 2] = np.nan
    ranks = session_ranks(forward_returns(panel.close, LABEL))
    assert np.isfinite(ranks[24, 2])
    assert np.isnan(ranks[25:, 2]).all()
    assert np.isfinite(ranks[25:35, [0, 1, 3, 4]]).all()


values = arrays.arrays(
    np.float64, (6, 5), elements=st.one_of(st.integers(-3, 3).map(float), st.just(math.nan))
)


@given(values)
def test_ranks_are_those_of_scipy_between_a_half_and_a_half(made: np.ndarray) -> None:
    ranks = session_ranks(made)
    for row, own in zip(made, ranks, strict=True):
        known = np.isfinite(row)
        if known.sum() < 2:
            assert np.isnan(own).all()
            continue
        expected = (rankdata(row[known]) - 1) / (known.sum() - 1) - 0.5
        np.testing.assert_allclose(own[known], expected)
        assert np.isnan(own[~known]).all()


@given(values, st.permutations(range(5)))
def test_ranks_move_with_their_symbols(made: np.ndarray, order: list[int]) -> None:
    np.testing.assert_array_equal(session_ranks(made)[:, order], session_ranks(made[:, order]))


def test_volatility_is_that_of_a_plain_loop_and_knows_no_later_bar() -> None:
    panel = walk(120, 3)
    found = horizon_volatility(panel.close, horizon=5)
    for column in range(3):
        present = np.flatnonzero(np.isfinite(panel.close[:, column]))
        moves = np.diff(np.log(panel.close[present, column]))
        for place in range(21, present.size):
            weights = 0.94 ** np.arange(place)[::-1]
            mean = (weights * moves[:place] ** 2).sum() / weights.sum()
            assert found[present[place], column] == pytest.approx(math.sqrt(5 * mean))
        assert np.isnan(found[: present[21], column]).all()
    np.testing.assert_array_equal(horizon_volatility(panel.close[:77], horizon=5), found[:77])


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 12), st.integers(1, 5), st.booleans())))
def test_uniqueness_is_that_of_counting_by_hand(made: list[tuple[int, int, int, bool]]) -> None:
    column, first, length, known = (
        np.array([each[i] for each in made], dtype=np.int64) for i in range(4)
    )
    is_known = known.astype(bool)
    found = uniqueness(column, first, first + length, is_known)
    spans = [set(range(f + 1, f + n + 1)) for f, n in zip(first, length, strict=True)]
    for place, span in enumerate(spans):
        if not is_known[place]:
            assert math.isnan(found[place])
            continue
        rivals = [
            other
            for one, other in enumerate(spans)
            if is_known[one] and column[one] == column[place]
        ]
        shares = [1 / sum(step in other for other in rivals) for step in span]
        assert found[place] == pytest.approx(sum(shares) / len(shares))


def test_weights_have_a_mean_of_one() -> None:
    column = np.zeros(4, dtype=np.int64)
    first, is_known = np.array([0, 1, 20, 40]), np.array([True, True, True, False])
    weights = example_weights(column, first, first + 5, is_known)
    assert weights[is_known].mean() == pytest.approx(1.0)
    assert weights[2] > weights[0]


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("ranged", [True, False])
def test_barriers_are_those_a_person_would_find(side: int, ranged: bool) -> None:  # noqa: FBT001
    panel = walk(150, 3, seed=4)
    if not ranged:
        panel = Panel(**{**vars(panel), "open": None, "high": None, "low": None})
    label = LabelSettings(horizon_sessions=4)
    volatility = horizon_volatility(panel.close, horizon=4)
    barriers = BarrierSettings(profit_multiple=0.8, stop_multiple=0.5)
    sides = np.full(panel.close.shape, float(side))
    found = triple_barrier(panel, volatility, label=label, barriers=barriers, sides=sides)
    seen = set()
    for row in range(150):
        for column in range(3):
            width = (0.8 * volatility[row, column], 0.5 * volatility[row, column])
            expected = first_touch(panel, row, column, width, side=side, horizon=4)
            assert found.outcomes[row, column] == pytest.approx(expected[0], nan_ok=True)
            assert found.returns[row, column] == pytest.approx(expected[1], nan_ok=True)
            assert found.known[row, column] == expected[2]
            seen.add(expected[0])
    assert {-1.0, 0.0, 1.0} <= seen


def test_barrier_labels_stay_once_they_are_known() -> None:
    panel = walk(150, 3, seed=4)
    label = LabelSettings(horizon_sessions=4)
    whole = triple_barrier(panel, horizon_volatility(panel.close, horizon=4), label=label)
    part = panel.until(100)
    cut = triple_barrier(part, horizon_volatility(part.close, horizon=4), label=label)
    then = (whole.known[:100] >= 0) & (whole.known[:100] < 100)
    np.testing.assert_array_equal(np.where(then, whole.outcomes[:100], np.nan), cut.outcomes)


def test_meta_labels_ask_whether_a_side_paid_its_costs() -> None:
    sides = np.array([[1.0, -1.0, -0.5, 0.0, np.nan, 1.0]])
    returns = np.array([[0.01, 0.01, -0.03, 0.5, 0.5, np.nan]])
    np.testing.assert_array_equal(
        meta_labels(sides, returns, costs=0.02), [[0.0, 0.0, 1.0, np.nan, np.nan, np.nan]]
    )


@pytest.fixture(scope="module")
def panel() -> Panel:
    return walk(80, 4, seed=9)


def test_examples_are_the_bars_in_order_with_their_own_labels(panel: Panel) -> None:
    features = frame_of(panel, {name: HONEST[name] for name in ("momentum_5", "market")})
    examples = examples_from(panel, features, LABEL)
    assert examples.names == ("momentum_5", "market")
    assert examples.row.size == np.isfinite(panel.close).sum()
    assert (np.diff(examples.row * 4 + examples.column) > 0).all()
    assert (examples.first - examples.row == 2).all()
    assert (examples.last - examples.row == 5).all()
    assert not (examples.is_known & (examples.last >= 80)).any()
    np.testing.assert_allclose(
        examples.matrix(examples.forward_return), forward_returns(panel.close, LABEL)
    )
    np.testing.assert_allclose(
        examples.matrix(examples.features[:, 0].astype(float)),
        np.where(np.isfinite(panel.close), HONEST["momentum_5"](panel), np.nan),
        rtol=1e-6,
    )


def test_the_order_in_which_features_are_stacked_means_nothing(panel: Panel) -> None:
    features = frame_of(panel, {"momentum_5": HONEST["momentum_5"]})
    one = examples_from(panel, features, LABEL)
    other = examples_from(panel, features.sample(fraction=1.0, shuffle=True, seed=1), LABEL)
    for name in ("row", "column", "features", "label", "forward_return", "weight", "volatility"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_labels_change_with_nothing_beyond_their_exit(panel: Panel) -> None:
    features = frame_of(panel, {"momentum_5": HONEST["momentum_5"]})
    whole = examples_from(panel, features, LABEL)
    part = panel.until(60)
    cut = examples_from(part, features.filter(pl.col("session") <= part.sessions[-1]), LABEL)
    earlier = whole.row < 60
    known = whole.last[earlier] < 60
    np.testing.assert_array_equal(whole.label[earlier][known], cut.label[known])
    assert np.isnan(cut.label[~known]).all()


@pytest.mark.parametrize("column", ["session", "symbol", "twice"])
def test_features_of_other_bars_are_refused(panel: Panel, column: str) -> None:
    features = frame_of(panel, {"momentum_5": HONEST["momentum_5"]})
    changed = {
        "session": features.with_columns(pl.lit(dt.date(1999, 1, 1)).alias("session")),
        "symbol": features.with_columns(pl.lit("OTHER").alias("symbol")),
        "twice": pl.concat((features, features.head(1))),
    }
    with pytest.raises(BadDataError):
        examples_from(panel, changed[column], LABEL)


def test_stored_features_are_joined_with_their_own_bars_only(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    bars = us_dataset(tmp_path / "one", symbols=4, sessions=300)
    other = us_dataset(tmp_path / "other", symbols=4, sessions=299)
    stored = build_features(bars, names=("momentum_21", "reversal_5"))
    examples = examples_of(bars, stored)
    assert examples.row.size == 4 * 300
    closes = us_closes()[2][-300:, :4]
    np.testing.assert_allclose(
        examples.matrix(examples.forward_return)[:-6], closes[6:] / closes[1:-5] - 1.0
    )
    with pytest.raises(BadDataError):
        examples_of(other, stored)
