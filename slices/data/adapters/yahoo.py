"""The `yfinance` source: daily bars from Yahoo Finance, through the yfinance package.

Yahoo's prices are split-adjusted as delivered; its adjusted close gives the dividends. The bulk
`download` of the package is not used because it never fails: it answers with gaps.
"""

from __future__ import annotations

import datetime as dt
import threading
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

import polars as pl

from slices.data.actions import with_factors
from slices.data.adapters.http import UNREADABLE, broken, refusal
from slices.data.sessions import sessions_from
from slices.domain.bars import PRICES, Adjustment, BarShape
from slices.domain.calendar import FIRST_KNOWN
from slices.domain.errors import (
    MalformedAnswerError,
    ParameterError,
    SourceNotInstalledError,
    SymbolNotFoundError,
)
from slices.domain.ports import SourceBars, SourceCapabilities

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd
    import requests

NAME = "yfinance"
FEED = "chart"
CHART = "/v8/finance/chart/"

_seen = threading.local()
"""Status of the last answer about prices in each thread: the package shares one session."""


class _Watched:
    """A session's `get` with a bounded wait, which fails on what the package would hide.

    The package turns a server error into "no price data found" and remembers it. Only answers to
    questions about prices are judged; it handles cookies by itself.
    """

    def __init__(self, session: requests.Session, timeout_seconds: float) -> None:
        inner: Callable[..., requests.Response] = session.get
        self.watched: Callable[..., requests.Response]
        self.watched = inner.watched if isinstance(inner, _Watched) else inner
        self._timeout_seconds = timeout_seconds

    def __call__(self, url: str, **options: Any) -> requests.Response:
        wait = min(options.pop("timeout", None) or self._timeout_seconds, self._timeout_seconds)
        answer = self.watched(url, timeout=wait, **options)
        if CHART in answer.url:  # not where a redirect asks for consent to cookies
            self._judge(answer)
        return answer

    def _judge(self, answer: requests.Response) -> None:
        _seen.status = answer.status_code
        failure = refusal(NAME, answer.status_code, answer.headers)
        if failure is not None and failure.retryable:
            raise failure
        if answer.status_code == 200 and not _is_chart(answer):
            raise MalformedAnswerError(source=NAME, problem="an answer that is not price data")


class YahooSource:
    """Bars from Yahoo Finance."""

    def __init__(self, session: requests.Session, *, timeout_seconds: float) -> None:
        self._session = session
        self._timeout_seconds = timeout_seconds
        session.get = _Watched(session, timeout_seconds)  # type: ignore[assignment]
        self.name = NAME
        self.feed = FEED
        self.calendar = "XNYS"
        self.universe_note = (
            "Survivorship is not controlled: Yahoo Finance has few delisted shares, and the "
            "symbols were chosen by hand."
        )
        self.capabilities = SourceCapabilities(
            shape=BarShape.OHLCV, adjustments=(Adjustment.SPLIT, Adjustment.TOTAL), remote=True
        )

    def symbols(self) -> tuple[str, ...]:
        """Return nothing: Yahoo cannot list what it has."""
        return ()

    def version(self) -> str:
        """Return nothing: a remote answer has no version before it is fetched."""
        return ""

    def fetch(self, symbol: str, *, start: dt.date | None, end: dt.date | None) -> SourceBars:
        """Fetch one symbol's history.

        Raises:
            SymbolNotFoundError: Yahoo does not have the symbol, or no bar between the dates.
            RateLimitedError: Yahoo asks for fewer requests.
            TransientSourceError: No answer in time, a broken connection or a server error.
            MalformedAnswerError: The answer is not bars.
            AuthMissingError: Yahoo refused the request.
        """
        history = self._history(symbol, start, end)
        if history.empty:
            raise _not_found(symbol, f"no bars between {start or 'the first'} and {end or 'now'}")
        try:
            bars = _bars(history, symbol)
        except UNREADABLE as failure:
            raise broken(NAME, failure) from failure
        return SourceBars(symbol=symbol, bars=bars, basis=Adjustment.SPLIT, actions_known=True)

    def _history(self, symbol: str, start: dt.date | None, end: dt.date | None) -> pd.DataFrame:
        import yfinance
        from yfinance import exceptions
        from yfinance.data import YfData

        yfinance.config.debug.hide_exceptions = False
        YfData.cache_get.cache_clear()  # it would repeat a failure of the past
        _seen.status = 0
        try:
            history: pd.DataFrame = yfinance.Ticker(symbol, session=self._session).history(
                start=start or FIRST_KNOWN,
                end=end + dt.timedelta(days=1) if end else None,
                interval="1d",
                auto_adjust=False,
                keepna=True,
                timeout=self._timeout_seconds,
            )
        except (exceptions.YFException, OSError, *UNREADABLE) as failure:
            raise _error(symbol, failure) from failure
        return history


def open_yahoo(
    feed: str | None,
    *,
    session: requests.Session | None,
    cache_folder: Path | None,
    timeout_seconds: float,
) -> YahooSource:
    """Open the source.

    Args:
        feed: None or `chart`, the only one.
        session: HTTP session the source will own; None for one that looks like a browser.
        cache_folder: Where the package keeps time zones and cookies; None for its own choice.
        timeout_seconds: How long to wait for any one answer.

    Raises:
        ParameterError: There is no such feed.
        SourceNotInstalledError: The yfinance package is not installed.
    """
    if feed not in (None, FEED):
        raise ParameterError(parameter="feed", found=repr(feed), allowed=FEED)
    own_session = session or _browser_session()
    if cache_folder is not None:
        import yfinance

        cache_folder.mkdir(parents=True, exist_ok=True)
        yfinance.set_tz_cache_location(str(cache_folder))
    return YahooSource(own_session, timeout_seconds=timeout_seconds)


@lru_cache(maxsize=1)
def _browser_session() -> requests.Session:
    try:
        from yfinance.data import new_session
    except ImportError as missing:
        problem = "not installed; run: pip install 'tradeflows[yfinance]'"
        raise SourceNotInstalledError(source=NAME, problem=problem) from missing
    return cast("requests.Session", new_session())


def _bars(history: pd.DataFrame, symbol: str) -> pl.DataFrame:
    import pandas as pd

    at_exchange = pd.DatetimeIndex(history.index).tz_localize(None)
    midnights = pl.Series(at_exchange.to_numpy().astype("datetime64[us]"))
    columns = {c: c.capitalize() for c in (*PRICES, "volume")} | {"adj_close": "Adj Close"}
    values = {name: history[column].to_numpy(dtype=float) for name, column in columns.items()}
    bars = pl.DataFrame(values).with_columns(session=sessions_from(midnights, dataset=symbol))
    return with_factors(bars.sort("session", maintain_order=True), basis_is_split=True)


def _is_chart(answer: requests.Response) -> bool:
    try:
        return "chart" in answer.json()
    except (ValueError, TypeError):
        return False


def _error(symbol: str, failure: Exception) -> Exception:
    """Return what a failure means: first by the status, then by what the package says."""
    from yfinance import exceptions

    refused = refusal(NAME, _seen.status, {})
    if refused is not None:
        return refused
    if _seen.status == 404:
        return _not_found(symbol, "")
    if isinstance(failure, exceptions.YFTickerMissingError):
        return _not_found(symbol, failure.rationale)
    return broken(NAME, failure)


def _not_found(symbol: str, reason: str) -> SymbolNotFoundError:
    return SymbolNotFoundError(symbols=(symbol,), source=f"{NAME}/{FEED}", reason=reason)
