"""Accounts: at a glance, their curves in words, how much of each limit is used."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slices.domain.accounts import TradingState
from slices.domain.numbers import MINUS
from slices.domain.observations import AccountFacts
from slices.monitor.dashboard.wording import money, percent

if TYPE_CHECKING:
    from slices.domain.limits import LimitLine

NARROW = 0.2
"""Headroom below which a limit is said to be nearly used."""

STATE_TONES = {
    TradingState.ACTIVE: "good",
    TradingState.REDUCING: "warning",
    TradingState.HALTED: "bad",
}


@dataclass(frozen=True, kw_only=True)
class ShownLimit:
    """A limit as it is read.

    Attributes:
        share: Part of the bar that is filled, 0 to 1.
    """

    name: str
    subject: str
    used: str
    allowed: str
    headroom: str
    share: float
    tone: str
    word: str

    @property
    def left(self) -> str:
        """Say how much of it is left, or how far beyond it the account is."""
        beyond = self.headroom.removeprefix(MINUS)
        return f"{beyond} beyond" if beyond != self.headroom else f"{self.headroom} left"


@dataclass(frozen=True, kw_only=True)
class ShownAccount:
    """An account as it is read.

    Attributes:
        anchor: Names its place in the page.
        tightest: The limit with the least headroom; None without limits.
        equity_words: The curve of equity for who does not see it.
        drawdown_words: The curve of drawdown likewise.
        release: The command that lets it trade again; empty where it trades.
    """

    facts: AccountFacts
    anchor: str
    tone: str
    limits: tuple[ShownLimit, ...]
    tightest: ShownLimit | None
    equity_words: str
    drawdown_words: str
    release: str


def shown_accounts(accounts: tuple[AccountFacts, ...]) -> tuple[ShownAccount, ...]:
    """Prepare accounts, in the order of their observation."""
    return tuple(_account(number, each) for number, each in enumerate(accounts, 1))


def _account(number: int, facts: AccountFacts) -> ShownAccount:
    ranked = sorted(facts.limits, key=_least_first)
    limits = tuple(map(shown_limit, ranked))
    return ShownAccount(
        facts=facts,
        anchor=f"account-{number}",
        tone=STATE_TONES[facts.state],
        limits=limits,
        tightest=limits[0] if limits else None,
        equity_words=equity_words(facts),
        drawdown_words=drawdown_words(facts),
        release=_release(facts),
    )


def _least_first(line: LimitLine) -> float:
    return -math.inf if math.isnan(line.headroom) else line.headroom


def _release(facts: AccountFacts) -> str:
    if facts.state is TradingState.ACTIVE:
        return ""
    return f"tradeflows release --account {facts.name} --mode {facts.mode} --reason TEXT"


def shown_limit(line: LimitLine) -> ShownLimit:
    """Write a limit; where its use is not known its bar is full, never empty."""
    is_money = "currency" in line.unit
    is_known = math.isfinite(line.headroom)
    tone, word = _limit_tone(line)
    return ShownLimit(
        name=line.name.removeprefix("max_").replace("_", " "),
        subject=line.subject,
        used=money(line.used) if is_money else percent(line.used),
        allowed=money(line.allowed) if is_money else percent(line.allowed),
        headroom=percent(line.headroom),
        share=min(1.0, max(0.0, 1.0 - line.headroom)) if is_known else 1.0,
        tone=tone,
        word=word,
    )


def _limit_tone(line: LimitLine) -> tuple[str, str]:
    if line.is_breached:
        return "bad", "breached"
    if math.isnan(line.headroom):
        return "warning", "not known"
    return ("warning", "nearly used") if line.headroom < NARROW else ("good", "within")


def equity_words(facts: AccountFacts) -> str:
    """Say what the curve of equity shows."""
    if not facts.curve:
        return "No session has been closed yet."
    first, last = facts.curve[0], facts.curve[-1]
    high = max(facts.curve, key=lambda each: each.equity)
    low = min(facts.curve, key=lambda each: each.equity)
    return (
        f"Equity of {facts.name} from {money(first.equity)} on {first.session} to"
        f" {money(last.equity)} on {last.session}; highest {money(high.equity)} on {high.session},"
        f" lowest {money(low.equity)} on {low.session}."
    )


def drawdown_words(facts: AccountFacts) -> str:
    """Say what the curve of drawdown shows."""
    if not facts.curve:
        return "No session has been closed yet."
    return (
        f"Loss of {facts.name} from its peak: {percent(facts.drawdown)} now,"
        f" {percent(facts.max_drawdown)} at the most."
    )
