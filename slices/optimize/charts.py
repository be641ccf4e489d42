"""Charts of a study, as values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.report import BarChart, Heatmap, LineChart, Series, Unit

if TYPE_CHECKING:
    from slices.domain.backtests import Backtest
    from slices.domain.studies import CombinatorialEvidence, ParameterMap, StudySettings

BIN = 0.25
MOST_BINS = 24


def map_chart(shown: ParameterMap, settings: StudySettings) -> Heatmap:
    """Draw smoothed Sharpe ratios over two parameters, with the plateau outlined."""
    known = [each for row in shown.values for each in row if math.isfinite(each)]
    others = len(settings.dimensions) > 2
    return Heatmap(
        key="parameter-map",
        title="Sharpe ratio of each neighbourhood of parameters",
        labels=shown.row_labels,
        column_labels=shown.column_labels,
        values=shown.values,
        low=min(known, default=0.0),
        high=max(known, default=1.0),
        marked=shown.marked,
        row_title=shown.row_title,
        column_title=shown.column_title,
        caption=(
            "Every trial averaged with its neighbours, over the whole period and net of costs"
            f"{'; averaged over all other parameters' if others else ''}. "
            f"{'Outlined: the plateau.' if shown.marked else 'There is no plateau.'} "
            "Places without a colour were not tried; one with fewer than half of its neighbours "
            "tried is never chosen."
        ),
    )


def equity_chart(backtests: tuple[Backtest, ...]) -> LineChart:
    """Draw the walk-forward against hindsight and holding."""
    first = backtests[0]
    lines = [Series(name=each.label, x=each.sessions, y=each.equity) for each in backtests]
    lines.append(Series(name=first.benchmark, x=first.sessions, y=first.benchmark_equity))
    return LineChart(
        key="equity",
        title="Account value out of sample",
        series=tuple(lines),
        y_unit=Unit.MONEY,
        y_label="account value",
        caption=(
            "Net of costs, logarithmic scale. Only the walk-forward could have been had: its "
            "parameters were chosen on sessions before those they traded."
        ),
        log_scale=True,
    )


def split_chart(evidence: CombinatorialEvidence) -> BarChart:
    """Draw how the Sharpe ratios out of sample of all splits are distributed."""
    ratios = np.array([each for each in evidence.split_sharpes if math.isfinite(each)])
    low = math.floor(ratios.min(initial=0.0) / BIN)
    high = max(low + 1, math.ceil(ratios.max(initial=0.0) / BIN))
    step = BIN * math.ceil((high - low) / MOST_BINS)
    edges = np.arange(low * BIN, high * BIN + step, step)
    counts, _ = np.histogram(ratios, edges)
    return BarChart(
        key="split-sharpes",
        title="Sharpe ratios on folds the choice did not know",
        categories=tuple(f"{each:+.2f}" for each in edges[:-1]),
        groups=(("Splits", tuple(float(each) for each in counts)),),
        unit=Unit.COUNT,
        caption=f"Each bar counts splits from its label up, {step:g} wide.",
    )
