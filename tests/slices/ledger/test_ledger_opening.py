"""Opening: tables are made once, kept when they are upgraded, and never shared between modes."""

from __future__ import annotations

import stat
import subprocess
import sys
import textwrap
from decimal import Decimal
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from slices.domain.accounts import TradingMode, TradingState
from slices.domain.errors import SettingsError, TradingError
from slices.domain.trading_errors import LedgerBusyError, LedgerError
from slices.ledger import connections
from slices.ledger.accounts import account_names, open_account, read_book
from slices.ledger.locking import account_lock
from slices.ledger.migrating import migrate, revision_of, revisions
from slices.ledger.opening import Ledger, ledger_for
from slices.ledger.reconciling import reconcile
from slices.ledger.venue_tables import VENUE_ACCOUNTS
from slices.ledger.verifying import verify
from tests.support.brokers import FaultyBroker
from tests.support.ledgers import AT, CAPITAL, SESSION, OpenLedger


def test_migrations_make_the_tables_the_program_knows(ledger: Ledger) -> None:
    with ledger.writing() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, VENUE_ACCOUNTS.metadata) == []
        assert revision_of(connection) == revisions()[-1]


def test_an_upgrade_keeps_what_is_there(ledger_url: str, opened: OpenLedger) -> None:
    url = ledger_url.replace("postgresql:", "postgresql+psycopg:")
    if url.startswith("sqlite"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir()
    old = create_engine(url)
    with old.begin() as connection:
        migrate(connection, name="old", revision="0001")
        connection.execute(text("INSERT INTO ledger_info VALUES (1, 'paper')"))
        connection.execute(
            text(
                "INSERT INTO accounts VALUES ('kept', '2024-03-04', '2024-03-04 21:00:00.000000',"
                " 5000000, 5000000, 5000000, 0, NULL)"
            )
        )
    old.dispose()
    ledger = opened(ledger_url)
    found = read_book(ledger, "kept")
    assert (found.cash, found.opened) == (5, SESSION)
    with ledger.reading() as connection:
        assert revision_of(connection) == revisions()[-1]


def elsewhere(work: str, url: str, folder: Path) -> str:
    """Let another process open the ledger, do something, and close it."""
    program = f"""
        import sys
        from pathlib import Path
        from slices.ledger.accounts import account_names, open_account
        from tests.support.ledgers import AT, CAPITAL, SESSION, ledger_at

        ledger = ledger_at(sys.argv[1], Path(sys.argv[2]))
        {work}
        ledger.close()
    """
    words = [sys.executable, "-c", textwrap.dedent(program), url, str(folder)]
    return subprocess.check_output(words, text=True)


def test_opening_again_costs_nothing_that_is_committed_later(
    ledger: Ledger, ledger_url: str, opened: OpenLedger, tmp_path: Path
) -> None:
    opened(ledger_url)
    theirs = "open_account(ledger, 'theirs', capital=CAPITAL, session=SESSION, at=AT)"
    elsewhere(theirs, ledger_url, tmp_path)
    open_account(ledger, "ours", capital=CAPITAL, session=SESSION, at=AT)
    found = elsewhere("print(*account_names(ledger))", ledger_url, tmp_path)
    assert found.split() == ["main", "ours", "theirs"]


def test_a_newer_ledger_is_refused(ledger: Ledger, ledger_url: str, opened: OpenLedger) -> None:
    with ledger.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(LedgerError, match="9999"):
        opened(ledger_url)


def test_r38_a_ledger_keeps_its_mode(ledger: Ledger, ledger_url: str, opened: OpenLedger) -> None:
    with pytest.raises(LedgerError, match="paper"):
        opened(ledger_url, mode=TradingMode.LIVE)
    assert account_names(opened(ledger_url)) == ("main",)


def test_r38_paper_and_live_accounts_have_ledgers_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRADEFLOWS_HOME", str(tmp_path))
    names = []
    for mode in TradingMode:
        ledger = ledger_for(mode)
        names.append(ledger.name)
        assert ledger.halt_file == tmp_path / "ledger" / "HALT"
        ledger.close()
    assert names == [f"{tmp_path}/ledger/paper.db", f"{tmp_path}/ledger/live.db"]


@pytest.mark.parametrize("mode", TradingMode)
@pytest.mark.parametrize(
    ("paper", "live"),
    [
        ("{home}/a.db", "{home}/a.db"),
        ("{home}/a.db", "{home}/sub/../a.db"),
        ("{home}/a.db", "{home}/link.db"),
        ("", "{home}/ledger/paper.db"),
        ("{home}/ledger/live.db", ""),
    ],
    ids=["equal", "another way", "a link", "the default of paper", "the default of live"],
)
def test_r38_one_database_is_never_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: TradingMode, paper: str, live: str
) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "link.db").symlink_to(tmp_path / "a.db")
    monkeypatch.setenv("TRADEFLOWS_HOME", str(tmp_path))
    for name, path in [("LEDGER_URL", paper), ("LIVE_LEDGER_URL", live)]:
        url = f"sqlite:///{path.format(home=tmp_path)}" if path else ""
        monkeypatch.setenv(f"TRADEFLOWS_{name}", url)
    with pytest.raises(SettingsError, match="LIVE_LEDGER_URL"):
        ledger_for(mode)
    assert not (tmp_path / "a.db").exists()


@pytest.mark.parametrize("user", ["", "someone@", "other:secret@"])
def test_r38_another_login_is_the_same_database(monkeypatch: pytest.MonkeyPatch, user: str) -> None:
    monkeypatch.setenv("TRADEFLOWS_LEDGER_URL", "postgresql://postgres@127.0.0.1:5432/books")
    live = f"postgresql+psycopg://{user}127.0.0.1/books"
    monkeypatch.setenv("TRADEFLOWS_LIVE_LEDGER_URL", live)
    with pytest.raises(SettingsError) as caught:
        ledger_for(TradingMode.LIVE)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["", "sqlite://", "sqlite:///:memory:", "mysql://a/b", "books.db"])
def test_only_files_and_servers_keep_books(opened: OpenLedger, url: str) -> None:
    with pytest.raises(SettingsError, match="sqlite"):
        opened(url)


def test_a_password_is_never_shown(opened: OpenLedger) -> None:
    for url in (
        "postgresql://me:hunter2@127.0.0.1:1/books",
        "postgresql://me@127.0.0.1:1/books?password=hunter2",
    ):
        with pytest.raises(TradingError) as caught:
            opened(url)
        assert "hunter2" not in str(caught.value)
        assert "books" in str(caught.value)


def test_nobody_else_reads_the_files(tmp_path: Path, opened: OpenLedger) -> None:
    file = tmp_path / "books" / "paper.db"
    ledger = opened(f"sqlite:///{file}")
    open_account(ledger, "main", capital=CAPITAL, session=SESSION, at=AT)
    files = list(file.parent.glob("paper.db*"))
    assert len(files) > 1
    assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o600}


def test_a_file_that_is_no_database_is_refused(tmp_path: Path, opened: OpenLedger) -> None:
    file = tmp_path / "paper.db"
    file.write_text("not a database, " * 100)
    with pytest.raises(LedgerError, match="not a database"):
        opened(f"sqlite:///{file}")
    assert file.read_text().startswith("not a database")


def test_a_transaction_that_fails_leaves_nothing(ledger: Ledger) -> None:
    def failing() -> None:
        with ledger.writing() as connection:
            connection.execute(text("UPDATE accounts SET cash = 0"))
            raise KeyError

    with pytest.raises(KeyError):
        failing()
    assert read_book(ledger, "main").cash == CAPITAL
    assert verify(ledger).is_whole


def test_the_database_refuses_what_the_program_never_writes(ledger: Ledger) -> None:
    for statement in (
        "INSERT INTO equity VALUES ('main', '2024-03-04', 3, 1, 1, 0)",
        "INSERT INTO marks VALUES ('nobody', 'AAPL', 1, '2024-03-04')",
        "INSERT INTO ledger_info VALUES (2, 'live')",
    ):
        with pytest.raises(LedgerError), ledger.writing() as connection:
            connection.execute(text(statement))


def test_one_holder_at_a_time(ledger: Ledger) -> None:
    with account_lock(ledger, "main"):
        with account_lock(ledger, "other", wait_seconds=0):
            pass
        with (
            pytest.raises(LedgerBusyError, match="main") as caught,
            account_lock(ledger, "main", wait_seconds=0.1),
        ):
            pass
        assert caught.value.retryable
    with account_lock(ledger, "main", wait_seconds=0):
        pass


def test_money_is_exact_to_the_last_unit(ledger: Ledger) -> None:
    most = Decimal("9223372036854.775807")
    open_account(ledger, "rich", capital=most, session=SESSION, at=AT)
    assert read_book(ledger, "rich").cash == most


def test_a_ledger_that_another_writes_to_is_busy_and_halts_nothing(
    monkeypatch: pytest.MonkeyPatch, ledger_url: str, opened: OpenLedger
) -> None:
    monkeypatch.setattr(connections, "BUSY_MILLISECONDS", 100)
    one, other = opened(ledger_url), opened(ledger_url)
    open_account(one, "main", capital=CAPITAL, session=SESSION, at=AT)
    with one.writing(), pytest.raises(LedgerBusyError), other.writing():
        pass
    with one.writing(), pytest.raises(LedgerBusyError):
        reconcile(other, FaultyBroker(), "main", at=AT)
    assert read_book(one, "main").state is TradingState.ACTIVE
