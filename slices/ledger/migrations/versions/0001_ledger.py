"""The tables of a ledger."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _create_accounts()
    _create_journal()
    _create_journal_heads()
    _create_ledger_info()
    _create_trading_states()
    _create_cash_flows()
    _create_decisions()
    _create_equity()
    _create_fills()
    _create_marks()
    _create_orders()
    _create_positions()
    _create_share_actions()
    _create_stops()


def downgrade() -> None:
    """Take the tables away."""
    for name in (
        "stops",
        "share_actions",
        "positions",
        "orders",
        "marks",
        "fills",
        "equity",
        "decisions",
        "cash_flows",
        "trading_states",
        "ledger_info",
        "journal_heads",
        "journal",
        "accounts",
    ):
        op.drop_table(name)


def _create_accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("account", sa.String(31), nullable=False),
        sa.Column("opened", sa.Date(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opening_capital", sa.BigInteger(), nullable=False),
        sa.Column("capital", sa.BigInteger(), nullable=False),
        sa.Column("cash", sa.BigInteger(), nullable=False),
        sa.Column("costs", sa.BigInteger(), nullable=False),
        sa.Column("session", sa.Date()),
        sa.PrimaryKeyConstraint("account"),
    )


def _create_journal() -> None:
    op.create_table(
        "journal",
        sa.Column("account", sa.String(31), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("subject", sa.String(240), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("account", "number"),
    )
    op.create_index("ix_journal_account_subject", "journal", ["account", "subject"])


def _create_journal_heads() -> None:
    op.create_table(
        "journal_heads",
        sa.Column("account", sa.String(31), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("account"),
    )


def _create_ledger_info() -> None:
    op.create_table(
        "ledger_info",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("mode", sa.String(24), nullable=False),
        sa.CheckConstraint("number = 1", name="single"),
        sa.PrimaryKeyConstraint("number"),
    )


def _create_trading_states() -> None:
    op.create_table(
        "trading_states",
        sa.Column("account", sa.String(31), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.String(100), nullable=False),
        sa.PrimaryKeyConstraint("account"),
    )


def _create_cash_flows() -> None:
    op.create_table(
        "cash_flows",
        sa.Column("account", sa.String(31), nullable=False),
        sa.Column("flow_id", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.account"]),
        sa.PrimaryKeyConstraint("account", "flow_id"),
    )
    op.create_index("ix_cash_flows_account_session", "cash_flows", ["account", "session"])


def _create_decisions() -> None:
    op.create_table(
        "decisions",
        sa.Column("account", sa.String(31), nullable=False),
        sa.Column("workflow", sa.String(100), nullable=False),
        sa.Column("strategy", sa.String(100), nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("targets", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.account"]),
        sa.PrimaryKeyConstraint("account", "workflow", "strategy", "session"),
    )


def _create_equity() -> None:
    op.create_table(
        "equity",
        sa.Column("account", sa.String(31), nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("equity", sa.BigInteger(), nullable=False),
        sa.Column("cash", sa.BigInteger(), nullable=False),
        sa.Column("long_value", sa.BigInteger(), nullable=False),
        sa.Column("short_value", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("equity = cash + long_value + short_value", name="identity"),
        sa.ForeignKeyConstraint(["account"], ["accounts.account"]),
        sa.PrimaryKeyConstraint("account", "session"),
    )


def _create_fills() -> None:
    op.create_table(
        "fills",
        sa.Column("account", sa.String(31), nullable=False),
        sa.Column("fill_id", sa.String(100), nullable=False),
        sa.Column("client_order_id", sa.String(100), nullable=False),
        sa.Column("symbol", sa.String(40), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("commission", sa.BigInteger(), nullable=False),
        sa.Column("spread", sa.BigInteger(), nullable=False),
        sa.Column("impact", sa.BigInteger(), nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint("commission >= 0 AND spread >= 0 AND impact >= 0", name="costs"),
        sa.CheckConstraint("quantity <> 0", name="quantity"),
        sa.ForeignKeyConstraint(["account"], ["accounts.account"]),
        sa.PrimaryKeyConstraint("account", "fill_id"),
    )
    op.create_index("ix_fills_account_session", "fills", ["account", "session"])
    op.create_index("ix_fills_account_symbol", "fills", ["account", "symbol"])
    op.create_index("ix_fills_client_order_id", "fills", ["client_order_id"])


def _create_marks() -> None:
    op.create_table(
        "marks",
        sa.Column("account", sa.String(31), nullable=False),
        sa.Column("symbol", sa.String(40), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.account"]),
        sa.PrimaryKeyConstraint("account", "symbol"),
    )


def _create_orders() -> None:
    op.create_table(
        "orders",
        sa.Column("client_order_id", sa.String(100), nullable=False),
        sa.Column("account", sa.String(31), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("workflow", sa.String(100), nullable=False),
        sa.Column("strategy", sa.String(100), nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("symbol", sa.String(40), nullable=False),
        sa.Column("side", sa.String(24), nullable=False),
        sa.Column("quantity", sa.BigInteger()),
        sa.Column("target_weight", sa.Double()),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("limit_price", sa.BigInteger()),
        sa.Column("stop_price", sa.BigInteger()),
        sa.Column("trail", sa.Double()),
        sa.Column("valid_sessions", sa.Integer()),
        sa.Column("reduce_only", sa.Boolean(), nullable=False),
        sa.Column("bracket", sa.Text()),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("broker_order_id", sa.String(100), nullable=False),
        sa.Column("filled_quantity", sa.BigInteger(), nullable=False),
        sa.Column("average_price", sa.BigInteger()),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("quantity IS NOT NULL OR state = 'denied'", name="quantity"),
        sa.CheckConstraint("filled_quantity >= 0", name="filled"),
        sa.ForeignKeyConstraint(["account"], ["accounts.account"]),
        sa.PrimaryKeyConstraint("client_order_id"),
        sa.UniqueConstraint("account", "number"),
    )
    op.create_index("ix_orders_account_session", "orders", ["account", "session"])
    op.create_index("ix_orders_account_state", "orders", ["account", "state"])


def _create_positions() -> None:
    op.create_table(
        "positions",
        sa.Column("account", sa.String(31), nullable=False),
        sa.Column("symbol", sa.String(40), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("basis", sa.BigInteger(), nullable=False),
        sa.Column("realized_pnl", sa.BigInteger(), nullable=False),
        sa.Column("opened", sa.Date()),
        sa.Column("newest", sa.String(160), nullable=False),
        sa.CheckConstraint("quantity <> 0 OR basis = 0", name="flat"),
        sa.ForeignKeyConstraint(["account"], ["accounts.account"]),
        sa.PrimaryKeyConstraint("account", "symbol"),
    )


def _create_share_actions() -> None:
    op.create_table(
        "share_actions",
        sa.Column("account", sa.String(31), nullable=False),
        sa.Column("action_id", sa.String(100), nullable=False),
        sa.Column("symbol", sa.String(40), nullable=False),
        sa.Column("old_quantity", sa.BigInteger(), nullable=False),
        sa.Column("new_quantity", sa.BigInteger(), nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.account"]),
        sa.PrimaryKeyConstraint("account", "action_id"),
    )
    op.create_index("ix_share_actions_account_session", "share_actions", ["account", "session"])


def _create_stops() -> None:
    op.create_table(
        "stops",
        sa.Column("stop_id", sa.String(100), nullable=False),
        sa.Column("account", sa.String(31), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("symbol", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("level", sa.BigInteger()),
        sa.Column("trail", sa.Double()),
        sa.Column("multiple", sa.Double()),
        sa.Column("most_sessions", sa.Integer()),
        sa.Column("armed", sa.Date(), nullable=False),
        sa.Column("status", sa.String(24), nullable=False),
        sa.Column("client_order_id", sa.String(100), nullable=False),
        sa.Column("triggered", sa.Date()),
        sa.Column("triggered_level", sa.BigInteger()),
        sa.ForeignKeyConstraint(["account"], ["accounts.account"]),
        sa.PrimaryKeyConstraint("stop_id"),
        sa.UniqueConstraint("account", "number"),
    )
