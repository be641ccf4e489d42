"""Kill a paper account's processes everywhere, start them again, and compare the books.

Run as `python -m tests.reliability.chaos`, or `make chaos`. Sessions of five shares are traded by
a strategy, with an order that brings its exits in between, once undisturbed; then again and again
in ledgers of their own, killed with SIGKILL at every numbered step of the order path (its first,
middle and last occurrence) and at random moments, and by two processes at once. Each time the
canonical dump of the account has to be, byte for byte, the undisturbed one's.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from slices.domain import exact
from slices.domain.errors import ParameterError
from slices.domain.limits import RiskLimits
from slices.domain.orders import Bracket, OrderKind, Side
from slices.domain.strategies import StrategyName
from slices.domain.trading import OrderPlan, PlannedOrder
from slices.ledger.accounts import has_account
from slices.ledger.orders import orders_of
from slices.ledger.path import Step
from slices.paper_trade import desk, session
from slices.paper_trade.deciding import weights_of
from slices.paper_trade.session import trade_sessions
from slices.paper_trade.venue import PaperBroker
from slices.quant.panel import read_panel
from tests.slices.paper_trade.paper_accounts import books, dumped, ohlcv, rule

if TYPE_CHECKING:
    from collections.abc import Callable

ACCOUNT = "chaos"
SESSIONS = 15
BARS = ohlcv()
PANEL = read_panel(BARS)
RULE = rule(StrategyName.MACD, fast=5, slow=12, signal=4, gross=0.9)
LIMITS = RiskLimits()
FIRST, ORDERED = PANEL.sessions[-SESSIONS], PANEL.sessions[-SESSIONS + 5]


def prepare_to_fork() -> None:
    """Do once what all that are forked need, in place of what does not outlive a fork."""
    weights_of(PANEL, RULE)  # compiled
    for module in (desk, session):
        module.read_panel = lambda _bars: PANEL  # without polars' threads


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one disturbed run left behind.

    Attributes:
        codes: Exit codes of its processes, negative where a signal ended one.
    """

    disturbance: str
    codes: tuple[int, ...]
    orders: int
    digest: str


def trade(reached: Callable[[Step], None]) -> None:
    """Trade all sessions, with an order that brings exits after some of them."""
    with_steps = {"limits": LIMITS, "reached": reached}
    if not _has_passed():
        trade_sessions(ACCOUNT, BARS, RULE, replay_from=FIRST, replay_to=ORDERED, **with_steps)  # type: ignore[arg-type]
        desk.submit(ACCOUNT, BARS, _with_exits(), limits=LIMITS)
    trade_sessions(ACCOUNT, BARS, RULE, replay_from=FIRST, **with_steps)  # type: ignore[arg-type]


def _has_passed() -> bool:
    """Tell whether the account stands after the session of the order with exits."""
    with books() as ledger:
        if not has_account(ledger, ACCOUNT):
            return False
        stands = PaperBroker(ledger, ACCOUNT).session
    return stands is not None and stands > ORDERED


def _with_exits() -> OrderPlan:
    bought = PlannedOrder(
        symbol="IBM",
        side=Side.BUY,
        quantity=exact.quantity(5),
        kind=OrderKind.MARKET,
        bracket=Bracket(stop_loss=0.004, take_profit=0.01, most_sessions=4),
        purpose="an order that brings its exits",
    )
    return OrderPlan(workflow="chaos", strategy="exits", session=ORDERED, orders=(bought,))


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


def undisturbed() -> None:
    """Trade as if nothing could happen."""
    trade(lambda _: None)


def killed_at(step: Step, occurrence: int) -> None:
    """Trade until a step was reached so many times, then die as by a power cut."""
    left = occurrence

    def reached(found: Step) -> None:
        nonlocal left
        left -= found is step
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    trade(reached)


def with_the_other() -> None:
    """Trade while somebody else does; refused where they have come further, look again."""
    try:
        undisturbed()
    except ParameterError:
        undisturbed()


def fresh(folder: Path, name: str) -> None:
    """Go on with a ledger of its own."""
    os.environ["TRADEFLOWS_LEDGER_URL"] = f"sqlite:///{folder}/{name}.db"


def outcome(disturbance: str, *codes: int) -> Outcome:
    """Look at the books a run left behind."""
    with books() as ledger:
        orders = len(orders_of(ledger, ACCOUNT))
    digest = hashlib.sha256(dumped(ACCOUNT)).hexdigest()
    return Outcome(disturbance=disturbance, codes=codes, orders=orders, digest=digest)


def killed_by_step(folder: Path, counts: Counter[Step], *, thorough: bool) -> list[Outcome]:
    """Kill at every numbered step: at its first, middle and last time, or its middle alone."""
    found = []
    for step, times in sorted(counts.items()):
        middle = (times + 1) // 2
        for occurrence in sorted({1, middle, times} if thorough else {middle}):
            fresh(folder, f"step{step}-{occurrence}")
            code = ended(forked(lambda step=step, n=occurrence: killed_at(step, n)))  # type: ignore[misc]
            again = ended(forked(undisturbed))
            told = f"step {step.value} {step.name.lower()}, time {occurrence} of {times}"
            found.append(outcome(told, code, again))
    return found


def killed_by_chance(
    folder: Path, seconds: float, *, rounds: int, chance: random.Random
) -> list[Outcome]:
    """Kill at random moments of a run that would take so many seconds.

    Where a run is over before its moment, as on a machine that has become quiet, an earlier one is
    taken.
    """
    found = []
    for turn in range(rounds):
        moment, code = 2 * chance.uniform(0.0, seconds), 0
        while code == 0:
            moment /= 2
            fresh(folder, f"chance{turn}-{moment:.6f}")
            number = forked(undisturbed)
            time.sleep(moment)
            os.kill(number, signal.SIGKILL)
            code = ended(number)
        again = ended(forked(undisturbed))
        found.append(outcome(f"after {moment:.3f} s of {seconds:.3f} s", code, again))
    return found


def traded_at_once(folder: Path, *, rounds: int) -> list[Outcome]:
    """Let two processes trade the same sessions from the same moment on."""
    found = []
    for turn in range(rounds):
        fresh(folder, f"race{turn}")
        gate, opener = os.pipe()

        def one(gate: int = gate) -> None:
            os.read(gate, 1)
            with_the_other()

        both = [forked(one), forked(one)]
        os.write(opener, b"12")
        found.append(outcome("two processes at once", *(ended(each) for each in both)))
        os.close(gate)
        os.close(opener)
    return found


def measured(folder: Path) -> tuple[Counter[Step], float, Outcome]:
    """Trade undisturbed: count the steps, take the time, keep the books."""
    fresh(folder, "steps")
    steps: list[Step] = []
    trade(steps.append)
    fresh(folder, "whole")
    began = time.monotonic()
    code = ended(forked(undisturbed))
    return Counter(steps), time.monotonic() - began, outcome("undisturbed", code)


def compared(folder: Path, *, thorough: bool, seed: int) -> list[Outcome]:
    """Disturb runs in every way; the first outcome is the undisturbed one."""
    counts, seconds, whole = measured(folder)
    chance = random.Random(seed)  # noqa: S311 - moments, not secrets
    return [
        whole,
        *killed_by_step(folder, counts, thorough=thorough),
        *killed_by_chance(folder, seconds, rounds=20 if thorough else 5, chance=chance),
        *traded_at_once(folder, rounds=5 if thorough else 1),
    ]


def main() -> int:
    """Print what every run left behind; 1 where one left other books than the undisturbed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="each step once, 5 random moments")
    parser.add_argument("--seed", type=int, default=0, help="of the random moments")
    chosen = parser.parse_args()
    prepare_to_fork()
    with tempfile.TemporaryDirectory() as name:
        whole, *others = compared(Path(name), thorough=not chosen.short, seed=chosen.seed)
    different = 0
    for each in (whole, *others):
        is_same = (each.orders, each.digest, each.codes[-1]) == (whole.orders, whole.digest, 0)
        different += not is_same
        codes = " ".join(map(str, each.codes))
        verdict = "same" if is_same else "DIFFERENT"
        line = f"{each.disturbance:<42} exit {codes:<6} {each.orders} orders  {each.digest[:16]}"
        sys.stdout.write(f"{line}  {verdict}\n")
    sys.stdout.write(f"{len(others)} disturbed runs, {different} with other books\n")
    return int(different > 0 or whole.orders == 0)


if __name__ == "__main__":
    sys.exit(main())
