"""What a model's out-of-sample scores would have been worth, beside not asking it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from pydantic import Field

from slices.domain.backtests import Backtest, TargetWeights
from slices.domain.forecasts import Forecasts
from slices.domain.models import ModelVersion
from slices.domain.parameters import Fraction, ParameterGroup
from slices.domain.regimes import Regime
from slices.domain.results import FlowResult


class DrivenSizing(ParameterGroup):
    """How much of an account follows a model."""

    target_volatility: float = Field(
        default=0.15, ge=0.02, le=1.0, description="Volatility a year that is aimed at."
    )
    crisis_share: Fraction = Field(
        default=0.5,
        description="Share of the size that is left in a crisis, or where none is told.",
    )
    most_weight: float = Field(
        default=0.2,
        gt=0,
        le=1,
        description="Largest share of one symbol in what is worth its costs.",
    )


DEFAULT_DRIVEN_SIZING = DrivenSizing()


@dataclass(frozen=True, kw_only=True, eq=False)
class DrivenPlan:
    """Rules that follow a model, and rules that do not, ready to be simulated.

    Attributes:
        ranked: The best fifth of the ranking, sized.
        confident: What was worth its costs, sized.
        sized: All symbols equally, sized alike: the same without a model.
        equal: All symbols equally, always invested.
        stored_sessions: Sessions scored by models of the walk-forward in training.
        later_sessions: Sessions after the training, scored by the model itself.
        mean_size: Mean share of the account that was to be invested.
        crisis_sessions: Sessions told to be a crisis.
    """

    ranked: TargetWeights
    confident: TargetWeights
    sized: TargetWeights
    equal: TargetWeights
    stored_sessions: int
    later_sessions: int
    mean_size: float
    crisis_sessions: int

    @property
    def rules(self) -> tuple[TargetWeights, ...]:
        """Every rule, the model's first."""
        return (self.ranked, self.confident, self.sized, self.equal)


@dataclass(frozen=True, kw_only=True, repr=False)
class MlDriven(FlowResult):
    """What a model says now, and what following it would have been worth out of sample.

    Attributes:
        model: Who was asked.
        is_champion: Whether it has earned the right to trade.
        was_trained: Whether it was trained by this run, because there was no champion.
        forecasts: What it says at the newest session.
        regime: Of the market, at the newest session.
        tested: What became of every rule of the plan, in its order.
        gain_t: t-statistic of what the ranking earned beyond the same without a model.
        first_session: Of the scores.
        last_session: Of the scores.
    """

    model: ModelVersion
    is_champion: bool
    was_trained: bool
    forecasts: Forecasts
    regime: Regime
    tested: tuple[Backtest, ...]
    gain_t: float
    first_session: dt.date
    last_session: dt.date
