"""What Alembic runs to upgrade a ledger: on the connection, and in the transaction, it is given."""

from __future__ import annotations

from alembic import context

from slices.ledger.schema import METADATA

# Only Alembic provides it; whoever else imports this file upgrades nothing.
config = getattr(context, "config", None)
if config is not None:
    context.configure(connection=config.attributes["connection"], target_metadata=METADATA)
    context.run_migrations()
