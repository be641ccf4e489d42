"""`tradeflows alerts`: what is wrong, and what people say about it."""

from __future__ import annotations

import datetime as dt
import math
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from flows.cli.exits import Exit
from flows.cli.halt import operator
from flows.cli.output import note, print_json, print_line
from slices.domain.alerts import AlertTested, Level
from slices.domain.clock import SystemClock
from slices.domain.errors import ParameterError
from slices.runtime.environment import check_home, prepare

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from slices.domain.monitoring import AlertRule, Incident
    from slices.monitor.store import Store

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
LONGEST = dt.timedelta(days=365)
STALE_LOOKS = 4
"""After so many looks that did not come, nobody watches."""


def run_alerts(arguments: argparse.Namespace) -> Exit:
    """Do what was asked for."""
    check_home()
    as_json: bool = arguments.json
    match arguments.action:
        case "rules":
            return show_rules(as_json=as_json)
        case "ack":
            return acknowledge_alert(arguments.key, as_json=as_json)
        case "silence":
            return silence_rule(
                arguments.rule,
                arguments.subject,
                period=period_of(arguments.period, option="--for"),
                reason=arguments.reason,
                as_json=as_json,
            )
        case "test":
            return send_test(Level(arguments.level), as_json=as_json)
        case _:
            return show_alerts(getattr(arguments, "since", ""), as_json=as_json)


def period_of(words: str, *, option: str) -> dt.timedelta:
    """Read a length of time.

    Raises:
        ParameterError: It is none, or longer than a year.

    >>> period_of("90m", option="--for")
    datetime.timedelta(seconds=5400)
    """
    found = re.fullmatch(r"(\d{1,9})([smhd])", words.strip())
    period = dt.timedelta(seconds=int(found[1]) * UNITS[found[2]]) if found else None
    if period is None or period > LONGEST:
        allowed = "a number and s, m, h or d, such as 30m or 2h, up to 365d"
        raise ParameterError(parameter=option, found=repr(words), allowed=allowed)
    return period


@contextmanager
def opened_store() -> Iterator[Store]:
    """Open the database of alerts for as long as it is needed."""
    from slices.monitor.store import open_store

    store = open_store()
    try:
        yield store
    finally:
        store.close()


def show_alerts(since: str, *, as_json: bool) -> Exit:
    """Print what is wrong, and what ended since then, the worst first."""
    from slices.monitor.alerts.incidents import incidents_since, open_incidents

    now = SystemClock().now()
    with opened_store() as store:
        found = open_incidents(store)
        if since:
            recent = incidents_since(store, now - period_of(since, option="--since"))
            found = (*found, *(each for each in recent if not each.is_open))
        warn_if_nobody_watches(store, now)
    if as_json:
        print_json([_document(each) for each in found])
    elif not found:
        print_line("no alert is open")
    for each in () if as_json else found:
        print_line(_line(each, now))
        print_line(f"{'':10}{each.message}")
        if each.is_open:
            print_line(f"{'':10}next: {each.next_step}")
    return Exit.OK


def warn_if_nobody_watches(store: Store, now: dt.datetime) -> None:
    """Say so beside the answer where the last look was long ago."""
    from slices.runtime.settings import load_settings

    last = latest_look(store)
    allowed = dt.timedelta(seconds=STALE_LOOKS * load_settings().watch_seconds)
    if last is None:
        note("tradeflows: nobody has watched yet; `tradeflows watch` does")
    elif now - last > allowed:
        when = f"{last:%Y-%m-%d %H:%M} UTC"
        note(f"tradeflows: nobody watches since {when}; `tradeflows watch` does")


def latest_look(store: Store) -> dt.datetime | None:
    """Read when the system was looked at last."""
    from sqlalchemy import select

    from slices.monitor.history import LATEST
    from slices.monitor.schema import PICTURES
    from slices.monitor.store import reading

    with reading(store) as connection:
        return connection.scalar(select(PICTURES.c.at).where(PICTURES.c.name == LATEST))


def _line(incident: Incident, now: dt.datetime) -> str:
    words = [
        f"{incident.level.value:<9}",
        incident.key,
        f"({incident.subject})",
        f"{incident.count} x since {incident.opened:%Y-%m-%d %H:%M} UTC",
        *_remarks(incident, now),
    ]
    return " ".join(words)


def _remarks(incident: Incident, now: dt.datetime) -> Iterator[str]:
    if incident.resolved is not None:
        yield f"| ended {incident.resolved:%Y-%m-%d %H:%M}"
    if incident.acknowledged is not None:
        yield f"| {incident.acknowledged_by} takes care of it"
    if incident.silenced_until is not None and incident.silenced_until > now:
        yield f"| silent until {incident.silenced_until:%Y-%m-%d %H:%M}"
    if incident.attempts and incident.delivered is None:
        yield f"| not delivered, {incident.attempts} attempts"


def _document(incident: Incident) -> dict[str, object]:
    moments = {
        name: found.isoformat() if found else None
        for name in ("opened", "last_seen", "resolved", "notified", "delivered", "acknowledged")
        for found in (getattr(incident, name),)
    }
    return {
        "key": incident.key,
        "rule": incident.rule,
        "subject": incident.subject,
        "level": incident.level.value,
        "message": incident.message,
        "next_step": incident.next_step,
        "value": _number(incident.value),
        "threshold": _number(incident.threshold),
        "count": incident.count,
        "attempts": incident.attempts,
        "acknowledged_by": incident.acknowledged_by,
        **moments,
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def show_rules(*, as_json: bool) -> Exit:
    """Print every rule."""
    from slices.monitor.alerts.rules import RULES

    if as_json:
        print_json([_rule_document(each) for each in RULES])
    for each in () if as_json else RULES:
        print_line(f"{each.level.value:<9} {each.name:<22} {each.title}")
        print_line(f"{'':10}{_condition(each)}")
    return Exit.OK


def _condition(rule: AlertRule) -> str:
    if rule.metric:
        found = f"{rule.metric} {rule.comparison.value} {rule.threshold:g}"
    else:
        found = ", ".join(rule.events or rule.states)
    waited = f" for {rule.for_seconds:g} s" if rule.for_seconds else ""
    does = [
        *(["halts trading"] if rule.halts else []),
        *([f"runs {rule.runs}"] if rule.runs else []),
        *([f"pauses what is tagged {rule.pauses}"] if rule.pauses else []),
    ]
    again = f"; told again after {rule.cooldown_seconds:g} s at the earliest"
    return "; ".join([f"{found}{waited}", *does]) + again


def _rule_document(rule: AlertRule) -> dict[str, object]:
    return {
        "name": rule.name,
        "level": rule.level.value,
        "title": rule.title,
        "condition": _condition(rule),
        "next_step": rule.next_step,
    }


def acknowledge_alert(key: str, *, as_json: bool) -> Exit:
    """Note that the person at this machine takes care of an alert."""
    from slices.monitor.alerts.incidents import acknowledge

    with opened_store() as store:
        found = acknowledge(store, key, by=operator(), at=SystemClock().now())
    if as_json:
        print_json(_document(found))
    else:
        print_line(f"{found.key}: {found.acknowledged_by} takes care of it; not told again")
    return Exit.OK


def silence_rule(
    rule: str, subject: str, *, period: dt.timedelta, reason: str, as_json: bool
) -> Exit:
    """Keep a rule quiet for a while."""
    from slices.monitor.alerts.incidents import silence

    until = SystemClock().now() + period
    with opened_store() as store:
        found = silence(
            store, rule=rule, subject=subject, until=until, by=operator(), reason=reason
        )
    about = found.subject or "everything"
    if as_json:
        print_json({"rule": found.rule, "subject": found.subject, "until": until.isoformat()})
    else:
        print_line(f"{found.rule} ({about}) is silent until {until:%Y-%m-%d %H:%M} UTC")
    return Exit.OK


def send_test(level: Level, *, as_json: bool) -> Exit:
    """Raise an alert of a level, which goes the way of every other."""
    prepare()
    from slices.runtime.events import emit

    now = SystemClock().now()
    about = f"test-{now:%Y%m%dT%H%M%S}"
    message = f"a test by {operator()}: nothing is wrong"
    event_id = emit(AlertTested(subject=about, level=level, message=message))
    with opened_store() as store:
        warn_if_nobody_watches(store, now)
    if as_json:
        print_json({"event": event_id, "subject": about, "level": level.value})
    else:
        print_line(f"{about}: the watch finds it with its next look; `tradeflows alerts` shows it")
    return Exit.OK
