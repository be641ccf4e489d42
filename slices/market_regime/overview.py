"""The regime of a market, or why it cannot be told, as one value."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from slices.domain.errors import ComputationError, DataError
from slices.domain.regimes import RegimeAnalysis, RegimeFailure
from slices.domain.report import Note, Section, Tone
from slices.market_regime.regimes import market_regime
from slices.market_regime.sections import regime_section, regime_table

if TYPE_CHECKING:
    from slices.domain.dataset import DatasetRef
    from slices.domain.regimes import SymbolRegime

MARKET = "market"


def market_overview(bars: DatasetRef) -> RegimeAnalysis | RegimeFailure:
    """Tell the regime of the equal-weight index of all symbols, or say why it cannot be told.

    Raises:
        IntegrityError: Where the dataset's file is gone or changed.
    """
    try:
        return market_regime(bars)
    except (DataError, ComputationError) as error:
        return RegimeFailure(symbol=MARKET, reason=str(error))


def regime_sections(
    market: RegimeAnalysis | RegimeFailure,
    symbols: list[tuple[SymbolRegime | RegimeFailure, ...]],
) -> tuple[Section, ...]:
    """Show the regime of the market, where it is known, and of each symbol."""
    found = tuple(chain.from_iterable(symbols))
    by_symbol = Section(
        title="Regimes by symbol",
        intro=(
            "Each symbol's own regime at its own last close, told from half a year. The trend in "
            "the table of all symbols looks at other windows, so the two may differ."
        ),
        blocks=(regime_table(found),),
    )
    if isinstance(market, RegimeFailure):
        unknown = Note(text=f"Not known: {market.reason}.", tone=Tone.WARNING)
        return Section(title="Market regime", blocks=(unknown,)), by_symbol
    return regime_section(market), by_symbol
