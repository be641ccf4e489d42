"""Words of learning: features, labels, splits, and how good scores were where nothing was known."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from slices.domain.fingerprint import LOCATION, bytes_digest
from slices.domain.labels import LabelSettings
from slices.domain.parameters import ParameterGroup

__all__ = [
    "DEFAULT_LABEL",
    "DEFAULT_MODEL",
    "DEFAULT_SPLITS",
    "LEARNING_SYMBOLS",
    "Canary",
    "FeatureFamily",
    "FeatureNeed",
    "FeatureSetRef",
    "Fold",
    "FoldSkill",
    "LabelSettings",
    "ModelAlias",
    "ModelKind",
    "ModelName",
    "OutOfSampleScores",
    "Skill",
    "SplitSettings",
]

LEARNING_SYMBOLS = [
    "AAPL", "AMD", "BAC", "BBY", "CVX", "GE", "HD", "JNJ", "JPM", "KO",
    "LLY", "MRK", "MSFT", "PEP", "PFE", "PG", "RRC", "UNH", "WMT", "XOM",
]  # fmt: skip
"""The embedded universe that is wide and long enough to learn from."""

ModelName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9\-]{0,39}$")]
"""A name of the model registry: lower case letters, digits and dashes."""

DEFAULT_MODEL = "cross-section"

ModelAlias = Literal["champion", "challenger"]
"""Which of a model's versions: the one that trades, or the newest that has not earned it."""


class FeatureFamily(StrEnum):
    """What a feature looks at."""

    MOMENTUM = "momentum"
    REVERSAL = "reversal"
    VOLATILITY = "volatility"
    VOLUME = "volume"
    CROSS_SECTION = "cross_section"
    CALENDAR = "calendar"
    REGIME = "regime"
    INTERACTION = "interaction"


class FeatureNeed(StrEnum):
    """Which columns of the bars a feature needs."""

    CLOSE = "close"
    RANGE = "open, high, low, close"
    VOLUME = "close, volume"


class ModelKind(StrEnum):
    """The kinds of model that are trained side by side."""

    ALWAYS_EQUAL = "always_equal"
    LINEAR = "linear"
    RANDOM_FOREST = "random_forest"
    LIGHTGBM = "lightgbm"


class SplitSettings(ParameterGroup):
    """How past sessions are parted into training and testing."""

    folds: int = Field(default=8, ge=2, le=40, description="Test blocks, one after the other.")
    first_train_sessions: int = Field(
        default=1260, ge=120, description="Sessions before the first test block."
    )
    train_sessions: int | None = Field(
        default=None, ge=120, description="Newest sessions trained on; empty takes all there are."
    )
    embargo_sessions: int = Field(
        default=5, ge=0, le=252, description="Sessions left out beside a test block."
    )
    combinatorial_blocks: int | None = Field(
        default=None,
        ge=4,
        le=12,
        description="Blocks of all sessions of which every two are tested by a model of the "
        "others, earlier and later ones: 6 blocks are 15 fits and 5 paths through history. "
        "Evidence beside the walk-forward, never used to decide; empty leaves it out.",
    )


DEFAULT_LABEL = LabelSettings()
DEFAULT_SPLITS = SplitSettings()


@dataclass(frozen=True, kw_only=True)
class FeatureSetRef:
    """Features of every symbol at every session, by content.

    The file is Parquet: `session`, `symbol`, then one float32 column per feature, sorted by session
    and then in the order of `symbols`; null where a feature is not known.

    Attributes:
        names: Features in the order of the columns.
        families: Of each feature.
        definition: Digest of what was declared: names and formulas, whatever the data.
        data_fingerprint: Of the bars.
        fingerprint: Digest of definition and data.
        left_out: Declared features that these bars cannot give, each with the reason.
        checksum: Digest of the file's bytes, proven on every read.
        path: Where the file is on this machine; not part of the content.
    """

    names: tuple[str, ...]
    families: tuple[FeatureFamily, ...]
    symbols: tuple[str, ...]
    first_session: dt.date
    last_session: dt.date
    rows: int
    definition: str
    data_fingerprint: str
    fingerprint: str
    left_out: tuple[tuple[str, str], ...] = ()
    checksum: str
    path: str = field(metadata=LOCATION)

    def is_intact(self) -> bool:
        """Tell whether the file is still exactly the one referred to."""
        file = Path(self.path)
        return file.is_file() and bytes_digest(file.read_bytes()) == self.checksum


@dataclass(frozen=True, kw_only=True, eq=False)
class Fold:
    """A test block with the sessions a model may be trained on before it is tested there.

    Attributes:
        number: From 1.
        train: Positions of sessions, rising.
        test: Positions of sessions, rising.
        purged: Sessions that were left out of `train` because their labels reach into `test`.
        embargoed: Sessions that were left out beside it.
    """

    number: int
    train: npt.NDArray[np.int64]
    test: npt.NDArray[np.int64]
    purged: int
    embargoed: int


@dataclass(frozen=True, kw_only=True, eq=False)
class OutOfSampleScores:
    """What models said at sessions they had not been trained on, and what came of it.

    Attributes:
        kind: Of the models.
        symbols: N names.
        sessions: S sessions, rising.
        scores: S x N, higher is better; NaN where a symbol was not scored.
        labels: S x N in [-0.5, 0.5], by default ranks of the returns that followed; NaN where not
            yet known.
        forward_returns: S x N simple returns over the label's interval.
        volatilities: S x N deviations of a return over the horizon, known at the session.
        folds: S numbers of the folds.
    """

    kind: ModelKind
    symbols: tuple[str, ...]
    sessions: tuple[dt.date, ...]
    scores: npt.NDArray[np.float64]
    labels: npt.NDArray[np.float64]
    forward_returns: npt.NDArray[np.float64]
    volatilities: npt.NDArray[np.float64]
    folds: npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Skill:
    """How good out-of-sample scores were; NaN where a figure is undefined.

    Attributes:
        sessions: With at least two scored symbols and known labels.
        information_coefficient: Mean over sessions of the rank correlation of score and label.
        icir: That mean over its deviation, annualized and corrected for overlapping labels.
        t_statistic: Of the mean, with Newey-West errors over the horizon.
        auc: Of score against "above the median of its session".
        hit_rate: Share of positions that earned.
        gross_sharpe_ratio: Annualized, of the long-short portfolio before costs.
        net_sharpe_ratio: After costs.
        annual_turnover: One-way, fraction of equity.
        suspicions: Why the figures are too good to be believed; empty where they are not.
    """

    sessions: int
    information_coefficient: float
    icir: float
    t_statistic: float
    auc: float
    hit_rate: float
    gross_sharpe_ratio: float
    net_sharpe_ratio: float
    annual_turnover: float
    suspicions: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FoldSkill:
    """How good the scores of one fold were, and on how much they stand."""

    number: int
    first_session: dt.date
    last_session: dt.date
    train_rows: int
    test_rows: int
    purged_sessions: int
    skill: Skill


@dataclass(frozen=True, kw_only=True)
class Canary:
    """A test of the training itself: something that must not be found, or must be.

    Attributes:
        name: Short name.
        question: What it asks.
        found: The statistic.
        allowed: What it may be, in words.
        is_singing: Whether it gives alarm.
        detail: What was done.
    """

    name: str
    question: str
    found: float
    allowed: str
    is_singing: bool
    detail: str
