"""Reading JSON values without guessing: what is missing or of another kind is refused by name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from slices.domain.exact import ZERO, money, price, quantity
from slices.live_trade.wire import malformed

EXCHANGE_ZONE = ZoneInfo("America/New_York")


@dataclass(frozen=True)
class Fields:
    """One JSON object; `what` names it in messages.

    Every method raises `MalformedAnswerError` where the value is absent or of another kind.
    """

    what: str
    values: Mapping[str, object]

    def text(self, name: str) -> str:
        """Return a string that is not empty."""
        value = self.values.get(name)
        if isinstance(value, str) and value:
            return value
        raise malformed(f"{self.what}: {name} is {value!r}, not a text")

    def flag(self, name: str) -> bool:
        """Return a truth value; what is absent is false."""
        value = self.values.get(name)
        if isinstance(value, bool) or value is None:
            return bool(value)
        raise malformed(f"{self.what}: {name} is {value!r}, not true or false")

    def number(self, name: str) -> Decimal:
        """Return a finite number, written as text or exactly."""
        value = self.values.get(name)
        try:
            found = Decimal(value) if isinstance(value, str | int | Decimal) else None
        except InvalidOperation:
            found = None
        if found is None or isinstance(value, bool) or not found.is_finite():
            raise malformed(f"{self.what}: {name} is {value!r}, not a number")
        return found

    def money(self, name: str) -> Decimal:
        """Return an amount of money."""
        return money(self.number(name))

    def price(self, name: str) -> Decimal:
        """Return a price above 0."""
        found = price(self.number(name))
        if found <= ZERO:
            raise malformed(f"{self.what}: {name} is {found}, not a price")
        return found

    def shares(self, name: str) -> Decimal:
        """Return a number of shares, signed as given."""
        return quantity(self.number(name))

    def has(self, name: str) -> bool:
        """Tell whether there is a value."""
        return self.values.get(name) not in (None, "")

    def instant(self, name: str) -> dt.datetime:
        """Return an instant (UTC)."""
        try:
            found = dt.datetime.fromisoformat(self.text(name))
        except ValueError:
            found = None
        if found is None or found.tzinfo is None:
            raise malformed(f"{self.what}: {name} is {self.values.get(name)!r}, not an instant")
        return found.astimezone(dt.UTC)

    def date(self, name: str) -> dt.date:
        """Return a date."""
        try:
            return dt.date.fromisoformat(self.text(name))
        except ValueError:
            raise malformed(
                f"{self.what}: {name} is {self.values.get(name)!r}, not a date"
            ) from None


def fields(answer: object, what: str) -> Fields:
    """Take an answer for one JSON object.

    Raises:
        MalformedAnswerError: Where it is none.
    """
    if isinstance(answer, Mapping):
        return Fields(what, answer)
    raise malformed(f"{what}: an object was promised, found {type(answer).__name__}")


def rows(answer: object, what: str) -> tuple[Fields, ...]:
    """Take an answer for a list of JSON objects.

    Raises:
        MalformedAnswerError: Where it is none.
    """
    if isinstance(answer, list):
        return tuple(fields(each, what) for each in answer)
    raise malformed(f"{what}: a list was promised, found {type(answer).__name__}")


def exchange_date(instant: dt.datetime) -> dt.date:
    """Return the exchange's date of an instant.

    >>> exchange_date(dt.datetime(2024, 1, 6, 0, 30, tzinfo=dt.UTC))
    datetime.date(2024, 1, 5)
    """
    return instant.astimezone(EXCHANGE_ZONE).date()
