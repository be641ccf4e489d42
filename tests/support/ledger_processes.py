"""Processes that write to one ledger at the same time, or die in the middle of it.

Run as `python -m tests.support.ledger_processes`; every child is forked before anything is opened.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from sqlalchemy import event

from slices.domain.accounts import Mark
from slices.domain.orders import OrderState
from slices.ledger.accounts import close_session, has_account, open_account, read_book
from slices.ledger.booking import book, fills_of
from slices.ledger.dump import canonical_dump
from slices.ledger.opening import Ledger
from slices.ledger.orders import orders_of, write_answer
from slices.ledger.verifying import verify
from tests.support.ledgers import AT, CAPITAL, SESSION, answer, fill, intend, ledger_at, order

WRITERS = 4
NAMES = 200
EACH = 25


def in_children(count: int, work: Callable[[], None]) -> list[int]:
    """Fork, wait, and return the exit codes; negative where a signal ended it."""
    children = []
    for _ in range(count):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                work()
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    return [os.waitstatus_to_exitcode(os.waitpid(each, 0)[1]) for each in children]


def write_equal_names(url: str, folder: Path) -> None:
    """Let every process write the same orders and the same fills."""

    def work() -> None:
        ledger = ledger_at(url, folder)
        open_account(ledger, "main", capital=CAPITAL, session=SESSION, at=AT)
        for first in range(0, NAMES, EACH):
            numbers = range(first, first + EACH)
            intend_at_once(ledger, numbers)
            fills = [fill(f"f{i}", 1, 10, of=f"tf-{i}", commission="0.01") for i in numbers]
            book(ledger, "main", fills=fills, at=AT)
        ledger.close()

    codes = in_children(WRITERS, work)
    ledger = ledger_at(url, folder)
    found = read_book(ledger, "main")
    expect(codes == [0] * WRITERS, f"exit codes {codes}")
    expect(len(orders_of(ledger, "main")) == NAMES, "orders")
    expect(len(fills_of(ledger, "main")) == NAMES, "fills")
    expect(found.held("AAPL") == NAMES, "shares")
    expect(found.cash == CAPITAL - NAMES * Decimal("10.01"), "cash")
    expect(not verify(ledger).problem, verify(ledger).problem)
    ledger.close()


def intend_at_once(ledger: Ledger, numbers: range) -> None:
    intend(ledger, *(order(f"tf-{i}", shares=1) for i in numbers))


def live(ledger: Ledger) -> None:
    """Do what an account does in a session; each step may be done again."""
    wanted = order("tf-a")
    open_account(ledger, "main", capital=CAPITAL, session=SESSION, at=AT)
    intend(ledger, wanted)
    write_answer(ledger, "tf-a", answer(wanted, OrderState.ACCEPTED), at=AT)
    fills = [fill("f", 6, 101, of="tf-a"), fill("g", 4, 102, of="tf-a", commission="1")]
    book(ledger, "main", fills=fills, at=AT)
    marks = [Mark(symbol="AAPL", price=Decimal(103), session=SESSION)]
    close_session(ledger, "main", session=SESSION, marks=marks, at=AT)


def die_at(url: str, folder: Path, statement: int) -> None:
    """Live, and be killed by the system right after a statement."""
    ledger, seen = ledger_at(url, folder), 0

    def counted(*_: object) -> None:
        nonlocal seen
        seen += 1
        if seen == statement:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(ledger.engine, "after_cursor_execute", counted)
    live(ledger)
    ledger.close()


def die_everywhere(urls: list[str], folder: Path) -> None:
    """Die at every statement in turn; what is left is consistent, and going on ends the same.

    The first database is lived in undisturbed.
    """
    undisturbed = ledger_at(urls[0], folder)
    live(undisturbed)
    expected = canonical_dump(undisturbed, "main")
    undisturbed.close()
    killed = 0
    for round_number, url in enumerate(urls[1:]):
        statement = 2 + 2 * round_number
        ledger_at(url, folder).close()
        (code,) = in_children(1, lambda at=statement, to=url: die_at(to, folder, at))  # type: ignore[misc]
        killed += code == -signal.SIGKILL
        ledger = ledger_at(url, folder)
        check_consistent(ledger, statement)
        live(ledger)
        expect(canonical_dump(ledger, "main") == expected, f"killed at {statement}: other books")
        ledger.close()
    expect(killed == len(urls) - 1, f"{killed} of {len(urls) - 1} were killed")


def check_consistent(ledger: Ledger, statement: int) -> None:
    where = f"killed at {statement}"
    expect(not verify(ledger).problem, f"{where}: {verify(ledger).problem}")
    if not has_account(ledger, "main"):
        return
    found, fills = read_book(ledger, "main"), fills_of(ledger, "main")
    expect(len(fills) in {0, 2}, f"{where}: {len(fills)} fills")
    expect(found.held("AAPL") == sum(each.quantity for each in fills), f"{where}: shares")
    expect(found.cash == CAPITAL + sum(each.cash for each in fills), f"{where}: cash")


def open_at_once(url: str, folder: Path) -> None:
    """Let processes open a ledger that is not there yet."""
    codes = in_children(WRITERS, lambda: ledger_at(url, folder).close())
    expect(codes == [0] * WRITERS, f"exit codes {codes}")


def expect(is_so: bool, what: str) -> None:  # noqa: FBT001 - an assertion that survives -O
    if not is_so:
        sys.exit(what)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["write", "die", "open"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("urls", nargs="+")
    words = parser.parse_args()
    match words.what:
        case "write":
            write_equal_names(words.urls[0], words.folder)
        case "die":
            die_everywhere(words.urls, words.folder)
        case _:
            open_at_once(words.urls[0], words.folder)


if __name__ == "__main__":
    main()
