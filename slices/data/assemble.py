"""From stored bars of several symbols to one immutable dataset file."""

from __future__ import annotations

import dataclasses
import datetime as dt
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from slices.data.adjustment import adjusted
from slices.data.ingest import failures, stored_bars
from slices.data.store import parquet_bytes
from slices.data.validation import reason_counts
from slices.domain.bars import check_bars
from slices.domain.dataset import DatasetRef, SymbolQuality
from slices.domain.errors import BadDataError, ParameterError, SymbolNotFoundError, listed
from slices.domain.fingerprint import bytes_digest, fingerprint
from slices.runtime.atomic import write_whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slices.data.ingest import IngestOutcome
    from slices.data.manifest import StoredBars
    from slices.data.store import BarStore
    from slices.domain.bars import Adjustment
    from slices.domain.ports import BarSource


def assemble(
    outcomes: Sequence[IngestOutcome],
    *,
    source: BarSource,
    store: BarStore,
    start: dt.date | None,
    end: dt.date | None,
    adjustment: Adjustment,
    datasets_dir: Path,
) -> DatasetRef:
    """Write the bars of all symbols under one adjustment as one file.

    Args:
        outcomes: What `ingest` made of each symbol.
        source: Where the bars came from.
        store: Where they are kept.
        start: First date, included; None for all there is.
        end: Last date, included; None for all there is.
        adjustment: The adjustment of the dataset's prices.
        datasets_dir: Folder of dataset files.

    Raises:
        SymbolNotFoundError: Naming every symbol the source does not have.
        BadDataError: Where a symbol's bars were rejected or none lies between the dates.
        ParameterError: Where `start` lies after `end`, or no symbol was asked for.
        AdjustmentUnavailableError: Where a symbol's factors are not known.
        IntegrityError: Where a stored file is not what was written.
        StorageError: Where the disk refuses.
    """
    _check_dates(start, end)
    check_complete(outcomes, source)
    entries = stored_bars(outcomes)
    parts = [_part(store, each, start, end, adjustment) for each in entries]
    _check_none_empty(entries, parts, start, end)
    quality = tuple(map(partial(_quality_between, store), entries, parts))
    bars = pl.concat(parts).select(*source.capabilities.shape.schema).sort("symbol", "session")
    check_bars(bars, dataset=f"{source.name}/{source.feed}")
    pairs = tuple((each.symbol, each.content) for each in entries)
    return _written(bars, pairs, quality, source, adjustment, Path(datasets_dir))


def _written(
    bars: pl.DataFrame,
    pairs: tuple[tuple[str, str], ...],
    quality: tuple[SymbolQuality, ...],
    source: BarSource,
    adjustment: Adjustment,
    folder: Path,
) -> DatasetRef:
    first = min(each.first_session for each in quality)
    last = max(each.last_session for each in quality)
    digest = fingerprint(pairs, first, last, adjustment, source.name, source.feed)
    content = parquet_bytes(bars)
    file = folder / f"{digest}.parquet"
    _write_once(file, content)
    return DatasetRef(
        symbols=tuple(symbol for symbol, _ in pairs),
        first_session=first,
        last_session=last,
        rows=bars.height,
        shape=source.capabilities.shape,
        adjustment=adjustment,
        source=source.name,
        feed=source.feed,
        calendar=source.calendar,
        fingerprint=digest,
        checksum=bytes_digest(content),
        universe_note=source.universe_note,
        quality=quality,
        path=str(file),
    )


def check_complete(outcomes: Sequence[IngestOutcome], source: BarSource) -> None:
    """Check that every symbol asked for has bars.

    Raises:
        SymbolNotFoundError: Naming every symbol the source does not have.
        BadDataError: Naming every symbol whose bars were rejected, with the reason.
        ParameterError: Where no symbol was asked for.
    """
    if not outcomes:
        raise ParameterError(parameter="symbols", found="none", allowed="at least one symbol")
    failed = [(each.symbol, each.failure) for each in failures(outcomes) if each.failure]
    unknown = tuple(name for name, why in failed if why.kind == SymbolNotFoundError.__name__)
    if unknown:
        details = dict.fromkeys(why.detail for _, why in failed if why.detail)
        raise SymbolNotFoundError(
            symbols=unknown,
            source=f"{source.name}/{source.feed}",
            available=source.symbols(),
            reason="; ".join(details),
        )
    if failed:
        reasons = tuple(f"{why.kind}: {why.reason}" for _, why in failed)
        raise BadDataError(dataset=f"{source.name}/{source.feed}", problem=listed(reasons))


def _check_dates(start: dt.date | None, end: dt.date | None) -> None:
    if start is not None and end is not None and start > end:
        raise ParameterError(
            parameter="start", found=start.isoformat(), allowed=f"a date up to {end.isoformat()}"
        )


def _part(
    store: BarStore,
    entry: StoredBars,
    start: dt.date | None,
    end: dt.date | None,
    adjustment: Adjustment,
) -> pl.DataFrame:
    rows = adjusted(store.read(entry), entry.basis, adjustment, dataset=entry.symbol)
    inside = rows.filter(_between(start, end))
    return inside.with_columns(symbol=pl.lit(entry.symbol, dtype=pl.String))


def _between(start: dt.date | None, end: dt.date | None) -> pl.Expr:
    return pl.col("session").is_between(start or dt.date.min, end or dt.date.max)


def _check_none_empty(
    entries: Sequence[StoredBars],
    parts: Sequence[pl.DataFrame],
    start: dt.date | None,
    end: dt.date | None,
) -> None:
    empty = tuple(
        f"{each.symbol} has {each.quality.first_session} to {each.quality.last_session}"
        for each, part in zip(entries, parts, strict=True)
        if part.is_empty()
    )
    if empty:
        asked = f"{start or 'the first session'} to {end or 'the last session'}"
        raise BadDataError(dataset="dates", problem=f"no bars from {asked}: {listed(empty)}")


def _quality_between(store: BarStore, entry: StoredBars, part: pl.DataFrame) -> SymbolQuality:
    """Limit what validation found to the sessions of the dataset."""
    first, last = part["session"][0], part["session"][-1]
    found = entry.quality
    aside = store.quarantined(entry)
    held = () if aside is None else reason_counts(aside.filter(_between(first, last)))
    return dataclasses.replace(
        found,
        rows=part.height,
        first_session=first,
        last_session=last,
        quarantined=held,
        missing_sessions=tuple(each for each in found.missing_sessions if first < each < last),
        large_moves=tuple(each for each in found.large_moves if first < each.session <= last),
    )


def _write_once(file: Path, content: bytes) -> None:
    if not (file.is_file() and file.read_bytes() == content):
        write_whole(file, content)
