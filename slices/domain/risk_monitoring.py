"""Watching an account: what it risks, and how far it is from its limits."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from slices.domain.accounts import AccountBook
from slices.domain.limits import LimitLine
from slices.domain.results import FlowResult
from slices.domain.tearsheets import StressWindow
from slices.domain.tiers import TierStanding


@dataclass(frozen=True, kw_only=True)
class AccountMetrics:
    """Measures of an account's own returns; what is undefined is NaN, with the reason.

    Attributes:
        returns: How many there are.
        sharpe_ratio: Annualized, as sortino_ratio and calmar_ratio.
        beta: On the equal-weight universe over the newest window.
        undefined: Name of a measure and why it is not there.
    """

    returns: int
    total_return: float
    annualized_volatility: float
    sharpe_ratio: float
    sortino_ratio: float
    calmar_ratio: float
    max_drawdown: float
    value_at_risk: float
    expected_shortfall: float
    beta: float
    undefined: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class HoldingsTail:
    """Loss of today's positions over one session as the past was, in fractions of equity."""

    returns: int
    value_at_risk: float
    expected_shortfall: float
    unknown: str


@dataclass(frozen=True, kw_only=True)
class RiskWatch:
    """What an account risks after a session.

    Attributes:
        sessions: Of the equity curve.
        gross: Gross exposure after each, as a fraction of equity; so is net.
        beta_sessions: Last sessions of the windows of `betas`.
        stresses: What today's weights would have lost; empty without positions.
        uncovered: Named bad times the bars do not cover.
        lines: Every limit and what is left of it.
    """

    account: str
    session: dt.date | None
    confidence: float
    window_sessions: int
    metrics: AccountMetrics
    tail: HoldingsTail
    sessions: tuple[dt.date, ...]
    gross: tuple[float, ...]
    net: tuple[float, ...]
    beta_sessions: tuple[dt.date, ...]
    betas: tuple[float, ...]
    stresses: tuple[StressWindow, ...]
    uncovered: tuple[str, ...]
    lines: tuple[LimitLine, ...]
    tier: TierStanding

    @property
    def breached(self) -> tuple[LimitLine, ...]:
        """The limits the account is beyond; one whose use is unknown counts."""
        return tuple(each for each in self.lines if each.is_breached or each.used != each.used)


@dataclass(frozen=True, kw_only=True, repr=False)
class RiskMonitoring(FlowResult):
    """Whether an account keeps to its limits, and what it risks."""

    book: AccountBook
    watch: RiskWatch
