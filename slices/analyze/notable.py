"""Which of many symbols stand out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from slices.domain.analyses import MomentumLevel, PatternGroup, VolatilityLevel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from slices.domain.analyses import SymbolAnalysis

LARGE_MOVE = 2.0
NEAR_EXTREME = 0.01
RULE = (
    "One point each for a breakout or completed double top or bottom among the recent patterns, a "
    "relative strength index of 70 or more or 30 or less, volatility in the lowest 5 % or highest "
    "5 % of its year, a last return of two or more of its own deviations, and a close within 1 % "
    "of the year's high or low; among equals the larger last return in deviations."
)


def most_notable(analyses: Iterable[SymbolAnalysis], *, most: int) -> tuple[SymbolAnalysis, ...]:
    """Choose the symbols that stand out, by the points of `RULE`; ties by the last return."""

    def rank(each: SymbolAnalysis) -> tuple[float, float, str]:
        return -notability(each), -last_move(each), each.symbol

    return tuple(sorted(analyses, key=rank)[:most])


def notability(analysis: SymbolAnalysis) -> int:
    """Count what stands out about a symbol: 0 to 5 points, as `RULE` says."""
    return sum(
        (
            any(_is_telling(each.group, each.name) for each in analysis.patterns),
            analysis.momentum.level in {MomentumLevel.OVERBOUGHT, MomentumLevel.OVERSOLD},
            analysis.volatility.level is VolatilityLevel.EXTREME
            or analysis.volatility.percentile <= 1.0 - 0.95,
            last_move(analysis) >= LARGE_MOVE,
            _is_at_extreme(analysis),
        )
    )


def last_move(analysis: SymbolAnalysis) -> float:
    """Return the size of the last return in deviations of a session; 0 where none is known."""
    deviation = analysis.volatility.annualized_volatility / math.sqrt(analysis.periods_per_year)
    return abs(analysis.returns.session) / deviation if deviation > 0 else 0.0


def _is_telling(group: PatternGroup, name: str) -> bool:
    return group is PatternGroup.BREAKOUT or name in {"double_top", "double_bottom"}


def _is_at_extreme(analysis: SymbolAnalysis) -> bool:
    year = analysis.periods_per_year
    from_high = analysis.value(f"distance_from_high_{year}")
    from_low = analysis.value(f"distance_from_low_{year}")
    return from_high >= -NEAR_EXTREME or from_low <= NEAR_EXTREME
