"""Two models on the same sessions, and one model now and before."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.learning import OutOfSampleScores
from slices.ml_strategy.monitoring.since import scores_since
from slices.ml_strategy.skill.coefficients import (
    long_run_deviation,
    newey_west_t,
    rank_correlations,
    session_ics,
)

if TYPE_CHECKING:
    import datetime as dt

    from slices.domain.models import LoadedModel
    from slices.ml_strategy.examples import Examples
    from slices.quant.types import FloatArray


def champion_scores(champion: LoadedModel, examples: Examples | None) -> OutOfSampleScores:
    """Put together what a champion said where it had not learnt.

    Args:
        champion: With the scores of its own validation.
        examples: Of its features and universe, until now; None where there are none, and then the
            scores of its validation are all there are.

    Returns:
        Scores of its validation, then of the sessions after the last bars it was trained on.
    """
    stored = champion.bundle.out_of_sample
    if examples is None:
        return stored
    return joined(stored, scores_since(champion.bundle, examples))


def joined(before: OutOfSampleScores, after: OutOfSampleScores) -> OutOfSampleScores:
    """Put scores of later sessions behind others, in the order of the earlier ones' symbols."""
    order = [after.symbols.index(each) for each in before.symbols]
    first = sum(each <= before.sessions[-1] for each in after.sessions) if before.sessions else 0

    def stacked(one: FloatArray, other: FloatArray) -> FloatArray:
        return np.vstack((one, other[first:, order]))

    return OutOfSampleScores(
        kind=before.kind,
        symbols=before.symbols,
        sessions=before.sessions + after.sessions[first:],
        scores=stacked(before.scores, after.scores),
        labels=stacked(before.labels, after.labels),
        forward_returns=stacked(before.forward_returns, after.forward_returns),
        volatilities=stacked(before.volatilities, after.volatilities),
        folds=np.concatenate((before.folds, after.folds[first:])),
    )


def paired_coefficients(
    one: OutOfSampleScores, other: OutOfSampleScores
) -> tuple[FloatArray, FloatArray]:
    """Correlate two models' scores with the same outcomes, at sessions and symbols both scored.

    Returns:
        C information coefficients of each, over the common sessions with one of both.
    """
    symbols = [each for each in one.symbols if each in other.symbols]
    sessions = sorted(set(one.sessions) & set(other.sessions))
    scores, returns = (
        _at(one, one.scores, sessions, symbols),
        _at(one, one.forward_returns, sessions, symbols),
    )
    rival = _at(other, other.scores, sessions, symbols)
    returns = np.where(np.isfinite(scores) & np.isfinite(rival), returns, np.nan)
    first, second = rank_correlations(scores, returns), rank_correlations(rival, returns)
    both = np.isfinite(first) & np.isfinite(second)
    return first[both], second[both]


def paired_t(one: FloatArray, other: FloatArray, *, lags: int) -> float:
    """Divide the mean difference of two models' coefficients by its standard error.

    Returns:
        Above 0 where the first is better, 0 where both are the same; NaN where there are too few.
    """
    apart = one - other
    return newey_west_t(apart, lags) if apart.any() or not apart.size else 0.0


def lately(scores: OutOfSampleScores, *, newest: int) -> tuple[FloatArray, FloatArray]:
    """Part the known information coefficients into those of the newest sessions and the rest."""
    found = session_ics(scores)
    known = found[np.isfinite(found)]
    place = max(0, known.size - newest)
    return known[place:], known[:place]


def difference_t(one: FloatArray, other: FloatArray, *, lags: int) -> float:
    """Divide the difference of two means over different times by its standard error (Welch).

    Returns:
        Below 0 where the first is lower; NaN where either is too short.

    >>> difference_t(np.tile([0.0, 1.0], 10), np.tile([1.0, 2.0], 10), lags=0).__round__(3)
    -6.325
    """
    errors = [
        long_run_deviation(each, lags) / math.sqrt(max(1, each.size)) for each in (one, other)
    ]
    error = math.hypot(*errors)
    return float(one.mean() - other.mean()) / error if error > 0 else math.nan


def _at(
    scores: OutOfSampleScores, values: FloatArray, sessions: list[dt.date], symbols: list[str]
) -> FloatArray:
    places = {each: place for place, each in enumerate(scores.sessions)}
    rows = [places[each] for each in sessions]
    columns = [scores.symbols.index(each) for each in symbols]
    return np.asarray(values[np.ix_(rows, columns)])
