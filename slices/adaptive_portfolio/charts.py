"""Charts of a portfolio analysis, as values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.adaptive_portfolio.wording import label
from slices.domain.report import BarChart, Heatmap, LineChart, PointChart, Series, Unit

MOST_SHOWN = 20
"""How many symbols a chart can tell apart; a chart of more shows those that matter most."""

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slices.domain.portfolio import (
        AllocatorEvaluation,
        Diversification,
        EfficientFrontier,
        HoldingsRisk,
        RiskContribution,
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


def correlation_chart(structure: Diversification, risk: HoldingsRisk) -> Heatmap:
    """Draw correlations, alike symbols side by side; of many, those that add most risk."""
    shown = {each.symbol for each in riskiest(risk)}
    order = tuple(symbol for symbol in structure.order if symbol in shown)
    places = [structure.symbols.index(symbol) for symbol in order]
    return Heatmap(
        key="correlations",
        title="Correlations of returns",
        labels=order,
        values=tuple(
            tuple(structure.correlations[row][column] for column in places) for row in places
        ),
        low=-1.0,
        high=1.0,
        caption=(
            f"{structure.sessions:,} common sessions, ordered by hierarchical clustering"
            f"{_of_many(len(structure.symbols), 'that add most risk')}."
        ),
    )


def riskiest(risk: HoldingsRisk) -> tuple[RiskContribution, ...]:
    """Choose the holdings a chart can show: all, or of many those that add most risk."""
    ranked = sorted(risk.contributions, key=lambda each: -abs(each.share))
    kept = {each.symbol for each in ranked[:MOST_SHOWN]}
    return tuple(each for each in risk.contributions if each.symbol in kept)


def _heaviest(portfolios: Sequence[tuple[float, ...]]) -> list[int]:
    """Choose the places of the symbols with the largest weight in any of some portfolios."""
    largest = [max(weights) for weights in zip(*portfolios, strict=True)]
    ranked = sorted(range(len(largest)), key=lambda at: -largest[at])
    return sorted(ranked[:MOST_SHOWN])


def _of_many(count: int, which: str) -> str:
    return f"; the {MOST_SHOWN} of {count} symbols {which}" if count > MOST_SHOWN else ""


def contribution_chart(risk: HoldingsRisk) -> BarChart:
    """Draw each holding's share of the money beside its share of the risk."""
    shown = riskiest(risk)
    return BarChart(
        key="contributions",
        title="Share of money and share of risk",
        categories=tuple(each.symbol for each in shown),
        groups=(
            ("Weight", tuple(each.weight for each in shown)),
            ("Share of volatility", tuple(each.share for each in shown)),
        ),
        unit=Unit.FRACTION,
        caption=_of_many(len(risk.symbols), "that add most risk").lstrip("; ").capitalize(),
    )


def allocation_chart(evaluations: tuple[AllocatorEvaluation, ...]) -> BarChart:
    """Draw the newest weights of every allocator that has an answer."""
    known = [each for each in evaluations if each.weights]
    symbols = evaluations[0].symbols
    shown = _heaviest([each.weights for each in known])
    return BarChart(
        key="allocation",
        title=f"Weights each allocator would hold after {evaluations[0].sessions[-1]}",
        categories=tuple(symbols[at] for at in shown),
        groups=tuple(
            (label(each.allocator), tuple(each.weights[at] for at in shown)) for each in known
        ),
        unit=Unit.FRACTION,
        caption=(
            "Fitted on the newest window of the data"
            f"{_of_many(len(symbols), 'with the largest weights')}."
        ),
    )


def frontier_chart(frontier: EfficientFrontier) -> PointChart:
    """Draw the least risk for every expected return, and where single symbols stand."""
    shown = _heaviest([point.weights for point in frontier.points])
    return PointChart(
        key="frontier",
        title="Efficient frontier",
        points=(
            Series(
                name="Symbols",
                x=tuple(frontier.asset_volatilities[at] for at in shown),
                y=tuple(frontier.asset_returns[at] for at in shown),
                labels=tuple(frontier.symbols[at] for at in shown),
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
        y_label="mean return a year, before costs",
        caption=(
            "Estimated from the newest window: mean returns of one window say little about the "
            "next, so read the shape, not the height"
            f"{_of_many(len(frontier.symbols), 'with the largest weights')}."
        ),
    )
