"""Which strategy now: what is known at a decision, what a classifier may learn from, and says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from slices.domain.errors import InsufficientHistoryError
from slices.domain.learning_errors import LeakageError
from slices.domain.parameters import DEFAULT_COSTS, DEFAULT_RULES
from slices.domain.selection_parameters import SelectionModel, SelectionRule
from slices.domain.strategies import StrategyName
from slices.domain.strategy_selection import SelectionExamples, WalkedSelection
from slices.ml_strategy.selecting.classifiers import fitted
from slices.ml_strategy.selecting.examples import decision_rows, examples_at, first_row
from slices.ml_strategy.selecting.probing import cut_history, probe_selection, traded_returns
from slices.ml_strategy.selecting.rules import choices
from slices.ml_strategy.selecting.walking import check_purged, known_places, walk_selection
from slices.quant.panel import Panel
from tests.slices.ml_strategy.selection_examples import (
    EVERY,
    PERIODS,
    STRATEGIES,
    decisions,
    market,
    regimes,
)

CAPITAL = 100_000.0


def returns_of(panel: Panel) -> np.ndarray:
    return traded_returns(
        panel, STRATEGIES, costs=DEFAULT_COSTS, rules=DEFAULT_RULES, capital=CAPITAL
    )


def examples_of(panel: Panel, rows: np.ndarray) -> SelectionExamples:
    history = cut_history(regimes(market()), panel)
    return examples_at(panel, STRATEGIES, returns_of(panel), history, rows=rows, periods=PERIODS)


@pytest.fixture(scope="module")
def panel() -> Panel:
    return market()


@pytest.fixture(scope="module")
def rows(panel: Panel) -> np.ndarray:
    first = first_row(panel, STRATEGIES)
    return decision_rows(len(panel.sessions), first=first, every=EVERY)


@pytest.fixture(scope="module")
def whole(panel: Panel, rows: np.ndarray) -> SelectionExamples:
    return examples_of(panel, rows)


@pytest.fixture(scope="module")
def walked(whole: SelectionExamples) -> tuple[WalkedSelection, ...]:
    return tuple(walk_selection(whole, each, periods=PERIODS) for each in SelectionModel)


def probed(panel: Panel, examples: SelectionExamples, walked: WalkedSelection) -> object:
    return probe_selection(
        panel, regimes(panel), examples=examples, walked=walked, periods=PERIODS,
        costs=DEFAULT_COSTS, rules=DEFAULT_RULES, capital=CAPITAL, seed=0,
    )  # fmt: skip


def test_the_newest_session_is_always_a_decision(panel: Panel, whole: SelectionExamples) -> None:
    assert whole.sessions[-1] == panel.sessions[-1]
    assert set(np.diff(whole.row).tolist()) == {EVERY}
    assert whole.row[0] >= first_row(panel, STRATEGIES)


@pytest.mark.parametrize("place", [3, 20, 40])
def test_what_is_known_does_not_depend_on_what_comes_later(
    panel: Panel, rows: np.ndarray, whole: SelectionExamples, place: int
) -> None:
    known = examples_of(panel.until(int(rows[place]) + 1), rows[: place + 1])
    np.testing.assert_allclose(
        known.features, whole.features[: place + 1], rtol=0, atol=1e-9, equal_nan=True
    )
    assert known.regimes == whole.regimes[: place + 1]


def test_another_future_leaves_the_past_as_it_was(
    panel: Panel, rows: np.ndarray, whole: SelectionExamples
) -> None:
    cut = int(rows[25])
    closes = panel.close.copy()
    noise = np.random.default_rng(1).normal(0, 0.05, closes[cut + 1 :].shape)
    closes[cut + 1 :] *= np.exp(noise.cumsum(axis=0))
    other = examples_of(replace(panel, close=closes), rows)
    np.testing.assert_allclose(
        other.features[:26], whole.features[:26], rtol=0, atol=1e-9, equal_nan=True
    )
    assert np.nanmax(np.abs(other.features[30:] - whole.features[30:])) > 1e-3


def test_a_period_begins_at_the_close_after_its_decision(
    panel: Panel, whole: SelectionExamples
) -> None:
    returns = returns_of(panel)
    for place in (0, 17, 30):
        start = int(whole.row[place]) + 2
        grown = [1.0] * len(STRATEGIES)
        for row in range(start, start + EVERY):
            grown = [g * (1 + r) for g, r in zip(grown, returns[row].tolist(), strict=True)]
        assert whole.known[place] == start + EVERY - 1
        np.testing.assert_allclose(whole.returns[place], np.array(grown) - 1, atol=1e-12)
    assert np.isnan(whole.returns[-2:]).all()
    assert (whole.best[-2:] == -1).all()
    assert (whole.best[:-2] >= 0).all()


def test_taking_more_risk_does_not_make_a_strategy_the_best(whole: SelectionExamples) -> None:
    calm = np.nanmean(whole.returns, axis=0)
    assert calm.size == len(STRATEGIES)
    known = whole.best >= 0
    by_ratio = whole.ratios[known].argmax(axis=1)
    np.testing.assert_array_equal(by_ratio, whole.best[known])
    assert (whole.returns[known].argmax(axis=1) != by_ratio).any()


def test_windows_that_reach_before_all_can_trade_are_unknown(whole: SelectionExamples) -> None:
    year = [name.endswith("return_252") for name in whole.names]
    reaches = whole.row - 252 < whole.first_row
    assert reaches.any()
    assert np.isnan(whole.features[np.ix_(reaches, year)]).all()
    assert np.isfinite(whole.features[np.ix_(~reaches, year)]).all()


def test_features_are_those_of_plain_arithmetic(panel: Panel, whole: SelectionExamples) -> None:
    returns, row = returns_of(panel), int(whole.row[30])
    window = returns[row - 62 : row + 1]
    grown = np.prod(1 + window, axis=0) - 1
    found = [
        whole.features[30, whole.names.index(f"{each.value}.return_63")] for each in STRATEGIES
    ]
    np.testing.assert_allclose(found, grown - grown.mean(), atol=1e-12)
    above = panel.close[row] > panel.close[row - 125 : row + 1].mean(axis=0)
    assert whole.features[30, whole.names.index("market.breadth_126")] == above.mean()


def test_r42_a_period_that_is_not_over_teaches_nothing(whole: SelectionExamples) -> None:
    for place in range(10, whole.row.size):
        past = known_places(whole, place)
        assert past.max(initial=-1) == place - 2
        check_purged(whole, past, place)
        with pytest.raises(LeakageError, match=str(whole.sessions[place])):
            check_purged(whole, np.append(past, place - 1), place)


def test_r42_the_probe_finds_nothing_in_an_honest_walk(
    panel: Panel, whole: SelectionExamples, walked: tuple[WalkedSelection, ...]
) -> None:
    for each in walked:
        found = probed(panel, whole, each)
        assert len(found.cuts) == 4
        assert found.findings == ()


def test_r42_the_probe_finds_labels_that_were_not_known(
    panel: Panel, whole: SelectionExamples
) -> None:
    early = replace(whole, known=whole.row)
    leaky = walk_selection(early, SelectionModel.LOGISTIC, periods=PERIODS)
    assert probed(panel, whole, leaky).findings


def test_r42_the_probe_finds_a_feature_of_the_whole_sample(
    panel: Panel, whole: SelectionExamples
) -> None:
    scaled = whole.features / np.nanstd(whole.features, axis=0)
    shifted = np.roll(scaled, -1, axis=0)
    leaky = walk_selection(
        replace(whole, features=shifted), SelectionModel.LIGHTGBM, periods=PERIODS
    )
    assert probed(panel, whole, leaky).findings


@pytest.mark.parametrize("kind", SelectionModel)
def test_a_planted_signal_is_found_and_noise_is_not(kind: SelectionModel) -> None:
    hits = []
    for signal in (1.5, 0.0):
        examples = decisions(signal=signal)
        said = walk_selection(examples, kind, periods=PERIODS)
        asked = np.flatnonzero((examples.best >= 0) & (said.trained > 0))
        hits.append((said.probabilities[asked].argmax(axis=1) == examples.best[asked]).mean())
    assert hits[0] > 0.5
    assert abs(hits[1] - 1 / 3) < 0.13


@pytest.mark.parametrize("kind", SelectionModel)
def test_probabilities_are_repeatable_and_sum_to_one(kind: SelectionModel) -> None:
    examples = decisions(signal=0.5)
    said = walk_selection(examples, kind, periods=PERIODS, seed=7)
    again = walk_selection(examples, kind, periods=PERIODS, seed=7)
    np.testing.assert_array_equal(said.probabilities, again.probabilities)
    assert np.isnan(said.probabilities[: said.first]).all()
    np.testing.assert_allclose(said.probabilities[said.first :].sum(axis=1), 1.0)
    assert (np.diff(said.trained) >= 0).all()
    assert said.trained[said.first] == PERIODS.train_periods


@pytest.mark.parametrize("kind", SelectionModel)
def test_a_strategy_that_never_was_the_best_is_not_expected_to_be(kind: SelectionModel) -> None:
    random = np.random.default_rng(0)
    features, best = random.normal(size=(60, 4)), random.integers(0, 2, 60)
    said = fitted(kind, features, best, classes=4, seed=0)(features[:5])
    assert said.shape == (5, 4)
    assert (said[:, 2:] < 0.02).all()


def test_one_class_alone_is_certain() -> None:
    features = np.random.default_rng(0).normal(size=(30, 4))
    best = np.full(30, 2)
    said = fitted(SelectionModel.LOGISTIC, features, best, classes=3, seed=0)(features[:2])
    assert said.tolist() == [[0.0, 0.0, 1.0]] * 2


def test_too_few_periods_are_refused() -> None:
    with pytest.raises(InsufficientHistoryError, match="24 known periods"):
        walk_selection(decisions(20, signal=0.0), SelectionModel.LOGISTIC, periods=PERIODS)


def test_every_rule_chooses_as_it_says(
    panel: Panel, whole: SelectionExamples, walked: tuple[WalkedSelection, ...]
) -> None:
    returns = returns_of(panel)
    picked = choices(whole, walked, model=SelectionModel.LIGHTGBM, returns=returns)
    first = walked[0].first
    assert set(picked) == set(SelectionRule) - {SelectionRule.MIX}
    for rule, kind in ((SelectionRule.MODEL, 0), (SelectionRule.RIVAL, 1)):
        expected = walked[kind].probabilities[first:].argmax(axis=1)
        np.testing.assert_array_equal(picked[rule], expected)
    for place, leader in enumerate(picked[SelectionRule.LEADER].tolist(), start=first):
        past = returns[whole.first_row + 1 : int(whole.row[place]) + 1]
        assert leader == (past.mean(axis=0) / past.std(axis=0)).argmax()
    span = returns[int(whole.row[first]) + 1 :]
    assert set(picked[SelectionRule.HINDSIGHT].tolist()) == {
        int((span.mean(axis=0) / span.std(axis=0)).argmax())
    }
    foreseen = picked[SelectionRule.FORESIGHT]
    np.testing.assert_array_equal(foreseen[:-2], whole.best[first:-2])
    assert (foreseen[-2:] == foreseen[-3]).all()


def test_the_later_of_two_ends_repeats_the_decisions_of_the_earlier(
    panel: Panel, rows: np.ndarray, whole: SelectionExamples
) -> None:
    early = examples_of(panel.until(int(rows[-4]) + 1), rows[:-3])
    assert early.strategies == tuple(StrategyName(each) for each in whole.strategies)
    for kind in SelectionModel:
        before = walk_selection(early, kind, periods=PERIODS)
        after = walk_selection(whole, kind, periods=PERIODS)
        np.testing.assert_allclose(
            before.probabilities, after.probabilities[:-3], atol=1e-9, equal_nan=True
        )
