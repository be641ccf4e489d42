from __future__ import annotations

import datetime as dt

import numpy as np
from scipy import stats

from slices.domain.feature_evidence import FeatureEvidence, FeatureSkill, FeatureStudy
from slices.domain.learning import FeatureFamily, LabelSettings
from slices.ml_strategy.features.redundancy import clusters
from slices.ml_strategy.features.selecting import discoveries, select_features

LABEL = LabelSettings()


def skill(ratio: float) -> FeatureSkill:
    return FeatureSkill(
        sessions=100, information_coefficient=ratio / 10, icir=ratio, t_statistic=ratio
    )


def evidence(name: str, ratio: float, *, known: float = 1.0) -> FeatureEvidence:
    return FeatureEvidence(
        name=name,
        family=FeatureFamily.MOMENTUM,
        title=name,
        formula=name,
        lookback_sessions=1,
        is_shared=False,
        known_share=known,
        chosen_known_share=known,
        whole=skill(ratio),
        chosen=skill(ratio),
        later=skill(-ratio),
        decay=(0.0,) * 5,
        session_turnover=0.1,
        horizon_turnover=0.2,
    )


def made_up_study(redundancy: np.ndarray, *features: FeatureEvidence) -> FeatureStudy:
    day = dt.date(2020, 1, 1)
    return FeatureStudy(
        features=features,
        redundancy=redundancy,
        label=LABEL,
        selection=(day, day),
        later=(day, day),
        left_out=(),
    )


def test_the_strongest_of_a_group_stands_for_it_whatever_its_direction() -> None:
    alike = np.array([[1.0, -0.95, 0.1], [-0.95, 1.0, 0.0], [0.1, 0.0, 1.0]])
    found = select_features(
        made_up_study(alike, evidence("a", 1.0), evidence("b", -3.0), evidence("c", 0.1)),
        largest_redundancy=0.9,
    )
    assert found.names == ("b", "c")
    assert found.standings[0].represented_by == "b"
    assert "b" in found.standings[0].reason
    assert found.kept_sign == 0


def test_a_feature_that_is_rarely_known_stays_out_and_stands_for_nothing() -> None:
    alike = np.array([[1.0, 0.95], [0.95, 1.0]])
    rare, common = evidence("rare", 5.0, known=0.2), evidence("common", 1.0)
    found = select_features(made_up_study(alike, rare, common), largest_redundancy=0.9)
    assert found.names == ("common",)
    alone = select_features(made_up_study(np.ones((1, 1)), rare), largest_redundancy=0.9)
    assert alone.names == ()
    assert alone.standings[0].reason


def test_groups_hold_only_pairs_that_say_the_same() -> None:
    chain = np.array([[1.0, 0.85, 0.5], [0.85, 1.0, 0.85], [0.5, 0.85, 1.0]])
    numbers = clusters(chain, largest=0.8)
    for first in range(3):
        for second in range(3):
            if numbers[first] == numbers[second]:
                assert chain[first, second] >= 0.8
    assert len(set(numbers.tolist())) == 2
    unknown = np.full((2, 2), np.nan)
    assert clusters(unknown, largest=0.5).tolist() == [1, 2]


def test_discoveries_are_those_of_scipy() -> None:
    random = np.random.default_rng(3)
    p_values = np.concatenate([random.uniform(0, 1, 60), random.uniform(0, 0.01, 12)])
    expected = stats.false_discovery_control(p_values) <= 0.1
    assert discoveries(p_values, rate=0.1).tolist() == expected.tolist()
    assert expected.sum() not in (0, expected.size)
    with_gaps = np.insert(p_values, 5, np.nan)
    assert discoveries(with_gaps, rate=0.1)[5] == np.False_
    assert discoveries(np.array([np.nan]), rate=0.1).tolist() == [False]
