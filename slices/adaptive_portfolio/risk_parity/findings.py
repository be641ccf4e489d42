"""A risk parity portfolio as a whole: its answer in one sentence, its figures and its report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.adaptive_portfolio.judged import caveats, headline, made_report, plain_notes, summary
from slices.adaptive_portfolio.risk_parity.report import (
    TITLES,
    equal_risk_section,
    estimator_section,
)
from slices.domain.data_report import data_section
from slices.domain.errors import listed
from slices.domain.factor_portfolios import RiskParityPortfolio
from slices.domain.numbers import written
from slices.domain.report import Unit

if TYPE_CHECKING:
    from slices.domain.backtests import Backtest
    from slices.domain.dataset import DatasetRef
    from slices.domain.factor_portfolios import EqualRisk, EstimatorEvaluation
    from slices.domain.report import Section

DATA_RULE = (
    "A symbol takes part in a fit while it has a bar of every session of the window; a hole is "
    "never filled."
)


def risk_parity_findings(
    bars: DatasetRef,
    *,
    equal_risk: EqualRisk,
    estimators: list[EstimatorEvaluation],
    tested: Backtest,
    tearsheet: tuple[Section, ...],
) -> RiskParityPortfolio:
    """Put the parts of a risk parity portfolio together and say what they mean."""
    compared = tuple(estimators)
    chosen = next(each for each in compared if each.estimator is equal_risk.estimator)
    sentence = headline(
        f"Giving each of {len(bars.symbols)} symbols the same risk (largest difference now "
        f"{equal_risk.largest_deviation:.0e}; out of sample shares were up to "
        f"{written(chosen.realised_deviation, Unit.FRACTION)} off)",
        tested,
        bars,
    )
    missing = (*caveats(bars), *_left_out(equal_risk))
    notes = plain_notes(
        bars, *_notes(equal_risk, chosen), window_sessions=equal_risk.window_sessions
    )
    report = made_report(
        "risk-parity-portfolio",
        "Risk parity portfolio",
        headline=sentence,
        tested=tested,
        sections=(
            equal_risk_section(equal_risk, chosen),
            estimator_section(compared),
            *tearsheet,
            data_section(bars, rule=DATA_RULE),
        ),
        caveats=missing,
        notes=notes,
    )
    return RiskParityPortfolio(
        headline=sentence,
        caveats=missing,
        summary=(*_summary(equal_risk, chosen), *summary(bars, tested)),
        notes=notes,
        report=report,
        bars=bars,
        equal_risk=equal_risk,
        estimators=compared,
        backtest=tested,
    )


def _left_out(found: EqualRisk) -> tuple[str, ...]:
    if not found.left_out:
        return ()
    return (
        f"{listed(found.left_out, most=8)}: no weight now, for want of a bar of every session of "
        "the newest window",
    )


def _notes(found: EqualRisk, chosen: EstimatorEvaluation) -> tuple[str, ...]:
    title = TITLES[found.estimator.value]
    notes = [
        f"Covariances: {title}, of {found.window_sessions} returns. Equal risk is equal as "
        "estimated; what followed is the chart of shares out of sample."
    ]
    if chosen.undefined_refits:
        notes.append(
            f"{chosen.undefined_refits} of {chosen.refits} fits had no answer "
            f"({'; '.join(chosen.refit_reasons)}). Positions were kept."
        )
    return tuple(notes)


def _summary(found: EqualRisk, chosen: EstimatorEvaluation) -> tuple[tuple[str, str], ...]:
    weights = tuple(
        f"{each.symbol} {written(each.weight * found.leverage, Unit.FRACTION)}"
        for each in found.contributions
    )
    return (
        ("Weights now", listed(weights, most=8)),
        ("Largest deviation from equal risk", f"{found.largest_deviation:.1e}"),
        ("The same out of sample", written(chosen.realised_deviation, Unit.FRACTION)),
        ("Volatility of these weights", written(found.annualized_volatility, Unit.FRACTION)),
    )
