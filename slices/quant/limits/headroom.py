"""How much of every limit an account uses, and how much is left."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from typing import TYPE_CHECKING

from slices.domain.exact import ZERO
from slices.domain.limits import LimitLine, RiskLimits
from slices.quant.limits.exposure import Exposure, exposure_of
from slices.quant.limits.loss import daily_loss_breach, drawdown_breach, fraction_lost
from slices.quant.limits.numbers import PRECISION, exact
from slices.quant.limits.projected import sector_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from slices.domain.accounts import AccountBook, Mark

OF_EQUITY = "fraction of equity"
MONEY = "account currency"
LEVERAGE = "max_leverage"


@dataclass(frozen=True, kw_only=True)
class _Used:
    name: str
    value: Decimal
    most: float
    subject: str = ""


def headroom(
    book: AccountBook, limits: RiskLimits, *, marks: Sequence[Mark] = ()
) -> tuple[LimitLine, ...]:
    """Hold an account against its limits as the gate does.

    Args:
        book: Positions and open orders; each of these counts as filled or not, whichever uses
            more of a limit.
        limits: Limits that are not set have no line.
        marks: Newer prices than those of the positions; also of what is only ordered.

    Returns:
        One line for each limit. Losses breach a limit from the limit itself on, everything else
        from the smallest unit beyond it. Of leverage is left what may still be borrowed: an
        account without debt has a leverage of 1 and all of it left.
    """
    with localcontext(Context(prec=PRECISION)):
        exposure = exposure_of(book, marks=marks)
        ratios = (_ratio(each, exposure) for each in _ratios(exposure, limits))
        return (*ratios, *_positions(exposure, limits), *_losses(book, exposure, limits))


def _ratios(exposure: Exposure, limits: RiskLimits) -> Iterator[_Used]:
    net = max(abs(exposure.net_lowest), abs(exposure.net_highest))
    owed = exposure.equity + max(ZERO, -exposure.cash)
    yield _Used(name="max_gross_exposure", value=exposure.gross, most=limits.max_gross_exposure)
    yield _Used(name="max_net_exposure", value=net, most=limits.max_net_exposure)
    yield _Used(name=LEVERAGE, value=owed, most=limits.max_leverage)
    subject, value = _largest(exposure)
    yield _Used(
        name="max_concentration", value=value, most=limits.max_concentration, subject=subject
    )
    if limits.max_sector_exposure is not None:
        yield _largest_sector(exposure, limits, limits.max_sector_exposure)


def _largest(exposure: Exposure) -> tuple[str, Decimal]:
    values = [(exposure.value_of(each), each) for each in sorted(exposure.ranges)]
    value, symbol = max(values, key=lambda each: each[0], default=(ZERO, ""))
    return symbol, value


def _largest_sector(exposure: Exposure, limits: RiskLimits, most: float) -> _Used:
    values = [
        (sector_value(exposure, each, limits), limits.sectors.get(each, each))
        for each in sorted(exposure.ranges)
    ]
    value, sector = max(values, key=lambda each: each[0], default=(ZERO, ""))
    return _Used(name="max_sector_exposure", value=value, most=most, subject=sector)


def _ratio(used: _Used, exposure: Exposure) -> LimitLine:
    most, equity = exact(used.most), exposure.equity
    return _line(
        used,
        OF_EQUITY,
        float(used.value / equity) if equity > 0 else math.nan,
        is_breached=used.value > most * equity,
    )


def _positions(exposure: Exposure, limits: RiskLimits) -> Iterator[LimitLine]:
    if limits.max_position_notional is not None:
        subject, value = _largest(exposure)
        most = limits.max_position_notional
        used = _Used(name="max_position_notional", value=value, most=most, subject=subject)
        yield _line(used, MONEY, float(value), is_breached=value > exact(most))


def _losses(book: AccountBook, exposure: Exposure, limits: RiskLimits) -> Iterator[LimitLine]:
    equity = exposure.equity
    for name, before, most, breach in (
        ("max_daily_loss", book.day_start_equity, limits.max_daily_loss,
         daily_loss_breach(book, equity, limits)),
        ("max_drawdown", book.peak_equity, limits.max_drawdown,
         drawdown_breach(book, equity, limits)),
    ):  # fmt: skip
        lost = fraction_lost(before, equity)
        used = _Used(name=name, value=lost, most=most)
        yield _line(used, OF_EQUITY, float(lost), is_breached=breach is not None)


def _line(used: _Used, unit: str, amount: float, *, is_breached: bool) -> LimitLine:
    return LimitLine(
        name=used.name,
        subject=used.subject,
        unit=unit,
        used=amount,
        allowed=used.most,
        headroom=_left(used, amount, is_breached=is_breached),
        is_breached=is_breached,
    )


def _left(used: _Used, amount: float, *, is_breached: bool) -> float:
    if used.name != LEVERAGE or math.isnan(amount):
        return 1.0 - amount / used.most
    if used.most > 1:
        return 1.0 - (amount - 1.0) / (used.most - 1.0)
    return 1.0 - amount / used.most if is_breached else 1.0
