"""The findings of following a model: does it help, beside not asking it?"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.calendar import missed_sessions
from slices.domain.data_report import data_caveats, data_notes, data_section
from slices.domain.errors import counted
from slices.domain.forecasts import DEFAULT_SERVING
from slices.domain.ml_driven import MlDriven
from slices.domain.numbers import written
from slices.domain.report import KeyFigure, Note, Report, Tone, Unit
from slices.domain.verdict_report import verdict_figure, verdict_section, verdict_sentence
from slices.ml_strategy.predicting.driven_sections import COMPARED, comparison_section
from slices.ml_strategy.predicting.sections import (
    calibration_section,
    forecast_section,
    model_section,
)
from slices.ml_strategy.skill.coefficients import newey_west_t
from slices.quant.returns import equity_returns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slices.domain.backtests import Backtest
    from slices.domain.dataset import DatasetRef
    from slices.domain.forecasts import Forecasts, ServingLimits
    from slices.domain.ml_driven import DrivenPlan
    from slices.domain.models import LoadedModel
    from slices.domain.prediction_trading import CalibrationCheck
    from slices.domain.regimes import RegimeAnalysis
    from slices.domain.report import Section

NEEDED_T = 1.645


def ml_driven_findings(
    bars: DatasetRef,
    *,
    model: LoadedModel,
    was_trained: bool,
    forecasts: Forecasts,
    regime: RegimeAnalysis,
    plan: DrivenPlan,
    tested: Sequence[Backtest],
    check: CalibrationCheck | None,
    sheet: tuple[Section, ...] = (),
    limits: ServingLimits = DEFAULT_SERVING,
) -> MlDriven:
    """Put together what a model says and what following it would have been worth.

    Args:
        bars: The universe.
        model: Who was asked.
        was_trained: Whether this run trained it.
        forecasts: What it says at the newest session.
        regime: Of the market of these bars.
        plan: What every rule decided.
        tested: What became of every rule, in the order of the plan.
        check: How its calibration did out of sample.
        sheet: Sections on the account that follows the ranking.
        limits: Beyond which the model says nothing.
    """
    ranked, _, sized, equal = tested
    gain = gain_t(ranked, sized, lags=model.bundle.label.horizon_sessions)
    is_champion = "champion" in model.version.aliases
    caveats = (*_caveats(model, forecasts), *data_caveats(bars))
    notes = (
        *_notes(model, plan, is_champion=is_champion, was_trained=was_trained),
        *data_notes(bars),
    )
    report = Report(
        key="ml-driven",
        title="Following a model",
        headline=headline(model, (ranked, sized, equal), gain, is_champion=is_champion),
        figures=(*_figures(ranked, sized, gain, plan), verdict_figure(ranked.verdict)),
        notes=(
            *(Note(text=each, tone=Tone.WARNING) for each in caveats),
            *(Note(text=each) for each in notes),
        ),
        sections=(
            comparison_section(tested, plan, gain),
            verdict_section(ranked.verdict),
            *_said(bars, model, forecasts, check=check, limits=limits),
            *sheet,
            data_section(bars),
        ),
        chart=COMPARED,
        provenance=(),
    )
    return MlDriven(
        headline=report.headline,
        caveats=caveats,
        summary=_summary(bars, model, forecasts, regime, tested, gain),
        notes=notes,
        report=report,
        bars=bars,
        mlflow_run_id=model.version.run_id,
        model=model.version,
        is_champion=is_champion,
        was_trained=was_trained,
        forecasts=forecasts,
        regime=regime.rule_regime,
        tested=tuple(tested),
        gain_t=gain,
        first_session=ranked.sessions[0],
        last_session=ranked.sessions[-1],
    )


def gain_t(followed: Backtest, without: Backtest, *, lags: int) -> float:
    """Return the t-statistic of the mean difference of two accounts' returns (Newey and West).

    Args:
        followed: An account.
        without: Another over the same sessions.
        lags: Sessions over which differences depend on each other.
    """
    one, other = (equity_returns(np.array(each.equity)) for each in (followed, without))
    return newey_west_t(one - other, lags)


def headline(
    model: LoadedModel,
    accounts: tuple[Backtest, Backtest, Backtest],
    gain: float,
    *,
    is_champion: bool,
) -> str:
    """Say in one sentence whether the model helped.

    Args:
        model: Who was asked.
        accounts: The one that follows the ranking, the same without a model, and equal weights.
        gain: t-statistic of the first over the second.
        is_champion: Whether it trades.
    """
    ranked = accounts[0]
    who = str(model.version) if is_champion else f"{model.version}, {_standing(model)},"
    helped = (
        "helped"
        if gain >= NEEDED_T
        else "did harm"
        if gain <= -NEEDED_T
        else "did not clearly help"
    )
    mine, its, theirs = (_yearly(each) for each in accounts)
    return (
        f"Following {who} {helped} out of sample, {ranked.sessions[0]} to {ranked.sessions[-1]}: "
        f"{mine}, against {its} of all symbols sized alike, {theirs} of weighing them equally and "
        f"{_held(ranked)} of holding them, a year net of costs."
    )


def _standing(model: LoadedModel) -> str:
    """Say what a version is that is no champion."""
    if model.version.retired:
        return "which was retired"
    if "challenger" in model.version.aliases:
        return "a challenger not promoted"
    return "which does not trade"


def _yearly(tested: Backtest) -> str:
    found = tested.performance
    sharpe_ratio = written(found.sharpe_ratio, Unit.RATIO)
    return f"{written(found.annualized_return, Unit.FRACTION)} (Sharpe ratio {sharpe_ratio})"


def _held(tested: Backtest) -> str:
    return written(tested.benchmark_performance.annualized_return, Unit.FRACTION)


def _caveats(model: LoadedModel, forecasts: Forecasts) -> tuple[str, ...]:
    asked = (f"the model was not asked now: {each}" for each in forecasts.refusals)
    suspect = (f"SUSPECT: {each}" for each in model.bundle.skill.suspicions)
    return (*asked, *suspect)


def _notes(
    model: LoadedModel, plan: DrivenPlan, *, is_champion: bool, was_trained: bool
) -> tuple[str, ...]:
    found = []
    if was_trained:
        found.append("There was no champion, so that a model was trained first.")
    if not is_champion:
        found.append(_not_trading(model))
    found.append(
        f"Every weight stands on scores of models that had not seen the session: "
        f"{plan.stored_sessions:,} sessions of the walk-forward in training and "
        f"{plan.later_sessions:,} after it."
    )
    found.append(
        f"The model is the best of {counted(model.bundle.trials, 'configuration')}, chosen by "
        "these very scores; the verdict counts them as trials."
    )
    found.append(
        "Scores of models that are gone cannot be made again on another future, so that the "
        "verdict is WEAK at best; features and folds were proven free of look-ahead in the "
        "training."
    )
    if not plan.confident.weights.any():
        found.append(
            "At no session was a symbol worth its costs with the confidence asked for, so that the "
            "account that waits for this stayed in cash."
        )
    return tuple(found)


def _not_trading(model: LoadedModel) -> str:
    retired = model.version.retired
    if retired:
        return (
            f"This model was retired ({retired}), and nothing trades on it. These bars give the "
            "same model again; train on newer ones to have another that may be promoted."
        )
    if "challenger" in model.version.aliases:
        return (
            "This model was not promoted: it has not shown more skill than luck would, and nothing "
            "trades on it."
        )
    return "This model is no champion, and nothing trades on it."


def _figures(
    ranked: Backtest, sized: Backtest, gain: float, plan: DrivenPlan
) -> tuple[KeyFigure, ...]:
    mine, its = ranked.performance, sized.performance
    return (
        KeyFigure(
            label="Return a year", value=mine.annualized_return, unit=Unit.FRACTION,
            note=f"without the model, sized alike: {_yearly(sized)}",
        ),
        KeyFigure(
            label="Sharpe ratio", value=mine.sharpe_ratio, unit=Unit.RATIO,
            note=f"without the model: {written(its.sharpe_ratio, Unit.RATIO)}; net of costs",
        ),
        KeyFigure(
            label="What it adds", value=gain, unit=Unit.RATIO,
            note=f"t-statistic of the difference; {NEEDED_T} would be clear",
            tone=Tone.GOOD if gain >= NEEDED_T else Tone.NEUTRAL,
        ),
        KeyFigure(
            label="Size", value=plan.mean_size, unit=Unit.FRACTION,
            note="mean share of the account that was invested",
        ),
    )  # fmt: skip


def _said(
    bars: DatasetRef,
    model: LoadedModel,
    forecasts: Forecasts,
    *,
    check: CalibrationCheck | None,
    limits: ServingLimits,
) -> tuple[Section, ...]:
    now = (forecast_section(forecasts, limits),) if forecasts.forecasts else ()
    believed = () if check is None else (calibration_section(check),)
    since = missed_sessions(model.bundle.known_until, forecasts.session, calendar=bars.calendar)
    return (*now, *believed, model_section(model, age_sessions=since))


def _summary(
    bars: DatasetRef,
    model: LoadedModel,
    forecasts: Forecasts,
    regime: RegimeAnalysis,
    tested: Sequence[Backtest],
    gain: float,
) -> tuple[tuple[str, str], ...]:
    ranked, confident, sized, equal = tested
    abstaining = sum(each.abstains for each in forecasts.forecasts)
    return (
        ("Model", str(model.version)),
        ("Data", f"{bars.source}/{Path(bars.feed).name}, {bars.adjustment} prices"),
        ("Out of sample", f"{ranked.sessions[0]} to {ranked.sessions[-1]}"),
        ("Best fifth, return a year", _yearly(ranked)),
        ("Only what is worth its costs", _yearly(confident)),
        ("All symbols, sized alike", _yearly(sized)),
        ("All symbols equally", _yearly(equal)),
        ("Holding", _held(ranked)),
        ("Sharpe ratio, net of costs", written(ranked.performance.sharpe_ratio, Unit.RATIO)),
        ("t-statistic of what it adds", "–" if math.isnan(gain) else f"{gain:.2f}"),
        ("Regime", regime.rule_regime.value.replace("_", " ")),
        ("Now", f"abstains from {abstaining} of {counted(len(forecasts.forecasts), 'symbol')}"),
        ("Verdict", verdict_sentence(ranked.verdict)),
    )
