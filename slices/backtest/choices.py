"""How a strategy was chosen, as a section of a report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.backtest.wording import title
from slices.domain.report import Section, Table, Unit

if TYPE_CHECKING:
    from slices.domain.backtests import StrategyChoice, StrategyTrial
    from slices.domain.portfolio import Performance
    from slices.domain.report import Cell


def choice_section(choice: StrategyChoice, rivals: tuple[StrategyTrial, ...]) -> Section:
    """Show everything that was tried, in sample and on the sessions after."""
    return Section(
        title="How it was chosen",
        intro=(
            f"{choice.trials} strategies with their default parameters were ranked by their Sharpe "
            "ratio in sample, net of costs; the first was taken. What the others did afterwards "
            "was measured later and had no part in the choice: the sessions after say as much of "
            "the chosen one as if it had been the only one tried."
        ),
        blocks=(ranking_table(choice, rivals),),
    )


def ranking_table(choice: StrategyChoice, rivals: tuple[StrategyTrial, ...]) -> Table:
    """Set in-sample and out-of-sample figures side by side, in the order of the choice."""
    later = {each.strategy: each.performance for each in rivals}
    listed = (*choice.ranking, choice.holding) if choice.holding else choice.ranking
    span = f"{choice.in_sample[0]} to {choice.in_sample[1]}" if choice.in_sample else "the past"
    return Table(
        key="ranking",
        title="The strategies tried",
        columns=(
            "Strategy", "Sharpe in sample", "Return a year in sample", "Turnover a year",
            "Sharpe after", "Return a year after", "Drawdown after",
        ),
        units=(
            Unit.TEXT, Unit.RATIO, Unit.FRACTION, Unit.RATIO, Unit.RATIO, Unit.FRACTION,
            Unit.FRACTION,
        ),
        rows=tuple(
            (_named(each, choice), *_before(each), *_after(later.get(each.strategy)))
            for each in listed
        ),
        caption=(
            f"In sample: {span}; after: from {choice.first_session} on. Turnover is one-way, in "
            "multiples of the account. Holding is the measure and was no candidate."
        ),
        best=("", "high", "high", "", "high", "high", "low"),
    )  # fmt: skip


def _named(each: StrategyTrial, choice: StrategyChoice) -> str:
    return title(each.strategy) + (", chosen" if each.strategy is choice.strategy else "")


def _before(each: StrategyTrial) -> tuple[Cell, ...]:
    measured = each.performance
    return measured.sharpe_ratio, measured.annualized_return, each.annual_turnover


def _after(measured: Performance | None) -> tuple[Cell, ...]:
    if measured is None:
        return None, None, None
    return measured.sharpe_ratio, measured.annualized_return, measured.max_drawdown
