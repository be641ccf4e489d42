"""What a strategy wants of an account at a close, and the orders that takes.

As in a backtest: a position is ordered when its target changes and drifts until it changes again.
What was ordered last is read from the ledger, so that the next session knows it; an order that was
denied, or never left, leaves the target before it standing and is tried again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from slices.domain.backtests import StrategyChoice
from slices.domain.errors import BadDataError
from slices.domain.exact import ZERO, quantity
from slices.domain.orders import OrderState, Side
from slices.domain.trading import OrderPlan, PlannedOrder
from slices.quant.signals.catalogue import STRATEGIES, checked_parameters
from slices.quant.signals.strategy import changes
from slices.quant.signals.volatility import VolatilityTarget, volatility_scaled
from slices.quant.simulation.orders import REASONS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from slices.domain.accounts import AccountBook
    from slices.domain.orders import OrderRecord
    from slices.domain.parameters import TradingRules
    from slices.quant.panel import Panel
    from slices.quant.types import FloatArray

WORKFLOW = "paper_trading"
Sizing = Literal["equal_shares", "volatility_target"]
"""How much of its share of the account a signal gets: all of it, or less of what moves more."""

Targets = Mapping[str, float]
"""Weight last ordered of each symbol; 0 for one that never was."""

NEVER_TAKEN = (OrderState.DENIED, OrderState.REJECTED)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A strategy with everything that decides its weights.

    Attributes:
        choice: Which strategy, and its parameters.
        sizing: How signals become weights.
        target_volatility: Per year, for `volatility_target`.
        gross_exposure: Share of the account that may be invested.
    """

    choice: StrategyChoice
    sizing: Sizing
    target_volatility: float
    gross_exposure: float

    @property
    def label(self) -> str:
        """Name it for a person, with the parameters that are not switched off."""
        return strategy_label(self.choice)

    @property
    def details(self) -> tuple[tuple[str, str], ...]:
        """List what a decision of it stands on, for the journal."""
        settings = ((name, str(value)) for name, value in self.choice.parameters)
        sized = (
            (("target_volatility", f"{self.target_volatility:g}"),)
            if self.sizing == "volatility_target"
            else ()
        )
        named = ("strategy", self.choice.strategy.value)
        return named, *settings, ("sizing", self.sizing), *sized


def rule_of(
    choice: StrategyChoice, *, sizing: Sizing, target_volatility: float, rules: TradingRules
) -> Rule:
    """Put together what decides the weights."""
    return Rule(
        choice=choice,
        sizing=sizing,
        target_volatility=target_volatility,
        gross_exposure=rules.gross_exposure,
    )


def strategy_label(choice: StrategyChoice) -> str:
    """Name a strategy for a person, with the parameters that are not switched off.

    >>> from slices.domain.backtests import StrategyChoice
    >>> from slices.domain.strategies import StrategyName
    >>> settings = (("fast", 10), ("slow", 50), ("short", False))
    >>> strategy_label(StrategyChoice(strategy=StrategyName.SMA_CROSS, parameters=settings))
    'Moving-average cross (fast 10, slow 50)'
    """
    title = STRATEGIES[choice.strategy].title
    shown = (
        f"{name.replace('_', ' ')} {value:g}"
        if isinstance(value, int | float)
        else f"{name} {value}"
        for name, value in choice.parameters
        if not isinstance(value, bool)
    )
    settings = ", ".join(shown)
    return f"{title} ({settings})" if settings else title


def weights_of(panel: Panel, rule: Rule) -> FloatArray:
    """Return T x N weights wanted at each close; a row depends on the bars up to it alone.

    Args:
        panel: T sessions x N symbols.
        rule: What decides.
    """
    choice = rule.choice
    parameters = checked_parameters(choice.strategy, dict(choice.parameters))
    weights = STRATEGIES[choice.strategy].target_weights(
        panel, parameters, gross_exposure=rule.gross_exposure
    )
    if rule.sizing == "volatility_target":
        wanted = VolatilityTarget(target=rule.target_volatility)
        weights = volatility_scaled(weights, panel, wanted)
    return weights


def decided_weights(weights: FloatArray) -> FloatArray:
    """Return what a backtest of an account that begins at the first row is given.

    As the account itself does, it orders what differs from the row before, and at its first
    session what differs from 0.
    """
    wanted = changes(weights)
    wanted[0] = np.where(weights[0] == 0.0, np.nan, weights[0])
    return wanted


def taken_targets(records: Iterable[OrderRecord]) -> dict[str, float]:
    """Find the weight last ordered of each symbol among orders in the sequence they were written.

    An order that was denied or rejected, or withdrawn by somebody, was none.
    """
    return {
        each.order.symbol: each.order.target_weight
        for each in records
        if each.order.target_weight is not None and is_taken(each)
    }


def is_taken(record: OrderRecord) -> bool:
    """Tell whether an order stood, so that its target holds even where it could not be filled."""
    if record.state in NEVER_TAKEN:
        return False
    withdrawn = record.state is OrderState.CANCELLED and not record.filled_quantity
    return not withdrawn or any(reason in REASONS[1:] for reason in record.reasons)


def planned(
    panel: Panel, row: int, wanted: FloatArray, *, book: AccountBook, before: Targets, rule: Rule
) -> OrderPlan:
    """Plan the orders of one close: one for every symbol whose target is another than before.

    Args:
        panel: The bars; `row` is the session that was closed, and no later one is looked at.
        row: The session.
        wanted: N weights.
        book: The account after that close.
        before: What was ordered last.
        rule: What decided.

    Raises:
        BadDataError: Where a weight is no number.
    """
    if not np.isfinite(wanted).all():
        raise BadDataError(dataset="target weights", problem="found one that is no number")
    targets = dict(zip(panel.symbols, map(float, wanted.tolist()), strict=True))
    closes = dict(zip(panel.symbols, panel.close[row].tolist(), strict=True))
    return OrderPlan(
        workflow=WORKFLOW,
        strategy=rule.choice.strategy.value,
        session=panel.sessions[row],
        orders=tuple(
            to_weight(symbol, weight, book=book, close=closes[symbol], was=before.get(symbol, 0.0))
            for symbol, weight in targets.items()
            if weight != before.get(symbol, 0.0)
        ),
        details=rule.details,
        targets=tuple(targets.items()),
    )


def to_weight(
    symbol: str, weight: float, *, book: AccountBook, close: float, was: float
) -> PlannedOrder:
    """Order a position to become a fraction of equity, whatever prices it fills at.

    Its quantity is what that comes to at the newest mark, for the gate; 0 where there is none.
    """
    change = expected_change(symbol, weight, book=book, close=close)
    side = Side.BUY if change > 0 or (change == 0 and weight > was) else Side.SELL
    return PlannedOrder(
        symbol=symbol,
        side=side,
        quantity=abs(change),
        target_weight=weight,
        purpose=f"target weight {weight:.4%}, before {was:.4%}",
    )


def expected_change(symbol: str, weight: float, *, book: AccountBook, close: float) -> Decimal:
    """Return the signed shares that bring a position to a weight at its mark."""
    held = book.held(symbol)
    if weight == 0.0:
        return -held
    position = book.position(symbol)
    mark = float(position.mark) if position and position.mark else close
    if not np.isfinite(mark):
        return ZERO
    return quantity(weight * float(book.equity) / mark) - held
