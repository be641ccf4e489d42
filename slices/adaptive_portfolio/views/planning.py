"""The trades that lead to what forecasts say should be held; none where they were refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from slices.adaptive_portfolio.rebalancing.weighing import plan_rebalance

if TYPE_CHECKING:
    from slices.domain.accounts import AccountBook
    from slices.domain.dataset import DatasetRef
    from slices.domain.parameters import Costs
    from slices.domain.rebalancing import RebalancePlan, RebalanceRules
    from slices.domain.view_portfolio import OptimisedViews

WORKFLOW = "ml_portfolio_optimization"
STRATEGY = "views"
UNTOUCHED = "nothing was decided"


def plan_views(
    bars: DatasetRef,
    book: AccountBook,
    views: OptimisedViews,
    *,
    rules: RebalanceRules,
    costs: Costs,
    whole_shares: bool,
    lookback_sessions: int,
) -> RebalancePlan:
    """Plan the trades that lead to the weights that were found; none where forecasts were refused.

    Args:
        bars: Up to the session, with everything that is held.
        book: The account.
        views: What is to be held.
        rules: Band, smallest trade and cash buffer.
        costs: What trading costs.
        whole_shares: Whether whole shares are traded only.
        lookback_sessions: On how many returns the tracking error stands.

    Raises:
        SymbolNotFoundError: Where bars of something held are missing.
    """
    plan = plan_rebalance(
        bars, book, views.targets, rules=rules, costs=costs, whole_shares=whole_shares,
        lookback_sessions=lookback_sessions,
    )  # fmt: skip
    orders = replace(plan.orders, workflow=WORKFLOW, strategy=STRATEGY)
    plan = replace(plan, orders=orders)
    return untouched(plan) if views.refusals else plan


def untouched(plan: RebalancePlan) -> RebalancePlan:
    """Take everything out of a plan that would be traded."""
    lines = tuple(
        replace(each, quantity=0.0, weight_after=each.held_weight, costs=0.0, reason=UNTOUCHED)
        for each in plan.lines
    )
    return replace(
        plan,
        lines=lines,
        cash_after=plan.cash,
        turnover=0.0,
        costs=0.0,
        tracking_after=plan.tracking_before,
        unfunded=(),
        curve=(),
        orders=replace(plan.orders, orders=()),
    )
