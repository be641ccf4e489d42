"""Out-of-sample scores as an Arrow table anyone can open, and back."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from slices.domain.errors import IntegrityError
from slices.domain.learning import OutOfSampleScores

if TYPE_CHECKING:
    from slices.domain.learning import ModelKind
    from slices.quant.types import FloatArray

MATRICES = ("scores", "labels", "forward_returns", "volatilities")
SCHEMA = {
    "session": pl.Date,
    "fold": pl.Int64,
    "symbol": pl.String,
    **dict.fromkeys(MATRICES, pl.Float64),
}


def scores_file(scores: OutOfSampleScores) -> bytes:
    """Write a row for each session and symbol; equal scores give equal bytes."""
    sessions, symbols = len(scores.sessions), len(scores.symbols)
    frame = pl.DataFrame(
        {
            "session": pl.Series(scores.sessions, dtype=pl.Date).gather(
                np.repeat(np.arange(sessions), symbols)
            ),
            "fold": np.repeat(scores.folds, symbols),
            "symbol": list(scores.symbols) * sessions,
            **{name: getattr(scores, name).ravel() for name in MATRICES},
        },
        schema=SCHEMA,
    )
    file = io.BytesIO()
    frame.rechunk().write_ipc(file, compression="zstd")
    return file.getvalue()


def scores_from(
    content: bytes, *, name: str, kind: ModelKind, symbols: tuple[str, ...]
) -> OutOfSampleScores:
    """Read what `scores_file` wrote.

    Args:
        content: Of the file, whose digest was proven.
        name: Of the file, for a message.
        kind: Of the models.
        symbols: Whose scores they must be, in this order.

    Raises:
        IntegrityError: Where it is no such table.
    """
    frame = _read(content, name)
    rows = frame.height // max(1, len(symbols))
    if frame["symbol"].to_list() != list(symbols) * rows:
        raise IntegrityError(path=name, problem="its symbols are not those of the model")

    def wide(column: str) -> FloatArray:
        return frame[column].to_numpy().reshape(rows, len(symbols)).copy()

    first = slice(None, None, max(1, len(symbols)))
    return OutOfSampleScores(
        kind=kind,
        symbols=symbols,
        sessions=tuple(frame["session"].to_list()[first]),
        folds=frame["fold"].to_numpy()[first].copy(),
        scores=wide("scores"),
        labels=wide("labels"),
        forward_returns=wide("forward_returns"),
        volatilities=wide("volatilities"),
    )


def _read(content: bytes, name: str) -> pl.DataFrame:
    try:
        frame = pl.read_ipc(io.BytesIO(content))
    except (pl.exceptions.PolarsError, OSError, ValueError) as unreadable:
        raise IntegrityError(path=name, problem="it is no Arrow table") from unreadable
    if dict(frame.schema) != SCHEMA or sum(frame.null_count().row(0)):
        raise IntegrityError(path=name, problem="its columns are not those of scores")
    return frame
