from __future__ import annotations

import dataclasses
import datetime as dt
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from slices.domain.dataset import DatasetRef, wide_values
from slices.domain.errors import InsufficientHistoryError
from slices.domain.feature_evidence import (
    DECAY_HORIZONS,
    FeatureEvidence,
    FeatureStudy,
)
from slices.domain.learning import FeatureFamily, LabelSettings
from slices.ml_strategy.features.building import build_features, read_features
from slices.ml_strategy.features.evidence import feature_evidence
from slices.ml_strategy.features.grouping import (
    interaction_features,
    market_features,
    technical_features,
)
from slices.ml_strategy.features.selecting import select_features
from slices.ml_strategy.skill.coefficients import newey_west_t
from slices.quant.panel import read_panel
from tests.slices.quant.market import stored, us_dataset

NAMES = ("momentum_63", "reversal_1", "rank_reversal_1", "volatility_21", "market_volatility_21")
LABEL = LabelSettings(horizon_sessions=5, entry_lag_sessions=1)


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> DatasetRef:
    return us_dataset(tmp_path_factory.mktemp("bars"), symbols=8, sessions=700)


@pytest.fixture(scope="module")
def study(bars: DatasetRef) -> FeatureStudy:
    built = build_features(bars, names=NAMES)
    return feature_evidence(bars, (built,), label=LABEL, selection_fraction=0.6)


def by_name(study: FeatureStudy) -> dict[str, FeatureEvidence]:
    return {each.name: each for each in study.features}


def wide_feature(bars: DatasetRef, name: str) -> pd.DataFrame:
    rows = read_features(build_features(bars, names=(name,)))
    wide = wide_values(rows, name, bars.symbols).drop("session")
    return pd.DataFrame(wide.to_numpy(), index=list(read_panel(bars).sessions))


def expected_coefficients(bars: DatasetRef, name: str, horizon: int) -> pd.Series:
    """One correlation of ranks per session, as pandas has them."""
    closes = pd.DataFrame(read_panel(bars).close, index=list(read_panel(bars).sessions))
    later = closes.shift(-1 - horizon) / closes.shift(-1) - 1
    values = wide_feature(bars, name)
    both = values.notna() & later.notna()
    pair = [each.where(both)[both.sum(axis=1) >= 2].rank(axis=1) for each in (values, later)]
    return pair[0].corrwith(pair[1], axis=1)


@pytest.mark.parametrize("name", ["momentum_63", "reversal_1", "volatility_21"])
def test_coefficients_are_those_of_pandas_session_by_session(
    bars: DatasetRef, study: FeatureStudy, name: str
) -> None:
    found, plain = by_name(study)[name], expected_coefficients(bars, name, 5)
    assert found.whole.sessions == len(plain)
    assert found.whole.information_coefficient == pytest.approx(plain.mean())
    assert found.whole.t_statistic == pytest.approx(newey_west_t(plain.to_numpy(), 5))
    years = len(plain) / 252
    assert found.whole.icir * math.sqrt(years) == pytest.approx(found.whole.t_statistic, rel=1e-6)
    for horizon, value in zip(DECAY_HORIZONS, found.decay, strict=True):
        assert value == pytest.approx(expected_coefficients(bars, name, horizon).mean())


def test_no_label_of_the_selection_reaches_what_comes_after_it(
    bars: DatasetRef, study: FeatureStudy
) -> None:
    sessions = read_panel(bars).sessions
    stop = sessions.index(study.later[0])
    assert study.selection == (sessions[0], sessions[stop - 1])
    assert stop == int(0.6 * len(sessions))
    plain = expected_coefficients(bars, "reversal_1", 5)
    found = by_name(study)["reversal_1"]
    before, after = plain[plain.index < sessions[stop - LABEL.reach]], plain.loc[sessions[stop] :]
    assert found.chosen.sessions == len(before)
    assert found.chosen.information_coefficient == pytest.approx(before.mean())
    assert found.later.sessions == len(after)
    assert found.later.information_coefficient == pytest.approx(after.mean())


def test_a_later_future_changes_nothing_of_the_selection(tmp_path: Path, bars: DatasetRef) -> None:
    panel = read_panel(bars)
    random = np.random.default_rng(2)
    closes = panel.close.copy()
    stop = int(0.6 * len(panel.sessions))
    closes[stop:] *= np.exp(np.cumsum(random.normal(0, 0.05, closes[stop:].shape), axis=0))
    changed = {name: closes[:, i].copy() for i, name in enumerate(panel.symbols)}
    other = stored(tmp_path, panel.sessions, changed)
    studies = [
        feature_evidence(
            each, (build_features(each, names=NAMES),), label=LABEL, selection_fraction=0.6
        )
        for each in (bars, other)
    ]
    first, second = studies
    assert [each.chosen for each in first.features if not each.is_shared] == [
        each.chosen for each in second.features if not each.is_shared
    ]
    assert np.array_equal(first.redundancy, second.redundancy, equal_nan=True)
    assert (
        select_features(first, largest_redundancy=0.8).names
        == select_features(second, largest_redundancy=0.8).names
    )


def test_what_all_symbols_share_ranks_nothing(study: FeatureStudy) -> None:
    shared = by_name(study)["market_volatility_21"]
    assert shared.is_shared
    assert shared.whole.sessions == 0
    assert math.isnan(shared.whole.information_coefficient)
    assert math.isnan(shared.session_turnover)


def test_a_rank_says_the_same_as_what_it_ranks(study: FeatureStudy) -> None:
    names = [each.name for each in study.features]
    pair = names.index("reversal_1"), names.index("rank_reversal_1")
    assert study.redundancy[pair] == pytest.approx(1.0, abs=1e-6)
    selection = select_features(study, largest_redundancy=0.9)
    standings = {each.name: each for each in selection.standings}
    assert standings["reversal_1"].cluster == standings["rank_reversal_1"].cluster
    assert len({"reversal_1", "rank_reversal_1"} & set(selection.names)) == 1
    assert {"momentum_63", "volatility_21", "market_volatility_21"} <= set(selection.names)
    assert selection.clusters == 4


def test_redundancy_is_the_mean_correlation_of_ranks_within_sessions(
    bars: DatasetRef, study: FeatureStudy
) -> None:
    rows = read_features(build_features(bars, names=("momentum_63", "volatility_21"))).to_pandas()
    rows = rows[rows.session < pd.Timestamp(study.later[0])].dropna()
    each = rows.groupby("session").apply(
        lambda part: stats.spearmanr(part.momentum_63, part.volatility_21).statistic,
        include_groups=False,
    )
    names = [feature.name for feature in study.features]
    found = study.redundancy[names.index("momentum_63"), names.index("volatility_21")]
    assert found == pytest.approx(each.mean(), abs=1e-5)


def test_turnover_is_what_ranks_forget(bars: DatasetRef, study: FeatureStudy) -> None:
    ranks = wide_feature(bars, "momentum_63").dropna().rank(axis=1)
    kept = [ranks.iloc[i].corr(ranks.iloc[i - 5]) for i in range(5, len(ranks))]
    found = by_name(study)["momentum_63"]
    assert found.horizon_turnover == pytest.approx(1 - np.mean(kept), abs=1e-9)
    assert found.session_turnover < found.horizon_turnover
    assert by_name(study)["reversal_1"].session_turnover > 0.8


def test_a_planted_feature_is_found_with_its_horizon(tmp_path: Path) -> None:
    random = np.random.default_rng(7)
    sessions, symbols = 900, 12
    shocks = random.normal(0, 0.02, (sessions, symbols))
    returns = shocks.copy()
    returns[2:] -= 0.4 * shocks[:-2]
    closes = 100 * np.exp(np.cumsum(returns, axis=0))
    dates = tuple(dt.date(2010, 1, 4) + dt.timedelta(days=i) for i in range(sessions))
    bars = stored(tmp_path, dates, {f"S{i:02}": closes[:, i].copy() for i in range(symbols)})
    built = build_features(bars, names=("reversal_1", "volatility_21", "momentum_63"))
    found = feature_evidence(
        bars, (built,), label=LabelSettings(horizon_sessions=1), selection_fraction=0.5
    )
    planted = by_name(found)["reversal_1"]
    assert planted.whole.information_coefficient > 0.2
    assert planted.chosen.t_statistic > 8
    assert planted.later.t_statistic > 8
    assert planted.decay[0] > 2 * planted.decay[2] > 0
    selection = select_features(found, largest_redundancy=0.8)
    standings = {each.name: each for each in selection.standings}
    assert standings["reversal_1"].is_significant
    assert not standings["volatility_21"].is_significant
    assert selection.kept_sign == selection.significant


def test_too_few_sessions_are_refused_with_what_is_needed(tmp_path: Path) -> None:
    bars = us_dataset(tmp_path, symbols=3, sessions=100)
    built = build_features(bars, names=("reversal_1",))
    with pytest.raises(InsufficientHistoryError) as raised:
        feature_evidence(bars, (built,), label=LABEL, selection_fraction=0.6)
    assert raised.value.found == 100
    enough = us_dataset(tmp_path, symbols=3, sessions=raised.value.needed)
    again = build_features(enough, names=("reversal_1",))
    assert feature_evidence(enough, (again,), label=LABEL, selection_fraction=0.6).features


def test_groups_part_the_families_and_an_empty_one_is_allowed(bars: DatasetRef) -> None:
    families = [FeatureFamily.REVERSAL, FeatureFamily.REGIME]
    technical = technical_features(bars, families=families)
    market = market_features(bars, families=families)
    nothing = interaction_features(bars, families=families)
    assert set(technical.families) == {FeatureFamily.REVERSAL}
    assert set(market.families) == {FeatureFamily.REGIME}
    assert nothing.names == nothing.left_out == ()
    found = feature_evidence(
        bars, (technical, market, nothing), label=LABEL, selection_fraction=0.5
    )
    assert [each.name for each in found.features] == [*technical.names, *market.names]
    assert found.left_out == (*technical.left_out, *market.left_out)


def test_evidence_of_noise_rarely_passes(tmp_path: Path) -> None:
    random = np.random.default_rng(19)
    dates = tuple(dt.date(2010, 1, 4) + dt.timedelta(days=i) for i in range(900))
    walks = np.exp(np.cumsum(random.normal(0, 0.02, (900, 10)), axis=0))
    bars = stored(tmp_path, dates, {f"S{i:02}": walks[:, i].copy() for i in range(10)})
    group = technical_features(bars, families=list(FeatureFamily))
    found = feature_evidence(bars, (group,), label=LABEL, selection_fraction=0.6)
    selection = select_features(found, largest_redundancy=0.8)
    assert selection.tested > 40
    assert selection.significant <= 2
    assert max(abs(each.whole.information_coefficient) for each in found.features) < 0.06


def test_a_study_is_the_same_whatever_the_order_of_its_groups(bars: DatasetRef) -> None:
    parts = [build_features(bars, names=(name,)) for name in NAMES]
    found = [
        feature_evidence(bars, tuple(order), label=LABEL, selection_fraction=0.6)
        for order in (parts, parts[::-1])
    ]
    ours, theirs = (by_name(each) for each in found)
    for name, one in ours.items():
        other = theirs[name]
        for field in dataclasses.fields(one):
            first, second = getattr(one, field.name), getattr(other, field.name)
            assert repr(first) == repr(second)
