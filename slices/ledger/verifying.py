"""Proving that the books are what was written: nothing changed, added or taken away since.

The journal's chains are followed to their heads; every row is compared with what the journal says
of it; cash, costs, capital and positions are worked out anew from what was booked. Whatever was
not changed in all of these places at once is found. Whoever can write the whole database and makes
rows, journal and heads agree again is found out only by a head that was noted elsewhere before:
that is what `JournalCheck.heads` is for.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import groupby
from typing import TYPE_CHECKING

from sqlalchemy import Table, select

from slices.domain.accounts import Mark
from slices.domain.exact import ZERO
from slices.domain.orders import CashFlow, Fill, ShareAction
from slices.ledger.choice_tables import STRATEGY_CHOICES
from slices.ledger.choices import choice_subject
from slices.ledger.closing import marks_digest
from slices.ledger.decisions import decision_subject
from slices.ledger.effects import OWN_MONEY
from slices.ledger.journal import EVERYBODY, JournalEntry, digest_of, written
from slices.ledger.positions import Holding, rebuilt_positions
from slices.ledger.prediction_tables import KEY, PREDICTION_OUTCOMES, PREDICTIONS
from slices.ledger.schema import (
    ACCOUNTS,
    CASH_FLOWS,
    DECISIONS,
    EQUITY,
    FILLS,
    JOURNAL,
    JOURNAL_HEADS,
    MARKS,
    ORDERS,
    POSITIONS,
    SHARE_ACTIONS,
    STOPS,
    TRADING_STATES,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from slices.ledger.opening import Ledger

TABLES = {
    "account": ACCOUNTS,
    "state": TRADING_STATES,
    "order": ORDERS,
    "fill": FILLS,
    "flow": CASH_FLOWS,
    "action": SHARE_ACTIONS,
    "equity": EQUITY,
    "stop": STOPS,
    "decision": DECISIONS,
    "prediction": PREDICTIONS,
    "outcome": PREDICTION_OUTCOMES,
    "choice": STRATEGY_CHOICES,
}
"""What kinds of entries tell of which rows."""

BALANCES = ("cash", "costs", "capital")
OPENING = ("opened", "opened_at", "opening_capital")
HOLDING = tuple(each.name for each in fields(Holding))

Row = dict[str, "Any"]
Key = tuple[str, str, str]


@dataclass(frozen=True, kw_only=True)
class JournalCheck:
    """What a check of the books has found.

    Attributes:
        problem: The first thing that is not as it was written; empty where all is.
        entries: Journal entries looked at.
        rows: Rows of the books looked at.
        heads: Account, number and digest of each chain's newest entry.
    """

    problem: str
    entries: int
    rows: int
    heads: tuple[tuple[str, int, str], ...]

    @property
    def is_whole(self) -> bool:
        """Whether nothing was changed, added or taken away."""
        return not self.problem


@dataclass(frozen=True, kw_only=True)
class _Books:
    """Everything there is, as of one moment."""

    entries: tuple[JournalEntry, ...]
    heads: tuple[Row, ...]
    rows: dict[str, tuple[Row, ...]]
    marks: tuple[Row, ...]
    positions: tuple[Row, ...]


def verify(ledger: Ledger) -> JournalCheck:
    """Check a whole ledger; see the module for what can be found and what cannot.

    Raises:
        LedgerError: The database cannot be read.
    """
    try:
        books = _read(ledger)
    except ValueError as damage:
        problem = f"a row holds what nobody wrote: {damage}"
        return JournalCheck(problem=problem, entries=0, rows=0, heads=())
    return JournalCheck(
        problem=next(_problems(books), ""),
        entries=len(books.entries),
        rows=sum(len(each) for each in books.rows.values()),
        heads=tuple((each["account"], each["number"], each["digest"]) for each in books.heads),
    )


def _read(ledger: Ledger) -> _Books:
    with ledger.reading() as connection:

        def everything(table: Table) -> tuple[Row, ...]:
            ordered = select(table).order_by(*table.primary_key.columns)
            return tuple(row._asdict() for row in connection.execute(ordered))

        return _Books(
            entries=tuple(JournalEntry(**each) for each in everything(JOURNAL)),
            heads=everything(JOURNAL_HEADS),
            rows={kind: everything(table) for kind, table in TABLES.items()},
            marks=everything(MARKS),
            positions=everything(POSITIONS),
        )


def _problems(books: _Books) -> Iterator[str]:
    yield from _broken_chains(books)
    yield from _changed_rows(books)
    yield from _changed_marks(books)
    yield from _changed_balances(books)


def _broken_chains(books: _Books) -> Iterator[str]:
    heads = {each["account"]: (each["number"], each["digest"]) for each in books.heads}
    for account, chain in groupby(books.entries, key=lambda each: each.account):
        before, number = "", 0
        for entry in chain:
            number += 1
            where = f"journal of '{account}', entry {number}"
            if entry.number != number:
                yield f"{where} is missing; entry {entry.number} follows"
            if entry.digest != digest_of(entry, before=before):
                yield f"{where} ({entry.kind} {entry.subject}) is not what was written"
            before = entry.digest
        if heads.pop(account, None) != (number, before):
            yield f"journal of '{account}' ends at entry {number}, which is not its head"
    for account in heads:
        yield f"journal of '{account}' is missing"


def _changed_rows(books: _Books) -> Iterator[str]:
    told = _told(books.entries)
    for kind, rows in books.rows.items():
        for row in rows:
            key = (kind, row.get("account", EVERYBODY), _subject(kind, row))
            expected, where = told.pop(key, None), f"{kind} '{key[2]}' of '{key[1]}'"
            if expected is None:
                yield f"{where} is in no journal"
                continue
            for name in _compared(kind):
                found = written(row[name])
                if found != expected.get(name):
                    yield f"{where}: {name} is {found!r}; written was {expected.get(name)!r}"
    for kind, account, subject in told:
        yield f"{kind} '{subject}' of '{account}' is in the journal and not in the books"


def _told(entries: Iterable[JournalEntry]) -> dict[Key, dict[str, str]]:
    """Put together what the journal says of every row; later entries override earlier ones."""
    told: dict[Key, dict[str, str]] = {}
    for entry in entries:
        kind = entry.kind.partition(".")[0]
        if kind in TABLES:
            told.setdefault((kind, entry.account, entry.subject), {}).update(entry.payload)
    return told


def _compared(kind: str) -> tuple[str, ...]:
    if kind == "account":
        return OPENING
    return tuple(each for each in TABLES[kind].c.keys() if each != "account")  # noqa: SIM118


def _subject(kind: str, row: Row) -> str:
    match kind:
        case "account":
            return str(row["account"])
        case "state":
            return row["account"] or "all accounts"
        case "equity":
            return written(row["session"])
        case "decision":
            return decision_subject(row["workflow"], row["strategy"], row["session"])
        case "choice":
            return choice_subject(row["name"], row["session"])
        case "order":
            return str(row["client_order_id"])
        case "prediction" | "outcome":
            return "/".join(str(row[each]) for each in KEY)
    return str(row[f"{kind}_id"])


def _changed_marks(books: _Books) -> Iterator[str]:
    told = {each.account: dict(each.payload)["marks"] for each in books.entries if _has_marks(each)}
    for account in sorted({each["account"] for each in books.marks} | told.keys()):
        mine = [each for each in books.marks if each["account"] == account]
        found = [Mark(**{name: row[name] for name in row if name != "account"}) for row in mine]
        if marks_digest(found) != told.get(account):
            yield f"marks of '{account}' are not what was written"


def _has_marks(entry: JournalEntry) -> bool:
    return entry.kind.startswith(("equity.", "marks.")) and "marks" in dict(entry.payload)


def _changed_balances(books: _Books) -> Iterator[str]:
    for row in books.rows["account"]:
        account = row["account"]
        fills = [Fill(**each) for each in _of(books.rows["fill"], account)]
        flows = [CashFlow(**each) for each in _of(books.rows["flow"], account)]
        actions = [ShareAction(**each) for each in _of(books.rows["action"], account)]
        moved = (*(each.cash for each in fills), *(each.amount for each in flows))
        own = (each.amount for each in flows if each.kind in OWN_MONEY)
        costs = (each.costs for each in fills)
        found = tuple(row[each] for each in BALANCES)
        if found != (sum(moved, ZERO), sum(costs, ZERO), sum(own, ZERO)):
            yield f"cash, costs or capital of '{account}' do not follow from what was booked"
        positions = _of(books.positions, account)
        held = tuple(Holding(**{each: row[each] for each in HOLDING}) for row in positions)
        if held != rebuilt_positions(fills, actions):
            yield f"positions of '{account}' do not follow from what was booked"
        closed = [each["session"] for each in _of(books.rows["equity"], account)]
        if row["session"] != max(closed, default=None):
            yield f"the newest session of '{account}' is not the newest one that was closed"


def _of(rows: Iterable[Row], account: str) -> list[Row]:
    return [each for each in rows if each["account"] == account]
