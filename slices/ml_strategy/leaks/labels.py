"""Labels among the features: what says the same as the label is the label."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.ml_strategy.leaks.finding import FeatureLeak, check_leaks
from slices.ml_strategy.skill.coefficients import rank_correlations

if TYPE_CHECKING:
    from slices.ml_strategy.examples import Examples
    from slices.quant.types import IntArray

MOST_CORRELATION = 0.5
MOST_SESSIONS = 500
FEWEST_SESSIONS = 20


def check_examples(examples: Examples) -> None:
    """Check that no feature is the label, or a copy of it in other units.

    Raises:
        LeakageError: Naming the features that rank symbols as the label does.
    """
    check_leaks(label_copies(examples))


def label_copies(examples: Examples) -> tuple[FeatureLeak, ...]:
    """Find features whose ranks are those of the label, or the reverse, in most sessions.

    Up to 500 sessions, evenly over those whose labels are known, are compared; a feature is named
    where the mean rank correlation is beyond 0.5 either way. What is honestly known at a session
    reaches a tenth of that. With fewer than 20 sessions nothing is said.

    Args:
        examples: With at least two symbols in a session.
    """
    chosen = _sessions(examples)
    if chosen.size < FEWEST_SESSIONS:
        return ()
    some = examples.chosen(examples.rows_at(chosen))
    label, found = some.matrix(some.label)[chosen], []
    for place, name in enumerate(some.names):
        values = some.matrix(some.features[:, place].astype(np.float64))[chosen]
        correlations = rank_correlations(values, label)
        known = np.isfinite(correlations)
        if known.sum() < FEWEST_SESSIONS:
            continue
        mean = float(correlations[known].mean())
        if abs(mean) > MOST_CORRELATION:
            row = int(chosen[int(known.argmax())])
            found.append(_copy(examples, name, row, mean, sessions=int(known.sum())))
    return tuple(found)


def _copy(examples: Examples, name: str, row: int, mean: float, *, sessions: int) -> FeatureLeak:
    column = int(examples.column[examples.row == row][0])
    return FeatureLeak(
        name=name,
        session=examples.sessions[row],
        symbol=examples.symbols[column],
        detail=f"its rank correlation with the label is {mean:.2f} over {sessions:,} sessions, "
        f"at most {MOST_CORRELATION:g} can be known in advance",
    )


def _sessions(examples: Examples) -> IntArray:
    known = np.unique(examples.row[examples.is_known])
    places = np.linspace(0, max(known.size - 1, 0), min(known.size, MOST_SESSIONS))
    return known[places.astype(np.int64)]
