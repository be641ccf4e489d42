"""Reasons to say nothing: a model is asked about what it was trained on, while it is fresh.

Each reason is one line that says what was found and what is allowed. None of them is an error: the
answer to all is that nothing is predicted, so that nothing is traded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from slices.domain.calendar import missed_sessions
from slices.domain.errors import listed
from slices.domain.models import LoadedModel, ModelRefusal

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from slices.domain.dataset import DatasetRef
    from slices.domain.forecasts import ServingLimits
    from slices.domain.learning import FeatureSetRef
    from slices.domain.models import ModelBundle
    from slices.ml_strategy.examples import FeatureMatrix

REGISTERED = "a registered version that is not retired, with the files it was registered with"
TRADED_KIND = "rank"
MOSTLY = 0.5
"""Share of a feature's values that is most of them."""


def model_refusals(
    model: LoadedModel | ModelRefusal | None, features: FeatureSetRef | None, bars: DatasetRef
) -> tuple[str, ...]:
    """Say why a model is not to be asked about these features at all; empty where it is.

    Args:
        model: What was loaded, or why it was not.
        features: Of the bars.
        bars: What is to be predicted on.
    """
    if model is None:
        return ("no model: found none; allowed: a registered champion",)
    if isinstance(model, ModelRefusal):
        known = "" if model.model in model.reason else f"model '{model.model}': "
        return (f"{known}{model.reason}; allowed: {REGISTERED}",)
    if features is None:
        return ("no features: found none; allowed: those it was trained on",)
    retired = model.version.retired
    reasons = [f"{model.version} is retired: {retired}; allowed: a version that is not"]
    found = [
        *(reasons if retired else ()),
        *_other_label(model.bundle),
        *_other_bars(model.bundle, bars),
        *_other_features(model.bundle, features),
    ]
    if features.data_fingerprint != bars.fingerprint:
        found.append(
            f"features of other bars: found {features.data_fingerprint[:12]}; "
            f"allowed: {bars.fingerprint[:12]}"
        )
    return tuple(found)


def _other_label(bundle: ModelBundle) -> Iterator[str]:
    """Say what is not traded: outcomes are written down as returns over the whole horizon."""
    kind = bundle.label.kind
    if kind != TRADED_KIND:
        yield f"its labels cannot be traded: found kind {kind}; allowed: {TRADED_KIND}"


def differing_bars(bundle: ModelBundle, bars: DatasetRef) -> tuple[tuple[str, str, str], ...]:
    """List in what bars are not of the kind a model was trained on, whatever their symbols.

    Returns:
        Name, what was found and what is allowed, of source, feed and adjustment where they differ.
    """
    compared = (
        ("source", bars.source, bundle.source),
        ("feed", bars.feed, bundle.feed),
        ("adjustment", str(bars.adjustment), str(bundle.adjustment)),
    )
    return tuple(each for each in compared if each[1] != each[2])


def _other_bars(bundle: ModelBundle, bars: DatasetRef) -> Iterator[str]:
    for name, found, allowed in differing_bars(bundle, bars):
        yield f"another {name} than in training: found {found}; allowed: {allowed}"
    missing = tuple(each for each in bundle.symbols if each not in bars.symbols)
    strange = tuple(each for each in bars.symbols if each not in bundle.symbols)
    if missing or strange:
        parts = [f"without {listed(missing)}"] if missing else []
        parts += [f"with {listed(strange)}"] if strange else []
        yield (
            f"another universe than in training: found {' and '.join(parts)}; "
            f"allowed: the {len(bundle.symbols)} symbols it was trained on"
        )


def _other_features(bundle: ModelBundle, features: FeatureSetRef) -> Iterator[str]:
    wanted = bundle.predictor.names
    missing = tuple(each for each in wanted if each not in features.names)
    strange = tuple(each for each in features.names if each not in wanted)
    if missing:
        yield f"features are missing: found none of {listed(missing)}; allowed: all {len(wanted)}"
    if strange and not missing:
        yield f"features it was not trained on: found {listed(strange)}; allowed: none"
    if not missing and not strange and features.names != wanted:
        place = next(i for i, each in enumerate(wanted) if features.names[i] != each)
        yield (
            f"features in another order: found {features.names[place]} at {place + 1}; "
            f"allowed: {wanted[place]}"
        )
    elif not missing and not strange and features.definition != bundle.definition:
        yield (
            f"features are defined otherwise than in training: found {features.definition[:12]}; "
            f"allowed: {bundle.definition[:12]}"
        )


def type_refusals(rows: pl.DataFrame, names: tuple[str, ...]) -> tuple[str, ...]:
    """Say which columns do not hold what features are stored as; empty where all do."""
    absent = tuple(each for each in names if each not in rows.columns)
    if absent:
        return (f"columns are missing: found none of {listed(absent)}; allowed: all",)
    other = tuple(
        f"{each} {rows.schema[each]}" for each in names if rows.schema[each] != pl.Float32
    )
    return (f"columns of another type: found {listed(other)}; allowed: Float32",) if other else ()


def session_refusals(
    bundle: ModelBundle, session: dt.date, *, calendar: str, limits: ServingLimits
) -> tuple[str, ...]:
    """Say why a model is not to be asked at a session; empty where it is.

    Args:
        bundle: The model.
        session: At whose close it would be asked.
        calendar: Of the exchange.
        limits: How old it may be.
    """
    if session < bundle.known_until:
        return (
            f"the training knew what came after: found {session}; "
            f"allowed: {bundle.known_until} or later",
        )
    age = missed_sessions(bundle.known_until, session, calendar=calendar)
    if age > limits.most_age_sessions:
        return (
            f"the model is stale: found {age} sessions since {bundle.known_until}, the last its "
            f"training knew; allowed: {limits.most_age_sessions}",
        )
    return ()


def value_refusals(
    bundle: ModelBundle, values: FeatureMatrix, *, limits: ServingLimits
) -> tuple[str, ...]:
    """Say why the values of a session are not to be believed; empty where they are.

    Args:
        bundle: The model, with the shares of unknown values in training.
        values: N x F, a row for every symbol of the universe, NaN where not known.
        limits: How much larger the share of unknown values may be.
    """
    names = np.array(bundle.predictor.names)
    infinite = tuple(names[np.isinf(values).any(axis=0)].tolist())
    if infinite:
        return (f"infinite values: found in {listed(infinite)}; allowed: none",)
    unknown = np.isnan(values).mean(axis=0)
    usual, share = float(bundle.unknown_shares.mean()), float(unknown.mean())
    allowed = usual + limits.most_unknown_share
    if share > allowed:
        return (f"unknown feature values: found {share:.1%}; allowed: {allowed:.1%}",)
    gone = (unknown > MOSTLY) & (bundle.unknown_shares + limits.most_unknown_share <= MOSTLY)
    if gone.any():
        lost = listed(tuple(names[gone].tolist()))
        return (f"features are unknown for most symbols: found {lost}; allowed: none",)
    return ()
