"""Serving: what a model says at the close of a session, or why it says nothing."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from slices.domain.calendar import sessions_between
from slices.domain.errors import IntegrityError, MissingColumnsError, ParameterError
from slices.domain.forecasts import DEFAULT_SERVING, Forecast, Forecasts
from slices.domain.learning import DEFAULT_LABEL
from slices.domain.models import LoadedModel, ModelBundle, ModelRefusal
from slices.domain.parameters import DEFAULT_COSTS
from slices.ml_strategy.examples import FeatureMatrix
from slices.ml_strategy.features.building import build_features, read_features
from slices.ml_strategy.fitting.models import scores_of
from slices.ml_strategy.labels.volatility import horizon_volatility
from slices.ml_strategy.predicting.calibration import interval, probabilities, quantile
from slices.ml_strategy.predicting.refusing import (
    model_refusals,
    session_refusals,
    type_refusals,
    value_refusals,
)
from slices.ml_strategy.predicting.scaling import round_trips, standardised
from slices.quant.panel import read_panel
from slices.quant.types import FloatArray

if TYPE_CHECKING:
    from slices.domain.dataset import DatasetRef
    from slices.domain.forecasts import ServingLimits
    from slices.domain.learning import FeatureSetRef, LabelSettings
    from slices.domain.parameters import Costs

Asked = LoadedModel | ModelRefusal | None
"""A model, or why there is none to ask."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Live:
    """Features of T sessions, T x N x F; volatilities and closes, T x N; NaN where not known."""

    places: dict[dt.date, int]
    symbols: tuple[str, ...]
    values: FeatureMatrix
    volatilities: FloatArray
    closes: FloatArray


def live_features(bars: DatasetRef, names: tuple[str, ...] | None) -> FeatureSetRef | None:
    """Build the features a model is asked with.

    Args:
        bars: The newest bars.
        names: Of its features; None where there is no model to ask.

    Returns:
        Everything these bars can give where some of the names cannot be had, so that the model is
        refused by what is missing; None where there is no model.
    """
    if names is None:
        return None
    try:
        return build_features(bars, names=names)
    except (MissingColumnsError, ParameterError):
        return build_features(bars)


def predict(
    model: Asked,
    features: FeatureSetRef | None,
    bars: DatasetRef,
    *,
    session: dt.date | None = None,
    limits: ServingLimits = DEFAULT_SERVING,
    costs: Costs = DEFAULT_COSTS,
) -> Forecasts:
    """Ask a model at the close of one session.

    Args:
        model: A registered version, or why there is none.
        features: Of the bars.
        bars: Up to the session at least.
        session: None takes the last of the bars.
        limits: Beyond which the model says nothing.
        costs: Of trading; a round trip is what an interval is compared with.

    Returns:
        A forecast for every symbol that could be scored; none, with the reasons, where the model is
        not to be asked. Nothing is raised for that.
    """
    (found,) = predict_many(
        model, features, bars, sessions=(session or bars.last_session,), limits=limits, costs=costs
    )
    return found


def predict_latest(
    model: Asked,
    features: FeatureSetRef | None,
    bars: DatasetRef,
    *,
    as_of: dt.date | None = None,
    limits: ServingLimits = DEFAULT_SERVING,
    costs: Costs = DEFAULT_COSTS,
) -> tuple[Forecasts, ...]:
    """Ask a model at a session and at those before it whose predictions have not matured.

    Returns:
        The oldest first, the session itself last: as many as the horizon has sessions, or fewer
        where the bars begin later. See `predict`.
    """
    horizon = _label(model).horizon_sessions
    known = [each for each in read_panel(bars).sessions if as_of is None or each <= as_of]
    asked = tuple(known[-horizon:]) or (as_of or bars.last_session,)
    return predict_many(model, features, bars, sessions=asked, limits=limits, costs=costs)


def predict_many(
    model: Asked,
    features: FeatureSetRef | None,
    bars: DatasetRef,
    *,
    sessions: tuple[dt.date, ...],
    limits: ServingLimits = DEFAULT_SERVING,
    costs: Costs = DEFAULT_COSTS,
) -> tuple[Forecasts, ...]:
    """Ask a model at each of some sessions; see `predict`."""
    blank = [_blank(model, features, bars, each, costs=costs) for each in sessions]
    refusals = model_refusals(model, features, bars)
    if refusals or features is None or not isinstance(model, LoadedModel):
        return tuple(_refused(each, refusals) for each in blank)
    try:
        rows = read_features(features)
    except IntegrityError as problem:
        return tuple(_refused(each, (str(problem),)) for each in blank)
    refusals = type_refusals(rows, model.bundle.predictor.names)
    if refusals:
        return tuple(_refused(each, refusals) for each in blank)
    live = _live(rows, bars, model.bundle, sessions)
    return tuple(
        _said(model.bundle, live, each, bars.calendar, limits=limits, costs=costs) for each in blank
    )


def maturity(session: dt.date, label: LabelSettings, *, calendar: str) -> dt.date:
    """Return the session at whose close it is known what came of a prediction.

    >>> from slices.domain.learning import LabelSettings
    >>> maturity(dt.date(2024, 3, 27), LabelSettings(horizon_sessions=5), calendar="XNYS")
    datetime.date(2024, 4, 5)
    """
    first = session + dt.timedelta(days=1)
    last = first + dt.timedelta(days=2 * label.reach + 14)
    return sessions_between(first, last, calendar=calendar)[label.reach - 1]


def _label(model: Asked) -> LabelSettings:
    return model.bundle.label if isinstance(model, LoadedModel) else DEFAULT_LABEL


def _blank(
    model: Asked,
    features: FeatureSetRef | None,
    bars: DatasetRef,
    session: dt.date,
    *,
    costs: Costs,
) -> Forecasts:
    known = min(session, bars.last_session)  # of what lies ahead of the bars nothing matures
    return Forecasts(
        model=model.version if isinstance(model, LoadedModel) else None,
        session=session,
        matures=maturity(known, _label(model), calendar=bars.calendar),
        forecasts=(),
        costs=2.0 * costs.rate,
        definition="" if features is None else features.definition,
        data_fingerprint=bars.fingerprint,
    )


def _refused(blank: Forecasts, refusals: tuple[str, ...]) -> Forecasts:
    return replace(blank, refusals=refusals)


def _live(
    rows: pl.DataFrame, bars: DatasetRef, bundle: ModelBundle, sessions: tuple[dt.date, ...]
) -> _Live:
    """Set the features of the sessions that are asked about out by session and symbol."""
    panel, names = read_panel(bars), bundle.predictor.names
    row = {each: place for place, each in enumerate(panel.sessions)}
    places = {each: place for place, each in enumerate(sessions) if each in row}
    columns = {each: place for place, each in enumerate(bundle.symbols)}
    asked = rows.filter(pl.col("session").is_in(list(places)))
    values = np.full((len(sessions), len(columns), len(names)), np.nan, dtype=np.float32)
    at = asked["session"].replace_strict(places, return_dtype=pl.Int64).to_numpy().astype(np.int64)
    of = asked["symbol"].replace_strict(columns, return_dtype=pl.Int64).to_numpy().astype(np.int64)
    values[at, of] = asked.select(pl.col(names).fill_null(float("nan"))).to_numpy()
    usual = horizon_volatility(panel.close, horizon=bundle.label.horizon_sessions)
    order = [panel.symbols.index(each) for each in bundle.symbols]
    volatilities, closes = (np.full(values.shape[:2], np.nan) for _ in range(2))
    for session, place in places.items():
        volatilities[place] = usual[row[session], order]
        closes[place] = panel.close[row[session], order]
    return _Live(
        places=places,
        symbols=bundle.symbols,
        values=values,
        volatilities=volatilities,
        closes=closes,
    )


def _said(
    bundle: ModelBundle,
    live: _Live,
    blank: Forecasts,
    calendar: str,
    *,
    limits: ServingLimits,
    costs: Costs,
) -> Forecasts:
    place = live.places.get(blank.session)
    if place is None:
        problem = f"no bars: found none of {blank.session}; allowed: a session of the bars"
        return _refused(blank, (problem,))
    refusals = session_refusals(bundle, blank.session, calendar=calendar, limits=limits)
    refusals = refusals or value_refusals(bundle, live.values[place], limits=limits)
    if refusals:
        return _refused(blank, refusals)
    found = _forecasts(bundle, live, place, costs, limits)
    if len(found) < 2:
        problem = f"too few symbols could be scored: found {len(found)}; allowed: 2 or more"
        return _refused(blank, (problem,))
    return replace(blank, forecasts=found)


def _forecasts(
    bundle: ModelBundle, live: _Live, place: int, costs: Costs, limits: ServingLimits
) -> tuple[Forecast, ...]:
    scores = scores_of(bundle.predictor, live.values[place], bundle.predictor.names)
    volatilities = live.volatilities[place]
    scores = np.where(volatilities > 0, scores, np.nan)
    standard = standardised(scores)
    chances = probabilities(bundle.calibration, standard)
    expected = bundle.calibration.expected_slope * standard * volatilities
    charged = round_trips(costs, live.closes[place])
    return tuple(
        _forecast(
            bundle,
            symbol=live.symbols[i],
            score=float(scores[i]),
            probability=float(chances[i]),
            expected=float(expected[i]),
            volatility=float(volatilities[i]),
            costs=float(charged[i]),
            limits=limits,
        )
        for i in np.flatnonzero(np.isfinite(scores)).tolist()
    )


def _forecast(
    bundle: ModelBundle,
    *,
    symbol: str,
    score: float,
    probability: float,
    expected: float,
    volatility: float,
    costs: float,
    limits: ServingLimits,
) -> Forecast:
    fitted, confidence = bundle.calibration, limits.decision_confidence
    lower, upper = interval(fitted, expected, volatility, limits.interval_level)
    exceeded = expected + quantile(fitted, 1.0 - confidence) * volatility
    stays_below = expected + quantile(fitted, confidence) * volatility
    return Forecast(
        symbol=symbol,
        score=score,
        probability=probability,
        expected_return=expected,
        lower=lower,
        upper=upper,
        decision_lower=exceeded,
        decision_upper=stays_below,
        abstains=not (exceeded > costs or stays_below < -costs),
    )
