"""Sections of an ensemble's report, as values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from slices.adaptive_portfolio.ensembles import LABELS
from slices.domain.report import BarChart, Heatmap, LineChart, Section, Series, Table, Unit

if TYPE_CHECKING:
    from slices.domain.backtests import Backtest
    from slices.domain.ensembles import (
        Combination,
        CombinationPlan,
        MemberResult,
        ProfitAttribution,
    )
    from slices.domain.portfolio import Performance


def members_section(
    members: tuple[MemberResult, ...], correlations: tuple[tuple[float, ...], ...]
) -> Section:
    """Compare the strategies traded alone, and show how alike they are."""
    names = tuple(each.title for each in members)
    return Section(
        title="The strategies",
        intro=(
            "Each strategy traded alone with the whole capital and its default parameters, net of "
            "its own costs, over the sessions of the ensemble. Their accounts began earlier, so "
            "that none pays for its first purchase here, as the ensemble does."
        ),
        blocks=(
            Table(
                key="members",
                title="Strategies traded alone, net of costs",
                columns=(
                    "Strategy", "Return a year", "Volatility", "Sharpe", "Max drawdown",
                    "Average share",
                ),
                units=(
                    Unit.TEXT, Unit.FRACTION, Unit.FRACTION, Unit.RATIO, Unit.FRACTION,
                    Unit.FRACTION,
                ),
                rows=tuple((e.title, *measures(e.performance), e.average_share) for e in members),
                caption="Average share is of the capital of the chosen combination.",
                best=("", "high", "low", "high", "low", ""),
            ),
            Heatmap(
                key="strategy-correlations",
                title="Correlations of the strategies' returns",
                labels=names,
                values=correlations,
                low=-1.0,
                high=1.0,
            ),
        ),
    )  # fmt: skip


def measures(performance: Performance) -> tuple[float, float, float, float]:
    """List return a year, volatility, Sharpe ratio and largest drawdown."""
    return (
        performance.annualized_return,
        performance.annualized_volatility,
        performance.sharpe_ratio,
        performance.max_drawdown,
    )


def combined_section(
    plans: tuple[CombinationPlan, ...],
    backtests: list[Backtest],
    members: tuple[MemberResult, ...],
    chosen: Combination,
) -> Section:
    """Compare the ways of combining, and show how the chosen one shared the capital."""
    return Section(
        title="The ensembles",
        intro=(
            "The same strategies sharing one account in four ways. Shares are fitted to past "
            f"returns only; asked for was: {LABELS[chosen].lower()}. Comparing several ways and "
            "picking the best afterwards flatters it; the verdict counts them as trials."
        ),
        blocks=(
            _equity_chart(backtests, members),
            Table(
                key="combinations",
                title="Ways of combining, net of costs",
                columns=(
                    "Combination", "Return a year", "Volatility", "Sharpe", "Max drawdown",
                    "Turnover a year", "Verdict",
                ),
                units=(
                    Unit.TEXT, Unit.FRACTION, Unit.FRACTION, Unit.RATIO, Unit.FRACTION,
                    Unit.FRACTION, Unit.TEXT,
                ),
                rows=(
                    *(
                        (
                            LABELS[plan.combination],
                            *measures(each.performance),
                            each.annual_turnover,
                            each.verdict.grade.value.upper(),
                        )
                        for plan, each in zip(plans, backtests, strict=True)
                    ),
                    (
                        backtests[0].benchmark,
                        *measures(backtests[0].benchmark_performance),
                        None,
                        "",
                    ),
                ),
                best=("", "high", "low", "high", "low", "low", ""),
            ),
            _share_chart(plans, chosen, members),
        ),
    )  # fmt: skip


def _equity_chart(backtests: list[Backtest], members: tuple[MemberResult, ...]) -> LineChart:
    """Draw the ensembles, the best member and holding."""
    sessions = backtests[0].sessions
    ranked = [each for each in members if math.isfinite(each.performance.sharpe_ratio)]
    best = max(ranked, key=lambda each: each.performance.sharpe_ratio, default=None)
    curves = [Series(name=each.label, x=each.sessions, y=each.equity) for each in backtests]
    if best is not None:
        curves.append(Series(name=f"Best member: {best.title}", x=sessions, y=best.equity))
    first = backtests[0]
    curves.append(Series(name=first.benchmark, x=sessions, y=first.benchmark_equity))
    return LineChart(
        key="ensemble-equity",
        title="Account value of the ensembles, the best member and holding",
        series=tuple(curves),
        y_unit=Unit.MONEY,
        y_label="account value",
        caption="Net of costs, logarithmic scale. The best member is known in hindsight only.",
        log_scale=True,
    )


def _share_chart(
    plans: tuple[CombinationPlan, ...], chosen: Combination, members: tuple[MemberResult, ...]
) -> LineChart:
    plan = next(each for each in plans if each.combination is chosen)
    return LineChart(
        key="shares",
        title=f"Shares of the capital: {LABELS[chosen].lower()}",
        series=tuple(
            Series(name=each.title, x=plan.refits, y=tuple(plan.shares[:, place].tolist()))
            for place, each in enumerate(members)
        ),
        y_unit=Unit.FRACTION,
        y_label="share",
    )


def profit_section(members: tuple[MemberResult, ...], parts: ProfitAttribution) -> Section:
    """Show what each strategy added to the profit."""
    rows = [(each.title, each.pnl) for each in members]
    rows += [("Fills and drift", parts.drift), ("Costs", parts.costs), ("Total", parts.total)]
    return Section(
        title="Where the profit came from",
        intro=(
            "What the positions of each strategy made inside the chosen combination, before costs. "
            "Fills at the open and weights that drift between decisions belong to no strategy and "
            "stand apart."
        ),
        blocks=(
            BarChart(
                key="profit-by-strategy",
                title="Profit by strategy",
                categories=tuple(name for name, _ in rows),
                groups=(("Profit", tuple(value for _, value in rows)),),
                unit=Unit.MONEY,
            ),
            Table(
                key="profit-by-strategy",
                title="Profit by strategy, in money",
                columns=("Part", "Profit"),
                units=(Unit.TEXT, Unit.MONEY),
                rows=tuple(rows),
            ),
        ),
    )
