"""What events and flow runs say to the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.alerts import AlertFired, AlertResolved, Level, WatchBeat
from slices.domain.results import CLOSED
from slices.monitor.alerts.docket import Ending, Sighting
from slices.monitor.alerts.subjects import ALL, end_of, run_subject

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from slices.domain.monitoring import AlertRule, Notice
    from slices.domain.observations import RunFacts

OWN = (AlertFired.name, AlertResolved.name, WatchBeat.name)
"""Events of the watch itself, which no rule is about."""

ANY = "*"


def heard(notices: Iterable[Notice], rules: Sequence[AlertRule]) -> Iterator[Sighting]:
    """List what events tell the rules, in the order in which they were written."""
    for notice in sorted(notices, key=lambda each: each.number):
        rule = rule_about(notice.name, rules)
        if rule is not None and not rule.metric:
            yield Sighting(
                rule=rule,
                subject=ALL if rule.is_joint else notice.subject,
                at=notice.at,
                level=max(rule.level, notice.level, key=_rank),
                message=notice.message,
                since=notice.at,
            )


def rule_about(name: str, rules: Sequence[AlertRule]) -> AlertRule | None:
    """Find the rule that an event of this name is for; none for the watch's own."""
    if name in OWN:
        return None
    named = (each for each in rules if name in each.events)
    return next(named, None) or next((each for each in rules if ANY in each.events), None)


def ended_runs(
    runs: Iterable[RunFacts], rules: Sequence[AlertRule], *, counted: frozenset[str]
) -> Iterator[Sighting | Ending]:
    """List what flow runs that ended tell the rules, in the order in which they ended.

    Args:
        runs: Runs that ended.
        rules: All rules; only those about states look at runs.
        counted: Ends of runs that incidents have counted already.
    """
    about = [each for each in rules if each.states]
    done = sorted(((run.ended, run) for run in runs if run.ended), key=lambda each: each[0])
    for ended, run in done:
        for rule in about:
            if run.state in rule.states:
                if end_of(run) not in counted:
                    yield Sighting(
                        rule=rule,
                        subject=run_subject(run),
                        at=ended,
                        level=rule.level,
                        message=_run_message(run),
                        since=ended,
                    )
            elif run.kind == "COMPLETED" and run.state != CLOSED:
                yield Ending(rule=rule, subject=run_subject(run), at=ended)


def _run_message(run: RunFacts) -> str:
    why = run.message.strip().partition("\n")[0]
    return f"{run_subject(run)}: run {run.name} ended {run.state}{f': {why}' if why else ''}"


def _rank(level: Level) -> int:
    return level.rank
