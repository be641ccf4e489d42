"""A local stand-in of Alpaca's trading service: the real wire format, and faults when told to."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import re
import threading
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

NEW_YORK = ZoneInfo("America/New_York")
KEY = "AKZ7Q2M9R4W8B1C5D3E6"
SECRET = "hJ8kL2mN4pQ6rS9tU1vW3xY5zA7bC0dE2fG4hI6j"  # noqa: S105 - of this server alone
HTML = b"<!DOCTYPE html><html><body>We'll be right back</body></html>"
OPEN = {"new", "held", "partially_filled"}
PAGE_OF_ORDERS = 500
Row = dict[str, Any]


@dataclass
class Fault:
    """One thing done wrong with requests whose line contains `on`, so many times.

    `kind`: drop (take it, close the connection), lose (close the connection, take nothing), stall
    (take it, never answer), deaf (take nothing, never answer), trickle (answer too slowly), html,
    or a status; with `taken` the request takes effect first.
    """

    kind: str
    on: str
    times: float = 1
    taken: bool = False
    message: str = "refused"


@dataclass
class Exchange:
    """The account at the broker, what it was asked, and how to misbehave."""

    cash: Decimal = Decimal("100000")
    number: str = "918273645"
    now: dt.datetime = dt.datetime(2024, 3, 4, 21, 30, tzinfo=dt.UTC)
    is_open: bool = False
    status: str = "ACTIVE"
    url: str = ""
    orders: list[Row] = field(default_factory=list)
    activities: list[Row] = field(default_factory=list)
    positions: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    omitted: set[str] = field(default_factory=set)
    repeats_activities: bool = False
    reverses_activities: bool = False
    trickled: bool = False
    released: threading.Event = field(default_factory=threading.Event)
    lock: threading.RLock = field(default_factory=threading.RLock)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def misbehave(self, kind: str, on: str, **options: Any) -> None:
        """Do something wrong with the next requests of that kind."""
        self.faults.append(Fault(kind, on, **options))

    def next_fault(self, line: str) -> Fault | None:
        for each in self.faults:
            if each.on in line and each.times > 0:
                each.times -= 1
                return each
        return None

    def requests(self, part: str) -> int:
        """Count the requests whose line contains a text."""
        return sum(part in each for each in self.asked)

    def order(self, client_order_id: str) -> Row:
        """Return the one order of a name."""
        (found,) = (each for each in self.orders if each["client_order_id"] == client_order_id)
        return found

    def accept(self, body: Row, *, parent: Row | None = None) -> Row:
        """Take an order, with its exits."""
        made = {
            "id": str(uuid.UUID(int=next(self.numbers))),
            "client_order_id": body.get("client_order_id") or str(uuid.uuid4()),
            "submitted_at": self.now.isoformat().replace("+00:00", "Z"),
            "symbol": body["symbol"],
            "qty": body["qty"],
            "filled_qty": "0",
            "filled_avg_price": None,
            "side": body["side"],
            "type": body["type"],
            "time_in_force": body["time_in_force"],
            "order_class": body.get("order_class", "simple"),
            "limit_price": body.get("limit_price"),
            "stop_price": body.get("stop_price"),
            "status": "new" if parent is None else "held",
            "legs": None,
        }
        self.orders.append(made)
        out = "sell" if body["side"] == "buy" else "buy"
        kinds = {"take_profit": "limit", "stop_loss": "stop"}
        legs = [
            self.accept({**body, **body[name], "side": out, "type": kind, "take_profit": None,
                         "stop_loss": None, "client_order_id": None}, parent=made)
            for name, kind in kinds.items() if body.get(name)
        ]  # fmt: skip
        made["legs"] = legs or None
        return made

    def fill(self, order: Row, shares: str, price: str) -> Row:
        """Fill some shares of an order."""
        done, cost = Decimal(shares), Decimal(shares) * Decimal(price)
        before = Decimal(order["filled_qty"])
        paid = before * Decimal(order["filled_avg_price"] or 0) + cost
        total = before + done
        order["filled_qty"], order["filled_avg_price"] = str(total), str(paid / total)
        if order["status"] in OPEN:
            order["status"] = "filled" if total == Decimal(order["qty"]) else "partially_filled"
        sign = 1 if order["side"] == "buy" else -1
        self.cash -= sign * cost
        self._move(order["symbol"], sign * done, Decimal(price))
        row = {
            "activity_type": "FILL",
            "transaction_time": self.now.isoformat().replace("+00:00", "Z"),
            "type": "fill" if order["status"] == "filled" else "partial_fill",
            "price": price,
            "qty": shares,
            "side": order["side"],
            "symbol": order["symbol"],
            "leaves_qty": str(Decimal(order["qty"]) - total),
            "order_id": order["id"],
            "cum_qty": str(total),
            "order_status": order["status"],
        }
        return self._happened(row)

    def pay(self, kind: str, amount: str, *, date: dt.date | None = None, **more: str) -> Row:
        """Move money without a fill."""
        self.cash += Decimal(amount)
        day = date or self.now.astimezone(NEW_YORK).date()
        row = {"activity_type": kind, "date": day.isoformat(), "net_amount": amount, **more}
        return self._happened(row)

    def _happened(self, row: Row) -> Row:
        stamp = self.now.strftime("%Y%m%d%H%M%S%f")[:17]
        row["id"] = f"{stamp}::{uuid.UUID(int=next(self.numbers))}"
        self.activities.append(row)
        return row

    def _move(self, symbol: str, shares: Decimal, price: Decimal) -> None:
        held, average = self.positions.pop(symbol, (Decimal(0), Decimal(0)))
        after = held + shares
        if held * shares >= 0:
            average = (held * average + shares * price) / after
        elif held * after < 0:
            average = price
        if after:
            self.positions[symbol] = (after, average)

    def told_activities(self, asked: dict[str, str]) -> list[Row]:
        is_trade = asked.get("category") == "trade_activity"
        rows = [each for each in self.activities if (each["activity_type"] == "FILL") == is_trade]
        after = asked.get("after", "")[:10]
        rows = [
            each for each in rows if (each.get("date") or each["transaction_time"])[:10] > after
        ]
        rows = [each for each in rows for _ in range(2)] if self.repeats_activities else rows
        rows = rows[::-1] if self.reverses_activities else rows
        names = [each["id"] for each in rows]
        token = asked.get("page_token")
        first = len(names) - names[::-1].index(token) if token in names else 0
        return rows[first : first + int(asked.get("page_size", "100"))]

    def told_orders(self, asked: dict[str, str]) -> list[Row]:
        nested = asked.get("nested") == "true"
        legs = {leg["id"] for each in self.orders for leg in each["legs"] or ()}
        rows = [each for each in self.orders if not (nested and each["id"] in legs)]
        if asked.get("status") == "open":
            rows = [each for each in rows if each["status"] in OPEN]
        if "symbols" in asked:
            rows = [each for each in rows if each["symbol"] in asked["symbols"].split(",")]
        rows = [each for each in rows if each["submitted_at"] > asked.get("after", "")]
        return [each if nested else {**each, "legs": None} for each in rows][:PAGE_OF_ORDERS]


@contextmanager
def trading_server(exchange: Exchange | None = None) -> Iterator[Exchange]:
    """Run the server on a free local port."""
    made = exchange or Exchange()

    class Handler(_Handler):
        pass

    Handler.exchange = made
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    exchange: Exchange

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def do_DELETE(self) -> None:
        self._handle()

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        line = f"{self.command} {self.path}"
        with self.exchange.lock:
            self.exchange.asked.append(line)
            self.exchange.bodies.append(body.decode())
            fault = self.exchange.next_fault(line)
            takes = fault is None or fault.taken or fault.kind in {"drop", "stall"}
            status, answer = self._answer(body) if takes else (0, None)
        try:
            self._fail(fault) if fault else self._send(status, json.dumps(answer).encode())
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _fail(self, fault: Fault) -> None:
        match fault.kind:
            case "drop" | "lose":
                self.close_connection = True
            case "stall" | "deaf":
                self.exchange.released.wait(10)
                self.close_connection = True
            case "trickle":
                self._trickle()
            case "html":
                self._send(200, HTML)
            case status:
                self._send(int(status), json.dumps({"message": fault.message}).encode())

    def _trickle(self) -> None:
        """Send a good answer, a byte at a time, over four seconds."""
        body = b"[" + b" " * 38 + b"]"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        for each in body:
            self.wfile.write(bytes([each]))
            if self.exchange.released.wait(0.1):
                return
        self.exchange.trickled = True

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Retry-After", "1")
        self.send_header("Content-Length", str(len(body) if status != 204 else 0))
        self.end_headers()
        self.wfile.write(body if status != 204 else b"")

    def _answer(self, body: bytes) -> tuple[int, object]:
        parts = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        keys = (self.headers.get("APCA-API-KEY-ID"), self.headers.get("APCA-API-SECRET-KEY"))
        if keys != (KEY, SECRET):
            return 403, {"message": "forbidden."}
        route = f"{self.command} {parts.path.removeprefix('/v2')}"
        return answered(self.exchange, route, asked, body)


def answered(
    exchange: Exchange, route: str, asked: dict[str, str], body: bytes
) -> tuple[int, object]:
    """Answer a request."""
    match route:
        case "GET /account":
            worth = sum((q * a for q, a in exchange.positions.values()), exchange.cash)
            return 200, {
                "account_number": exchange.number, "status": exchange.status,
                "cash": str(exchange.cash), "equity": str(worth), "trading_blocked": False,
            }  # fmt: skip
        case "GET /account/activities":
            return 200, exchange.told_activities(asked)
        case "GET /positions":
            return 200, _positions(exchange)
        case "GET /clock":
            return 200, {"timestamp": exchange.now.astimezone(NEW_YORK).isoformat(),
                         "is_open": exchange.is_open}  # fmt: skip
        case "GET /orders":
            return 200, exchange.told_orders(asked)
    return _of_orders(exchange, route, asked, body)


def _of_orders(
    exchange: Exchange, route: str, asked: dict[str, str], body: bytes
) -> tuple[int, object]:
    match route:
        case "POST /orders":
            return _placed(exchange, json.loads(body))
        case "DELETE /orders":
            return 207, [_cancelled(each) for each in exchange.orders if each["status"] in OPEN]
        case "DELETE /positions":
            return 207, _closed(exchange)
        case "GET /orders:by_client_order_id":
            wanted = {"client_order_id": asked["client_order_id"]}
        case _:
            wanted = {"id": (re.search(r"/orders/(.+)", route) or [""] * 2)[1]}
    (name, value), *_ = wanted.items()
    found = next((each for each in exchange.orders if each[name] == value), None)
    if found is None:
        return 404, {"code": 40410000, "message": "order not found"}
    if route.startswith("GET"):
        return 200, found
    if found["status"] not in OPEN:
        return 422, {"code": 42210000, "message": "order is not cancelable"}
    return 204, _cancelled(found)


def _placed(exchange: Exchange, body: Row) -> tuple[int, object]:
    if any(each["client_order_id"] == body["client_order_id"] for each in exchange.orders):
        return 422, {"code": 40010001, "message": "client_order_id must be unique"}
    return 200, exchange.accept(body)


def _cancelled(order: Row) -> Row:
    order["status"] = "canceled"
    return {"id": order["id"], "status": 200}


def _closed(exchange: Exchange) -> list[Row]:
    for each in exchange.orders:
        each["status"] = "canceled" if each["status"] in OPEN else each["status"]
    for symbol, (shares, _) in exchange.positions.items():
        side = "sell" if shares > 0 else "buy"
        exchange.accept({"symbol": symbol, "qty": str(abs(shares)), "side": side,
                         "type": "market", "time_in_force": "day"})  # fmt: skip
    return [{"symbol": each, "status": 200} for each in exchange.positions]


def _positions(exchange: Exchange) -> list[Row]:
    return [
        {"symbol": symbol, "qty": str(shares), "side": "long" if shares > 0 else "short",
         "avg_entry_price": str(average)}
        for symbol, (shares, average) in exchange.positions.items()
        if symbol not in exchange.omitted
    ]  # fmt: skip
