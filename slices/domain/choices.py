"""Choices of a strategy that are stored, so that an account can trade them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from slices.domain.strategies import StrategyName

SelectionName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9\-]{0,39}$")]
"""A name of a series of choices: lower case letters, digits and dashes."""

DEFAULT_SELECTION = "main"


class ChoiceBasis(StrEnum):
    """What a choice stands on."""

    MODEL = "model"
    LEADER = "leader"
    NAMED = "named"


@dataclass(frozen=True, kw_only=True)
class ActiveChoice:
    """The strategy to trade from a session on, until a newer choice takes its place.

    Attributes:
        name: Of the series of choices it belongs to.
        session: At whose close it was made.
        parameters: Name and value, as text, of all its parameters.
        symbols: What it was chosen for.
        basis: What it stands on.
        reason: Why this one, in a sentence.
        regime: The market's at that close.
        probabilities: Strategy and probability of being the best of the next period.
        decision_sessions: After so many sessions the next choice is due.
        data_fingerprint: Of the bars it was made on.
        prefect_run_id: The run that made it; so is `mlflow_run_id`.
        recorded_at: The close of its session, in UTC.
    """

    name: str
    session: dt.date
    strategy: StrategyName
    parameters: tuple[tuple[str, str], ...]
    symbols: tuple[str, ...]
    basis: ChoiceBasis
    reason: str
    regime: str
    probabilities: tuple[tuple[str, float], ...]
    decision_sessions: int
    data_fingerprint: str
    prefect_run_id: str
    mlflow_run_id: str
    recorded_at: dt.datetime

    def is_same_as(self, other: ActiveChoice) -> bool:
        """Tell whether both choose the same strategy with the same parameters for the same symbols.

        Args:
            other: A choice of the same series and session, made by another run.
        """
        mine = (self.name, self.session, self.strategy, self.parameters, self.symbols)
        return mine == (other.name, other.session, other.strategy, other.parameters, other.symbols)
