"""A portfolio from forecasts as a whole: its answer in one sentence, its figures and its report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.adaptive_portfolio.rebalancing.findings import (
    REFUSED,
    plan_caveats,
    refusals,
    unopened_notes,
)
from slices.adaptive_portfolio.rebalancing.sections import check_section, trade_table
from slices.adaptive_portfolio.views.comparing import compare_accounts, verdict_sentence
from slices.adaptive_portfolio.views.figures import figures, summary
from slices.adaptive_portfolio.views.past import belief_section, past_section
from slices.adaptive_portfolio.views.report import (
    VIEWS,
    coefficient,
    risk_section,
    suspicion_notes,
    view_section,
)
from slices.domain.data_report import data_caveats, data_notes, data_section
from slices.domain.errors import counted
from slices.domain.models import LoadedModel
from slices.domain.numbers import written
from slices.domain.report import Note, Report, Section, Tone, Unit
from slices.domain.verdict_report import verdict_section
from slices.domain.view_portfolio import MlPortfolioOptimization, OptimisedViews, ViewWalk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slices.domain.accounts import AccountBook, Execution
    from slices.domain.backtests import Backtest
    from slices.domain.dataset import DatasetRef
    from slices.domain.forecasts import Forecasts
    from slices.domain.models import ModelRefusal
    from slices.domain.rebalancing import RebalancePlan
    from slices.domain.trading import Placement
    from slices.domain.view_portfolio import RivalTest


def ml_portfolio_findings(
    bars: DatasetRef,
    *,
    book: AccountBook,
    model: LoadedModel | ModelRefusal,
    forecasts: Forecasts,
    views: OptimisedViews,
    plan: RebalancePlan,
    looked: Placement,
    placed: Placement,
    walk: ViewWalk,
    tested: Sequence[Backtest],
    execution: Execution,
    refusal: str = "",
    seed: int = 0,
) -> MlPortfolioOptimization:
    """Put what forecasts say, what is traded for it and whether it ever paid together.

    Args:
        bars: What it stands on.
        book: The account before.
        model: Whose forecasts, or why there is none.
        forecasts: What it says.
        views: What is to be held.
        plan: The trades.
        looked: What the risk gate says of them.
        placed: What became of them.
        walk: The past decisions.
        tested: Accounts that followed them and others, in the order of the walk's targets.
        execution: Whether orders were sent, or only looked at.
        refusal: Why a person did not let the orders leave.
        seed: Of the bootstrap.
    """
    tests = compare_accounts(tested, seed=seed)
    loaded = model if isinstance(model, LoadedModel) else None
    suspicions = suspicion_notes(loaded.bundle.skill if loaded else None, views)
    caveats = (
        *(f"nothing was changed: {each}" for each in views.refusals),
        *suspicions,
        *plan_caveats(book, plan, refusal),
        *refusals(looked, placed),
        *data_caveats(bars),
    )
    notes = (
        *unopened_notes(book, execution),
        *view_notes(views, plan, placed, walk),
        *data_notes(bars),
    )
    report = Report(
        key="ml-portfolio-optimization",
        title="Portfolio from forecasts",
        headline=headline(views, plan, placed, tested, tests, execution=execution),
        figures=figures(views, plan, tests),
        notes=(
            *(Note(text=each, tone=Tone.WARNING) for each in caveats),
            *(Note(text=each) for each in notes),
        ),
        sections=sections(
            bars, views=views, plan=plan, looked=looked, walk=walk, tested=tested, tests=tests
        ),
        chart=VIEWS,
        provenance=(),
    )  # fmt: skip
    return MlPortfolioOptimization(
        headline=report.headline,
        caveats=caveats,
        summary=summary(bars, book, model, views, plan, tests),
        notes=notes,
        report=report,
        bars=bars,
        mlflow_run_id=loaded.version.run_id if loaded else "",
        book=book,
        model=loaded.version if loaded else None,
        forecasts=forecasts,
        views=views,
        plan=plan,
        looked=looked,
        placed=placed,
        beliefs=walk.beliefs,
        backtests=tuple(tested),
        tests=tests,
    )


def headline(
    views: OptimisedViews,
    plan: RebalancePlan,
    placed: Placement,
    tested: Sequence[Backtest],
    tests: tuple[RivalTest, ...],
    *,
    execution: Execution,
) -> str:
    """Say in a sentence or two what forecasts say should be held, and whether that ever paid."""
    if views.refusals:
        return (
            f"Nothing is changed at the close of {views.session}: {views.refusals[0]}. "
            f"{verdict_sentence(tested, tests)}"
        )
    belief = views.belief
    worth = (
        f"Forecasts believed with a coefficient of {coefficient(belief.believed)} of "
        f"{coefficient(belief.information_coefficient)} measured"
        if belief.believed > 0
        else "Forecasts that have not proven to be worth anything, so the prior alone,"
    )
    return f"{worth} {_trades(plan, placed, execution)}. {verdict_sentence(tested, tests)}"


def _trades(plan: RebalancePlan, placed: Placement, execution: Execution) -> str:
    if not plan.trades:
        return "leave nothing worth trading"
    sent = sum(each.state not in REFUSED for each in placed.records)
    done = "nothing was sent" if execution == "plan" else f"{counted(sent, 'order')} went through"
    return (
        f"ask for {counted(len(plan.trades), 'trade')}, turning over "
        f"{written(plan.turnover, Unit.FRACTION)} at a cost of {written(plan.costs, Unit.MONEY)}; "
        f"{done}"
    )


def view_notes(
    views: OptimisedViews, plan: RebalancePlan, placed: Placement, walk: ViewWalk
) -> tuple[str, ...]:
    """Say what has to be known to read the figures right."""
    found = [views.targets.basis]
    if views.unmoved and not views.refusals:
        found.append(
            f"{counted(views.unmoved, 'symbol')} stay as they are: moving them gains less than it "
            "costs."
        )
    if plan.waiting:
        found.append(
            f"{counted(plan.waiting, 'order')} waited to be filled and counted as filled at the "
            f"closes of {plan.session}."
        )
    if placed.is_repeated:
        found.append("This session was decided before: nothing new was sent.")
    if walk.undefined:
        found.append(
            f"At {counted(walk.undefined, 'past decision')} there was no answer "
            f"({'; '.join(walk.reasons)}). Positions were kept."
        )
    elif not walk.targets:
        found.append(f"The past was not judged: {'; '.join(walk.reasons)}.")
    found.append(
        "Forecasts are relative: they say which symbols do better than others, not whether the "
        "market rises, so everything but the cash buffer stays invested."
    )
    return tuple(found)


def sections(
    bars: DatasetRef,
    *,
    views: OptimisedViews,
    plan: RebalancePlan,
    looked: Placement,
    walk: ViewWalk,
    tested: Sequence[Backtest],
    tests: tuple[RivalTest, ...],
) -> tuple[Section, ...]:
    """List the parts of the report."""
    traded = Section(
        title="Trades",
        intro=f"Prices are the closes of {plan.session}; orders fill at the next session, at "
        "prices nobody knows yet.",
        blocks=(trade_table(plan),),
    )
    past = (past_section(tested, tests), belief_section(walk.beliefs)) if tested else ()
    judged = (verdict_section(tested[0].verdict),) if tested else ()
    return (
        view_section(views),
        *((traded,) if plan.trades else ()),
        *((check_section(plan, plan.orders, looked),) if plan.trades else ()),
        *past,
        risk_section(views),
        *judged,
        data_section(bars),
    )
