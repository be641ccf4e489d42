"""`tradeflows status`: the latest runs, from the Prefect API."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from flows.cli.exits import Exit
from flows.cli.output import note, print_json, print_line
from flows.cli.server import prefect_api
from slices.domain.errors import ParameterError, TradingError
from slices.runtime.environment import check_home, prepare

if TYPE_CHECKING:
    from prefect.client.schemas.objects import FlowRun

MOST = 200


@dataclass(frozen=True, kw_only=True)
class RunLine:
    """One run, as far as a line can say it."""

    flow: str
    run: str
    run_id: str
    state: str
    started: str
    seconds: float
    message: str


def latest_runs(last: int) -> tuple[RunLine, ...]:
    """Ask Prefect for the runs that began last, newest first."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterStartTime
    from prefect.client.schemas.sorting import FlowRunSort

    begun = FlowRunFilter(start_time=FlowRunFilterStartTime(is_null_=False))

    with get_client(sync_client=True) as client:
        runs = client.read_flow_runs(
            flow_run_filter=begun, sort=FlowRunSort.START_TIME_DESC, limit=last
        )
        names = {run.flow_id: "" for run in runs}
        for flow_id in names:
            names[flow_id] = client.read_flow(flow_id).name
    return tuple(_line(names[run.flow_id], run) for run in runs)


def _line(flow: str, run: FlowRun) -> RunLine:
    return RunLine(
        flow=flow,
        run=run.name,
        run_id=str(run.id),
        state=run.state_name or "Unknown",
        started=f"{run.start_time:%Y-%m-%d %H:%M:%S}" if run.start_time else "",
        seconds=round(run.total_run_time.total_seconds(), 1),
        message=(run.state.message or "") if run.state else "",
    )


def show_status(*, last: int, as_json: bool, is_watching: bool = False) -> Exit:
    """Print health, where it is measured, and the latest runs.

    Raises:
        ParameterError: A number of runs that is not allowed, or a screen as JSON.
    """
    if not 1 <= last <= MOST:
        raise ParameterError(parameter="--last", found=str(last), allowed=f"1 to {MOST}")
    if is_watching and as_json:
        raise ParameterError(parameter="--watch", found="--json too", allowed="one of the two")
    check_home()
    prepare()
    if is_watching:
        from flows.cli.status_screen import show_screen

        return show_screen()
    if not as_json:
        _print_health()
    with prefect_api():
        lines = latest_runs(last)
    if as_json:
        print_json([asdict(line) for line in lines])
    else:
        _print_runs(lines)
    return Exit.OK


def _print_health() -> None:
    try:
        for line in measured_lines():
            print_line(line)
    except TradingError as problem:
        note(f"tradeflows: {problem}")


def _print_runs(lines: tuple[RunLine, ...]) -> None:
    if not lines:
        print_line("no runs yet; start one with: tradeflows run portfolio_analysis")
        return
    print_line(f"{'started (UTC)':<19}  {'flow':<28} {'state':<10}")
    for line in lines:
        print_line(
            f"{line.started:<19}  {line.flow:<28} {line.state:<10} {line.seconds:>7.1f} s  "
            f"{line.run}  {line.message}".rstrip()
        )


def measured_lines() -> tuple[str, ...]:
    """Say how healthy the system was when it was measured last; nothing where it never was."""
    from slices.runtime.settings import load_settings

    settings = load_settings()
    if not (settings.monitor_folder / "monitor.db").exists():
        return ()
    from slices.domain.clock import SystemClock
    from slices.monitor.dashboard.seeing import see
    from slices.monitor.dashboard.text import health_lines, plain
    from slices.monitor.dashboard.wording import plural
    from slices.monitor.store import open_store

    with closing(open_store(settings.monitor_folder)) as store:
        now = SystemClock().now()
        seen = see(store, now=now, interval_seconds=settings.watch_seconds)
    if seen.measurement is None:
        return ()
    alerts = f"{plural(len(seen.incidents), 'open alert')}; see `tradeflows alerts`"
    return (*map(plain, health_lines(seen)), alerts, "")
