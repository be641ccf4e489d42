"""A measurement as one compressed text.

Equity curves are most of a picture. They are written as columns, which is a tenth of the work.
"""

from __future__ import annotations

import datetime as dt
import zlib
from dataclasses import dataclass, replace
from decimal import Decimal

from slices.domain.accounts import EquityPoint
from slices.domain.errors import IntegrityError
from slices.domain.monitoring import Health, Sample
from slices.domain.observations import Observation
from slices.runtime.codec import decode, encode

FASTEST = 1


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """The system at one moment, and what was made of it.

    Attributes:
        at: When, UTC.
        health: Overall first, then of each part.
    """

    at: dt.datetime
    observation: Observation
    samples: tuple[Sample, ...]
    health: tuple[Health, ...]


@dataclass(frozen=True, kw_only=True)
class Columns:
    """An equity curve; money as words of one text."""

    sessions: tuple[dt.date, ...]
    equity: str
    cash: str
    long_value: str
    short_value: str


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A measurement whose accounts have their curves apart."""

    measurement: Measurement
    curves: tuple[Columns, ...]


def drawn(measurement: Measurement) -> bytes:
    """Write a measurement."""
    observation = measurement.observation
    accounts = observation.accounts or ()
    curves = tuple(_columns(each.curve) for each in accounts)
    if observation.accounts is not None:
        without = tuple(replace(each, curve=()) for each in accounts)
        observation = replace(observation, accounts=without)
    picture = Picture(measurement=replace(measurement, observation=observation), curves=curves)
    return zlib.compress(encode(picture), FASTEST)


def seen(text: bytes) -> Measurement | None:
    """Read what `drawn` wrote; None where another version of the program wrote it.

    Raises:
        IntegrityError: The text is not what was written.
    """
    try:
        picture = decode(zlib.decompress(text))
    except zlib.error as damage:
        raise IntegrityError(path="picture", problem=str(damage)) from None
    except TypeError:
        return None
    if not isinstance(picture, Picture):
        return None
    observation = picture.measurement.observation
    if observation.accounts is not None:
        pairs = zip(observation.accounts, picture.curves, strict=True)
        accounts = tuple(replace(account, curve=_points(each)) for account, each in pairs)
        observation = replace(observation, accounts=accounts)
    return replace(picture.measurement, observation=observation)


def _columns(curve: tuple[EquityPoint, ...]) -> Columns:
    return Columns(
        sessions=tuple(each.session for each in curve),
        equity=" ".join(str(each.equity) for each in curve),
        cash=" ".join(str(each.cash) for each in curve),
        long_value=" ".join(str(each.long_value) for each in curve),
        short_value=" ".join(str(each.short_value) for each in curve),
    )


def _points(columns: Columns) -> tuple[EquityPoint, ...]:
    rows = zip(
        columns.sessions,
        map(Decimal, columns.equity.split()),
        map(Decimal, columns.cash.split()),
        map(Decimal, columns.long_value.split()),
        map(Decimal, columns.short_value.split()),
        strict=True,
    )
    return tuple(
        EquityPoint(session=day, equity=equity, cash=cash, long_value=held, short_value=short)
        for day, equity, cash, held, short in rows
    )
