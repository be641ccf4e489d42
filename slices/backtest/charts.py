"""Charts of a backtest, as values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.report import LineChart, Series, Unit

if TYPE_CHECKING:
    from slices.domain.backtests import Backtest
    from slices.domain.tearsheets import Tearsheet


def equity_chart(tested: Backtest) -> LineChart:
    """Draw what became of the capital, beside holding the symbols."""
    return LineChart(
        key="equity",
        title="Account value",
        series=(
            Series(name=tested.label, x=tested.sessions, y=tested.equity),
            Series(name=tested.benchmark, x=tested.sessions, y=tested.benchmark_equity),
        ),
        y_unit=Unit.MONEY,
        y_label="account value",
        caption="Net of costs, both of them; logarithmic scale.",
        log_scale=True,
    )


def drawdown_chart(tested: Backtest, measured: Tearsheet) -> LineChart:
    """Draw how far below their peaks account and benchmark were."""
    return LineChart(
        key="drawdown",
        title="Below the peak",
        series=(
            _below(tested.label, tested, measured.drawdowns),
            _below(tested.benchmark, tested, measured.benchmark_drawdowns),
        ),
        y_unit=Unit.FRACTION,
        y_label="below the peak",
        fill=True,
    )


def _below(name: str, tested: Backtest, depths: tuple[float, ...]) -> Series:
    return Series(name=name, x=tested.sessions, y=tuple(-depth for depth in depths))


def rolling_sharpe_chart(tested: Backtest, measured: Tearsheet) -> LineChart:
    """Draw the Sharpe ratio of trailing windows, and the benchmark's of the longest."""
    longest = measured.rolling[-1]
    mine = tuple(
        Series(name=f"{each.window} sessions", x=each.sessions, y=each.sharpe_ratios)
        for each in measured.rolling
    )
    market = Series(
        name=f"{tested.benchmark}, {longest.window}",
        x=longest.sessions,
        y=longest.benchmark_sharpe_ratios,
    )
    return LineChart(
        key="rolling-sharpe",
        title="Sharpe ratio of trailing windows",
        series=(*mine, market),
        y_unit=Unit.RATIO,
        y_label="Sharpe ratio, annualized",
        caption="Gaps are windows in which nothing was held.",
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
