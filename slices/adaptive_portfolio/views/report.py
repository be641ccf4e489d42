"""Tables and charts of what forecasts say should be held, as values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from slices.domain.errors import counted, listed
from slices.domain.numbers import written
from slices.domain.report import BarChart, Section, Table, Unit
from slices.domain.view_portfolio import SUSPECT_COEFFICIENT

if TYPE_CHECKING:
    from slices.domain.learning import Skill
    from slices.domain.view_portfolio import OptimisedViews, ViewLine

VIEWS = "views"
MOST_SHOWN = 30


def view_section(views: OptimisedViews) -> Section:
    """Show what is thought of every symbol, how sure that is, and what is to be held."""
    belief, holding = views.belief, views.holding_sessions
    intro = (
        f"A view is coefficient × volatility × standard score, over the {holding} sessions until "
        f"the next decision. The coefficient measured out of sample is "
        f"{coefficient(belief.information_coefficient)} over {belief.sessions:,} sessions "
        f"(t {written(belief.t_statistic, Unit.RATIO)}), of which "
        f"{written(belief.reliability, Unit.FRACTION)} is believed: "
        f"{coefficient(belief.believed)}. Views are blended with the returns under which the prior "
        "would be best, and traded only as far as that pays."
    )
    return Section(
        title="What the forecasts say",
        intro=intro,
        blocks=(weight_chart(views), *(() if views.refusals else (view_table(views),))),
    )


def coefficient(value: float) -> str:
    """Write an information coefficient with the three decimals that tell them apart.

    >>> coefficient(0.0134), coefficient(float("nan"))
    ('0.013', '–')
    """
    return "–" if math.isnan(value) else f"{value:.3f}".replace("-", "−")


def weight_chart(views: OptimisedViews) -> BarChart:
    """Draw what is held, the prior and what is to be held."""
    shown = _ordered(views)[:MOST_SHOWN]
    return BarChart(
        key=VIEWS,
        title=f"Weights after {views.session}",
        categories=tuple(each.symbol for each in shown),
        groups=(
            ("Held", tuple(each.held_weight for each in shown)),
            ("Prior", tuple(each.prior_weight for each in shown)),
            ("To be held", tuple(each.weight for each in shown)),
        ),
        unit=Unit.FRACTION,
        caption="Over what is to be invested, cash buffer taken off; highest alpha first.",
    )


def view_table(views: OptimisedViews) -> Table:
    """List every symbol, highest alpha first."""
    return Table(
        key=VIEWS,
        title="Every symbol",
        columns=(
            "Symbol", "Score", "View", "± error", "Alpha", "Return from", "to",
            "Prior", "Held", "To be held", "Share of risk",
        ),
        units=(
            Unit.TEXT, Unit.RATIO, Unit.BPS, Unit.BPS, Unit.BPS, Unit.FRACTION, Unit.FRACTION,
            Unit.FRACTION, Unit.FRACTION, Unit.FRACTION, Unit.FRACTION,
        ),
        rows=tuple(
            (
                each.symbol, each.standard_score, each.view * 1e4, each.error * 1e4,
                each.alpha * 1e4, each.lower, each.upper, each.prior_weight,
                each.held_weight, each.weight, each.risk_share,
            )
            for each in _ordered(views)
        ),
        caption=(
            "Scores are normal scores of their ranks. View and alpha are basis points until the "
            "next decision, beyond what the prior implies; the error is that of the coefficient. "
            "The return relative to the universe is the model's own interval for it: it is far "
            "wider than any alpha."
        ),
    )  # fmt: skip


def risk_section(views: OptimisedViews) -> Section:
    """Show what held, prior and target weights risk."""
    risk = views.risk
    left_out = (
        f" {listed(risk.left_out, most=8)} lack bars in that window and are not held."
        if risk.left_out
        else ""
    )
    volatilities = risk.annualized_volatilities
    return Section(
        title="Risk",
        intro=(
            f"Covariance of {counted(len(risk.symbols), 'symbol')} by "
            f"{risk.estimator.value.replace('_', '-').title()} from {risk.window_sessions} returns "
            f"up to {risk.session}; their mean correlation is "
            f"{written(risk.average_correlation, Unit.RATIO)}, their volatilities lie between "
            f"{written(min(volatilities), Unit.FRACTION)} and "
            f"{written(max(volatilities), Unit.FRACTION)} a year.{left_out}"
        ),
        blocks=(
            Table(
                key="view-risk",
                title="Volatility a year of the invested part",
                columns=("Weights", "Volatility"),
                units=(Unit.TEXT, Unit.FRACTION),
                rows=(
                    ("Held", views.volatility_held),
                    ("Prior", views.volatility_prior),
                    ("To be held", views.volatility),
                ),
                caption="An estimate; what follows may be otherwise.",
            ),
        ),
    )


def suspicion_notes(skill: Skill | None, views: OptimisedViews) -> tuple[str, ...]:
    """Say where figures are too good to be believed."""
    found = [] if skill is None else [f"The model is SUSPECT: {e}." for e in skill.suspicions]
    if views.belief.information_coefficient > SUSPECT_COEFFICIENT:
        found.append(
            f"A coefficient of {coefficient(views.belief.information_coefficient)} is SUSPECT; no "
            f"more than {coefficient(SUSPECT_COEFFICIENT)} of it is believed."
        )
    return tuple(found)


def _ordered(views: OptimisedViews) -> tuple[ViewLine, ...]:
    """Order by alpha, highest first; without one by weight."""

    def rank(each: ViewLine) -> tuple[float, float, str]:
        alpha = each.alpha if math.isfinite(each.alpha) else -math.inf
        return -alpha, -each.weight, each.symbol

    return tuple(sorted(views.lines, key=rank))
