"""How well alert rules tell troubles from noise: `python -m tests.benchmarks.bench_alerts`.

Labelled tapes are replayed through the real judge and its database. Precision is the share of
first words, about an incident or that it became worse, that are about a trouble; recall the share
of troubles somebody was told of in time; latency the time from the beginning of a trouble to the
first word about it.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from slices.domain.alerts import Level
from slices.monitor.alerts.rules import RULES
from tests.benchmarks.harness import Figure, print_figures, timed
from tests.support.incident_tapes import Quality, Tape, fast_store, quality, replay
from tests.support.tapes import clear_tapes, hard_tapes, quiet_tape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PACKAGES = ("sqlalchemy", "numpy")


def replayed(tape: Tape, folder: Path) -> tuple[float, Quality]:
    """Replay a tape into a database of its own; return the seconds it took as well."""
    store = fast_store(folder / tape.name.replace(" ", "-"))
    seconds, told = timed(lambda: replay(store, tape))
    store.close()
    return seconds, quality(tape, told)


def share(part: int, whole: int) -> float:
    """Return a percentage; 100 of nothing."""
    return 100.0 * part / whole if whole else 100.0


def summed(work: str, found: Iterable[Quality], rules: Iterable[str]) -> Figure:
    """Measure recall, precision and latency of some rules."""
    wanted, seen = set(rules), list(found)
    words = [each for q in seen for each in q.words if each.incident.rule in wanted]
    false = [each for q in seen for each in q.false if each.incident.rule in wanted]
    missed = [each for q in seen for each in q.missed if each.rule in wanted]
    late = [seconds for q in seen for rule, _, seconds in q.latencies if rule in wanted]
    right, real = len(words) - len(false), len(missed) + len(late)
    times = (
        f"told after {statistics.median(late):,.0f} s, at most {max(late):,.0f} s" if late else ""
    )
    precision = f"precision {share(right, len(words)):.1f} % ({right} of {len(words)})"
    return Figure(
        work=f"{work}: recall",
        value=share(len(late), real),
        unit="%",
        note=f"{len(late)} of {real} troubles; {precision}; {times}",
    )


def figures(folder: Path) -> Iterator[Figure]:
    """Replay every tape, and measure all rules and each."""
    clear, hard = clear_tapes(whole=True), hard_tapes()
    runs = [replayed(each, folder) for each in (*clear, *hard, quiet_tape(days=14))]
    found = [each for _, each in runs]
    names = [each.name for each in RULES]
    yield summed("all rules", found, names)
    yield summed("clear troubles", found[: len(clear)], names)
    yield summed("what thresholds judge wrongly", found[len(clear) : -1], names)
    critical = [t for q in found for t in q.missed if t.level is Level.CRITICAL]
    yield Figure(
        work="critical troubles missed", value=len(critical), unit="", at_most=0,
        wrong="a critical trouble was not told" if critical else "",
    )  # fmt: skip
    still = found[-1]
    yield Figure(work="notifications in two quiet weeks", value=len(still.told), unit="", at_most=0)
    for name in sorted({one.rule for each in found for one in each.tape.troubles}):
        yield summed(name, found, [name])
    looks = sum(len(each.tape.looks) for each in found)
    yield Figure(
        work="one look judged", value=1e3 * sum(each for each, _ in runs) / looks, unit="ms",
        note=f"{looks:,} looks, with what is sent",
    )  # fmt: skip


def main() -> int:
    """Print the table."""
    with tempfile.TemporaryDirectory(prefix="tradeflows-bench-") as name:
        return print_figures("Alert quality", figures(Path(name)), packages=PACKAGES)


if __name__ == "__main__":
    sys.exit(main())
