"""Whole flows over a whole market: `python -m tests.benchmarks.bench_universe`.

505 symbols from 2013 to 2018, from a file of the shared price data to the report, each flow as the
command a person types, in an empty home of its own. Time and peak memory are those of the command
and everything it started.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from tests.benchmarks.harness import Figure, print_figures, timed
from tests.support.frames import shared_data
from tests.support.server import BIN, clean_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = "sp500_505_2013_2018.parquet"
PACKAGES = ("prefect", "polars", "numba")
DEGRADED = 3
FLOWS = {
    "full_analysis": (),
    "momentum_portfolio": (),
}


def run(flow: str, file: Path, home: Path, *words: str) -> tuple[float, dict[str, object]]:
    """Run a flow over every symbol of the file; return its peak memory in MB and its answer."""
    symbols = pl.read_parquet(file, columns=["symbol"])["symbol"].unique().sort().to_list()
    answer = home / "answer.json"
    home.mkdir(parents=True, exist_ok=True)
    command = [
        str(BIN / "tradeflows"), "run", flow, "--json", "--source", "files", "--feed", str(file),
        "--adjustment", "split", *words, "--symbols", *symbols,
    ]  # fmt: skip
    environment = clean_environment(home, compiled=False) | {"TRADEFLOWS_FILES_BASIS": "split"}
    with answer.open("wb") as out, (home / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in {0, DEGRADED}:
        raise RuntimeError((home / "log").read_text()[-2000:] + answer.read_text()[-2000:])
    return usage.ru_maxrss * 1024 / 1e6, json.loads(answer.read_text())


def figures(file: Path, folder: Path) -> Iterator[Figure]:
    """Measure every flow, first with nothing computed and then with everything in the cache."""
    for flow, words in FLOWS.items():
        for label in ("first run", "again, cached"):
            seconds, (megabytes, answer) = timed(
                lambda flow=flow, words=words: run(flow, file, folder / flow, *words)
            )
            result = answer["result"]
            assert isinstance(result, dict)
            named = len(result["caveats"])
            yield Figure(
                work=f"{flow}, 505 symbols, {label}",
                value=seconds,
                unit="s",
                note=f"peak {megabytes:,.0f} MB, {answer['state']}, {named} caveats",
                wrong="" if Path(result["report_path"]).is_file() else "there is no report",
            )


def main() -> int:
    """Print the table."""
    try:
        file = shared_data(FILE)
    except pytest.skip.Exception as absent:
        sys.stdout.write(f"Universe: skipped, {absent}\n")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        title = "Whole flows over 505 symbols, 2013 to 2018"
        return print_figures(title, figures(file, Path(folder)), packages=PACKAGES)


if __name__ == "__main__":
    sys.exit(main())
