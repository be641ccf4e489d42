"""Weights learned as returns arrive, with a guarantee against the best member in hindsight."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import ParameterError

if TYPE_CHECKING:
    from slices.quant.types import FloatArray

LEARNING_RATE = 0.05
"""What Helmbold and others use throughout; larger follows the newest returns more closely."""


def exponentiated_gradient(
    returns: FloatArray, *, learning_rate: float = LEARNING_RATE
) -> FloatArray:
    """Return the weights after every session of the exponentiated-gradient update.

    With relative values x = 1 + r, the weights become proportional to w * exp(rate * x / (w . x)).
    The log wealth of following them falls behind that of the best member by at most
    log(S) / rate + rate * T * (largest x / smallest x)^2 / 8.

    Args:
        returns: T x S simple returns of the members, none missing, each above -1.
        learning_rate: Positive.

    Returns:
        T x S positive weights that sum to 1; row t is known at the close of session t.

    Raises:
        ParameterError: Where the learning rate is not positive.

    References:
        Helmbold, Schapire, Singer, Warmuth (1998), On-line portfolio selection using
        multiplicative updates.

    >>> exponentiated_gradient(np.array([[0.0, 0.0], [0.1, -0.1]])).round(4).tolist()
    [[0.5, 0.5], [0.5025, 0.4975]]
    """
    if not learning_rate > 0:
        raise ParameterError(
            parameter="learning_rate", found=str(learning_rate), allowed="more than 0"
        )
    relatives = 1.0 + np.asarray(returns, dtype=np.float64)
    weights = np.empty(relatives.shape)
    held = np.full(relatives.shape[1], 1.0 / max(1, relatives.shape[1]))
    for t, relative in enumerate(relatives):
        grown = held * np.exp(learning_rate * relative / (held @ relative))
        held = grown / grown.sum()
        weights[t] = held
    return weights
