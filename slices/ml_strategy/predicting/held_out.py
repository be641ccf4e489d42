"""Judging a calibration where it was not fitted: block after block, each by curves from before."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from slices.ml_strategy.predicting.curves import (
    FEWEST_RESIDUALS,
    LEVELS,
    fitted_curves,
    logistic,
    past_of,
    residual_count,
)
from slices.quant.types import FloatArray, IntArray

if TYPE_CHECKING:
    from slices.domain.learning import LabelSettings, OutOfSampleScores
    from slices.ml_strategy.predicting.curves import Curves, Past

SHOWN_LEVELS = (0.8, 0.9, 0.95)
BLOCKS = 12
FIRST_SHARE = 1 / 4


@dataclass(frozen=True, kw_only=True, eq=False)
class HeldOut:
    """What calibrations said of later sessions; S x N, NaN where they said nothing.

    Attributes:
        sessions: S sessions of the scores.
        probabilities: Of a return above the median of the session.
        is_above: 1 where it was, 0 where it was below, NaN at the median or where not known.
        expected: Relative return over the horizon, in units of the symbol's volatility.
        scaled: What the return was, in the same units.
        residuals: B x 399 residuals of each block's curves, at the levels of `LEVELS`.
        block: S numbers of the block a session is in, from 0; -1 before the first.
    """

    sessions: tuple[dt.date, ...]
    probabilities: FloatArray
    is_above: FloatArray
    expected: FloatArray
    scaled: FloatArray
    residuals: FloatArray
    block: IntArray

    @property
    def brier_score(self) -> float:
        """Mean squared distance of probability and outcome; NaN where there is none."""
        return _mean(np.square(self.probabilities - self.is_above))

    def bound(self, probability: float) -> FloatArray:
        """Return S residuals below which a share of earlier ones lie; NaN before the first block.

        Args:
            probability: That share.
        """
        bounds = [float(np.interp(probability, LEVELS, each)) for each in self.residuals]
        return np.array([*bounds, np.nan])[self.block]

    def is_inside(self, level: float) -> FloatArray:
        """Mark returns within their interval.

        Returns:
            S x N of 1 and 0; NaN where no interval was given or the return is not known.
        """
        left_over = self.scaled - self.expected
        lower, upper = self.bound(0.5 - level / 2), self.bound(0.5 + level / 2)
        inside = (left_over >= lower[:, None]) & (left_over <= upper[:, None])
        return np.where(np.isfinite(left_over), inside.astype(np.float64), np.nan)

    def coverage(self, level: float, *, year: int | None = None) -> float:
        """Return the share of returns within their interval, of all sessions or of a year's."""
        inside = self.is_inside(level)
        if year is not None:
            inside = inside[[each.year == year for each in self.sessions]]
        return _mean(inside)

    def years(self) -> tuple[int, ...]:
        """List the years in which intervals were given."""
        given = np.isfinite(self.scaled - self.expected).any(axis=1)
        return tuple(sorted({self.sessions[i].year for i in np.flatnonzero(given)}))


def held_out(scores: OutOfSampleScores, *, label: LabelSettings) -> HeldOut:
    """Give every session the curves that were known before its block.

    The first quarter of the sessions is only learned from; the rest is parted into twelve blocks.
    The curves of a block stand on sessions whose outcome was known before the block began: a reach
    of the label is left out between the two. A block with too little before it is left out.

    Args:
        scores: Out-of-sample scores, session by session.
        label: What was predicted.
    """
    past = past_of(scores.scores, scores.labels, scores.forward_returns, scores.volatilities)
    block = np.full(len(scores.sessions), -1, dtype=np.int64)
    expected, chances = np.full_like(past.scores, np.nan), np.full_like(past.scores, np.nan)
    residuals: list[FloatArray] = []
    for start, stop in _block_bounds(len(scores.sessions)):
        curves = _curves_before(past, start, label=label)
        if curves is None:
            continue
        part = slice(start, stop)
        block[part] = len(residuals)
        residuals.append(curves.residuals)
        expected[part] = curves.expected_slope * past.scores[part]
        chances[part] = logistic(curves.intercept + curves.slope * past.scores[part])
    return HeldOut(
        sessions=scores.sessions,
        probabilities=chances,
        is_above=past.is_above,
        expected=expected,
        scaled=past.scaled,
        residuals=np.array(residuals).reshape(-1, LEVELS.size),
        block=block,
    )


def _block_bounds(sessions: int) -> list[tuple[int, int]]:
    edges = np.linspace(int(sessions * FIRST_SHARE), sessions, BLOCKS + 1).astype(np.int64).tolist()
    return [(start, stop) for start, stop in pairwise(edges) if stop > start]


def _curves_before(past: Past, start: int, *, label: LabelSettings) -> Curves | None:
    known = past.between(0, start - label.reach)
    if residual_count(known) < FEWEST_RESIDUALS:
        return None
    return fitted_curves(known, lags=label.horizon_sessions)


def _mean(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else math.nan
