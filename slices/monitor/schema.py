"""Tables of what was measured, of incidents, and of what was sent about them.

All of it is history and bookkeeping: no order depends on it, and it may be lost without any harm to
the books.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator

from slices.domain.alerts import Level
from slices.ledger.columns import Listed

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

METADATA = MetaData()
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)


class Moment(TypeDecorator[dt.datetime]):
    """An instant in UTC, as whole microseconds: small, exact and in order."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """Count microseconds; an instant without a zone raises TypeError."""
        return None if value is None else (value - EPOCH) // MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> dt.datetime | None:  # noqa: ARG002
        """Return the instant that was written."""
        return None if value is None else EPOCH + value * MICROSECOND


class Figure(TypeDecorator[float]):
    """A number; NaN is kept as nothing, which is how SQLite understands it."""

    impl = Double
    cache_ok = True

    def process_bind_param(self, value: float | None, dialect: Dialect) -> float | None:  # noqa: ARG002
        """Write nothing where it is undefined."""
        return None if value is None or math.isnan(value) else float(value)

    def process_result_value(self, value: float | None, dialect: Dialect) -> float:  # noqa: ARG002
        """Read NaN where nothing stands."""
        return math.nan if value is None else value


# What is measured over and over: `written` and `value` are the newest point that was kept.
SERIES = Table(
    "series",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("metric", String(100), nullable=False),
    Column("labels", Text, nullable=False),
    Column("written", Moment, nullable=False),
    Column("value", Figure),
    Column("is_present", Boolean, nullable=False),
    UniqueConstraint("metric", "labels"),
)

Index("ix_series_present", SERIES.c.is_present)

SAMPLES = Table(
    "samples",
    METADATA,
    Column("series", Integer, ForeignKey("series.number"), primary_key=True),
    Column("at", Moment, primary_key=True),
    Column("value", Figure),
    sqlite_with_rowid=False,
)

PICTURES = Table(
    "pictures",
    METADATA,
    Column("name", String(100), primary_key=True),
    Column("at", Moment, nullable=False),
    Column("text", LargeBinary, nullable=False),
)

# The columns are the fields of `Incident`.
INCIDENTS = Table(
    "incidents",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("rule", String(100), nullable=False),
    Column("subject", Text, nullable=False),
    Column("level", Listed(Level), nullable=False),
    Column("message", Text, nullable=False),
    Column("next_step", Text, nullable=False),
    Column("value", Figure),
    Column("threshold", Figure),
    Column("count", Integer, nullable=False),
    Column("opened", Moment, nullable=False),
    Column("last_seen", Moment, nullable=False),
    Column("resolved", Moment),
    Column("notified", Moment),
    Column("attempts", Integer, nullable=False, default=0),
    Column("delivered", Moment),
    Column("acknowledged", Moment),
    Column("acknowledged_by", Text, nullable=False, default=""),
    Column("silenced_until", Moment),
)
Index("ix_incidents_rule_subject", INCIDENTS.c.rule, INCIDENTS.c.subject)
Index("ix_incidents_opened", INCIDENTS.c.opened)
Index("ix_incidents_resolved", INCIDENTS.c.resolved)

# What an incident has counted already: the ends of flow runs.
SIGHTINGS = Table(
    "sightings",
    METADATA,
    Column("rule", String(100), primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("sighting", Text, primary_key=True),
    Column("at", Moment, nullable=False),
)

SILENCES = Table(
    "silences",
    METADATA,
    Column("rule", String(100), primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("until", Moment, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

DELIVERIES = Table(
    "deliveries",
    METADATA,
    Column("event_id", String(36), primary_key=True),
    Column("incident", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("sent_at", Moment, nullable=False),
    Column("delivered_at", Moment),
    Column("failure", Text, nullable=False, default=""),
)
Index("ix_deliveries_incident", DELIVERIES.c.incident)

CURSORS = Table(
    "cursors",
    METADATA,
    Column("name", String(100), primary_key=True),
    Column("value", Integer, nullable=False),
)
