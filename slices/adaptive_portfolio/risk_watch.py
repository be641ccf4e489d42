"""Watching an account: metrics, stress, limits, and the events of what is beyond them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from slices.adaptive_portfolio.risk_metrics import (
    account_metrics,
    betas,
    holdings_tail,
    stressed,
    uncovered,
)
from slices.adaptive_portfolio.tiers import tier_standing
from slices.domain.alerts import Level, LimitBreached
from slices.domain.fingerprint import fingerprint
from slices.domain.risk_monitoring import RiskWatch
from slices.quant.limits.headroom import headroom
from slices.quant.panel import read_panel
from slices.runtime import events
from slices.runtime.atomic import write_whole
from slices.runtime.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from slices.domain.accounts import AccountBook
    from slices.domain.alerts import Event
    from slices.domain.dataset import DatasetRef
    from slices.domain.limits import LimitLine, RiskLimits
    from slices.domain.tiers import CapitalTiers

LEVELS = {"max_drawdown": Level.CRITICAL, "max_daily_loss": Level.ERROR}
"""A drawdown halts an account, a day's loss lets it only reduce; of the rest people are told."""


def watch_account(
    bars: DatasetRef,
    book: AccountBook,
    *,
    limits: RiskLimits,
    tiers: CapitalTiers,
    window_sessions: int,
    lookback_sessions: int,
    confidence: float,
) -> RiskWatch:
    """Measure an account and hold it against its limits.

    Args:
        bars: The universe, and what the account holds.
        book: The account.
        limits: What it may not go beyond.
        tiers: Capital tiers.
        window_sessions: Of rolling beta.
        lookback_sessions: On how many returns the tail of today's positions stands.
        confidence: Of value at risk and expected shortfall.
    """
    panel = read_panel(bars)
    sessions, slopes = betas(book, panel, window=window_sessions)
    stresses = stressed(book, panel)
    return RiskWatch(
        account=book.name,
        session=book.session,
        confidence=confidence,
        window_sessions=window_sessions,
        metrics=account_metrics(
            book,
            beta=slopes[-1] if slopes else math.nan,
            window=window_sessions,
            periods_per_year=panel.periods_per_year,
            confidence=confidence,
        ),
        tail=holdings_tail(book, panel, lookback_sessions=lookback_sessions, confidence=confidence),
        sessions=tuple(each.session for each in book.curve),
        gross=_exposures(book, sign=-1),
        net=_exposures(book, sign=1),
        beta_sessions=sessions,
        betas=slopes,
        stresses=stresses,
        uncovered=uncovered(stresses),
        lines=headroom(book, limits),
        tier=tier_standing(book, tiers),
    )


def _exposures(book: AccountBook, *, sign: int) -> tuple[float, ...]:
    return tuple(
        float((each.long_value + sign * each.short_value) / each.equity)
        if each.equity > 0
        else math.nan
        for each in book.curve
    )


def breach_event(watch: RiskWatch, line: LimitLine) -> LimitBreached:
    """Describe a breach to whoever listens."""
    about = f" ({line.subject})" if line.subject else ""
    return LimitBreached(
        subject=watch.account,
        level=LEVELS.get(line.name, Level.WARNING),
        message=f"{watch.account}: {line.name}{about} {line.used:.6g}, allowed {line.allowed:.6g}",
        limit=line.name,
        used=line.used,
        allowed=line.allowed,
        session=str(watch.session or ""),
    )


def announce_once(
    watch: RiskWatch,
    line: LimitLine,
    *,
    mode: str,
    announce: Callable[[Event], object] = events.emit,
) -> bool:
    """Send the event of a breach, unless it was sent of this account and session before.

    A file stands for the announcement, so that looking writes nothing into the books. It is written
    after the event was sent: a crash between lets the event be sent twice, which counts as the same
    incident, rather than never.

    Args:
        watch: Of the account.
        line: The limit it is beyond.
        mode: Of the account's books.
        announce: Who is told.

    Returns:
        Whether it was sent now.
    """
    name = fingerprint(mode, watch.account, str(watch.session), line.name)
    file = load_settings().ledger_folder / "announced" / name
    if file.exists():
        return False
    announce(breach_event(watch, line))
    write_whole(file, b"")
    return True
