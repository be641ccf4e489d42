"""How far a model is believed: what its scores were worth, as far as that was known."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.adaptive_portfolio.momentum.decay import information_coefficients, newey_west_error
from slices.domain.view_portfolio import SUSPECT_COEFFICIENT, Belief
from slices.quant.types import FloatArray
from slices.quant.validity.alpha import newey_west_lags

if TYPE_CHECKING:
    import datetime as dt

    from slices.domain.learning import LabelSettings, OutOfSampleScores
    from slices.quant.panel import Panel


@dataclass(frozen=True, kw_only=True, eq=False)
class TrackRecord:
    """What scores were worth at each session of a panel, and when that became known.

    Attributes:
        coefficients: T rank correlations of score and later return; NaN where there is none.
        reach: Sessions from a score until its outcome is known.
    """

    coefficients: FloatArray
    reach: int

    def known_at(self, row: int) -> FloatArray:
        """Return the coefficients whose outcomes are known at the close of a session."""
        past = self.coefficients[: max(row - self.reach + 1, 0)]
        return past[np.isfinite(past)]


def aligned_scores(panel: Panel, scores: OutOfSampleScores) -> FloatArray:
    """Set scores out by the sessions and symbols of a panel, found by name.

    Returns:
        T x N; NaN where a symbol has no score in a session.
    """
    rows = {session: row for row, session in enumerate(panel.sessions)}
    columns = {symbol: column for column, symbol in enumerate(panel.symbols)}
    whence = [(i, rows[each]) for i, each in enumerate(scores.sessions) if each in rows]
    across = [(j, columns[each]) for j, each in enumerate(scores.symbols) if each in columns]
    aligned = np.full(panel.close.shape, np.nan)
    if whence and across:
        (theirs, mine), (their_names, my_names) = np.array(whence).T, np.array(across).T
        aligned[np.ix_(mine, my_names)] = scores.scores[np.ix_(theirs, their_names)]
    return aligned


def track_record(panel: Panel, scores: FloatArray, label: LabelSettings) -> TrackRecord:
    """Correlate scores with the returns that followed, taken from the panel itself.

    A return begins at the close at which a decision is filled and ends a horizon later, so a
    panel that ends earlier knows fewer of them: nothing of the future comes along with scores.

    Args:
        panel: T sessions x N symbols.
        scores: T x N, NaN where there is none.
        label: Over which sessions the return is earned.
    """
    returns = following_returns(
        panel.close, lag=label.entry_lag_sessions, horizon=label.horizon_sessions
    )
    coefficients, _ = information_coefficients(scores, returns)
    return TrackRecord(coefficients=coefficients, reach=label.reach)


def following_returns(closes: FloatArray, *, lag: int, horizon: int) -> FloatArray:
    """Return, at each session, the return over a horizon that begins some sessions later.

    Returns:
        T x N; NaN where either close is missing or lies beyond the end.

    >>> following_returns(np.array([[1.0], [2.0], [3.0]]), lag=1, horizon=1).ravel().tolist()
    [0.5, nan, nan]
    """
    returns = np.full(closes.shape, np.nan)
    kept = closes.shape[0] - lag - horizon
    if kept > 0:
        returns[:kept] = closes[lag + horizon :] / closes[lag:-horizon] - 1.0
    return returns


def belief_at(record: TrackRecord, row: int, session: dt.date, *, fewest: int) -> Belief:
    """Say how far scores are believed at the close of a session, by what is known there.

    Of a mean m with standard error s the share 1 - s^2 / m^2 is believed: what is left of the
    observed variance of means once chance is taken off, so that a t-statistic of 1 is nothing, 2
    three quarters. Nothing is believed of fewer sessions than asked for, or of a mean below 0;
    above the limit of what is plausible only the limit is.

    Args:
        record: What scores were worth.
        row: Position of the session.
        session: Its date.
        fewest: Sessions with known outcomes.

    References:
        Efron, Morris (1973), Stein's Estimation Rule and Its Competitors, for the positive part.
    """
    known = record.known_at(row)
    mean = float(known.mean()) if known.size else math.nan
    lags = max(record.reach - 1, newey_west_lags(max(known.size, 1)))
    error = newey_west_error(known, lags=lags)
    statistic = mean / error if error > 0 else math.nan
    share = reliability(statistic) if known.size >= fewest else 0.0
    return Belief(
        session=session,
        sessions=int(known.size),
        information_coefficient=mean,
        standard_error=error,
        t_statistic=statistic,
        reliability=share,
        believed=share * min(mean, SUSPECT_COEFFICIENT) if share > 0 else 0.0,
    )


def reliability(t_statistic: float) -> float:
    """Return the share of a mean that is believed; none of one that is negative or unknown.

    >>> reliability(2.0), reliability(1.0), reliability(-3.0), reliability(math.nan)
    (0.75, 0.0, 0.0, 0.0)
    """
    return 1.0 - 1.0 / t_statistic**2 if t_statistic > 1.0 else 0.0
