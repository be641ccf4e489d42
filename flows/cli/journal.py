"""`tradeflows journal`: what was written, and whether it still is what was written."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from flows.cli.books import mode_of, opened_ledger
from flows.cli.exits import Exit
from flows.cli.output import note, print_json, print_line
from slices.domain.errors import ParameterError, listed
from slices.ledger.accounts import account_names
from slices.ledger.journal import entries
from slices.ledger.verifying import verify

if TYPE_CHECKING:
    from slices.ledger.journal import JournalEntry


def show_verified(*, mode: str, as_json: bool) -> Exit:
    """Prove the books of a mode, and name the first thing that is not as it was written."""
    with opened_ledger(mode_of(mode)) as ledger:
        check, name = verify(ledger), ledger.name
    if as_json:
        print_json({"ledger": name, "is_whole": check.is_whole, **asdict(check)})
    elif check.is_whole:
        print_line(f"whole: {check.entries} entries and {check.rows} rows of {name}")
        for account, number, digest in check.heads:
            print_line(f"  {account or 'all accounts'}: entry {number}, {digest}")
    else:
        note(f"tradeflows: {name}: {check.problem}")
    return Exit.OK if check.is_whole else Exit.STORAGE


def show_entries(*, account: str | None, mode: str, last: int, as_json: bool) -> Exit:
    """Print the newest entries, the oldest of them first."""
    if last < 1:
        raise ParameterError(parameter="--last", found=str(last), allowed="1 or more")
    with opened_ledger(mode_of(mode)) as ledger:
        there = account_names(ledger)
        if account and account not in there:
            raise ParameterError(
                parameter="--account", found=repr(account), allowed=listed(there) or "none is open"
            )
        found = sorted(entries(ledger, account=account), key=lambda each: each.at)[-last:]
    if as_json:
        print_json([{**vars(each), "at": each.at.isoformat()} for each in found])
    for each in () if as_json else found:
        print_line(line_of(each))
    return Exit.OK


def line_of(entry: JournalEntry) -> str:
    """Write an entry in one line; what has no value is left out."""
    told = ", ".join(f"{name} {value}" for name, value in entry.payload if value)
    whose = entry.account or "all accounts"
    return f"{entry.at:%Y-%m-%d %H:%M:%S}  {whose}  {entry.kind}  {entry.subject}  {told}".rstrip()
