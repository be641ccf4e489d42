"""An account's books as bytes: equal books, equal bytes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import select

from slices.ledger.journal import written
from slices.ledger.venue_tables import VENUE_ACCOUNTS

if TYPE_CHECKING:
    from slices.ledger.opening import Ledger

TABLES = tuple(each for each in VENUE_ACCOUNTS.metadata.sorted_tables if "account" in each.c)
"""Every table that holds rows of accounts, those of the simulated exchange included."""


def canonical_dump(ledger: Ledger, account: str) -> bytes:
    """Return every row of an account, the journal with its digests, as sorted lines of JSON."""
    lines: list[str] = []
    with ledger.reading() as connection:
        for table in TABLES:
            for row in connection.execute(select(table).where(table.c.account == account)):
                values = {name: written(value) for name, value in row._asdict().items()}
                lines.append(json.dumps({"table": table.name, **values}, sort_keys=True))
    return "".join(f"{each}\n" for each in sorted(lines)).encode()
