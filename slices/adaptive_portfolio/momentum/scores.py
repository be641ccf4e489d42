"""Momentum scores: the return of the past year without its newest month."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.adaptive_portfolio.walking import complete_windows
from slices.domain.portfolio import Allocator
from slices.quant.types import FloatArray, IntArray

if TYPE_CHECKING:
    from collections.abc import Sequence

NO_VARIANCE = 1e-14
"""A variance of returns below this is rounding of a price that does not move."""


@dataclass(frozen=True, kw_only=True)
class MomentumRule:
    """Which symbols are winners, and how the account is shared among them.

    Attributes:
        lookback_sessions: How far back the formation window begins.
        skip_sessions: How many of the newest sessions it leaves out.
        per_volatility: Whether returns are divided by their volatility before they are ranked.
        top_count: How many winners; None where `top_fraction` says it.
        absolute: Whether a winner must also have gained.
        target_volatility: Annualized, of the whole; None for none.
        volatility_sessions: Newest returns its estimate stands on.
    """

    lookback_sessions: int = 252
    skip_sessions: int = 21
    per_volatility: bool = False
    top_fraction: float = 0.3
    top_count: int | None = None
    absolute: bool = False
    allocator: Allocator = Allocator.INVERSE_VOLATILITY
    largest_weight: float = 1.0
    target_volatility: float | None = None
    volatility_sessions: int = 126
    gross_exposure: float = 1.0

    def wanted(self, candidates: int) -> int:
        """Return how many of so many candidates are chosen, at least one where there is one.

        >>> MomentumRule(top_fraction=0.3).wanted(20), MomentumRule(top_count=5).wanted(3)
        (6, 3)
        """
        if self.top_count is not None:
            return min(self.top_count, candidates)
        return min(candidates, max(1, math.floor(self.top_fraction * candidates + 1e-9)))


@dataclass(frozen=True, kw_only=True, eq=False)
class Scores:
    """T x N figures of formation windows; NaN where a symbol is no candidate."""

    score: FloatArray
    formation_return: FloatArray
    annualized_volatility: FloatArray


def momentum_scores(closes: FloatArray, rule: MomentumRule, *, periods_per_year: int) -> Scores:
    """Score every symbol at every session from closes up to it.

    A candidate has a close at each session from the beginning of the formation window to now, the
    skipped ones included.

    Args:
        closes: T x N, NaN where there is none.
        rule: The formation window, and what the return is divided by.
        periods_per_year: Sessions in a year.

    References:
        Jegadeesh, Titman (1993), Returns to buying winners and selling losers; the skipped month
        as in Fama, French (1996). Dividing by volatility: Barroso, Santa-Clara (2015).
    """
    closes = np.asarray(closes, dtype=np.float64)
    candidates = complete_windows(closes, rule.lookback_sessions)
    gained = np.full(closes.shape, np.nan)
    begin, end = rule.lookback_sessions, rule.skip_sessions
    total = closes.shape[0]
    if total > begin:
        gained[begin:] = closes[begin - end : total - end] / closes[: total - begin] - 1.0
    gained = np.where(candidates, gained, np.nan)
    volatility = _formation_volatility(closes, rule) * math.sqrt(periods_per_year)
    volatility = np.where(candidates, volatility, np.nan)
    return Scores(
        score=gained / volatility if rule.per_volatility else gained,
        formation_return=gained,
        annualized_volatility=volatility,
    )


def _formation_volatility(closes: FloatArray, rule: MomentumRule) -> FloatArray:
    """Return the sample deviation of the returns of each formation window; NaN without any."""
    length = rule.lookback_sessions - rule.skip_sessions
    returns = np.zeros(closes.shape)
    returns[1:] = np.nan_to_num(closes[1:] / closes[:-1] - 1.0, nan=0.0)
    sums, squares = (_window_sums(each, length) for each in (returns, returns**2))
    variance = (squares - sums**2 / length) / (length - 1)
    lagged = np.full(closes.shape, np.nan)
    kept = closes.shape[0] - rule.skip_sessions
    if kept > 0:
        lagged[rule.skip_sessions :] = variance[:kept]
    return np.asarray(np.sqrt(np.where(lagged > NO_VARIANCE, lagged, np.nan)), dtype=np.float64)


def _window_sums(values: FloatArray, length: int) -> FloatArray:
    """Sum the newest `length` rows at each row; NaN where there are fewer."""
    totals = np.cumsum(values, axis=0)
    sums = np.full(values.shape, np.nan)
    if values.shape[0] > length:
        sums[length:] = totals[length:] - totals[:-length]
    return sums


def winners(scores: FloatArray, symbols: Sequence[str], rule: MomentumRule) -> IntArray:
    """Choose the symbols with the highest scores; equal scores by the alphabet.

    Args:
        scores: N scores of one session, NaN where a symbol is no candidate.
        symbols: N names.
        rule: How many, and whether they must have gained.

    Returns:
        Places of the chosen, rising.

    >>> winners(np.array([0.2, np.nan, 0.4]), ("A", "B", "C"), MomentumRule(top_count=1)).tolist()
    [2]
    """
    candidates = np.flatnonzero(np.isfinite(scores))
    ranked = sorted(candidates.tolist(), key=lambda at: (-float(scores[at]), symbols[at]))
    best = ranked[: rule.wanted(len(ranked))]
    kept = [at for at in best if not rule.absolute or float(scores[at]) > 0]
    return np.array(sorted(kept), dtype=np.int64)
