"""The look-ahead probe of strategy selection: cut the future off and decide again.

At some decisions everything is made anew from bars that end there: the strategies are traded, what
is known is measured, the classifier is trained. What it says must be what it said with the whole
history at hand. Regimes are cut, not fitted again: that they use the past alone is proven where
they are made.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.verdicts import Leak, LeakFinding, LookAheadProbe
from slices.ml_strategy.selecting.classifiers import fitted
from slices.ml_strategy.selecting.examples import examples_at
from slices.ml_strategy.selecting.walking import fit_places, known_places
from slices.quant.returns import equity_returns
from slices.quant.signals.catalogue import default_parameters, strategy
from slices.quant.signals.strategy import changes
from slices.quant.simulation.targets import simulate_targets

if TYPE_CHECKING:
    from slices.domain.parameters import Costs, TradingRules
    from slices.domain.regimes import RegimeHistory
    from slices.domain.selection_parameters import SelectionPeriods
    from slices.domain.strategies import StrategyName
    from slices.domain.strategy_selection import SelectionExamples, WalkedSelection
    from slices.quant.panel import Panel
    from slices.quant.types import FloatArray

CUTS = 4
TOLERANCE = 1e-9


def probe_selection(
    panel: Panel,
    history: RegimeHistory,
    *,
    examples: SelectionExamples,
    walked: WalkedSelection,
    periods: SelectionPeriods,
    costs: Costs,
    rules: TradingRules,
    capital: float,
    seed: int,
) -> LookAheadProbe:
    """Decide again at a few decisions from bars that end there.

    Args:
        panel: All bars.
        history: Regimes as they were known at each close.
        examples: All decisions as they were set out.
        walked: What the classifier said.
        periods: When is decided and trained.
        costs: Of the strategies' accounts; so are `rules` and `capital`.
        rules: What may be traded.
        capital: Money at the start.
        seed: Of the classifier.

    Returns:
        The sessions of the cuts, and a finding for each at which it says something else.
    """
    starts = fit_places(examples, periods)
    places = cut_places(starts[0], examples.row.size - 1)
    findings = []
    for place in places:
        row = int(examples.row[place])
        known = panel.until(row + 1)
        returns = traded_returns(
            known, examples.strategies, costs=costs, rules=rules, capital=capital
        )
        again = examples_at(
            known, examples.strategies, returns, cut_history(history, known), periods=periods,
            rows=examples.row[: place + 1],
        )  # fmt: skip
        past = known_places(again, max(each for each in starts if each <= place))
        ask = fitted(
            walked.kind, again.features[past], again.best[past],
            classes=len(examples.strategies), seed=seed,
        )  # fmt: skip
        change = np.abs(ask(again.features[place:]) - walked.probabilities[place]).max()
        findings += [_finding(examples, place, float(change))] * (not change <= TOLERANCE)
    return LookAheadProbe(
        cuts=tuple(examples.sessions[each] for each in places), findings=tuple(findings)
    )


def cut_places(first: int, last: int) -> list[int]:
    """Choose decisions to repeat, spread evenly from the first by model to the newest.

    >>> cut_places(10, 40)
    [10, 20, 30, 40]
    """
    spread = np.linspace(first, last, CUTS).round().astype(int)
    return list(dict.fromkeys(spread.tolist()))


def traded_returns(
    panel: Panel,
    strategies: tuple[StrategyName, ...],
    *,
    costs: Costs,
    rules: TradingRules,
    capital: float,
) -> FloatArray:
    """Trade each strategy alone with its default parameters: T x S net returns, the first 0."""
    columns = []
    for name in strategies:
        weights = strategy(name).target_weights(
            panel, default_parameters(name), gross_exposure=rules.gross_exposure
        )
        account = simulate_targets(
            panel, changes(weights), costs=costs, rules=rules, capital=capital
        )
        columns.append(np.concatenate([[0.0], equity_returns(account.equity)]))
    return np.column_stack(columns)


def cut_history(history: RegimeHistory, panel: Panel) -> RegimeHistory:
    """Return regimes up to the last session of a panel."""
    stop = sum(each <= panel.sessions[-1] for each in history.sessions)
    return dataclasses.replace(
        history,
        sessions=history.sessions[:stop],
        levels=history.levels[:stop],
        rule_codes=history.rule_codes[:stop],
        model_codes=history.model_codes[:stop],
        probabilities=history.probabilities[:stop],
        state_probabilities=history.state_probabilities[:stop],
        next_volatility=history.next_volatility[:stop],
    )


def _finding(examples: SelectionExamples, place: int, change: float) -> LeakFinding:
    session = examples.sessions[place]
    return LeakFinding(
        leak=Leak.FUTURE_BARS,
        session=session,
        detail=f"with bars up to {session} alone a probability differs by {change:.2g}",
    )
