"""How often regimes occur, how long they last, what follows them, and where two accounts agree."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.regimes import REGIMES, RegimeRecord, Transitions
from slices.market_regime.hidden import expected_durations

if TYPE_CHECKING:
    from slices.quant.types import FloatArray, IntArray

COUNT = len(REGIMES)


def transition_counts(codes: IntArray) -> IntArray:
    """Count which regime followed which; pairs with an unknown one do not count.

    >>> transition_counts(np.array([-1, 0, 0, 6]))[0].tolist()
    [1, 0, 0, 0, 0, 0, 1]
    """
    counts = np.zeros((COUNT, COUNT), dtype=np.int64)
    earlier, later = codes[:-1], codes[1:]
    known = (earlier >= 0) & (later >= 0)
    np.add.at(counts, (earlier[known], later[known]), 1)
    return counts


def smoothed_shares(counts: IntArray) -> FloatArray:
    """Return each row's shares after adding 1/7 of a session to every cell.

    >>> smoothed_shares(np.zeros((7, 7), dtype=np.int64))[0, 0].round(6).item()
    0.142857
    """
    added = counts + 1.0 / COUNT
    shares: FloatArray = added / added.sum(axis=1, keepdims=True)
    return shares


def transitions_of(codes: IntArray) -> Transitions:
    """Describe how regimes followed each other."""
    counts = transition_counts(codes)
    return Transitions(
        counts=tuple(tuple(row) for row in counts.tolist()),
        probabilities=tuple(tuple(row) for row in smoothed_shares(counts).tolist()),
    )


def spell_count(codes: IntArray, code: int) -> int:
    """Count the unbroken spells of one regime.

    >>> spell_count(np.array([0, 0, 1, 0]), 0)
    2
    """
    inside = codes == code
    return int(inside[:1].sum() + (inside[1:] & ~inside[:-1]).sum())


def spell_start(codes: IntArray) -> int:
    """Return the first row of the spell that lasts at the end.

    >>> spell_start(np.array([0, 1, 1]))
    1
    """
    others = np.flatnonzero(codes != codes[-1])
    return int(others[-1]) + 1 if others.size else 0


def agreement(first: IntArray, second: IntArray) -> float:
    """Return the share of rows known to both on which both say the same; NaN without any.

    >>> agreement(np.array([-1, 0, 1]), np.array([0, 0, 2]))
    0.5
    """
    known = (first >= 0) & (second >= 0)
    return float(np.mean(first[known] == second[known])) if known.any() else math.nan


def volatility_agreement(first: IntArray, second: IntArray) -> float:
    """Return the same share for quiet against volatile or crisis, whatever the trend."""
    return agreement(_unrest(first), _unrest(second))


def records(
    codes: IntArray, simple: FloatArray, *, periods_per_year: int
) -> tuple[RegimeRecord, ...]:
    """Describe every regime, in the order of `REGIMES`.

    Args:
        codes: T regimes.
        simple: T returns; the ones of the sessions after a regime are attributed to it, since the
            regime is known only at its session's close.
        periods_per_year: Sessions in a year.
    """
    expected = expected_durations(smoothed_shares(transition_counts(codes)))
    return tuple(
        _record(code, codes, simple, float(expected[code]), periods_per_year)
        for code in range(COUNT)
    )


def _record(
    code: int, codes: IntArray, simple: FloatArray, expected: float, periods_per_year: int
) -> RegimeRecord:
    inside = codes == code
    sessions, spells = int(inside.sum()), spell_count(codes, code)
    following = simple[1:][inside[:-1]]
    return RegimeRecord(
        regime=REGIMES[code],
        sessions=sessions,
        share=_over(sessions, int((codes >= 0).sum())),
        spells=spells,
        mean_duration_sessions=_over(sessions, spells),
        expected_duration_sessions=expected if sessions else math.nan,
        next_annualized_return=_mean(following) * periods_per_year,
        next_annualized_volatility=_deviation(following) * math.sqrt(periods_per_year),
    )


def _over(part: int, whole: int) -> float:
    return part / whole if whole else math.nan


def _mean(values: FloatArray) -> float:
    return float(values.mean()) if values.size else math.nan


def _deviation(values: FloatArray) -> float:
    return float(values.std(ddof=1)) if values.size > 1 else math.nan


def _unrest(codes: IntArray) -> IntArray:
    """Map quiet to 0, volatile and crisis to 1, unknown to -1."""
    restless = (codes % 2 == 1) | (codes == COUNT - 1)
    return np.where(codes < 0, codes, restless.astype(np.int64))
