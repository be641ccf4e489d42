"""What an account's history looks like: drawdowns, months, stress windows, round trips."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class DrawdownEpisode:
    """A stretch below a peak.

    Attributes:
        depth: Positive fraction of the peak at the trough.
        peak: The last session at the peak; the first of all where value fell from the start.
        recovery: The first session back at the peak; None where it has not been reached again.
        sessions: From the peak to the recovery, or to the last session where there is none.
    """

    depth: float
    peak: dt.date
    trough: dt.date
    recovery: dt.date | None
    sessions: int
    sessions_to_trough: int


@dataclass(frozen=True, kw_only=True)
class YearOfReturns:
    """Returns of the twelve months of a year; NaN where the account did not exist.

    Attributes:
        total: Compounded over the months there are.
    """

    year: int
    months: tuple[float, ...]
    total: float


@dataclass(frozen=True, kw_only=True)
class StressWindow:
    """What happened in a bad time that has a name, over the sessions of it that are covered.

    Attributes:
        first_session: The close the window's returns start from.
        max_drawdown: Positive fraction of the highest value inside the window.
    """

    name: str
    first_session: dt.date
    last_session: dt.date
    total_return: float
    max_drawdown: float
    benchmark_return: float
    benchmark_max_drawdown: float


@dataclass(frozen=True, kw_only=True)
class RelativeFigures:
    """An account beside its benchmark; annualized, ratios and fractions.

    Attributes:
        active_return: Annualized return less the benchmark's.
    """

    alpha: float
    beta: float
    correlation: float
    active_return: float
    tracking_error: float
    information_ratio: float


@dataclass(frozen=True, kw_only=True)
class RoundTrips:
    """Statistics of closed trades, net of costs; NaN where there are too few for one.

    Attributes:
        hit_rate: Share of trades that gained money.
        profit_factor: Money gained over money lost; NaN where nothing was lost.
        average_win: Mean return on entry of the trades that gained.
        average_loss: Mean loss on entry of those that lost, as a positive fraction.
        payoff_ratio: `average_win` over `average_loss`.
        best: Highest return on entry; `worst` the lowest.
        longest_losing_streak: Most losing trades in a row, in the order they were closed.
    """

    count: int
    hit_rate: float
    profit_factor: float
    average_win: float
    average_loss: float
    payoff_ratio: float
    average_return: float
    average_sessions_held: float
    best: float
    worst: float
    longest_losing_streak: int
    pnl: float
    costs: float


@dataclass(frozen=True, kw_only=True, eq=False)
class RollingFigures:
    """Measures over trailing windows, one value per session from the first full window on.

    Attributes:
        window: Sessions in the window.
        sharpe_ratios: Annualized; NaN where returns did not vary.
        benchmark_sharpe_ratios: The same of the benchmark.
        betas: On the benchmark.
    """

    window: int
    sessions: tuple[dt.date, ...]
    sharpe_ratios: tuple[float, ...]
    benchmark_sharpe_ratios: tuple[float, ...]
    betas: tuple[float, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Tearsheet:
    """Everything a person looks at in an account's history.

    Attributes:
        drawdowns: T positive fractions below the peak.
        worst_drawdowns: Deepest first.
        stress: The named windows the history covers.
        mean_exposure: Mean gross exposure; `invested` is the share of sessions with any.
        annual_costs: Costs a year, as a fraction of the average equity.
    """

    drawdowns: tuple[float, ...]
    benchmark_drawdowns: tuple[float, ...]
    worst_drawdowns: tuple[DrawdownEpisode, ...]
    years: tuple[YearOfReturns, ...]
    benchmark_years: tuple[YearOfReturns, ...]
    stress: tuple[StressWindow, ...]
    relative: RelativeFigures
    round_trips: RoundTrips
    rolling: tuple[RollingFigures, ...]
    mean_exposure: float
    invested: float
    annual_costs: float
