from __future__ import annotations

import datetime as dt
import math
import stat
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import StatementError

from slices.domain.alerts import Level
from slices.domain.errors import IntegrityError, StorageError
from slices.domain.monitoring import Incident
from slices.monitor.schema import CURSORS, INCIDENTS, PICTURES, SILENCES
from slices.monitor.store import (
    FILE,
    Store,
    check_intact,
    open_for_watching,
    open_store,
    reading,
    writing,
)
from tests.support.ledger_processes import in_children

AT = dt.datetime(2026, 3, 2, 14, 30, 15, 123456, tzinfo=dt.UTC)
INCIDENT = Incident(
    key="disk-full|/|1",
    rule="disk-full",
    subject="/",
    level=Level.ERROR,
    message="m",
    next_step="n",
    value=math.inf,
    threshold=0.9,
    count=3,
    opened=AT,
    last_seen=AT + dt.timedelta(hours=1),
    acknowledged=AT.astimezone(dt.timezone(dt.timedelta(hours=-5))),
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "monitor")
    yield opened
    opened.close()


def spoil(store: Store) -> None:
    """Overwrite pages in the middle of the file, as a dying disk does."""
    with writing(store) as connection:
        connection.execute(insert(PICTURES).values(name="big", at=AT, text=b"x" * 400_000))
    with store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    content = bytearray(store.file.read_bytes())
    content[4096:-4096] = b"\xa5" * (len(content) - 8192)
    store.file.write_bytes(bytes(content))


def test_nobody_else_may_read_what_was_measured(store: Store) -> None:
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
    files = list(store.folder.iterdir())
    assert {each.name for each in files} >= {FILE, f"{FILE}-wal"}
    assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o600}


def test_an_incident_is_read_as_it_was_written(store: Store) -> None:
    undefined = {**vars(INCIDENT), "key": "other", "value": math.nan}
    with writing(store) as connection:
        connection.execute(insert(INCIDENTS), [vars(INCIDENT), undefined])
    with reading(store) as connection:
        rows = connection.execute(select(INCIDENTS).order_by(INCIDENTS.c.key)).mappings().all()
    first, second = (Incident(**row) for row in rows)
    assert first == INCIDENT
    assert math.isnan(second.value)


def test_a_time_without_a_zone_is_refused(store: Store) -> None:
    naive = {**vars(INCIDENT), "opened": AT.replace(tzinfo=None)}
    with pytest.raises(StatementError), writing(store) as connection:
        connection.execute(insert(INCIDENTS), naive)


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    row = {"name": "outbox", "value": 7}

    def stumble() -> None:
        with writing(store) as connection:
            connection.execute(insert(CURSORS), row)
            raise KeyError

    with pytest.raises(KeyError):
        stumble()
    with reading(store) as connection:
        assert connection.scalar(select(CURSORS.c.value)) is None


def test_a_row_that_exists_is_no_damage(store: Store) -> None:
    with pytest.raises(StorageError) as refusal, writing(store) as connection:
        connection.execute(insert(CURSORS), [{"name": "a", "value": 1}, {"name": "a", "value": 2}])
    assert not isinstance(refusal.value, IntegrityError)


def test_threads_share_a_store_and_count_right(store: Store) -> None:
    with writing(store) as connection:
        connection.execute(insert(CURSORS).values(name="outbox", value=0))

    def count() -> None:
        for _ in range(25):
            with writing(store) as connection:
                found = connection.scalar(select(CURSORS.c.value)) or 0
                connection.execute(CURSORS.update().values(value=found + 1))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    with reading(store) as connection:
        assert connection.scalar(select(CURSORS.c.value)) == 100


def test_processes_may_open_a_new_store_at_once(tmp_path: Path) -> None:
    def work() -> None:
        opened = open_store(tmp_path / "new")
        with writing(opened) as connection:
            connection.execute(insert(SILENCES).values(
                rule="disk-full", subject=str(threading.get_native_id()), until=AT, by="", reason=""
            ))  # fmt: skip
        opened.close()

    assert in_children(6, work) == [0] * 6
    opened = open_store(tmp_path / "new")
    with reading(opened) as connection:
        assert len(connection.execute(select(SILENCES)).all()) == 6
    opened.close()


def test_opening_again_costs_nothing_that_is_committed_later(store: Store) -> None:
    open_store(store.folder).close()
    program = """
        import datetime as dt, sys
        from pathlib import Path
        from sqlalchemy import insert, select
        from slices.monitor.schema import PICTURES
        from slices.monitor.store import open_store, writing

        store = open_store(Path(sys.argv[1]))
        with writing(store) as connection:
            if len(sys.argv) > 2:
                now = dt.datetime.now(dt.UTC)
                connection.execute(insert(PICTURES).values(name=sys.argv[2], at=now, text=b""))
            print(*sorted(connection.scalars(select(PICTURES.c.name))))
        store.close()
    """
    words = [sys.executable, "-c", textwrap.dedent(program), str(store.folder)]
    subprocess.run([*words, "theirs"], check=True)
    with writing(store) as connection:
        connection.execute(insert(PICTURES).values(name="ours", at=AT, text=b""))
    assert subprocess.check_output(words, text=True).split() == ["ours", "theirs"]


@pytest.mark.parametrize(
    "content", [b"no database at all" * 500, b"SQLite format 3\x00" + b"\xff" * 8192]
)
def test_a_damaged_file_is_refused_with_what_to_do(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(IntegrityError, match="tradeflows watch"):
        open_store(tmp_path)
    assert (tmp_path / FILE).read_bytes() == content


def test_the_watch_sets_a_damaged_file_aside_and_begins_anew(tmp_path: Path) -> None:
    content = b"no database at all" * 500
    (tmp_path / FILE).write_bytes(content)
    opened, aside = open_for_watching(tmp_path)
    check_intact(opened)
    opened.close()
    assert aside is not None
    assert aside.read_bytes() == content
    again, nothing = open_for_watching(tmp_path)
    again.close()
    assert nothing is None


def test_pages_that_rotted_are_found_before_they_are_used(store: Store) -> None:
    spoil(store)
    with pytest.raises(IntegrityError):
        check_intact(open_store(store.folder))
    opened, aside = open_for_watching(store.folder)
    assert aside is not None
    with writing(opened) as connection:
        connection.execute(insert(CURSORS).values(name="outbox", value=1))
    opened.close()


def test_readers_follow_the_watch_to_its_new_file(store: Store) -> None:
    reader = open_store(store.folder)
    with reading(reader) as connection:
        assert connection.scalar(select(CURSORS.c.value)) is None
    store.file.rename(store.folder / "old.db")
    with reading(reader) as connection:
        assert connection.scalar(select(CURSORS.c.value)) is None
    assert not store.file.exists()
    opened, _ = open_for_watching(store.folder)
    with writing(opened) as connection:
        connection.execute(insert(CURSORS).values(name="outbox", value=7))
    with reading(reader) as connection:
        assert connection.scalar(select(CURSORS.c.value)) == 7
    opened.close()
    reader.close()


def test_reading_rotten_pages_is_one_line_and_no_crash(store: Store) -> None:
    spoil(store)
    opened = open_store(store.folder)
    with pytest.raises(IntegrityError, match="tradeflows watch"), reading(opened) as connection:
        connection.execute(select(PICTURES)).all()
    opened.close()


def test_a_file_of_a_newer_program_is_refused(store: Store) -> None:
    with writing(store) as connection:
        connection.exec_driver_sql("PRAGMA user_version = 99")
    with pytest.raises(IntegrityError, match="99"):
        open_store(store.folder)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="file"):
        open_store(tmp_path / "file" / "monitor")
