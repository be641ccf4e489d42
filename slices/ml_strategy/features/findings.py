"""What was found of features, as a whole: the answer in one sentence, the figures, the report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from slices.domain.data_report import data_caveats, data_notes, data_section
from slices.domain.errors import counted, listed
from slices.domain.feature_evidence import FALSE_DISCOVERIES, FeatureEngineering
from slices.domain.numbers import written
from slices.domain.report import KeyFigure, Note, Report, Tone, Unit
from slices.ml_strategy.features.charts import directed, ranking
from slices.ml_strategy.features.sections import (
    decay_section,
    definition_section,
    evidence_section,
    redundancy_section,
)
from slices.ml_strategy.features.wording import coefficient
from slices.ml_strategy.skill.suspicion import MOST_IC, MOST_T

if TYPE_CHECKING:
    from slices.domain.dataset import DatasetRef, LeftOut
    from slices.domain.feature_evidence import (
        FeatureEvidence,
        FeatureSelection,
        FeatureSkill,
        FeatureStudy,
    )
    from slices.domain.learning import FeatureSetRef
    from slices.ml_strategy.leaks.features import FeatureProof

CHANCE_T = 4.0
"""The largest of a hundred t-statistics is hardly ever beyond this by chance."""

SURVIVORS = (
    "Shares that collapsed and were delisted are missing from a list made today: features that "
    "tell winners from losers look better here than they were."
)


def feature_names(groups: tuple[FeatureSetRef, ...]) -> tuple[str, ...]:
    """Name the features of all groups, in order."""
    return tuple(name for group in groups for name in group.names)


def feature_findings(
    bars: DatasetRef,
    *,
    left_out: tuple[LeftOut, ...],
    features: FeatureSetRef,
    study: FeatureStudy,
    selection: FeatureSelection,
    proof: FeatureProof,
) -> FeatureEngineering:
    """Put what was found of features together and say what it means.

    Args:
        bars: That the features were built from.
        left_out: Symbols that could not be had.
        features: What was selected, stored.
        study: What every feature told.
        selection: Which stay.
        proof: That none of them knows the future.
    """
    caveats = (*(str(each) for each in left_out), *data_caveats(bars), *_suspicions(study))
    said = (*data_notes(bars), SURVIVORS, *_notes(study, selection))
    report = Report(
        key="ml-feature-engineering",
        title="Features",
        headline=_headline(bars, study, selection),
        figures=_figures(study, selection, proof),
        notes=(
            *(Note(text=each, tone=Tone.WARNING) for each in caveats),
            *(Note(text=each) for each in said),
        ),
        sections=(
            evidence_section(study, selection),
            decay_section(study, selection),
            redundancy_section(study, selection),
            definition_section(study, selection, proof.features),
            data_section(bars, rule="A window counts a symbol's own bars; nothing is filled."),
        ),
        chart="families",
        provenance=(),
    )
    return FeatureEngineering(
        headline=report.headline,
        caveats=caveats,
        summary=_summary(bars, features, study, selection, proof),
        notes=said,
        report=report,
        bars=bars,
        features=features,
        evidence=study.features,
        selection=selection,
        proven=proof.features,
        compared_values=proof.cells,
        proof_sessions=proof.cuts,
    )


def _headline(bars: DatasetRef, study: FeatureStudy, selection: FeatureSelection) -> str:
    ranked = ranking(study)
    strongest = f"The strongest, {_told(ranked[0])}. " if ranked else ""
    kept = f"{len(selection.names)} of {len(study.features)} features stay."
    return f"{_found(bars, study, selection)}. {strongest}{kept}"


def _found(bars: DatasetRef, study: FeatureStudy, selection: FeatureSelection) -> str:
    symbols = counted(len(bars.symbols), "symbol")
    returns = f"the {study.label.horizon_sessions}-session return up to {study.selection[1]}"
    if not selection.tested:
        return f"None of these features ranks {symbols}: each is the same for all of them"
    if not selection.significant:
        tested = f"None of {selection.tested} features that rank {symbols}"
        return f"{tested} told more of {returns} than chance might, all of them counted"
    rate = written(FALSE_DISCOVERIES, Unit.FRACTION)
    return (
        f"Of {selection.tested} features that rank {symbols}, {selection.significant} told "
        f"something of {returns}, at most {rate} of them by chance, and {selection.kept_sign} of "
        "these point the same way since"
    )


def _told(each: FeatureEvidence) -> str:
    chosen, later = each.chosen.information_coefficient, each.later.information_coefficient
    return (
        f"{each.name}, went from an information coefficient of {coefficient(chosen)} to "
        f"{coefficient(later)}"
    )


def _figures(
    study: FeatureStudy, selection: FeatureSelection, proof: FeatureProof
) -> tuple[KeyFigure, ...]:
    rate = written(FALSE_DISCOVERIES, Unit.FRACTION)
    before, after = _kept_means(study, selection)
    return (
        KeyFigure(
            label="Free of look-ahead", value=len(proof.features), unit=Unit.COUNT,
            note=f"features proven by {proof.cells:,} comparisons at {len(proof.cuts)} sessions",
        ),
        KeyFigure(
            label="Tell something", value=selection.significant, unit=Unit.COUNT,
            note=f"of {selection.tested} tested; at most {rate} of them by chance",
        ),
        KeyFigure(
            label="Coefficient after the selection", value=round(after, 4), unit=Unit.TEXT,
            note=f"mean over kept features, in their direction; {coefficient(before)} during it",
        ),
        KeyFigure(
            label="Kept", value=len(selection.names), unit=Unit.COUNT,
            note=f"one of each of {selection.clusters} groups of {len(study.features)} features",
        ),
    )  # fmt: skip


def _kept_means(study: FeatureStudy, selection: FeatureSelection) -> tuple[float, float]:
    """Average the coefficients of kept features, each in the direction of the selection."""
    kept = [each for each in ranking(study) if each.name in set(selection.names)]
    count = max(len(kept), 1)
    before = sum(directed(each, each.chosen.information_coefficient) for each in kept)
    after = sum(directed(each, each.later.information_coefficient) for each in kept)
    return before / count, after / count


def _suspicions(study: FeatureStudy) -> tuple[str, ...]:
    """Name features that tell more than daily bars can be believed to tell."""
    return tuple(
        f"SUSPECT: {each.name} has an information coefficient of "
        f"{coefficient(each.whole.information_coefficient)} (t {each.whole.t_statistic:.1f}); look "
        "for a leak before anything else"
        for each in study.features
        if _is_suspect(each.whole)
    )


def _is_suspect(skill: FeatureSkill) -> bool:
    """Tell whether a coefficient is beyond belief; on few sessions chance makes large ones."""
    size, t_statistic = abs(skill.information_coefficient), abs(skill.t_statistic)
    return t_statistic > MOST_T or (size > MOST_IC and t_statistic > CHANCE_T)


def _notes(study: FeatureStudy, selection: FeatureSelection) -> tuple[str, ...]:
    shared = sum(each.is_shared for each in study.features)
    notes = [
        f"Features are selected on {study.selection[0]} to {study.selection[1]}; what they tell "
        f"from {study.later[0]} on took no part in it.",
        "Coefficients during the selection and after it have, over the features, a rank "
        f"correlation of {written(selection.later_rank_correlation, Unit.RATIO)}.",
    ]
    if shared:
        notes.append(
            f"{counted(shared, 'feature')} of date and market say the same of all symbols: alone "
            "they rank nothing, and only a model that combines features can use them."
        )
    if study.left_out:
        notes.append(f"{counted(len(study.left_out), 'feature')} cannot be had of these bars.")
    return tuple(notes)


def _summary(
    bars: DatasetRef,
    features: FeatureSetRef,
    study: FeatureStudy,
    selection: FeatureSelection,
    proof: FeatureProof,
) -> tuple[tuple[str, str], ...]:
    before, after = _kept_means(study, selection)
    strongest = tuple(each.name for each in ranking(study) if each.name in set(selection.names))
    return (
        ("Symbols", listed(bars.symbols, most=6)),
        ("Data", f"{bars.source}/{Path(bars.feed).name}, {bars.adjustment} prices"),
        ("Features", f"{len(study.features)}, {len(selection.names)} kept"),
        ("Proven free of look-ahead", f"{len(proof.features)}, {proof.cells:,} comparisons"),
        ("Tell something", f"{selection.significant} of {selection.tested} tested"),
        ("Kept direction afterwards", f"{selection.kept_sign} of {selection.significant}"),
        ("Mean coefficient, selection", coefficient(before)),
        ("Mean coefficient, after it", coefficient(after)),
        ("Strongest", listed(strongest[:3])),
        ("Feature set", f"{features.fingerprint}, {features.rows:,} rows"),
    )
