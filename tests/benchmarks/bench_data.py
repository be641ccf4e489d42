"""Price data on its way in: `python -m tests.benchmarks.bench_data`.

505 symbols from 2013 to 2018, from a file of the shared price data to one dataset. Peak memory is
that of the whole process so far, so each row includes the rows above it.
"""

from __future__ import annotations

import resource
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from slices.data.assemble import assemble
from slices.data.ingest import ingest
from slices.data.sources import open_source
from slices.data.store import BarStore
from slices.data.validation import validate
from slices.domain.bars import Adjustment
from slices.domain.clock import SystemClock
from slices.domain.dataset import read_bars
from tests.benchmarks.harness import Figure, print_figures, timed
from tests.support.frames import shared_data

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = "sp500_505_2013_2018.parquet"
SYMBOLS = 505
DEFECTIVE_ROWS = 23
PACKAGES = ("polars", "pyarrow")


def figure(work: str, seconds: float, wrong: str = "") -> Figure:
    """Attach the peak memory to a time."""
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    note = f"peak {megabytes:,.0f} MB"
    return Figure(work=work, value=seconds, unit="s", note=note, wrong=wrong)


def unequal(name: str, found: int, expected: int) -> str:
    """Say what differs; empty where nothing does."""
    return "" if found == expected else f"{found} {name}, expected {expected}"


def figures(file: Path, folder: Path) -> Iterator[Figure]:
    """Measure every step on the way from the file to the dataset and back."""
    seconds, source = timed(lambda: open_source("files", feed=str(file)))
    names = source.symbols()
    yield figure("open", seconds, unequal("symbols", len(names), SYMBOLS))

    fetched = [source.fetch(each, start=None, end=None) for each in names]
    shape, calendar = source.capabilities.shape, source.calendar
    seconds, checked = timed(lambda: [validate(each, shape, calendar) for each in fetched])
    defective = sum(each.quarantine.height for each in checked)
    yield figure("validate", seconds, unequal("rows set aside", defective, DEFECTIVE_ROWS))

    store = BarStore(folder / "store")

    def stored() -> object:
        return ingest(source, names, start=None, end=None, store=store, clock=SystemClock())

    seconds, _ = timed(stored)
    yield figure("ingest: fetch, validate, store", seconds)
    seconds, _ = timed(stored)
    yield figure("ingest again, nothing new", seconds)

    outcomes = ingest(source, names, start=None, end=None, store=store, clock=SystemClock())
    seconds, dataset = timed(
        lambda: assemble(
            outcomes,
            source=source,
            store=store,
            start=None,
            end=None,
            adjustment=Adjustment.SPLIT,
            datasets_dir=folder / "datasets",
        )
    )
    kept = sum(each.bars.height for each in checked)
    yield figure("assemble one dataset", seconds, unequal("rows", dataset.rows, kept))
    seconds, bars = timed(lambda: read_bars(dataset))
    yield figure("read it, checksum proved", seconds, unequal("rows", bars.height, kept))


def main() -> int:
    """Print the table."""
    try:
        file = shared_data(FILE)
    except pytest.skip.Exception as absent:
        sys.stdout.write(f"Data: skipped, {absent}\n")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        title = f"Data: {SYMBOLS} symbols, 2013 to 2018"
        return print_figures(title, figures(file, Path(folder)), packages=PACKAGES)


if __name__ == "__main__":
    sys.exit(main())
