"""Tables of a portfolio analysis, as values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.adaptive_portfolio.wording import confidence_text, label
from slices.domain.report import Table, Unit

if TYPE_CHECKING:
    from slices.domain.portfolio import AllocatorEvaluation, HoldingsRisk

METHODS = {"historical": "Historical", "normal": "Normal", "cornish_fisher": "Cornish-Fisher"}


def tail_table(risk: HoldingsRisk) -> Table:
    """Compare the tail of one session by method, as fractions and in money."""
    return Table(
        key="tail-risk",
        title=f"Loss in one session at {confidence_text(risk.tails[0].confidence)} confidence",
        columns=("Method", "Value at risk", "VaR in money", "Expected shortfall", "ES in money"),
        units=(Unit.TEXT, Unit.FRACTION, Unit.MONEY, Unit.FRACTION, Unit.MONEY),
        rows=tuple(
            (
                METHODS[each.method.value],
                each.value_at_risk,
                each.value_at_risk * risk.capital,
                each.expected_shortfall,
                each.expected_shortfall * risk.capital,
            )
            for each in risk.tails
        ),
        caption=(
            "Normal fits mean and variance, Cornish-Fisher also skewness and kurtosis; it is "
            "undefined where no such distribution has the moments of the sample. Historical takes "
            "the past as it was."
        ),
    )


def contribution_table(risk: HoldingsRisk) -> Table:
    """List what each holding adds to the volatility of the whole."""
    return Table(
        key="risk-contributions",
        title="Risk contributions",
        columns=("Symbol", "Weight", "In money", "Volatility", "Adds", "Share of risk"),
        units=(
            Unit.TEXT, Unit.FRACTION, Unit.MONEY, Unit.FRACTION, Unit.FRACTION, Unit.FRACTION,
        ),
        rows=tuple(
            (
                each.symbol,
                each.weight,
                each.weight * risk.capital,
                each.annualized_volatility,
                each.contribution,
                each.share,
            )
            for each in risk.contributions
        ),
    )  # fmt: skip


def performance_table(evaluations: tuple[AllocatorEvaluation, ...]) -> Table:
    """Compare the allocators out of sample and net of costs."""
    return Table(
        key="allocators",
        title="Allocators out of sample, net of costs",
        columns=(
            "Allocator", "Return a year", "Volatility", "Sharpe", "Sortino", "Calmar",
            "Max drawdown", "Turnover a year", "Costs a year", "No answer",
        ),
        units=(
            Unit.TEXT, Unit.FRACTION, Unit.FRACTION, Unit.RATIO, Unit.RATIO, Unit.RATIO,
            Unit.FRACTION, Unit.FRACTION, Unit.FRACTION, Unit.TEXT,
        ),
        rows=tuple(
            (
                label(each.allocator),
                each.performance.annualized_return,
                each.performance.annualized_volatility,
                each.performance.sharpe_ratio,
                each.performance.sortino_ratio,
                each.performance.calmar_ratio,
                each.performance.max_drawdown,
                each.annual_turnover,
                each.annual_costs,
                f"{each.undefined_refits + each.failed_refits} of {each.refits}",
            )
            for each in evaluations
        ),
        caption=(
            f"{_period(evaluations[0])} Turnover is one-way and leaves out the first purchase; "
            "costs are a share of the average account value. Where a fit had no answer, the "
            "allocator's previous weights were kept."
        ),
        best=("", "high", "low", "high", "high", "high", "low", "low", "low", ""),
    )  # fmt: skip


def _period(evaluation: AllocatorEvaluation) -> str:
    first, last = evaluation.sessions[0], evaluation.sessions[-1]
    return f"Out of sample from {first} to {last}, {len(evaluation.sessions):,} sessions."


def allocation_table(evaluations: tuple[AllocatorEvaluation, ...], *, capital: float) -> Table:
    """List the newest weights, and the money they mean, symbol by symbol."""
    known = [each for each in evaluations if each.weights]
    missing = [f"{label(e.allocator)}: {e.undefined_reason}" for e in evaluations if not e.weights]
    symbols = evaluations[0].symbols
    return Table(
        key="weights",
        title=f"Weights each allocator would hold after {evaluations[0].sessions[-1]}",
        columns=("Symbol", *(label(each.allocator) for each in known)),
        units=(Unit.TEXT, *(Unit.FRACTION for _ in known)),
        rows=tuple(
            (symbol, *(each.weights[place] for each in known))
            for place, symbol in enumerate(symbols)
        ),
        caption=" ".join([f"Fractions of a capital of {capital:,.0f}.", *missing]),
    )
