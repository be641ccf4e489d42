"""Features that see the future, found by changing it.

A feature of session t is what was known at its close, so it must be the same on a panel that ends
at t, or that goes on differently. Features are computed again on such panels and every value up to
the cut is compared; what differs is named. Some comparisons are made with bars taken away on both
sides, because what fills holes backwards shows only there.

What this cannot see is a feature that brings its knowledge along instead of taking it from the
panel; see `check_examples` for labels among the features.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from slices.domain.errors import BadDataError, TradingError
from slices.ml_strategy.leaks.finding import FeatureLeak
from slices.quant.panel import Panel
from slices.quant.types import FloatArray
from slices.quant.validity.futures import Future, changed, with_future

if TYPE_CHECKING:
    from collections.abc import Iterator

    from slices.quant.types import BoolArray, IntArray

Build = Callable[[Panel], pl.DataFrame]
"""From a panel to `session`, `symbol` and one column per feature."""

KEYS = ("session", "symbol")
TOLERANCE = 1e-6
"""Of a value, or of the feature's usual size: sums may be taken in another order."""

EARLIEST_CUT = 5
HOLED_CUTS = 3
HOLES = 0.3
FUTURES = (Future.CUT, Future.NOISE, Future.ABSENT)


@dataclass(frozen=True, kw_only=True)
class FeatureProbe:
    """What changing the future has shown.

    Attributes:
        features: That were compared.
        cuts: Sessions after which the bars were changed.
        cells: Known values compared.
        leaks: The first change of each feature that changed; empty where none did.
    """

    features: tuple[str, ...]
    cuts: tuple[dt.date, ...]
    cells: int
    leaks: tuple[FeatureLeak, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Probed:
    """A panel, its features set out as T x N x F, and how features are built."""

    build: Build
    panel: Panel
    names: tuple[str, ...]
    values: FloatArray


def leaking_features(
    build: Build, panel: Panel, *, cuts: int = 6, seed: int = 0
) -> tuple[FeatureLeak, ...]:
    """Find the features whose past changes with the future; see `probe_features`."""
    return probe_features(build, panel, cuts=cuts, seed=seed).leaks


def probe_features(build: Build, panel: Panel, *, cuts: int = 6, seed: int = 0) -> FeatureProbe:
    """Compute features again on panels that end or go on differently after each cut.

    Args:
        build: A `TradingError` it raises on a changed panel means that this future says nothing.
        panel: T sessions x N symbols.
        cuts: Places over the sessions; one more lies at the start, where windows are not full. The
            last but one session is always among them; three places are tried with holes as well.
        seed: Of places, noise and holes.

    Returns:
        A leak for each feature that changed: the earliest change that was found.

    Raises:
        BadDataError: Where the features have another shape than promised, or where no changed panel
            could be computed, so that nothing is known.
    """
    rows = _cut_rows(len(panel.sessions), cuts=cuts, seed=seed)
    plain = probed_features(build, panel)
    compared = [_differences(plain, row, future, seed=seed) for row, future in _plan(rows)] + list(
        _holed(build, panel, rows, seed=seed)
    )
    made = [each for each in compared if each is not None]
    if not made:
        problem = "could not be computed on any panel with another future"
        raise BadDataError(dataset="features", problem=problem)
    first: dict[str, FeatureLeak] = {}
    for leak in sorted((each for one in made for each in one.leaks), key=lambda each: each.session):
        first.setdefault(leak.name, leak)
    return FeatureProbe(
        features=plain.names,
        cuts=tuple(dict.fromkeys(each.cut for each in made)),
        cells=sum(each.cells for each in made),
        leaks=tuple(first[name] for name in plain.names if name in first),
    )


@dataclass(frozen=True, kw_only=True)
class _Compared:
    cut: dt.date
    cells: int
    leaks: tuple[FeatureLeak, ...]


def _plan(rows: IntArray) -> Iterator[tuple[int, Future]]:
    """Change the future in every way in turn; at the start by noise, for windows need bars."""
    yield min(EARLIEST_CUT, int(rows[-1])), Future.NOISE
    yield from zip(rows[::-1].tolist(), cycle(FUTURES))


def _cut_rows(sessions: int, *, cuts: int, seed: int) -> IntArray:
    if sessions < 2:
        raise BadDataError(dataset="features", problem="found one session, needed two to cut at")
    random = np.random.default_rng(seed)
    rows = np.linspace(min(EARLIEST_CUT, sessions - 2), sessions - 2, cuts + 1).astype(np.int64)
    rows[1:-1] += random.integers(0, np.maximum(np.diff(rows)[1:], 1))
    return np.unique(np.minimum(rows[1:], sessions - 2))


def _holed(build: Build, panel: Panel, rows: IntArray, *, seed: int) -> Iterator[_Compared | None]:
    """Take bars of half of the symbols away, here and there, and cut that panel."""
    random = np.random.default_rng(seed)
    gone = random.random(panel.close.shape) < HOLES
    gone[:, random.permutation(len(panel.symbols))[: len(panel.symbols) // 2]] = False
    try:
        holed = probed_features(
            build, changed(panel, lambda values: np.where(gone, np.nan, values))
        )
    except TradingError:
        return
    for row in rows[:-1][-HOLED_CUTS:].tolist():
        yield _differences(holed, row, Future.CUT, seed=seed)


def probed_features(build: Build, panel: Panel) -> Probed:
    """Compute features of a panel and set them out."""
    frame = build(panel)
    names = tuple(name for name in frame.columns if name not in KEYS)
    return Probed(build=build, panel=panel, names=names, values=_set_out(frame, names, panel))


def _set_out(frame: pl.DataFrame, names: tuple[str, ...], panel: Panel) -> FloatArray:
    """Set a frame out as T x N x F; NaN where there is no row, or a value is not known."""
    rows = {session: row for row, session in enumerate(panel.sessions)}
    columns = {symbol: column for column, symbol in enumerate(panel.symbols)}
    places = (
        frame["session"].replace_strict(rows, return_dtype=pl.Int64).to_numpy(),
        frame["symbol"].replace_strict(columns, return_dtype=pl.Int64).to_numpy(),
    )
    values = np.full((len(panel.sessions), len(panel.symbols), len(names)), np.nan)
    wide = frame.select(pl.col(names).cast(pl.Float64).fill_null(float("nan")))
    values[places] = wide.to_numpy()
    return values


def _differences(probed: Probed, row: int, future: Future, *, seed: int) -> _Compared | None:
    """Compare up to a cut; None where features cannot be computed with this future."""
    other = with_future(probed.panel, row + 1, future, seed=seed)
    try:
        frame = probed.build(other)
    except TradingError:
        return None
    if tuple(each for each in frame.columns if each not in KEYS) != probed.names:
        raise BadDataError(dataset="features", problem="other features on another panel")
    known, again = probed.values[: row + 1], _set_out(frame, probed.names, other)[: row + 1]
    differs = differing(known, again)
    places = np.flatnonzero(differs.any(axis=(0, 1)))
    return _Compared(
        cut=probed.panel.sessions[row],
        cells=int(np.isfinite(known).sum()),
        leaks=tuple(_leak(probed, int(place), differs[:, :, place], future) for place in places),
    )


def differing(known: FloatArray, again: FloatArray) -> BoolArray:
    """Mark what differs by more than rounding; two unknown values are alike."""
    is_finite = np.isfinite(known)
    size = np.where(is_finite, np.abs(known), 0.0)
    typical = size.sum(axis=(0, 1)) / np.maximum(is_finite.sum(axis=(0, 1)), 1)
    allowed = TOLERANCE * np.maximum(size, typical)
    with np.errstate(invalid="ignore"):
        alike = (known == again) | (np.abs(known - again) <= allowed)
    return np.asarray(~(alike | (np.isnan(known) & np.isnan(again))), dtype=np.bool_)


def _leak(probed: Probed, place: int, differs: BoolArray, future: Future) -> FeatureLeak:
    row = int(differs.any(axis=1).argmax())
    symbol = probed.panel.symbols[int(differs[row].argmax())]
    session, cut = probed.panel.sessions[row], probed.panel.sessions[differs.shape[0] - 1]
    return FeatureLeak(
        name=probed.names[place],
        session=session,
        symbol=symbol,
        detail=f"its value for {symbol} on {session} and {int(differs.sum()) - 1:,} others changed "
        f"when the bars after {cut} were {future.value}",
    )
