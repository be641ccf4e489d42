"""The verdict: the evidence for a backtest, and the grade it adds up to."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.numbers import written
from slices.domain.report import Unit
from slices.domain.verdicts import NEEDED_PROBABILITY, Grade, Verdict, needed_alpha_t, over_cash
from slices.quant.metrics.ratios import probabilistic_sharpe_ratio, sharpe_ratio
from slices.quant.returns import excess_returns
from slices.quant.validity.alpha import estimated_alpha
from slices.quant.validity.bootstrap import sharpe_interval
from slices.quant.validity.sharpe import (
    deflated_sharpe_ratio,
    minimum_track_record_length,
    sharpe_variance_of,
)

if TYPE_CHECKING:
    import datetime as dt

    from slices.domain.verdicts import LookAheadProbe
    from slices.quant.types import FloatArray

FEWEST_SESSIONS = 60
"""Fewer returns say nothing; a verdict of PASS takes a year of them."""

FEWEST_ACTIVE_SESSIONS = 60
"""Sessions on which the account's value changed: one lucky week is no evidence either."""

RESAMPLES = 1000


def judge(
    returns: FloatArray,
    benchmark_returns: FloatArray,
    *,
    periods_per_year: int,
    risk_free_rate: float = 0.0,
    trials: int = 1,
    trial_sharpes: FloatArray | None = None,
    probe: LookAheadProbe,
    ruined: dt.date | None = None,
    seed: int = 0,
) -> Verdict:
    """Grade a backtest by its evidence.

    REJECT: it lost everything, knew the future, lost money, is too short, or a statistic it needs
    is undefined. PASS: it did not, and the deflated Sharpe ratio reaches 0.95, the bootstrap
    interval of the Sharpe ratio lies above 0, the record is longer than the minimum and than a
    year, and alpha to the benchmark has a t-statistic above 2.33, or more after many trials:
    exposure to a market that rose does not pass. WEAK: everything between. All of it is of returns
    in excess of the risk-free rate: interest on idle cash is no skill.

    Args:
        returns: T simple returns, net of costs.
        benchmark_returns: T returns of the benchmark, such as holding the same symbols.
        periods_per_year: Sessions in a year.
        risk_free_rate: Simple rate per year, such as what idle cash earned in these returns.
        trials: How many configurations were really tried to arrive at this one.
        trial_sharpes: Per-period Sharpe ratios of all trials, over the same rate; where None, or
            fewer than two are known, they are taken to spread as those of trials without skill do.
        probe: What the look-ahead probe has found.
        ruined: The session at which nothing was left of the account, or None; returns end there.
        seed: Of the bootstrap.

    Raises:
        BadDataError: Where returns and benchmark returns differ in length.
        ParameterError: Where there are fewer trials than one.
    """
    values, against = (
        excess_returns(each, risk_free_rate=risk_free_rate, periods_per_year=periods_per_year)
        for each in (returns, benchmark_returns)
    )
    tried = max(trials, 0 if trial_sharpes is None else trial_sharpes.size)
    evidence = replace(
        _evidence(values, against, periods_per_year, tried, trial_sharpes, probe, seed),
        risk_free_rate=risk_free_rate,
    )
    faults = [*_ruin(ruined), *_faults(values, evidence)]
    if faults:
        return replace(evidence, grade=Grade.REJECT, reasons=tuple(faults))
    doubts = _doubts(evidence, periods_per_year)
    if doubts:
        return replace(evidence, grade=Grade.WEAK, reasons=tuple(doubts))
    return replace(evidence, grade=Grade.PASS, reasons=_merits(evidence))


def _evidence(
    returns: FloatArray,
    benchmark_returns: FloatArray,
    periods_per_year: int,
    trials: int,
    trial_sharpes: FloatArray | None,
    probe: LookAheadProbe,
    seed: int,
) -> Verdict:
    """Collect the statistics of excess returns under the lowest grade."""
    known = returns if np.isfinite(returns).all() else np.empty(0)
    against = benchmark_returns if known.size == returns.size else np.empty(0)
    interval = sharpe_interval(
        known,
        periods_per_year=periods_per_year,
        confidence=NEEDED_PROBABILITY,
        resamples=RESAMPLES,
        seed=seed,
    )
    estimate = estimated_alpha(known, against, periods_per_year=periods_per_year)
    variance = sharpe_variance_of(trial_sharpes)
    return Verdict(
        grade=Grade.REJECT,
        reasons=(),
        sharpe_ratio=sharpe_ratio(known, periods_per_year=periods_per_year),
        sharpe_low=interval.low,
        sharpe_high=interval.high,
        confidence=interval.confidence,
        probabilistic_sharpe_ratio=probabilistic_sharpe_ratio(
            known, periods_per_year=periods_per_year
        ),
        deflated_sharpe_ratio=deflated_sharpe_ratio(known, trials=trials, trial_variance=variance),
        trials=trials,
        minimum_track_record_sessions=minimum_track_record_length(
            known, confidence=NEEDED_PROBABILITY
        ),
        sessions=returns.size,
        alpha=estimate.alpha,
        alpha_t=estimate.alpha_t,
        probe=probe,
    )


def _ruin(session: dt.date | None) -> list[str]:
    return [] if session is None else [f"It lost everything on {session}."]


def _faults(returns: FloatArray, evidence: Verdict) -> list[str]:
    """List why the backtest cannot be believed at all."""
    leaks = [f"It knew the future: {each.detail}" for each in evidence.probe.findings]
    return leaks or _undefined(returns, evidence) or _losing(evidence)


def _undefined(returns: FloatArray, evidence: Verdict) -> list[str]:
    missing = int((~np.isfinite(returns)).sum())
    active = int((returns != 0).sum())
    changed = "changed by more than interest" if evidence.risk_free_rate else "changed"
    if missing:
        return [f"{missing} of {returns.size} returns are missing or infinite."]
    if returns.size < FEWEST_SESSIONS:
        return [f"There are {returns.size} sessions, too few to judge; {FEWEST_SESSIONS} may do."]
    if active < FEWEST_ACTIVE_SESSIONS:
        return [
            f"The account's value {changed} on {active} of {returns.size} sessions, too few to "
            f"judge; {FEWEST_ACTIVE_SESSIONS} may do."
        ]
    statistics = {
        "Sharpe ratio": evidence.sharpe_ratio,
        "bootstrap interval of the Sharpe ratio": evidence.sharpe_low,
        "probabilistic Sharpe ratio": evidence.probabilistic_sharpe_ratio,
        "deflated Sharpe ratio": evidence.deflated_sharpe_ratio,
        "alpha to the benchmark": evidence.alpha,
    }
    return [
        f"The {name} is undefined for these returns."
        for name, value in statistics.items()
        if math.isnan(value)
    ]


def _losing(evidence: Verdict) -> list[str]:
    if evidence.sharpe_ratio > 0:
        return []
    ratio = written(evidence.sharpe_ratio, Unit.RATIO)
    return [f"Net of costs its Sharpe ratio{over_cash(evidence)} is {ratio}, not above 0."]


def _doubts(evidence: Verdict, periods_per_year: int) -> list[str]:
    """List what keeps the backtest from passing; every comparison is false for NaN."""
    checks = (
        (bool(evidence.probe.cuts), "It was not probed for look-ahead."),
        (
            evidence.sessions >= periods_per_year,
            f"It covers {evidence.sessions} sessions, less than a year of {periods_per_year}.",
        ),
        (evidence.sharpe_low > 0, _interval(evidence, "which does not exclude 0")),
        (
            evidence.deflated_sharpe_ratio >= NEEDED_PROBABILITY,
            _deflated(evidence, "less than the 95%"),
        ),
        (
            evidence.minimum_track_record_sessions <= evidence.sessions,
            _record(evidence, "fewer than the"),
        ),
        (evidence.alpha_t > needed_alpha_t(evidence.trials), _alpha(evidence, "not above")),
    )
    return [sentence for is_met, sentence in checks if not is_met]


def _merits(evidence: Verdict) -> tuple[str, ...]:
    """Say what it passes with."""
    cuts = len(evidence.probe.cuts)
    return (
        _interval(evidence, "above 0"),
        _deflated(evidence, "at least the 95%"),
        _record(evidence, "at least the"),
        _alpha(evidence, "above"),
        f"No decision changed when the future was cut off or changed at {cuts} places.",
    )


def _interval(evidence: Verdict, ending: str) -> str:
    ratio, low, high = (
        written(each, Unit.RATIO)
        for each in (evidence.sharpe_ratio, evidence.sharpe_low, evidence.sharpe_high)
    )
    confidence = written(evidence.confidence, Unit.FRACTION)
    return (
        f"The {confidence} interval of its Sharpe ratio of {ratio}{over_cash(evidence)} is {low} "
        f"to {high}, {ending}."
    )


def _deflated(evidence: Verdict, comparison: str) -> str:
    probability = written(evidence.deflated_sharpe_ratio, Unit.FRACTION)
    if evidence.trials == 1:
        against = "0"
    else:
        against = f"the best of {evidence.trials:,} trials without skill"
    return (
        f"The probability that its true Sharpe ratio is above that of {against} is {probability}, "
        f"{comparison} that are needed."
    )


def _record(evidence: Verdict, comparison: str) -> str:
    needed = evidence.minimum_track_record_sessions
    count = f"{math.ceil(needed):,}" if math.isfinite(needed) else written(needed, Unit.COUNT)
    return (
        f"It covers {evidence.sessions:,} sessions, {comparison} {count} "
        "it takes to tell this Sharpe ratio from 0."
    )


def _alpha(evidence: Verdict, comparison: str) -> str:
    if math.isnan(evidence.alpha_t):
        return "It moves with the benchmark alone, so there is no alpha to test."
    alpha, statistic, least = (
        written(evidence.alpha, Unit.FRACTION),
        written(evidence.alpha_t, Unit.RATIO),
        written(needed_alpha_t(evidence.trials), Unit.RATIO),
    )
    return (
        f"Its alpha to the benchmark{over_cash(evidence)} is {alpha} a year with a t-statistic of "
        f"{statistic}, {comparison} {least}."
    )
