"""A comparison of strategies over symbols as a section of a report."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING

from slices.backtest.wording import title
from slices.domain.backtests import StrategyFailure, StrategyRow
from slices.domain.report import Heatmap, Note, Section, Table, Tone, Unit
from slices.domain.strategies import StrategyName

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from slices.domain.report import Cell

MOST_SYMBOLS = 30
"""How many symbols the map of Sharpe ratios can show."""

MOST_ROWS = 20


def comparison_section(
    outcomes: Sequence[tuple[StrategyRow | StrategyFailure, ...]],
) -> Section:
    """Show every strategy over all symbols, the best of all, and the map of Sharpe ratios."""
    rows = tuple(each for batch in outcomes for each in batch if isinstance(each, StrategyRow))
    if not rows:
        return Section(
            title="Strategies",
            blocks=(Note(text="No strategy could be tried.", tone=Tone.WARNING),),
        )
    return Section(
        title="Strategies",
        intro=(
            "Every strategy of the catalogue with its default parameters on each symbol alone, net "
            "of costs, over the whole history; nothing was fitted. The best of many comparisons is "
            "partly luck: the deflated Sharpe ratio says how probably it is not."
        ),
        blocks=(strategy_table(rows), sharpe_map(rows), best_table(rows)),
    )


def strategy_table(rows: Sequence[StrategyRow]) -> Table:
    """Sum up each strategy over the symbols."""
    return Table(
        key="strategies",
        title="Strategies over all symbols",
        columns=(
            "Strategy", "Symbols", "Median Sharpe", "Median return a year", "Median max drawdown",
            "Better than holding", "Median exposure",
        ),
        units=(
            Unit.TEXT, Unit.COUNT, Unit.RATIO, Unit.FRACTION, Unit.FRACTION, Unit.FRACTION,
            Unit.FRACTION,
        ),
        rows=tuple(
            _summed(name, [each for each in rows if each.strategy is name])
            for name in _strategies(rows)
        ),
        caption="Better than holding: the share of symbols where its Sharpe ratio is higher.",
        best=("", "", "high", "high", "low", "high", ""),
    )  # fmt: skip


def best_table(rows: Sequence[StrategyRow]) -> Table:
    """List the pairs of symbol and strategy that are least likely to be luck."""
    known = [each for each in rows if math.isfinite(each.deflated_sharpe_ratio)]
    ranked = sorted(known, key=lambda each: -each.deflated_sharpe_ratio)[:MOST_ROWS]
    return Table(
        key="best-strategies",
        title="Symbol and strategy, the least likely to be luck first",
        columns=(
            "Symbol", "Strategy", "Sharpe", "Holding", "Return a year", "Max drawdown",
            "Round trips", "Deflated Sharpe",
        ),
        units=(
            Unit.TEXT, Unit.TEXT, Unit.RATIO, Unit.RATIO, Unit.FRACTION, Unit.FRACTION, Unit.COUNT,
            Unit.FRACTION,
        ),
        rows=tuple(
            (
                each.symbol,
                title(each.strategy),
                each.sharpe_ratio,
                each.benchmark_sharpe_ratio,
                each.annualized_return,
                each.max_drawdown,
                each.round_trips,
                each.deflated_sharpe_ratio,
            )
            for each in ranked
        ),
        caption=(
            "Deflated Sharpe: the probability that the true Sharpe ratio is above what the best of "
            "the strategies tried on the symbol would show without skill. Trying them on many "
            "symbols is not counted: of many rows, some are high by chance."
        ),
    )  # fmt: skip


def sharpe_map(rows: Sequence[StrategyRow]) -> Heatmap:
    """Draw the Sharpe ratio of each strategy on each symbol; of many symbols, the first."""
    symbols = tuple(dict.fromkeys(each.symbol for each in rows))
    shown = symbols[:MOST_SYMBOLS]
    names = _strategies(rows)
    ratios = {(each.symbol, each.strategy): each.sharpe_ratio for each in rows}
    values = tuple(tuple(ratios.get((s, name), math.nan) for name in names) for s in shown)
    reach = max((abs(v) for row in values for v in row if math.isfinite(v)), default=1.0)
    of_many = f" The first {MOST_SYMBOLS} of {len(symbols)} symbols." * (len(symbols) > len(shown))
    return Heatmap(
        key="strategy-map",
        title="Sharpe ratio by symbol and strategy",
        labels=shown,
        column_labels=tuple(title(name) for name in names),
        values=values,
        low=-reach,
        high=reach,
        caption=f"Net of costs.{of_many}",
    )


def _strategies(rows: Iterable[StrategyRow]) -> tuple[StrategyName, ...]:
    found = {each.strategy for each in rows}
    return tuple(name for name in StrategyName if name in found)


def _summed(name: StrategyName, rows: Sequence[StrategyRow]) -> tuple[Cell, ...]:
    judged = [each for each in rows if math.isfinite(each.sharpe_ratio)]
    better = [each.sharpe_ratio > each.benchmark_sharpe_ratio for each in judged]
    return (
        title(name),
        len(rows),
        _median(each.sharpe_ratio for each in judged),
        _median(each.annualized_return for each in rows),
        _median(each.max_drawdown for each in rows),
        sum(better) / len(better) if better and name is not StrategyName.BUY_AND_HOLD else None,
        _median(each.mean_exposure for each in rows),
    )


def _median(values: Iterable[float]) -> float:
    known = [each for each in values if math.isfinite(each)]
    return statistics.median(known) if known else math.nan
