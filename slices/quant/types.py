"""Array types of the mathematics."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]
"""Numbers in double precision; the shape is stated where it is used."""

IntArray: TypeAlias = npt.NDArray[np.int64]
"""Positions and counts."""

BoolArray: TypeAlias = npt.NDArray[np.bool_]
"""Masks."""
