"""Every test of the ledger runs on SQLite and, where there is a server, on PostgreSQL."""

from tests.support.ledgers import ledger, ledger_url, opened, postgresql

__all__ = ["ledger", "ledger_url", "opened", "postgresql"]
