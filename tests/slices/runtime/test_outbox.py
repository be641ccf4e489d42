"""What was put in is there, whoever puts, whatever happens to him next."""

from __future__ import annotations

import datetime as dt
import logging
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slices.domain.alerts import DataStale, Event, Level
from slices.domain.errors import StorageError
from slices.runtime import outbox
from slices.runtime.events import emit
from slices.runtime.settings import load_settings

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("fresh_home")

PUTTING = """
import sys
from slices.domain.alerts import DataStale, Level
from slices.runtime.outbox import put

for number in range(int(sys.argv[2])):
    message = f"{sys.argv[1]} {number}"
    put(DataStale(subject="feed", level=Level.ERROR, message=message, missing_sessions=number))
    print(message, flush=True)
"""

FORKING = """
import os
from slices.domain.alerts import DataStale, Level
from slices.runtime.outbox import last_number, put

def put_some(name):
    for number in range(50):
        put(DataStale(subject=name, level=Level.INFO, message=str(number), missing_sessions=0))

put_some("before")
children = []
for name in ("one", "two", "three"):
    child = os.fork()
    if child == 0:
        put_some(name)
        os._exit(0)
    children.append(child)
    put_some("parent")
assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
put_some("after")
print(last_number())
"""

FULL = """
import resource, signal
from slices.domain.alerts import DataStale, Level
from slices.domain.errors import StorageError
from slices.runtime.outbox import last_number, put

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
stale = DataStale(subject="feed", level=Level.ERROR, message="x" * 1000, missing_sessions=0)
put(stale)
size = 200_000
before = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
kept = 1
try:
    while True:
        put(stale)
        kept += 1
except StorageError as refused:
    print(refused)
resource.setrlimit(resource.RLIMIT_FSIZE, before)
put(stale)
assert last_number() == kept + 1, (last_number(), kept)
"""


def stale(message: str = "old", *, subject: str = "feed") -> Event:
    return DataStale(subject=subject, level=Level.ERROR, message=message, missing_sessions=3)


def started(script: str, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *words],
        env=os.environ.copy(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_what_is_put_in_can_be_read_from_any_number_on() -> None:
    assert outbox.last_number() == 0
    ids = [outbox.put(stale(str(number))) for number in range(5)]
    found = outbox.take(0)
    assert [each.event_id for each in found] == ids
    assert [each.number for each in found] == [1, 2, 3, 4, 5]
    assert {(each.name, each.subject, each.level) for each in found} == {
        ("tradeflows.data.stale", "feed", Level.ERROR)
    }
    assert outbox.take(3) == found[3:]
    assert outbox.take(0, most=2) == found[:2]
    assert outbox.last_number() == 5
    assert all(UUID(each) for each in ids)
    assert all(each.at.utcoffset() == dt.timedelta(0) for each in found)


def test_it_lies_in_the_folder_of_the_watch_and_only_its_owner_reads_it() -> None:
    outbox.put(stale())
    folder = load_settings().monitor_folder
    assert outbox.outbox_file().parent == folder
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {each.stat().st_mode & 0o077 for each in folder.glob("outbox.db*")} == {0}


@given(message=st.text(st.characters(codec=None)))
def test_any_text_is_kept(message: str) -> None:
    before = outbox.last_number()
    outbox.put(stale(message))
    (found,) = outbox.take(before)
    assert found.message == message.encode("utf-8", "backslashreplace").decode()


def test_threads_lose_nothing_and_numbers_follow_each_other() -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda number: outbox.put(stale(str(number))), range(400)))
    found = outbox.take(0)
    assert {each.event_id for each in found} == ids
    assert [each.number for each in found] == list(range(1, 401))


def test_processes_lose_nothing_and_a_reader_with_a_cursor_misses_nothing() -> None:
    writers = [started(PUTTING, str(name), "150") for name in range(3)]
    seen: list[str] = []
    cursor = 0
    while any(each.poll() is None for each in writers) or cursor < outbox.last_number():
        for notice in outbox.take(cursor, most=40):
            cursor = notice.number
            seen.append(notice.message)
    said = [line for each in writers for line in each.communicate()[0].splitlines()]
    assert [each.returncode for each in writers] == [0, 0, 0]
    assert sorted(seen) == sorted(said)
    assert len(seen) == 450


def test_what_was_acknowledged_survives_a_kill() -> None:
    for attempt in range(3):
        before = outbox.last_number()
        writer = started(PUTTING, str(attempt), "100000")
        assert writer.stdout is not None
        said = [writer.stdout.readline().strip() for _ in range(40 + attempt)]
        writer.send_signal(signal.SIGKILL)
        said += writer.communicate()[0].splitlines()
        kept = [each.message for each in outbox.take(before, most=200_000)]
        complete = said[:-1]  # the last line may be torn
        assert kept[: len(complete)] == complete
        assert len(complete) <= len(kept) <= len(said) + 1


def test_a_fork_shares_nothing_that_could_lose_an_event() -> None:
    forker = started(FORKING)
    said = forker.communicate()[0]
    assert forker.returncode == 0, said
    assert int(said.splitlines()[-1]) == 50 + 3 * 50 + 3 * 50 + 50


def test_a_full_disk_refuses_and_what_was_there_stays() -> None:
    filler = started(FULL)
    said = filler.communicate()[0]
    assert filler.returncode == 0, said
    assert "outbox.db" in said


def test_a_file_that_was_taken_away_is_made_anew() -> None:
    outbox.put(stale())
    for each in outbox.outbox_file().parent.glob("outbox.db*"):
        each.unlink()
    outbox.put(stale("new"))
    assert [each.message for each in outbox.take(0)] == ["new"]


def test_only_what_is_old_and_was_counted_is_forgotten() -> None:
    for number in range(6):
        outbox.put(stale(str(number)))
    later = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1)
    assert outbox.prune(later - dt.timedelta(days=1), through=6) == 0
    assert outbox.prune(later, through=4) == 4
    assert [each.number for each in outbox.take(0)] == [5, 6]
    assert outbox.prune(later, through=6) == 2
    assert outbox.last_number() == 6
    outbox.put(stale())
    assert outbox.last_number() == 7


def test_an_outbox_that_cannot_be_written_stops_nobody(
    fresh_home: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = f"{fresh_home}/taken"
    with open(blocked, "w", encoding="ascii"):  # noqa: PTH123 - a file where a folder should be
        pass
    monkeypatch.setenv("TRADEFLOWS_HOME", blocked)
    with pytest.raises(StorageError):
        outbox.put(stale())
    with caplog.at_level(logging.CRITICAL):
        assert UUID(emit(stale()))
    assert "nobody is alerted" in caplog.text


def test_emit_writes_down_every_event_under_the_id_it_returns() -> None:
    ids = [emit(stale("same")) for _ in range(20)]
    assert [each.event_id for each in outbox.take(0)] == ids


def test_a_damaged_file_is_refused_and_left_alone(fresh_home: str) -> None:
    file = outbox.outbox_file()
    file.parent.mkdir()
    file.write_bytes(b"not a database, but long enough to look at" * 40)
    content = file.read_bytes()
    with pytest.raises(StorageError):
        outbox.put(stale())
    assert file.read_bytes() == content


def test_the_home_of_the_moment_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outbox.put(stale("here"))
    monkeypatch.setenv("TRADEFLOWS_HOME", str(tmp_path))
    outbox.put(stale("there"))
    assert [each.message for each in outbox.take(0)] == ["there"]
