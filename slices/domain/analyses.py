"""What analysis finds in the bars of one symbol: indicators, patterns, levels and states.

Everything is as of the symbol's own newest session. Returns and distances are fractions; prices
are in the currency of the bars; what is undefined for a symbol is NaN.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Direction(StrEnum):
    """Where a pattern or trend is taken to point."""

    BULLISH = "bullish"
    BEARISH = "bearish"
    NEUTRAL = "neutral"


class PatternGroup(StrEnum):
    """What a pattern is made of."""

    CANDLE = "candle"
    BREAKOUT = "breakout"
    GAP = "gap"
    RANGE = "range"
    FORMATION = "formation"


class TrendDirection(StrEnum):
    """Which way prices go."""

    UP = "up"
    DOWN = "down"
    SIDEWAYS = "sideways"


class TrendStrength(StrEnum):
    """How steadily they go there."""

    WEAK = "weak"
    MODERATE = "moderate"
    STRONG = "strong"
    UNDEFINED = "undefined"


class VolatilityLevel(StrEnum):
    """How volatile a symbol is, compared with itself over the trailing year."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    EXTREME = "extreme"
    UNDEFINED = "undefined"


class MomentumLevel(StrEnum):
    """What recent returns and the relative strength index say together."""

    OVERBOUGHT = "overbought"
    POSITIVE = "positive"
    MIXED = "mixed"
    NEGATIVE = "negative"
    OVERSOLD = "oversold"


class LevelRole(StrEnum):
    """On which side of the last close a level lies."""

    SUPPORT = "support"
    RESISTANCE = "resistance"


@dataclass(frozen=True, kw_only=True)
class NotComputed:
    """Something that was not computed, and why."""

    name: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class PatternEvidence:
    """What followed a pattern in this symbol's own past, for information.

    A forward return is that of buying at the fill price of the session after the one where the
    pattern was known and selling at the fill price five sessions later. Only windows that are
    complete count.

    Attributes:
        count: Sessions with the pattern whose window is complete.
        mean_forward_return: Mean over these; NaN where there are none.
        unconditional_mean: Mean over all complete windows.
        hit_rate: Share of windows that went where the pattern points; NaN for neutral patterns.
        t_statistic: Of the difference between windows with and without the pattern, robust to the
            overlap of windows; NaN with fewer than ten of them.
    """

    name: str
    title: str
    group: PatternGroup
    direction: Direction
    count: int
    mean_forward_return: float
    unconditional_mean: float
    hit_rate: float
    t_statistic: float


@dataclass(frozen=True, kw_only=True)
class PatternSighting:
    """A pattern seen in a symbol's bars.

    Attributes:
        session: The session it is dated to.
        known_session: The session at whose close it was known; later than `session` where later
            bars confirm it.
        detail: What was seen, with figures; may be empty.
    """

    name: str
    title: str
    group: PatternGroup
    direction: Direction
    session: dt.date
    known_session: dt.date
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class PriceLevel:
    """A price around which confirmed swings turned.

    Attributes:
        price: Geometric mean of the swings, weighted by recency.
        low: Lowest of them.
        high: Highest of them.
        touches: How many swings.
        strength: Sum of their recency weights; 1 for a swing today, half for one half a year old.
        last_touch: Session of the newest swing.
        distance: Fraction of the last close from that close to the price; negative below it.
    """

    price: float
    low: float
    high: float
    touches: int
    strength: float
    last_touch: dt.date
    distance: float
    role: LevelRole


@dataclass(frozen=True, kw_only=True)
class TrendState:
    """Direction and strength of the trend, with what they were told from.

    Attributes:
        votes: Sum of the rules' votes, each -1, 0 or 1.
        rules: How many rules could vote.
        slope_annualized: Of the log close, fitted over the regression window.
        r_squared: How much of the log close that line explains.
        drift_ratio: The line's rise in units of what a random walk of the same volatility moves.
        adx: Average directional index; NaN on close-only data.
    """

    direction: TrendDirection
    strength: TrendStrength
    votes: int
    rules: int
    slope_annualized: float
    r_squared: float
    drift_ratio: float
    adx: float


@dataclass(frozen=True, kw_only=True)
class VolatilityState:
    """Realised volatility and its place in its own trailing year."""

    level: VolatilityLevel
    annualized_volatility: float
    percentile: float


@dataclass(frozen=True, kw_only=True)
class MomentumState:
    """Relative strength and returns over a quarter and over a year without its last month."""

    level: MomentumLevel
    rsi: float
    return_quarter: float
    return_year_skip_month: float


@dataclass(frozen=True, kw_only=True)
class RecentReturns:
    """Simple returns up to the newest close: of 1, 5 and 21 sessions and of a year of them."""

    session: float
    week: float
    month: float
    year: float


@dataclass(frozen=True, kw_only=True)
class ChartHistory:
    """Series for a price chart; NaN before an average's first value."""

    sessions: tuple[dt.date, ...]
    close: tuple[float, ...]
    sma_50: tuple[float, ...]
    sma_200: tuple[float, ...]
    bollinger_upper: tuple[float, ...]
    bollinger_lower: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class SymbolAnalysis:
    """Everything found in the bars of one symbol, as of its newest session.

    Attributes:
        bars: How many bars it stands on.
        missing_sessions: Sessions between its first and newest bar on which other symbols of the
            data have a bar and this one has none; they are passed over, never filled.
        indicator_names: Names in the catalogue of indicators.
        indicator_values: The newest value of each; NaN where it is undefined.
        patterns: Seen within the last sessions, newest first.
        evidence: What followed each of these patterns in the past, the most frequent first.
        levels: Support and resistance, nearest first.
        left_out: What this data cannot answer.
    """

    symbol: str
    session: dt.date
    bars: int
    missing_sessions: int
    periods_per_year: int
    close: float
    returns: RecentReturns
    trend: TrendState
    volatility: VolatilityState
    momentum: MomentumState
    indicator_names: tuple[str, ...]
    indicator_values: tuple[float, ...]
    patterns: tuple[PatternSighting, ...]
    evidence: tuple[PatternEvidence, ...]
    levels: tuple[PriceLevel, ...]
    history: ChartHistory
    left_out: tuple[NotComputed, ...]

    def value(self, name: str) -> float:
        """Return the newest value of an indicator by name; NaN where it was left out."""
        if name not in self.indicator_names:
            return float("nan")
        return self.indicator_values[self.indicator_names.index(name)]


@dataclass(frozen=True, kw_only=True)
class AnalysisFailure:
    """A symbol that could not be analysed, and why."""

    symbol: str
    reason: str


Outcome = SymbolAnalysis | AnalysisFailure


def analysed(outcomes: Iterable[Outcome]) -> tuple[SymbolAnalysis, ...]:
    """Keep the symbols that could be analysed."""
    return tuple(each for each in outcomes if isinstance(each, SymbolAnalysis))


def failed(outcomes: Iterable[Outcome]) -> tuple[AnalysisFailure, ...]:
    """Keep the symbols that could not."""
    return tuple(each for each in outcomes if isinstance(each, AnalysisFailure))
