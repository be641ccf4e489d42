"""The tables of predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import op

if TYPE_CHECKING:
    import datetime as dt

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KEY = ("model", "version", "session", "symbol")


def upgrade() -> None:
    """Make the tables."""
    _create_predictions()
    _create_outcomes()


def downgrade() -> None:
    """Take the tables away."""
    op.drop_table("prediction_outcomes")
    op.drop_table("predictions")


def _key() -> tuple[sa.Column[str], sa.Column[int], sa.Column[dt.date], sa.Column[str]]:
    return (
        sa.Column("model", sa.String(40), primary_key=True, nullable=False),
        sa.Column("version", sa.Integer(), primary_key=True, autoincrement=False, nullable=False),
        sa.Column("session", sa.Date(), primary_key=True, nullable=False),
        sa.Column("symbol", sa.String(40), primary_key=True, nullable=False),
    )


def _number(name: str) -> sa.Column[float]:
    return sa.Column(name, sa.Double(), nullable=False)


def _create_predictions() -> None:
    op.create_table(
        "predictions",
        *_key(),
        sa.Column("matures", sa.Date(), nullable=False),
        _number("score"),
        _number("probability"),
        _number("expected_return"),
        _number("lower"),
        _number("upper"),
        sa.Column("abstains", sa.Boolean(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("matures > session", name="matures"),
        sa.CheckConstraint("probability >= 0 AND probability <= 1", name="probability"),
        sa.CheckConstraint("lower <= upper", name="interval"),
    )
    op.create_index("ix_predictions_matures", "predictions", ["matures"])


def _create_outcomes() -> None:
    op.create_table(
        "prediction_outcomes",
        *_key(),
        _number("outcome"),
        _number("label"),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(KEY, [f"predictions.{each}" for each in KEY]),
        sa.CheckConstraint("label >= -0.5 AND label <= 0.5", name="label"),
    )
