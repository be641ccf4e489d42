"""A local server that speaks Yahoo's and Alpaca's wire formats, and misbehaves when told to."""

from __future__ import annotations

import datetime as dt
import json
import math
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import polars as pl
import requests
from requests.adapters import HTTPAdapter

if TYPE_CHECKING:
    from collections.abc import Iterator

NEW_YORK = ZoneInfo("America/New_York")
KEY, SECRET = "key-of-the-test", "secret-of-the-test"
PAGE = 25
HTML = b"<!DOCTYPE html><html><body>We'll be right back after this message</body></html>"
PRICES = ("open", "high", "low", "close")

FAULTS = (
    "401",
    "429",
    "500",
    "503",
    "hang",
    "reset",
    "truncated",
    "html",
    "garbage",
    "wrong-shape",
)


@dataclass
class Listing:
    """One share: raw bars with the factors from raw to split-adjusted and totally adjusted."""

    bars: pl.DataFrame
    dividends: dict[dt.date, float] = field(default_factory=dict)
    splits: dict[dt.date, float] = field(default_factory=dict)

    def prices(self, factor: str | None) -> pl.DataFrame:
        """Return bars adjusted by a factor column, rounded as providers do."""
        if factor is None:
            return self.bars
        adjusted = [(pl.col(c) * pl.col(factor)).round(4) for c in PRICES]
        volume = (pl.col("volume") / pl.col("split_factor")).round(0)
        return self.bars.with_columns(*adjusted, volume)


@dataclass
class Provider:
    """What the server knows, what it should do wrong, and what it was asked."""

    listings: dict[str, Listing]
    url: str = ""
    fault: str | None = None
    faulty_path: str = ""
    faults_left: float = math.inf
    delay_seconds: float = 0.0
    asked: list[str] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def misbehave(self, fault: str | None, *, path: str = "", times: float = math.inf) -> None:
        """Answer every request whose path contains `path` with a fault from now on, or so often."""
        self.fault, self.faulty_path, self.faults_left = fault, path, times

    def next_fault(self, path: str) -> str | None:
        """Return what to do wrong with a request of this path; None to serve it."""
        if self.fault is None or self.faulty_path not in path or self.faults_left <= 0:
            return None
        self.faults_left -= 1
        return self.fault


@contextmanager
def serving(listings: dict[str, Listing]) -> Iterator[Provider]:
    """Run the server on a free local port."""
    provider = Provider(listings=listings)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(provider))
    server.daemon_threads = True
    provider.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        provider.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _ToServer(HTTPAdapter):
    """Sends every request to the local server, whatever host it names."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        parts = urlsplit(request.url or "")
        request.url = f"{self._url}{parts.path}{'?' + parts.query if parts.query else ''}"
        return super().send(request, **options)


def session_to(provider: Provider) -> requests.Session:
    """Return a session whose every request reaches the local server."""
    session = requests.Session()
    for scheme in ("https://", "http://"):
        session.mount(scheme, _ToServer(provider.url))
    return session


def _handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(_Handler):
        pass

    Handler.provider = provider
    return Handler


class _Handler(BaseHTTPRequestHandler):
    provider: Provider

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.provider.asked.append(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        time.sleep(self.provider.delay_seconds)
        fault = self.provider.next_fault(parts.path)
        try:
            if fault is not None:
                self._fail(fault)
            else:
                self._serve(parts.path, asked)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _serve(self, path: str, asked: dict[str, str]) -> None:
        if path.startswith("/v8/finance/chart/"):
            self._chart(path.rpartition("/")[2], asked)
        elif path == "/v1/test/getcrumb":
            self._send(200, b"a.crumb", kind="text/plain")
        elif path == "/v2/stocks/bars":
            self._stock_bars(asked)
        else:
            self._send(404, b'{"error":"no such page"}')

    def _send(
        self, status: int, body: bytes, *, kind: str = "application/json", **headers: str
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def _send_json(self, value: object, status: int = 200) -> None:
        self._send(status, json.dumps(value).encode())

    def _fail(self, fault: str) -> None:
        match fault:
            case "hang":
                self.provider.released.wait(5)
                self.close_connection = True
            case "reset":
                self.close_connection = True
            case "truncated":
                self.send_response(200)
                self.send_header("Content-Length", "100000")
                self.end_headers()
                self.wfile.write(b'{"bars":{"MSFT":[{"t":"2003-01-0')
                self.close_connection = True
            case "html":
                self._send(200, HTML, kind="text/html")
            case "garbage":
                self._send(200, bytes(range(256)), kind="application/json")
            case "wrong-shape":
                self._send_json(["not", "what", "was", "promised"])
            case "429":
                self._send(429, b'{"message":"Too Many Requests"}', Retry_After="7")
            case _:
                self._send(int(fault), b'{"message":"refused"}')

    def _chart(self, symbol: str, asked: dict[str, str]) -> None:
        listing = self.provider.listings.get(symbol)
        if listing is None:
            reason = "No data found, symbol may be delisted"
            error = {"code": "Not Found", "description": reason}
            self._send_json({"chart": {"result": None, "error": error}}, 404)
            return
        first = int(asked.get("period1", "0"))
        last = int(asked.get("period2", "99999999999"))
        adjusted = listing.prices("split_factor").with_columns(
            adj_close=listing.prices("total_factor")["close"],
            stamp=pl.col("session").map_elements(_opening, return_dtype=pl.Int64),
        )
        rows = adjusted.filter(pl.col("stamp").is_between(first, last - 1))
        self._send_json(
            {"chart": {"result": [_chart_result(symbol, listing, rows)], "error": None}}
        )

    def _stock_bars(self, asked: dict[str, str]) -> None:
        keys = (self.headers.get("APCA-API-KEY-ID"), self.headers.get("APCA-API-SECRET-KEY"))
        if keys != (KEY, SECRET):
            self._send_json({"message": "forbidden."}, 403)
            return
        symbol = asked["symbols"]
        if not symbol.isalpha():
            message = f"code=400, message=invalid symbol: {symbol}"
            self._send_json({"message": message}, 400)
            return
        listing = self.provider.listings.get(symbol)
        factor = {"raw": None, "split": "split_factor", "all": "total_factor"}[asked["adjustment"]]
        first, last = asked["start"][:10], asked.get("end", "9999-12-31")[:10]
        rows = [] if listing is None else _alpaca_rows(listing.prices(factor), first, last)
        begin = int(asked.get("page_token", "0"))
        more = str(begin + PAGE) if begin + PAGE < len(rows) else None
        bars = {symbol: rows[begin : begin + PAGE]} if rows else {}
        self._send_json({"bars": bars, "next_page_token": more})


def _opening(session: dt.date) -> int:
    return int(dt.datetime.combine(session, dt.time(9, 30), NEW_YORK).timestamp())


def _chart_result(symbol: str, listing: Listing, rows: pl.DataFrame) -> dict[str, object]:
    stamps = rows["stamp"].to_list()
    inside = set(rows["session"].to_list())
    dividends = {
        str(_opening(day)): {"amount": amount, "date": _opening(day)}
        for day, amount in listing.dividends.items()
        if day in inside
    }
    splits = {
        str(_opening(day)): {"date": _opening(day), "numerator": ratio, "denominator": 1.0}
        for day, ratio in listing.splits.items()
        if day in inside
    }
    quote = {name: rows[name].to_list() for name in PRICES}
    quote["volume"] = rows["volume"].cast(pl.Int64).to_list()
    return {
        "meta": {
            "currency": "USD",
            "symbol": symbol,
            "exchangeName": "NMS",
            "instrumentType": "EQUITY",
            "firstTradeDate": 0,
            "gmtoffset": -18000,
            "timezone": "EST",
            "exchangeTimezoneName": "America/New_York",
            "priceHint": 2,
            "dataGranularity": "1d",
            "range": "",
            "validRanges": ["1d", "5d", "1mo", "3mo", "6mo", "1y", "5y", "max"],
        },
        "timestamp": stamps,
        "events": {"dividends": dividends, "splits": splits},
        "indicators": {"quote": [quote], "adjclose": [{"adjclose": rows["adj_close"].to_list()}]},
    }


def _alpaca_rows(rows: pl.DataFrame, first: str, last: str) -> list[dict[str, object]]:
    return [
        {
            "t": dt.datetime.combine(row["session"], dt.time(0), NEW_YORK)
            .astimezone(dt.UTC)
            .strftime("%Y-%m-%dT%H:%M:%SZ"),
            "o": row["open"],
            "h": row["high"],
            "l": row["low"],
            "c": row["close"],
            "v": int(row["volume"]),
            "n": 1,
            "vw": row["close"],
        }
        for row in rows.iter_rows(named=True)
        if first <= row["session"].isoformat() <= last
    ]
