"""A study as a whole: its answer, its figures and its report."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from slices.domain.data_report import data_caveats, data_notes, data_section
from slices.domain.numbers import written
from slices.domain.report import KeyFigure, Note, Report, Section, Tone, Unit
from slices.domain.studies import Optimization, SearchMethod, StudySettings
from slices.domain.verdict_report import verdict_figure, verdict_section
from slices.optimize.charts import equity_chart, map_chart, split_chart
from slices.optimize.space import value_at
from slices.optimize.tables import (
    comparison_table,
    fold_table,
    luck_table,
    path_table,
    trial_table,
)
from slices.optimize.walk_forward import RECOMMENDED
from slices.optimize.wording import (
    dimensions_text,
    headline,
    parameters_text,
    plateau_text,
    study_notes,
    validation_text,
)
from slices.quant.signals.catalogue import strategy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slices.domain.backtests import Backtest
    from slices.domain.dataset import DatasetRef
    from slices.domain.report import Block
    from slices.domain.studies import (
        CombinatorialEvidence,
        Fold,
        OverfittingEvidence,
        SearchSurface,
    )
    from slices.optimize.trials import Trials

EMPTY = Report(
    key="optimization", title="Which parameters, and is it luck?", headline="", figures=(),
    notes=(), sections=(), chart="parameter-map", provenance=(),
)  # fmt: skip


def optimization_findings(
    bars: DatasetRef,
    *,
    trials: Trials,
    validation: Trials,
    surface: SearchSurface,
    folds: tuple[Fold, ...],
    combinatorial: CombinatorialEvidence,
    overfitting: OverfittingEvidence,
    backtests: Sequence[Backtest],
) -> Optimization:
    """Put the parts of a study together and say what they mean.

    Args:
        bars: The data.
        trials: Everything searched.
        validation: The trials that the choices of the validation were made among.
        surface: What the trials look like together.
        folds: The choices of the walk-forward.
        combinatorial: Choices judged on folds they did not know.
        overfitting: How likely the best is only the luckiest.
        backtests: Of what `candidates` returned, in its order.
    """
    walked, hindsight, *rest = backtests
    study = Optimization(
        headline="",
        caveats=data_caveats(bars),
        summary=(),
        report=EMPTY,
        bars=bars,
        settings=study_settings(trials, validation),
        surface=surface,
        folds=folds,
        combinatorial=combinatorial,
        overfitting=overfitting,
        walk_forward=walked,
        hindsight=hindsight,
        recommended=next((each for each in rest if each.label == RECOMMENDED), None),
    )
    said = (*data_notes(bars), *study_notes(study))
    return dataclasses.replace(
        study,
        headline=headline(study),
        summary=_summary(study),
        notes=said,
        report=dataclasses.replace(
            EMPTY,
            headline=headline(study),
            figures=_figures(study),
            notes=_notes(study, said),
            sections=_sections(study),
        ),
    )


def study_settings(trials: Trials, validation: Trials) -> StudySettings:
    """Say what was searched, and how, and what validated it."""
    plan = trials.plan
    varied = []
    for place, each in enumerate(plan.space.dimensions):
        values = trials.points[:, place]
        low, high = value_at(each, float(values.min())), value_at(each, float(values.max()))
        varied.append((each.name, low, high, len(set(values.tolist()))))
    return StudySettings(
        key=plan.key,
        strategy=plan.space.strategy,
        title=strategy(plan.space.strategy).title,
        method=plan.method,
        dimensions=tuple(varied),
        fixed=plan.space.fixed,
        asked=plan.asked,
        trials=len(trials.points),
        validation_trials=len(validation.points),
        validation_method=(SearchMethod.RANDOM if plan.method is SearchMethod.TPE else plan.method),
        seed=plan.seed,
        first_session=trials.first_session,
        last_session=trials.last_session,
        lookback_sessions=plan.lookback_sessions,
        block_sessions=plan.block_sessions,
        capital=plan.capital,
    )


def _backtests(study: Optimization) -> tuple[Backtest, ...]:
    known = (study.walk_forward, study.recommended, study.hindsight)
    return tuple(each for each in known if each is not None)


def _notes(study: Optimization, said: tuple[str, ...]) -> tuple[Note, ...]:
    tone = Tone.GOOD if study.surface.plateau.centre else Tone.BAD
    return (
        Note(text=plateau_text(study.surface.plateau), tone=tone),
        *(Note(text=each, tone=Tone.WARNING) for each in study.caveats),
        *(Note(text=each) for each in said),
    )


def _figures(study: Optimization) -> tuple[KeyFigure, ...]:
    walked, luck = study.walk_forward, study.overfitting
    holding = written(walked.benchmark_performance.sharpe_ratio, Unit.RATIO)
    hindsight = written(study.hindsight.performance.sharpe_ratio, Unit.RATIO)
    blocks = f"{luck.splits:,} splits of history; chance is 50%"
    odds = f"not defined: {luck.reason}" if luck.reason else blocks
    return (
        KeyFigure(
            label="Sharpe out of sample", value=walked.performance.sharpe_ratio, unit=Unit.RATIO,
            note=f"walk-forward; holding {holding}, best in hindsight {hindsight}",
        ),
        KeyFigure(
            label="Return a year out of sample", value=walked.performance.annualized_return,
            unit=Unit.FRACTION, note="walk-forward, net of costs",
        ),
        KeyFigure(
            label="Probability of overfitting", value=luck.probability_of_overfitting,
            unit=Unit.FRACTION, note=odds,
        ),
        KeyFigure(
            label="Deflated Sharpe ratio", value=luck.deflated_sharpe_ratio, unit=Unit.FRACTION,
            note=f"probability that the best of {luck.trials:,} trials is beyond luck",
        ),
        verdict_figure(walked.verdict),
    )  # fmt: skip


def _sections(study: Optimization) -> tuple[Section, ...]:
    verdict = verdict_section(study.walk_forward.verdict)
    return (
        _tried(study),
        _out_of_sample(study),
        _luck(study),
        dataclasses.replace(verdict, title="May the walk-forward be believed?"),
        data_section(study.bars),
    )


def _tried(study: Optimization) -> Section:
    return Section(
        title="What was tried",
        intro=(
            f"{study.settings.title}: {dimensions_text(study.settings)}. A single best trial is "
            "often luck; what is as good as its neighbours is less so. Each trial is therefore "
            "averaged with its neighbours, and what is recommended is the middle of the region "
            "where these averages are highest."
        ),
        blocks=(
            map_chart(study.surface.map, study.settings),
            trial_table(study.surface),
        ),
    )


def _out_of_sample(study: Optimization) -> Section:
    backtests = _backtests(study)
    return Section(
        title="Out of sample",
        intro=(
            f"Parameters were chosen {len(study.folds)} times, each time on past sessions alone "
            f"and among {validation_text(study.settings)}, and "
            "traded on the sessions after; all of it is one account, so changing parameters "
            "is paid for."
        ),
        blocks=(equity_chart(backtests), comparison_table(backtests), fold_table(study.folds)),
    )


def _luck(study: Optimization) -> Section:
    folds = study.combinatorial
    judged: tuple[Block, ...] = (
        (Note(text=f"No combinatorial cross-validation: {folds.reason}.", tone=Tone.WARNING),)
        if folds.reason
        else (path_table(folds), split_chart(folds))
    )
    return Section(title="Is it luck?", blocks=(luck_table(study.overfitting), *judged))


def _summary(study: Optimization) -> tuple[tuple[str, str], ...]:
    settings, walked, luck = study.settings, study.walk_forward, study.overfitting
    centre = study.surface.plateau.centre
    return (
        ("Strategy", f"{settings.title} ({settings.strategy.value})"),
        ("Tried", f"{settings.trials:,} trials, {dimensions_text(settings)}"),
        (
            "Recommended",
            parameters_text(centre.parameters)
            if centre
            else f"nothing: {study.surface.plateau.reason}",
        ),
        ("Best in hindsight", parameters_text(study.surface.best.parameters)),
        ("Out of sample", f"{walked.sessions[0]} to {walked.sessions[-1]}"),
        ("Sharpe ratio out of sample", written(walked.performance.sharpe_ratio, Unit.RATIO)),
        ("Sharpe ratio of holding", written(walked.benchmark_performance.sharpe_ratio, Unit.RATIO)),
        ("Validated among", validation_text(settings)),
        (
            "Probability of overfitting",
            f"not defined: {luck.reason}"
            if luck.reason
            else written(luck.probability_of_overfitting, Unit.FRACTION),
        ),
        ("Deflated Sharpe ratio", written(luck.deflated_sharpe_ratio, Unit.FRACTION)),
        ("Verdict on the walk-forward", walked.verdict.grade.value.upper()),
    )
