"""Tables of what models said, and of what came of it.

Predictions belong to a model and to no account: who trades on them is told by decisions. An
outcome is a row of its own, so that what was predicted is never written a second time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Table,
)

from slices.ledger.columns import Instant
from slices.ledger.schema import METADATA

if TYPE_CHECKING:
    import datetime as dt

KEY = ("model", "version", "session", "symbol")
"""What tells predictions apart."""


def _key() -> tuple[Column[str], Column[int], Column[dt.date], Column[str]]:
    return (
        Column("model", String(40), primary_key=True),
        Column("version", Integer, primary_key=True, autoincrement=False),
        Column("session", Date, primary_key=True),
        Column("symbol", String(40), primary_key=True),
    )


PREDICTIONS = Table(
    "predictions",
    METADATA,
    *_key(),
    Column("matures", Date, nullable=False),
    Column("score", Double, nullable=False),
    Column("probability", Double, nullable=False),
    Column("expected_return", Double, nullable=False),
    Column("lower", Double, nullable=False),
    Column("upper", Double, nullable=False),
    Column("abstains", Boolean, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    CheckConstraint("matures > session", name="matures"),
    CheckConstraint("probability >= 0 AND probability <= 1", name="probability"),
    CheckConstraint("lower <= upper", name="interval"),
)
Index(None, PREDICTIONS.c.matures)

PREDICTION_OUTCOMES = Table(
    "prediction_outcomes",
    METADATA,
    *_key(),
    Column("outcome", Double, nullable=False),
    Column("label", Double, nullable=False),
    Column("known_at", Instant, nullable=False),
    ForeignKeyConstraint(KEY, [PREDICTIONS.c[each] for each in KEY]),
    CheckConstraint("label >= -0.5 AND label <= 0.5", name="label"),
)
