"""Tables and charts of a momentum portfolio, as values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.numbers import written
from slices.domain.report import BarChart, LineChart, Section, Series, Table, Unit

if TYPE_CHECKING:
    from slices.domain.factor_portfolios import HorizonCoefficient, MomentumSelection

MOST_ROWS = 60
MOST_BARS = 20


def choice_section(found: MomentumSelection) -> Section:
    """Show who is chosen now, and how choices changed."""
    held = sum(each.weight > 0 for each in found.scores)
    replaced = written(found.average_replaced, Unit.FRACTION)
    return Section(
        title="The winners",
        intro=(
            f"After {found.session} the rule would hold {held} of {len(found.scores)} symbols. In "
            f"{found.decisions:,} choices it held {found.average_chosen:.1f} of "
            f"{found.average_candidates:.1f} candidates on average, and {replaced} of them were "
            "new each time."
        ),
        blocks=(score_chart(found), score_table(found)),
    )


def score_chart(found: MomentumSelection) -> BarChart:
    """Draw the best scores."""
    shown = [each for each in found.scores if each.score == each.score][:MOST_BARS]
    return BarChart(
        key="scores",
        title=f"Return over the formation window, after {found.session}",
        categories=tuple(each.symbol for each in shown),
        groups=(
            ("Formation return", tuple(each.formation_return for each in shown)),
            ("Weight", tuple(each.weight for each in shown)),
        ),
        unit=Unit.FRACTION,
        caption=(
            f"The {len(shown)} best of {len(found.scores)} symbols, by score."
            if len(shown) < len(found.scores)
            else "By score, best first."
        ),
    )


def score_table(found: MomentumSelection) -> Table:
    """List the scores, best first."""
    shown = found.scores[:MOST_ROWS]
    rest = len(found.scores) - len(shown)
    return Table(
        key="scores",
        title=f"Scores after {found.session}",
        columns=("Symbol", "Score", "Formation return", "Volatility", "Weight"),
        units=(Unit.TEXT, Unit.RATIO, Unit.FRACTION, Unit.FRACTION, Unit.FRACTION),
        rows=tuple(
            (
                each.symbol,
                each.score,
                each.formation_return,
                each.annualized_volatility,
                each.weight,
            )
            for each in shown
        ),
        caption=(
            "A symbol without a bar of every session since the formation window began has no score."
            + (f" {rest} symbols with lower scores are not shown." if rest else "")
        ),
    )


def decay_section(decay: tuple[HorizonCoefficient, ...]) -> Section:
    """Show how long the score says something."""
    return Section(
        title="Does the score tell anything, and for how long?",
        intro=(
            "Every session's scores ranked against the returns that followed, from the next "
            "session's close on. This looks at the score itself, not at the account: no costs, no "
            "choice, all candidates."
        ),
        blocks=(decay_chart(decay), decay_table(decay)),
    )


def decay_chart(decay: tuple[HorizonCoefficient, ...]) -> LineChart:
    """Draw the mean coefficient by horizon with two standard errors on both sides."""
    known = [each for each in decay if each.t_statistic == each.t_statistic]
    horizons = tuple(float(each.horizon_sessions) for each in known)

    def line(name: str, errors: float) -> Series:
        values = tuple(
            each.information_coefficient + errors * each.standard_error for each in known
        )
        return Series(name=name, x=horizons, y=values)

    return LineChart(
        key="decay",
        title="Information coefficient by horizon",
        series=(
            line("Mean rank correlation", 0.0),
            line("Two errors below", -2.0),
            line("Two errors above", 2.0),
        ),
        y_unit=Unit.RATIO,
        x_label="horizon, sessions",
        y_label="rank correlation",
        caption="Where the band holds 0, the score is not shown to tell anything.",
    )


def decay_table(decay: tuple[HorizonCoefficient, ...]) -> Table:
    """List the coefficients with their evidence."""
    return Table(
        key="decay",
        title="Information coefficient of the score by horizon",
        columns=(
            "Horizon, sessions", "Mean", "Standard error", "t-statistic", "Above 0", "Sessions",
            "Symbols ranked",
        ),
        units=(
            Unit.TEXT, Unit.TEXT, Unit.TEXT, Unit.RATIO, Unit.FRACTION, Unit.COUNT, Unit.RATIO,
        ),
        rows=tuple(
            (
                str(each.horizon_sessions),
                f"{each.information_coefficient:.4f}".replace("nan", "–"),
                f"{each.standard_error:.4f}".replace("nan", "–"),
                each.t_statistic,
                each.share_positive,
                each.sessions,
                each.average_symbols,
            )
            for each in decay
        ),
        caption=(
            "Newey-West errors with at least as many lags as returns overlap. In a universe chosen "
            "with hindsight, symbols that rose for decades score high and go on rising: a positive "
            "coefficient at every horizon is then no evidence of momentum."
        ),
    )  # fmt: skip
