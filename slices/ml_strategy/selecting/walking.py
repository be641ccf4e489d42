"""A classifier walked forward: trained on known outcomes, asked about later decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import InsufficientHistoryError
from slices.domain.learning_errors import LeakageError
from slices.domain.selection_parameters import DEFAULT_PERIODS, SelectionModel, SelectionPeriods
from slices.domain.strategy_selection import WalkedSelection
from slices.ml_strategy.selecting.classifiers import fitted

if TYPE_CHECKING:
    from slices.domain.strategy_selection import SelectionExamples
    from slices.quant.types import IntArray


def walk_selection(
    examples: SelectionExamples,
    kind: SelectionModel,
    *,
    periods: SelectionPeriods = DEFAULT_PERIODS,
    seed: int = 0,
) -> WalkedSelection:
    """Train again and again on the past, and say at each later decision which strategy is best.

    Args:
        examples: All decisions; their outcomes are used only where they were known.
        kind: Which classifier.
        periods: How many known periods the first training needs, and how often it is repeated.
        seed: Of the classifier.

    Raises:
        InsufficientHistoryError: Where no decision has enough known periods before it.
    """
    starts = fit_places(examples, periods)
    probabilities = np.full((examples.row.size, len(examples.strategies)), np.nan)
    trained = np.zeros(examples.row.size, dtype=np.int64)
    for start in starts:
        block = slice(start, start + periods.refit_periods)
        past = known_places(examples, start)
        check_purged(examples, past, start)
        ask = fitted(
            kind,
            examples.features[past],
            examples.best[past],
            classes=len(examples.strategies),
            seed=seed,
        )
        probabilities[block] = ask(examples.features[block])
        trained[block] = past.size
    return WalkedSelection(
        kind=kind,
        probabilities=probabilities,
        trained=trained,
        first=starts[0],
        fits=len(starts),
    )


def fit_places(examples: SelectionExamples, periods: SelectionPeriods) -> list[int]:
    """Return the positions of the decisions before which a classifier is trained.

    Raises:
        InsufficientHistoryError: Where there is none.
    """
    counts = [known_places(examples, each).size for each in range(examples.row.size)]
    enough = [place for place, count in enumerate(counts) if count >= periods.train_periods]
    if not enough:
        raise InsufficientHistoryError(
            symbol=f"{periods.train_periods} known periods",
            needed=int(examples.first_row + periods.train_periods * periods.decision_sessions),
            found=int(examples.row[-1]) + 1,
        )
    return list(range(enough[0], examples.row.size, periods.refit_periods))


def known_places(examples: SelectionExamples, place: int) -> IntArray:
    """Return the decisions whose outcome was known at the close of another one."""
    is_known = (examples.known <= examples.row[place]) & (examples.best >= 0)
    return np.flatnonzero(is_known)


def check_purged(examples: SelectionExamples, past: IntArray, place: int) -> None:
    """Check that nothing a classifier is trained on was still open at the decision it is asked at.

    Raises:
        LeakageError: Naming the decision and the first period that reaches beyond it.
    """
    late = past[examples.known[past] > examples.row[place]]
    if late.size:
        raise LeakageError(
            names=(f"the training before {examples.sessions[place]}",),
            problem=f"{late.size} periods were not over yet, such as that of "
            f"{examples.sessions[late[0]]}",
        )
