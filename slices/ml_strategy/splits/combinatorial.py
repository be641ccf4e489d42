"""Combinatorial purged cross-validation: every group of blocks is tested by a model of the others.

Sessions are cut into blocks; each choice of some of them is one fold, so that every block is tested
several times and the tested blocks line up to several paths through history.

References:
    Lopez de Prado (2018), Advances in Financial Machine Learning, chapters 7 and 12.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import InsufficientHistoryError, ParameterError
from slices.domain.learning import Fold
from slices.ml_strategy.examples import Examples

if TYPE_CHECKING:
    from skfolio.model_selection import CombinatorialPurgedCV

    from slices.domain.learning import LabelSettings, SplitSettings
    from slices.quant.types import IntArray

TEST_BLOCKS = 2


def combinatorial_folds(
    sessions: int | Examples,
    splits: SplitSettings,
    *,
    label: LabelSettings,
    test_blocks: int = TEST_BLOCKS,
    first: int = 0,
) -> tuple[Fold, ...]:
    """Test every choice of blocks on a model of the others, before as well as after them.

    Left out of training are the sessions before a tested block whose labels reach into it, those
    after it that its own labels reach to, and the embargo after these.

    Args:
        sessions: How many there are, or examples of them.
        splits: `folds` is the number of blocks; the sizes of trainings are not used here.
        label: How far a label reaches.
        test_blocks: Blocks that are tested together, 2 or more.
        first: Position of the first session that is used.

    Raises:
        InsufficientHistoryError: Where a block would not be longer than what is left out.
        ParameterError: Where fewer than two blocks are tested, or none is left to train on.

    >>> from slices.domain.learning import LabelSettings, SplitSettings
    >>> folds = combinatorial_folds(400, SplitSettings(folds=4), label=LabelSettings())
    >>> len(folds), folds[0].test.size, folds[0].train.tolist()[:1]
    (6, 200, [211])
    """
    count = len(sessions.sessions) if isinstance(sessions, Examples) else sessions
    used = np.arange(first, count, dtype=np.int64)
    splitter = _splitter(used.size, splits, label, test_blocks)
    parts = enumerate(splitter.split(np.zeros((used.size, 1))), start=1)
    return tuple(
        _fold(number, used[train], used[np.sort(np.concatenate(tests))], label=label, used=used)
        for number, (train, tests) in parts
    )


def combinatorial_paths(splits: SplitSettings, *, test_blocks: int = TEST_BLOCKS) -> IntArray:
    """Say which path through history each tested block of each fold belongs to.

    Returns:
        Folds x `test_blocks` numbers from 0; the blocks of a fold in their order in time.

    >>> from slices.domain.learning import SplitSettings
    >>> combinatorial_paths(SplitSettings(folds=3)).tolist()
    [[0, 0], [1, 0], [1, 1]]
    """
    paths = _made(splits, test_blocks, purged=0, embargoed=0).get_path_ids()
    return np.asarray(paths, dtype=np.int64)


def block_numbers(count: int, splits: SplitSettings) -> IntArray:
    """Say which block each of so many sessions is in, from 0; the last takes what is left over.

    >>> from slices.domain.learning import SplitSettings
    >>> block_numbers(8, SplitSettings(folds=3)).tolist()
    [0, 0, 1, 1, 2, 2, 2, 2]
    """
    places = np.arange(count, dtype=np.int64)
    return np.minimum(places // max(1, count // splits.folds), splits.folds - 1)


def _splitter(
    count: int, splits: SplitSettings, label: LabelSettings, test_blocks: int
) -> CombinatorialPurgedCV:
    shortest = label.reach + splits.embargo_sessions + 2
    if count // splits.folds < shortest:
        raise InsufficientHistoryError(
            symbol=f"{splits.folds} blocks", needed=splits.folds * shortest, found=count
        )
    return _made(splits, test_blocks, purged=label.reach, embargoed=splits.embargo_sessions)


def _made(
    splits: SplitSettings, test_blocks: int, *, purged: int, embargoed: int
) -> CombinatorialPurgedCV:
    if not TEST_BLOCKS <= test_blocks < splits.folds:
        raise ParameterError(
            parameter="test_blocks",
            found=f"{test_blocks} of {splits.folds} blocks",
            allowed="at least 2, and fewer than there are blocks",
        )
    from skfolio.model_selection import CombinatorialPurgedCV

    return CombinatorialPurgedCV(
        n_folds=splits.folds, n_test_folds=test_blocks, purged_size=purged, embargo_size=embargoed
    )


def _fold(
    number: int, train: IntArray, test: IntArray, *, label: LabelSettings, used: IntArray
) -> Fold:
    """Count what was left out: purged where labels meet, embargoed otherwise."""
    left = np.setdiff1d(used, np.union1d(train, test))
    # A label's interval begins after its session; a test's own session counts as well.
    reaches = np.searchsorted(test, left + label.reach, side="right")
    begins = np.searchsorted(test, left + 1 - label.reach, side="left")
    meets = int((reaches > begins).sum())
    return Fold(
        number=number,
        train=np.asarray(train, dtype=np.int64),
        test=np.asarray(test, dtype=np.int64),
        purged=meets,
        embargoed=left.size - meets,
    )
