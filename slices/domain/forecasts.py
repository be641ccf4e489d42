"""Predictions: what a model says at a session, how sure it is, and when that can be checked."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from pydantic import Field

from slices.domain.models import ModelVersion
from slices.domain.parameters import ParameterGroup


class ServingLimits(ParameterGroup):
    """Beyond which a model says nothing."""

    most_age_sessions: int = Field(
        default=126, ge=1, le=2520, description="Sessions since training until a model is stale."
    )
    most_unknown_share: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="How much larger the share of unknown feature values may be than in training.",
    )
    decision_confidence: float = Field(
        default=0.55,
        gt=0.5,
        le=0.99,
        description="Probability that a return exceeds its costs from which on it is traded.",
    )
    interval_level: float = Field(
        default=0.9, ge=0.5, le=0.99, description="Level of the intervals that are shown."
    )


DEFAULT_SERVING = ServingLimits()


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What a model says about one symbol.

    Attributes:
        score: The model's number; higher is better within a session.
        probability: Of a return above the median of the session.
        expected_return: Over the horizon, relative to the mean of the universe.
        lower: Of the interval at the level shown, relative likewise; so is `upper`.
        decision_lower: What the return exceeds with the confidence of the decision; for a short
            position what it stays below is `decision_upper`. Both are NaN for a prediction that
            was read from the books, where they are not written down.
        abstains: Whether the interval of the decision includes the costs of a round trip.
    """

    symbol: str
    score: float
    probability: float
    expected_return: float
    lower: float
    upper: float
    decision_lower: float
    decision_upper: float
    abstains: bool


@dataclass(frozen=True, kw_only=True)
class Forecasts:
    """What a model says at the close of one session.

    Attributes:
        model: Whose words; None where there is no model to ask.
        session: At whose close.
        matures: The session at whose close it can be checked.
        forecasts: One for each symbol that could be scored.
        refusals: Why nothing is said; empty where something is.
        costs: Of a round trip, a fraction, that intervals were compared with; a commission per
            share comes on top of it, in proportion to the price of each symbol.
    """

    model: ModelVersion | None
    session: dt.date
    matures: dt.date
    forecasts: tuple[Forecast, ...]
    refusals: tuple[str, ...] = ()
    costs: float = 0.0
    definition: str = ""
    data_fingerprint: str = ""


@dataclass(frozen=True, kw_only=True)
class PredictionRecord:
    """A prediction as the ledger has it, with its outcome once that is known.

    Attributes:
        outcome: Relative return over the horizon; NaN until known.
        label: Rank of the return within its session, in [-0.5, 0.5]; NaN until known.
        recorded_at: The close of its session, in UTC.
    """

    model: str
    version: int
    session: dt.date
    symbol: str
    matures: dt.date
    score: float
    probability: float
    expected_return: float
    lower: float
    upper: float
    abstains: bool
    outcome: float = float("nan")
    label: float = float("nan")
    recorded_at: dt.datetime


@dataclass(frozen=True, kw_only=True)
class PredictionOutcome:
    """What came of a prediction.

    Attributes:
        outcome: Relative return over the horizon.
        label: Rank of the return within its session, in [-0.5, 0.5].
        known_at: The close of the session it matured at, in UTC.
    """

    model: str
    version: int
    session: dt.date
    symbol: str
    outcome: float
    label: float
    known_at: dt.datetime
