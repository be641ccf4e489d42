"""Where a trade is left: the stop, the target, and how both are recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.accounts import TradingMode
from slices.domain.exact import price
from slices.domain.orders import Bracket
from slices.domain.position_sizing import Exits
from slices.domain.stops import StopKind
from slices.domain.trading import StopRule

if TYPE_CHECKING:
    from slices.domain.position_sizing import PositionSize


def exits_of(
    size: PositionSize, *, stop: StopKind, reward_risk: float, most_sessions: int
) -> Exits:
    """Set stop and target of a position around its price.

    The target lies `reward_risk` times as far away as the stop; that of a sale may not exist,
    because no price falls below 0. A stop by time comes with a fixed one, so that the loss has a
    limit until then.

    Args:
        size: The position; its stop lies where it was sized for.
        stop: FIXED, TRAILING, ATR or TIME.
        reward_risk: Distance of the target over that of the stop.
        most_sessions: Sessions after which a stop by time leaves.
    """
    target = size.price * (1.0 + size.side.sign * reward_risk * size.stop_distance)
    return Exits(
        stop=stop.value,
        stop_price=size.stop_price,
        target_price=target if target > 0 else None,
        reward_risk=reward_risk,
        trail=size.stop_distance if stop is StopKind.TRAILING else None,
        most_sessions=most_sessions if stop is StopKind.TIME else None,
    )


def bracket_of(exits: Exits, mode: TradingMode = TradingMode.PAPER) -> Bracket:
    """Write exits as the bracket that travels with the order.

    A real broker takes two prices: a stop that trails, or a time limit, begins there as a stop
    that stays, and is left to whoever watches the recorded stops.

    Args:
        exits: Where the trade is left.
        mode: Whether the venue is a simulated one.
    """
    is_simulated = mode is TradingMode.PAPER
    trail = exits.trail if is_simulated else None
    stop, target = exits.stop_price, exits.target_price
    if not is_simulated:
        stop, target = on_grid(stop), None if target is None else on_grid(target)
    return Bracket(
        stop_loss_price=stop if trail is None else None,
        take_profit_price=target,
        trail=trail,
        most_sessions=exits.most_sessions if is_simulated else None,
    )


def on_grid(level: float) -> float:
    """Round a price to what an exchange quotes: cents, hundredths of a cent below 1.

    >>> on_grid(10.01712), on_grid(0.51238)
    (10.02, 0.5124)
    """
    return round(level, 2 if level >= 1 else 4)


def stop_rules(exits: Exits, *, multiple: float) -> tuple[StopRule, ...]:
    """Write exits as the stops that are recorded with the position.

    Args:
        exits: Where the trade is left.
        multiple: Average true ranges a stop of that kind keeps below the best close.
    """
    rules = [_stop_rule(exits, multiple=multiple)]
    if exits.most_sessions is not None:
        rules.append(StopRule(kind=StopKind.TIME, most_sessions=exits.most_sessions))
    if exits.target_price is not None:
        rules.append(StopRule(kind=StopKind.TARGET, level=price(exits.target_price)))
    return tuple(rules)


def _stop_rule(exits: Exits, *, multiple: float) -> StopRule:
    match StopKind(exits.stop):
        case StopKind.TRAILING:
            return StopRule(kind=StopKind.TRAILING, trail=exits.trail)
        case StopKind.ATR:
            return StopRule(kind=StopKind.ATR, multiple=multiple)
        case _:
            return StopRule(kind=StopKind.FIXED, level=price(exits.stop_price))
