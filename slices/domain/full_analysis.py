"""The full analysis of symbols, as a flow returns it."""

from __future__ import annotations

from dataclasses import dataclass

from slices.domain.analyses import AnalysisFailure, SymbolAnalysis
from slices.domain.backtests import StrategyRow
from slices.domain.co_movement import MarketStructure
from slices.domain.dataset import LeftOut
from slices.domain.regimes import RegimeAnalysis, RegimeFailure, SymbolRegime
from slices.domain.results import FlowResult
from slices.domain.sizing import SizeAdvice, SizeFailure


@dataclass(frozen=True, kw_only=True, repr=False)
class FullAnalysis(FlowResult):
    """What is going on in some symbols.

    Attributes:
        left_out: Symbols that could not be loaded.
        failures: Symbols that were loaded and could not be analysed.
        market: The regime of all symbols together, or why it is not known.
        structure: How the symbols move together, or why it is not known.
        comparisons: Every strategy on every symbol, net of costs.
    """

    left_out: tuple[LeftOut, ...]
    analyses: tuple[SymbolAnalysis, ...]
    failures: tuple[AnalysisFailure, ...]
    market: RegimeAnalysis | RegimeFailure
    regimes: tuple[SymbolRegime | RegimeFailure, ...]
    structure: MarketStructure | AnalysisFailure
    comparisons: tuple[StrategyRow, ...]
    sizes: tuple[SizeAdvice | SizeFailure, ...]
