"""Where to cut for a rule that looks ahead on few sessions.

Changing all bars after a session shows what one cut hides. Changing single bars all over the panel
at once shows many places in one go, but what it shows is a suspicion only: a decision that changed
just before a changed bar may still be due to an earlier one. So suspects are ranked, and the
caller cuts there to be sure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.quant.panel import Panel
from slices.quant.types import IntArray
from slices.quant.validity.futures import after, mixed, noisy

if TYPE_CHECKING:
    from slices.quant.types import FloatArray

SCALES = (0.02, 0.1, 0.01, 0.3)
"""Small changes turn what looks at the next bar and leave averages; large ones cross thresholds."""

GAPS = (6, 24)
"""Fewest and most sessions between changed bars."""

FURTHEST = 3
"""A suspect lies so many sessions before a changed bar, at most."""

MOST_SUSPECTS = 3


@dataclass(frozen=True, kw_only=True)
class Scouting:
    """A panel with single bars changed.

    Attributes:
        panel: The panel as it is.
        other: With the bars of some sessions changed.
        rows: These sessions.
    """

    panel: Panel
    other: Panel
    rows: IntArray

    def cut(self, known: int) -> Panel:
        """Return the panel with `known` sessions as they are and changed bars after them."""
        return mixed(self.panel, self.other, after(self.panel, known))

    def suspects(self, base: FloatArray, decisions: FloatArray) -> IntArray:
        """Rank sessions shortly before a changed bar by how much a decision's change grew there.

        Args:
            base: T x N decisions on the panel as it is.
            decisions: Those on the changed one.
        """
        sizes = _sizes(base, decisions)
        growth = np.zeros(sizes.shape[0])
        growth[1:] = (sizes[1:] - sizes[:-1]).sum(axis=1).round(9)
        ahead = np.repeat(np.arange(1, FURTHEST + 1), self.rows.size)
        places = np.tile(self.rows, FURTHEST) - ahead
        order = np.lexsort((ahead, -growth[places]))
        ranked = places[order]
        return np.asarray(ranked[growth[ranked] > 0][:MOST_SUSPECTS], dtype=np.int64)


def scouting(panel: Panel, *, number: int, seed: int) -> Scouting:
    """Change single bars all over a panel.

    Args:
        panel: T sessions.
        number: Of the round; the size of the changes alternates.
        seed: Of places and changes.
    """
    random = np.random.default_rng((seed, number))
    size = len(panel.sessions)
    steps = np.cumsum(random.integers(*GAPS, size=size // GAPS[0] + 1))
    rows = np.asarray(steps[steps < size], dtype=np.int64)
    noise = noisy(panel, seed=int(random.integers(2**31)), scale=SCALES[number % len(SCALES)])
    return Scouting(
        panel=panel, other=mixed(panel, noise, np.isin(np.arange(size), rows)), rows=rows
    )


def _sizes(base: FloatArray, decisions: FloatArray) -> FloatArray:
    """Return by how much decisions changed; 1 where one of the two is missing."""
    only_one = np.isnan(decisions) != np.isnan(base)
    return np.where(only_one, 1.0, np.nan_to_num(np.abs(decisions - base)))
