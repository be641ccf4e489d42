"""Backtests as values: what was decided, what became of it, and whether it may be believed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from slices.domain.choices import ActiveChoice
from slices.domain.portfolio import Performance
from slices.domain.results import FlowResult
from slices.domain.strategies import StrategyName
from slices.domain.tearsheets import Tearsheet
from slices.domain.verdicts import LookAheadProbe, Verdict

QUICK_TEST_SYMBOLS = ["GOOGL"]


@dataclass(frozen=True, kw_only=True, eq=False)
class TargetWeights:
    """What a rule decided through history, ready to be simulated.

    Attributes:
        label: What the rule is called in a report.
        symbols: N names, those of the dataset it was decided on.
        sessions: D sessions at whose close a decision was made, rising.
        weights: D x N fractions of equity; NaN where a symbol's position is left alone.
        first_session: Where the account begins: the first session a decision could be made at.
        trials: How many configurations were really tried to arrive at this rule.
        probe: What the look-ahead probe has found about the rule.
    """

    label: str
    symbols: tuple[str, ...]
    sessions: tuple[dt.date, ...]
    weights: npt.NDArray[np.float64]
    first_session: dt.date
    trials: int
    probe: LookAheadProbe


@dataclass(frozen=True, kw_only=True)
class Trade:
    """A round trip: from the fill that opened a position to the one that closed it.

    Attributes:
        exit_session: None while the position is open; it is then valued at the last mark.
        quantity: The most that was held, in shares; positive also where it was sold short.
        entry_price: Average price at which the position was built up, before costs.
        exit_price: Average price at which it was taken down, or the mark where it is open.
        pnl: Money gained, net of the costs of its fills.
        return_on_entry: `pnl` over the notional of the entries.
        exit_reason: Why it was closed, in words; empty while it is open.
    """

    symbol: str
    is_long: bool
    entry_session: dt.date
    exit_session: dt.date | None
    sessions_held: int
    quantity: float
    entry_price: float
    exit_price: float
    pnl: float
    costs: float
    return_on_entry: float
    exit_reason: str


@dataclass(frozen=True, kw_only=True)
class CostAttribution:
    """What trading and holding cost in all, in money.

    Interest is what cash earned less what borrowed cash cost, and dividends are income; both may
    be negative.
    """

    commission: float
    spread: float
    impact: float
    borrow_fees: float
    interest: float
    dividends: float

    @property
    def total(self) -> float:
        """Everything that was paid."""
        return self.commission + self.spread + self.impact + self.borrow_fees


@dataclass(frozen=True, kw_only=True)
class Backtest:
    """One rule simulated over history, beside holding its symbols.

    Attributes:
        sessions: T sessions from the account's first to its last.
        equity: T account values at the close, net of all costs.
        benchmark: What `benchmark_equity` is.
        gross_exposure: T sums of absolute position values over equity; net is signed.
        annual_turnover: One-way, as fractions of equity per year.
        trades: Closed round trips in the order in which they were closed.
        open_trades: Positions held at the end, valued at the last mark.
        pending: Symbol and target weight of what was decided at the last close and not traded.
        remarks: What the simulation had to do otherwise than decided, one sentence each.
        periods_per_year: Sessions in a year.
        ruined: The session at which nothing was left, or None; equity is 0 from there on, and all
            measures are of the sessions up to it.
    """

    label: str
    symbols: tuple[str, ...]
    capital: float
    sessions: tuple[dt.date, ...]
    equity: tuple[float, ...]
    benchmark: str
    benchmark_equity: tuple[float, ...]
    gross_exposure: tuple[float, ...]
    net_exposure: tuple[float, ...]
    performance: Performance
    benchmark_performance: Performance
    annual_turnover: float
    costs: CostAttribution
    trades: tuple[Trade, ...]
    open_trades: tuple[Trade, ...]
    pending: tuple[tuple[str, float], ...]
    remarks: tuple[str, ...]
    periods_per_year: int
    verdict: Verdict
    ruined: dt.date | None = None

    @property
    def lived(self) -> int:
        """Number of sessions up to its ruin, or to the end."""
        return self.sessions.index(self.ruined) + 1 if self.ruined else len(self.sessions)


@dataclass(frozen=True, kw_only=True)
class StrategyRow:
    """One strategy with its default parameters on one symbol, net of costs, beside holding it.

    Attributes:
        first_session: Where the account begins: the same for all strategies of a symbol.
        mean_exposure: Mean share of equity that was invested.
        sharpe_ratio: Over what idle cash earns, as every other ratio is.
        probabilistic_sharpe_ratio: Probability that the true Sharpe ratio is above 0.
        deflated_sharpe_ratio: Probability that it is above what the best of `trials` strategies
            without skill would show.
        trials: How many strategies were compared on the symbol.
        benchmark_return: Per year, of buying the symbol once and holding it.
    """

    symbol: str
    strategy: StrategyName
    first_session: dt.date
    sessions: int
    total_return: float
    annualized_return: float
    annualized_volatility: float
    sharpe_ratio: float
    max_drawdown: float
    annual_turnover: float
    round_trips: int
    mean_exposure: float
    probabilistic_sharpe_ratio: float
    deflated_sharpe_ratio: float
    trials: int
    benchmark_return: float
    benchmark_sharpe_ratio: float


@dataclass(frozen=True, kw_only=True)
class StrategyFailure:
    """A strategy that could not be simulated on a symbol, and why."""

    symbol: str
    strategy: StrategyName
    reason: str


@dataclass(frozen=True, kw_only=True)
class StrategyTrial:
    """A strategy that was tried in sample, net of costs."""

    strategy: StrategyName
    performance: Performance
    annual_turnover: float


@dataclass(frozen=True, kw_only=True)
class StrategyChoice:
    """Which strategy is tested, and how it came to be chosen.

    Attributes:
        parameters: Name and value of all its parameters.
        first_session: Where its account begins, where that was settled by the choice: the first
            session after those it was chosen on; None takes the first it can decide at.
        in_sample: First and last session it was chosen on; None where a person named it.
        ranking: Everything that was tried in sample, best Sharpe ratio first.
        holding: Buying and holding over the same sessions: the measure of all, and no candidate.
        not_tried: Strategies that could not be tried in sample, each with its reason.
        selected: The stored choice it was taken from; None where it was not.
    """

    strategy: StrategyName
    parameters: tuple[tuple[str, float | str | bool], ...]
    first_session: dt.date | None = None
    in_sample: tuple[dt.date, dt.date] | None = None
    ranking: tuple[StrategyTrial, ...] = ()
    holding: StrategyTrial | None = None
    not_tried: tuple[tuple[StrategyName, str], ...] = ()
    selected: ActiveChoice | None = None

    @property
    def trials(self) -> int:
        """How many strategies were tried in sample to arrive at this one."""
        return max(1, len(self.ranking))


@dataclass(frozen=True, kw_only=True, repr=False)
class QuickTest(FlowResult):
    """Whether this installation can load prices, simulate a strategy and report.

    Attributes:
        expected_equity: What this very test is known to end with; NaN where that is not known.
    """

    tested: Backtest
    expected_equity: float


@dataclass(frozen=True, kw_only=True, repr=False)
class SimpleBacktest(FlowResult):
    """Whether a strategy would have paid.

    Attributes:
        rivals: What everything that was tried did over the sessions of the account, and holding.
    """

    choice: StrategyChoice
    tested: Backtest
    tearsheet: Tearsheet
    rivals: tuple[StrategyTrial, ...]
