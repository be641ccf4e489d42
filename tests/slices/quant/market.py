"""Prices the tests stand on: 20 real US names and a factor market of any size."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import polars as pl

from slices.domain.bars import Adjustment, BarShape
from slices.domain.dataset import DatasetRef
from slices.domain.fingerprint import bytes_digest, fingerprint
from slices.quant.panel import Panel


@lru_cache(maxsize=1)
def us_closes() -> tuple[tuple[dt.date, ...], tuple[str, ...], np.ndarray]:
    """Sessions, symbols and closes of 20 US names, 1990 to 2022, as bundled with skfolio."""
    package = find_spec("skfolio").submodule_search_locations[0]
    file = Path(package) / "datasets" / "data" / "sp500_dataset.csv.gz"
    with gzip.open(file, "rt") as lines:
        header, *rows = csv.reader(lines)
    closes = np.array([[float(value) for value in row[1:]] for row in rows])
    closes.setflags(write=False)
    return tuple(dt.date.fromisoformat(row[0]) for row in rows), tuple(header[1:]), closes


def panel_of(closes: np.ndarray, opens: np.ndarray | None = None) -> Panel:
    """Closes, and opens to fill at, as the panel of symbols without names that matter."""
    first = dt.date(1990, 1, 1)
    return Panel(
        symbols=tuple(f"S{i}" for i in range(closes.shape[1])),
        sessions=tuple(first + dt.timedelta(days=i) for i in range(closes.shape[0])),
        close=closes,
        open=opens,
        periods_per_year=252,
    )


def us_returns(sessions: int = 504) -> np.ndarray:
    """The newest simple returns of the 20 names."""
    closes = us_closes()[2][-sessions - 1 :]
    return closes[1:] / closes[:-1] - 1.0


def factor_returns(sessions: int, symbols: int, *, seed: int = 7) -> np.ndarray:
    """Fat-tailed returns of a market with ten factors, the first of them the market's."""
    random = np.random.default_rng(seed)
    loadings = random.normal(0.0, 0.35, (symbols, 10))
    loadings[:, 0] = random.uniform(0.8, 2.4, symbols)
    factors = random.standard_t(5, (sessions, 10)) * 0.006
    own = random.standard_t(4, (sessions, symbols)) * random.uniform(0.006, 0.02, symbols)
    return factors @ loadings.T + own + random.normal(0.0004, 0.0003, symbols)


def factor_covariance(symbols: int, *, seed: int = 7) -> np.ndarray:
    """The exact covariance of that market, per session."""
    random = np.random.default_rng(seed)
    loadings = random.normal(0.0, 0.35, (symbols, 10))
    loadings[:, 0] = random.uniform(0.8, 2.4, symbols)
    own = random.uniform(0.008, 0.025, symbols)
    return 0.006**2 * 5 / 3 * loadings @ loadings.T + np.diag(own**2)


def stored(
    folder: Path,
    sessions: tuple[dt.date, ...],
    closes: dict[str, np.ndarray],
    *,
    opens: dict[str, np.ndarray] | None = None,
) -> DatasetRef:
    """Write bars to a folder; a NaN close is a session without a bar."""
    frames = [_bars(symbol, sessions, closes[symbol], opens) for symbol in sorted(closes)]
    bars = pl.concat(frames).filter(pl.col("close").is_not_nan())
    file = folder / "bars.parquet"
    bars.write_parquet(file)
    return DatasetRef(
        symbols=tuple(closes),
        first_session=sessions[0],
        last_session=sessions[-1],
        rows=bars.height,
        shape=BarShape.CLOSE_ONLY if opens is None else BarShape.OHLCV,
        adjustment=Adjustment.TOTAL,
        source="test",
        feed="test",
        calendar="XNYS",
        fingerprint=fingerprint(bars),
        checksum=bytes_digest(file.read_bytes()),
        universe_note="",
        quality=(),
        path=str(file),
    )


def _bars(
    symbol: str,
    sessions: tuple[dt.date, ...],
    closes: np.ndarray,
    opens: dict[str, np.ndarray] | None,
) -> pl.DataFrame:
    columns = {"symbol": [symbol] * len(sessions), "session": list(sessions)}
    if opens is None:
        return pl.DataFrame({**columns, "close": closes})
    first = opens[symbol]
    prices = {"open": first, "high": np.fmax(first, closes), "low": np.fmin(first, closes)}
    return pl.DataFrame({**columns, **prices, "close": closes, "volume": np.full(closes.size, 1e6)})


def us_dataset(folder: Path, *, symbols: int = 20, sessions: int | None = None) -> DatasetRef:
    """The first of the 20 names over their newest sessions, stored as a dataset."""
    dates, names, closes = us_closes()
    start = 0 if sessions is None else len(dates) - sessions
    chosen = {name: closes[start:, i].copy() for i, name in enumerate(names[:symbols])}
    return stored(folder, dates[start:], chosen)
