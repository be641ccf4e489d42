"""The journal: everything that was written, in a chain in which each entry seals the one before.

An entry's digest covers its account, number, instant, kind, subject, payload and the digest of
the entry before. The newest number and digest of each account, the head, are kept apart, so that
entries missing at the end are found too. Whoever can write the whole database can make a new
chain; who wants to know about that notes a head elsewhere and looks for it later.

Time never runs backwards within an account's journal: an entry with an instant before that of the
newest entry gets the newest entry's, and keeps its own in the payload as `given_at`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, insert, select, update

from slices.domain.orders import Bracket
from slices.ledger.columns import Pairs, bracket_text, pairs_text
from slices.ledger.schema import JOURNAL, JOURNAL_HEADS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

    from slices.ledger.opening import Ledger

EVERYBODY = ""
"""The account of what concerns all accounts."""

# Built once: to build a statement takes longer than to run it.
_MINE = JOURNAL_HEADS.c.account == bindparam("owner")
HEAD = select(JOURNAL_HEADS).where(_MINE)
NEW_HEAD = update(JOURNAL_HEADS).where(_MINE)
ENTRY = insert(JOURNAL)


@dataclass(frozen=True, kw_only=True)
class JournalEntry:
    """One thing that was written.

    Attributes:
        number: Place in the account's chain, from 1 on.
        kind: What was written and how: `order.intended`, `fill.booked`, ...
        subject: Name of what it is about, such as a client order id.
        payload: Names and values of what was written.
        digest: SHA-256 of this entry and the digest before.
    """

    account: str
    number: int
    at: dt.datetime
    kind: str
    subject: str
    payload: Pairs
    digest: str


@dataclass(frozen=True, kw_only=True)
class Note:
    """An entry before it has its place."""

    kind: str
    subject: str
    payload: Pairs = ()


def append(
    connection: Connection,
    account: str,
    *,
    kind: str,
    subject: str,
    payload: Sequence[tuple[str, str]],
    at: dt.datetime,
) -> None:
    """Write one entry in the transaction of the connection."""
    append_all(connection, account, [Note(kind=kind, subject=subject, payload=tuple(payload))], at)


def append_all(
    connection: Connection, account: str, notes: Iterable[Note], at: dt.datetime
) -> None:
    """Write entries in the given order; see `append`."""
    head = connection.execute(HEAD, {"owner": account}).one_or_none()
    entries: list[JournalEntry] = []
    number, digest, newest = (head.number, head.digest, head.at) if head else (0, "", at)
    for note in notes:
        number += 1
        entry = _sealed(account, number, note, given=at, newest=newest, before=digest)
        entries.append(entry)
        digest, newest = entry.digest, entry.at
    if not entries:
        return
    connection.execute(ENTRY, [vars(each) for each in entries])
    values = {"number": number, "digest": digest, "at": newest}
    if head is None:
        connection.execute(insert(JOURNAL_HEADS).values(account=account, **values))
    else:
        connection.execute(NEW_HEAD, {"owner": account, **values})


def entries(
    ledger: Ledger, *, account: str | None = None, subject: str | None = None
) -> tuple[JournalEntry, ...]:
    """Read the journal by account and number; all of it, or of one account or subject."""
    query = select(JOURNAL).order_by(JOURNAL.c.account, JOURNAL.c.number)
    if account is not None:
        query = query.where(JOURNAL.c.account == account)
    if subject is not None:
        query = query.where(JOURNAL.c.subject == subject)
    with ledger.reading() as connection:
        return tuple(JournalEntry(**row._asdict()) for row in connection.execute(query))


def digest_of(entry: JournalEntry, *, before: str) -> str:
    """Return what the digest of an entry has to be."""
    words = (
        before,
        entry.account,
        str(entry.number),
        written(entry.at),
        entry.kind,
        entry.subject,
        pairs_text(entry.payload),
    )
    return hashlib.sha256("\x1f".join(words).encode()).hexdigest()


def written(value: object) -> str:
    """Write a value of a row in the one way the journal knows; None is an empty text."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}" if value else "0"
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Bracket):
        return bracket_text(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "; ".join("=".join(map(str, _parts(each))) for each in value)
    return repr(value) if isinstance(value, float) else str(value)


def _parts(item: object) -> tuple[object, ...]:
    return item if isinstance(item, tuple) else (item,)


def _sealed(
    account: str, number: int, note: Note, *, given: dt.datetime, newest: dt.datetime, before: str
) -> JournalEntry:
    is_late = given < newest
    entry = JournalEntry(
        account=account,
        number=number,
        at=newest if is_late else given.astimezone(dt.UTC),
        kind=note.kind,
        subject=note.subject,
        payload=(*note.payload, ("given_at", written(given))) if is_late else note.payload,
        digest="",
    )
    return JournalEntry(**{**vars(entry), "digest": digest_of(entry, before=before)})
