"""Accounts, the kill switch, the journal and single orders from the command line."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from flows.cli import main
from flows.cli.exits import Exit
from slices.domain.accounts import TradingMode, TradingState
from slices.domain.calendar import session_close
from slices.domain.limits import DEFAULT_LIMITS
from slices.domain.orders import OrderState
from slices.domain.parameters import TradingRules
from slices.ledger.accounts import open_account, read_book
from slices.ledger.opening import Ledger, ledger_for
from slices.ledger.orders import find_order
from slices.ledger.path import place
from slices.ledger.reconciling import reconcile
from slices.paper_trade.venue import PaperBroker
from slices.quant.panel import Panel
from slices.runtime.settings import load_settings
from tests.support.frames import repository
from tests.support.ledgers import CAPITAL, SESSION
from tests.support.placing import AT, NEXT, mark, placed, wanted
from tests.support.venues import FREE, quoted

LIMITS = DEFAULT_LIMITS.model_copy(update={"max_order_quantity": 50.0})
FILLED = wanted("AAPL", 10)
WAITING = wanted("AAPL", 5, session=NEXT)
DENIED = wanted("AAPL", 60, sequence=1)


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRADEFLOWS_HOME", str(tmp_path))
    return tmp_path


def bars() -> Panel:
    return quoted((100, 101, 99, 100), (102, 103, 101, 102), symbol="AAPL")


def traded(ledger: Ledger) -> None:
    """Let an account buy in one session, and leave an order waiting in the next."""
    open_account(ledger, "main", capital=CAPITAL, session=SESSION, at=AT)
    broker = PaperBroker.open(
        ledger, "main", capital=CAPITAL, session=SESSION, costs=FREE, rules=TradingRules()
    )
    broker.advance(bars(), until=SESSION)
    mark(ledger)
    common = {"limits": LIMITS, "workflow": "paper_trading", "strategy": "sma_cross"}
    place(
        ledger, broker, "main", [FILLED, DENIED], session=SESSION, at=AT,
        targets=[("AAPL", 0.01)], details=[("fast", "10")], **common,
    )  # fmt: skip
    broker.advance(bars(), until=NEXT)
    reconcile(ledger, broker, "main", at=session_close(NEXT))
    mark(ledger, session=NEXT)
    place(ledger, broker, "main", [WAITING], session=NEXT, at=session_close(NEXT), **common)


@pytest.fixture
def ledger(own_home: Path) -> Iterator[Ledger]:
    opened = ledger_for(TradingMode.PAPER)
    traded(opened)
    yield opened
    opened.close()


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(words)
    seen = capsys.readouterr()
    return code, seen.out, seen.err


def test_accounts_lists_what_there_is(ledger: Ledger, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = told(capsys, "accounts", "--json")
    assert code == Exit.OK
    line = json.loads(out)[0]
    book = read_book(ledger, "main")
    assert (line["account"], line["mode"], line["session"]) == ("main", "paper", str(NEXT))
    assert float(line["equity"]) == float(book.equity)
    assert (line["positions"], line["open_orders"], line["state"]) == (1, 1, "active")
    assert "main" in told(capsys, "accounts")[1]


def test_accounts_without_a_ledger_makes_none(
    own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert json.loads(told(capsys, "accounts", "--json")[1]) == []
    assert told(capsys, "accounts")[0] == Exit.OK
    assert not (own_home / "ledger").exists()


def test_r34_halting_cancels_what_is_open_and_blocks_what_comes(
    ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = told(capsys, "halt", "--reason", "something is wrong", "--json")
    assert code == Exit.OK
    assert json.loads(out)["halted"] == [
        {"mode": "paper", "account": "main", "cancelled": 1, "problem": ""}
    ]
    found = find_order(ledger, WAITING.client_order_id)
    assert found is not None
    assert found.state is OrderState.CANCELLED
    assert PaperBroker(ledger, "main").open_orders() == ()
    assert "something is wrong" in load_settings().halt_file.read_text()
    book = read_book(ledger, "main")
    assert book.state is TradingState.HALTED


def test_releasing_wants_a_reason_and_records_who_and_why(
    ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    told(capsys, "halt")
    with pytest.raises(SystemExit):
        main(["release"])
    capsys.readouterr()
    assert told(capsys, "release", "--reason", "  ")[0] == Exit.BAD_INPUT
    assert read_book(ledger, "main").state is TradingState.HALTED
    assert told(capsys, "release", "--reason", "looked into it")[0] == Exit.OK
    assert read_book(ledger, "main").state is TradingState.ACTIVE
    assert not load_settings().halt_file.exists()
    _, out, _ = told(capsys, "journal", "show", "--json", "--last", "1")
    entry = json.loads(out)[0]
    assert entry["kind"] == "state.active"
    payload = dict(entry["payload"])
    assert payload["reason"] == "looked into it"
    assert payload["by"]


def test_one_account_is_halted_and_released_alone(
    ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    open_account(ledger, "other", capital=CAPITAL, session=SESSION, at=AT)
    assert told(capsys, "halt", "--account", "main")[0] == Exit.OK
    assert not load_settings().halt_file.exists()
    assert read_book(ledger, "main").state is TradingState.HALTED
    assert read_book(ledger, "other").state is TradingState.ACTIVE
    told(capsys, "halt")
    code, out, _ = told(capsys, "release", "--account", "main", "--reason", "checked", "--json")
    assert code == Exit.HALTED
    assert json.loads(out)["state"] == "halted", "the halt of everything still stands"


def test_releasing_everything_names_what_is_halted_by_itself(
    ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    told(capsys, "halt", "--account", "main", "--reason", "lost too much")
    told(capsys, "halt")
    _, out, _ = told(capsys, "release", "--reason", "checked", "--json")
    (still,) = json.loads(out)["still"]
    assert (still["account"], still["mode"], still["state"]) == ("main", "paper", "halted")
    told(capsys, "halt")
    code, out, _ = told(capsys, "release", "--reason", "checked")
    assert code == Exit.OK
    assert "lost too much" in out
    assert "tradeflows release --account main" in out
    assert read_book(ledger, "main").state is TradingState.HALTED


def test_halting_an_account_there_is_not_fails(
    ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, errors = told(capsys, "halt", "--account", "nobody")
    assert code == Exit.BAD_INPUT
    assert "nobody" in errors


@pytest.mark.parametrize("damage", ["broken", "a folder"])
def test_r34_a_broken_ledger_keeps_nothing_from_being_halted(
    own_home: Path, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    file = own_home / "ledger" / "paper.db"
    if damage == "broken":
        file.parent.mkdir()
        file.write_bytes(b"this is no database" * 100)
    else:
        file.mkdir(parents=True)
    code, _, errors = told(capsys, "halt")
    assert code == Exit.FAILED
    assert load_settings().halt_file.exists()
    assert any("paper" in line for line in errors.splitlines())
    assert "Traceback" not in errors


@pytest.mark.slow
def test_r34_trading_is_blocked_while_the_database_is_locked_and_before_anything_is_asked(
    ledger: Ledger, own_home: Path
) -> None:
    broker = PaperBroker(ledger, "main")
    file = own_home / "ledger" / "paper.db"
    words = [sys.executable, "-m", "flows", "halt"]
    with (
        closing(sqlite3.connect(file, isolation_level=None)) as other,
        subprocess.Popen(words, cwd=repository(), stderr=subprocess.DEVNULL) as halting,
    ):
        other.execute("BEGIN EXCLUSIVE")
        while not (own_home / "ledger" / "HALT").exists():
            assert halting.poll() is None
            time.sleep(0.01)
        other.execute("ROLLBACK")
        later = wanted("AAPL", 1, session=NEXT, sequence=2)
        answer = placed(ledger, broker, [later], session=NEXT, strategy="other", limits=LIMITS)
        assert answer.records[0].state is OrderState.DENIED
        assert halting.wait(60) == 0
    assert broker.open_orders() == ()


def test_the_halt_file_is_there_before_anything_heavy_is_imported(own_home: Path) -> None:
    words = (
        "import sys; from flows.cli import halt; halt._touch(halt.halt_file());"
        "heavy = {'sqlalchemy', 'pydantic', 'polars', 'prefect', 'numpy'} & set(sys.modules);"
        "sys.exit(', '.join(heavy) or None)"
    )
    done = subprocess.run(
        [sys.executable, "-c", words], cwd=repository(), env=dict(os.environ), check=False
    )
    assert done.returncode == 0
    assert load_settings().halt_file.exists()


def test_the_journal_is_verified_and_a_changed_row_is_found(
    ledger: Ledger, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = told(capsys, "journal", "verify", "--json")
    assert code == Exit.OK
    assert json.loads(out)["is_whole"]
    ledger.close()
    with closing(sqlite3.connect(own_home / "ledger" / "paper.db")) as database:
        database.execute("UPDATE fills SET price = price + 1")
        database.commit()
    code, _, errors = told(capsys, "journal", "verify")
    assert code == Exit.STORAGE
    assert "price" in errors


def test_the_journal_shows_the_newest_entries(
    ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = told(capsys, "journal", "show", "--account", "main", "--last", "3")
    assert code == Exit.OK
    assert len(out.splitlines()) == 3
    assert told(capsys, "journal", "show", "--last", "0")[0] == Exit.BAD_INPUT
    assert told(capsys, "journal", "show", "--account", "nobody")[0] == Exit.BAD_INPUT


def test_an_order_is_explained_from_its_decision_to_its_fill(
    ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    beginning = FILLED.client_order_id[:12]
    code, out, _ = told(capsys, "explain", beginning, "--json")
    assert code == Exit.OK
    explained = json.loads(out)
    assert explained["client_order_id"] == FILLED.client_order_id
    kinds = [each["what"] for each in explained["happenings"]]
    assert kinds.index("traded_with") < kinds.index("order.intended")
    assert kinds.index("order.intended") < kinds.index("order.accepted") < kinds.index("filled")
    assert "order.filled" in kinds
    intended = dict(explained["happenings"][kinds.index("order.intended")]["details"])
    assert float(intended["projected_quantity"]) == 10
    filled = dict(explained["happenings"][kinds.index("filled")]["details"])
    assert (float(filled["quantity"]), float(filled["price"])) == (10, 102)
    assert FILLED.client_order_id in told(capsys, "explain", beginning)[1]


def test_a_denied_order_is_explained_with_what_was_found_and_allowed(
    ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = told(capsys, "explain", DENIED.client_order_id)
    assert "quantity_too_large" in out
    assert "60" in out
    assert "50" in out


def test_an_order_is_explained_only_where_its_name_is_one(
    ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, errors = told(capsys, "explain", "tf-")
    assert code == Exit.BAD_INPUT
    assert "3 orders" in errors
    assert told(capsys, "explain", "nothing")[0] == Exit.BAD_INPUT
