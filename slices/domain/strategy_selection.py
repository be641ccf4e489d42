"""Strategy selection as values: what was known at each decision, who chose what, and what came."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from slices.domain.backtests import Backtest
from slices.domain.choices import ActiveChoice, ChoiceBasis
from slices.domain.portfolio import Performance
from slices.domain.results import FlowResult
from slices.domain.selection_parameters import SelectionModel, SelectionRule
from slices.domain.strategies import StrategyName
from slices.domain.verdicts import LookAheadProbe


@dataclass(frozen=True, kw_only=True, eq=False)
class SelectionExamples:
    """P decisions among S strategies, and what each strategy made afterwards.

    Attributes:
        strategies: S names.
        names: F features.
        sessions: P sessions at whose close is decided, rising; the last one is the newest.
        row: P positions of them among the sessions of the bars.
        known: P positions of the close at which a period's outcome is known; may lie beyond the
            bars.
        features: P x F, NaN where not known.
        returns: P x S net returns of the strategies' own accounts from the close after the
            decision to `known`; NaN where not known yet.
        ratios: P x S means over deviations of these returns' sessions, 0 for an account that did
            not move: what a period is judged by, so that taking more risk is no skill.
        best: P positions of the strategy with the highest ratio, the first of several alike; -1
            where not known yet.
        regimes: P names of the most probable regime; empty where unknown.
        regime: The market's at the newest decision, and its probability.
        regime_probabilities: Of every regime there.
        first_row: From which on every strategy has the history it needs.
    """

    strategies: tuple[StrategyName, ...]
    names: tuple[str, ...]
    sessions: tuple[dt.date, ...]
    row: npt.NDArray[np.int64]
    known: npt.NDArray[np.int64]
    features: npt.NDArray[np.float64]
    returns: npt.NDArray[np.float64]
    ratios: npt.NDArray[np.float64]
    best: npt.NDArray[np.int64]
    regimes: tuple[str, ...]
    regime: tuple[str, float]
    regime_probabilities: tuple[tuple[str, float], ...]
    first_row: int


@dataclass(frozen=True, kw_only=True, eq=False)
class WalkedSelection:
    """What one classifier said at decisions it had not been trained on.

    Attributes:
        probabilities: P x S; NaN before the first training.
        trained: P numbers of examples behind each; 0 before the first training.
        first: Position of the first decision by model.
        fits: Number of trainings.
    """

    kind: SelectionModel
    probabilities: npt.NDArray[np.float64]
    trained: npt.NDArray[np.int64]
    first: int
    fits: int


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A yearly difference with what the stationary bootstrap leaves open, at 95 %.

    Attributes:
        value: Mean over sessions times sessions in a year.
        t_statistic: Of the mean, with Newey-West errors.
    """

    value: float
    low: float
    high: float
    t_statistic: float


@dataclass(frozen=True, kw_only=True)
class RuleResult:
    """One way of choosing, traded in one account net of costs, those of switching included.

    Attributes:
        regret: What the best single strategy in hindsight made more a year at equal risk: all
            accounts brought to the volatility of the equal mix.
        excess: What this made more than the equal mix a year, likewise.
        switches: How often another strategy was chosen; 0 for those that never choose.
    """

    rule: SelectionRule
    label: str
    sessions: tuple[dt.date, ...]
    equity: tuple[float, ...]
    performance: Performance
    annual_turnover: float
    switches: int
    regret: Interval
    excess: Interval


@dataclass(frozen=True, kw_only=True)
class StrategyTally:
    """How often a strategy was chosen by the model, and how often it was the best.

    Attributes:
        probability: Of being the best of the next period, at the newest decision.
        rival_probability: The same by the other classifier.
        right: Times it was chosen and was the best.
        sharpe_ratio: Annualized, of its own account since every strategy can trade.
    """

    strategy: StrategyName
    probability: float
    rival_probability: float
    chosen: int
    best: int
    right: int
    sharpe_ratio: float


@dataclass(frozen=True, kw_only=True)
class DecidedPeriod:
    """One decision out of sample.

    Attributes:
        best: None where the outcome is not known yet; returns are then NaN.
        rank: Of the chosen one among all by return for risk, 1 is the best; 0 where not known.
    """

    session: dt.date
    regime: str
    chosen: StrategyName
    probability: float
    best: StrategyName | None
    chosen_return: float
    best_return: float
    mean_return: float
    rank: int


@dataclass(frozen=True, kw_only=True)
class SelectionEvidence:
    """Whether choosing by the model has paid, and what follows.

    Attributes:
        model: The classifier that was named beforehand; the other one is only shown.
        rules: In the order of `SelectionRule`.
        tallies: One per strategy.
        decisions: Out of sample, oldest first; the newest is the one to act on.
        hit_rate: Share of known decisions at which the chosen one was the best; `chance` is that
            of choosing blindly.
        mean_rank: Of the chosen ones.
        is_better: Whether the model beats the equal mix by the stated test.
        strategy: What follows; None where nothing is to be traded.
        basis: What that stands on; None likewise.
        reason: In a sentence.
        suspicion: Why the figures are too good to be believed; empty where they are not.
    """

    strategies: tuple[StrategyName, ...]
    model: SelectionModel
    rules: tuple[RuleResult, ...]
    tallies: tuple[StrategyTally, ...]
    decisions: tuple[DecidedPeriod, ...]
    regime: tuple[str, float]
    regime_probabilities: tuple[tuple[str, float], ...]
    hit_rate: float
    chance: float
    mean_rank: float
    known: int
    fits: int
    probe: LookAheadProbe
    is_better: bool
    strategy: StrategyName | None
    basis: ChoiceBasis | None
    reason: str
    suspicion: str = ""

    def result_of(self, rule: SelectionRule) -> RuleResult:
        """Return what became of one way of choosing."""
        return self.rules[list(SelectionRule).index(rule)]


@dataclass(frozen=True, kw_only=True)
class SelectionTuning:
    """What was tried for the chosen strategy's parameters, and whether it is believed.

    Attributes:
        trials: Sets of parameters tried, on sessions up to the decision alone.
        best_sharpe: The highest Sharpe ratio among them, annualized.
        deflated_sharpe_ratio: Probability that it is beyond the luck of so many trials.
        found: The centre of the plateau; empty where there is none.
        is_taken: Whether it is traded in place of the defaults.
        reason: In a sentence.
    """

    trials: int
    best_sharpe: float
    deflated_sharpe_ratio: float
    found: tuple[tuple[str, float | str], ...]
    is_taken: bool
    reason: str


@dataclass(frozen=True, kw_only=True)
class SelectionDecision:
    """What to trade from the newest session on.

    Attributes:
        parameters: Name and value of all its parameters; empty without a strategy.
        tuning: None where nothing was tried.
    """

    session: dt.date
    strategy: StrategyName | None
    basis: ChoiceBasis | None
    reason: str
    parameters: tuple[tuple[str, float | str | bool], ...]
    tuning: SelectionTuning | None


@dataclass(frozen=True, kw_only=True)
class Activation:
    """What became of a decision.

    Attributes:
        outcome: `stored`, `known` where the same was stored before, `planned` where it is only
            shown, or `nothing` where there is nothing to trade.
        choice: As it is, or would be, stored.
        before: The choice that held until then; None where there was none.
    """

    outcome: Literal["stored", "known", "planned", "nothing"]
    choice: ActiveChoice | None
    before: ActiveChoice | None


@dataclass(frozen=True, kw_only=True, repr=False)
class StrategySelection(FlowResult):
    """Which strategy now, and whether choosing has paid.

    Attributes:
        tested: The account that followed the model out of sample.
    """

    evidence: SelectionEvidence
    decision: SelectionDecision
    activation: Activation
    tested: Backtest
