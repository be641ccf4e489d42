"""What was seen of the system at one moment: the facts that metrics are measured from.

Each part is None where it could not be looked at; `Observation.unknown` then says why. Nothing is
assumed about what was not seen.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from slices.domain.accounts import EquityPoint, Position, TradingMode, TradingState
from slices.domain.limits import LimitLine


@dataclass(frozen=True, kw_only=True)
class HostFacts:
    """The machine; fractions of 1, sizes in bytes.

    Attributes:
        cpu: Share of all cores in use since the look before.
        load_1m: Average length of the run queue over one minute.
        memory_used: Share of memory that is not available.
        disk_used: Share of the home's file system.
        disk_free: Free bytes of the home's file system.
        home_size: Bytes under the home folder.
        open_files: File handles of the system's own processes.
        open_files_limit: What one process may open.
        processes: Processes of the system that run.
    """

    name: str
    cores: int
    cpu: float
    load_1m: float
    memory_total: int
    memory_used: float
    swap_used: float
    disk_total: int
    disk_used: float
    disk_free: int
    home_size: int
    open_files: int
    open_files_limit: int
    processes: int


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """One flow run.

    Attributes:
        state: As Prefect names it: Running, Failed, Late, Degraded, ...
        kind: The type behind the name: RUNNING, FAILED, SCHEDULED, ...
        seconds: How long it ran, or has been running.
        heard: When its process was last heard of; None where it never was.
        tasks_done: Task runs that ended well.
        tasks_failed: Task runs that failed or crashed.
        tasks_all: Task runs that exist.
    """

    run_id: str
    name: str
    flow: str
    deployment: str
    tags: tuple[str, ...]
    state: str
    kind: str
    message: str
    expected: dt.datetime | None
    started: dt.datetime | None
    ended: dt.datetime | None
    seconds: float
    heard: dt.datetime | None
    tasks_done: int
    tasks_failed: int
    tasks_all: int


@dataclass(frozen=True, kw_only=True)
class WorkerFacts:
    """One worker of a pool."""

    name: str
    pool: str
    status: str
    heard: dt.datetime | None


@dataclass(frozen=True, kw_only=True)
class QueueFacts:
    """One queue of a pool; `waiting` runs should have started already."""

    pool: str
    queue: str
    is_paused: bool
    waiting: int


@dataclass(frozen=True, kw_only=True)
class ServerFacts:
    """The Prefect server and what ran on it.

    Attributes:
        url, pages: Of the API, and where its pages are.
        answered_seconds: How long an answer took.
        since: Begin of the window that counts are over, 24 hours before.
        states: Flow runs of the window by state name, with how many there are.
        running: Runs that have begun and not ended.
        recent: Runs that ended last, newest first, at most fifty.
        earlier: Runs of the window that ended before these, without their task runs.
        durations: Flow and seconds of each run that completed in the window.
        late: Runs that should have begun.
        retries: Further attempts of flow and task runs in the window.
        cacheable, cached: Task runs of the window a cache could have answered, and did.
        failed_fetches: Task runs of kind fetch in the window that failed.
        failed_actions: Actions of automations in the window that failed.
        paused: Deployments whose schedules are paused.
    """

    url: str
    pages: str
    version: str
    answered_seconds: float
    since: dt.datetime
    states: tuple[tuple[str, int], ...]
    running: tuple[RunFacts, ...]
    recent: tuple[RunFacts, ...]
    durations: tuple[tuple[str, float], ...]
    late: int
    retries: int
    task_runs: int
    cacheable: int
    cached: int
    failed_fetches: int
    failed_actions: int
    deployments: int
    paused: tuple[str, ...]
    workers: tuple[WorkerFacts, ...]
    queues: tuple[QueueFacts, ...]
    earlier: tuple[RunFacts, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FeedFacts:
    """What the store holds of one feed.

    Attributes:
        is_final: Whether the feed never grows, as embedded prices, so that it does not age.
        age_sessions: Sessions of the calendar after the newest bar that should be there by now; the
            oldest of its symbols counts.
        gaps: Sessions missing between first and last, over all symbols.
    """

    source: str
    feed: str
    symbols: int
    rows: int
    last_session: dt.date
    is_final: bool
    age_sessions: int
    gaps: int
    quarantined: int
    suspected_splits: int
    ingested: dt.datetime


@dataclass(frozen=True, kw_only=True)
class StopFacts:
    """A protective order that is armed; `trigger` is NaN where it depends on prices since."""

    symbol: str
    kind: str
    quantity: float
    trigger: float


@dataclass(frozen=True, kw_only=True)
class AccountFacts:
    """One account; money in account currency, fractions of equity.

    Attributes:
        curve: Equity by session, thinned to at most 500 points.
        drawdown: Present loss from the peak, a positive fraction.
        day_pnl: Equity less what the day began with.
        value_at_risk: Historical loss of one session at 95 %, positive; NaN below 30 sessions, as
            is volatility, the sample deviation of the returns of one session.
        orders: Orders by state name, of the thirty days up to the account's newest session, as
            are rejected orders, fills, slippage and turnover.
        rejected: Denied and rejected orders by reason code.
        unknown_orders: Orders nobody knows the fate of.
        fill_ratio: Filled quantity over ordered quantity of orders that ended; NaN without any.
        slippage_bps: Spread and impact of what was traded; NaN without fills and for live ones.
        turnover: Half of what was traded, as a fraction of mean equity.
        limits: Empty where it was traded with limits that are not known here.
    """

    name: str
    mode: TradingMode
    state: TradingState
    state_reason: str
    session: dt.date | None
    capital: float
    equity: float
    cash: float
    day_pnl: float
    realized_pnl: float
    unrealized_pnl: float
    costs: float
    gross: float
    net: float
    leverage: float
    concentration: float
    drawdown: float
    max_drawdown: float
    volatility: float
    value_at_risk: float
    expected_shortfall: float
    orders: tuple[tuple[str, int], ...]
    rejected: tuple[tuple[str, int], ...]
    open_orders: int
    unknown_orders: int
    fills: int
    fill_ratio: float
    slippage_bps: float
    turnover: float
    positions: tuple[Position, ...]
    stops: tuple[StopFacts, ...]
    limits: tuple[LimitLine, ...]
    curve: tuple[EquityPoint, ...]


@dataclass(frozen=True, kw_only=True)
class ModelFacts:
    """One version of a model that trades or might.

    Attributes:
        alias: champion, challenger, or empty for the newest of a model nobody follows.
        age_sessions: Sessions since the newest it learnt from, at the newest its feed has.
        expected_ic: Information coefficient measured out of sample at training.
        live_ic: The same over matured predictions; NaN below 20 sessions of them.
        coverage: Share of outcomes inside their interval; NaN without outcomes.
        nominal_coverage: The share that was promised.
        drifted: Share of features beyond their limit at the last look; NaN where nobody looked.
    """

    model: str
    version: int
    alias: str
    kind: str
    trained_to: dt.date
    age_sessions: int
    expected_ic: float
    live_ic: float
    matured: int
    pending: int
    coverage: float
    nominal_coverage: float
    drifted: float
    page: str


@dataclass(frozen=True, kw_only=True)
class AlertFacts:
    """Alerts themselves.

    Attributes:
        opened: Incidents of the last 24 hours by level.
        open: Incidents that last, by level.
        undelivered: Notifications that no receiver has taken yet.
        oldest_undelivered_seconds: How long the oldest of them has waited.
    """

    opened: tuple[tuple[str, int], ...]
    open: tuple[tuple[str, int], ...]
    unacknowledged: int
    undelivered: int
    oldest_undelivered_seconds: float
    delivered: int
    events: int


@dataclass(frozen=True, kw_only=True)
class Observation:
    """The system at one moment.

    Attributes:
        at: When, UTC.
        unknown: Parts that could not be looked at, with the reason.
    """

    at: dt.datetime
    host: HostFacts | None = None
    server: ServerFacts | None = None
    data: tuple[FeedFacts, ...] | None = None
    accounts: tuple[AccountFacts, ...] | None = None
    models: tuple[ModelFacts, ...] | None = None
    alerts: AlertFacts | None = None
    halted: str | None = None
    unknown: tuple[tuple[str, str], ...] = ()
