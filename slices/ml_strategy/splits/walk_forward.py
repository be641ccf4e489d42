"""Walk-forward: each block of sessions is tested by a model of the sessions before it.

Splits are made on unique sessions and lifted to the rows of all symbols. One that counts rows of
a stacked panel parts a session between training and testing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import InsufficientHistoryError
from slices.domain.learning import Fold
from slices.ml_strategy.examples import Examples

if TYPE_CHECKING:
    from slices.domain.learning import LabelSettings, SplitSettings
    from slices.quant.types import IntArray


def walk_forward_folds(
    sessions: int | Examples, splits: SplitSettings, *, label: LabelSettings, first: int = 0
) -> tuple[Fold, ...]:
    """Part sessions into test blocks of equal length, each with the sessions to train on before it.

    A session is trained on where its label is known before the block begins (the purge), and the
    embargo before that stays out as well. The test blocks cover everything from the first of them
    to the end, and differ by one session in length at most.

    Args:
        sessions: How many there are, or examples of them.
        splits: Number of blocks, and what is trained on.
        label: How far a label reaches.
        first: Position of the first session that is used.

    Raises:
        InsufficientHistoryError: Where a block would be shorter than a label's reach, or nothing
            would be left to train on.

    >>> from slices.domain.learning import LabelSettings, SplitSettings
    >>> splits = SplitSettings(folds=2, first_train_sessions=120)
    >>> one, two = walk_forward_folds(140, splits, label=LabelSettings())
    >>> one.test.tolist(), int(one.train[-1]), one.purged, one.embargoed
    ([120, 121, 122, 123, 124, 125, 126, 127, 128, 129], 108, 6, 5)
    """
    count = len(sessions.sessions) if isinstance(sessions, Examples) else sessions
    start = first + splits.first_train_sessions
    _check_history(count - first, splits, label)
    blocks = np.array_split(np.arange(start, count, dtype=np.int64), splits.folds)
    return tuple(
        _fold(number, block, splits, label=label, first=first)
        for number, block in enumerate(blocks, start=1)
    )


def rows_of(examples: Examples, fold: Fold) -> tuple[IntArray, IntArray]:
    """Lift a fold from sessions to examples.

    Returns:
        Positions of the examples to train on, whose labels are all known, and of those to test,
        which are scored even where the label is not known yet.
    """
    train = examples.rows_at(fold.train)
    return train[examples.is_known[train]], examples.rows_at(fold.test)


def _fold(
    number: int, block: IntArray, splits: SplitSettings, *, label: LabelSettings, first: int
) -> Fold:
    known = int(block[0]) - label.reach
    stop = max(known - splits.embargo_sessions, first)
    begin = first if splits.train_sessions is None else max(first, stop - splits.train_sessions)
    return Fold(
        number=number,
        train=np.arange(begin, stop, dtype=np.int64),
        test=block,
        purged=min(label.reach, int(block[0]) - first),
        embargoed=max(known - stop, 0),
    )


def _check_history(found: int, splits: SplitSettings, label: LabelSettings) -> None:
    needed = splits.first_train_sessions + splits.folds * label.reach
    kept_out = label.reach + splits.embargo_sessions
    if splits.first_train_sessions <= kept_out:
        raise InsufficientHistoryError(
            symbol="the first training", needed=kept_out + 1, found=splits.first_train_sessions
        )
    if found < needed:
        raise InsufficientHistoryError(
            symbol=f"walk-forward in {splits.folds} blocks", needed=needed, found=found
        )
