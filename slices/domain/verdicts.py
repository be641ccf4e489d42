"""Whether a backtest may be believed: the evidence, and the grade it adds up to."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

NEEDED_PROBABILITY = 0.95
"""What the deflated Sharpe ratio of a PASS reaches, and the confidence of its interval."""

ALPHA_ERROR = 0.01
"""Probability that the best of the trials made shows the alpha of a PASS by luck."""


class Grade(StrEnum):
    """What the evidence adds up to."""

    PASS = "pass"  # noqa: S105 - a grade
    WEAK = "weak"
    REJECT = "reject"


class Leak(StrEnum):
    """The ways in which a backtest can know the future."""

    FUTURE_BARS = "future_bars"
    UNIVERSE = "universe"
    SAME_BAR_FILL = "same_bar_fill"
    PRICE_OUTSIDE_BAR = "price_outside_bar"
    BETTER_THAN_STOP = "better_than_stop"
    CHOSEN_PRICE = "chosen_price"
    NOT_REPEATABLE = "not_repeatable"


@dataclass(frozen=True, kw_only=True)
class LeakFinding:
    """One way in which a decision or a fill used what was not known yet.

    Attributes:
        session: Where it was first seen.
        detail: One sentence for a person, with symbol and figures.
    """

    leak: Leak
    session: dt.date
    detail: str


@dataclass(frozen=True, kw_only=True)
class LookAheadProbe:
    """What truncating the data and deciding again has shown.

    Attributes:
        cuts: Sessions after which the data was cut off or changed.
        findings: Empty where every decision stayed as it was.
    """

    cuts: tuple[dt.date, ...]
    findings: tuple[LeakFinding, ...] = ()

    def with_findings(self, *findings: LeakFinding) -> LookAheadProbe:
        """Return this probe with what was found elsewhere, such as in the fills."""
        return LookAheadProbe(cuts=self.cuts, findings=(*self.findings, *findings))


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The grade of a backtest with its evidence; ratios are annualized unless named otherwise.

    Attributes:
        grade: PASS, WEAK or REJECT.
        reasons: Why it is not better, one sentence each; why it passes, where it does.
        sharpe_ratio: Of returns net of costs, in excess of the risk-free rate, as is everything.
        sharpe_low: Lower end of the stationary-bootstrap interval of the Sharpe ratio.
        sharpe_high: Its upper end.
        confidence: Of that interval.
        probabilistic_sharpe_ratio: Probability that the true Sharpe ratio is above 0.
        deflated_sharpe_ratio: Probability that it is above what the best of `trials` trials without
            skill would show.
        trials: How many configurations were really tried to arrive at this one.
        minimum_track_record_sessions: Sessions needed to tell this Sharpe ratio from 0 at 95 %
            confidence; infinite where it is not positive.
        sessions: Sessions there are.
        alpha: Return a year that holding the benchmark at the same beta does not explain.
        alpha_t: Its t-statistic, robust to autocorrelation and changing variance.
        probe: What the look-ahead probe has found.
        risk_free_rate: Simple rate per year that idle cash earned.
    """

    grade: Grade
    reasons: tuple[str, ...]
    sharpe_ratio: float
    sharpe_low: float
    sharpe_high: float
    confidence: float
    probabilistic_sharpe_ratio: float
    deflated_sharpe_ratio: float
    trials: int
    minimum_track_record_sessions: float
    sessions: int
    alpha: float
    alpha_t: float
    probe: LookAheadProbe
    risk_free_rate: float = 0.0


def needed_alpha_t(trials: int) -> float:
    """Return the t-statistic that alpha must exceed for a PASS, given the trials really made.

    One-sided, at 1 % for the best of all trials (Sidak). Chosen by calibration: portfolios drawn
    at random from twenty US names show a t-statistic above 1.96 three times as often as luck alone
    would, since names differ for good; and the deflated Sharpe ratio does not see a choice among
    trials that all rose with the market.

    >>> round(needed_alpha_t(1), 2), round(needed_alpha_t(100), 2)
    (2.33, 3.72)
    """
    return NormalDist().inv_cdf((1.0 - ALPHA_ERROR) ** (1.0 / trials))


def over_cash(verdict: Verdict) -> str:
    """Say what returns are in excess of, as it follows a word; empty where cash earned nothing."""
    rate = verdict.risk_free_rate
    return f" over a cash rate of {100.0 * rate:.4g}%" if rate else ""
