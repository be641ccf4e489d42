"""Whether forecasts were worth having: their account against others over the same sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.adaptive_portfolio.views.walk import EQUAL, WITHOUT
from slices.domain.numbers import written
from slices.domain.report import Unit
from slices.domain.view_portfolio import RivalTest
from slices.quant.returns import simple_returns
from slices.quant.validity.paired import paired_difference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slices.domain.backtests import Backtest

CLEAR = 0.95


def compare_accounts(tested: Sequence[Backtest], *, seed: int = 0) -> tuple[RivalTest, ...]:
    """Test the first account against each of the others, session by session, net of costs.

    Args:
        tested: Accounts over the same sessions.
        seed: Of the bootstrap.
    """
    if not tested:
        return ()
    own, *rivals = tested
    returns = simple_returns(np.array(own.equity)[: own.lived])
    return tuple(
        RivalTest(
            rival=each.label,
            difference=paired_difference(
                returns,
                simple_returns(np.array(each.equity)[: own.lived]),
                periods_per_year=own.periods_per_year,
                confidence=CLEAR,
                seed=seed,
            ),
        )
        for each in rivals
    )


def verdict_sentence(tested: Sequence[Backtest], tests: tuple[RivalTest, ...]) -> str:
    """Say in a sentence whether forecasts did better than equal weights, and than nothing said."""
    if not tests:
        return "There is no past to judge them by."
    own = written(tested[0].performance.sharpe_ratio, Unit.RATIO)
    others = {each.label: each.performance.sharpe_ratio for each in tested}
    found = {each.rival: each for each in tests}
    parts = [
        f"{_apart(found[name])} {words} ({written(others[name], Unit.RATIO)}, "
        f"p {written(found[name].difference.p_value, Unit.RATIO)})"
        for name, words in ((EQUAL, "1/N"), (WITHOUT, "the same rule without forecasts"))
    ]
    return (
        f"Out of sample and net of costs, the Sharpe ratio with forecasts was {own}: "
        f"{parts[0]}, and {parts[1]}."
    )


def is_worth_having(tests: tuple[RivalTest, ...]) -> bool:
    """Tell whether forecasts did better than equal weights, and than the same rule without them.

    The second is what they add: a rule that trades little lets winners grow, which alone beats
    equal weights among symbols that are known to have survived.
    """
    found = {each.rival: each.difference for each in tests}
    needed = [found[name] for name in (EQUAL, WITHOUT) if name in found]
    return len(needed) == 2 and all(
        each.is_significant and each.sharpe_difference > 0 for each in needed
    )


def _apart(test: RivalTest) -> str:
    difference = test.difference
    if not difference.is_significant:
        return "not distinguishable from that of"
    return "better than that of" if difference.sharpe_difference > 0 else "worse than that of"
