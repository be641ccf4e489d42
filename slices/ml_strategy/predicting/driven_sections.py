"""The parts of a report on following a model, as values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.domain.numbers import written
from slices.domain.report import LineChart, Section, Series, Table, Unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slices.domain.backtests import Backtest
    from slices.domain.ml_driven import DrivenPlan
    from slices.domain.report import Cell

COMPARED = "compared"
HOLDING = "Holding"


def comparison_section(tested: Sequence[Backtest], plan: DrivenPlan, gain: float) -> Section:
    """Compare accounts that follow the model with accounts that do not."""
    size = written(plan.mean_size, Unit.FRACTION)
    return Section(
        title="Does it help?",
        intro="Accounts that follow the model beside accounts that do not, all net of costs and "
        "from the same session on. Sized accounts aim at a volatility and hold less in a crisis: "
        f"{size} of the account on average, with {plan.crisis_sessions:,} sessions of crisis. "
        "Beside the same without a model, the ranking's gain has a t-statistic of "
        f"{written(gain, Unit.RATIO)}.",
        blocks=(compared_chart(tested), rule_table(tested)),
    )


def compared_chart(tested: Sequence[Backtest]) -> LineChart:
    """Draw every account, and holding."""
    first = tested[0]
    lines = [(each.label, each.sessions, each.equity) for each in tested]
    lines.append((HOLDING, first.sessions, first.benchmark_equity))
    return LineChart(
        key=COMPARED,
        title="Accounts that follow the model, and accounts that do not",
        series=tuple(Series(name=name, x=days, y=worth) for name, days, worth in lines),
        y_unit=Unit.MONEY,
        y_label="account value",
        log_scale=True,
        caption=f"{HOLDING}: an equal share of every symbol, bought once and never sold.",
    )


def rule_table(tested: Sequence[Backtest]) -> Table:
    """Measure every account, and holding."""
    first = tested[0]
    market, worth = first.benchmark_performance, first.benchmark_equity[-1]
    holding: tuple[Cell, ...] = (
        HOLDING, market.annualized_return, market.sharpe_ratio, market.max_drawdown, None, None,
        None, worth,
    )  # fmt: skip
    return Table(
        key="rules",
        title="Every account",
        columns=(
            "Account", "Return a year", "Sharpe", "Max drawdown", "Turnover", "Exposure", "Costs",
            "Final value",
        ),
        units=(
            Unit.TEXT, Unit.FRACTION, Unit.RATIO, Unit.FRACTION, Unit.RATIO, Unit.FRACTION,
            Unit.MONEY, Unit.MONEY,
        ),
        rows=(*(_row(each) for each in tested), holding),
        caption="Turnover is one-way, in account values a year; exposure is the mean share of the "
        "account that is invested.",
    )  # fmt: skip


def _row(tested: Backtest) -> tuple[Cell, ...]:
    made = tested.performance
    return (
        tested.label, made.annualized_return, made.sharpe_ratio, made.max_drawdown,
        tested.annual_turnover, float(np.mean(tested.gross_exposure)), tested.costs.total,
        tested.equity[-1],
    )  # fmt: skip
