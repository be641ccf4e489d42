"""Writers killed at any moment, and a reader that never stops."""

from __future__ import annotations

import datetime as dt
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from slices.data.manifest import Origin
from slices.data.store import BarStore
from tests.support.frames import repository

SYMBOLS = ("AAA", "BBB", "CCC")
ROUNDS = 10
WRITERS = 2

WRITER = """
    import datetime as dt, sys
    from pathlib import Path
    import polars as pl
    from slices.data.manifest import Origin
    from slices.data.store import BarStore
    from slices.data.validation import ValidatedBars
    from slices.domain.bars import Adjustment, BarShape
    from slices.domain.dataset import SymbolQuality

    store, feed, level = BarStore(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3])
    days = pl.date_range(dt.date(2020, 1, 1), dt.date(2021, 12, 31), eager=True)

    def bars(symbol, level):
        closes = pl.Series([float(level)] * len(days))
        frame = pl.DataFrame({"session": days, "close": closes, "split_factor": closes,
                              "total_factor": closes + hash(symbol) % 7})
        quality = SymbolQuality(symbol=symbol, rows=len(days), first_session=days[0],
                                last_session=days[-1])
        return ValidatedBars(symbol=symbol, bars=frame, quarantine=frame.clear(), quality=quality,
                             shape=BarShape.CLOSE_ONLY, basis=Adjustment.SPLIT)

    while True:
        level += 1
        store.put([bars(symbol, level) for symbol in ("AAA", "BBB", "CCC")],
                  origin=Origin(provider="test", feed=feed, start=None, end=None),
                  ingested_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
        print(level, flush=True)
"""

READER = """
    import sys, time
    from pathlib import Path
    from slices.data.store import BarStore

    store, stop, versions = BarStore(Path(sys.argv[1])), Path(sys.argv[2]), set()
    last = 0
    while not stop.exists():
        manifest = store.manifest()
        assert manifest.version >= last, "a version went backwards"
        last = manifest.version
        levels = {}
        for entry in manifest.entries:
            level = set(store.read(entry)["close"])
            assert len(level) == 1, "a torn file"
            levels.setdefault(entry.origin.feed, set()).update(level)
        assert all(len(each) == 1 for each in levels.values()), f"a torn batch: {levels}"
        versions.add(last)
        time.sleep(0.01)
    print(len(versions))
"""


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=repository(),
        env={**os.environ, "PYTHONHASHSEED": "1", "POLARS_MAX_THREADS": "1"},
    )


def killed(writer: subprocess.Popen[str], after_seconds: float) -> int:
    """Kill a writer some time after its first acknowledgement; return the last one."""
    assert writer.stdout is not None
    first = writer.stdout.readline()
    time.sleep(after_seconds)
    writer.send_signal(signal.SIGKILL)
    rest, errors = writer.communicate()
    assert first, errors
    complete = (first + rest).rpartition("\n")[0]
    return int(complete.splitlines()[-1])


@pytest.mark.slow
def test_r10_twenty_killed_writers_tear_nothing_and_lose_nothing_acknowledged(
    tmp_path: Path,
) -> None:
    chance = random.Random(20)  # noqa: S311 - not a secret
    store, stop = BarStore(tmp_path / "store"), tmp_path / "stop"
    reader = start(READER, store.root, stop)
    acknowledged = dict.fromkeys(range(WRITERS), 0)
    for _ in range(ROUNDS):
        writers = [start(WRITER, store.root, f"w{n}", acknowledged[n]) for n in range(WRITERS)]
        for n, writer in enumerate(writers):
            acknowledged[n] = killed(writer, chance.uniform(0, 0.15))
        manifest = store.manifest()
        for n in range(WRITERS):
            origin = Origin(provider="test", feed=f"w{n}", start=None, end=None)
            held = [manifest.find(symbol, origin) for symbol in SYMBOLS]
            levels = {store.read(entry)["close"][0] for entry in held if entry}
            assert len(levels) == 1
            assert min(levels) >= acknowledged[n], "an acknowledged version was lost"
            acknowledged[n] = int(min(levels))
    assert store.verify() == ()
    stop.touch()
    seen, errors = reader.communicate(timeout=30)
    assert reader.returncode == 0, errors
    assert int(seen) > ROUNDS, "the reader saw many versions"
    removed = store.gc(
        now=dt.datetime.now(dt.UTC) + dt.timedelta(hours=1),
        keep_versions=1,
        grace=dt.timedelta(minutes=1),
    )
    assert removed
    assert store.verify() == ()
    assert len(list((store.root / "objects").iterdir())) == WRITERS * len(SYMBOLS)
