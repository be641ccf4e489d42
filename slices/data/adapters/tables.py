"""Tables of prices in files: CSV or Parquet, long or wide, with the usual column names."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import polars as pl

from slices.data.sessions import sessions_from
from slices.domain.bars import BarShape
from slices.domain.errors import BadDataError, MalformedAnswerError, MissingColumnsError

if TYPE_CHECKING:
    from pathlib import Path

SUFFIXES = (".csv", ".csv.gz", ".parquet")
ALIASES = {
    "session": ("session", "date", "datetime", "timestamp", "time", "day", "", "__index_level_0__"),
    "symbol": ("symbol", "ticker", "name", "instrument"),
    "open": ("open",),
    "high": ("high",),
    "low": ("low",),
    "close": ("close",),
    "volume": ("volume", "vol"),
    "adj_close": ("adj_close", "adjclose", "adjusted_close"),
}
NO_VALUE = ["", "NA", "N/A", "NaN", "nan", "null", "None"]


def is_table(file: Path) -> bool:
    """Tell by its name whether a file may hold a table of prices."""
    return file.name.lower().endswith(SUFFIXES)


def long_rows(content: bytes, *, file: Path) -> pl.DataFrame:
    """Read the bytes of a file as rows of symbol, session and values.

    A table with a symbol and a close column is long; one with a close but no symbol holds the
    symbol the file is named after; one without a close is wide, a column of closes per symbol.
    Open, high and low are kept only together with volume.

    Args:
        content: The file's bytes.
        file: Its path, for its kind, its symbol and the words of an error.

    Returns:
        Columns symbol, session, the values found, and adj_close where the file has it.

    Raises:
        MalformedAnswerError: The bytes are not the kind of file the name says.
        MissingColumnsError: There is no date column, or nothing besides.
        BadDataError: A date or number cannot be read.
    """
    table = _parsed(content, file)
    columns = _by_meaning(table.columns)
    if "session" not in columns:
        raise MissingColumnsError(dataset=file.name, needed=("date",), found=tuple(table.columns))
    session = columns["session"]
    if "close" not in columns:
        return _wide(table, session, file)
    named = table.select(pl.col(column).alias(name) for name, column in columns.items())
    if "symbol" not in columns:
        named = named.with_columns(symbol=pl.lit(_stem(file), dtype=pl.String))
    return _typed(named, file)


def _stem(file: Path) -> str:
    """Return the file's name without what says its kind; a symbol such as BRK.B has a dot."""
    suffix = next(each for each in reversed(SUFFIXES) if file.name.lower().endswith(each))
    return file.name[: -len(suffix)]


def _by_meaning(columns: list[str]) -> dict[str, str]:
    """Map what a column means to its name in the file."""
    plain = {re.sub(r"[\s.\-]+", "_", name.strip().lower()): name for name in reversed(columns)}
    found = {
        meaning: next((plain[alias] for alias in aliases if alias in plain), None)
        for meaning, aliases in ALIASES.items()
    }
    return {meaning: name for meaning, name in found.items() if name is not None}


def _parsed(content: bytes, file: Path) -> pl.DataFrame:
    if content.lstrip()[:1] == b"<":
        raise _malformed(file, "an HTML or XML page, not a table")
    if file.name.lower().endswith(".parquet"):
        return _parquet(content, file)
    try:
        return pl.read_csv(content, infer_schema_length=None, null_values=NO_VALUE)
    except pl.exceptions.PolarsError as refusal:
        raise _malformed(file, f"not CSV: {_first_line(refusal)}") from refusal


def _parquet(content: bytes, file: Path) -> pl.DataFrame:
    import pyarrow as pa  # type: ignore[import-untyped]
    from pyarrow import parquet

    try:
        table = pl.from_arrow(parquet.read_table(io.BytesIO(content)))
    except (pa.ArrowException, OSError) as refusal:
        raise _malformed(file, f"not Parquet: {_first_line(refusal)}") from refusal
    return table if isinstance(table, pl.DataFrame) else table.to_frame()


def _wide(table: pl.DataFrame, session: str, file: Path) -> pl.DataFrame:
    symbols = [name for name in table.columns if name != session]
    numbers = [name for name in symbols if table[name].dtype.is_numeric()]
    if not symbols or numbers != symbols:
        raise MissingColumnsError(
            dataset=file.name, needed=("symbol", "close"), found=tuple(table.columns)
        )
    rows = table.unpivot(on=symbols, index=session, variable_name="symbol", value_name="close")
    return _typed(rows.rename({session: "session"}).filter(pl.col("close").is_not_null()), file)


def _typed(rows: pl.DataFrame, file: Path) -> pl.DataFrame:
    whole = set(BarShape.OHLCV.values) <= set(rows.columns)
    values = [*(BarShape.OHLCV if whole else BarShape.CLOSE_ONLY).values]
    values += [c for c in ("adj_close",) if c in rows.columns]
    for column in values:
        _check_numbers(rows[column], file)
    return rows.select(
        pl.col("symbol").cast(pl.String).str.strip_chars().str.to_uppercase(),
        sessions_from(rows["session"], dataset=file.name).alias("session"),
        pl.col(values).cast(pl.Float64),
    )


def _check_numbers(column: pl.Series, file: Path) -> None:
    if column.dtype.is_numeric() or column.dtype == pl.Null:
        return
    texts = column.cast(pl.String)
    strange = texts.filter(texts.cast(pl.Float64, strict=False).is_null() & texts.is_not_null())
    shown = f"'{strange[0]}'" if len(strange) else str(column.dtype)
    raise BadDataError(
        dataset=file.name, problem=f"column {column.name} holds {shown}, not only numbers"
    )


def _malformed(file: Path, problem: str) -> MalformedAnswerError:
    return MalformedAnswerError(source="files", problem=f"{file.name}: {problem}")


def _first_line(refusal: Exception) -> str:
    return str(refusal).strip().partition("\n")[0]
