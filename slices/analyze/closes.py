"""Closes in the sessions where every symbol has one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.domain.dataset import read_closes
from slices.quant.returns import complete_rows

if TYPE_CHECKING:
    import datetime as dt

    from slices.domain.dataset import DatasetRef
    from slices.quant.types import FloatArray


def complete_closes(bars: DatasetRef) -> tuple[tuple[dt.date, ...], FloatArray]:
    """Read the closes, without the sessions where any symbol has none.

    Returns:
        T sessions and T x N closes in the order of `bars.symbols`.
    """
    wide = read_closes(bars)
    closes = wide.select(bars.symbols).to_numpy().astype(np.float64)
    kept = complete_rows(closes)
    sessions = wide["session"].to_list()
    return tuple(sessions[i] for i in np.flatnonzero(kept)), closes[kept]
