"""Feature sets: what was computed from a dataset, stored once by content and proven on reading."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from slices.domain.errors import IntegrityError, ParameterError, listed
from slices.domain.fingerprint import bytes_digest, fingerprint
from slices.domain.learning import FeatureSetRef
from slices.ml_strategy.features.catalogue import (
    FEATURES,
    bar_columns,
    definition_of,
    feature,
    needs_others,
)
from slices.ml_strategy.features.computing import columns_of, feature_frame, features_at
from slices.quant.panel import read_panel
from slices.runtime.atomic import write_whole
from slices.runtime.settings import load_settings

if TYPE_CHECKING:
    from slices.domain.dataset import DatasetRef
    from slices.quant.panel import Panel

__all__ = ["build_available", "build_features", "feature_frame", "features_at", "read_features"]


def build_features(bars: DatasetRef, *, names: tuple[str, ...] | None = None) -> FeatureSetRef:
    """Compute features of every bar and store them.

    Args:
        bars: The symbols.
        names: Features of the catalogue, each once; None takes all that these bars can give and
            says why the others are left out.

    Raises:
        ParameterError: Where a name is not in the catalogue, or there is none, or one twice.
        MissingColumnsError: Where a feature that was asked for needs columns these bars lack.
        IntegrityError: Where the dataset's file is gone or changed.
    """
    if names is None:
        return build_available(bars, tuple(each.name for each in FEATURES))
    return _stored(bars, read_panel(bars), _checked(names), left_out=())


def build_available(bars: DatasetRef, candidates: tuple[str, ...]) -> FeatureSetRef:
    """Build those of some features that bars can give, and say why the others are left out.

    Args:
        bars: The symbols.
        candidates: Features of the catalogue, each once.

    Raises:
        ParameterError: Where a feature is not in the catalogue.
        IntegrityError: Where the dataset's file is gone or changed.
    """
    panel = read_panel(bars)
    obstacles = ((name, _obstacle(panel, name)) for name in candidates)
    left_out = tuple((name, reason) for name, reason in obstacles if reason)
    without = {name for name, _ in left_out}
    names = tuple(name for name in candidates if name not in without)
    return _stored(bars, panel, names, left_out=left_out)


def _stored(
    bars: DatasetRef,
    panel: Panel,
    chosen: tuple[str, ...],
    *,
    left_out: tuple[tuple[str, str], ...],
) -> FeatureSetRef:
    rows = feature_frame(panel, chosen).with_columns(pl.col(chosen).cast(pl.Float32))
    definition = definition_of(chosen)
    digest = fingerprint(definition, bars.fingerprint)
    content = _parquet(rows)
    file = load_settings().features_folder / f"{digest}.parquet"
    if not (file.is_file() and file.read_bytes() == content):
        write_whole(file, content)
    return FeatureSetRef(
        names=chosen,
        families=tuple(feature(name).family for name in chosen),
        symbols=panel.symbols,
        first_session=panel.sessions[0],
        last_session=panel.sessions[-1],
        rows=rows.height,
        definition=definition,
        data_fingerprint=bars.fingerprint,
        fingerprint=digest,
        left_out=left_out,
        checksum=bytes_digest(content),
        path=str(file),
    )


def read_features(ref: FeatureSetRef) -> pl.DataFrame:
    """Read the features a reference stands for.

    Returns:
        Columns `session`, `symbol`, then one float32 column per feature in the order of
        `ref.names`, sorted by session and within it in the order of `ref.symbols`; null where a
        feature is not known.

    Raises:
        IntegrityError: Where the file is gone or not the one referred to.
    """
    file = Path(ref.path)
    if not file.is_file():
        raise IntegrityError(path=ref.path, problem="the feature file is gone; build it again")
    content = file.read_bytes()
    if bytes_digest(content) != ref.checksum:
        raise IntegrityError(path=ref.path, problem="the feature file has changed since written")
    rows = pl.read_parquet(content)
    if tuple(rows.columns) != ("session", "symbol", *ref.names):
        raise IntegrityError(path=ref.path, problem="the file holds other features")
    return rows


def _checked(names: tuple[str, ...]) -> tuple[str, ...]:
    twice = tuple(sorted({name for name in names if names.count(name) > 1}))
    if twice or not names:
        found = f"{listed(twice)} more than once" if twice else "none"
        raise ParameterError(parameter="features", found=found, allowed="each name once")
    return names


def _obstacle(panel: Panel, name: str) -> str:
    """Say why bars cannot give a feature; empty where they can."""
    needed = feature(name)
    missing = [c for c in bar_columns(needed.need) if c not in columns_of(panel)]
    if missing:
        return f"needs {', '.join(missing)}"
    if len(panel.symbols) < 2 and needs_others(name):
        return "needs at least two symbols"
    if len(panel.sessions) < needed.lookback_sessions:
        return f"needs {needed.lookback_sessions} sessions, found {len(panel.sessions)}"
    return ""


def _parquet(rows: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    rows.rechunk().write_parquet(out, compression="zstd", statistics=False)
    return out.getvalue()
