"""Exact numbers of the books: money, quantities and prices as decimals of a fixed scale.

Research counts in floats. What is booked is rounded once, half to even, to a whole number of the
smallest units below, and from then on only added and compared, so that nothing drifts. A ledger
keeps the same numbers as integers of these units.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

from slices.domain.errors import ParameterError

MONEY_UNIT = Decimal("0.000001")
"""Smallest amount of money: a millionth of the account's currency."""

QUANTITY_UNIT = Decimal("0.000000001")
"""Smallest part of a share."""

PRICE_UNIT = Decimal("0.000000001")
"""Smallest difference between two prices."""

MOST_UNITS = 2**63 - 1
"""What a database's integer holds."""

ZERO = Decimal(0)

Number = Decimal | float | int | str


def money(amount: Number) -> Decimal:
    """Round to the smallest amount of money.

    Raises:
        ParameterError: Where it is no finite number, or larger than the books can hold.

    >>> money(0.1) + money(0.2) == money("0.3")
    True
    """
    return _whole(amount, MONEY_UNIT, "money")


def quantity(shares: Number) -> Decimal:
    """Round to the smallest part of a share; see `money`."""
    return _whole(shares, QUANTITY_UNIT, "quantity")


def price(amount: Number) -> Decimal:
    """Round to the smallest difference between two prices; see `money`."""
    return _whole(amount, PRICE_UNIT, "price")


def notional(shares: Decimal, at: Decimal) -> Decimal:
    """Return what shares cost at a price, signed like the shares, in money.

    >>> notional(Decimal("-2.5"), Decimal("10.01"))
    Decimal('-25.025000')
    """
    return money(shares * at)


def _whole(number: Number, unit: Decimal, name: str) -> Decimal:
    exact = _exact(number)
    if exact is None or not exact.is_finite() or abs(exact) > MOST_UNITS * unit:
        raise ParameterError(
            parameter=name, found=str(number), allowed=f"a number up to {MOST_UNITS * unit:,.0f}"
        )
    rounded = exact.quantize(unit, rounding=ROUND_HALF_EVEN)
    return rounded if rounded else rounded.copy_abs()


def _exact(number: Number) -> Decimal | None:
    try:
        return Decimal(repr(float(number)) if isinstance(number, float) else number)
    except InvalidOperation:
        return None
