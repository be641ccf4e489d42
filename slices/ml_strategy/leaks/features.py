"""The proof that declared features know nothing of the future."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.bars import Adjustment
from slices.ml_strategy.leaks.finding import check_leaks
from slices.ml_strategy.leaks.levels import level_leaks
from slices.ml_strategy.leaks.probing import probe_features
from slices.quant.panel import read_panel

if TYPE_CHECKING:
    from slices.domain.dataset import DatasetRef
    from slices.quant.panel import Panel

MOST_SESSIONS = 1200
MOST_SYMBOLS = 20


@dataclass(frozen=True, kw_only=True)
class FeatureProof:
    """What was compared to prove features free of look-ahead.

    Attributes:
        features: Names, all of them proven.
        cuts: Sessions after which bars were cut off or changed.
        cells: Values compared.
        sessions: Of the bars the proof was made on, the newest ones.
        symbols: Of these bars.
    """

    features: tuple[str, ...]
    cuts: tuple[dt.date, ...]
    cells: int
    sessions: int
    symbols: int


def check_features(bars: DatasetRef, names: tuple[str, ...], *, seed: int = 0) -> FeatureProof:
    """Prove that features of the catalogue do not change with the future.

    Neither with the bars that come later, nor, where prices are adjusted, with the splits and
    dividends that later adjust them.

    Args:
        bars: The newest 1,200 sessions of up to 20 symbols are used.
        names: Features to prove.
        seed: Of the places where the future is changed.

    Raises:
        LeakageError: Naming those that change.
        IntegrityError: Where the dataset's file is gone or changed.
    """
    from slices.ml_strategy.features.building import feature_frame

    panel, build = newest(read_panel(bars)), partial(feature_frame, names=names)
    probe = probe_features(build, panel, seed=seed)
    levels = () if bars.adjustment is Adjustment.RAW else level_leaks(build, panel, seed=seed)
    check_leaks(probe.leaks + levels)
    return FeatureProof(
        features=probe.features,
        cuts=probe.cuts,
        cells=probe.cells,
        sessions=len(panel.sessions),
        symbols=len(panel.symbols),
    )


def newest(panel: Panel, *, sessions: int = MOST_SESSIONS, symbols: int = MOST_SYMBOLS) -> Panel:
    """Return the newest part of a panel, in its first symbols that still have bars there."""
    stop = len(panel.sessions)
    part = panel.between(max(stop - sessions, 0), stop)
    alive = np.flatnonzero(np.asarray(np.isfinite(part.close).any(axis=0)))
    return part.columns(alive[:symbols].tolist())
