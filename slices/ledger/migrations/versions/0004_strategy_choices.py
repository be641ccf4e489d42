"""The table of stored choices of a strategy."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "strategy_choices",
        sa.Column("name", sa.String(40), primary_key=True, nullable=False),
        sa.Column("session", sa.Date(), primary_key=True, nullable=False),
        sa.Column("strategy", sa.String(24), nullable=False),
        _text("parameters"),
        _text("symbols"),
        sa.Column("basis", sa.String(24), nullable=False),
        _text("reason"),
        sa.Column("regime", sa.String(40), nullable=False),
        _text("probabilities"),
        sa.Column("decision_sessions", sa.Integer(), nullable=False),
        _name("data_fingerprint"),
        _name("prefect_run_id"),
        _name("mlflow_run_id"),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("decision_sessions > 0", name="decision_sessions"),
    )


def downgrade() -> None:
    """Take the table away."""
    op.drop_table("strategy_choices")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _name(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(64), nullable=False)
