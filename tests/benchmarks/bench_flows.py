"""Whole flows and the command line: `python -m tests.benchmarks.bench_flows [--full]`.

A Prefect server is started in a temporary home. Each measurement runs in a process of its own that
talks to it, as a person's would, and prints what it found.
"""

from __future__ import annotations

import argparse
import functools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.benchmarks.harness import Figure, print_figures, timed
from tests.support.frames import ohlcv
from tests.support.provider_server import KEY, SECRET, Listing, serving
from tests.support.server import BIN, ROOT, clean_environment, running_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PACKAGES = ("prefect", "numba", "polars")
COMMAND_REPEATS = 7
WARM_RUNS = 3
EMPTY_FLOWS = 3
EMPTY_TASKS = 100
ANSWER_SECONDS = 0.25
LONGEST_SECONDS = 300.0
FETCHED = tuple(f"S{letter}" for letter in "ABCDEFGH")
MANY_SYMBOLS = (
    "AAPL", "AMD", "BAC", "BBY", "CVX", "GE", "HD", "JNJ", "JPM", "KO",
    "LLY", "MRK", "MSFT", "PEP", "PFE", "PG", "RRC", "UNH", "WMT", "XOM",
)  # fmt: skip


def measure_warm(symbols: list[str], rebalance: str) -> dict[str, Any]:
    """Time what lies between the fetch and the report, first computed and then cached.

    Another period is run first, so that no figure contains the compilation of kernels.
    """
    from flows.portfolio import portfolio_analysis
    from slices.domain.fingerprint import fingerprint
    from slices.runtime.progress import Step, listeners

    seen: list[tuple[float, Step]] = []
    listeners.append(lambda step: seen.append((time.perf_counter(), step)))

    def computed(start: str) -> tuple[float, str, dict[str, int]]:
        seen.clear()
        result = portfolio_analysis(symbols, start=start, rebalance=rebalance)
        ended = [(at, step) for at, step in seen if step.state != "Running"]
        times = {step.name: at for at, step in ended}
        seconds = times["adaptive_portfolio.portfolio_findings"] - times["data.fetch_bars"]
        states = [step.state for _, step in ended if step.name != "monitor.publish"]
        return seconds, fingerprint(result.evaluations), {s: states.count(s) for s in set(states)}

    computed("1995-01-03" if len(symbols) > 3 else "2005-01-03")
    cold, answer, _ = computed("1990-01-02")
    warm = [computed("1990-01-02") for _ in range(WARM_RUNS)]
    return {
        "cold": cold,
        "warm": statistics.median(seconds for seconds, _, _ in warm),
        "same": all(each == answer for _, each, _ in warm),
        "states": warm[-1][2],
    }


def measure_overhead() -> dict[str, float]:
    """Time a flow without a task, and tasks that do nothing, beside calling their function.

    Tasks are timed inside their flow: a flow waits up to a second for its heartbeat to end, and
    what happens in that second would seem to cost nothing.
    """
    from prefect import flow

    from slices.runtime.kinds import compute
    from slices.runtime.settings import load_settings
    from slices.runtime.workflow import runner

    def unchanged(number: int) -> int:
        return number

    unchanged.__module__ = "slices.analyze.unchanged"
    task = compute(unchanged)

    @flow(task_runner=runner(load_settings()))
    def ordering(first: int, count: int) -> float:
        return timed(lambda: [task(first + number) for number in range(count)])[0]

    ordering(0, 1)
    flows = [timed(lambda: ordering(0, 0))[0] for _ in range(EMPTY_FLOWS)]
    tasks = [ordering(1_000 * n, EMPTY_TASKS) for n in range(1, EMPTY_FLOWS + 1)]
    plain = timed(lambda: [unchanged(number) for number in range(EMPTY_TASKS)])[0]
    per_task = (statistics.median(tasks) - plain) / EMPTY_TASKS
    return {"flow": statistics.median(flows), "task": per_task}


def measure_fan_out() -> dict[str, float]:
    """Time the flow's own fetch task over symbols, and the same function in a loop."""
    import datetime as dt

    from prefect import flow

    from slices.data import loading
    from slices.data.tasks import fetch_bars
    from slices.runtime.settings import load_settings
    from slices.runtime.workflow import runner

    groups = [(symbol,) for symbol in FETCHED]
    end = dt.date(2025, 1, 2)
    where = {"source": "alpaca", "feed": None, "end": end}

    @flow(task_runner=runner(load_settings()), validate_parameters=False)
    def fetching(start: dt.date) -> tuple[float, int]:
        seconds, found = timed(lambda: fetch_bars.map(groups, start=start, **where).result())
        return seconds, sum(each.stored is not None for outcomes in found for each in outcomes)

    def one_by_one(start: dt.date) -> int:
        found = [loading.fetch_bars(group, start=start, **where) for group in groups]
        return sum(each.stored is not None for outcomes in found for each in outcomes)

    loading.fetch_bars(groups[0], start=dt.date(2023, 1, 3), **where)
    sequential, found = timed(lambda: one_by_one(dt.date(2023, 1, 4)))
    mapped, also = fetching(dt.date(2023, 1, 5))
    return {"sequential": sequential, "mapped": mapped, "missing": 2 * len(FETCHED) - found - also}


MEASUREMENTS: dict[str, Callable[[], dict[str, Any]]] = {
    "warm-small": lambda: measure_warm(["AAPL", "MSFT", "GOOGL"], "monthly"),
    "warm-large": lambda: measure_warm(list(MANY_SYMBOLS), "weekly"),
    "overhead": measure_overhead,
    "fan-out": measure_fan_out,
}


def measured(name: str, environment: dict[str, str]) -> dict[str, Any]:
    """Take a measurement in a process of its own."""
    finished = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.bench_flows", "--measure", name],
        cwd=ROOT,
        env=environment | {"PREFECT_LOGGING_LEVEL": "CRITICAL"},
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )
    if finished.returncode != 0:
        raise RuntimeError(finished.stderr)
    found: dict[str, Any] = json.loads(finished.stdout.splitlines()[-1])
    return found


def command_figures(environment: dict[str, str]) -> Iterator[Figure]:
    """Measure the commands that answer without Prefect."""
    for word, expected in (("--help", "exit codes"), ("list", "portfolio_analysis")):
        run = functools.partial(
            subprocess.run,
            [str(BIN / "tradeflows"), word],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        runs = [timed(run) for _ in range(COMMAND_REPEATS)]
        is_right = all(expected in done.stdout for _, done in runs)
        yield Figure(
            work=f"`tradeflows {word}`",
            value=statistics.median(seconds for seconds, _ in runs),
            unit="s",
            at_most=0.3,
            wrong="" if is_right else f"{expected} is not in it",
        )


def first_run_figure(home: Path) -> Figure:
    """Measure the first run in an empty home, without a server."""
    words = [str(BIN / "tradeflows"), "run", "portfolio_analysis", "--json"]
    environment = clean_environment(home, compiled=False)
    run = functools.partial(
        subprocess.run, words, env=environment, capture_output=True, text=True, check=False
    )
    seconds, done = timed(run)
    report = json.loads(done.stdout)["result"]["report_path"] if done.returncode == 0 else ""
    return Figure(
        work="first run in an empty home, offline, to the full report",
        value=seconds,
        unit="s",
        at_most=60,
        wrong="" if report and Path(report).is_file() else f"no report: {done.stderr[-200:]}",
    )


def warm_figures(name: str, work: str, environment: dict[str, str]) -> Iterator[Figure]:
    """Measure the cache: how much faster, and how much of it."""
    found = measured(name, environment)
    cached, total = found["states"].get("Cached", 0), sum(found["states"].values())
    yield Figure(
        work=f"warm re-run, compute part: {work}",
        value=found["cold"] / found["warm"],
        unit="x",
        at_least=20,
        note=f"{found['cold']:.2f} s computed, {found['warm']:.3f} s cached",
        wrong="" if found["same"] else "the cached answer differs",
    )
    yield Figure(
        work=f"steps taken from the cache: {work}",
        value=100 * cached / total,
        unit="%",
        at_least=100,
        note=f"{cached} of {total}",
    )


def overhead_figures(environment: dict[str, str]) -> Iterator[Figure]:
    """Measure what Prefect adds to functions that do nothing."""
    found = measured("overhead", environment)
    task, flow = 1e3 * found["task"], found["flow"]
    yield Figure(work="overhead per task run, result stored", value=task, unit="ms", at_most=10)
    yield Figure(work="overhead per flow run", value=flow, unit="s", at_most=1.2)


def fan_out_figures(environment: dict[str, str]) -> Iterator[Figure]:
    """Measure fetching from a provider that takes its time, with two numbers of workers."""
    listings = {symbol: Listing(bars=ohlcv(20)) for symbol in FETCHED}
    with serving(listings) as provider:
        provider.delay_seconds = ANSWER_SECONDS
        account = {
            "TRADEFLOWS_ALPACA_URL": provider.url,
            "TRADEFLOWS_ALPACA_KEY": KEY,
            "TRADEFLOWS_ALPACA_SECRET": SECRET,
        }
        for workers, remark in (("4", "the default"), ("8", "TRADEFLOWS_MAX_WORKERS=8")):
            chosen = account | {"TRADEFLOWS_MAX_WORKERS": workers}
            home = str(Path(environment["TRADEFLOWS_HOME"]) / f"workers-{workers}")
            found = measured("fan-out", environment | chosen | {"TRADEFLOWS_HOME": home})
            times = f"{found['sequential']:.2f} s in a loop, {found['mapped']:.2f} s mapped"
            yield Figure(
                work=f"fan-out of fetch, {len(FETCHED)} symbols, {workers} workers",
                value=found["sequential"] / found["mapped"],
                unit="x",
                at_least=5,
                note=f"{remark}; {times}",
                wrong=f"{found['missing']} symbols are missing" if found["missing"] else "",
            )


def figures(folder: Path, *, full: bool) -> Iterator[Figure]:
    """Measure everything; `full` adds the work that is large enough for the cache to show."""
    yield from command_figures(clean_environment(folder / "commands"))
    yield first_run_figure(folder / "first")
    with running_server(folder / "home") as server:
        yield from overhead_figures(server.environment)
        yield from fan_out_figures(server.environment)
        yield from warm_figures("warm-small", "3 symbols, monthly", server.environment)
        if full:
            yield from warm_figures("warm-large", "20 symbols, weekly", server.environment)


def main() -> int:
    """Print the table, or take one of its measurements."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="adds a large portfolio")
    parser.add_argument("--measure", choices=sorted(MEASUREMENTS), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        sys.stdout.write(f"{json.dumps(MEASUREMENTS[arguments.measure]())}\n")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        measured_now = figures(Path(folder), full=arguments.full)
        return print_figures("Flows and the command line", measured_now, packages=PACKAGES)


if __name__ == "__main__":
    sys.exit(main())
