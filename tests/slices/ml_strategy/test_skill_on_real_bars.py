"""Real prices: honest training finds little, leaks find much, and every leak is refused by name.

Five-day ranks of 20 names, 1990 to 2022, entered at the close after the decision.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from slices.domain.learning import DEFAULT_LABEL, Fold, ModelKind, Skill, SplitSettings
from slices.domain.learning_errors import LeakageError
from slices.domain.parameters import DEFAULT_COSTS
from slices.ml_strategy.examples import Examples
from slices.ml_strategy.features.building import feature_frame
from slices.ml_strategy.labels.joining import examples_from
from slices.ml_strategy.leaks.features import newest
from slices.ml_strategy.leaks.finding import check_leaks
from slices.ml_strategy.leaks.probing import leaking_features
from slices.ml_strategy.leaks.structure import check_folds
from slices.ml_strategy.skill.judging import skill_of
from slices.ml_strategy.splits.walk_forward import walk_forward_folds
from slices.ml_strategy.validation.walking import walk_scores
from slices.quant.panel import Panel
from tests.slices.ml_strategy.leaky_features import HONEST, LEAKY, builder, frame_of
from tests.slices.quant.market import us_closes

pytestmark = pytest.mark.slow

NAMES = (
    "momentum_21", "momentum_63", "momentum_126", "momentum_252_21", "reversal_1", "reversal_5",
    "volatility_21", "volatility_63", "z_score_20", "average_gap_20", "low_distance_252",
    "market_volatility_21",
)  # fmt: skip
SPLITS = SplitSettings(folds=4)
DEEP = (("leaf_share", 0.0001), ("learning_rate", 0.1), ("leaves", 63.0))
"""Trees that remember: neighbours of a session have its features, and share most of its label."""


@pytest.fixture(scope="module")
def panel() -> Panel:
    dates, names, closes = us_closes()
    return Panel(symbols=names, sessions=dates, close=closes, periods_per_year=252)


@pytest.fixture(scope="module")
def examples(panel: Panel) -> Examples:
    return examples_from(panel, feature_frame(panel, NAMES))


def shuffled_folds(sessions: int) -> tuple[Fold, ...]:
    order = np.random.default_rng(0).permutation(sessions)
    return tuple(
        Fold(
            number=number,
            train=np.setdiff1d(order, part),
            test=np.sort(part),
            purged=0,
            embargoed=0,
        )
        for number, part in enumerate(np.array_split(order, 5), start=1)
    )


def skill(
    examples: Examples,
    panel: Panel,
    *,
    folds: tuple[Fold, ...] | None = None,
    parameters: tuple[tuple[str, float], ...] = (),
) -> Skill:
    chosen = folds or walk_forward_folds(examples, SPLITS, label=DEFAULT_LABEL)
    scores = walk_scores(examples, chosen, kind=ModelKind.LIGHTGBM, parameters=parameters, seed=0)
    return skill_of(
        scores, label=DEFAULT_LABEL, costs=DEFAULT_COSTS, periods_per_year=252, panel=panel
    )


def skill_alone(panel: Panel, name: str) -> Skill:
    """Skill of a model that knows one feature."""
    features: pl.DataFrame = frame_of(panel, {name: LEAKY[name]})
    return skill(examples_from(panel, features), panel)


def refused(panel: Panel, name: str) -> tuple[str, ...]:
    build = builder(**HONEST, **{name: LEAKY[name]})
    with pytest.raises(LeakageError) as raised:
        check_leaks(leaking_features(build, newest(panel, sessions=700)))
    return raised.value.names


def test_an_honest_walk_forward_finds_little(panel: Panel, examples: Examples) -> None:
    check_folds(examples, walk_forward_folds(examples, SPLITS, label=DEFAULT_LABEL))
    found = skill(examples, panel)
    assert 0.0 <= found.information_coefficient <= 0.03
    assert 0.50 <= found.auc <= 0.515
    assert -0.3 <= found.net_sharpe_ratio <= 0.5
    assert found.net_sharpe_ratio < found.gross_sharpe_ratio
    assert found.suspicions == ()
    assert found.sessions == len(panel.sessions) - SPLITS.first_train_sessions - 6


def test_shuffled_folds_find_much_and_are_refused(panel: Panel, examples: Examples) -> None:
    folds = shuffled_folds(len(panel.sessions))
    inflated = skill(examples, panel, folds=folds, parameters=DEEP)
    honest = skill(examples, panel, parameters=DEEP)
    assert honest.information_coefficient < 0.03
    assert inflated.information_coefficient > 0.1
    assert len(inflated.suspicions) == 4
    with pytest.raises(LeakageError) as raised:
        check_folds(examples, folds)
    assert raised.value.names == ("fold 1",)


@pytest.mark.parametrize(
    ("name", "least"), [("two_sessions_ahead", 0.2), ("back_filled_momentum", 0.3)]
)
def test_features_of_the_future_find_much_and_are_refused(
    panel: Panel, name: str, least: float
) -> None:
    found = skill_alone(panel, name)
    assert found.information_coefficient > least
    assert found.suspicions
    assert refused(panel, name) == (name,)


@pytest.mark.parametrize("name", ["momentum_ending_tomorrow", "whole_sample_z_score"])
def test_leaks_that_look_believable_are_refused_all_the_same(panel: Panel, name: str) -> None:
    found = skill_alone(panel, name)
    assert abs(found.information_coefficient) < 0.03
    assert found.suspicions == ()
    assert refused(panel, name) == (name,)
