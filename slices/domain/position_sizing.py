"""Sizes of positions, and trades that were sized, with everything that limited them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from slices.domain.accounts import Execution
from slices.domain.backtests import Backtest, StrategyChoice
from slices.domain.dataset import LeftOut
from slices.domain.orders import OrderRecord, Side
from slices.domain.results import FlowResult
from slices.domain.sizing import SizeFailure
from slices.domain.stops import Stop
from slices.domain.trading import OrderPlan, Placement


class BoundName(StrEnum):
    """What can limit a size: rules ask for one, caps cut it."""

    VOLATILITY = "volatility target"
    RISK = "fixed fractional"
    RANGE = "ATR risk"
    KELLY = "shrunk Kelly"
    LARGEST = "largest weight"
    LIQUIDITY = "liquidity"
    BUYING_POWER = "buying power"
    GROSS = "gross exposure"
    NET = "net exposure"
    SHORT = "short sales"
    POSITION = "largest position"
    ORDER = "largest order"
    TRADE_BUDGET = "risk budget of the trade"
    ACCOUNT_BUDGET = "risk budget of the account"


@dataclass(frozen=True, kw_only=True)
class Bound:
    """What one rule or cap allows.

    Attributes:
        weight: Largest fraction of equity; infinite where it allows anything, NaN where it cannot
            be told because something is not known.
        basis: What it stands on, in words with numbers.
        is_cap: Whether it cuts what the rules ask for; else it is one of the rules.
        counts: Whether it has a say: a rule that is not in use, and a cap on what cannot be
            known, have none.
        binds: Whether the size would be larger without it: the smallest of the rules, and every
            cap below what the rules ask for.
    """

    name: BoundName
    weight: float
    basis: str
    is_cap: bool
    counts: bool = True
    binds: bool = False


@dataclass(frozen=True, kw_only=True)
class KellyEstimate:
    """What closed trades say about the growth-optimal size.

    Attributes:
        trades: Closed round trips it stands on.
        hit_rate: Share of them that gained.
        mean_return: On the notional of the entry, net of costs; so is the deviation.
        full: Weight at which the logarithm of wealth would have grown fastest; 0 without an edge,
            infinite where no trade lost.
        low: End of the 95 % bootstrap interval of `full`; so is `high`.
        shrinkage: Factor for the uncertainty of the estimate, t^2 / (1 + t^2).
        weight: The chosen fraction of the shrunk weight.
        reason: Why it is 0 or no bound, in words; empty otherwise.
    """

    trades: int
    hit_rate: float
    mean_return: float
    deviation: float
    full: float
    low: float
    high: float
    shrinkage: float
    weight: float
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class RegimeScaling:
    """What the regime of today makes of a size.

    Attributes:
        regime: By rules; empty where it is not known.
        volatile_probability: Filtered, of the more volatile hidden state; NaN where not known.
        factor: 0 to 1.
        basis: How the factor comes about, in words.
    """

    regime: str
    volatile_probability: float
    factor: float
    basis: str


@dataclass(frozen=True, kw_only=True)
class TailLoss:
    """What a bad session costs, as positive fractions of equity."""

    value_at_risk: float
    expected_shortfall: float


@dataclass(frozen=True, kw_only=True)
class PositionSize:
    """How large a position in one symbol may be, as of one session.

    Attributes:
        price: The newest close.
        equity: Of the account, in account currency.
        volatility_percentile: Share of the symbol's own history with a lower volatility.
        average_range: Average true range over 14 sessions as a fraction of the price; without
            highs and lows, the mean absolute change of the close.
        stop_distance: From price to stop, as a fraction of the price.
        bounds: Every rule and cap.
        asked: What the rules ask for, regime scaling included.
        bound_by: What is smallest of all.
        weight: Of the shares, as a fraction of equity: at most what everything allows.
        quantity: Shares, rounded down; positive also for a sale.
        loss_at_stop: Money lost where the stop is hit at its level, costs of both fills included.
        alone: What a bad session costs by this position alone.
        before: What it costs the account as it is.
        after: With the position as sized; where nothing is traded, the same as before.
        scenarios: Sessions these are measured on.
    """

    symbol: str
    session: dt.date
    side: Side
    price: float
    equity: float
    annualized_volatility: float
    volatility_percentile: float
    average_range: float
    stop_distance: float
    stop_price: float
    kelly: KellyEstimate | None
    scaling: RegimeScaling
    bounds: tuple[Bound, ...]
    asked: float
    bound_by: BoundName
    weight: float
    quantity: float
    notional: float
    loss_at_stop: float
    alone: TailLoss
    before: TailLoss
    after: TailLoss
    scenarios: int
    explanation: str


@dataclass(frozen=True, kw_only=True, repr=False)
class PositionSizing(FlowResult):
    """How large positions may be, each on its own.

    Attributes:
        account: Whose positions and cash were looked at; empty where none was named.
        equity: What the sizes are fractions of.
        choice: The strategy whose trades feed the Kelly rule, and how it was chosen.
        tested: What became of it.
        failures: Symbols no size can be given for, with reasons.
    """

    account: str
    equity: float
    left_out: tuple[LeftOut, ...]
    choice: StrategyChoice
    tested: Backtest
    sizes: tuple[PositionSize, ...]
    failures: tuple[SizeFailure, ...]


@dataclass(frozen=True, kw_only=True)
class TradeRisk:
    """What a symbol's returns and the account's were like over the lookback.

    Attributes:
        sessions: Returns of the symbol in the lookback, all weighted equally.
        beta: To the equal-weighted other symbols of the universe; NaN where there are none.
        correlation: With the account's positions as they are; NaN where there are none.
        account_volatility: Annualized, of the account's positions at their weights of today.
    """

    symbol: str
    sessions: int
    annualized_volatility: float
    value_at_risk: float
    expected_shortfall: float
    beta: float
    correlation: float
    account_volatility: float


@dataclass(frozen=True, kw_only=True)
class Exits:
    """Where a trade is left.

    Attributes:
        stop: What kind of stop it is.
        stop_price: Where it lies at the entry price.
        target_price: Where profit is taken; None where none is.
        reward_risk: Distance of the target over that of the stop, as asked for.
        trail: Distance of a trailing stop as a fraction of the best price.
        most_sessions: Sessions after which the position is left in any case.
    """

    stop: str
    stop_price: float
    target_price: float | None
    reward_risk: float
    trail: float | None = None
    most_sessions: int | None = None


@dataclass(frozen=True, kw_only=True)
class TradeProposal:
    """A trade before it is sent: its size and exits, or why there is none.

    Attributes:
        size: What rules and caps leave, also where nothing is traded.
        exits: None where nothing is traded.
        held: Signed shares held before.
        quantity: Shares to trade, positive; 0 where there is nothing to trade.
        refusals: Why nothing is traded; empty where something is.
    """

    symbol: str
    side: Side
    risk: TradeRisk
    size: PositionSize | SizeFailure
    exits: Exits | None
    held: float
    quantity: float
    refusals: tuple[str, ...]
    plan: OrderPlan


@dataclass(frozen=True, kw_only=True)
class FirstCheck:
    """What the books say right after a trade was handed over.

    Attributes:
        orders: The trade's orders, as the ledger has them.
        stops: The stops that wait for its position.
        problems: What is not as it should be, one sentence each.
    """

    orders: tuple[OrderRecord, ...]
    stops: tuple[Stop, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, repr=False)
class RiskAdjustedTrade(FlowResult):
    """A trade that was sized by its risk, sent or refused, and checked."""

    account: str
    execution: Execution
    proposal: TradeProposal
    placement: Placement
    check: FirstCheck
