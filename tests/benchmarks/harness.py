"""Ours and a peer on the same work, in turn, in one process: answers compared, medians printed.

A benchmark is never a timed test: it prints ratios and a machine line and judges nothing but that
the answers agree. Ratios travel between machines, absolute times do not.
"""

from __future__ import annotations

import importlib.metadata
import math
import os
import platform
import statistics
import sys
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Answer = TypeVar("Answer")
COLUMNS = ("work", "ours", "peer", "peer's", "ratio", "target", "difference")
OURS_PER_PEER = 3


@dataclass(frozen=True, kw_only=True)
class Contest(Generic[Answer]):
    """One piece of work and two ways of doing it.

    Attributes:
        peer: Name of the peer; `needs` is the module it is imported from.
        difference: How far our answer is from the peer's; where both minimize, negative says that
            ours is better. Must not exceed `tolerance`, nor lie below -`allowance`.
        target: Smallest ratio of the peer's time to ours that is wanted; None where nothing is.
        repeats: How often ours and the peer run after one run each to warm up.
        warm_peer: Whether the peer gets that run too; not worth it where it takes half a minute.
    """

    work: str
    ours: Callable[[], Answer]
    peer: str
    needs: str
    theirs: Callable[[], Answer]
    difference: Callable[[Answer, Answer], float]
    tolerance: float
    allowance: float = math.inf
    target: float | None = None
    repeats: int = 5
    warm_peer: bool = True


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Median seconds of both sides; NaN where the peer was skipped."""

    work: str
    ours: float
    peer: str
    theirs: float
    target: float | None
    difference: float
    agrees: bool = True
    skipped: str = ""

    @property
    def ratio(self) -> float:
        """How many times longer the peer takes."""
        return self.theirs / self.ours


def _timed(run: Callable[[], Answer]) -> tuple[float, Answer]:
    start = time.perf_counter()
    answer = run()
    return time.perf_counter() - start, answer


def held(contest: Contest[Answer]) -> Outcome:
    """Run a contest: a warm-up each, then three times ours and once the peer, in turn."""
    contest.ours()
    skipped = "" if find_spec(contest.needs) else f"{contest.needs} is not installed"
    if not skipped and contest.warm_peer:
        contest.theirs()
    ours, theirs, difference = [], [], float("nan")
    for _ in range(contest.repeats):
        for _ in range(OURS_PER_PEER):
            seconds, mine = _timed(contest.ours)
            ours.append(seconds)
        if not skipped:
            seconds, other = _timed(contest.theirs)
            theirs.append(seconds)
            difference = contest.difference(mine, other)
    return Outcome(
        work=contest.work,
        ours=statistics.median(ours),
        peer=contest.peer,
        theirs=statistics.median(theirs) if theirs else float("nan"),
        target=contest.target,
        difference=difference,
        agrees=bool(skipped) or -contest.allowance <= difference <= contest.tolerance,
        skipped=skipped,
    )


def _row(outcome: Outcome) -> tuple[str, ...]:
    target = "" if outcome.target is None else f">= {outcome.target:g}x"
    if outcome.skipped:
        return (
            outcome.work,
            _milliseconds(outcome.ours),
            outcome.peer,
            outcome.skipped,
            "",
            "",
            "",
        )
    met = outcome.target is None or outcome.ratio >= outcome.target
    return (
        outcome.work,
        _milliseconds(outcome.ours),
        outcome.peer,
        _milliseconds(outcome.theirs),
        f"{outcome.ratio:,.1f}x",
        target if met else f"{target}, missed",
        f"{outcome.difference:+.1e}{'' if outcome.agrees else ' DISAGREES'}",
    )


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:,.3f} ms" if seconds < 0.1 else f"{seconds * 1e3:,.0f} ms"


def machine_line(packages: Iterable[str]) -> str:
    """Describe what the figures were measured on."""
    cpu = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.is_file():
        lines = information.read_text().splitlines()
        cpu = next((each.split(":")[1].strip() for each in lines if "model name" in each), cpu)
    versions = ", ".join(f"{each} {importlib.metadata.version(each)}" for each in packages)
    load = os.getloadavg()[0]
    return (
        f"{cpu}, {os.cpu_count()} cores, load {load:.1f}; "
        f"Python {platform.python_version()}, {versions}"
    )


def run(title: str, contests: Iterable[Contest[Answer]], *, packages: Iterable[str]) -> int:
    """Hold contests and print their table row by row.

    Returns:
        An exit code: 1 where answers disagree, else 0; slowness is no failure.
    """
    write = sys.stdout.write
    write(f"{title}\n{machine_line(packages)}\n\n| {' | '.join(COLUMNS)} |\n{'|---' * 7}|\n")
    agreed = True
    for contest in contests:
        outcome = held(contest)
        agreed = agreed and outcome.agrees
        write(f"| {' | '.join(_row(outcome))} |\n")
        sys.stdout.flush()
    write("\nMedians; ratio is the peer's time over ours; difference as each work defines it.\n")
    return 0 if agreed else 1
