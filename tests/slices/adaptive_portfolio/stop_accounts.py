"""Paper accounts with stops, traded by processes of their own, some of which are killed.

Run as `python -m tests.slices.adaptive_portfolio.stop_accounts`; forks for each process, so that
what takes long to import is imported once. Prints what the tests compare.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import signal
import sys
import tempfile
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from slices.adaptive_portfolio.stops.keeping import keep_stops, record_triggers
from slices.adaptive_portfolio.stops.watching import watch_stops
from slices.domain.calendar import session_close
from slices.domain.orders import Side
from slices.domain.stop_monitor import DEFAULT_STOP
from slices.domain.stops import StopKind
from slices.domain.trading import OrderPlan, PlannedOrder, StopRule
from slices.ledger import path
from slices.ledger.accounts import has_account
from slices.ledger.booking import fills_of
from slices.ledger.stops import stops_of
from slices.paper_trade import desk
from slices.quant.panel import read_panel
from tests.slices.paper_trade.paper_accounts import LOOSE, books, dumped
from tests.slices.quant.market import stored, us_closes

if TYPE_CHECKING:
    from collections.abc import Callable

    from slices.domain.accounts import AccountBook, Execution
    from slices.domain.dataset import DatasetRef
    from slices.domain.orders import Bracket
    from slices.domain.stop_monitor import DefaultStop, StopBook, StopWatch
    from slices.domain.stops import StopKind
from slices.domain.trading import Placement

ACCOUNT = "main"
CODE = "tested"
"""Stands for the trading code, so that books are equal whatever is edited meanwhile."""

LENGTH = 40


@dataclass(frozen=True, kw_only=True)
class Look:
    """What one run of the monitor saw and did."""

    book: AccountBook
    stops: StopBook
    watch: StopWatch
    placed: tuple[Placement, ...]


@lru_cache(maxsize=1)
def days() -> tuple[dt.date, ...]:
    """Real sessions."""
    return us_closes()[0][-LENGTH:]


def market(
    closes: dict[str, list[float]], opens: dict[str, list[float]] | None = None
) -> DatasetRef:
    """Bars that are flat at the first price until the prices given, which end them."""
    folder = Path(tempfile.mkdtemp(prefix="tradeflows-tests-"))
    values = {name: _ending(prices) for name, prices in closes.items()}
    first = None if opens is None else {name: _ending(prices) for name, prices in opens.items()}
    return stored(folder, days(), values, opens=first)


def _ending(prices: list[float]) -> np.ndarray:
    return np.array([prices[0]] * (LENGTH - len(prices)) + prices, dtype=np.float64)


def bought(
    bars: DatasetRef,
    *rules: StopRule,
    symbol: str = "X",
    shares: int = 100,
    side: Side = Side.BUY,
    bracket: Bracket | None = None,
    back: int = 6,
    account: str = ACCOUNT,
) -> None:
    """Order a position `back` sessions before the end; it fills at the next one."""
    session = days()[-back]
    desk.settle(account, bars, as_of=session, limits=LOOSE)
    order = PlannedOrder(
        symbol=symbol, side=side, quantity=Decimal(shares), valid_sessions=1, stops=rules,
        bracket=bracket,
    )  # fmt: skip
    plan = OrderPlan(workflow="by hand", strategy=symbol, session=session, orders=(order,))
    desk.submit(account, bars, plan, limits=LOOSE)


@lru_cache(maxsize=64)
def cut(bars: DatasetRef, back: int) -> DatasetRef:
    """The same bars without the newest `back - 1` sessions."""
    panel = read_panel(bars)
    kept = panel.until(len(panel.sessions) - back + 1)
    columns = {n: np.ascontiguousarray(kept.close[:, i]) for i, n in enumerate(kept.symbols)}
    opens = None
    if kept.open is not None:
        opens = {n: np.ascontiguousarray(kept.open[:, i]) for i, n in enumerate(kept.symbols)}
    folder = Path(tempfile.mkdtemp(prefix="tradeflows-tests-"))
    return stored(folder, kept.sessions, columns, opens=opens)


def look(
    bars: DatasetRef,
    *,
    back: int = 1,
    default_stop: DefaultStop = DEFAULT_STOP,
    execution: Execution = "paper",
    account: str = ACCOUNT,
    reached: Callable[[object], None] = lambda _: None,
) -> Look:
    """Do what the flow does, at the close `back` sessions from the end, telling of every step."""
    seen = cut(bars, back)
    book = desk.settle(account, seen, limits=LOOSE, execution=execution)
    reached("settled")
    stops = keep_stops(seen, book, default_stop=default_stop, execution=execution)
    reached("kept")
    watch = watch_stops(seen, book, stops)
    record_triggers(seen, watch, execution=execution)
    reached("triggered")
    placed = tuple(
        desk.submit(account, seen, plan, limits=LOOSE, execution=execution, book=book)
        for plan in watch.plans
    )
    return Look(book=book, stops=stops, watch=watch, placed=placed)


def forked(work: Callable[[], object]) -> int:
    """Do something in a process of its own and return its number."""
    sys.stdout.flush()
    number = os.fork()
    if number:
        return number
    code = 1
    try:
        work()
        code = 0
    finally:
        os._exit(code)


def ended(number: int) -> int:
    """Wait for a process; return its exit code, negative where a signal ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])


def prepare_to_fork() -> None:
    """Load once what all that are forked need, but no threads, which would not survive it."""
    import slices.quant.compiled  # noqa: F401

    session_close(days()[-1])
    with books() as ledger:
        has_account(ledger, ACCOUNT)


def opened() -> None:
    """Begin an account in which two positions wait for their stops to be hit."""
    rules = (
        StopRule(kind=StopKind.FIXED, level=Decimal(95)),
        StopRule(kind=StopKind.TRAILING, trail=0.08),
    )
    bought(falling(), *rules, symbol="X")
    bought(falling(), *rules, symbol="Y")


@lru_cache(maxsize=1)
def falling() -> DatasetRef:
    """Two symbols that jump below their stops three sessions before the end."""
    return market({"X": [100, 101, 102, 103, 90, 89, 88], "Y": [100, 104, 108, 112, 93, 92, 91]})


def session_of_steps(reached: Callable[[object], None]) -> None:
    """Look at the session that hits both, telling also of the steps of the order path."""
    desk.place = partial(path.place, reached=reached, code=CODE)
    look(falling(), back=3, reached=reached)


def killed_at(step: int) -> None:
    """Go on until so many steps have been reached, then die as by a power cut."""
    count = 0

    def reached(_step: object) -> None:
        nonlocal count
        count += 1
        if count == step:
            os.kill(os.getpid(), signal.SIGKILL)

    session_of_steps(reached)


def told() -> str:
    """Live on to the end; say how many exits there were, of what, and what stands in the books."""
    for back in (2, 2, 1, 1):
        look(falling(), back=back)
    with books() as ledger:
        sold = [each for each in fills_of(ledger, ACCOUNT) if each.quantity < 0]
        states = sorted(each.status for each in stops_of(ledger, ACCOUNT))
    digest = hashlib.sha256(dumped(ACCOUNT)).hexdigest()
    exits = ",".join(f"{each.symbol}{each.quantity:.0f}@{each.session}" for each in sold)
    return f"{exits} {','.join(states)} {digest}"


def telling(*before: object) -> Callable[[], None]:
    """Print what was before, and what became of the account."""
    return lambda: print(*before, told(), flush=True)  # noqa: T201 - what the test reads


def named(folder: Path, name: str) -> None:
    """Go on with another ledger."""
    os.environ["TRADEFLOWS_LEDGER_URL"] = f"sqlite:///{folder}/{name}.db"


def begun_and_killed(step: int) -> None:
    """Begin an account and die at a step of looking at its stops."""
    opened()
    killed_at(step)


def finished(*before: object) -> None:
    """Look again at the same session, and tell what became of the account."""
    session_of_steps(lambda _: None)
    telling(*before)()


def begun_and_finished() -> None:
    """Begin an account and look without being killed."""
    opened()
    steps: list[object] = []
    session_of_steps(steps.append)
    telling(len(steps))()


def kills(folder: Path) -> None:
    """Kill the monitor at steps of it, once in each ledger, and let another run finish it.

    The process that forks does nothing else: threads would not survive it.
    """
    named(folder, "whole")
    ended(forked(begun_and_finished))
    for step in (3, 5, 6, 8, 11):
        named(folder, f"killed{step}")
        code = ended(forked(partial(begun_and_killed, step)))
        ended(forked(partial(finished, step, code)))


def late(folder: Path) -> None:
    """Kill it before and after an exit has left, and look again only at the next session."""
    for step in (3, 6):
        named(folder, f"late{step}")
        code = ended(forked(partial(begun_and_killed, step)))
        ended(forked(telling(step, code)))


def race(folder: Path) -> None:
    """Let two processes look at the same session at the same moment."""
    named(folder, "race")
    ended(forked(opened))
    gate, opener = os.pipe()

    def one() -> None:
        os.read(gate, 1)
        look(falling(), back=3)

    both = [forked(one), forked(one)]
    os.write(opener, b"12")
    codes = [ended(each) for each in both]
    ended(forked(telling(*codes)))


if __name__ == "__main__":
    desk.place = partial(path.place, code=CODE)
    with tempfile.TemporaryDirectory() as home:
        named(Path(home), "nobody")
        prepare_to_fork()
        {"kills": kills, "late": late, "race": race}[sys.argv[1]](Path(home))
