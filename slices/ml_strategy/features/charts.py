"""Charts of what features tell, as values."""

from __future__ import annotations

import math
from statistics import fmean
from typing import TYPE_CHECKING

from slices.domain.feature_evidence import DECAY_HORIZONS
from slices.domain.learning import FeatureFamily
from slices.domain.report import BarChart, Heatmap, LineChart, Series, Unit
from slices.ml_strategy.features.wording import FAMILY_NAMES

if TYPE_CHECKING:
    from slices.domain.feature_evidence import FeatureEvidence, FeatureSelection, FeatureStudy

MOST_CELLS = 24


def ranking(study: FeatureStudy) -> tuple[FeatureEvidence, ...]:
    """List the features that rank symbols, those first that told most during the selection."""
    known = [each for each in study.features if not math.isnan(each.chosen.icir)]
    return tuple(sorted(known, key=_size, reverse=True))


def directed(each: FeatureEvidence, value: float) -> float:
    """Count a coefficient in the direction the feature had during the selection."""
    return math.copysign(1.0, each.chosen.information_coefficient) * value


def family_chart(study: FeatureStudy) -> BarChart:
    """Draw what the features of each family told, during the selection and after it."""
    ranked = ranking(study)
    families = [each for each in FeatureFamily if any(r.family is each for r in ranked)]

    def means(*, later: bool) -> tuple[float, ...]:
        return tuple(round(_mean_of(ranked, family, later=later), 4) for family in families)

    return BarChart(
        key="families",
        title="Information coefficient by family",
        categories=tuple(FAMILY_NAMES[each] for each in families),
        groups=(("During the selection", means(later=False)), ("After it", means(later=True))),
        unit=Unit.TEXT,
        caption=(
            "Mean over the features of a family, each in the direction it had during the "
            "selection. The first is above 0 by that choice alone; what is left after it is not."
        ),
    )


def decay_chart(study: FeatureStudy, selection: FeatureSelection) -> LineChart:
    """Draw, for the strongest feature of each family, how its coefficient changes by horizon."""
    kept, seen = set(selection.names), set()
    strongest = []
    for each in ranking(study):
        if each.name in kept and each.family not in seen:
            seen.add(each.family)
            strongest.append(each)
    return LineChart(
        key="decay",
        title="Information coefficient by horizon",
        series=tuple(
            Series(
                name=each.name,
                x=tuple(float(horizon) for horizon in DECAY_HORIZONS),
                y=tuple(directed(each, value) for value in each.decay),
            )
            for each in strongest
        ),
        y_unit=Unit.RATIO,
        x_label="horizon, sessions",
        y_label="mean rank correlation",
        caption=(
            "The feature of each family that told most during the selection, over all sessions, in "
            "the direction it had then. Returns begin at the close of the entry."
        ),
    )


def redundancy_map(study: FeatureStudy, selection: FeatureSelection) -> Heatmap:
    """Draw how much the kept features still say the same."""
    kept = set(selection.names)
    strongest = [each.name for each in ranking(study) if each.name in kept][:MOST_CELLS]
    places = {each.name: place for place, each in enumerate(study.features)}
    rows = sorted(places[name] for name in strongest)
    return Heatmap(
        key="redundancy",
        title="Mean rank correlation of kept features",
        labels=tuple(study.features[row].name for row in rows),
        values=tuple(tuple(study.redundancy[row, rows].tolist()) for row in rows),
        low=-1.0,
        high=1.0,
        caption=(
            f"The {len(rows)} kept features that told most, compared within sessions up to "
            f"{study.selection[1]}. Beyond {selection.largest_redundancy:g}, either way, one would "
            "have stood for the other."
        ),
    )


def _mean_of(ranked: tuple[FeatureEvidence, ...], family: FeatureFamily, *, later: bool) -> float:
    spans = [(each, each.later if later else each.chosen) for each in ranked]
    return fmean(
        directed(each, span.information_coefficient)
        for each, span in spans
        if each.family is family
    )


def _size(each: FeatureEvidence) -> float:
    return abs(each.chosen.icir)
