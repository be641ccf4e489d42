"""How a market moves together, or why it cannot be told, as one value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.analyze.market import market_structure
from slices.analyze.sections import overview_table, turning_table
from slices.domain.analyses import AnalysisFailure, analysed, failed
from slices.domain.errors import DataError
from slices.domain.report import Heatmap, Note, Section, Table, Tone, Unit
from slices.domain.structure_report import cluster_table

if TYPE_CHECKING:
    from slices.domain.analyses import SymbolAnalysis
    from slices.domain.co_movement import MarketStructure
    from slices.domain.dataset import DatasetRef

MARKET = "market"
"""What a failure is about where it concerns all symbols together."""

MOST_SHOWN = 30
"""How many symbols a matrix of correlations can show."""


def structure_overview(bars: DatasetRef) -> MarketStructure | AnalysisFailure:
    """Describe how the symbols move together, or say why it cannot be told.

    Raises:
        IntegrityError: Where the dataset's file is gone or changed.
    """
    if len(bars.symbols) < 2:
        return AnalysisFailure(symbol=bars.symbols[0], reason="correlations need two symbols")
    try:
        return market_structure(bars)
    except DataError as error:
        return AnalysisFailure(symbol=MARKET, reason=str(error))


def structure_section(found: MarketStructure | AnalysisFailure) -> Section:
    """Show clusters, the pairs that stand out, and the correlations of a market it can hold."""
    title = "How they move together"
    if isinstance(found, AnalysisFailure):
        return Section(title=title, blocks=(Note(text=f"Not known: {found.reason}."),))
    notes = tuple(
        Note(text=f"{each.name} is not among them: it {each.reason}.", tone=Tone.WARNING)
        for each in found.left_out
    )
    chart = (_matrix(found),) if len(found.structure.symbols) <= MOST_SHOWN else ()
    return Section(
        title=title,
        intro=(
            f"Correlations of the newest {found.structure.sessions:,} shared sessions; "
            f"{found.structure.average_correlation:.2f} on average over all pairs."
        ),
        blocks=(*notes, *chart, cluster_table(found.structure), pair_table(found)),
    )


def seen_sections(
    outcomes: tuple[SymbolAnalysis | AnalysisFailure, ...], *, most: int = 20
) -> tuple[Section, ...]:
    """Show trend, levels and newest patterns of a few symbols, for information.

    Args:
        outcomes: Analyses, or why there are none.
        most: How many symbols to show.
    """
    good, bad = analysed(outcomes)[:most], failed(outcomes)
    if not good:
        return ()
    return (
        Section(
            title="What the newest bars show",
            intro=(
                "Trend, levels and patterns as of each symbol's newest session. No decision "
                "used them."
            ),
            blocks=(
                overview_table(good),
                turning_table(good),
                *(Note(text=f"{each.symbol}: not analysed, {each.reason}.") for each in bad),
            ),
        ),
    )


def pair_table(structure: MarketStructure) -> Table:
    """List the pairs that move most, and least, alike."""
    pairs = [
        *(("Most alike", each) for each in structure.most_alike),
        *(("Least alike", each) for each in structure.least_alike),
    ]
    return Table(
        key="pairs",
        title="Pairs that move most and least alike",
        columns=("Kind", "First", "Second", "Correlation"),
        units=(Unit.TEXT, Unit.TEXT, Unit.TEXT, Unit.RATIO),
        rows=tuple((kind, each.first, each.second, each.correlation) for kind, each in pairs),
        caption=(
            f"Correlations of returns over {structure.structure.sessions:,} sessions that all "
            "symbols compared share."
        ),
    )


def _matrix(found: MarketStructure) -> Heatmap:
    structure = found.structure
    places = [structure.symbols.index(symbol) for symbol in structure.order]
    return Heatmap(
        key="symbol-correlations",
        title="Correlations of returns",
        labels=structure.order,
        values=tuple(tuple(structure.correlations[r][c] for c in places) for r in places),
        low=-1.0,
        high=1.0,
        caption="Ordered by hierarchical clustering.",
    )
