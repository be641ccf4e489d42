"""Examples: what was known of a symbol at a session, beside what became of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from slices.quant.types import BoolArray, FloatArray, IntArray

FeatureMatrix = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class Examples:
    """R examples, sorted by session and within it by symbol.

    Attributes:
        names: F features.
        symbols: N names.
        sessions: T sessions of the bars; positions below are positions in it.
        row: R positions of the session a decision is made at.
        column: R positions of the symbol.
        features: R x F, NaN where a feature is not known.
        label: R labels in [-0.5, 0.5], by default ranks within the session of the return that
            follows (see `LabelSettings`); NaN where it is not known yet, or fewer than two symbols
            have one.
        forward_return: R simple returns from entry to exit; NaN where not known.
        first: R positions of the entry, whose close begins the label's interval.
        last: R positions at whose close the label is known, at most the label's reach after the
            session; may lie beyond T - 1.
        weight: R uniqueness weights with mean 1 over known labels.
        volatility: R deviations of a return over the horizon, known at the session; NaN early on.
    """

    names: tuple[str, ...]
    symbols: tuple[str, ...]
    sessions: tuple[dt.date, ...]
    row: IntArray
    column: IntArray
    features: FeatureMatrix
    label: FloatArray
    forward_return: FloatArray
    first: IntArray
    last: IntArray
    weight: FloatArray
    volatility: FloatArray

    @property
    def is_known(self) -> BoolArray:
        """R marks of examples whose label is known."""
        return np.isfinite(self.label)

    def rows_at(self, sessions: IntArray) -> IntArray:
        """Return the positions of the examples at some sessions, in order.

        Args:
            sessions: Positions of sessions.
        """
        marks = np.zeros(len(self.sessions), dtype=np.bool_)
        marks[sessions] = True
        return np.flatnonzero(marks[self.row])

    def chosen(self, places: IntArray | BoolArray) -> Examples:
        """Return some of the examples."""
        return replace(
            self,
            row=self.row[places],
            column=self.column[places],
            features=self.features[places],
            label=self.label[places],
            forward_return=self.forward_return[places],
            first=self.first[places],
            last=self.last[places],
            weight=self.weight[places],
            volatility=self.volatility[places],
        )

    def matrix(self, values: FloatArray) -> FloatArray:
        """Set R values out as T x N, NaN where there is no example."""
        wide = np.full((len(self.sessions), len(self.symbols)), np.nan)
        wide[self.row, self.column] = values
        return wide
