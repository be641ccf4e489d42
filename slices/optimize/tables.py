"""Tables of a study, as values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.numbers import written
from slices.domain.report import Table, Unit
from slices.optimize.wording import parameters_text, value_text

if TYPE_CHECKING:
    from slices.domain.backtests import Backtest
    from slices.domain.portfolio import Performance
    from slices.domain.report import Cell
    from slices.domain.studies import (
        CombinatorialEvidence,
        Fold,
        OverfittingEvidence,
        SearchSurface,
        Trial,
    )

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def trial_table(surface: SearchSurface) -> Table:
    """List the trials with the best neighbourhoods, and the best one of all by itself."""
    names = tuple(name for name, _ in surface.best.parameters)
    rows = [("best by itself", surface.best)]
    rows += [(str(place), each) for place, each in enumerate(surface.top, start=1)]
    return Table(
        key="trials",
        title=f"The {len(surface.top)} trials with the best neighbourhoods",
        columns=(
            "Rank", *(name.replace("_", " ").capitalize() for name in names), "Smoothed Sharpe",
            "Sharpe", "Final account", "Trades", "Max drawdown", "On the plateau",
        ),
        units=(
            Unit.TEXT, *(Unit.TEXT for _ in names), Unit.RATIO, Unit.RATIO, Unit.MONEY,
            Unit.COUNT, Unit.FRACTION, Unit.TEXT,
        ),
        rows=tuple(_trial_row(rank, each) for rank, each in rows),
        caption="Whole period, with hindsight, net of costs. Sharpe ratios are annualized.",
    )  # fmt: skip


def _trial_row(rank: str, trial: Trial) -> tuple[Cell, ...]:
    return (
        rank,
        *(value_text(value) for _, value in trial.parameters),
        trial.smoothed_sharpe,
        trial.sharpe_ratio,
        trial.final_equity,
        trial.trades,
        trial.max_drawdown,
        "yes" if trial.in_plateau else "no",
    )


def comparison_table(backtests: tuple[Backtest, ...]) -> Table:
    """Compare the walk-forward with hindsight and with holding, over the same sessions."""
    first = backtests[0]
    return Table(
        key="out-of-sample",
        title="The same sessions compared",
        columns=(
            "", "Return a year", "Volatility", "Sharpe", "Max drawdown", "Turnover a year",
            "Trades", "Deflated for trials", "Probed for look-ahead", "Verdict",
        ),
        units=(
            Unit.TEXT, Unit.FRACTION, Unit.FRACTION, Unit.RATIO, Unit.FRACTION, Unit.FRACTION,
            Unit.COUNT, Unit.TEXT, Unit.TEXT, Unit.TEXT,
        ),
        rows=(
            *(_compared(each) for each in backtests),
            (first.benchmark, *_measures(first.benchmark_performance), math.nan, None, "", "", ""),
        ),
        caption=(
            f"{first.sessions[0]} to {first.sessions[-1]}, net of costs. All but the walk-forward "
            "and holding were picked by looking at these very sessions. Choosing was not probed "
            "for look-ahead; of the walk-forward the decisions were, with its choices as they "
            "are. What was picked with hindsight was not probed: its decisions would look clean."
        ),
        best=("", "high", "low", "high", "low", "low", "", "", "", ""),
    )  # fmt: skip


def _compared(tested: Backtest) -> tuple[Cell, ...]:
    return (
        tested.label,
        *_measures(tested.performance),
        tested.annual_turnover,
        len(tested.trades),
        f"{tested.verdict.trials:,}",
        "its decisions" if tested.verdict.probe.cuts else "no",
        tested.verdict.grade.value.upper(),
    )


def _measures(made: Performance) -> tuple[float, float, float, float]:
    return (
        made.annualized_return,
        made.annualized_volatility,
        made.sharpe_ratio,
        made.max_drawdown,
    )


def fold_table(folds: tuple[Fold, ...]) -> Table:
    """List what was chosen when, on what, and what became of it."""
    return Table(
        key="folds",
        title="What was chosen, and what it then earned",
        columns=(
            "Known from", "Chosen on", "Traded until", "Parameters", "Smoothed Sharpe known",
            "Sharpe after",
        ),
        units=(Unit.TEXT, Unit.TEXT, Unit.TEXT, Unit.TEXT, Unit.RATIO, Unit.RATIO),
        rows=tuple(
            (
                str(each.in_sample_first),
                str(each.decided),
                str(each.out_of_sample_last),
                parameters_text(each.parameters),
                each.in_sample_sharpe,
                each.out_of_sample_sharpe,
            )
            for each in folds
        ),
        caption=(
            "Chosen at that close by the best neighbourhood on the sessions known, traded from the "
            "next session on."
        ),
    )  # fmt: skip


def luck_table(evidence: OverfittingEvidence) -> Table:
    """Show what says whether the best trial is only the luckiest."""
    rows = (
        ("Trials made", float(evidence.trials), Unit.COUNT, "all of them count"),
        ("Sharpe ratio of the best trial", evidence.best_sharpe, Unit.RATIO, "with hindsight"),
        (
            "Best Sharpe ratio without any skill",
            evidence.expected_maximum_sharpe,
            Unit.RATIO,
            "what the luckiest of as many trials would show",
        ),
        (
            "Deflated Sharpe ratio",
            evidence.deflated_sharpe_ratio,
            Unit.FRACTION,
            "probability that the best trial is better than that; 95% is convincing",
        ),
        (
            "Probability of overfitting",
            evidence.probability_of_overfitting,
            Unit.FRACTION,
            f"not defined: {evidence.reason}"
            if evidence.reason
            else "the best on half of history is not above the median on the other half; "
            f"{evidence.splits:,} splits of {evidence.groups} blocks; 50% is chance",
        ),
        (
            "Probability of loss",
            evidence.probability_of_loss,
            Unit.FRACTION,
            "the best on half of history loses on the other half",
        ),
    )
    return Table(
        key="luck",
        title="How much of the best is luck",
        columns=("Evidence", "Value", "What it means"),
        units=(Unit.TEXT, Unit.TEXT, Unit.TEXT),
        rows=tuple((name, written(value, unit), meaning) for name, value, unit, meaning in rows),
        caption=(
            "Deflated: Bailey and Lopez de Prado (2014). Overfitting: Bailey, Borwein, Lopez de "
            "Prado, Zhu (2017)."
        ),
    )


def path_table(evidence: CombinatorialEvidence) -> Table:
    """Show how the Sharpe ratios of combinatorial cross-validation are distributed."""
    groups = (
        ("Paths through history", evidence.path_sharpes),
        ("Splits", evidence.split_sharpes),
    )
    return Table(
        key="cross-validation",
        title="Combinatorial purged cross-validation",
        columns=("", "Number", *(f"{each:.0%} quantile" for each in QUANTILES), "Below 0"),
        units=(
            Unit.TEXT, Unit.COUNT, *(Unit.RATIO for _ in QUANTILES), Unit.FRACTION,
        ),
        rows=tuple((name, *_spread(ratios)) for name, ratios in groups),
        caption=(
            f"{evidence.folds} folds, {evidence.test_folds} of them judging each choice, "
            f"{evidence.purged_sessions:,} sessions kept apart; a choice knew at least "
            f"{evidence.fewest_train_sessions:,} sessions. Changing parameters costs nothing here."
        ),
    )  # fmt: skip


def _spread(ratios: tuple[float, ...]) -> tuple[Cell, ...]:
    known = np.array([each for each in ratios if math.isfinite(each)])
    if not known.size:
        return (len(ratios), *(math.nan for _ in QUANTILES), math.nan)
    return (
        len(ratios),
        *(float(each) for each in np.quantile(known, QUANTILES)),
        float((known < 0).mean()),
    )
