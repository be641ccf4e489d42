"""What features look like in training, and how far a window of them strays from the rest."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import InsufficientHistoryError
from slices.domain.models import DriftReference
from slices.ml_strategy.monitoring.distances import (
    BINS,
    CELLS,
    binned,
    cells,
    cumulative,
    ks_distance,
    moves,
    psi,
    quantile_points,
    quantiles_of_counts,
    shares,
)

if TYPE_CHECKING:
    from slices.ml_strategy.examples import FeatureMatrix
    from slices.quant.types import FloatArray, IntArray

WINDOWS_PER_LENGTH = 6
"""Windows drawn for every length of a window there is room for; they overlap."""

MOST_WINDOWS = 300

FEWEST_LENGTHS = 4
OWN_LEVEL = 0.95
"""Share of windows in which a feature stays within its own limit."""

LEAST = np.array([0.02, 0.03, 0.05, 0.1])
"""What no limit of a measure is below: less is no drift to speak of, or cannot be resolved."""


def drift_reference(
    features: FeatureMatrix,
    row: IntArray,
    names: tuple[str, ...],
    *,
    window_sessions: int = 63,
    alarm_rate: float = 0.05,
    seed: int,
) -> DriftReference:
    """Learn from training how features are distributed and how far windows of them stray.

    Windows are drawn at random and compared with the sessions outside of them by four measures:
    stability index, Kolmogorov-Smirnov distance, move of the median and change of the width, for
    the first two are bounded and do not tell far from very far. A feature's own limit of each is
    what 95 % of the windows keep to. A window alarms where more features than
    `psi_count_limit` are beyond their limits, or one is beyond `alone_limit` times its own; these
    two are set together so that of the windows, each judged by limits that have not seen it, no
    more than `alarm_rate` alarm. That counts sessions, whatever the number of symbols, and takes
    account of features that move together. Fewer than `1 / alarm_rate` lengths of a window in
    training cannot keep the promise exactly: then the farthest window sets the limit. Where there
    is no room for four, limits are NaN and nothing can be judged.

    Args:
        features: R x F values of training, NaN where unknown; sessions before a feature is first
            known say nothing of it.
        row: R positions of their sessions, rising.
        names: F features.
        window_sessions: Length of a window.
        alarm_rate: Promised share of windows in which the set alarms when nothing is wrong.
        seed: Where windows begin; a fixed rhythm would meet the same months every year.

    Raises:
        InsufficientHistoryError: Where there is no session.
    """
    if row.size == 0:
        raise InsufficientHistoryError(symbol="features", needed=1, found=0)
    places = np.unique(row, return_inverse=True)[1]
    starts = _starts(features, places, window_sessions, seed)
    points = np.stack([quantile_points(column) for column in features.T])
    counted = [
        _judged(column, places, line, starts, window_sessions)
        for column, line in zip(features.T, points, strict=True)
    ]
    strays = np.stack([each for _, each in counted], axis=1)
    limits = _limits(strays)
    count_limit, alone_limit = _set_limits(
        _unseen_multiples(strays, starts, window_sessions),
        allowed=alarm_rate - window_sessions / (places[-1] + 1),
    )
    return DriftReference(
        names=names,
        edges=points[:, BINS:-1:BINS],
        shares=np.stack([share for share, _ in counted]),
        quantiles=points,
        psi_limits=limits[:, 0],
        ks_limits=limits[:, 1],
        shift_limits=limits[:, 2],
        width_limits=limits[:, 3],
        window_sessions=window_sessions,
        alarm_rate=alarm_rate,
        psi_count_limit=count_limit,
        alone_limit=alone_limit,
    )


def _starts(features: FeatureMatrix, places: IntArray, length: int, seed: int) -> IntArray:
    """Draw where windows begin, after the sessions in which most features are still unknown."""
    sessions = int(places[-1]) + 1
    begun = np.sort([_begin(column, places, sessions) for column in features.T])
    first = int(begun[min(int(0.95 * begun.size), begun.size - 1)])
    room = sessions - first - length + 1
    if room < (FEWEST_LENGTHS - 1) * length + 1:
        return np.empty(0, dtype=np.int64)
    wanted = min(MOST_WINDOWS, WINDOWS_PER_LENGTH * (sessions - first) // length)
    drawn = np.random.default_rng(seed).choice(room, size=min(wanted, room), replace=False)
    return np.sort(drawn + first)


def _begin(column: FeatureMatrix, places: IntArray, sessions: int) -> int:
    """Return the first session at which a feature is known, or how many sessions there are."""
    known = np.flatnonzero(~np.isnan(column))
    return int(places[known[0]]) if known.size else sessions


def _judged(
    column: FeatureMatrix, places: IntArray, points: FloatArray, starts: IntArray, length: int
) -> tuple[FloatArray, FloatArray]:
    """Return the shares of a feature's bins and V x 4 measures of how far its windows stray."""
    sessions = int(places[-1]) + 1
    spots = places * (CELLS + 1) + cells(column, points)
    counts = np.bincount(spots, minlength=sessions * (CELLS + 1)).reshape(sessions, CELLS + 1)
    begun = _begin(column, places, sessions)
    if begun < sessions:
        counts[:begun] = 0
    until = np.concatenate([np.zeros((1, CELLS + 1), np.int64), np.cumsum(counts, axis=0)])
    inside = until[starts + length] - until[starts]
    outside = until[-1] - inside
    strays = (
        psi(shares(binned(outside)), shares(binned(inside))),
        ks_distance(cumulative(outside), cumulative(inside)),
        *moves(quantiles_of_counts(points, outside), quantiles_of_counts(points, inside)),
    )
    return shares(binned(until[-1])), np.stack(strays, axis=-1)


def _limits(strays: FloatArray) -> FloatArray:
    """Return what most windows keep to: V x F x 4 in, F x 4 out; NaN where none says anything."""
    if strays.shape[0] == 0:
        return np.full(strays.shape[1:], np.nan)
    ordered = np.sort(strays, axis=0)  # NaN last
    known = np.sum(~np.isnan(ordered), axis=0)
    place = np.clip(np.ceil(OWN_LEVEL * known).astype(np.int64) - 1, 0, None)
    return np.asarray(np.maximum(np.take_along_axis(ordered, place[None], axis=0)[0], LEAST))


def multiples(limits: FloatArray, strays: FloatArray) -> FloatArray:
    """Return how many times its limit each feature strays, by the worst of its measures.

    Args:
        limits: F x 4.
        strays: F x 4.
    """
    return np.asarray(np.fmax.reduce(strays / limits, axis=-1))


def _unseen_multiples(strays: FloatArray, starts: IntArray, length: int) -> FloatArray:
    """Judge every window by the limits of the windows it shares no session with, V x F."""
    judged = [
        multiples(_limits(strays[np.abs(starts - start) >= length]), own)
        for start, own in zip(starts, strays, strict=True)
    ]
    return np.array(judged).reshape(strays.shape[:2])


def _set_limits(judged: FloatArray, *, allowed: float) -> tuple[int, float]:
    """Find the lowest limits of the count and of a single feature that few windows go beyond.

    Both are raised together, so that neither spends the whole of what is allowed.

    Args:
        judged: V x F multiples of the limits.
        allowed: Share of windows that may alarm; below zero none may.
    """
    if judged.shape[0] == 0:
        return 0, math.nan
    counts = np.sort(np.sum(judged > 1, axis=1))
    largest = np.fmax.reduce(judged, axis=1, initial=1.0)
    order = np.sort(largest)
    for place in range(judged.shape[0]):
        count, alone = counts[place], order[place]
        beyond = (np.sum(judged > 1, axis=1) > count) | (largest > alone)
        if beyond.mean() <= max(allowed, 0.0):
            return int(count), float(alone)
    return int(counts[-1]), float(order[-1])
