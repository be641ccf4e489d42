"""Limits as exact numbers, and numbers as text with units."""

from __future__ import annotations

from decimal import Decimal

PRECISION = 80
"""Digits that hold every product of two booked numbers and a ratio."""


def exact(number: float) -> Decimal:
    """Return the decimal a float is written as.

    >>> exact(0.1)
    Decimal('0.1')
    """
    return Decimal(repr(number))


def in_money(amount: Decimal) -> str:
    """Write an amount, to the smallest unit where it has one.

    >>> in_money(Decimal("1200.500000"))
    '1,200.50'
    """
    return _written(amount, 2, 6)


def in_shares(quantity: Decimal) -> str:
    """Write a number of shares.

    >>> in_shares(Decimal("-2.500000000"))
    '-2.5 shares'
    """
    return f"{_written(quantity, 0, 9)} shares"


def of_equity(amount: Decimal, equity: Decimal) -> str:
    """Write money as a part of equity.

    >>> of_equity(Decimal(50), Decimal(200))
    '25.00 % of equity'
    """
    if equity <= 0:
        return f"{in_money(amount)} with equity of {in_money(equity)}"
    return f"{in_percent(amount / equity)} of equity"


def in_percent(fraction: Decimal) -> str:
    """Write a fraction.

    >>> in_percent(Decimal("0.123456"))
    '12.3456 %'
    """
    return f"{_written(100 * fraction, 2, 8)} %"


def _written(number: Decimal, least: int, most: int) -> str:
    whole, _, places = f"{number:,.{most}f}".partition(".")
    places = places.rstrip("0").ljust(least, "0")
    return f"{whole}.{places}" if places else whole
