"""Trading on predictions: what was said, what an account made of it, what may be believed."""

from __future__ import annotations

from dataclasses import dataclass

from slices.domain.accounts import AccountBook
from slices.domain.forecasts import Forecasts
from slices.domain.models import ModelVersion
from slices.domain.rebalancing import RebalancePlan
from slices.domain.results import FlowResult
from slices.domain.trading import Placement


@dataclass(frozen=True, kw_only=True)
class ReliabilityPoint:
    """Predictions of about the same probability, and how often they came true.

    Attributes:
        predicted: Mean probability of a return above the median of the session.
        observed: Share of them that was.
        count: How many there are.
    """

    predicted: float
    observed: float
    count: int


@dataclass(frozen=True, kw_only=True)
class CoverageYear:
    """A year of intervals: the share of returns they held."""

    year: int
    coverage: float
    count: int


@dataclass(frozen=True, kw_only=True)
class CalibrationCheck:
    """How a model's probabilities and intervals did on sessions they were not fitted on.

    Attributes:
        points: By rising probability.
        coverages: Nominal level and measured share of returns within the interval.
        level: Of the intervals in `years`.
        years: In order.
        brier_score: Of the probabilities; 0.25 is a coin.
        abstaining: Share of predictions whose interval of the decision held the costs.
    """

    points: tuple[ReliabilityPoint, ...]
    coverages: tuple[tuple[float, float], ...]
    level: float
    years: tuple[CoverageYear, ...]
    brier_score: float
    abstaining: float


@dataclass(frozen=True, kw_only=True)
class KeptPredictions:
    """What was written down in the books of predictions.

    Attributes:
        recorded: Predictions that are new.
        matured: Outcomes that are new.
    """

    recorded: int
    matured: int


@dataclass(frozen=True, kw_only=True, repr=False)
class PredictionTrading(FlowResult):
    """What a model said at a close, what an account made of it, and what was written down.

    Attributes:
        model: Who said it; None where there was nobody to ask.
        history: Forecasts of the sessions whose predictions have not matured, the newest last.
        book: The account before.
        plan: The trades that bring it to what predictions ask for; None where the model was not
            asked, so that the account stays as it is.
        placed: What became of them; nothing where the model was not asked.
        kept: What was written down.
    """

    model: ModelVersion | None
    history: tuple[Forecasts, ...]
    book: AccountBook
    plan: RebalancePlan | None
    placed: Placement
    kept: KeptPredictions

    @property
    def is_refused(self) -> bool:
        """Whether the model was not asked at the newest session."""
        return bool(self.history[-1].refusals)
