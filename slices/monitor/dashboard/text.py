"""The dashboard as text, for terminals and notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.monitor.dashboard.views.accounts import shown_accounts
from slices.monitor.dashboard.views.runs import shown_runs
from slices.monitor.dashboard.wording import (
    NEW_YORK,
    duration,
    gain,
    health_word,
    money,
    percent,
    plural,
)

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from slices.domain.monitoring import Health, Incident
    from slices.monitor.dashboard.seeing import Seen
    from slices.monitor.dashboard.views.accounts import ShownAccount
    from slices.monitor.dashboard.views.runs import ShownRun

MOST_ALERTS = 10
RELEASE = "tradeflows release --reason TEXT"


def plain(text: str) -> str:
    """Take out what a terminal would obey rather than show.

    >>> plain("AAPL" + chr(27) + "[2J")
    'AAPL [2J'
    """
    return "".join(each if each.isprintable() else " " for each in text)


def summary(seen: Seen) -> str:
    """Say how everything is, in plain text."""
    return "\n".join(plain(line) for line in _lines(seen))


def _lines(seen: Seen) -> Iterator[str]:
    yield from health_lines(seen)
    if seen.observation is None:
        return
    yield from _section("Alerts", alert_lines(seen), none="none is open")
    yield from _section("Accounts", account_lines(seen), none="there is none")
    yield from _section("Running", run_lines(seen), none="no run is going on")


def _section(title: str, lines: Iterator[str], *, none: str) -> Iterator[str]:
    found = list(lines)
    yield ""
    yield title if found else f"{title}: {none}"
    yield from (f"  {each}" for each in found)


def clock(at: dt.datetime) -> str:
    """Write an instant in New York time."""
    return f"{at.astimezone(NEW_YORK):%Y-%m-%d %H:%M:%S} New York"


def health_lines(seen: Seen) -> Iterator[str]:
    """Say how healthy the system is, what cost points, and whether anybody watches."""
    if seen.measurement is None:
        yield "Nothing has been measured yet; start the watch with: tradeflows watch"
        return
    if not seen.is_watched:
        yield (
            f"NOBODY IS WATCHING: this is {duration(seen.age_seconds)} old;"
            " start the watch with: tradeflows watch"
        )
    if seen.halted is not None:
        yield f"ALL TRADING IS HALTED: {seen.halted or 'no reason was given'}"
        yield f"  once the reason is gone: {RELEASE}"
    measured = f"measured {duration(seen.age_seconds)} ago, {clock(seen.measurement.at)}"
    for number, each in enumerate(seen.health):
        yield f"{health_line(each)}{'' if number else f'; {measured}'}"
        yield from (f"    {reason}" for reason in lost_lines(each))
    for part, reason in seen.measurement.observation.unknown:
        yield f"  {part} is not known: {reason}"


def health_line(health: Health) -> str:
    """Write one score."""
    word = health_word(health.score).lower()
    if health.score is None:
        return f"{health.part:<14}   – {word}"
    return f"{health.part:<14} {health.score:>3.0f} {word}"


def lost_lines(health: Health) -> Iterator[str]:
    """Say what cost points."""
    for lost in health.lost:
        counts = health.score is not None and lost.points > 0
        yield f"−{lost.points:.0f} {lost.reason}" if counts else lost.reason


def alert_lines(seen: Seen) -> Iterator[str]:
    """List the worst of the open alerts, each with what to do."""
    for each in seen.incidents[:MOST_ALERTS]:
        yield alert_line(each)
        yield f"  next: {each.next_step}"
    if len(seen.incidents) > MOST_ALERTS:
        yield f"{len(seen.incidents) - MOST_ALERTS} more; see: tradeflows alerts"


def alert_line(incident: Incident) -> str:
    """Write one alert."""
    taken = ", acknowledged" if incident.acknowledged else ""
    return (
        f"{incident.level.upper():<8} {incident.message} ({incident.rule}, seen"
        f" {plural(incident.count, 'time')} since {clock(incident.opened)}{taken})"
    )


def account_lines(seen: Seen) -> Iterator[str]:
    """Write one line for each account."""
    if seen.observation is None or seen.observation.accounts is None:
        yield f"not known: {seen.reason_unknown('trading')}"
        return
    for each in shown_accounts(seen.observation.accounts):
        yield account_line(each)
        if each.release:
            reason = each.facts.state_reason or "no reason was given"
            yield f"  {reason}; once it is gone: {each.release}"


def account_line(account: ShownAccount) -> str:
    """Write one account."""
    facts, limit = account.facts, account.tightest
    tightest = f", {limit.name} {limit.word} ({limit.left})" if limit else ""
    return (
        f"{facts.name} ({facts.mode}) {facts.state}: equity {money(facts.equity)}, day"
        f" {gain(facts.day_pnl)}, drawdown {percent(facts.drawdown)}{tightest}"
    )


def run_lines(seen: Seen) -> Iterator[str]:
    """Write one line for each run that is going on."""
    if seen.observation is None or seen.observation.server is None:
        yield f"not known: {seen.reason_unknown('orchestration')}"
        return
    for each in shown_runs(seen.observation.server, now=seen.now).running:
        yield run_line(each)


def run_line(run: ShownRun) -> str:
    """Write one run."""
    facts = run.facts
    failed = f", {facts.tasks_failed} failed" if facts.tasks_failed else ""
    done = f"{run.done} of {plural(facts.tasks_all, 'task')}{failed}"
    return f"{facts.flow} {facts.name} {facts.state}: {done}, for {duration(facts.seconds)}"
