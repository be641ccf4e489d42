"""Ledgers for tests: on SQLite in a folder of the test, and on a PostgreSQL server of the run."""

from __future__ import annotations

import datetime as dt
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from slices.domain.accounts import TradingMode
from slices.domain.brokers import BrokerOrder
from slices.domain.exact import money, price, quantity
from slices.domain.limits import Breach, GateDecision, ReasonCode
from slices.domain.orders import Fill, Order, OrderState, Side
from slices.ledger.accounts import open_account
from slices.ledger.opening import Ledger, open_ledger
from slices.ledger.orders import write_answer, write_intents

SESSION = dt.date(2024, 3, 4)
AT = dt.datetime(2024, 3, 4, 21, 0, tzinfo=dt.UTC)
CAPITAL = Decimal("100000.000000")
READY_SECONDS = 30.0

OpenLedger = Callable[..., Ledger]


def _program(name: str) -> str | None:
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(installed[-1]) if installed else shutil.which(name)


def _owner() -> str | None:
    """Name the user PostgreSQL runs as, since it refuses to run as root."""
    return "postgres" if os.geteuid() == 0 else None


def _reason_to_skip() -> str:
    if _program("initdb") is None or _program("postgres") is None:
        return "no PostgreSQL server is installed"
    if _owner() and "postgres" not in {each.pw_name for each in pwd.getpwall()}:
        return "PostgreSQL does not run as root, and there is no user postgres"
    return ""


@contextmanager
def _cluster(folder: Path) -> Iterator[Path]:
    owner, data = _owner(), folder / "data"
    if owner:
        shutil.chown(folder, owner)
    as_owner = {"user": owner, "group": owner, "extra_groups": []} if owner else {}
    initdb = [str(_program("initdb")), "-D", str(data), "-U", "postgres", "-A", "trust", "-N"]
    subprocess.run(initdb, check=True, capture_output=True, cwd=folder, **as_owner)
    options = ["fsync=off", "full_page_writes=off", "listen_addresses=", "max_connections=40"]
    words = [str(_program("postgres")), "-D", str(data), "-k", str(folder)]
    words += [word for each in options for word in ("-c", each)]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(words, stdout=log, stderr=log, cwd=folder, **as_owner)
    try:
        _wait_for(folder)
        yield folder
    finally:
        server.send_signal(signal.SIGQUIT)
        server.wait(READY_SECONDS)


def _wait_for(folder: Path) -> None:
    import psycopg

    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            psycopg.connect(host=str(folder), user="postgres", dbname="postgres").close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Path]:
    """The folder with the socket of a PostgreSQL server that lives as long as the run."""
    reason = _reason_to_skip()
    if reason:
        pytest.skip(reason)
    pytest.importorskip("psycopg")
    folder = Path(tempfile.mkdtemp(prefix="tf-pg-", dir="/tmp"))
    try:
        with _cluster(folder) as socket_folder:
            yield socket_folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def new_database(folder: Path) -> str:
    """Make a database of its own and return its address."""
    import psycopg

    name = f"ledger_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(host=str(folder), user="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
    return f"postgresql://postgres@/{name}?host={folder}"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without tables, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/ledger/paper.db"
    return new_database(request.getfixturevalue("postgresql"))


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[OpenLedger]:
    """Open ledgers that are closed after the test."""
    open_ones: list[Ledger] = []

    def opening(url: str, *, mode: TradingMode = TradingMode.PAPER) -> Ledger:
        open_ones.append(ledger_at(url, tmp_path, mode=mode))
        return open_ones[-1]

    yield opening
    for each in open_ones:
        each.close()


@pytest.fixture
def ledger(ledger_url: str, opened: OpenLedger) -> Ledger:
    """A ledger with one account, `main`, with 100,000."""
    fresh = opened(ledger_url)
    open_account(fresh, "main", capital=CAPITAL, session=SESSION, at=AT)
    return fresh


def ledger_at(url: str, folder: Path, *, mode: TradingMode = TradingMode.PAPER) -> Ledger:
    """Open a ledger whose locks and halt file are in a folder."""
    return open_ledger(url, mode=mode, halt_file=folder / "HALT", locks_folder=folder / "locks")


def order(
    name: str,
    *,
    shares: Decimal | float = 10,
    side: Side = Side.BUY,
    symbol: str = "AAPL",
    account: str = "main",
    session: dt.date = SESSION,
) -> Order:
    """An order at market."""
    return Order(
        client_order_id=name,
        account=account,
        workflow="test",
        strategy="rule",
        session=session,
        symbol=symbol,
        side=side,
        quantity=quantity(shares),
    )


def fill(
    name: str,
    shares: Decimal | float,
    at_price: Decimal | float | str = 100,
    *,
    of: str = "",
    symbol: str = "AAPL",
    account: str = "main",
    day: int = 0,
    commission: Decimal | str = "0",
) -> Fill:
    """A fill `day` days after the session that the account was opened at."""
    return Fill(
        fill_id=name,
        account=account,
        client_order_id=of,
        symbol=symbol,
        quantity=quantity(shares),
        price=price(at_price),
        commission=money(commission),
        session=SESSION + dt.timedelta(days=day),
        at=AT + dt.timedelta(days=day),
    )


def decision(wanted: Order, *codes: ReasonCode) -> GateDecision:
    """What a gate says that has these reasons against an order."""
    return GateDecision(
        client_order_id=wanted.client_order_id,
        breaches=tuple(Breach(code=each, found="this", allowed="that") for each in codes),
        projected_quantity=float(wanted.quantity),
        projected_gross=0.0,
        projected_cash=0.0,
    )


def intend(ledger: Ledger, *orders: Order, at: dt.datetime = AT) -> None:
    """Write orders that the gate has accepted, each with its account."""
    with ledger.writing() as connection:
        for each in orders:
            write_intents(connection, each.account, [(each, decision(each))], at=at)


def answer(wanted: Order, state: OrderState, *, broker_order_id: str = "") -> BrokerOrder:
    """What a broker says of an order."""
    return BrokerOrder(
        client_order_id=wanted.client_order_id,
        broker_order_id=broker_order_id or f"broker-{wanted.client_order_id}",
        state=state,
        symbol=wanted.symbol,
    )


def accept(ledger: Ledger, *orders: Order, at: dt.datetime = AT) -> None:
    """Write orders as intended and as accepted by a broker."""
    intend(ledger, *orders, at=at)
    for each in orders:
        write_answer(ledger, each.client_order_id, answer(each, OrderState.ACCEPTED), at=at)


def same_but(one: Fill, *, at_price: Decimal | float) -> Fill:
    """The same fill at another price."""
    return replace(one, price=price(at_price))
