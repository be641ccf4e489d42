"""Sections every report of a backtest has, as values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.backtest.charts import (
    drawdown_chart,
    equity_chart,
    exposure_chart,
    rolling_beta_chart,
    rolling_sharpe_chart,
    year_chart,
)
from slices.backtest.tables import (
    cost_table,
    drawdown_table,
    monthly_table,
    performance_table,
    relative_table,
    round_trip_table,
    stress_table,
    tail_table,
    trade_table,
)
from slices.backtest.tearsheet import tearsheet
from slices.backtest.wording import has_traded
from slices.domain.errors import listed
from slices.domain.numbers import written
from slices.domain.report import Note, Section, Unit

if TYPE_CHECKING:
    from slices.domain.backtests import Backtest
    from slices.domain.report import Block
    from slices.domain.tearsheets import Tearsheet


def tearsheet_sections(
    tested: Backtest, measured: Tearsheet | None = None
) -> tuple[Section, Section, Section]:
    """Show what an account made, what it risked and how it traded; the verdict is not among it.

    Args:
        tested: The finished backtest.
        measured: Its tearsheet, where there is one already.

    Returns:
        Three sections; the chart that matters most has the key `equity`.
    """
    known = tearsheet(tested) if measured is None else measured
    return _made(tested, known), _risked(tested, known), _traded(tested, known)


def _made(tested: Backtest, measured: Tearsheet) -> Section:
    return Section(
        title="What it made",
        intro=(
            "Decided at a session's close, traded at the next session, charged for every trade. "
            "The benchmark buys the same symbols once, when the account begins, and holds them."
        ),
        blocks=(
            equity_chart(tested),
            performance_table(tested),
            relative_table(tested, measured),
            monthly_table(measured),
            year_chart(tested, measured),
        ),
    )


def _risked(tested: Backtest, measured: Tearsheet) -> Section:
    rolling: tuple[Block, ...] = (
        (rolling_sharpe_chart(measured), rolling_beta_chart(measured))
        if measured.rolling
        else (Note(text="The history is too short for measures over trailing half-years."),)
    )
    drawdowns = (drawdown_table(measured),) if measured.worst_drawdowns else ()
    stress = (stress_table(tested, measured),) if measured.stress else ()
    return Section(
        title="What it risked",
        blocks=(
            drawdown_chart(tested, measured),
            *drawdowns,
            *stress,
            tail_table(tested),
            *rolling,
        ),
    )


def _traded(tested: Backtest, measured: Tearsheet) -> Section:
    if not has_traded(tested):
        return Section(
            title="How it traded",
            blocks=(
                Note(text="It never traded."),
                *(Note(text=each) for each in tested.remarks),
                *_pending(tested),
            ),
        )
    trips = (round_trip_table(measured),) if tested.trades else ()
    invested = written(measured.invested, Unit.FRACTION)
    exposure = written(measured.mean_exposure, Unit.FRACTION)
    return Section(
        title="How it traded",
        intro=(
            f"Invested at {invested} of the closes, with a mean exposure of {exposure} of equity."
        ),
        blocks=(
            *(Note(text=each) for each in tested.remarks),
            *_pending(tested),
            *trips,
            exposure_chart(tested),
            cost_table(tested, measured),
            trade_table(tested),
        ),
    )


def _pending(tested: Backtest) -> tuple[Note, ...]:
    decided = tuple(
        f"{symbol} {written(weight, Unit.FRACTION)}" for symbol, weight in tested.pending
    )
    if not decided:
        return ()
    return (Note(text=f"Decided and not traded by {tested.sessions[-1]}: {listed(decided)}."),)
