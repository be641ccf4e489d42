"""Candle patterns as TA-Lib finds them, with the meaning that the books give them.

TA-Lib looks at the shape of one to five bars and, of most patterns, not at the trend before them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from slices.analyze.marks import Marks, Pattern
from slices.analyze.native import talib
from slices.analyze.series import full
from slices.domain.analyses import Direction, PatternGroup

if TYPE_CHECKING:
    from slices.analyze.series import SymbolBars

BULLISH, BEARISH, NEUTRAL = Direction.BULLISH, Direction.BEARISH, Direction.NEUTRAL


class Candle(NamedTuple):
    """One of TA-Lib's candle functions: marks above 0 and, where it has them, below 0."""

    function: str
    name: str
    title: str
    above: Direction | None
    below: Direction | None
    meaning: str


CANDLES = (
    Candle("CDLENGULFING", "engulfing", "Engulfing", BULLISH, BEARISH,
           "a body that covers the opposite body before it: the other side took over"),
    Candle("CDLHARAMI", "harami", "Harami", BULLISH, BEARISH,
           "a body inside the opposite long body before it: the move loses force"),
    Candle("CDLHAMMER", "hammer", "Hammer", BULLISH, None,
           "a small body above a long lower shadow: sellers were turned back"),
    Candle("CDLINVERTEDHAMMER", "inverted_hammer", "Inverted hammer", BULLISH, None,
           "a small body below a long upper shadow after a fall: buyers show up"),
    Candle("CDLHANGINGMAN", "hanging_man", "Hanging man", None, BEARISH,
           "a small body above a long lower shadow near a high: sellers show up"),
    Candle("CDLSHOOTINGSTAR", "shooting_star", "Shooting star", None, BEARISH,
           "a small body below a long upper shadow after a gap up: buyers were turned back"),
    Candle("CDLDOJI", "doji", "Doji", NEUTRAL, None,
           "open and close are nearly equal: neither side won"),
    Candle("CDLDRAGONFLYDOJI", "dragonfly_doji", "Dragonfly doji", BULLISH, None,
           "a doji at the high of its bar: sellers were turned back"),
    Candle("CDLGRAVESTONEDOJI", "gravestone_doji", "Gravestone doji", BEARISH, None,
           "a doji at the low of its bar: buyers were turned back"),
    Candle("CDLSPINNINGTOP", "spinning_top", "Spinning top", NEUTRAL, NEUTRAL,
           "a small body between longer shadows: neither side won"),
    Candle("CDLMARUBOZU", "marubozu", "Marubozu", BULLISH, BEARISH,
           "a long body without shadows: one side had the whole session"),
    Candle("CDLBELTHOLD", "belt_hold", "Belt hold", BULLISH, BEARISH,
           "a long body that opens at its extreme: a move that began at once"),
    Candle("CDLMORNINGSTAR", "morning_star", "Morning star", BULLISH, None,
           "a long fall, a small body below, a rise back into the fall: a turn up"),
    Candle("CDLEVENINGSTAR", "evening_star", "Evening star", None, BEARISH,
           "a long rise, a small body above, a fall back into the rise: a turn down"),
    Candle("CDLPIERCING", "piercing", "Piercing line", BULLISH, None,
           "an open below the low that closes in the upper half of the fall before it"),
    Candle("CDLDARKCLOUDCOVER", "dark_cloud_cover", "Dark cloud cover", None, BEARISH,
           "an open above the high that closes in the lower half of the rise before it"),
    Candle("CDL3WHITESOLDIERS", "white_soldiers", "Three white soldiers", BULLISH, None,
           "three long rises in a row, each closing near its high"),
    Candle("CDL3BLACKCROWS", "black_crows", "Three black crows", None, BEARISH,
           "three long falls in a row, each closing near its low"),
    Candle("CDL3INSIDE", "three_inside", "Three inside", BULLISH, BEARISH,
           "a harami that the third bar confirms"),
    Candle("CDL3OUTSIDE", "three_outside", "Three outside", BULLISH, BEARISH,
           "an engulfing that the third bar confirms"),
    Candle("CDLHIKKAKE", "hikkake", "Hikkake", BULLISH, BEARISH,
           "an inside bar whose breakout failed: a move to the other side"),
    Candle("CDLRISEFALL3METHODS", "three_methods", "Three methods", BULLISH, BEARISH,
           "a pause of three small bars inside a long one, then the move goes on"),
)  # fmt: skip
SUFFIX = {BULLISH: "bullish", BEARISH: "bearish"}


def candle_marks(bars: SymbolBars) -> tuple[Marks, ...]:
    """Find all candle patterns; those that point both ways count as two.

    Raises:
        ValueError: On close-only bars.
    """
    own = full(bars)
    found: list[Marks] = []
    for candle in CANDLES:
        signs = getattr(talib, candle.function)(own.open, own.high, own.low, own.close)
        if candle.above is candle.below:
            found.append(Marks(pattern=_pattern(candle, NEUTRAL), known=signs != 0))
            continue
        if candle.above:
            found.append(Marks(pattern=_pattern(candle, candle.above), known=signs > 0))
        if candle.below:
            found.append(Marks(pattern=_pattern(candle, candle.below), known=signs < 0))
    return tuple(found)


def _pattern(candle: Candle, direction: Direction) -> Pattern:
    has_two = bool(candle.above and candle.below) and direction is not NEUTRAL
    way = SUFFIX[direction] if has_two else ""
    return Pattern(
        name=f"{candle.name}_{way}" if way else candle.name,
        title=f"{candle.title}, {way}" if way else candle.title,
        group=PatternGroup.CANDLE,
        direction=direction,
        meaning=candle.meaning,
    )
