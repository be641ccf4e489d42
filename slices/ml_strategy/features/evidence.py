"""What each feature tells alone: its rank correlation with the label, for how long, how calmly."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from slices.domain.errors import InsufficientHistoryError
from slices.domain.feature_evidence import (
    DECAY_HORIZONS,
    FeatureEvidence,
    FeatureSkill,
    FeatureStudy,
)
from slices.domain.learning import LabelSettings
from slices.ml_strategy.features.building import read_features
from slices.ml_strategy.features.catalogue import feature, is_shared
from slices.ml_strategy.features.redundancy import Redundancy
from slices.ml_strategy.labels.ranks import forward_returns, session_ranks
from slices.ml_strategy.skill.coefficients import (
    long_run_deviation,
    newey_west_t,
    rank_correlations,
)
from slices.quant.panel import read_panel
from slices.quant.types import BoolArray, FloatArray

if TYPE_CHECKING:
    from slices.domain.dataset import DatasetRef
    from slices.domain.learning import FeatureSetRef
    from slices.quant.panel import Panel
    from slices.quant.types import IntArray

FEWEST_SESSIONS = 60
"""Sessions on either side of the end of the selection; with fewer nothing could be said."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Ranked:
    """Values of T sessions x N symbols beside their ranks within the session."""

    values: FloatArray
    ranks: FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Study:
    """What every feature is asked against.

    Attributes:
        label: What is predicted.
        outcome: Returns over the label's interval.
        horizons: Returns over each of `DECAY_HORIZONS`.
        is_bar: T x N marks of bars.
        stop: Number of sessions that belong to the selection, its labels included.
        periods_per_year: Sessions in a year.
    """

    label: LabelSettings
    outcome: Ranked
    horizons: tuple[Ranked, ...]
    is_bar: BoolArray
    stop: int
    periods_per_year: int

    @property
    def chosen(self) -> slice:
        """Sessions whose labels end before the selection does."""
        return slice(0, self.stop - self.label.reach)

    @property
    def later(self) -> slice:
        """Sessions after the selection."""
        return slice(self.stop, None)


def feature_evidence(
    bars: DatasetRef,
    groups: tuple[FeatureSetRef, ...],
    *,
    label: LabelSettings,
    selection_fraction: float,
) -> FeatureStudy:
    """Ask every feature what it tells, and every pair whether they say the same.

    Args:
        bars: That the features were built from.
        groups: Feature sets of these bars.
        label: What is predicted.
        selection_fraction: Share of the sessions, from the first on, to select features on.

    Raises:
        InsufficientHistoryError: Where fewer than 60 sessions would be left on either side.
        IntegrityError: Where a file is gone or not the one referred to.
    """
    panel = read_panel(bars)
    asked = _asked(panel, label, selection_fraction)
    redundancy = Redundancy(sessions=asked.stop, symbols=len(panel.symbols))
    found = []
    for group in groups:
        rows = read_features(group)
        places = _places(panel, rows)
        for name in group.names:
            values = np.full(panel.close.shape, np.nan)
            values.ravel()[places] = rows[name].fill_null(math.nan).to_numpy()
            ranked = Ranked(values=values, ranks=session_ranks(values))
            redundancy.add(name, ranked.values, ranked.ranks)
            found.append(_evidence(name, ranked, asked))
    dates, stop = panel.sessions, asked.stop
    return FeatureStudy(
        features=tuple(found),
        redundancy=redundancy.matrix(),
        label=label,
        selection=(dates[0], dates[stop - 1]),
        later=(dates[stop], dates[-1]),
        left_out=tuple(each for group in groups for each in group.left_out),
    )


def _asked(panel: Panel, label: LabelSettings, fraction: float) -> Study:
    count = len(panel.sessions)
    stop = int(count * fraction)
    needed = FEWEST_SESSIONS + label.reach
    if min(stop, count - stop) < needed:
        smaller = min(fraction, 1 - fraction)
        raise InsufficientHistoryError(
            symbol="selection of features", needed=math.ceil(needed / smaller), found=count
        )
    lag = label.entry_lag_sessions
    settings = (
        LabelSettings(horizon_sessions=each, entry_lag_sessions=lag) for each in DECAY_HORIZONS
    )
    return Study(
        label=label,
        outcome=_outcome(panel, label),
        horizons=tuple(_outcome(panel, each) for each in settings),
        is_bar=np.isfinite(panel.close),
        stop=stop,
        periods_per_year=panel.periods_per_year,
    )


def _outcome(panel: Panel, label: LabelSettings) -> Ranked:
    returns = forward_returns(panel.close, label)
    return Ranked(values=returns, ranks=session_ranks(returns))


def _places(panel: Panel, rows: pl.DataFrame) -> IntArray:
    """Return where in the flattened T x N matrix each row belongs."""
    sessions = pl.Series(panel.sessions, dtype=pl.Date).search_sorted(rows["session"]).to_numpy()
    columns = {symbol: place for place, symbol in enumerate(panel.symbols)}
    symbols = rows["symbol"].replace_strict(columns, return_dtype=pl.Int64).to_numpy()
    return np.asarray(sessions.astype(np.int64) * len(panel.symbols) + symbols, dtype=np.int64)


def _evidence(name: str, ranked: Ranked, asked: Study) -> FeatureEvidence:
    declared = feature(name)
    coefficients = session_coefficients(ranked, asked.outcome)
    known = np.isfinite(ranked.values)
    return FeatureEvidence(
        name=name,
        family=declared.family,
        title=declared.title,
        formula=declared.formula,
        lookback_sessions=declared.lookback_sessions,
        is_shared=is_shared(name),
        known_share=_share(known, asked.is_bar),
        chosen_known_share=_share(known[: asked.stop], asked.is_bar[: asked.stop]),
        whole=_skill(coefficients, asked),
        chosen=_skill(coefficients[asked.chosen], asked),
        later=_skill(coefficients[asked.later], asked),
        decay=tuple(_mean(session_coefficients(ranked, each)) for each in asked.horizons),
        session_turnover=_turnover(ranked.ranks, 1),
        horizon_turnover=_turnover(ranked.ranks, asked.label.horizon_sessions),
    )


def session_coefficients(one: Ranked, other: Ranked) -> FloatArray:
    """Correlate ranks within each session, among the symbols that have both values.

    Returns:
        T numbers, as `rank_correlations` of the values; ranks are only made anew where the two are
        not known of the same symbols.
    """
    found = _row_correlations(one.ranks, other.ranks)
    first, second = np.isfinite(one.values), np.isfinite(other.values)
    uneven = (first != second).any(axis=1) & first.any(axis=1) & second.any(axis=1)
    found[uneven] = rank_correlations(one.values[uneven], other.values[uneven])
    return found


def _row_correlations(first: FloatArray, second: FloatArray) -> FloatArray:
    one, other = np.nan_to_num(first), np.nan_to_num(second)
    spread = np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1))
    found = np.full(first.shape[0], np.nan)
    np.divide((one * other).sum(axis=1), spread, out=found, where=spread > 0)
    return found


def _skill(coefficients: FloatArray, asked: Study) -> FeatureSkill:
    known = coefficients[np.isfinite(coefficients)]
    lags, mean = asked.label.horizon_sessions, _mean(coefficients)
    deviation = long_run_deviation(known, lags)
    scale = math.sqrt(asked.periods_per_year)
    return FeatureSkill(
        sessions=known.size,
        information_coefficient=mean,
        icir=mean / deviation * scale if deviation > 0 else math.nan,
        t_statistic=newey_west_t(coefficients, lags),
    )


def _turnover(ranks: FloatArray, lag: int) -> float:
    return 1.0 - _mean(_row_correlations(ranks[lag:], ranks[:-lag]))


def _share(known: BoolArray, is_bar: BoolArray) -> float:
    return float(known.sum() / is_bar.sum()) if is_bar.any() else math.nan


def _mean(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else math.nan
