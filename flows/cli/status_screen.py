"""`tradeflows status --watch`: the state of the system as a screen that changes."""

from __future__ import annotations

import os
import select
import sys
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from flows.cli.exits import Exit
from flows.cli.output import print_line
from flows.operations.summary import NO_WATCH, opened_looker
from slices.monitor.dashboard.text import (
    MOST_ALERTS,
    account_lines,
    alert_line,
    health_line,
    health_lines,
    lost_lines,
    plain,
)
from slices.monitor.dashboard.views.runs import shown_runs
from slices.monitor.dashboard.wording import duration, health_tone
from slices.monitor.store import open_store
from slices.runtime.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import RenderableType

    from flows.operations.summary import Dashboard, Looker
    from slices.domain.monitoring import Health
    from slices.monitor.dashboard.seeing import Seen
    from slices.monitor.dashboard.views.runs import ShownRun

STYLES = {"good": "green", "warning": "yellow", "bad": "bold red", "neutral": "dim"}
LEVEL_STYLES = {"info": "dim", "warning": "yellow", "error": "red", "critical": "bold white on red"}
BAR_LETTERS = 20
REFRESH_SECONDS = 2.0


def show_screen() -> Exit:
    """Show the system until q is pressed; without a terminal, print it once per interval."""
    interval = load_settings().watch_seconds
    with closing(open_store()) as store, opened_looker(store) as looker:
        if sys.stdout.isatty() and sys.stdin.isatty():
            _live(looker, seconds=min(REFRESH_SECONDS, interval))
        else:
            _printed(looker, seconds=interval)
    return Exit.OK


def _printed(looker: Looker, *, seconds: float) -> None:
    never = threading.Event()
    while True:
        print_line(f"{looker.look().generate_summary()}\n")
        sys.stdout.flush()
        never.wait(seconds)


def _live(looker: Looker, *, seconds: float) -> None:
    console = Console(highlight=False)
    with (
        _keys() as pressed,
        Live(Text("looking ..."), console=console, screen=True, auto_refresh=False) as live,
    ):
        while True:
            live.update(screen(looker.look()), refresh=True)
            if pressed(seconds) in {"q", "Q"}:
                return


@contextmanager
def _keys() -> Iterator[Callable[[float], str]]:
    """Read single keys of the terminal, each call waiting for one as long as it is told."""
    import termios
    import tty

    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)

    def pressed(seconds: float) -> str:
        ready, _, _ = select.select([keyboard], [], [], seconds)
        return os.read(keyboard, 1).decode("latin-1") if ready else ""

    try:
        tty.setcbreak(keyboard)
        yield pressed
    finally:
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)


def screen(dashboard: Dashboard) -> RenderableType:
    """Draw the state of the system."""
    seen = dashboard.seen
    parts: list[RenderableType] = [*_banners(dashboard), _titled("Health", _health(seen))]
    parts += [_titled("Alerts", _alerts(seen)), _titled("Running", _running(seen))]
    parts.append(_titled("Accounts", _lines(account_lines(seen), none="there is none")))
    parts.append(Text("q ends", style="dim"))
    return Group(*parts)


def _banners(dashboard: Dashboard) -> Iterator[RenderableType]:
    if dashboard.measured_here:
        yield Panel(Text(NO_WATCH), style="bold red")
    halted = dashboard.seen.halted
    if halted is not None:
        words = f"ALL TRADING IS HALTED: {plain(halted) or 'no reason was given'}"
        yield Panel(Text(words), style="bold red", subtitle="tradeflows release --reason TEXT")


def _health(seen: Seen) -> RenderableType:
    if not seen.health:
        return _lines(health_lines(seen), none="")
    table = Table(box=None, show_header=False, pad_edge=False)
    for each in seen.health:
        table.add_row(_score(each), _one_line("; ".join(lost_lines(each))))
    for part, reason in seen.observation.unknown if seen.observation else ():
        table.add_row(Text(f"{part} not known", style="yellow"), _one_line(reason))
    return Group(table, Text(f"measured {duration(seen.age_seconds)} ago", style="dim"))


def _score(health: Health) -> Text:
    return Text(health_line(health), style=STYLES[health_tone(health.score)], no_wrap=True)


def _one_line(text: str, *, style: str = "") -> Text:
    """Cut what does not fit: the screen is for seeing everything at once."""
    return Text(plain(text), style=style, no_wrap=True, overflow="ellipsis")


def _titled(title: str, body: RenderableType) -> RenderableType:
    return Group(Text(title, style="bold"), body, Text())


def _alerts(seen: Seen) -> RenderableType:
    lines: list[Text] = []
    for each in seen.incidents[:MOST_ALERTS]:
        lines.append(_one_line(alert_line(each), style=LEVEL_STYLES[each.level]))
        lines.append(_one_line(f"  next: {each.next_step}"))
    more = len(seen.incidents) - MOST_ALERTS
    if more > 0:
        lines.append(Text(f"{more} more; see: tradeflows alerts"))
    return Group(*lines) if lines else Text("none is open", style="dim")


def _running(seen: Seen) -> RenderableType:
    if seen.observation is None or seen.observation.server is None:
        return Text(plain(f"not known: {seen.reason_unknown('orchestration')}"), style="yellow")
    runs = shown_runs(seen.observation.server, now=seen.now).running
    table = Table(box=None, show_header=False, pad_edge=False)
    for each in runs:
        table.add_row(*_run(each))
    return table if runs else Text("no run is going on", style="dim")


def _run(run: ShownRun) -> tuple[RenderableType, ...]:
    facts = run.facts
    bar = ProgressBar(total=max(1, facts.tasks_all), completed=run.done, width=BAR_LETTERS)
    failed = f", {facts.tasks_failed} failed" if facts.tasks_failed else ""
    tasks = f"{run.done} of {facts.tasks_all} tasks{failed}"
    name = Text(plain(f"{facts.flow}  {facts.name}"))
    return name, Text(facts.state), bar, Text(tasks), Text(duration(facts.seconds))


def _lines(lines: Iterator[str], *, none: str) -> RenderableType:
    found = [Text(plain(each)) for each in lines]
    return Group(*found) if found else Text(none, style="dim")
