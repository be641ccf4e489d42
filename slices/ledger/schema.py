"""Tables of a ledger.

Every row of an account can be told from the journal, which is what `verifying.verify` does:
a table's columns are written to the journal in the transaction that writes the row.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from slices.domain.accounts import TradingMode, TradingState
from slices.domain.orders import FlowKind, OrderKind, OrderState, Side
from slices.domain.stops import StopKind, StopStatus
from slices.ledger.columns import (
    BracketText,
    Instant,
    Listed,
    PairList,
    TextList,
    WeightList,
    money_column,
    price_column,
    quantity_column,
)

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def account_column(*, is_key: bool = False) -> Column[str]:
    """Return the column that says whose row it is."""
    owner = ForeignKey("accounts.account")
    return Column("account", String(31), owner, primary_key=is_key, nullable=False)


LEDGER_INFO = Table(
    "ledger_info",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("mode", Listed(TradingMode), nullable=False),
    CheckConstraint("number = 1", name="single"),
)

ACCOUNTS = Table(
    "accounts",
    METADATA,
    Column("account", String(31), primary_key=True),
    Column("opened", Date, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("opening_capital", money_column(), nullable=False),
    Column("capital", money_column(), nullable=False),
    Column("cash", money_column(), nullable=False),
    Column("costs", money_column(), nullable=False),
    Column("session", Date),
)

TRADING_STATES = Table(
    "trading_states",
    METADATA,
    Column("account", String(31), primary_key=True),
    Column("state", Listed(TradingState), nullable=False),
    Column("reason", Text, nullable=False),
    Column("by", String(100), nullable=False),
)

ORDERS = Table(
    "orders",
    METADATA,
    Column("client_order_id", String(100), primary_key=True),
    account_column(),
    Column("number", Integer, nullable=False),
    Column("workflow", String(100), nullable=False),
    Column("strategy", String(100), nullable=False),
    Column("session", Date, nullable=False),
    Column("symbol", String(40), nullable=False),
    Column("side", Listed(Side), nullable=False),
    Column("quantity", quantity_column()),
    Column("target_weight", Double),
    Column("kind", Listed(OrderKind), nullable=False),
    Column("limit_price", price_column()),
    Column("stop_price", price_column()),
    Column("trail", Double),
    Column("valid_sessions", Integer),
    Column("reduce_only", Boolean, nullable=False),
    Column("bracket", BracketText),
    Column("sequence", Integer, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("state", Listed(OrderState), nullable=False),
    Column("broker_order_id", String(100), nullable=False),
    Column("filled_quantity", quantity_column(), nullable=False),
    Column("average_price", price_column()),
    Column("reasons", TextList, nullable=False),
    Column("decided_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    UniqueConstraint("account", "number"),
    CheckConstraint("filled_quantity >= 0", name="filled"),
    CheckConstraint("quantity IS NOT NULL OR state = 'denied'", name="quantity"),
)
Index(None, ORDERS.c.account, ORDERS.c.session)
Index(None, ORDERS.c.account, ORDERS.c.state)

FILLS = Table(
    "fills",
    METADATA,
    account_column(is_key=True),
    Column("fill_id", String(100), primary_key=True),
    Column("client_order_id", String(100), nullable=False),
    Column("symbol", String(40), nullable=False),
    Column("quantity", quantity_column(), nullable=False),
    Column("price", price_column(), nullable=False),
    Column("commission", money_column(), nullable=False),
    Column("spread", money_column(), nullable=False),
    Column("impact", money_column(), nullable=False),
    Column("session", Date, nullable=False),
    Column("at", Instant, nullable=False),
    Column("reason", Text, nullable=False),
    CheckConstraint("quantity <> 0", name="quantity"),
    CheckConstraint("commission >= 0 AND spread >= 0 AND impact >= 0", name="costs"),
)
Index(None, FILLS.c.account, FILLS.c.session)
Index(None, FILLS.c.account, FILLS.c.symbol)
Index(None, FILLS.c.client_order_id)

CASH_FLOWS = Table(
    "cash_flows",
    METADATA,
    account_column(is_key=True),
    Column("flow_id", String(100), primary_key=True),
    Column("kind", Listed(FlowKind), nullable=False),
    Column("amount", money_column(), nullable=False),
    Column("session", Date, nullable=False),
    Column("at", Instant, nullable=False),
)
Index(None, CASH_FLOWS.c.account, CASH_FLOWS.c.session)

SHARE_ACTIONS = Table(
    "share_actions",
    METADATA,
    account_column(is_key=True),
    Column("action_id", String(100), primary_key=True),
    Column("symbol", String(40), nullable=False),
    Column("old_quantity", quantity_column(), nullable=False),
    Column("new_quantity", quantity_column(), nullable=False),
    Column("session", Date, nullable=False),
    Column("at", Instant, nullable=False),
    Column("reason", Text, nullable=False),
)
Index(None, SHARE_ACTIONS.c.account, SHARE_ACTIONS.c.session)

POSITIONS = Table(
    "positions",
    METADATA,
    account_column(is_key=True),
    Column("symbol", String(40), primary_key=True),
    Column("quantity", quantity_column(), nullable=False),
    Column("basis", money_column(), nullable=False),
    Column("realized_pnl", money_column(), nullable=False),
    Column("opened", Date),
    Column("newest", String(160), nullable=False),
    CheckConstraint("quantity <> 0 OR basis = 0", name="flat"),
)

MARKS = Table(
    "marks",
    METADATA,
    account_column(is_key=True),
    Column("symbol", String(40), primary_key=True),
    Column("price", price_column(), nullable=False),
    Column("session", Date, nullable=False),
)

EQUITY = Table(
    "equity",
    METADATA,
    account_column(is_key=True),
    Column("session", Date, primary_key=True),
    Column("equity", money_column(), nullable=False),
    Column("cash", money_column(), nullable=False),
    Column("long_value", money_column(), nullable=False),
    Column("short_value", money_column(), nullable=False),
    CheckConstraint("equity = cash + long_value + short_value", name="identity"),
)

STOPS = Table(
    "stops",
    METADATA,
    Column("stop_id", String(100), primary_key=True),
    account_column(),
    Column("number", Integer, nullable=False),
    Column("symbol", String(40), nullable=False),
    Column("kind", Listed(StopKind), nullable=False),
    Column("level", price_column()),
    Column("trail", Double),
    Column("multiple", Double),
    Column("most_sessions", Integer),
    Column("armed", Date, nullable=False),
    Column("status", Listed(StopStatus), nullable=False),
    Column("client_order_id", String(100), nullable=False),
    Column("triggered", Date),
    Column("triggered_level", price_column()),
    UniqueConstraint("account", "number"),
)

DECISIONS = Table(
    "decisions",
    METADATA,
    account_column(is_key=True),
    Column("workflow", String(100), primary_key=True),
    Column("strategy", String(100), primary_key=True),
    Column("session", Date, primary_key=True),
    Column("targets", WeightList, nullable=False),
    Column("details", PairList, nullable=False),
)

JOURNAL = Table(
    "journal",
    METADATA,
    Column("account", String(31), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("subject", String(240), nullable=False),
    Column("payload", PairList, nullable=False),
    Column("digest", String(64), nullable=False),
)
Index(None, JOURNAL.c.account, JOURNAL.c.subject)

JOURNAL_HEADS = Table(
    "journal_heads",
    METADATA,
    Column("account", String(31), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("digest", String(64), nullable=False),
)
