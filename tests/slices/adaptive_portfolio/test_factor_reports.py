from __future__ import annotations

import dataclasses
import datetime as dt
import math

import numpy as np
import pytest

from slices.adaptive_portfolio.charts import MOST_SHOWN
from slices.adaptive_portfolio.judged import MOST_CAVEATS, caveats, late_notes
from slices.adaptive_portfolio.mean_reversion.findings import _notes as reversion_notes
from slices.adaptive_portfolio.mean_reversion.report import (
    MOST_EPISODES,
    MOST_ROWS,
    ends_section,
    evidence_section,
    evidence_table,
)
from slices.adaptive_portfolio.mean_reversion.spreads import ReversionRule
from slices.adaptive_portfolio.momentum.findings import _notes as momentum_notes
from slices.adaptive_portfolio.momentum.report import choice_section, decay_section
from slices.adaptive_portfolio.momentum.scores import MomentumRule
from slices.adaptive_portfolio.risk_parity.findings import _left_out, _notes
from slices.adaptive_portfolio.risk_parity.report import (
    contribution_table,
    estimator_section,
    share_chart,
)
from slices.domain.backtests import TargetWeights
from slices.domain.dataset import LeftOut, SymbolQuality
from slices.domain.factor_portfolios import (
    CovarianceEstimator,
    EqualRisk,
    EstimatorEvaluation,
    HorizonCoefficient,
    MomentumScore,
    MomentumSelection,
    ReversionEpisode,
    ReversionEvidence,
    ReversionWalk,
)
from slices.domain.portfolio import RiskContribution
from slices.domain.report import BarChart, LineChart, Table
from slices.domain.verdicts import LookAheadProbe
from tests.support.frames import made_up_ref

DAY = dt.date(2024, 1, 2)
NAMES = tuple(f"S{at:03}" for at in range(500))


def quality(symbol: str, *, first: dt.date = DAY, missing: int = 0) -> SymbolQuality:
    return SymbolQuality(
        symbol=symbol,
        rows=100,
        first_session=first,
        last_session=dt.date(2024, 12, 31),
        missing_sessions=(DAY,) * missing,
    )


def test_a_long_list_of_caveats_is_shortened_and_hides_no_symbol() -> None:
    bars = made_up_ref(*(quality(each, missing=2) for each in NAMES[:30]))
    found = caveats(bars, (LeftOut(symbol="GONE", reason="not found"),))
    assert len(found) == MOST_CAVEATS + 1
    assert found[0] == "GONE: not found"
    rest = 31 - MOST_CAVEATS
    assert found[-1].startswith(f"{rest} more")
    for name in NAMES[:30]:
        assert any(name in each for each in found)
    few = made_up_ref(*(quality(each, missing=2) for each in NAMES[:3]))
    assert len(caveats(few)) == 3
    assert caveats(made_up_ref(quality("A"))) == ()


def test_late_listings_are_named() -> None:
    late = quality("LATE", first=dt.date(2024, 6, 3))
    assert late_notes(made_up_ref(quality("A")), window_sessions=252) == ()
    (note,) = late_notes(made_up_ref(quality("A"), late), window_sessions=252)
    assert "LATE begins" in note
    assert "253 sessions" in note


def selection(count: int) -> MomentumSelection:
    scores = tuple(
        MomentumScore(
            symbol=name,
            score=math.nan if at > 480 else 1 - at / 100,
            formation_return=0.1,
            annualized_volatility=0.2,
            weight=0.1 if at < 10 else 0.0,
        )
        for at, name in enumerate(NAMES[:count])
    )
    return MomentumSelection(
        session=DAY,
        scores=scores,
        decisions=12,
        average_candidates=481.0,
        average_chosen=10.0,
        average_replaced=0.3,
        in_cash=2,
        undefined=1,
        reasons=("no variance",),
    )


def test_a_wide_universe_is_shown_by_its_best() -> None:
    chart, table = choice_section(selection(500)).blocks
    assert isinstance(chart, BarChart)
    assert isinstance(table, Table)
    assert len(chart.categories) == 20
    assert len(table.rows) == 60
    assert "440 symbols" in table.caption
    chart, table = choice_section(selection(5)).blocks
    assert isinstance(table, Table)
    assert "not shown" not in table.caption


def test_a_horizon_without_evidence_is_in_the_table_and_not_in_the_chart() -> None:
    known = HorizonCoefficient(
        horizon_sessions=5,
        information_coefficient=0.02,
        standard_error=0.01,
        t_statistic=2.0,
        share_positive=0.6,
        sessions=100,
        average_symbols=9.0,
    )
    unknown = dataclasses.replace(
        known,
        horizon_sessions=126,
        information_coefficient=math.nan,
        standard_error=math.nan,
        t_statistic=math.nan,
    )
    chart, table = decay_section((known, unknown)).blocks
    assert isinstance(chart, LineChart)
    assert isinstance(table, Table)
    assert [each.x for each in chart.series] == [(5.0,)] * 3
    assert [each.y[0] for each in chart.series] == pytest.approx([0.02, 0.0, 0.04])
    assert len(table.rows) == 2
    assert "nan" not in str(table.rows[1][1])


def test_what_a_momentum_rule_did_otherwise_is_said() -> None:
    rule = MomentumRule(per_volatility=True, target_volatility=0.1)
    text = " ".join(momentum_notes(rule, selection(5)))
    for expected in ("divided", "volatility of 10%", "2 of 12", "1 of 12", "no variance"):
        assert expected in text
    quiet = dataclasses.replace(selection(5), in_cash=0, undefined=0, reasons=())
    assert momentum_notes(MomentumRule(), quiet) == ()


def equal_risk(leverage: float = 1.0, left_out: tuple[str, ...] = ()) -> EqualRisk:
    part = RiskContribution(
        symbol="A", weight=0.5, annualized_volatility=0.2, contribution=0.1, share=0.5
    )
    return EqualRisk(
        estimator=CovarianceEstimator.SAMPLE,
        session=DAY,
        window_sessions=252,
        contributions=(part, dataclasses.replace(part, symbol="B")),
        largest_deviation=1e-13,
        annualized_volatility=0.2,
        leverage=leverage,
        left_out=left_out,
    )


def evaluation(count: int, *, weights: bool = True) -> EstimatorEvaluation:
    return EstimatorEvaluation(
        estimator=CovarianceEstimator.SAMPLE,
        symbols=NAMES[:count],
        weights=(1 / count,) * count if weights else (),
        undefined_reason="" if weights else "no variance",
        refits=12,
        undefined_refits=3,
        refit_reasons=("no variance",),
        largest_deviation=1e-13,
        realised_shares=tuple(at / 1000 for at in range(count)),
        equal_shares=(1 / count,) * count,
        realised_deviation=0.01,
        yearly_deviation=0.02,
        volatility_ratio=1.1,
    )


def test_leverage_and_symbols_without_a_weight_are_said() -> None:
    assert len(contribution_table(equal_risk()).columns) == 5
    levered = contribution_table(equal_risk(0.5))
    assert [row[-1] for row in levered.rows] == [0.25, 0.25]
    assert "0.50" in levered.caption
    assert _left_out(equal_risk()) == ()
    assert "LATE" in _left_out(equal_risk(left_out=("LATE",)))[0]
    assert "3 of 12" in _notes(equal_risk(), evaluation(2))[-1]


def test_an_estimator_without_weights_is_named_and_many_symbols_are_cut() -> None:
    _, weights = estimator_section((evaluation(3), evaluation(3, weights=False))).blocks
    assert isinstance(weights, Table)
    assert len(weights.columns) == 2
    assert "no variance" in weights.caption
    assert len(share_chart(evaluation(100)).categories) == MOST_SHOWN


def evidence(symbol: str, *, passes: bool = False, z_score: float = 1.0) -> ReversionEvidence:
    return ReversionEvidence(
        symbol=symbol,
        z_score=z_score,
        half_life_sessions=math.nan,
        half_life_error=math.nan,
        adf_statistic=math.nan,
        adf_p_value=math.nan,
        variance_ratio=math.nan,
        variance_ratio_z=math.nan,
        hurst=math.nan,
        candidate_share=0.1,
        passes=passes,
        reason="" if passes else "does not come back",
    )


def test_evidence_shows_those_that_pass_first() -> None:
    many = (*(evidence(each) for each in NAMES), evidence("ZZZ", passes=True))
    table = evidence_table(many)
    assert table.rows[0][0] == "ZZZ"
    assert len(table.rows) == MOST_ROWS
    assert f"{501 - MOST_ROWS} symbols" in table.caption
    section = evidence_section((evidence("A", z_score=math.nan), evidence("B")), ReversionRule())
    chart = section.blocks[0]
    assert isinstance(chart, BarChart)
    assert chart.categories == ("B",)
    assert "0 of 2 pass" in section.intro


def test_the_newest_decisions_are_shown() -> None:
    one = ReversionEpisode(
        symbol="A",
        is_long=False,
        decided_in=DAY,
        decided_out=None,
        end=None,
        entry_z=2.5,
        exit_z=math.nan,
        sessions_held=3,
    )
    (_, table) = ends_section((), (one,) * 100).blocks
    assert isinstance(table, Table)
    assert len(table.rows) == MOST_EPISODES
    assert table.rows[0][1] == "short"
    assert len(ends_section((), ()).blocks) == 1


def test_decisions_without_an_answer_are_counted() -> None:
    walk = ReversionWalk(
        targets=TargetWeights(
            label="Mean reversion",
            symbols=("A",),
            sessions=(),
            weights=np.empty((0, 1)),
            first_session=DAY,
            trials=1,
            probe=LookAheadProbe(cuts=()),
        ),
        episodes=(),
        selections=12,
        average_candidates=1.5,
        undefined=2,
        reasons=("no variance",),
    )
    assert "At 2 decisions" in reversion_notes(ReversionRule(), walk)[-1]
    assert len(reversion_notes(ReversionRule(), dataclasses.replace(walk, undefined=0))) == 2
