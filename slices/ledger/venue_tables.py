"""Tables of the simulated exchange: what it knows, whatever the books know.

They lie in the ledger's database for the sake of one file to keep, and are written in
transactions of their own, so that an order can be placed and not yet be booked.
"""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from slices.domain.orders import FlowKind, OrderState
from slices.ledger.columns import Listed, money_column, price_column, quantity_column
from slices.ledger.schema import METADATA

VENUE_ACCOUNTS = Table(
    "venue_accounts",
    METADATA,
    Column("account", String(31), primary_key=True),
    Column("opened", Date, nullable=False),
    Column("calendar", String(40), nullable=False),
    Column("capital", money_column(), nullable=False),
    Column("costs", Text, nullable=False),
    Column("rules", Text, nullable=False),
    Column("session", Date),
    Column("cash", money_column(), nullable=False),
    Column("state", Text, nullable=False),
)

VENUE_ORDERS = Table(
    "venue_orders",
    METADATA,
    Column("account", String(31), primary_key=True),
    Column("client_order_id", String(100), primary_key=True),
    Column("place", Integer, nullable=False),
    Column("number", Integer),
    Column("wanted", Text, nullable=False),
    Column("state", Listed(OrderState), nullable=False),
    Column("filled", quantity_column(), nullable=False),
    Column("paid", money_column(), nullable=False),
    Column("reason", Text, nullable=False),
    UniqueConstraint("account", "place"),
)
Index(None, VENUE_ORDERS.c.account, VENUE_ORDERS.c.state)
Index(None, VENUE_ORDERS.c.account, VENUE_ORDERS.c.number)

VENUE_POSITIONS = Table(
    "venue_positions",
    METADATA,
    Column("account", String(31), primary_key=True),
    Column("symbol", String(40), primary_key=True),
    Column("quantity", quantity_column(), nullable=False),
    Column("basis", money_column(), nullable=False),
    Column("mark", price_column()),
)

VENUE_FILLS = Table(
    "venue_fills",
    METADATA,
    Column("account", String(31), primary_key=True),
    Column("fill_id", String(100), primary_key=True),
    Column("client_order_id", String(100), nullable=False),
    Column("symbol", String(40), nullable=False),
    Column("quantity", quantity_column(), nullable=False),
    Column("price", price_column(), nullable=False),
    Column("commission", money_column(), nullable=False),
    Column("spread", money_column(), nullable=False),
    Column("impact", money_column(), nullable=False),
    Column("session", Date, nullable=False),
    Column("reason", Text, nullable=False),
    CheckConstraint("quantity <> 0", name="quantity"),
)
Index(None, VENUE_FILLS.c.account, VENUE_FILLS.c.session)

VENUE_FLOWS = Table(
    "venue_flows",
    METADATA,
    Column("account", String(31), primary_key=True),
    Column("flow_id", String(100), primary_key=True),
    Column("kind", Listed(FlowKind), nullable=False),
    Column("amount", money_column(), nullable=False),
    Column("session", Date, nullable=False),
)
Index(None, VENUE_FLOWS.c.account, VENUE_FLOWS.c.session)

VENUE_ACTIONS = Table(
    "venue_actions",
    METADATA,
    Column("account", String(31), primary_key=True),
    Column("action_id", String(100), primary_key=True),
    Column("symbol", String(40), nullable=False),
    Column("old_quantity", quantity_column(), nullable=False),
    Column("new_quantity", quantity_column(), nullable=False),
    Column("session", Date, nullable=False),
    Column("reason", Text, nullable=False),
)
Index(None, VENUE_ACTIONS.c.account, VENUE_ACTIONS.c.session)
