"""The `alpaca` source: daily bars from Alpaca's market data service, through alpaca-py.

Each symbol is asked for three times, raw, split-adjusted and fully adjusted; the quotients are the
factors. The feed is part of the answer's identity: `iex` is one venue, a few percent of the volume
that `sip` reports.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

import polars as pl

from slices.data.actions import factor_steps, later_splits_undone
from slices.data.adapters.http import UNREADABLE, broken, refusal
from slices.data.sessions import EXCHANGE_ZONE, sessions_from
from slices.domain.bars import Adjustment, BarShape
from slices.domain.calendar import FIRST_KNOWN
from slices.domain.errors import (
    AuthMissingError,
    MalformedAnswerError,
    ParameterError,
    SourceNotInstalledError,
    SymbolNotFoundError,
)
from slices.domain.ports import SourceBars, SourceCapabilities

if TYPE_CHECKING:
    from slices.data.adapters.alpaca_client import BoundedClient

NAME = "alpaca"
FEEDS = ("iex", "sip", "delayed_sip")
FIELDS = {"t": "t", "open": "o", "high": "h", "low": "l", "close": "c", "volume": "v"}


class AlpacaSource:
    """Bars from one feed of Alpaca."""

    def __init__(self, client: BoundedClient, feed: str) -> None:
        self._client = client
        self.name = NAME
        self.feed = feed
        self.calendar = "XNYS"
        self.universe_note = (
            "Survivorship is not controlled: the symbols were chosen by hand among those that "
            "Alpaca knows today."
        )
        self.capabilities = SourceCapabilities(
            shape=BarShape.OHLCV, adjustments=tuple(Adjustment), remote=True
        )

    def symbols(self) -> tuple[str, ...]:
        """Return nothing: the data service cannot list what it has."""
        return ()

    def version(self) -> str:
        """Return nothing: a remote answer has no version before it is fetched."""
        return ""

    def fetch(self, symbol: str, *, start: dt.date | None, end: dt.date | None) -> SourceBars:
        """Fetch one symbol's history.

        Raises:
            SymbolNotFoundError: Alpaca has no bar of the symbol between the dates.
            AuthMissingError: The keys were refused.
            RateLimitedError: Alpaca asks for fewer requests.
            TransientSourceError: No answer in time, a broken connection or a server error.
            MalformedAnswerError: The answer is not bars.
        """
        raw = self._bars(symbol, "raw", start, end)
        split = self._bars(symbol, "split", start, end)
        total = self._bars(symbol, "all", start, end)
        if not _same_sessions(raw, split, total):
            problem = f"{symbol}: raw and adjusted bars are of different sessions"
            raise MalformedAnswerError(source=NAME, problem=problem)
        factors = (_split_factor(raw, split), _factors(raw, total)["factor"].alias("total_factor"))
        return SourceBars(
            symbol=symbol,
            bars=raw.with_columns(factors),
            basis=Adjustment.RAW,
            actions_known=True,
        )

    def _bars(
        self, symbol: str, adjustment: str, start: dt.date | None, end: dt.date | None
    ) -> pl.DataFrame:
        answer = self._answer(symbol, adjustment, start, end)
        try:
            rows = answer.get(symbol) or []
            columns = {name: [row[field] for row in rows] for name, field in FIELDS.items()}
            kinds = {name: pl.String if name == "t" else pl.Float64 for name in FIELDS}
            frame = pl.DataFrame(columns, schema=kinds)
        except (*UNREADABLE, pl.exceptions.PolarsError) as failure:
            raise broken(NAME, failure) from failure
        if frame.is_empty():
            reason = f"no bars between {start or 'the first'} and {end or 'now'}"
            raise SymbolNotFoundError(
                symbols=(symbol,), source=f"{NAME}/{self.feed}", reason=reason
            )
        session = sessions_from(frame["t"], dataset=symbol).alias("session")
        return frame.select(session, *BarShape.OHLCV.values).sort("session", maintain_order=True)

    def _answer(
        self, symbol: str, adjustment: str, start: dt.date | None, end: dt.date | None
    ) -> dict[str, list[dict[str, Any]]]:
        from alpaca.common.exceptions import APIError
        from alpaca.data.enums import Adjustment as Kind
        from alpaca.data.enums import DataFeed
        from alpaca.data.requests import StockBarsRequest
        from alpaca.data.timeframe import TimeFrame

        question = StockBarsRequest(
            symbol_or_symbols=symbol,
            timeframe=TimeFrame.Day,
            start=_instant(start or FIRST_KNOWN, dt.time(0)),
            end=_instant(end, dt.time(23, 59)) if end else None,
            adjustment=Kind(adjustment),
            feed=DataFeed(self.feed),
        )
        try:
            answer = self._client.get_stock_bars(question)
        except APIError as failure:
            raise self._refused(symbol, failure) from failure
        except (OSError, *UNREADABLE) as failure:
            raise broken(NAME, failure) from failure
        return cast("dict[str, list[dict[str, Any]]]", answer)

    def _refused(self, symbol: str, failure: Exception) -> Exception:
        status = getattr(failure, "status_code", None) or 0
        answer = getattr(failure, "response", None)
        headers = answer.headers if answer is not None else {}
        if status in (400, 404, 422) and "symbol" in str(failure).lower():
            return SymbolNotFoundError(symbols=(symbol,), source=f"{NAME}/{self.feed}")
        problem = f"request refused (HTTP {status}: {str(failure)[:200]})"
        return refusal(NAME, status, headers) or MalformedAnswerError(source=NAME, problem=problem)


def open_alpaca(
    feed: str | None, *, key: str, secret: str, url: str | None, timeout_seconds: float
) -> AlpacaSource:
    """Open the source.

    Args:
        feed: iex (the default), sip or delayed_sip.
        key: Key id of the account.
        secret: Secret key of the account.
        url: Address of the data service; None for the official one.
        timeout_seconds: How long to wait for any one answer.

    Raises:
        ParameterError: There is no such feed.
        SourceNotInstalledError: The alpaca-py package is not installed.
        AuthMissingError: A key is missing.
    """
    chosen = feed or FEEDS[0]
    if chosen not in FEEDS:
        raise ParameterError(parameter="feed", found=repr(feed), allowed=", ".join(FEEDS))
    try:
        from slices.data.adapters.alpaca_client import BoundedClient
    except ImportError as missing:
        problem = "not installed; run: pip install 'tradeflows[alpaca]'"
        raise SourceNotInstalledError(source=NAME, problem=problem) from missing
    if not (key and secret):
        raise AuthMissingError(source=NAME, problem="needs a key id and a secret key; found none")
    client = BoundedClient(key=key, secret=secret, url=url, timeout_seconds=timeout_seconds)
    return AlpacaSource(client, chosen)


def _instant(date: dt.date, time: dt.time) -> dt.datetime:
    return dt.datetime.combine(date, time, tzinfo=ZoneInfo(EXCHANGE_ZONE))


def _same_sessions(first: pl.DataFrame, *others: pl.DataFrame) -> bool:
    return all(first["session"].equals(each["session"]) for each in others)


def _factors(raw: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    """Return the steps of the factor from raw to other prices."""
    return factor_steps(raw.select("close", adj_close=other["close"]))


def _split_factor(raw: pl.DataFrame, split: pl.DataFrame) -> pl.Series:
    """Return the split factor, exact where every step is a common ratio, measured elsewhere."""
    steps = _factors(raw, split)
    if (steps["dividend_step"] != 1).any():
        return steps["factor"].alias("split_factor")
    return steps.select(split_factor=later_splits_undone()).to_series()
