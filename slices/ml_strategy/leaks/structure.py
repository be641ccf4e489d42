"""Splits whose training knows what is tested, found by the intervals of labels alone.

A missing purge does not show in the results, so it is looked for where it is: the label of a
training example rests on the closes after its session up to the exit; no example that is tested may
be decided, or have its own label, on any of these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import counted
from slices.domain.learning_errors import LeakageError
from slices.ml_strategy.splits.walk_forward import rows_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from slices.domain.learning import Fold
    from slices.ml_strategy.examples import Examples
    from slices.quant.types import BoolArray, IntArray


def check_folds(examples: Examples, folds: Iterable[Fold]) -> None:
    """Check that no training label touches what is tested, in any of the folds.

    Raises:
        LeakageError: Naming the first fold where one does, the session and by how many examples.
    """
    for fold in folds:
        train, test = rows_of(examples, fold)
        check_rows(examples, train, test, name=f"fold {fold.number}")


def check_rows(examples: Examples, train: IntArray, test: IntArray, *, name: str) -> None:
    """Check that no label of some examples touches others that are tested.

    Args:
        examples: That are split.
        train: Positions of the examples to train on.
        test: Positions of those to test.
        name: Of the split, for the message.

    Raises:
        LeakageError: Naming the split, the first session and how many examples.
    """
    touching = train[overlaps(examples, train, test)]
    if touching.size:
        session = examples.sessions[int(examples.row[touching[0]])]
        raise LeakageError(
            names=(name,),
            problem=f"the labels of {counted(touching.size, 'training example')}, the first of "
            f"{session}, rest on sessions that are tested",
        )


def overlaps(examples: Examples, train: IntArray, test: IntArray) -> BoolArray:
    """Mark the training examples whose label touches a test's session or the interval of its label.

    Args:
        examples: That are split; intervals may differ in length.
        train: Positions of the examples to train on.
        test: Positions of those to test.

    Returns:
        One mark for each of `train`.
    """
    if not train.size or not test.size:
        return np.zeros(train.size, dtype=np.bool_)
    tested = _covered(examples.row[test], examples.last[test], span=int(examples.last.max()) + 2)
    before = np.concatenate(([0], np.cumsum(tested)))
    # Of the interval [row + 1, last], both ends included.
    held = before[examples.last[train] + 1] - before[examples.row[train] + 1]
    return np.asarray(held > 0, dtype=np.bool_)


def _covered(starts: IntArray, stops: IntArray, *, span: int) -> BoolArray:
    """Mark the positions within any of the intervals, both ends included."""
    steps = np.zeros(span + 1, dtype=np.int64)
    np.add.at(steps, starts, 1)
    np.add.at(steps, stops + 1, -1)
    return np.asarray(np.cumsum(steps)[:span] > 0, dtype=np.bool_)
