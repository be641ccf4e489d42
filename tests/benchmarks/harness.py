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
FIGURE_COLUMNS = ("work", "measured", "target", "", "remarks")
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
class Figure:
    """One measured number where there is no peer to race.

    Attributes:
        unit: "s", "ms", "x" for a ratio, or "%".
        at_most: Largest value that is wanted; None where nothing is.
        at_least: Smallest value that is wanted; None where nothing is.
        note: What else belongs to the number, such as memory or the two times of a ratio.
        wrong: What is wrong with the answer; empty where it was checked and is right.
    """

    work: str
    value: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None
    note: str = ""
    wrong: str = ""

    @property
    def verdict(self) -> str:
        """Say whether the target was met; empty where there is none."""
        if self.at_most is None and self.at_least is None:
            return ""
        low = -math.inf if self.at_least is None else self.at_least
        high = math.inf if self.at_most is None else self.at_most
        return "met" if low <= self.value <= high else "missed"

    @property
    def target(self) -> str:
        """Write the target; empty where there is none."""
        if self.at_most is not None:
            return f"<= {self.at_most:g} {self.unit}"
        return "" if self.at_least is None else f">= {self.at_least:g}{self.unit}"


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


def timed(run: Callable[[], Answer]) -> tuple[float, Answer]:
    """Run once; return the seconds it took and its answer."""
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
            seconds, mine = timed(contest.ours)
            ours.append(seconds)
        if not skipped:
            seconds, other = timed(contest.theirs)
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
    verdict = "met" if outcome.target is None or outcome.ratio >= outcome.target else "missed"
    return (
        outcome.work,
        _milliseconds(outcome.ours),
        outcome.peer,
        _milliseconds(outcome.theirs),
        f"{outcome.ratio:,.1f}x",
        f"{target}, {verdict}" if target else "",
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


def print_figures(title: str, figures: Iterable[Figure], *, packages: Iterable[str]) -> int:
    """Print figures row by row as they are measured.

    Returns:
        An exit code: 1 where an answer is wrong, else 0; slowness is no failure.
    """
    write = sys.stdout.write
    write(f"{title}\n{machine_line(packages)}\n\n")
    write(f"| {' | '.join(FIGURE_COLUMNS)} |\n{'|---' * len(FIGURE_COLUMNS)}|\n")
    right = True
    for each in figures:
        right = right and not each.wrong
        remark = f"WRONG: {each.wrong}" if each.wrong else each.note
        shown = f"{each.value:,.4g} {each.unit}"
        write(f"| {each.work} | {shown} | {each.target} | {each.verdict} | {remark} |\n")
        sys.stdout.flush()
    write("\nThe median where something was run several times.\n")
    return 0 if right else 1
