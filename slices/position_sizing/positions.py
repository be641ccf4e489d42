"""Sizes of many positions, each on its own against the account as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.domain.limits import DEFAULT_LIMITS
from slices.domain.parameters import DEFAULT_COSTS, DEFAULT_RULES
from slices.domain.sizing import DEFAULT_POSITION_RULES, DEFAULT_RISK_BUDGET
from slices.position_sizing.bounds import Terms
from slices.position_sizing.holdings import holdings_of
from slices.position_sizing.kelly import kelly_estimate
from slices.position_sizing.size import sized
from slices.quant.panel import read_panel

if TYPE_CHECKING:
    from slices.domain.accounts import AccountBook
    from slices.domain.backtests import Backtest, Trade
    from slices.domain.dataset import DatasetRef
    from slices.domain.limits import RiskLimits
    from slices.domain.parameters import Costs, TradingRules
    from slices.domain.position_sizing import PositionSize
    from slices.domain.regimes import RegimeFailure, SymbolRegime
    from slices.domain.sizing import PositionRules, RiskBudget, SizeFailure
    from slices.quant.types import FloatArray


def terms_of(
    *,
    sizing: PositionRules = DEFAULT_POSITION_RULES,
    budget: RiskBudget = DEFAULT_RISK_BUDGET,
    costs: Costs = DEFAULT_COSTS,
    rules: TradingRules = DEFAULT_RULES,
    limits: RiskLimits = DEFAULT_LIMITS,
) -> Terms:
    """Put together what a person set that limits a size."""
    return Terms(sizing=sizing, budget=budget, costs=costs, rules=rules, limits=limits)


def size_positions(
    bars: DatasetRef,
    tested: Backtest,
    regimes: tuple[SymbolRegime | RegimeFailure, ...],
    *,
    terms: Terms,
    book: AccountBook | None = None,
    capital: float = 100_000.0,
    seed: int = 0,
) -> tuple[PositionSize | SizeFailure, ...]:
    """Size a long position in every symbol at the newest session of the bars.

    Positions are not sized against each other: each is what could be held if it were the only one
    that changed.

    Args:
        bars: Up to the session; they hold everything the account does.
        tested: The strategy whose closed trades feed the Kelly rule.
        regimes: Of every symbol at that session.
        terms: What a person set.
        book: The account's books; None for one that holds nothing but its capital.
        capital: Money, where there are no books.
        seed: Of the bootstrap behind the intervals of the Kelly rule.

    Returns:
        One answer per symbol, in the order of the bars.
    """
    panel = read_panel(bars)
    holdings = holdings_of(book, panel, capital=capital)
    told = {each.symbol: each for each in regimes}
    return tuple(
        sized(
            panel,
            symbol,
            holdings=holdings,
            regime=told.get(symbol),
            terms=terms,
            kelly=kelly_estimate(
                trade_returns(tested.trades, symbol), rules=terms.sizing, seed=seed
            ),
        )
        for symbol in bars.symbols
    )


def trade_returns(trades: tuple[Trade, ...], symbol: str) -> FloatArray:
    """Return what a symbol's closed trades made of the notional of their entries."""
    return np.array(
        [each.return_on_entry for each in trades if each.symbol == symbol], dtype=np.float64
    )
