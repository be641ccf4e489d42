"""Market regimes: the seven states a market can be in, and what is known about them.

A regime is a trend (bull, sideways, bear) and a volatility (quiet, volatile), or a crisis. At the
close of a session it is decided from bars up to that close alone; who trades on it fills at the
next session.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from slices.domain.parameters import Fraction, ParameterGroup


class Regime(StrEnum):
    """What a market is doing, from best to worst."""

    BULL_QUIET = "bull_quiet"
    BULL_VOLATILE = "bull_volatile"
    SIDEWAYS_QUIET = "sideways_quiet"
    SIDEWAYS_VOLATILE = "sideways_volatile"
    BEAR_QUIET = "bear_quiet"
    BEAR_VOLATILE = "bear_volatile"
    CRISIS = "crisis"


REGIMES = tuple(Regime)
"""The regimes in the order of their codes: the code of a regime is its position here."""

UNKNOWN = -1
"""The code of a session at which there was too little history to tell."""


class RegimeRules(ParameterGroup):
    """How regimes are told by rules; every window ends at the close that is judged."""

    trend_sessions: int = Field(
        default=126, ge=10, le=1260, description="Sessions over which the trend is measured."
    )
    trend_enter: float = Field(
        default=0.75, gt=0, le=5,
        description="A trend begins where the window's log return is this many of its deviations.",
    )  # fmt: skip
    trend_leave: float = Field(default=0.25, gt=0, le=5, description="Below so many it ends.")
    volatility_sessions: int = Field(
        default=21, ge=5, le=252, description="Sessions of one measurement of volatility."
    )
    ranking_sessions: int = Field(
        default=504, ge=40, le=5040,
        description="Sessions a volatility is ranked among; half as many are enough to begin.",
    )  # fmt: skip
    volatile_enter: Fraction = Field(default=0.7, description="Rank above which it is volatile.")
    volatile_leave: Fraction = Field(default=0.5, description="Rank up to which it is quiet again.")
    crisis_enter: Fraction = Field(default=0.9, description="Rank that a crisis must exceed.")
    crisis_leave: Fraction = Field(default=0.5, description="Rank up to which it is over.")
    crisis_drawdown: float = Field(
        default=1.0, gt=0, le=10,
        description="Drawdown of a crisis, in annual volatilities of all returns so far; at less "
        "than half of it the crisis is over.",
    )  # fmt: skip
    peak_sessions: int = Field(default=252, ge=10, le=2520, description="Sessions of the peak.")
    minimum_sessions: int = Field(
        default=10, ge=1, le=126,
        description="A regime lasts at least so many sessions; only a crisis may cut it short.",
    )  # fmt: skip

    @model_validator(mode="after")
    def _ordered(self) -> RegimeRules:
        for name in ("trend", "volatile", "crisis"):
            enter, leave = getattr(self, f"{name}_enter"), getattr(self, f"{name}_leave")
            if leave > enter:
                message = f"{name}_leave {leave} must not exceed {name}_enter {enter}"
                raise ValueError(message)
        return self

    @property
    def needed_returns(self) -> int:
        """Returns after which the first regime is known."""
        ranked = self.volatility_sessions + self.ranking_sessions // 2 - 1
        return max(self.trend_sessions, ranked)


class RegimeModel(ParameterGroup):
    """How the hidden Markov model and GARCH(1,1) are fitted; always to the past alone."""

    states: Literal[2, 3] = Field(default=2, description="Hidden states of volatility.")
    training_sessions: int = Field(
        default=504, ge=252, le=5040, description="Returns of the first fit; later fits use all."
    )
    refit_sessions: int = Field(
        default=252, ge=21, le=2520, description="Sessions from one fit to the next."
    )


DEFAULT_REGIME_RULES = RegimeRules()
DEFAULT_REGIME_MODEL = RegimeModel()


@dataclass(frozen=True, kw_only=True, eq=False)
class RegimeHistory:
    """What was known at each close; nothing here ever used a later bar.

    Attributes:
        sessions: T sessions with a return over one session.
        levels: T index values, or closes of the one symbol.
        rule_codes: T positions in `REGIMES` by rules, or `UNKNOWN`; so are `model_codes`, the most
            probable regimes by the model.
        probabilities: T x 7, of each regime in the order of `REGIMES`; filtered, NaN where unknown.
        state_probabilities: T x K filtered probabilities of the hidden states, quietest first.
        next_volatility: T annualized forecasts made at this close for the session after it, by
            GARCH(1,1); NaN where unknown.
    """

    sessions: tuple[dt.date, ...]
    levels: npt.NDArray[np.float64]
    rule_codes: npt.NDArray[np.int64]
    model_codes: npt.NDArray[np.int64]
    probabilities: npt.NDArray[np.float64]
    state_probabilities: npt.NDArray[np.float64]
    next_volatility: npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class RegimeRecord:
    """How one regime, as told by rules, went in the past; NaN where it never occurred.

    Attributes:
        share: Of all sessions with a known regime.
        spells: Times it was entered; the one it is in now counts.
        mean_duration_sessions: Of its spells, the unfinished one included.
        expected_duration_sessions: 1 / (1 - p) from the smoothed probability p of staying.
        next_annualized_return: Mean return of the sessions right after, times sessions a year.
        next_annualized_volatility: Of the same returns.
    """

    regime: Regime
    sessions: int
    share: float
    spells: int
    mean_duration_sessions: float
    expected_duration_sessions: float
    next_annualized_return: float
    next_annualized_volatility: float


@dataclass(frozen=True, kw_only=True)
class Transitions:
    """How regimes told by rules followed each other from session to session.

    Attributes:
        counts: 7 x 7 in the order of `REGIMES`: sessions of the row's regime that were followed by
            the column's.
        probabilities: Shares of each row after adding 1/7 of a session to every cell (Laplace's
            rule at the weight of one session), so that what never happened is not impossible.
    """

    counts: tuple[tuple[int, ...], ...]
    probabilities: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, kw_only=True)
class HiddenState:
    """One state of the newest fit.

    Attributes:
        probability: That the market is in it, filtered, at the last close.
        next_probability: That it will be in it at the next session.
        long_run_share: Of sessions, in the stationary distribution.
        expected_duration_sessions: 1 / (1 - p) from the fitted probability p of staying.
    """

    annualized_return: float
    annualized_volatility: float
    probability: float
    next_probability: float
    long_run_share: float
    expected_duration_sessions: float


@dataclass(frozen=True, kw_only=True)
class HiddenMarkovFit:
    """The newest fit of the hidden Markov model, its states from quiet to volatile.

    Attributes:
        fitted_session: Its last session of training.
        transitions: K x K probabilities from the row's state to the column's.
        start_log_likelihoods: What each start of the iteration arrived at; -inf where that was
            not a model with K states. The best was kept.
        fits: Fits through history that have an answer, this one included.
        failures: Why the others have none; the fit before stayed in use.
    """

    fitted_session: dt.date
    states: tuple[HiddenState, ...]
    transitions: tuple[tuple[float, ...], ...]
    log_likelihood: float
    start_log_likelihoods: tuple[float, ...]
    fits: int
    failures: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class VolatilityForecast:
    """GARCH(1,1) with constant mean: h[t+1] = omega + alpha * e[t]^2 + beta * h[t].

    Attributes:
        mean: Return per session; `omega` is a variance per session.
        next_session: Annualized volatility forecast for the next session.
        next_month: Of the root mean variance of the next 21 sessions.
        long_run: Where forecasts end up; NaN where alpha + beta is 1.
        half_life_sessions: Until half a shock to the variance is gone; infinite where alpha +
            beta is 1.
    """

    fitted_session: dt.date
    mean: float
    omega: float
    alpha: float
    beta: float
    next_session: float
    next_month: float
    long_run: float
    half_life_sessions: float


@dataclass(frozen=True, kw_only=True, eq=False)
class RegimeAnalysis:
    """Which regime a market is in, how it got there, and how long such regimes last.

    Attributes:
        label: The symbol, or what the index is made of.
        regime: The most probable one by the model, at the last close.
        probability: Of `regime`, filtered.
        rule_regime: The one by rules, at the last close.
        rule_since: First session of the spell by rules that still lasts.
        agreement: Share of sessions known to both where rules and model say the same.
        volatility_agreement: The same for quiet against anything else, whatever the trend.
    """

    label: str
    symbols: tuple[str, ...]
    last_session: dt.date
    periods_per_year: int
    regime: Regime
    probability: float
    rule_regime: Regime
    rule_since: dt.date
    agreement: float
    volatility_agreement: float
    history: RegimeHistory
    records: tuple[RegimeRecord, ...]
    transitions: Transitions
    hidden: HiddenMarkovFit
    volatility: VolatilityForecast


@dataclass(frozen=True, kw_only=True)
class SymbolRegime:
    """The regime of one symbol by rules at its last close, and the evidence.

    Attributes:
        since: First session of the spell that still lasts.
        sessions_in_regime: Length of that spell so far.
        trend_strength: Log return of the trend window over its deviation.
        annualized_volatility: Over the volatility window.
        volatility_rank: Share of the ranking window with a lower volatility.
        drawdown: From the peak of the window, as a positive fraction.
        volatile_probability: Of the more volatile state of a hidden Markov model with two states
            fitted to the whole past; NaN where it was not asked for or has no answer.
        model_reason: Why there is no answer, where one was asked for.
    """

    symbol: str
    session: dt.date
    regime: Regime
    since: dt.date
    sessions_in_regime: int
    trend_strength: float
    annualized_volatility: float
    volatility_rank: float
    drawdown: float
    volatile_probability: float
    model_reason: str = ""


@dataclass(frozen=True, kw_only=True)
class RegimeFailure:
    """A symbol whose regime cannot be told, and why."""

    symbol: str
    reason: str
