"""From a plan for the account to the orders of predictions: none where the model was not asked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from slices.domain.errors import ParameterError

if TYPE_CHECKING:
    from slices.domain.forecasts import Forecasts
    from slices.domain.rebalancing import RebalancePlan
    from slices.domain.trading import OrderPlan

WORKFLOW = "ml_prediction_trading"


def check_alias(parameters: dict[str, Any]) -> None:
    """Check a flow's `alias`: a challenger has not earned real money.

    Raises:
        ParameterError: Where it would trade live.
    """
    if parameters["alias"] == "challenger" and parameters["execution"] == "live":
        raise ParameterError(
            parameter="alias",
            found="'challenger', with execution 'live'",
            allowed="'champion', or 'challenger' with execution 'plan' or 'paper'",
        )


def prediction_orders(plan: RebalancePlan, history: tuple[Forecasts, ...]) -> OrderPlan:
    """Name the orders of a plan after the prediction they stand on.

    Args:
        plan: Trades that bring the account to what predictions ask for.
        history: What was said, the newest session last.

    Returns:
        No orders, sales included, where the model was not asked at the newest session: an account
        is left as it is when nobody knows better.
    """
    newest = history[-1]
    if newest.refusals or newest.model is None:
        return replace(plan.orders, workflow=WORKFLOW, strategy="", orders=(), details=())
    said = tuple((f"said of {each.symbol}", f"{each.score!r}") for each in newest.forecasts)
    version = newest.model
    details = (
        ("model", version.name),
        ("version", str(version.version)),
        ("digest", version.digest),
        ("matures", str(newest.matures)),
    )
    return replace(
        plan.orders,
        workflow=WORKFLOW,
        strategy=version.name,
        details=(*details, *plan.orders.details, *said),
    )
