"""Tables and charts of a risk parity portfolio, as values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.adaptive_portfolio.charts import MOST_SHOWN
from slices.domain.report import BarChart, Section, Table, Unit

if TYPE_CHECKING:
    from slices.domain.factor_portfolios import EqualRisk, EstimatorEvaluation

TITLES = {
    "sample": "Sample",
    "exponential": "Exponentially weighted",
    "ledoit_wolf": "Ledoit-Wolf shrinkage",
}


def equal_risk_section(found: EqualRisk, chosen: EstimatorEvaluation) -> Section:
    """Show the weights, the proof that risks are equal, and how equal they stayed."""
    return Section(
        title="Every symbol the same risk",
        intro=(
            f"Weights after {found.session}, from the newest {found.window_sessions} returns. The "
            f"largest share of risk differs from an equal one by {found.largest_deviation:.1e}; "
            f"in {chosen.refits:,} fits it never differed by more than "
            f"{chosen.largest_deviation:.1e}. The run fails from 1e-06 on."
        ),
        blocks=(contribution_table(found), share_chart(chosen)),
    )


def contribution_table(found: EqualRisk) -> Table:
    """List weights, volatilities and the equal shares of risk."""
    scaled = found.leverage != 1
    columns = ("Symbol", "Weight", "Volatility", "Adds", "Share of risk")
    return Table(
        key="equal-risk",
        title="Weights and what they add to the risk",
        columns=(*columns, "Weight held") if scaled else columns,
        units=(Unit.TEXT, *(Unit.FRACTION,) * (5 if scaled else 4)),
        rows=tuple(
            (
                each.symbol,
                each.weight,
                each.annualized_volatility,
                each.contribution,
                each.share,
                *((each.weight * found.leverage,) if scaled else ()),
            )
            for each in found.contributions
        ),
        caption=(
            f"Annualized; the parts add up to a volatility of {found.annualized_volatility:.2%}."
            + (f" Held are {found.leverage:.2f} times these weights." if scaled else "")
        ),
    )


def share_chart(chosen: EstimatorEvaluation) -> BarChart:
    """Draw the risk that followed beside an equal share."""
    shares = zip(chosen.symbols, chosen.realised_shares, chosen.equal_shares, strict=True)
    most_off = sorted(shares, key=lambda each: -abs(each[1] - each[2]))[:MOST_SHOWN]
    shown = sorted(most_off, key=lambda each: chosen.symbols.index(each[0]))
    of_many = len(chosen.symbols) > MOST_SHOWN
    return BarChart(
        key="realised-shares",
        title="Share of risk out of sample",
        categories=tuple(symbol for symbol, _, _ in shown),
        groups=(
            ("Realised", tuple(share for _, share, _ in shown)),
            ("Equal", tuple(share for _, _, share in shown)),
        ),
        unit=Unit.FRACTION,
        caption=(
            "Shares of the variance of the weights as held between the refits, over all sessions "
            "out of sample" + (f"; the {MOST_SHOWN} furthest from equal." if of_many else ".")
        ),
    )


def estimator_section(estimators: tuple[EstimatorEvaluation, ...]) -> Section:
    """Compare covariance estimators by the risk that followed and the weights now."""
    return Section(
        title="Which covariance",
        intro=(
            "The same rule with each estimator, judged on what followed every refit. The estimator "
            "was chosen before; this comparison chooses nothing."
        ),
        blocks=(estimator_table(estimators), weight_table(estimators)),
    )


def estimator_table(estimators: tuple[EstimatorEvaluation, ...]) -> Table:
    """Compare how equal the risk was and how well its level was foreseen."""
    return Table(
        key="estimators",
        title="Risk out of sample by covariance estimator",
        columns=(
            "Estimator", "Largest deviation", "Mean deviation in a year",
            "Volatility realised over expected", "No answer",
        ),
        units=(Unit.TEXT, Unit.FRACTION, Unit.FRACTION, Unit.RATIO, Unit.TEXT),
        rows=tuple(
            (
                TITLES[each.estimator.value],
                each.realised_deviation,
                each.yearly_deviation,
                each.volatility_ratio,
                f"{each.undefined_refits} of {each.refits}",
            )
            for each in estimators
        ),
        caption=(
            "Deviations are of realised shares of risk from equal ones, over all sessions and in "
            "single calendar years; without costs and leverage."
        ),
        best=("", "low", "low", "", ""),
    )  # fmt: skip


def weight_table(estimators: tuple[EstimatorEvaluation, ...]) -> Table:
    """List the newest weights by estimator."""
    known = [each for each in estimators if each.weights]
    missing = [f"{TITLES[e.estimator]}: {e.undefined_reason}" for e in estimators if not e.weights]
    return Table(
        key="estimator-weights",
        title="Equal-risk weights now, by covariance estimator",
        columns=("Symbol", *(TITLES[each.estimator] for each in known)),
        units=(Unit.TEXT, *(Unit.FRACTION for _ in known)),
        rows=tuple(
            (symbol, *(each.weights[at] for each in known))
            for at, symbol in enumerate(estimators[0].symbols)
        ),
        caption=" ".join(missing),
    )
