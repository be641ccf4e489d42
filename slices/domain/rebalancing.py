"""Rebalancing: how far positions may drift, which trades bring them back, and what that costs."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from slices.domain.accounts import AccountBook
from slices.domain.errors import ParameterError, listed
from slices.domain.parameters import WEIGHT_SUM_TOLERANCE, Fraction, ParameterGroup
from slices.domain.results import FlowResult
from slices.domain.trading import OrderPlan, Placement


class RebalanceRules(ParameterGroup):
    """When a symbol is traded, how far, and what is left in cash."""

    absolute_band: Fraction = Field(
        default=0.02, description="Drift from a target, over equity, up to which nothing is traded."
    )
    relative_band: float = Field(
        default=0.25, ge=0, le=100,
        description="The same as a fraction of the target; the narrower of the two counts.",
    )  # fmt: skip
    trade_to: Literal["target", "edge"] = Field(
        default="target", description="Whether to trade to the target or to the edge of its band."
    )
    smallest_trade: float = Field(
        default=1.0, ge=0.01, le=1e9, description="Smallest trade, in account currency."
    )
    cash_buffer: float = Field(
        default=0.01, ge=0, lt=1, description="Fraction of equity that is left in cash."
    )


DEFAULT_REBALANCE = RebalanceRules()


def check_targets_fit(parameters: dict[str, Any]) -> None:
    """Check a flow's `target_weights`, where given: of its `symbols`, and no more than 1 in all.

    Raises:
        ParameterError: Naming the symbols without bars, or the sum.
    """
    weights = parameters["target_weights"]
    if weights is None:
        return
    unknown = tuple(each for each in weights if each not in parameters["symbols"])
    if unknown:
        raise ParameterError(
            parameter="target_weights",
            found=f"weights for {listed(unknown)}",
            allowed=f"weights for some of {listed(tuple(parameters['symbols']))}",
        )
    total = sum(weights.values())
    if total > 1 + WEIGHT_SUM_TOLERANCE:
        raise ParameterError(
            parameter="target_weights", found=f"a sum of {total:g}", allowed="a sum of at most 1"
        )


@dataclass(frozen=True, kw_only=True)
class TargetWeights:
    """What is to be held, as fractions of equity, and where that comes from.

    Attributes:
        weights: One per symbol of the bars; what they leave of 1 is cash.
        basis: One sentence.
    """

    symbols: tuple[str, ...]
    weights: tuple[float, ...]
    basis: str


@dataclass(frozen=True, kw_only=True)
class RebalanceLine:
    """One symbol before and after.

    Attributes:
        price: Close of the session; NaN where there is none, so that it is not traded.
        held: Signed shares, what waits to be filled included.
        quantity: Signed shares to trade; 0 where none.
        target_weight: Of equity after costs, with the cash buffer taken off.
        band: Drift up to which it is left alone.
        costs: To be expected, in money.
        reason: Why it is, or is not, traded.
    """

    symbol: str
    price: float
    held: float
    quantity: float
    held_weight: float
    target_weight: float
    weight_after: float
    band: float
    costs: float
    reason: str


@dataclass(frozen=True, kw_only=True)
class BandPoint:
    """What a band of this width would cost and leave.

    Attributes:
        turnover: One-way, as a fraction of equity.
        costs: Fraction of equity.
        tracking_error: Annualized, of what is held afterwards against the targets.
    """

    band: float
    trades: int
    turnover: float
    costs: float
    tracking_error: float


@dataclass(frozen=True, kw_only=True)
class RebalancePlan:
    """Trades that bring an account back to its targets.

    Attributes:
        equity: At the closes of the session, what waits to be filled counted as filled.
        cash: Likewise.
        cash_after: Once everything is filled at these prices, costs paid.
        turnover: One-way, as a fraction of equity.
        costs: To be expected, in money; market impact is not among them.
        tracking_before: Annualized tracking error against the targets; NaN with too few returns.
        unfunded: Symbols below their band that cash did not reach.
        unpriced: Symbols without a close in the session.
        waiting: Orders that wait to be filled.
        curve: The same plan for other bands, narrowest first.
    """

    session: dt.date
    targets: TargetWeights
    lines: tuple[RebalanceLine, ...]
    equity: float
    cash: float
    cash_after: float
    turnover: float
    costs: float
    tracking_before: float
    tracking_after: float
    unfunded: tuple[str, ...]
    unpriced: tuple[str, ...]
    waiting: int
    curve: tuple[BandPoint, ...]
    orders: OrderPlan

    @property
    def trades(self) -> tuple[RebalanceLine, ...]:
        """The symbols that are traded."""
        return tuple(each for each in self.lines if each.quantity)


@dataclass(frozen=True, kw_only=True, repr=False)
class PortfolioRebalance(FlowResult):
    """Which trades bring an account back to target, what they cost, and what became of them.

    Attributes:
        looked: What the risk gate says of them.
        placed: What became of them; what the gate says where nothing was sent.
    """

    book: AccountBook
    plan: RebalancePlan
    looked: Placement
    placed: Placement
