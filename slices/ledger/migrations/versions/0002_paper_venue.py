"""The tables of the simulated exchange."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _create_accounts()
    _create_orders()
    _create_positions()
    _create_fills()
    _create_flows()
    _create_actions()


def downgrade() -> None:
    """Take the tables away."""
    for name in ("actions", "flows", "fills", "positions", "orders", "accounts"):
        op.drop_table(f"venue_{name}")


def _account() -> sa.Column[str]:
    return sa.Column("account", sa.String(31), primary_key=True, nullable=False)


def _units(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _create_accounts() -> None:
    op.create_table(
        "venue_accounts",
        _account(),
        sa.Column("opened", sa.Date(), nullable=False),
        sa.Column("calendar", sa.String(40), nullable=False),
        _units("capital"),
        sa.Column("costs", sa.Text(), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("session", sa.Date()),
        _units("cash"),
        sa.Column("state", sa.Text(), nullable=False),
    )


def _create_orders() -> None:
    op.create_table(
        "venue_orders",
        _account(),
        sa.Column("client_order_id", sa.String(100), primary_key=True, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer()),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        _units("filled"),
        _units("paid"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.UniqueConstraint("account", "place"),
    )
    op.create_index("ix_venue_orders_account_state", "venue_orders", ["account", "state"])
    op.create_index("ix_venue_orders_account_number", "venue_orders", ["account", "number"])


def _create_positions() -> None:
    op.create_table(
        "venue_positions",
        _account(),
        sa.Column("symbol", sa.String(40), primary_key=True, nullable=False),
        _units("quantity"),
        _units("basis"),
        _units("mark", nullable=True),
    )


def _create_fills() -> None:
    op.create_table(
        "venue_fills",
        _account(),
        sa.Column("fill_id", sa.String(100), primary_key=True, nullable=False),
        sa.Column("client_order_id", sa.String(100), nullable=False),
        sa.Column("symbol", sa.String(40), nullable=False),
        _units("quantity"),
        _units("price"),
        _units("commission"),
        _units("spread"),
        _units("impact"),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint("quantity <> 0", name="quantity"),
    )
    op.create_index("ix_venue_fills_account_session", "venue_fills", ["account", "session"])


def _create_flows() -> None:
    op.create_table(
        "venue_flows",
        _account(),
        sa.Column("flow_id", sa.String(100), primary_key=True, nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        _units("amount"),
        sa.Column("session", sa.Date(), nullable=False),
    )
    op.create_index("ix_venue_flows_account_session", "venue_flows", ["account", "session"])


def _create_actions() -> None:
    op.create_table(
        "venue_actions",
        _account(),
        sa.Column("action_id", sa.String(100), primary_key=True, nullable=False),
        sa.Column("symbol", sa.String(40), nullable=False),
        _units("old_quantity"),
        _units("new_quantity"),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
    )
    op.create_index("ix_venue_actions_account_session", "venue_actions", ["account", "session"])
