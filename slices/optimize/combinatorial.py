"""Combinatorial purged cross-validation of the choice among trials.

History is cut into folds; for every pair of them the choice is made on the others and judged on the
pair, so that every fold is judged several times and the judged folds line up to several paths
through history. Around what judges, as many sessions as the longest lookback are kept from the
choice: signals there look at the same bars.

References:
    Lopez de Prado (2018), Advances in Financial Machine Learning, chapters 7 and 12.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.studies import CombinatorialEvidence
from slices.optimize.lattice import lattice_of
from slices.optimize.trials import Trials, scores
from slices.quant.simulation.sweeps import block_sharpe_ratios

if TYPE_CHECKING:
    from skfolio.model_selection import CombinatorialPurgedCV

    from slices.quant.types import IntArray

MOST_FOLDS = 10
FEWEST_FOLDS = 4
TEST_FOLDS = 2


def combinatorial_evidence(trials: Trials) -> CombinatorialEvidence:
    """Judge choices on folds of history they did not know.

    Args:
        trials: Of points that were set before any was scored.

    Returns:
        Ratios of the chosen trials' own returns: a change of parameters costs nothing here. Where
        the folds would not be longer than the purge, nothing but the reason.
    """
    blocks = trials.sweep.block_lengths.size
    purged = math.ceil(trials.plan.lookback_sessions / trials.plan.block_sessions)
    folds = min(MOST_FOLDS, blocks // (purged + 2))
    if folds < FEWEST_FOLDS:
        return _nothing(trials, purged)
    from skfolio.model_selection import CombinatorialPurgedCV

    splitter = CombinatorialPurgedCV(
        n_folds=folds, n_test_folds=TEST_FOLDS, purged_size=purged, embargo_size=0
    )
    return _judged(trials, splitter, folds=folds, purged=purged)


def _judged(
    trials: Trials, splitter: CombinatorialPurgedCV, *, folds: int, purged: int
) -> CombinatorialEvidence:
    lattice = lattice_of(trials.plan, trials.points)
    paths: dict[int, list[tuple[int, IntArray]]] = {}
    ratios, shortest = [], trials.sweep.block_lengths.size
    splits = splitter.split(np.zeros((trials.sweep.block_lengths.size, 1)))
    for (train, tests), places in zip(splits, splitter.get_path_ids(), strict=True):
        chosen = lattice.best_trial(scores(trials, train))
        shortest = min(shortest, train.size)
        if chosen is None:
            continue
        ratios.append(_ratio(trials, [(chosen, np.concatenate(tests))]))
        for path, test in zip(places.tolist(), tests, strict=True):
            paths.setdefault(path, []).append((chosen, test))
    return CombinatorialEvidence(
        folds=folds,
        test_folds=TEST_FOLDS,
        purged_sessions=purged * trials.plan.block_sessions,
        fewest_train_sessions=shortest * trials.plan.block_sessions,
        path_sharpes=tuple(_ratio(trials, paths[path]) for path in sorted(paths)),
        split_sharpes=tuple(ratios),
    )


def _ratio(trials: Trials, parts: list[tuple[int, IntArray]]) -> float:
    """Return the annualized Sharpe ratio of some trials on some blocks each, put together."""
    found = trials.sweep
    per_session = block_sharpe_ratios(
        np.concatenate([found.block_sums[trial, blocks] for trial, blocks in parts])[None],
        np.concatenate([found.block_squares[trial, blocks] for trial, blocks in parts])[None],
        np.concatenate([found.block_lengths[blocks] for _, blocks in parts]),
    )
    return float(per_session[0]) * math.sqrt(found.periods_per_year)


def _nothing(trials: Trials, purged: int) -> CombinatorialEvidence:
    length = trials.plan.block_sessions
    return CombinatorialEvidence(
        folds=0,
        test_folds=0,
        purged_sessions=purged * length,
        fewest_train_sessions=0,
        path_sharpes=(),
        split_sharpes=(),
        reason=(
            f"{int(trials.sweep.block_lengths.sum()):,} sessions cannot be cut into "
            f"{FEWEST_FOLDS} folds longer than the {purged * length} sessions that the longest "
            f"lookback keeps apart; {FEWEST_FOLDS * (purged + 2) * length:,} could"
        ),
    )
