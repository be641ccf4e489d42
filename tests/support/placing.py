"""Plans to place, and processes that die placing them.

Run as `python -m tests.support.placing FOLDER`; forks for each process, so that what takes long to
import is imported once. Prints what the tests compare.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

from slices.domain.accounts import Mark
from slices.domain.calendar import session_close
from slices.domain.exact import price, quantity
from slices.domain.limits import DEFAULT_LIMITS, RiskLimits
from slices.domain.orders import Order, Side, client_order_id
from slices.domain.trading import Placement
from slices.ledger.accounts import close_session, open_account
from slices.ledger.dump import canonical_dump
from slices.ledger.fingerprints import trading_code
from slices.ledger.locking import account_lock
from slices.ledger.opening import Ledger
from slices.ledger.path import Reached, Step, nothing, place
from slices.ledger.reconciling import reconcile
from tests.support.brokers import FaultyBroker
from tests.support.ledgers import CAPITAL, SESSION, ledger_at

AT = session_close(SESSION)
NEXT = dt.date(2024, 3, 5)
PRICES = {"AAPL": 100, "IBM": 150, "MSFT": 50}
PLACES = {Step.JUDGED: 1, Step.INTENDED: 1, Step.SENT: 3, Step.ANSWERED: 1, Step.PLACED: 1}
"""How often each step is reached by `plan`, at least."""


def wanted(
    symbol: str,
    shares: Decimal | float | str,
    *,
    side: Side = Side.BUY,
    session: dt.date = SESSION,
    reduce_only: bool = False,
    sequence: int = 0,
) -> Order:
    """An order at market of one rule of one workflow."""
    return Order(
        client_order_id=client_order_id(
            account="main",
            workflow="test",
            strategy="rule",
            session=session,
            symbol=symbol,
            side=side,
            sequence=sequence,
        ),
        account="main",
        workflow="test",
        strategy="rule",
        session=session,
        symbol=symbol,
        side=side,
        quantity=quantity(shares),
        reduce_only=reduce_only,
        sequence=sequence,
    )


def plan() -> tuple[Order, ...]:
    """Two purchases and a sale."""
    return (wanted("AAPL", 10), wanted("MSFT", 20), wanted("IBM", 5, side=Side.SELL))


def mark(ledger: Ledger, *, session: dt.date = SESSION) -> None:
    """Close a session at the same prices as every other."""
    marks = [
        Mark(symbol=symbol, price=price(each), session=session) for symbol, each in PRICES.items()
    ]
    close_session(ledger, "main", session=session, marks=marks, at=session_close(session))


def placed(
    ledger: Ledger,
    broker: FaultyBroker,
    orders: Sequence[Order],
    *,
    limits: RiskLimits = DEFAULT_LIMITS,
    session: dt.date = SESSION,
    strategy: str = "rule",
    code: str = "",
    reached: Reached = nothing,
) -> Placement:
    """Place orders at a session's close."""
    return place(
        ledger,
        broker,
        "main",
        orders,
        limits=limits,
        session=session,
        at=session_close(session),
        workflow="test",
        strategy=strategy,
        code=code,
        reached=reached,
    )


def begin(folder: Path) -> None:
    """Open the account."""
    ledger = ledger_at(f"sqlite:///{folder}/paper.db", folder)
    open_account(ledger, "main", capital=CAPITAL, session=SESSION, at=AT)
    mark(ledger)
    ledger.close()


def run(folder: Path, reached: Reached = nothing) -> None:
    """Do what a run does: compare with the broker, then place the plan."""
    ledger = ledger_at(f"sqlite:///{folder}/paper.db", folder)
    with account_lock(ledger, "main"):
        broker = FaultyBroker(file=folder / "broker.txt")
        reconcile(ledger, broker, "main", at=AT)
        placed(ledger, broker, plan(), reached=reached)
    ledger.close()


def dying_at(step: Step, occurrence: int) -> Reached:
    """Kill this process where a step is reached for the n-th time."""
    seen = []

    def reached(found: Step) -> None:
        seen.append(found)
        if seen.count(step) == occurrence:
            os.kill(os.getpid(), signal.SIGKILL)

    return reached


def forked(work: Callable[[], None]) -> int:
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


def left(folder: Path) -> dict[str, object]:
    """Say what is in the books and at the broker."""
    ledger = ledger_at(f"sqlite:///{folder}/paper.db", folder)
    dump = canonical_dump(ledger, "main")
    ledger.close()
    submissions = FaultyBroker(file=folder / "broker.txt").submissions
    return {"dump": hashlib.sha256(dump).hexdigest(), "submissions": sorted(submissions.values())}


def told(folder: Path, name: str, codes: Sequence[int]) -> dict[str, object]:
    """Say how processes ended and what they left."""
    return {"name": name, "codes": list(codes), **left(folder)}


def begun(root: Path, name: str) -> Path:
    """Make a folder with a fresh account."""
    folder = root / name
    folder.mkdir()
    begin(folder)
    return folder


def killed(root: Path, step: Step, occurrence: int) -> dict[str, object]:
    """Kill a run at a step, run again, say what is left."""
    folder = begun(root, f"{step.name}-{occurrence}")
    first = ended(forked(lambda: run(folder, dying_at(step, occurrence))))
    second = ended(forked(lambda: run(folder)))
    return told(folder, folder.name, (first, second))


def at_once(root: Path, number: int, processes: int = 2) -> dict[str, object]:
    """Run in several processes that begin together."""
    folder = begun(root, f"at-once-{number}")
    gate, start = os.pipe()

    def waiting() -> None:
        os.close(start)
        os.read(gate, 1)
        run(folder)

    numbers = [forked(waiting) for _ in range(processes)]
    os.close(start)
    os.close(gate)
    return told(folder, folder.name, [ended(each) for each in numbers])


def main(root: Path) -> None:
    """Print one undisturbed run, one for every place to die at, and runs at once."""
    trading_code()
    folder = begun(root, "undisturbed")
    found = [told(folder, "undisturbed", [ended(forked(lambda: run(folder)))])]
    for step, count in PLACES.items():
        found += [killed(root, step, each + 1) for each in range(count)]
    found += [at_once(root, number) for number in range(3)]
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
