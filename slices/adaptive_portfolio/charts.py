"""Charts of a portfolio analysis, as values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.adaptive_portfolio.wording import label
from slices.domain.report import BarChart, Heatmap, LineChart, PointChart, Series, Unit

if TYPE_CHECKING:
    from slices.domain.portfolio import (
        AllocatorEvaluation,
        Diversification,
        EfficientFrontier,
        HoldingsRisk,
    )


def equity_chart(evaluations: tuple[AllocatorEvaluation, ...]) -> LineChart:
    """Draw what each allocator would have made of the capital."""
    return LineChart(
        key="equity",
        title="Account value by allocator, out of sample",
        series=tuple(
            Series(name=label(each.allocator), x=each.sessions, y=each.equity)
            for each in evaluations
        ),
        y_unit=Unit.MONEY,
        y_label="account value",
        caption="Net of costs, logarithmic scale.",
        log_scale=True,
    )


def drawdown_chart(risk: HoldingsRisk) -> LineChart:
    """Draw how far below its peak the holding was."""
    below = tuple(-depth for depth in risk.drawdowns)
    return LineChart(
        key="drawdown",
        title="Drawdown of the held weights",
        series=(Series(name="Held weights", x=risk.drawdown_sessions, y=below),),
        y_unit=Unit.FRACTION,
        y_label="below the peak",
        fill=True,
    )


def correlation_chart(structure: Diversification) -> Heatmap:
    """Draw correlations, alike symbols side by side."""
    places = [structure.symbols.index(symbol) for symbol in structure.order]
    return Heatmap(
        key="correlations",
        title="Correlations of returns",
        labels=structure.order,
        values=tuple(
            tuple(structure.correlations[row][column] for column in places) for row in places
        ),
        low=-1.0,
        high=1.0,
        caption=f"{structure.sessions:,} common sessions, ordered by hierarchical clustering.",
    )


def contribution_chart(risk: HoldingsRisk) -> BarChart:
    """Draw each holding's share of the money beside its share of the risk."""
    return BarChart(
        key="contributions",
        title="Share of money and share of risk",
        categories=tuple(each.symbol for each in risk.contributions),
        groups=(
            ("Weight", tuple(each.weight for each in risk.contributions)),
            ("Share of volatility", tuple(each.share for each in risk.contributions)),
        ),
        unit=Unit.FRACTION,
    )


def allocation_chart(evaluations: tuple[AllocatorEvaluation, ...]) -> BarChart:
    """Draw the newest weights of every allocator that has an answer."""
    known = [each for each in evaluations if each.weights]
    return BarChart(
        key="allocation",
        title="Weights each allocator would hold now",
        categories=evaluations[0].symbols,
        groups=tuple((label(each.allocator), each.weights) for each in known),
        unit=Unit.FRACTION,
        caption="Fitted on the newest window of the data.",
    )


def frontier_chart(frontier: EfficientFrontier) -> PointChart:
    """Draw the least risk for every expected return, and where single symbols stand."""
    return PointChart(
        key="frontier",
        title="Efficient frontier",
        points=(
            Series(
                name="Symbols",
                x=frontier.asset_volatilities,
                y=frontier.asset_returns,
                labels=frontier.symbols,
            ),
        ),
        curve=Series(
            name="Efficient frontier",
            x=tuple(point.volatility for point in frontier.points),
            y=tuple(point.expected_return for point in frontier.points),
        ),
        x_unit=Unit.FRACTION,
        y_unit=Unit.FRACTION,
        x_label="volatility a year",
        y_label="return a year",
        caption=(
            "Estimated from the newest window: returns of one window say little about the next, "
            "so read the shape, not the height."
        ),
    )
