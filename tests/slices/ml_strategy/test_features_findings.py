from __future__ import annotations

import dataclasses
import datetime as dt
import math
from pathlib import Path

import numpy as np
import pytest

from slices.domain.dataset import DatasetRef
from slices.domain.feature_evidence import FeatureEngineering, FeatureSkill, FeatureStudy
from slices.domain.learning import FeatureFamily, LabelSettings
from slices.ml_strategy.features.building import build_features
from slices.ml_strategy.features.evidence import feature_evidence
from slices.ml_strategy.features.findings import feature_findings, feature_names
from slices.ml_strategy.features.selecting import select_features
from slices.ml_strategy.leaks.features import FeatureProof, check_features
from tests.slices.quant.market import us_dataset

NAMES = ("momentum_63", "reversal_1", "rank_reversal_1", "weekday")
Parts = tuple[DatasetRef, FeatureStudy, FeatureProof]


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    bars = us_dataset(tmp_path_factory.mktemp("bars"), symbols=6, sessions=500)
    built = build_features(bars, names=NAMES)
    study = feature_evidence(bars, (built,), label=LabelSettings(), selection_fraction=0.5)
    assert feature_names((built, built)) == (*NAMES, *NAMES)
    return bars, study, check_features(bars, NAMES)


def found(parts: Parts, study: FeatureStudy) -> FeatureEngineering:
    bars, _, proof = parts
    selection = select_features(study, largest_redundancy=0.8)
    features = build_features(bars, names=selection.names)
    return feature_findings(
        bars, left_out=(), features=features, study=study, selection=selection, proof=proof
    )


def with_skill(study: FeatureStudy, name: str, coefficient: float, t: float) -> FeatureStudy:
    skill = FeatureSkill(sessions=300, information_coefficient=coefficient, icir=1.0, t_statistic=t)
    changed = tuple(
        dataclasses.replace(each, whole=skill) if each.name == name else each
        for each in study.features
    )
    return dataclasses.replace(study, features=changed)


@pytest.mark.parametrize(
    ("coefficient", "t", "is_suspect"),
    [
        (0.05, 3.0, False),
        (0.09, 2.0, False),
        (0.09, 5.0, True),
        (-0.09, -5.0, True),
        (0.02, 8.5, True),
        (math.nan, math.nan, False),
    ],
)
def test_what_is_too_good_to_be_true_is_a_caveat(
    parts: Parts, coefficient: float, t: float, *, is_suspect: bool
) -> None:
    changed = with_skill(parts[1], "momentum_63", coefficient, t)
    caveats = found(parts, changed).caveats
    assert any("SUSPECT" in each and "momentum_63" in each for each in caveats) == is_suspect


def test_the_report_holds_every_feature_and_its_proof(parts: Parts) -> None:
    result = found(parts, parts[1])
    tables = {each.key: each for each in result.report.blocks() if hasattr(each, "rows")}
    assert [row[0] for row in tables["features"].rows] == list(NAMES)
    assert [row[0] for row in tables["standings"].rows] == list(NAMES)
    assert {row[0] for row in tables["evidence"].rows} == set(NAMES) - {"weekday"}
    assert {row[0] for row in tables["decay"].rows} == set(NAMES) - {"weekday"}
    assert "left-out" not in tables
    assert all("proven" in row[4] and "not" not in row[4] for row in tables["standings"].rows)
    assert result.proven == NAMES


def test_a_proof_that_does_not_name_a_feature_does_not_count_for_it(parts: Parts) -> None:
    bars, study, proof = parts
    partial = dataclasses.replace(proof, features=NAMES[1:])
    result = found((bars, study, partial), study)
    tables = {each.key: each for each in result.report.blocks() if hasattr(each, "rows")}
    assert tables["standings"].rows[0][4] == "not proven"


def test_features_that_rank_nothing_leave_charts_empty_and_say_so(tmp_path: Path) -> None:
    bars = us_dataset(tmp_path, symbols=3, sessions=300)
    names = ("weekday", "month_place")
    built = build_features(bars, names=names)
    study = feature_evidence(bars, (built,), label=LabelSettings(), selection_fraction=0.5)
    result = found((bars, study, check_features(bars, names)), study)
    assert result.selection.tested == 0
    assert math.isnan(result.selection.later_rank_correlation)
    assert result.selection.names == names
    assert {each.family for each in result.evidence} == {FeatureFamily.CALENDAR}


def test_the_family_chart_counts_in_the_direction_of_the_selection(parts: Parts) -> None:
    result = found(parts, parts[1])
    chart = next(each for each in result.report.blocks() if getattr(each, "key", "") == "families")
    during, after = (dict(zip(chart.categories, values, strict=True)) for _, values in chart.groups)
    assert all(value >= 0 for value in during.values())
    evidence = {each.name: each for each in result.evidence}["momentum_63"]
    sign = np.sign(evidence.chosen.information_coefficient)
    assert after["Momentum"] == pytest.approx(
        sign * evidence.later.information_coefficient, abs=6e-5
    )
    assert isinstance(result.evidence[0].family, FeatureFamily)
    assert result.proof_sessions[0] > dt.date(2000, 1, 1)
