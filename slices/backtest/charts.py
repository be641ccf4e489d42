"""Charts of a backtest, as values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.backtest.tables import THE_ACCOUNT
from slices.domain.report import BarChart, LineChart, Series, Unit

if TYPE_CHECKING:
    from slices.domain.backtests import Backtest
    from slices.domain.tearsheets import Tearsheet


def equity_chart(tested: Backtest) -> LineChart:
    """Draw what became of the capital, beside holding the symbols."""
    return LineChart(
        key="equity",
        title=f"Account value: {tested.label}",
        series=(
            Series(name=THE_ACCOUNT, x=tested.sessions, y=tested.equity),
            Series(name=tested.benchmark, x=tested.sessions, y=tested.benchmark_equity),
        ),
        y_unit=Unit.MONEY,
        y_label="account value",
        caption="Net of costs, both of them; logarithmic scale.",
        log_scale=True,
    )


def year_chart(tested: Backtest, measured: Tearsheet) -> BarChart:
    """Draw the returns of the years beside the benchmark's."""
    return BarChart(
        key="years",
        title="Returns by year",
        categories=tuple(str(each.year) for each in measured.years),
        groups=(
            (THE_ACCOUNT, tuple(each.total for each in measured.years)),
            (tested.benchmark, tuple(each.total for each in measured.benchmark_years)),
        ),
        unit=Unit.FRACTION,
        caption="Net of costs. The first and the last year are those parts of them there are.",
    )


def drawdown_chart(tested: Backtest, measured: Tearsheet) -> LineChart:
    """Draw how far below their peaks account and benchmark were."""
    return LineChart(
        key="drawdown",
        title="Below the peak",
        series=(
            _below(THE_ACCOUNT, tested, measured.drawdowns),
            _below(tested.benchmark, tested, measured.benchmark_drawdowns),
        ),
        y_unit=Unit.FRACTION,
        y_label="below the peak",
        fill=True,
    )


def _below(name: str, tested: Backtest, depths: tuple[float, ...]) -> Series:
    return Series(name=name, x=tested.sessions, y=tuple(-depth for depth in depths))


def rolling_sharpe_chart(measured: Tearsheet) -> LineChart:
    """Draw the Sharpe ratio of trailing windows."""
    return LineChart(
        key="rolling-sharpe",
        title="Sharpe ratio over trailing windows",
        series=tuple(
            Series(name=f"{each.window} sessions", x=each.sessions, y=each.sharpe_ratios)
            for each in measured.rolling
        ),
        y_unit=Unit.RATIO,
        y_label="Sharpe ratio, annualized",
        caption="Windows in which nothing was held have none.",
    )


def rolling_beta_chart(measured: Tearsheet) -> LineChart:
    """Draw how much of the benchmark's movements the account took part in."""
    return LineChart(
        key="rolling-beta",
        title="Beta to the benchmark over trailing windows",
        series=tuple(
            Series(name=f"{each.window} sessions", x=each.sessions, y=each.betas)
            for each in measured.rolling
        ),
        y_unit=Unit.RATIO,
        y_label="beta",
    )


def exposure_chart(tested: Backtest) -> LineChart:
    """Draw how much of the account was invested."""
    gross = Series(name="Gross exposure", x=tested.sessions, y=tested.gross_exposure)
    net = Series(name="Net exposure", x=tested.sessions, y=tested.net_exposure)
    is_long_only = tested.gross_exposure == tested.net_exposure
    return LineChart(
        key="exposure",
        title="Exposure",
        series=(gross,) if is_long_only else (gross, net),
        y_unit=Unit.FRACTION,
        y_label="of equity",
        caption="At each close; without short positions net is the same as gross."
        if is_long_only
        else "At each close; net counts short positions as negative.",
        fill=is_long_only,
    )
