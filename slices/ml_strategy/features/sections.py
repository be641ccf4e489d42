"""The parts of the report on features: what they tell, which say the same, what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.errors import counted
from slices.domain.feature_evidence import DECAY_HORIZONS, FALSE_DISCOVERIES
from slices.domain.numbers import written
from slices.domain.report import Section, Table, Unit
from slices.ml_strategy.features.charts import decay_chart, family_chart, ranking, redundancy_map
from slices.ml_strategy.features.wording import FAMILY_NAMES, coefficient

if TYPE_CHECKING:
    from slices.domain.feature_evidence import (
        FeatureEvidence,
        FeatureSelection,
        FeatureStanding,
        FeatureStudy,
    )

Standings = dict[str, "FeatureStanding"]


def evidence_section(study: FeatureStudy, selection: FeatureSelection) -> Section:
    """Show what every feature that ranks symbols tells, before and after the selection."""
    sessions = study.label.horizon_sessions
    return Section(
        title="What each feature tells, alone",
        intro=(
            f"Within each session, symbols are ranked by the feature and by their return over "
            f"{counted(sessions, 'session')}, which begins at the close "
            f"{counted(study.label.entry_lag_sessions, 'session')} later; the information "
            "coefficient is the mean correlation of these ranks. No costs, no model."
        ),
        blocks=(family_chart(study), evidence_table(study, selection)),
    )


def evidence_table(study: FeatureStudy, selection: FeatureSelection) -> Table:
    """List coefficients during the selection and after it."""
    standings = {each.name: each for each in selection.standings}
    rate = written(FALSE_DISCOVERIES, Unit.FRACTION)
    return Table(
        key="evidence",
        title="Information coefficients",
        columns=(
            "Feature", "Selection", "ICIR in it", "t in it", "After it", "t after it", "Passes",
            "Kept",
        ),
        units=(
            Unit.TEXT, Unit.TEXT, Unit.RATIO, Unit.RATIO, Unit.TEXT, Unit.RATIO, Unit.TEXT,
            Unit.TEXT,
        ),
        rows=tuple(_evidence_row(each, standings) for each in ranking(study)),
        caption=(
            "Sorted by the size of the annualized ICIR. It and the t-statistics count that labels "
            "of neighbouring sessions overlap. A feature passes where, all "
            f"{selection.tested} tests together, at most {rate} of those that pass are expected to "
            "tell nothing (Benjamini-Hochberg). Features that are the same for all symbols rank "
            "nothing and are not listed."
        ),
    )  # fmt: skip


def _evidence_row(each: FeatureEvidence, standings: Standings) -> tuple[str | float, ...]:
    standing = standings[each.name]
    return (
        each.name,
        coefficient(each.chosen.information_coefficient),
        each.chosen.icir,
        each.chosen.t_statistic,
        coefficient(each.later.information_coefficient),
        each.later.t_statistic,
        "yes" if standing.is_significant else "no",
        "yes" if standing.is_selected else "no",
    )


def decay_section(study: FeatureStudy, selection: FeatureSelection) -> Section:
    """Show for how long features tell something, and how fast their ranks change."""
    return Section(
        title="For how long, and at what turnover",
        intro=(
            "A feature whose ranks change faster than its coefficient fades must be traded often "
            "to be worth anything."
        ),
        blocks=(decay_chart(study, selection), decay_table(study)),
    )


def decay_table(study: FeatureStudy) -> Table:
    """List coefficients by horizon and turnover of the features that rank symbols."""
    horizon = study.label.horizon_sessions
    return Table(
        key="decay",
        title="Coefficients by horizon, and turnover of ranks",
        columns=(
            "Feature",
            *(f"Over {each}" for each in DECAY_HORIZONS),
            "t", "Turnover, 1", f"Turnover, {horizon}",
        ),
        units=(Unit.TEXT, *([Unit.TEXT] * len(DECAY_HORIZONS)), *([Unit.RATIO] * 3)),
        rows=tuple(
            (
                each.name,
                *(coefficient(value, decimals=3) for value in each.decay),
                each.whole.t_statistic,
                each.session_turnover,
                each.horizon_turnover,
            )
            for each in ranking(study)
        ),
        caption=(
            "All sessions: coefficients with returns over so many sessions, and the t-statistic of "
            f"that over {horizon}. Turnover is 1 less the mean rank correlation with the ranks so "
            "many sessions before: 0 never changes, 1 has forgotten."
        ),
    )  # fmt: skip


def redundancy_section(study: FeatureStudy, selection: FeatureSelection) -> Section:
    """Show which features say the same, and what stands for them."""
    limit = f"{selection.largest_redundancy:g}"
    return Section(
        title="Which say the same",
        intro=(
            f"Features whose ranks correlate by {limit} or more, every pair of a group, either "
            f"way, are one group: {selection.clusters} of {len(study.features)}. The one that told "
            "most during the selection stands for the others."
        ),
        blocks=(redundancy_map(study, selection), group_table(selection)),
    )


def group_table(selection: FeatureSelection) -> Table:
    """List the groups of more than one feature."""
    members: dict[str, list[str]] = {}
    for each in selection.standings:
        members.setdefault(each.represented_by, []).append(each.name)
    return Table(
        key="groups",
        title="Groups that say the same",
        columns=("Kept", "Stands for", "Features"),
        units=(Unit.TEXT, Unit.TEXT, Unit.COUNT),
        rows=tuple(
            (head, ", ".join(name for name in names if name != head), len(names))
            for head, names in members.items()
            if len(names) > 1
        ),
    )


def definition_section(
    study: FeatureStudy, selection: FeatureSelection, proven: tuple[str, ...]
) -> Section:
    """Say what every feature is, and what became of it."""
    return Section(
        title="What they are",
        intro=(
            "c close, o open, h high, l low, v volume, r = c / c[-1] − 1, m the mean of r over "
            "symbols; [-n] is n bars before; mean, dev, sum, max and min run over the window in "
            "the name."
        ),
        blocks=(
            definition_table(study),
            standing_table(study, selection, proven),
            *((left_out_table(study),) if study.left_out else ()),
        ),
    )


def definition_table(study: FeatureStudy) -> Table:
    """List every feature with its formula."""
    return Table(
        key="features",
        title="Features",
        columns=("Feature", "What", "Formula"),
        units=(Unit.TEXT, Unit.TEXT, Unit.TEXT),
        rows=tuple((each.name, each.title, each.formula) for each in study.features),
    )


def standing_table(
    study: FeatureStudy, selection: FeatureSelection, proven: tuple[str, ...]
) -> Table:
    """List every feature with its proof and whether it stays."""
    standings = {each.name: each for each in selection.standings}
    return Table(
        key="standings",
        title="What became of them",
        columns=("Feature", "Family", "Bars", "Known", "Look-ahead", "Kept"),
        units=(Unit.TEXT, Unit.TEXT, Unit.COUNT, Unit.FRACTION, Unit.TEXT, Unit.TEXT),
        rows=tuple(
            (
                each.name,
                FAMILY_NAMES[each.family],
                each.lookback_sessions,
                each.known_share,
                "proven to have none" if each.name in proven else "not proven",
                standings[each.name].reason or "yes",
            )
            for each in study.features
        ),
        caption=(
            "Bars are those a feature needs until it is known, the session's own among them; known "
            "is the share of all bars. Proven is what does not change where later bars are cut off "
            "or replaced."
        ),
    )


def left_out_table(study: FeatureStudy) -> Table:
    """List the features these bars cannot give."""
    return Table(
        key="left-out",
        title="Not given by these bars",
        columns=("Feature", "Reason"),
        units=(Unit.TEXT, Unit.TEXT),
        rows=study.left_out,
    )
