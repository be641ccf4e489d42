"""Examples by kind of label against loops over bars, and who refuses which kind."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.stats import rankdata

from slices.domain.learning import LabelSettings, SplitSettings
from slices.ml_strategy.bundles.plain import built, plain
from slices.ml_strategy.examples import Examples
from slices.ml_strategy.labels.joining import examples_from
from slices.ml_strategy.labels.kinds import primary_sides, signed_labels
from slices.ml_strategy.labels.meta import meta_labels
from slices.ml_strategy.labels.ranks import forward_returns
from slices.ml_strategy.labels.uniqueness import example_weights
from slices.ml_strategy.labels.volatility import horizon_volatility
from slices.ml_strategy.leaks.structure import check_folds
from slices.ml_strategy.splits.combinatorial import combinatorial_folds
from slices.ml_strategy.splits.walk_forward import walk_forward_folds
from slices.quant.panel import Panel
from tests.slices.ml_strategy.leaky_features import HONEST, frame_of
from tests.slices.ml_strategy.slow_labels import first_touch, walk

SESSIONS = 260
BARRIERS = LabelSettings(
    kind="triple_barrier", horizon_sessions=8, profit_multiple=0.5, stop_multiple=0.3
)
META = LabelSettings(
    kind="meta",
    horizon_sessions=4,
    side_lookback_sessions=20,
    side_skip_sessions=3,
    side_costs_bps=150.0,
)
KINDS = pytest.mark.parametrize("label", [BARRIERS, META], ids=lambda each: each.kind)


@pytest.fixture(scope="module")
def panel() -> Panel:
    return walk(SESSIONS, 3, seed=11, holes=0.03)


def examples_by(panel: Panel, label: LabelSettings) -> Examples:
    return examples_from(panel, frame_of(panel, {"momentum_5": HONEST["momentum_5"]}), label)


def placed(values: list[float]) -> list[float]:
    """Ranks from -0.5 to 0.5 of those that are known."""
    known = [place for place, each in enumerate(values) if not math.isnan(each)]
    ranks = [math.nan] * len(values)
    if len(known) > 1:
        found = (rankdata([values[place] for place in known]) - 1) / (len(known) - 1) - 0.5
        for place, rank in zip(known, found, strict=True):
            ranks[place] = rank
    return ranks


def test_a_barrier_label_is_the_rank_of_what_was_left_with(panel: Panel) -> None:
    examples = examples_by(panel, BARRIERS)
    labels, returns, known = (
        examples.matrix(each)
        for each in (examples.label, examples.forward_return, examples.last.astype(float))
    )
    volatility = horizon_volatility(panel.close, horizon=8)
    lengths = set()
    for row in range(SESSIONS):
        present = [column for column in range(3) if not math.isnan(panel.close[row, column])]
        touches = [
            first_touch(
                panel, row, column,
                (0.5 * volatility[row, column], 0.3 * volatility[row, column]), side=1, horizon=8,
            )
            for column in present
        ]  # fmt: skip
        if not present:
            continue
        last = max(each[2] if each[2] >= 0 else row + 9 for each in touches)
        is_known = last < SESSIONS
        expected = [each[1] if is_known else math.nan for each in touches]
        assert (known[row, present] == last).all()
        assert returns[row, present] == pytest.approx(expected, nan_ok=True)
        assert labels[row, present] == pytest.approx(placed(expected), nan_ok=True)
        lengths.add(last - row)
    assert {3, 4, 5, 9} <= lengths
    assert (examples.last - examples.row <= BARRIERS.reach).all()


def test_barrier_weights_count_returns_until_the_symbols_own_exit(panel: Panel) -> None:
    examples = examples_by(panel, BARRIERS)
    volatility = horizon_volatility(panel.close, horizon=8)
    exits = np.array(
        [
            first_touch(
                panel, row, column,
                (0.5 * volatility[row, column], 0.3 * volatility[row, column]), side=1, horizon=8,
            )[2]
            for row, column in zip(examples.row.tolist(), examples.column.tolist(), strict=True)
        ]
    )  # fmt: skip
    exits = np.where(exits < 0, examples.row + 9, exits)
    expected = example_weights(examples.column, examples.first, exits, examples.is_known)
    np.testing.assert_allclose(examples.weight, expected)
    until_known = example_weights(examples.column, examples.first, examples.last, examples.is_known)
    assert not np.allclose(examples.weight, until_known, equal_nan=True)


def test_a_meta_label_is_the_side_that_paid_its_costs(panel: Panel) -> None:
    examples = examples_by(panel, META)
    labels, closes = examples.matrix(examples.label), panel.close
    returns = forward_returns(closes, META)
    seen = set()
    for row in range(SESSIONS):
        growth = [
            closes[row - 3, column] / closes[row - 20, column] - 1
            if row >= 20 and not math.isnan(closes[row, column])
            else math.nan
            for column in range(3)
        ]
        sides = np.sign(placed(growth))
        for column, side in enumerate(sides):
            earned = side * returns[row, column]
            expected = math.nan
            if not math.isnan(earned) and side != 0:
                right = 1 if earned > 0.015 else -1 if earned < -0.015 else 0
                expected = side * right / 2
                seen.add((side, right))
            assert labels[row, column] == pytest.approx(expected, nan_ok=True)
    assert len(seen) == 6
    np.testing.assert_allclose(
        examples.forward_return, returns[examples.row, examples.column], equal_nan=True
    )


def test_where_prices_follow_nothing_doubting_every_side_says_nothing() -> None:
    random = np.random.default_rng(3)
    closes = 50.0 * np.exp(np.cumsum(random.normal(0, 0.01, (4000, 10)), axis=0))
    label = LabelSettings(kind="meta", horizon_sessions=1, side_costs_bps=20.0)
    sides = primary_sides(closes, label, np.isfinite(closes))
    returns = forward_returns(closes, label)
    agreed = sides * signed_labels(sides, returns, costs=0.002)
    known = agreed[np.isfinite(agreed)]
    error = known.std() / math.sqrt(known.size)
    assert abs(known.mean()) < 3 * error
    naive = meta_labels(sides, returns, costs=0.002) - 0.5
    assert np.nanmean(naive) < -10 * error


@KINDS
def test_no_label_changes_once_it_is_known(panel: Panel, label: LabelSettings) -> None:
    whole = examples_by(panel, label)
    for stop in range(120, 140):
        cut = examples_by(panel.until(stop), label)
        part = whole.chosen(whole.row < stop)
        known = part.last < stop
        np.testing.assert_array_equal(cut.label[known], part.label[known])
        np.testing.assert_array_equal(cut.forward_return[known], part.forward_return[known])
        np.testing.assert_array_equal(cut.last[known], part.last[known])
        assert np.isnan(cut.label[~known]).all()
        assert np.isnan(cut.forward_return[~known]).all()


@KINDS
def test_folds_are_purged_by_what_a_label_can_reach_at_most(
    panel: Panel, label: LabelSettings
) -> None:
    examples = examples_by(panel, label)
    splits = SplitSettings(folds=4, first_train_sessions=120)
    check_folds(examples, walk_forward_folds(examples, splits, label=label))
    check_folds(examples, combinatorial_folds(examples, splits, label=label))


@KINDS
def test_a_stored_label_is_read_as_it_was(label: LabelSettings) -> None:
    assert built(LabelSettings, plain(label)) == label
    assert label != LabelSettings(horizon_sessions=label.horizon_sessions)


@pytest.mark.parametrize(
    "given",
    [
        {"profit_multiple": 2.0},
        {"kind": "meta", "stop_multiple": 2.0},
        {"kind": "triple_barrier", "side_costs_bps": 5.0},
        {"kind": "meta", "side_lookback_sessions": 20, "side_skip_sessions": 20},
        {"kind": "rank_of_something"},
    ],
)
def test_a_setting_that_means_nothing_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        LabelSettings(**given)
