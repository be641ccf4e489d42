"""The size of a position: the smallest of what the rules ask for, cut by every cap.

The rules in use are asked, the smallest is scaled by the regime, every cap may cut it, and what is
left is rounded down to shares. A cap never makes a size larger, and what is not known makes none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from slices.domain.errors import DataError
from slices.domain.numbers import written_cell
from slices.domain.orders import Side
from slices.domain.position_sizing import Bound, BoundName, PositionSize
from slices.domain.report import Unit
from slices.domain.sizing import SizeFailure
from slices.position_sizing.bounds import (
    Terms,
    cap_bounds,
    percent,
    rule_bounds,
    stop_distance,
)
from slices.position_sizing.measures import measures, scenarios, tail_loss
from slices.position_sizing.regime_scaling import regime_scaling

if TYPE_CHECKING:
    from slices.domain.position_sizing import KellyEstimate, RegimeScaling
    from slices.domain.regimes import RegimeFailure, SymbolRegime
    from slices.position_sizing.holdings import Holdings
    from slices.position_sizing.measures import Measures, Scenarios
    from slices.quant.panel import Panel

SMALLEST_PART = 1e-6
"""Part of a share that fractional sizes are rounded down to."""


@dataclass(frozen=True, kw_only=True)
class Cut:
    """What became of the bounds.

    Attributes:
        bounds: With those that bind marked.
        asked: The smallest rule, scaled by the regime.
        weight: After all caps; 0 where something is not known.
        bound_by: What is smallest of all.
    """

    bounds: tuple[Bound, ...]
    asked: float
    weight: float
    bound_by: BoundName


def cut(bounds: tuple[Bound, ...], *, factor: float) -> Cut:
    """Take the smallest rule, scale it, and let every cap cut it.

    Args:
        bounds: At least one rule that counts. A NaN of a bound that counts leaves nothing.
        factor: Of the regime, 0 to 1.
    """
    known = tuple(
        replace(each, weight=0.0) if each.counts and math.isnan(each.weight) else each
        for each in bounds
    )
    rules = [each for each in known if each.counts and not each.is_cap]
    smallest = min(rules, key=lambda each: each.weight)
    asked = smallest.weight * factor if factor > 0 else 0.0
    caps = [each for each in known if each.counts and each.is_cap and each.weight < asked]
    bound_by = min(caps, key=lambda each: each.weight) if caps else smallest
    binding = {each.name for each in (smallest, *caps)}
    return Cut(
        bounds=tuple(replace(each, binds=each.name in binding) for each in known),
        asked=asked,
        weight=bound_by.weight if caps else asked,
        bound_by=bound_by.name,
    )


def shares_of(weight: float, *, equity: float, price: float, whole: bool) -> float:
    """Return the shares a weight buys, rounded down.

    >>> shares_of(0.1, equity=1000.0, price=30.0, whole=True)
    3.0
    """
    exact = weight * equity / price
    rounded = math.floor(exact) if whole else math.floor(exact / SMALLEST_PART) * SMALLEST_PART
    return max(0.0, float(min(rounded, exact)))


def sized(
    panel: Panel,
    symbol: str,
    *,
    holdings: Holdings,
    regime: SymbolRegime | RegimeFailure | None,
    terms: Terms,
    kelly: KellyEstimate | None = None,
    side: Side = Side.BUY,
) -> PositionSize | SizeFailure:
    """Size the whole position in a symbol at the newest session, or say why there is no size.

    Args:
        panel: Bars of the symbol and of everything held, up to the session.
        symbol: Which.
        holdings: The account.
        regime: The symbol's regime at that session, or why it is not known.
        terms: What a person set.
        kelly: What the strategy's trades say; None leaves that rule out.
        side: Whether the position is bought or sold short.
    """
    try:
        measured = measures(panel, symbol, volatility_sessions=terms.sizing.volatility_sessions)
        past = scenarios(
            panel,
            symbol,
            tuple(holdings.expected().items()),
            sessions=terms.budget.lookback_sessions,
        )
    except DataError as error:
        return SizeFailure(symbol=symbol, reason=str(error))
    scaling = regime_scaling(regime, worst=terms.sizing.worst_regime_factor, side=side)
    bounds = (
        *rule_bounds(measured, kelly, terms),
        *cap_bounds(measured, holdings, past, terms=terms, side=side),
    )
    return _position(
        measured,
        past,
        cut(bounds, factor=scaling.factor),
        holdings=holdings,
        scaling=scaling,
        kelly=kelly,
        terms=terms,
        side=side,
    )


def _position(
    measured: Measures,
    past: Scenarios,
    found: Cut,
    *,
    holdings: Holdings,
    scaling: RegimeScaling,
    kelly: KellyEstimate | None,
    terms: Terms,
    side: Side,
) -> PositionSize:
    equity, price, sign = holdings.equity, measured.price, side.sign
    whole = terms.sizing.whole_shares
    quantity = shares_of(found.weight, equity=equity, price=price, whole=whole)
    notional = quantity * price
    weight = notional / equity
    distance = stop_distance(measured, terms.sizing)
    confidence = terms.budget.confidence
    return PositionSize(
        symbol=measured.symbol,
        session=past.session,
        side=side,
        price=price,
        equity=equity,
        annualized_volatility=measured.annualized_volatility,
        volatility_percentile=measured.volatility_percentile,
        average_range=measured.average_range,
        stop_distance=distance,
        stop_price=price * (1.0 - sign * distance),
        kelly=kelly,
        scaling=scaling,
        bounds=found.bounds,
        asked=found.asked,
        bound_by=found.bound_by,
        weight=weight,
        quantity=quantity,
        notional=notional,
        loss_at_stop=notional * (distance + terms.round_trip),
        alone=tail_loss(sign * weight * past.own, confidence=confidence),
        before=tail_loss(past.current, confidence=confidence),
        after=tail_loss(past.others + sign * weight * past.own, confidence=confidence),
        scenarios=past.own.size,
        explanation=explained(found, scaling, quantity=quantity, weight=weight),
    )


def explained(found: Cut, scaling: RegimeScaling, *, quantity: float, weight: float) -> str:
    """Say what asked for the size, what cut it and what is left, with every number."""
    smallest = next(each for each in found.bounds if each.binds and not each.is_cap)
    caps = sorted(
        (each for each in found.bounds if each.binds and each.is_cap),
        key=lambda each: each.weight,
    )
    parts = [
        f"The {smallest.name} asks for {precise(smallest.weight)} ({smallest.basis})",
        f"times {scaling.factor:.6g} for the regime ({scaling.basis}) that is "
        f"{percent(found.asked)}",
        *(f"the cap on {each.name} cuts it to {percent(each.weight)} ({each.basis})"
          for each in caps),
    ]  # fmt: skip
    if not caps:
        parts.append("no cap cuts it")
    left = f"{quantity:,.6g} shares, {percent(weight)} of equity" if quantity else "no share"
    return f"{'; '.join(parts)}. Rounded down, that leaves {left}."


def precise(weight: float) -> str:
    """Write a weight with the digits a product with the factor of the regime needs."""
    return written_cell(weight, Unit.FRACTION, decimals=4)


def unchanged(size: PositionSize, *, held: float) -> PositionSize:
    """Say of a size that nothing is traded: the account stays as it is, and so does its risk.

    Args:
        size: What the rules and caps leave.
        held: Signed shares the account holds and keeps.
    """
    weight = percent(held * size.price / size.equity)
    kept = f"the {held:,.6g} shares held, {weight} of equity, stay" if held else "none are held"
    return replace(
        size,
        after=size.before,
        explanation=f"{size.explanation} But nothing is bought or sold: {kept}.",
    )
