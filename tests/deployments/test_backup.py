"""A backup is whole, checked, and comes back; nothing is lost on the way."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from deployments.backup import backup, checked
from deployments.processes import end_all, start
from deployments.programs import Program
from deployments.restore import restore
from slices.domain.errors import IntegrityError, ParameterError, SettingsError
from slices.ledger.states import read_halt_file
from slices.runtime.servers import record


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    monkeypatch.setenv("TRADEFLOWS_HOME", str(home))
    for name in ("ledger", "store", "results", "run"):
        (home / name).mkdir(parents=True)
    (home / "store" / "bars.parquet").write_bytes(b"bars")
    (home / "results" / "cached").write_bytes(b"can be made again")
    (home / "credentials").write_text("secret\n")
    return home


def book(home: Path) -> sqlite3.Connection:
    database = sqlite3.connect(home / "ledger" / "paper.db")
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("CREATE TABLE IF NOT EXISTS fills (quantity INTEGER)")
    return database


def booked(home: Path) -> list[int]:
    with closing(sqlite3.connect(home / "ledger" / "paper.db")) as database:
        return [quantity for (quantity,) in database.execute("SELECT quantity FROM fills")]


def test_a_database_in_use_is_copied_as_of_its_last_commit(own_home: Path, tmp_path: Path) -> None:
    with closing(book(own_home)) as database:
        database.execute("INSERT INTO fills VALUES (7)")
        database.commit()
        database.execute("INSERT INTO fills VALUES (8)")
        backup(tmp_path / "copy")
        database.commit()
    assert booked(tmp_path / "copy") == [7]
    assert checked(tmp_path / "copy") == (Path("ledger/paper.db"), Path("store/bars.parquet"))
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o700


def test_what_was_backed_up_comes_back_and_what_was_there_is_kept(
    own_home: Path, tmp_path: Path
) -> None:
    with closing(book(own_home)) as database:
        database.execute("INSERT INTO fills VALUES (7)")
        database.commit()
        backup(tmp_path / "copy")
        database.execute("DELETE FROM fills")
        database.commit()
    (own_home / "store" / "bars.parquet").write_bytes(b"spoilt")
    count, aside = restore(tmp_path / "copy")
    assert count == 2
    assert booked(own_home) == [7]
    assert (own_home / "store" / "bars.parquet").read_bytes() == b"bars"
    assert (aside / "store" / "bars.parquet").read_bytes() == b"spoilt"
    assert (own_home / "credentials").read_text() == "secret\n"
    assert (own_home / "results" / "cached").exists()
    assert backup(tmp_path / "next") == 3, "the halt file is kept too"


def test_what_was_halted_since_a_backup_is_not_let_go_by_restoring_it(
    own_home: Path, tmp_path: Path
) -> None:
    backup(tmp_path / "copy")
    halt_file = own_home / "ledger" / "HALT"
    halt_file.write_text("the books are wrong\n")
    _, aside = restore(tmp_path / "copy")
    assert "restored from" in (read_halt_file(halt_file) or "")
    assert (aside / "ledger" / "HALT").read_text() == "the books are wrong\n"


def test_what_was_halted_when_it_was_backed_up_is_halted_for_that_reason(
    own_home: Path, tmp_path: Path
) -> None:
    halt_file = own_home / "ledger" / "HALT"
    halt_file.write_text("known then\n")
    backup(tmp_path / "copy")
    halt_file.unlink()
    restore(tmp_path / "copy")
    assert halt_file.read_text() == "known then\n"


def test_files_that_come_and_go_meanwhile_do_not_keep_a_backup_from_being_made(
    own_home: Path, tmp_path: Path
) -> None:
    folder, done = own_home / "prefect" / "concurrency_leases", threading.Event()
    folder.mkdir(parents=True)

    def come_and_go() -> None:
        while not done.is_set():
            files = [folder / f"{number}.json" for number in range(50)]
            for each in files:
                each.write_text("{}")
            for each in files:
                each.unlink()

    coming = threading.Thread(target=come_and_go)
    coming.start()
    try:
        for number in range(30):
            backup(tmp_path / str(number))
            assert Path("store/bars.parquet") in checked(tmp_path / str(number))
    finally:
        done.set()
        coming.join()


def test_a_damaged_backup_changes_nothing(own_home: Path, tmp_path: Path) -> None:
    book(own_home).close()
    backup(tmp_path / "copy")
    (tmp_path / "copy" / "store" / "bars.parquet").write_bytes(b"other")
    before = sorted(own_home.rglob("*"))
    with pytest.raises(IntegrityError, match="bars"):
        restore(tmp_path / "copy")
    assert [each for each in sorted(own_home.rglob("*")) if each.parent.name != "locks"] == [
        *before[:3], own_home / "locks", *before[3:]
    ]  # fmt: skip


@pytest.mark.parametrize("named", [("run",), ("store", "list"), ()])
def test_a_folder_that_is_no_backup_is_refused(
    own_home: Path, tmp_path: Path, named: tuple[str, ...]
) -> None:
    with pytest.raises(IntegrityError):
        restore(tmp_path.joinpath(*named))


def test_a_backup_never_goes_over_anything(own_home: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    for folder in (tmp_path / "full", own_home / "inside"):
        with pytest.raises(ParameterError):
            backup(folder)


def test_nothing_is_restored_under_running_servers(own_home: Path, tmp_path: Path) -> None:
    backup(tmp_path / "copy")
    begun = start(Program(name="watch", words=("sleep", "600"), variables=()), own_home / "run")
    record(own_home / "run", replace(begun, is_ready=True))
    with pytest.raises(SettingsError, match="watch"):
        restore(tmp_path / "copy")
    end_all(own_home / "run")
