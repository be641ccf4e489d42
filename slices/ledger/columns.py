"""Column types: exact numbers as integers, instants in UTC, words of a closed list, small texts."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, TypeVar

from sqlalchemy import BigInteger, DateTime, String, Text
from sqlalchemy.types import TypeDecorator

from slices.domain.exact import MONEY_UNIT, MOST_UNITS, PRICE_UNIT, QUANTITY_UNIT
from slices.domain.orders import Bracket

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

Word = TypeVar("Word", bound=StrEnum)
Pairs = tuple[tuple[str, str], ...]
Weights = tuple[tuple[str, float], ...]


class Scaled(TypeDecorator[Decimal]):
    """A decimal of a fixed scale, kept as a whole number of its smallest unit."""

    impl = BigInteger
    cache_ok = True

    def __init__(self, unit: Decimal) -> None:
        super().__init__()
        self.unit = unit

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """Count the units; a value between two units was never booked by `domain.exact`."""
        if value is None:
            return None
        units = value / self.unit
        if not units.is_finite() or units != int(units) or abs(units) > MOST_UNITS:
            message = f"{value} is no whole number of {self.unit} that the books can hold"
            raise ValueError(message)
        return int(units)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        """Return the decimal that was written."""
        return None if value is None else value * self.unit


class Instant(TypeDecorator[dt.datetime]):
    """An instant in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:  # noqa: ARG002
        """Refuse an instant without a zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            message = f"{value} has no time zone"
            raise ValueError(message)
        return value.astimezone(dt.UTC)

    def process_result_value(
        self,
        value: dt.datetime | None,
        dialect: Dialect,  # noqa: ARG002
    ) -> dt.datetime | None:
        """Give the zone back where the database keeps none."""
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


class Listed(TypeDecorator[Word], Generic[Word]):
    """One of the words of an enumeration."""

    impl = String(24)
    cache_ok = True

    def __init__(self, words: type[Word]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: Word | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Write the word."""
        return None if value is None else self.words(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> Word | None:  # noqa: ARG002
        """Read the word; one that is not listed is damage and raises ValueError."""
        return None if value is None else self.words(value)


class TextList(TypeDecorator[tuple[str, ...]]):
    """A tuple of texts."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str:  # noqa: ARG002
        """Write a JSON list."""
        return json.dumps(list(value or ()), ensure_ascii=False)

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[str, ...]:  # noqa: ARG002
        """Read a JSON list."""
        return tuple(json.loads(value or "[]"))


class PairList(TypeDecorator[Pairs]):
    """Names with their values, as texts."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Pairs | None, dialect: Dialect) -> str:  # noqa: ARG002
        """Write a JSON list of pairs."""
        return pairs_text(value or ())

    def process_result_value(self, value: str | None, dialect: Dialect) -> Pairs:  # noqa: ARG002
        """Read a JSON list of pairs."""
        return tuple((str(name), str(text)) for name, text in json.loads(value or "[]"))


class WeightList(TypeDecorator[Weights]):
    """Symbols with their weights, every bit of them."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Weights | None, dialect: Dialect) -> str:  # noqa: ARG002
        """Write a JSON list of pairs."""
        return json.dumps([[name, float(weight)] for name, weight in value or ()])

    def process_result_value(self, value: str | None, dialect: Dialect) -> Weights:  # noqa: ARG002
        """Read a JSON list of pairs."""
        return tuple((str(name), float(weight)) for name, weight in json.loads(value or "[]"))


class BracketText(TypeDecorator[Bracket]):
    """The exits that an order brings with it."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Bracket | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Write a JSON object."""
        return None if value is None else bracket_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Bracket | None:  # noqa: ARG002
        """Read a JSON object."""
        return None if value is None else Bracket(**json.loads(value))


def pairs_text(pairs: Pairs) -> str:
    """Write names with their values in the one way that is hashed."""
    return json.dumps([list(each) for each in pairs], ensure_ascii=False, separators=(",", ":"))


def bracket_text(bracket: Bracket) -> str:
    """Write a bracket in one way."""
    return json.dumps(asdict(bracket), sort_keys=True)


def money_column() -> Scaled:
    """Return the type of a column of money."""
    return Scaled(MONEY_UNIT)


def quantity_column() -> Scaled:
    """Return the type of a column of shares."""
    return Scaled(QUANTITY_UNIT)


def price_column() -> Scaled:
    """Return the type of a column of prices."""
    return Scaled(PRICE_UNIT)
