"""Examples: features of a session joined with what became of the symbol."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from slices.domain.errors import BadDataError, listed
from slices.domain.learning import DEFAULT_LABEL
from slices.ml_strategy.examples import Examples, FeatureMatrix
from slices.ml_strategy.labels.kinds import outcomes_of
from slices.ml_strategy.labels.uniqueness import example_weights
from slices.ml_strategy.labels.volatility import horizon_volatility
from slices.quant.panel import read_panel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slices.domain.dataset import DatasetRef
    from slices.domain.learning import FeatureSetRef, LabelSettings
    from slices.quant.panel import Panel
    from slices.quant.types import IntArray

KEYS = ("session", "symbol")


def examples_of(
    bars: DatasetRef, features: FeatureSetRef, label: LabelSettings = DEFAULT_LABEL
) -> Examples:
    """Join stored features with the labels of the bars they were built from.

    Raises:
        BadDataError: Where the features were built from other bars.
        IntegrityError: Where a file is gone or not the one referred to.
    """
    from slices.ml_strategy.features.building import read_features

    if features.data_fingerprint != bars.fingerprint:
        raise BadDataError(
            dataset="features",
            problem=f"built from bars {features.data_fingerprint}, needed {bars.fingerprint}",
        )
    return examples_from(read_panel(bars), read_features(features), label)


def examples_from(
    panel: Panel, features: pl.DataFrame, label: LabelSettings = DEFAULT_LABEL
) -> Examples:
    """Join features with the labels of the panel they were built from.

    Args:
        panel: T sessions x N symbols.
        features: `session`, `symbol` and one column per feature; null or NaN where not known.
        label: What is predicted.

    Returns:
        An example for each row of features whose symbol has a bar at the session, whatever the
        order of the rows.

    Raises:
        BadDataError: Where a session or symbol is not in the panel, or a row is there twice.
    """
    names = tuple(name for name in features.columns if name not in KEYS)
    row, column = _places(panel, features)
    order = np.lexsort((column, row))
    order = order[np.isfinite(panel.close[row[order], column[order]])]
    row, column = row[order], column[order]
    present = np.zeros(panel.close.shape, dtype=np.bool_)
    present[row, column] = True
    found = outcomes_of(panel, label, present)
    labels, first = found.labels[row, column], row + label.entry_lag_sessions
    volatility = horizon_volatility(panel.close, horizon=label.horizon_sessions)
    return Examples(
        names=names,
        symbols=panel.symbols,
        sessions=panel.sessions,
        row=row,
        column=column,
        features=_matrix(features, names)[order],
        label=labels,
        forward_return=found.returns[row, column],
        first=first,
        last=found.known[row, column],
        weight=example_weights(column, first, found.exits[row, column], np.isfinite(labels)),
        volatility=volatility[row, column],
    )


def _matrix(features: pl.DataFrame, names: tuple[str, ...]) -> FeatureMatrix:
    wide = features.select(pl.col(names).cast(pl.Float32).fill_null(float("nan")))
    return np.ascontiguousarray(wide.to_numpy(), dtype=np.float32)


def _places(panel: Panel, features: pl.DataFrame) -> tuple[IntArray, IntArray]:
    """Return the positions of each row's session and symbol."""
    rows = _positions(features["session"], panel.sessions, "sessions")
    columns = _positions(features["symbol"], panel.symbols, "symbols")
    if np.unique(rows * len(panel.symbols) + columns).size < rows.size:
        raise BadDataError(dataset="features", problem="a symbol is there twice in one session")
    return rows, columns


def _positions(values: pl.Series, known: Sequence[object], what: str) -> IntArray:
    places = {each: place for place, each in enumerate(known)}
    distinct = values.unique()
    strange = [each for each in distinct.to_list() if each not in places]
    if strange:
        names = listed(tuple(str(each) for each in sorted(strange)), most=3)
        raise BadDataError(dataset="features", problem=f"{what} that no bar has: {names}")
    positions = values.replace_strict(places, return_dtype=pl.Int64)
    return np.asarray(positions.to_numpy(), dtype=np.int64)
