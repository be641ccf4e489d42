"""Limits held against what an order would lead to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from slices.domain.exact import ZERO
from slices.domain.limits import Breach, ReasonCode, RiskLimits
from slices.quant.limits.changes import Change
from slices.quant.limits.exposure import Exposure
from slices.quant.limits.numbers import exact, in_money, in_shares, of_equity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal


@dataclass(frozen=True, kw_only=True)
class Projection:
    """An order, and the exposure before and after it.

    Attributes:
        after: With what cash leaves of a purchase towards a weight.
        in_full: With all of it: one position may get as large as its weight whatever cash is
            left, since the venue shares it out in another way.
    """

    change: Change
    before: Exposure
    after: Exposure
    in_full: Exposure
    limits: RiskLimits

    @property
    def symbol(self) -> str:
        """Of the order."""
        return self.change.order.symbol


def permission_breaches(case: Projection) -> Iterator[Breach]:
    """Yield whether the symbol may be traded this way."""
    lowest = case.after.range_of(case.symbol).lowest
    if case.change.order.reduce_only and not case.change.is_smaller:
        held = in_shares(case.before.range_of(case.symbol).certain)
        found = f"an order for {in_shares(case.change.shares)} with {held} held"
        yield _breach(ReasonCode.REDUCE_ONLY_INCREASES, found, "less of what is held")
    if case.symbol in case.limits.restricted and not case.change.is_smaller:
        yield _breach(ReasonCode.RESTRICTED, case.symbol, "reducing a position in it")
    if not case.limits.allow_short and case.change.shares < 0 and lowest < 0:
        yield _breach(ReasonCode.SHORT_NOT_ALLOWED, in_shares(lowest), "0 shares or more")


def exposure_breaches(case: Projection) -> Iterator[Breach]:
    """Yield the exposures that would be too large; never for an order that lessens them."""
    if case.change.is_nearer:
        return
    yield from _position(case)
    yield from _ratio(case, ReasonCode.GROSS_EXPOSURE, case.after.gross)
    yield from _ratio(case, ReasonCode.CONCENTRATION, case.in_full.value_of(case.symbol))
    yield from _sector(case)


def net_breaches(before: Exposure, after: Exposure, limits: RiskLimits) -> Iterator[Breach]:
    """Yield whether longs less shorts would get too large in a direction in which they grow."""
    most = exact(limits.max_net_exposure)
    for grown, net in (
        (after.net_highest > before.net_highest, after.net_highest),
        (after.net_lowest < before.net_lowest, -after.net_lowest),
    ):
        if grown and net > most * after.equity:
            found, allowed = of_equity(net, after.equity), _allowed(most)
            yield _breach(ReasonCode.NET_EXPOSURE, found, allowed)


def cash_breaches(case: Projection) -> Iterator[Breach]:
    """Yield whether a purchase is paid for: by cash, and by debt as far as leverage allows.

    A purchase towards a weight is cut by the venue to what cash there is.
    """
    most, equity, cash = exact(case.limits.max_leverage), case.after.equity, case.after.cash
    grows = case.change.is_purchase and not case.change.is_weight
    if most <= 1 and grows and cash < 0:
        found = f"{in_money(cash)} of cash after it"
        yield _breach(ReasonCode.INSUFFICIENT_CASH, found, f"{in_money(ZERO)} or more")
        return
    used = equity + max(ZERO, -cash)
    if most > 1 and grows and used > most * equity:
        yield _breach(ReasonCode.LEVERAGE, of_equity(used, equity), _allowed(most))
    if most < 1 and not case.change.is_nearer:
        yield _breach(ReasonCode.LEVERAGE, of_equity(used, equity), _allowed(most))
    if case.limits.settled_cash_only and case.change.is_purchase and case.after.settled < 0:
        found = f"{in_money(case.after.settled)} of settled cash after it"
        yield _breach(ReasonCode.UNSETTLED_CASH, found, f"{in_money(ZERO)} or more")


def sector_value(exposure: Exposure, symbol: str, limits: RiskLimits) -> Decimal:
    """Add up the largest absolute position values of a symbol's sector, in money.

    A symbol without a sector is one of its own.
    """
    sector = limits.sectors.get(symbol)
    if sector is None:
        return exposure.value_of(symbol)
    members = (each for each in exposure.ranges if limits.sectors.get(each) == sector)
    return sum((exposure.value_of(each) for each in members), ZERO)


def _position(case: Projection) -> Iterator[Breach]:
    most, value = case.limits.max_position_notional, case.in_full.value_of(case.symbol)
    if most is not None and value > exact(most):
        yield _breach(ReasonCode.POSITION_LIMIT, in_money(value), in_money(exact(most)))


def _sector(case: Projection) -> Iterator[Breach]:
    if case.limits.max_sector_exposure is not None:
        value = sector_value(case.in_full, case.symbol, case.limits)
        yield from _ratio(case, ReasonCode.SECTOR_EXPOSURE, value)


def _ratio(case: Projection, code: ReasonCode, value: Decimal) -> Iterator[Breach]:
    most = exact(
        {
            ReasonCode.GROSS_EXPOSURE: case.limits.max_gross_exposure,
            ReasonCode.CONCENTRATION: case.limits.max_concentration,
            ReasonCode.SECTOR_EXPOSURE: case.limits.max_sector_exposure or 0.0,
        }[code]
    )
    if value > most * case.after.equity:
        yield _breach(code, of_equity(value, case.after.equity), _allowed(most))


def _allowed(most: Decimal) -> str:
    return of_equity(most, exact(1.0))


def _breach(code: ReasonCode, found: str, allowed: str) -> Breach:
    return Breach(code=code, found=found, allowed=allowed)
