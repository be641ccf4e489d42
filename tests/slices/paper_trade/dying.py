"""Sessions of a paper account traded by processes of their own, some of which are killed.

Run as `python -m tests.slices.paper_trade.dying`; forks for each process, so that what takes long
to import is imported once. Prints what the tests compare.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from slices.domain.strategies import StrategyName
from slices.ledger.orders import orders_of
from slices.paper_trade import desk, session
from slices.paper_trade.deciding import weights_of
from slices.paper_trade.session import plan_session, trade_sessions
from slices.quant.panel import read_panel
from tests.slices.paper_trade.paper_accounts import LOOSE, books, closes, dumped, rule

if TYPE_CHECKING:
    from collections.abc import Callable

    from slices.ledger.path import Step

ACCOUNT = "main"
SESSIONS = 2
BARS = closes(symbols=4, sessions=60)
PANEL = read_panel(BARS)
RULE = rule(StrategyName.BUY_AND_HOLD)


def prepare_to_fork() -> None:
    """Do once what all that are forked need, in place of what does not outlive a fork."""
    weights_of(PANEL, RULE)  # compiled
    for module in (desk, session):
        module.read_panel = lambda _bars: PANEL  # without polars' threads


def replay(reached: Callable[[Step], None]) -> None:
    """Trade a few sessions, telling of every step."""
    trade_sessions(
        ACCOUNT,
        BARS,
        RULE,
        replay_from=PANEL.sessions[-SESSIONS],
        limits=LOOSE,
        reached=reached,
    )


def act_once() -> None:
    """What a scheduled run does: settle, decide, hand in."""
    book = desk.settle(ACCOUNT, BARS, limits=LOOSE)
    plan = plan_session(ACCOUNT, BARS, RULE, book=book)
    desk.submit(ACCOUNT, BARS, plan, limits=LOOSE)


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


def killed_at(step: int) -> None:
    """Trade until a step has been reached so many times, then die as by a power cut."""
    count = 0

    def reached(_step: Step) -> None:
        nonlocal count
        count += 1
        if count == step:
            os.kill(os.getpid(), signal.SIGKILL)

    replay(reached)


def left_behind() -> str:
    """Count the account's orders and digest its books."""
    with books() as ledger:
        count = len(orders_of(ledger, ACCOUNT))
    return f"{count} {hashlib.sha256(dumped(ACCOUNT)).hexdigest()}"


def fresh(folder: Path, name: str) -> None:
    """Go on with another ledger."""
    os.environ["TRADEFLOWS_LEDGER_URL"] = f"sqlite:///{folder}/{name}.db"


def kills(folder: Path) -> None:
    """Kill a replay at every step of it, once in each ledger, and let another finish it."""
    steps: list[Step] = []
    fresh(folder, "whole")
    replay(steps.append)
    print(len(steps), left_behind())  # noqa: T201 - what the test reads
    for step in range(1, len(steps) + 1):
        fresh(folder, f"killed{step}")
        code = ended(forked(lambda step=step: killed_at(step)))
        after = ended(forked(lambda: replay(lambda _: None)))
        print(step, code, after, left_behind())  # noqa: T201 - what the test reads


def race(folder: Path) -> None:
    """Let two processes act at the same session at the same moment, several times."""
    fresh(folder, "before")
    act_once()  # loads what all that are forked need
    for turn in range(2):
        fresh(folder, f"race{turn}")
        gate, opener = os.pipe()

        def one(gate: int = gate) -> None:
            os.read(gate, 1)
            act_once()

        both = [forked(one), forked(one)]
        os.write(opener, b"12")
        codes = [ended(each) for each in both]
        print(*codes, left_behind())  # noqa: T201 - what the test reads


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["kills", "race"])
    chosen = parser.parse_args().what
    prepare_to_fork()
    with tempfile.TemporaryDirectory() as name:
        {"kills": kills, "race": race}[chosen](Path(name))
