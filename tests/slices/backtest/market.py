"""Datasets the tests of backtests stand on."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np

from slices.data.adapters.embedded import open_embedded
from slices.domain.bars import Adjustment
from slices.domain.dataset import DatasetRef
from tests.slices.quant.market import stored
from tests.support.frames import load, sessions

FIRST = dt.date(2010, 1, 4)


@lru_cache
def embedded(*symbols: str, adjustment: Adjustment = Adjustment.TOTAL) -> DatasetRef:
    """Embedded symbols as a dataset, made once."""
    folder = Path(mkdtemp(prefix="tradeflows-tests-"))
    return load(open_embedded(None, symbols), folder, *symbols, adjustment=adjustment)


def made_up(folder: Path, **closes: np.ndarray) -> DatasetRef:
    """Closes of symbols as a dataset; NaN where there is no bar."""
    count = next(iter(closes.values())).size
    folder.mkdir(exist_ok=True)
    return stored(folder, tuple(sessions(count, first=FIRST)), closes)


def wandering(count: int, *, seed: int, level: float = 100.0) -> np.ndarray:
    """A random walk of closes with the volatility of a share."""
    steps = np.random.default_rng(seed).normal(0.0003, 0.015, count)
    return level * np.exp(np.cumsum(steps))
