"""The rules that ask for a size and the caps that cut it, each on its own.

Every function returns a weight as a fraction of equity, 0 or more, together with what it stands
on. The size is the smallest of them; see `size`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slices.domain.limits import DEFAULT_LIMITS, RiskLimits
from slices.domain.numbers import written
from slices.domain.orders import Side
from slices.domain.parameters import DEFAULT_COSTS, DEFAULT_RULES, Costs, TradingRules
from slices.domain.position_sizing import Bound, BoundName
from slices.domain.report import Unit
from slices.domain.sizing import (
    DEFAULT_POSITION_RULES,
    DEFAULT_RISK_BUDGET,
    PositionRules,
    RiskBudget,
)
from slices.quant.metrics.tails import shortfall
from slices.quant.sizing import largest_weight_within, risk_weight, volatility_target_weight

if TYPE_CHECKING:
    from slices.domain.position_sizing import KellyEstimate
    from slices.position_sizing.holdings import Holdings
    from slices.position_sizing.measures import Measures, Scenarios


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Everything a person sets that limits a size."""

    sizing: PositionRules = DEFAULT_POSITION_RULES
    budget: RiskBudget = DEFAULT_RISK_BUDGET
    costs: Costs = DEFAULT_COSTS
    rules: TradingRules = DEFAULT_RULES
    limits: RiskLimits = DEFAULT_LIMITS

    @property
    def round_trip(self) -> float:
        """Costs of getting in and out, as a fraction of the notional."""
        return 2 * self.costs.rate

    @property
    def gross_exposure(self) -> float:
        """The smaller of what the account may trade and what its limits allow."""
        return min(self.rules.gross_exposure, self.limits.max_gross_exposure)


def stop_distance(measured: Measures, sizing: PositionRules) -> float:
    """Return the distance from price to stop as a fraction of the price, 1 at most."""
    if sizing.stop_fraction is not None:
        return sizing.stop_fraction
    return min(1.0, sizing.stop_multiple * measured.average_range)


def rule_bounds(measured: Measures, kelly: KellyEstimate | None, terms: Terms) -> tuple[Bound, ...]:
    """List what every rule asks for; those that are not in use have no say.

    Args:
        measured: The symbol today.
        kelly: What its trades say; None leaves that rule out.
        terms: What a person set.
    """
    sizing = terms.sizing
    distance = stop_distance(measured, sizing) + terms.round_trip
    asked = [
        (
            "volatility",
            BoundName.VOLATILITY,
            volatility_target_weight(
                measured.annualized_volatility, target=sizing.target_volatility
            ),
            f"so that it adds at most {percent(sizing.target_volatility)} volatility a year to "
            f"the account; its own is {percent(measured.annualized_volatility)} a year over the "
            f"newest {sizing.volatility_sessions:,} sessions",
        ),
        (
            "risk",
            BoundName.RISK,
            risk_weight(distance, risk=sizing.risk),
            f"{percent(sizing.risk)} of equity lost at a stop {percent(distance)} away, costs "
            "included",
        ),
        (
            "range",
            BoundName.RANGE,
            risk_weight(measured.average_range, risk=sizing.range_risk),
            f"{percent(sizing.range_risk)} of equity for an average true range of "
            f"{percent(measured.average_range)}",
        ),
    ]
    if kelly is not None:
        asked.append(("kelly", BoundName.KELLY, kelly.weight, kelly_basis(kelly, sizing)))
    return tuple(
        Bound(name=name, weight=weight, basis=basis, is_cap=False, counts=use in sizing.use)
        for use, name, weight, basis in asked
    )


def kelly_basis(kelly: KellyEstimate, sizing: PositionRules) -> str:
    """Say in words what the Kelly rule stands on."""
    if kelly.reason:
        return kelly.reason
    return (
        f"{percent(sizing.kelly)} of {percent(kelly.full)} (95 % interval {percent(kelly.low)} to "
        f"{percent(kelly.high)}) from {kelly.trades} trades, shrunk to "
        f"{percent(kelly.shrinkage)} for its uncertainty"
    )


def cap_bounds(
    measured: Measures,
    holdings: Holdings,
    past: Scenarios,
    *,
    terms: Terms,
    side: Side = Side.BUY,
) -> tuple[Bound, ...]:
    """List what every cap allows the whole position in the symbol to be.

    Args:
        measured: The symbol today.
        holdings: The account; what it holds of the symbol is counted as part of the position.
        past: What past sessions would do to it today.
        terms: What a person set.
        side: Whether the position is bought or sold short.
    """
    found = [
        _largest(terms),
        _liquidity(measured, holdings, terms),
        _gross(measured, holdings, terms),
        _net(measured, holdings, terms, side),
        *(_buying_power(measured, holdings, terms, side)),
        *_absolute(measured, holdings, terms, side),
        *_budgets(past, terms, side),
    ]
    return tuple(found)


def percent(value: float) -> str:
    """Write a fraction for a person."""
    return written(value, Unit.FRACTION)


def _cap(name: BoundName, weight: float, basis: str) -> Bound:
    return Bound(name=name, weight=max(0.0, weight), basis=basis, is_cap=True)


def _largest(terms: Terms) -> Bound:
    largest = min(terms.sizing.largest, terms.limits.max_concentration)
    return _cap(BoundName.LARGEST, largest, f"no position above {percent(largest)} of equity")


def _liquidity(measured: Measures, holdings: Holdings, terms: Terms) -> Bound:
    if math.isnan(measured.average_volume):
        return Bound(
            name=BoundName.LIQUIDITY,
            weight=math.nan,
            basis="the data has no volume, so this is not known",
            is_cap=True,
            counts=False,
        )
    shares = terms.sizing.volume_share * measured.average_volume
    return _cap(
        BoundName.LIQUIDITY,
        shares * measured.price / holdings.equity,
        f"{percent(terms.sizing.volume_share)} of an average volume of "
        f"{measured.average_volume:,.0f} shares a session",
    )


def _gross(measured: Measures, holdings: Holdings, terms: Terms) -> Bound:
    others = holdings.gross_of_others(measured.symbol)
    return _cap(
        BoundName.GROSS,
        terms.gross_exposure - others,
        f"{percent(terms.gross_exposure)} allowed, {percent(others)} held or ordered otherwise",
    )


def _net(measured: Measures, holdings: Holdings, terms: Terms, side: Side) -> Bound:
    others = holdings.net_of_others(measured.symbol)
    allowed = terms.limits.max_net_exposure
    return _cap(
        BoundName.NET,
        allowed - side.sign * others,
        f"{percent(allowed)} allowed either way, {percent(others)} net otherwise",
    )


def _buying_power(
    measured: Measures, holdings: Holdings, terms: Terms, side: Side
) -> tuple[Bound, ...]:
    if side is Side.SELL:
        if terms.limits.allow_short:
            return ()
        return (_cap(BoundName.SHORT, 0.0, "the account may not sell short"),)
    leverage = min(terms.gross_exposure, terms.limits.max_leverage)
    freed = max(0.0, holdings.weight(measured.symbol))
    free = holdings.cash / holdings.equity + max(0.0, leverage - 1.0)
    return (
        _cap(
            BoundName.BUYING_POWER,
            freed + free / (1.0 + terms.costs.rate),
            f"cash and credit of {written(free * holdings.equity, Unit.MONEY)}, costs reserved",
        ),
    )


def _absolute(
    measured: Measures, holdings: Holdings, terms: Terms, side: Side
) -> tuple[Bound, ...]:
    limits, equity = terms.limits, holdings.equity
    held = max(0.0, side.sign * holdings.weight(measured.symbol))
    orders = [each for each in (limits.max_order_notional,) if each is not None]
    if limits.max_order_quantity is not None:
        orders.append(limits.max_order_quantity * measured.price)
    found = []
    if limits.max_position_notional is not None:
        most = limits.max_position_notional
        basis = f"no position above {written(most, Unit.MONEY)}"
        found.append(_cap(BoundName.POSITION, most / equity, basis))
    if orders:
        basis = f"no order above {written(min(orders), Unit.MONEY)}, on top of what is held"
        found.append(_cap(BoundName.ORDER, held + min(orders) / equity, basis))
    return tuple(found)


def _budgets(past: Scenarios, terms: Terms, side: Side) -> tuple[Bound, ...]:
    budget = terms.budget
    before = shortfall(-past.others, budget.confidence)
    return (
        _cap(
            BoundName.TRADE_BUDGET,
            _within(past, before + budget.trade_shortfall, terms, side),
            f"at most {percent(budget.trade_shortfall)} of equity added to the expected shortfall "
            f"of a session, which is {percent(before)} without it",
        ),
        _cap(
            BoundName.ACCOUNT_BUDGET,
            _within(past, budget.account_shortfall, terms, side),
            f"an expected shortfall of the account of at most "
            f"{percent(budget.account_shortfall)} of equity",
        ),
    )


def _within(past: Scenarios, limit: float, terms: Terms, side: Side) -> float:
    return largest_weight_within(
        past.others,
        side.sign * past.own,
        limit=limit,
        confidence=terms.budget.confidence,
        most=terms.gross_exposure,
    )
