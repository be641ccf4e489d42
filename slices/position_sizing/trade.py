"""One trade: its risk, its size, its exits, and the order that asks for it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from slices.domain.errors import ParameterError
from slices.domain.exact import quantity as exact_quantity
from slices.domain.orders import Side
from slices.domain.position_sizing import BoundName, PositionSize, TradeProposal, TradeRisk
from slices.domain.sizing import SizeFailure
from slices.domain.stops import StopKind
from slices.domain.trading import OrderPlan, PlannedOrder
from slices.position_sizing.exits import bracket_of, exits_of, stop_rules
from slices.position_sizing.holdings import holdings_of
from slices.position_sizing.measures import tail_loss
from slices.position_sizing.size import SMALLEST_PART, sized, unchanged
from slices.quant.metrics.dispersion import annualized_volatility
from slices.quant.metrics.relative import beta, correlation
from slices.quant.panel import read_panel
from slices.quant.returns import simple_returns

if TYPE_CHECKING:
    from slices.domain.accounts import AccountBook, TradingMode
    from slices.domain.dataset import DatasetRef
    from slices.domain.position_sizing import Exits
    from slices.domain.regimes import RegimeFailure, SymbolRegime
    from slices.domain.sizing import RiskBudget
    from slices.position_sizing.bounds import Terms
    from slices.position_sizing.holdings import Holdings

WORKFLOW = "risk_adjusted_trading"


def universe(symbol: str, symbols: list[str]) -> list[str]:
    """List the symbol that is traded and the others, each once.

    >>> universe("MSFT", ["AAPL", "MSFT"])
    ['MSFT', 'AAPL']
    """
    return [symbol, *(each for each in symbols if each != symbol)]


def check_rules_fit(parameters: dict[str, Any]) -> None:
    """Check that a trade's rules can be asked, and that what they size can be sent.

    The Kelly rule needs trades that nobody made; a real broker takes exits with whole shares only.

    Raises:
        ParameterError: Where no other rule is in use, or parts of a share would be sent.
    """
    found = parameters["sizing"].use
    if parameters["execution"] == "live" and not parameters["sizing"].whole_shares:
        raise ParameterError(
            parameter="sizing.whole_shares", found="false", allowed="true, with execution 'live'"
        )
    if found == ["kelly"]:
        raise ParameterError(
            parameter="sizing.use",
            found="kelly alone",
            allowed="another rule too: a single trade has no closed trades of its own",
        )


def trade_risk(
    bars: DatasetRef, symbol: str, book: AccountBook, *, budget: RiskBudget
) -> TradeRisk:
    """Measure the symbol and the account over the lookback.

    Args:
        bars: The universe; the symbol and everything held is among them.
        symbol: What is to be traded.
        book: The account's books.
        budget: How many sessions are looked at, at what confidence.

    Returns:
        NaN where something has too little history, or there is nothing to compare with.
    """
    panel = read_panel(bars)
    rows = simple_returns(panel.close)[-budget.lookback_sessions :]
    place = panel.symbols.index(symbol)
    own = rows[np.isfinite(rows[:, place]), place]
    losses = tail_loss(own, confidence=budget.confidence)
    holdings = holdings_of(book, panel, capital=float(book.capital), workflow=WORKFLOW)
    weights = np.array([holdings.weight(each) for each in panel.symbols])
    others = np.delete(np.arange(len(panel.symbols)), place)
    market = _shared(rows, [place, *others.tolist()])
    held = _shared(rows, [place, *np.flatnonzero(weights).tolist()])
    account = held[:, 1:] @ weights[np.flatnonzero(weights)]
    has_positions = bool(np.any(weights))
    year = panel.periods_per_year
    return TradeRisk(
        symbol=symbol,
        sessions=own.size,
        annualized_volatility=annualized_volatility(own, periods_per_year=year),
        value_at_risk=losses.value_at_risk,
        expected_shortfall=losses.expected_shortfall,
        beta=beta(market[:, 0], market[:, 1:].mean(axis=1)) if others.size else math.nan,
        correlation=correlation(held[:, 0], account) if has_positions else math.nan,
        account_volatility=annualized_volatility(account, periods_per_year=year),
    )


def _shared(rows: np.ndarray, places: list[int]) -> np.ndarray:
    chosen = rows[:, places]
    return np.asarray(chosen[np.isfinite(chosen).all(axis=1)])


def propose_trade(
    bars: DatasetRef,
    symbol: str,
    book: AccountBook,
    regime: SymbolRegime | RegimeFailure,
    risk: TradeRisk,
    *,
    terms: Terms,
    side: Side = Side.BUY,
    exits: tuple[StopKind, float, int] = (StopKind.FIXED, 2.0, 20),
) -> TradeProposal:
    """Size a trade, set its exits and write its order, or say why there is none.

    The size is that of the whole position. What is held or on order of it already is not traded
    again, and a position the other way is nobody's new trade: it has to be closed first.

    Args:
        bars: The universe up to the session.
        symbol: What is to be traded.
        book: The account's books at that session.
        regime: The symbol's, at that session.
        risk: What was measured of it.
        terms: What a person set.
        side: Whether to buy or to sell short.
        exits: Kind of the stop, reward over risk, and sessions of a stop by time.
    """
    panel = read_panel(bars)
    holdings = holdings_of(book, panel, capital=float(book.capital), workflow=WORKFLOW)
    size = sized(panel, symbol, holdings=holdings, regime=regime, terms=terms, side=side)
    kind, reward_risk, most_sessions = exits
    leave = None
    if isinstance(size, PositionSize):
        leave = exits_of(size, stop=kind, reward_risk=reward_risk, most_sessions=most_sessions)
    held = float(book.held(symbol))
    quantity = quantity_to_trade(size, holdings, terms=terms)
    refusals = refusals_of(size, leave, held=held, quantity=quantity, side=side)
    if refusals and isinstance(size, PositionSize):
        size = unchanged(size, held=held)
    proposal = TradeProposal(
        symbol=symbol,
        side=side,
        risk=risk,
        size=size,
        exits=None if refusals else leave,
        held=held,
        quantity=0.0 if refusals else quantity,
        refusals=refusals,
        plan=OrderPlan(
            workflow=WORKFLOW,
            strategy=f"{side.value} {symbol}",
            session=panel.sessions[-1],
            orders=(),
        ),
    )
    return replace(proposal, plan=_planned(proposal, terms, book.mode))


def quantity_to_trade(
    size: PositionSize | SizeFailure, holdings: Holdings, *, terms: Terms
) -> float:
    """Return the shares that are missing from the size, rounded down; 0 where none are."""
    if isinstance(size, SizeFailure):
        return 0.0
    ordered = sum(weight for symbol, weight in holdings.waiting if symbol == size.symbol)
    there = size.side.sign * (holdings.weight(size.symbol) + ordered)
    missing = size.quantity - max(0.0, there) * holdings.equity / size.price
    step = 1.0 if terms.sizing.whole_shares else SMALLEST_PART
    return max(0.0, math.floor(missing / step + SMALLEST_PART) * step)


def refusals_of(
    size: PositionSize | SizeFailure,
    exits: Exits | None,
    *,
    held: float,
    quantity: float,
    side: Side,
) -> tuple[str, ...]:
    """List why a trade is not made, one sentence each; nothing where it is."""
    if isinstance(size, SizeFailure) or exits is None:
        return (f"{size.symbol} has no size: {getattr(size, 'reason', 'its stop is unknown')}",)
    if held * side.sign < 0:
        return (
            f"the account holds {held:,.6g} {size.symbol}: a position the other way has to be "
            "closed before a new trade",
        )
    if side is Side.BUY and exits.stop_price <= 0:
        return (f"a stop {size.stop_distance:.0%} below the price of {size.symbol} is none",)
    if size.quantity == 0:
        return (f"nothing is left to trade of {size.symbol}: {_nothing_left(size)}",)
    if quantity == 0:
        return (
            f"the account holds {held:,.6g} {size.symbol} or has ordered as much as its size "
            f"of {size.quantity:,.6g} allows",
        )
    return ()


def _nothing_left(size: PositionSize) -> str:
    bound = next(each for each in size.bounds if each.name is size.bound_by)
    if bound.weight > 0 and size.asked > 0:
        return f"{bound.name} leaves less than one share ({bound.basis})"
    return f"{bound.name} allows nothing ({bound.basis})"


def _planned(proposal: TradeProposal, terms: Terms, mode: TradingMode) -> OrderPlan:
    size, exits, plan = proposal.size, proposal.exits, proposal.plan
    if proposal.refusals or exits is None or not isinstance(size, PositionSize):
        return plan
    bound = BoundName(size.bound_by).value
    order = PlannedOrder(
        symbol=size.symbol,
        side=proposal.side,
        quantity=exact_quantity(proposal.quantity),
        valid_sessions=1,
        bracket=bracket_of(exits, mode),
        stops=stop_rules(exits, multiple=terms.sizing.stop_multiple),
        purpose=f"a position of {size.weight:.2%} of equity, limited by {bound}",
    )
    details = (
        ("price", repr(size.price)),
        ("weight", repr(size.weight)),
        ("bound_by", bound),
        ("stop", exits.stop),
        ("stop_price", repr(exits.stop_price)),
        ("target_price", "" if exits.target_price is None else repr(exits.target_price)),
        ("shortfall_before", repr(size.before.expected_shortfall)),
        ("shortfall_after", repr(size.after.expected_shortfall)),
    )
    return replace(plan, orders=(order,), details=details)
