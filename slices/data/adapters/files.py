"""The `files` source: prices a person has in CSV or Parquet files."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from slices.data.actions import with_factors
from slices.data.adapters.tables import SUFFIXES, is_table, long_rows
from slices.domain.bars import Adjustment, BarShape, shape_of
from slices.domain.errors import (
    BadDataError,
    ParameterError,
    SymbolNotFoundError,
    TransientSourceError,
)
from slices.domain.fingerprint import bytes_digest, fingerprint
from slices.domain.ports import SourceBars, SourceCapabilities
from slices.runtime.atomic import read_whole

if TYPE_CHECKING:
    import datetime as dt

NAME = "files"


class FilesSource:
    """Bars of a file or of every file in a folder, read once, when the source is opened.

    What the prices are adjusted for is what the person declared. Undeclared prices count as
    split-adjusted, unless an adjusted close shows splits that the prices still contain. An
    adjusted close explains the jumps where it steps and no others: it may be a mere copy.
    """

    def __init__(
        self, feed: str, rows: pl.DataFrame, version: str, *, basis: Adjustment | None
    ) -> None:
        self._rows = rows.partition_by("symbol", as_dict=True, include_key=False)
        self._version = version
        self._basis = basis
        self._has_adjusted_close = "adj_close" in rows.columns and basis is not Adjustment.TOTAL
        self.name = NAME
        self.feed = feed
        self.calendar = "XNYS"
        self.universe_note = (
            f"Survivorship is not known: {len(self._rows)} symbols of {Path(feed).name}, "
            "chosen by whoever made it."
        )
        self.capabilities = SourceCapabilities(
            shape=shape_of(rows), adjustments=self._adjustments(), remote=False
        )

    def symbols(self) -> tuple[str, ...]:
        """List the symbols in the files, sorted."""
        return tuple(sorted(str(key[0]) for key in self._rows))

    def version(self) -> str:
        """Digest the files' contents, as read when the source was opened."""
        return self._version

    def fetch(self, symbol: str, *, start: dt.date | None, end: dt.date | None) -> SourceBars:
        """Take one symbol's rows; factors are those of the whole history.

        Raises:
            SymbolNotFoundError: The files do not have the symbol.
        """
        rows = self._rows.get((symbol,))
        if rows is None:
            raise SymbolNotFoundError(
                symbols=(symbol,), source=f"{NAME}/{self.feed}", available=self.symbols()
            )
        bars, basis = self._with_basis(rows.sort("session", maintain_order=True))
        outside = (pl.col("session") < start if start else pl.lit(value=False)) | (
            pl.col("session") > end if end else pl.lit(value=False)
        )
        return SourceBars(
            symbol=symbol,
            bars=bars.filter(~outside.fill_null(value=False)),
            basis=basis,
            actions_known=False,
        )

    def _adjustments(self) -> tuple[Adjustment, ...]:
        basis = self._basis or Adjustment.SPLIT
        if not self._has_adjusted_close:
            return (basis,)
        return tuple(Adjustment) if basis is Adjustment.RAW else (basis, Adjustment.TOTAL)

    def _with_basis(self, rows: pl.DataFrame) -> tuple[pl.DataFrame, Adjustment]:
        if not self._has_adjusted_close:
            return _without_factors(rows, self._basis or Adjustment.SPLIT)
        if self._basis is not None:
            return with_factors(rows, basis_is_split=self._basis is Adjustment.SPLIT), self._basis
        derived = with_factors(rows, basis_is_split=False)
        contains_splits = (derived["split_factor"].drop_nulls() != 1).any()
        return derived, Adjustment.RAW if contains_splits else Adjustment.SPLIT


def open_files(feed: str | None, *, basis: Adjustment | None = None) -> FilesSource:
    """Read a file, or every CSV and Parquet file of a folder.

    Args:
        feed: Path of the file or folder.
        basis: What the prices are adjusted for; None to tell from the file.

    Raises:
        ParameterError: There is no such file, or no table in the folder.
        MalformedAnswerError: A file is not what its name says.
        DataError: A file does not hold prices, or files do not have the same columns.
    """
    digests = tuple((file, bytes_digest(read_whole(file))) for file in _tables(feed))
    named = tuple((file.name, digest) for file, digest in digests)
    return FilesSource(str(feed), _rows(digests), fingerprint(named, basis), basis=basis)


@lru_cache(maxsize=2)
def _rows(files: tuple[tuple[Path, str], ...]) -> pl.DataFrame:
    """Read files of known content; the same content is parsed once per process."""
    parts = []
    for file, digest in files:
        content = read_whole(file)
        if bytes_digest(content) != digest:
            problem = f"{file.name} changed while it was read; run again"
            raise TransientSourceError(source=NAME, problem=problem)
        parts.append((file, long_rows(content, file=file)))
    _check_same_shape(parts)
    return pl.concat([part for _, part in parts], how="diagonal")


def _tables(feed: str | None) -> list[Path]:
    kinds = ", ".join(SUFFIXES)
    if not feed:
        raise ParameterError(
            parameter="feed", found="nothing", allowed=f"the path of a file ({kinds}) or folder"
        )
    place = Path(feed)
    inside = sorted(place.iterdir()) if place.is_dir() else [place]
    files = [each for each in inside if each.is_file() and is_table(each)]
    if not files:
        found = f"{feed}, which {'holds no such file' if place.exists() else 'does not exist'}"
        raise ParameterError(parameter="feed", found=found, allowed=f"a file ({kinds}) or folder")
    return files


def _check_same_shape(parts: list[tuple[Path, pl.DataFrame]]) -> None:
    first_file, first = parts[0]
    for file, part in parts:
        if shape_of(part) is not shape_of(first):
            problem = (
                f"has {shape_of(part)} columns, but {first_file.name} has {shape_of(first)}; "
                "keep them in separate folders"
            )
            raise BadDataError(dataset=file.name, problem=problem)


def _without_factors(rows: pl.DataFrame, basis: Adjustment) -> tuple[pl.DataFrame, Adjustment]:
    known = {Adjustment.SPLIT: "split_factor", Adjustment.TOTAL: "total_factor"}.get(basis)
    factors = {
        factor: pl.lit(1.0 if factor == known else None, dtype=pl.Float64)
        for factor in ("split_factor", "total_factor")
    }
    values = (BarShape.OHLCV if "volume" in rows.columns else BarShape.CLOSE_ONLY).values
    return rows.select("session", *values).with_columns(**factors), basis
