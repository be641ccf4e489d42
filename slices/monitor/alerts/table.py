"""The rules as a page of Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.alerts import Level
from slices.monitor.alerts.hearing import ANY
from slices.monitor.alerts.rules import RULES
from slices.monitor.alerts.wording import beyond, lasting, shown
from slices.monitor.metrics import metric_type

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from slices.domain.monitoring import AlertRule

TITLE = "# Alert rules"
INTRODUCTION = """\
Written by `python -m slices.monitor.alerts > docs/alerts.md`. A rule finds incidents: one for each
trouble, with a count, however often it is seen. Somebody is told when an incident begins, when it
becomes worse, and again after each cooldown while it goes on growing, or is critical, and nobody
has acknowledged it (`tradeflows alerts ack KEY`). `tradeflows alerts silence RULE [SUBJECT] --for
2h --reason TEXT` keeps a rule quiet; the first word about something critical is said all the same.
What is not measured, or is undefined, begins and ends nothing. Silence of the watch itself is told
by Prefect, which misses its heartbeat."""
COLUMNS = ("rule", "level", "when", "for", "again after", "ends", "does", "next step", "why")


def rules_table(rules: Sequence[AlertRule] = RULES) -> str:
    """Write every rule with its level, numbers, actions, next step and reasons."""
    lines = [TITLE, "", INTRODUCTION, "", _row(COLUMNS), _row(["---"] * len(COLUMNS))]
    ordered = sorted(rules, key=lambda each: (-each.level.rank, each.name))
    return "\n".join([*lines, *(_row(_cells(each)) for each in ordered), ""])


def _cells(rule: AlertRule) -> tuple[str, ...]:
    levels = (rule.level, *(level for level, _ in rule.worse))
    return (
        f"`{rule.name}`",
        ", ".join(Level(each).value.upper() for each in levels),
        f"{rule.title}: {'; '.join(_conditions(rule))}",
        lasting(rule.for_seconds) if rule.for_seconds else "at once",
        lasting(rule.cooldown_seconds),
        _end(rule),
        "; ".join(_actions(rule)),
        rule.next_step,
        rule.why,
    )


def _conditions(rule: AlertRule) -> Iterator[str]:
    if rule.metric:
        unit = metric_type(rule.metric).unit
        steps = ((rule.level, rule.threshold), *rule.worse)
        side = "and above" if "above" in beyond(rule.comparison, 0.0, unit) else "and below"
        values = ", ".join(f"{shown(value, unit)} ({level.value})" for level, value in steps)
        only = "".join(f" of {name} {value}" for name, value in rule.where)
        yield f"`{rule.metric}`{only} at {values} {side}"
    elif ANY in rule.events:
        yield "any event that no other rule names"
    elif rule.events:
        yield f"event {', '.join(f'`{each}`' for each in rule.events)}"
    if rule.states:
        yield f"a run that ended {' or '.join(rule.states)}"


def _end(rule: AlertRule) -> str:
    if not rule.metric:
        good = "a later run that ends well, or " if rule.states else ""
        return f"{good}{lasting(rule.ends_after_seconds)} without another"
    calm = f"{lasting(rule.calm_seconds)} " if rule.calm_seconds else "once "
    unit = metric_type(rule.metric).unit
    return f"{calm}back" if rule.clears is None else f"{calm}back beyond {shown(rule.clears, unit)}"


def _actions(rule: AlertRule) -> Iterator[str]:
    yield "tells"
    if rule.halts:
        yield "halts trading"
    if rule.runs:
        yield f"starts `{rule.runs}`"
    if rule.pauses:
        yield f"pauses deployments tagged `{rule.pauses}`"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(each.replace('|', '&#124;') for each in cells)} |"
