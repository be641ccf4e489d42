"""The table of stored choices of a strategy: they belong to no account until one trades them."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Date, Integer, String, Table, Text

from slices.domain.choices import ChoiceBasis
from slices.domain.strategies import StrategyName
from slices.ledger.columns import Instant, Listed, PairList, TextList, WeightList
from slices.ledger.schema import METADATA

STRATEGY_CHOICES = Table(
    "strategy_choices",
    METADATA,
    Column("name", String(40), primary_key=True),
    Column("session", Date, primary_key=True),
    Column("strategy", Listed(StrategyName), nullable=False),
    Column("parameters", PairList, nullable=False),
    Column("symbols", TextList, nullable=False),
    Column("basis", Listed(ChoiceBasis), nullable=False),
    Column("reason", Text, nullable=False),
    Column("regime", String(40), nullable=False),
    Column("probabilities", WeightList, nullable=False),
    Column("decision_sessions", Integer, nullable=False),
    Column("data_fingerprint", String(64), nullable=False),
    Column("prefect_run_id", String(64), nullable=False),
    Column("mlflow_run_id", String(64), nullable=False),
    Column("recorded_at", Instant, nullable=False),
    CheckConstraint("decision_sessions > 0", name="decision_sessions"),
)
