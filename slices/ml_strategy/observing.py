"""Registered models that trade or might: how old they are, and whether they were right."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.calendar import last_completed_session, missed_sessions
from slices.domain.fingerprint import fingerprint
from slices.domain.forecasts import DEFAULT_SERVING
from slices.domain.observations import ModelFacts
from slices.ledger.existing import existing_ledgers
from slices.ledger.predictions import read_predictions
from slices.ml_strategy.registry.loading import load_version
from slices.ml_strategy.skill.coefficients import rank_correlations
from slices.runtime import registry
from slices.runtime.atomic import read_whole, write_whole
from slices.runtime.mlflow_store import SQLITE, answered, tracking_url
from slices.runtime.settings import load_settings

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Sequence

    from slices.domain.forecasts import PredictionRecord
    from slices.domain.model_monitoring import DriftWatch
    from slices.domain.models import ModelBundle, ModelVersion
    from slices.domain.observations import FeedFacts

FOLLOWED = ("champion", "challenger")
FEWEST_SESSIONS = 20


def model_facts(*, at: dt.datetime, feeds: Sequence[FeedFacts] = ()) -> tuple[ModelFacts, ...]:
    """Look at every champion and challenger, and at the newest of each model without either.

    Where nobody ever registered a model, nothing is opened and nothing imported.

    Args:
        at: Now (UTC).
        feeds: What the store holds: a model whose feed is there ages by what its feed has, any
            other by the calendar.

    Raises:
        SettingsError: The registry cannot be reached, or refuses an answer.
        IntegrityError: A model is not what was registered.
        LedgerError: The books cannot be read.
    """
    if not has_registry():
        return ()
    return answered(
        lambda: tuple(
            _facts(version, alias, at=at, feeds=feeds)
            for name in registry.names()
            for version, alias in _followed(name)
        )
    )


def has_registry() -> bool:
    """Tell whether there may be registered models, without making a place for them."""
    url = tracking_url()
    return not url.startswith(SQLITE) or Path(url.removeprefix(SQLITE)).exists()


def _followed(name: str) -> Iterator[tuple[ModelVersion, str]]:
    versions = registry.versions(name)
    found = [(each, alias) for alias in FOLLOWED for each in versions if alias in each.aliases]
    yield from found or [(each, "") for each in versions[-1:]]


def _facts(
    version: ModelVersion, alias: str, *, at: dt.datetime, feeds: Sequence[FeedFacts]
) -> ModelFacts:
    bundle = _bundle(version)
    records = _records(version)
    matured = [each for each in records if math.isfinite(each.outcome)]
    return ModelFacts(
        model=version.name,
        version=version.version,
        alias=alias,
        kind=bundle.predictor.kind.value,
        trained_to=bundle.known_until,
        age_sessions=missed_sessions(bundle.known_until, _newest_session(bundle, feeds, at)),
        expected_ic=bundle.skill.information_coefficient,
        live_ic=live_ic(matured),
        matured=len(matured),
        pending=len(records) - len(matured),
        coverage=coverage(matured),
        nominal_coverage=DEFAULT_SERVING.interval_level,
        drifted=drifted_share(version),
        page=version.url,
    )


@lru_cache(maxsize=64)
def _bundle(version: ModelVersion) -> ModelBundle:
    return load_version(version).bundle


def _newest_session(bundle: ModelBundle, feeds: Iterable[FeedFacts], at: dt.datetime) -> dt.date:
    own = (each for each in feeds if (each.source, each.feed) == (bundle.source, bundle.feed))
    return next((each.last_session for each in own), last_completed_session(at))


def _records(version: ModelVersion) -> tuple[PredictionRecord, ...]:
    """List what the books of either mode have of a version, each prediction once."""
    name, number = version.name, version.version
    with existing_ledgers() as ledgers:
        found = {
            (each.session, each.symbol): each
            for ledger in ledgers
            for each in read_predictions(ledger, model=name, version=number)
        }
    return tuple(found.values())


def live_ic(matured: Sequence[PredictionRecord]) -> float:
    """Average the rank correlation of score and outcome over sessions; NaN below twenty of them.

    Args:
        matured: Predictions whose outcome is known.
    """
    rows = {each: row for row, each in enumerate(sorted({each.session for each in matured}))}
    columns = {each: at for at, each in enumerate(sorted({each.symbol for each in matured}))}
    scores = np.full((2, len(rows), len(columns)), np.nan)
    for each in matured:
        scores[:, rows[each.session], columns[each.symbol]] = each.score, each.label
    found = rank_correlations(scores[0], scores[1])
    known = found[np.isfinite(found)]
    return float(known.mean()) if known.size >= FEWEST_SESSIONS else math.nan


def coverage(matured: Sequence[PredictionRecord]) -> float:
    """Return the share of outcomes inside their interval; NaN without outcomes."""
    if not matured:
        return math.nan
    return sum(each.lower <= each.outcome <= each.upper for each in matured) / len(matured)


def keep_look(version: ModelVersion, drift: DriftWatch) -> None:
    """Keep which share of a version's features lay beyond their limit at this look.

    Raises:
        StorageError: The disk refuses.
    """
    share = drift.beyond / len(drift.features) if drift.features else math.nan
    write_whole(_look_file(version), f"{share!r} {drift.session}\n".encode())


def drifted_share(version: ModelVersion) -> float:
    """Return the share of features beyond their limit at the last look; NaN where nobody looked."""
    file = _look_file(version)
    return float(read_whole(file).split()[0]) if file.exists() else math.nan


def _look_file(version: ModelVersion) -> Path:
    name = fingerprint(version.name, version.version)
    return load_settings().mlflow_folder / "watched" / name
