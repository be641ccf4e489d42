"""The numbers of a portfolio from forecasts that matter most."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from slices.adaptive_portfolio.views.comparing import is_worth_having
from slices.adaptive_portfolio.views.report import coefficient
from slices.adaptive_portfolio.views.walk import EQUAL
from slices.domain.errors import counted
from slices.domain.models import LoadedModel
from slices.domain.numbers import written
from slices.domain.report import KeyFigure, Tone, Unit

if TYPE_CHECKING:
    from slices.domain.accounts import AccountBook
    from slices.domain.dataset import DatasetRef
    from slices.domain.models import ModelRefusal
    from slices.domain.rebalancing import RebalancePlan
    from slices.domain.view_portfolio import OptimisedViews, RivalTest


def figures(
    views: OptimisedViews, plan: RebalancePlan, tests: tuple[RivalTest, ...]
) -> tuple[KeyFigure, ...]:
    """Name the numbers that matter most."""
    belief = views.belief
    shown = [
        KeyFigure(
            label="Coefficient believed", value=round(belief.believed, 4), unit=Unit.TEXT,
            note=f"of {coefficient(belief.information_coefficient)} measured "
            f"(t {written(belief.t_statistic, Unit.RATIO)})",
        ),
        KeyFigure(
            label="Expected gain", value=_whole_bps(views.expected_gain), unit=Unit.BPS,
            note=f"of these weights over what is held, in {views.holding_sessions} sessions; costs "
            f"{written(_whole_bps(views.expected_costs), Unit.BPS)}",
        ),
        KeyFigure(
            label="Turnover", value=plan.turnover, unit=Unit.FRACTION,
            note=f"one-way; {counted(len(plan.trades), 'trade')}, costs "
            f"{written(plan.costs, Unit.MONEY)}",
        ),
        KeyFigure(
            label="Volatility", value=views.volatility, unit=Unit.FRACTION,
            note=f"a year; held now {written(views.volatility_held, Unit.FRACTION)}",
        ),
    ]  # fmt: skip
    return (*shown, *(_rival_figure(each, tests) for each in tests if each.rival == EQUAL))


def _whole_bps(fraction: float) -> float:
    """Return basis points to the tenth: less is what rounding leaves of nothing."""
    return round(fraction * 1e4, 1)


def _rival_figure(test: RivalTest, tests: tuple[RivalTest, ...]) -> KeyFigure:
    found = test.difference
    return KeyFigure(
        label="Sharpe over 1/N",
        value=round(found.sharpe_difference, 2),
        unit=Unit.RATIO,
        note=f"out of sample, p {written(found.p_value, Unit.RATIO)}",
        tone=Tone.GOOD if is_worth_having(tests) else Tone.WARNING,
    )


def summary(
    bars: DatasetRef,
    book: AccountBook,
    model: LoadedModel | ModelRefusal,
    views: OptimisedViews,
    plan: RebalancePlan,
    tests: tuple[RivalTest, ...],
) -> tuple[tuple[str, str], ...]:
    """List what a terminal shows."""
    belief = views.belief
    named = str(model.version) if isinstance(model, LoadedModel) else "none"
    return (
        ("Account", f"{book.name}, {book.mode.value}, {book.state.value}"),
        ("Session", str(views.session)),
        ("Data", f"{bars.source}/{Path(bars.feed).name}, {bars.adjustment} prices"),
        ("Model", named),
        (
            "Coefficient",
            f"{coefficient(belief.information_coefficient)} measured, "
            f"{coefficient(belief.believed)} believed",
        ),
        ("Trades", f"{len(plan.trades):,}"),
        ("Turnover", written(plan.turnover, Unit.FRACTION)),
        ("Costs", written(plan.costs, Unit.MONEY)),
        ("Volatility a year", written(views.volatility, Unit.FRACTION)),
        *(
            (
                f"Sharpe over {each.rival.lower()}",
                f"{written(each.difference.sharpe_difference, Unit.RATIO)}, "
                f"p {written(each.difference.p_value, Unit.RATIO)}",
            )
            for each in tests
        ),
    )
