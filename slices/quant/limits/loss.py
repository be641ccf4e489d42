"""Losses that take the right to trade: of a day, and since the peak."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.accounts import TradingState
from slices.domain.limits import Breach, ReasonCode
from slices.quant.limits.numbers import exact, in_percent

if TYPE_CHECKING:
    from decimal import Decimal

    from slices.domain.accounts import AccountBook
    from slices.domain.limits import RiskLimits


def state_after(book: AccountBook, limits: RiskLimits) -> tuple[TradingState, str] | None:
    """Return the state losses put an account into, and why; None where they are within limits.

    A loss that is as large as its limit counts: a day's leaves only reducing orders, one since
    the peak leaves none.
    """
    drawdown = drawdown_breach(book, book.equity, limits)
    if drawdown is not None:
        return TradingState.HALTED, str(drawdown)
    loss = daily_loss_breach(book, book.equity, limits)
    return None if loss is None else (TradingState.REDUCING, str(loss))


def drawdown_breach(book: AccountBook, equity: Decimal, limits: RiskLimits) -> Breach | None:
    """Return whether as much as allowed was lost since the peak."""
    return _lost(book.peak_equity, equity, limits.max_drawdown, ReasonCode.DRAWDOWN)


def daily_loss_breach(book: AccountBook, equity: Decimal, limits: RiskLimits) -> Breach | None:
    """Return whether as much as allowed was lost since the close before."""
    return _lost(book.day_start_equity, equity, limits.max_daily_loss, ReasonCode.DAILY_LOSS)


def fraction_lost(before: Decimal, equity: Decimal) -> Decimal:
    """Return the fraction of equity that was lost, at least 0; all where there was nothing.

    >>> from decimal import Decimal
    >>> fraction_lost(Decimal(200), Decimal(150))
    Decimal('0.25')
    """
    return max(before * 0, 1 - equity / before) if before > 0 else before * 0 + 1


def _lost(before: Decimal, equity: Decimal, most: float, code: ReasonCode) -> Breach | None:
    if before > 0 and equity > before * (1 - exact(most)):
        return None
    found = f"a loss of {in_percent(fraction_lost(before, equity))}"
    return Breach(code=code, found=found, allowed=f"less than {in_percent(exact(most))}")
