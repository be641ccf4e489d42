"""`tradeflows watch`: measures the system, raises alerts and halts trading, until it is stopped."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from flows.cli.exits import Exit
from flows.cli.output import note, print_json, print_line
from slices.domain.clock import SystemClock
from slices.domain.errors import SettingsError
from slices.runtime.environment import check_home, prepare

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from flows.operations.watch import Watch
    from slices.domain.monitoring import Health, Incident
    from slices.monitor.history import Measurement
    from slices.runtime.settings import Settings

LOCK = "watch"
ENDING = (signal.SIGINT, signal.SIGTERM)


def run_watch(*, once: bool, as_json: bool) -> Exit:
    """Watch until told to end, or look once.

    Raises:
        SettingsError: Another watch of this home runs.
    """
    check_home()
    prepare()
    from slices.runtime.settings import load_settings

    settings = load_settings()
    with only_one(settings), opened_watch(settings) as watch:
        if once:
            return _look_once(watch, as_json=as_json)
        where = watch.api_url or "no Prefect server, so nobody can be told"
        note(f"tradeflows: watching every {settings.watch_seconds:g} seconds ({where})")
        with ended_by_signal() as stop:
            watch.run(stop, every_seconds=settings.watch_seconds)
        note("tradeflows: the watch has ended")
    return Exit.OK


@contextmanager
def only_one(settings: Settings) -> Iterator[None]:
    """Keep a second watch of the same home from starting.

    Raises:
        SettingsError: There is one.
    """
    from slices.runtime.locks import KernelLocks

    locks = KernelLocks(settings.locks_folder)
    if not locks.acquire_lock(LOCK, LOCK, acquire_timeout=0):
        raise SettingsError(
            setting="TRADEFLOWS_HOME",
            found=f"{settings.home}, which is watched already",
            needed="one watch per home; `tradeflows alerts` shows what it found",
        )
    try:
        yield
    finally:
        locks.release_lock(LOCK, LOCK)


@contextmanager
def opened_watch(settings: Settings) -> Iterator[Watch]:
    """Open everything a watch needs, and close it again."""
    from prefect.settings import PREFECT_API_URL

    from flows.operations.observing import Observer
    from flows.operations.watch import Watch
    from slices.monitor.store import open_for_watching

    store, aside = open_for_watching(settings.monitor_folder)
    if aside is not None:
        note(f"tradeflows: measurements and alerts were damaged and begin anew; see {aside}")
    api_url = PREFECT_API_URL.value() or None
    observer = Observer(api_url=api_url, store=store)
    try:
        yield Watch(api_url=api_url, store=store, observer=observer, clock=SystemClock())
    finally:
        observer.close()
        store.close()


@contextmanager
def ended_by_signal() -> Iterator[threading.Event]:
    """Let Ctrl-C and SIGTERM end the watch after the look it is taking."""
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {each: signal.signal(each, end) for each in ENDING}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _look_once(watch: Watch, *, as_json: bool) -> Exit:
    from slices.monitor.alerts.incidents import open_incidents

    measurement = watch.tick(SystemClock().now())
    incidents = open_incidents(watch.store)
    if as_json:
        print_json(_document(measurement, incidents, watch.troubles))
    else:
        for line in _lines(measurement, incidents):
            print_line(line)
        for step, problem in watch.troubles.items():
            note(f"tradeflows: {step} failed: {problem}")
    return Exit.FAILED if watch.troubles else Exit.OK


def _lines(measurement: Measurement, incidents: tuple[Incident, ...]) -> Iterator[str]:
    yield f"{len(measurement.samples)} values measured at {measurement.at:%Y-%m-%d %H:%M:%S} UTC"
    for each in measurement.health:
        score = "unknown" if each.score is None else f"{each.score:.0f}"
        yield f"{each.part:<14} {score:>7}  {_lost(each)}".rstrip()
    yield f"{len(incidents)} alerts are open; see `tradeflows alerts`"


def _lost(health: Health) -> str:
    return "; ".join(each.reason for each in health.lost)


def _document(
    measurement: Measurement, incidents: tuple[Incident, ...], troubles: dict[str, str]
) -> dict[str, object]:
    return {
        "at": measurement.at.isoformat(),
        "values": len(measurement.samples),
        "health": [
            {"part": each.part, "score": each.score, "lost": _lost(each)}
            for each in measurement.health
        ],
        "open_alerts": len(incidents),
        "unknown": [
            {"part": part, "reason": reason} for part, reason in measurement.observation.unknown
        ],
        "troubles": troubles,
    }
