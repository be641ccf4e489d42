"""Sweeps against vectorbt, raptorbt and a floor: `python -m tests.benchmarks.bench_sweeps`.

Everybody makes final equity, trades, Sharpe ratio and drawdown of every pair of averages; ours also
keeps the returns by block. The floor is the least code that does: averages from running sums, one
fused loop, two threads of numba. The difference is the share of pairs whose final equity is not
ours to 1e-9: where rounded prices tie exactly, libraries differ in what a tie means.
"""

from __future__ import annotations

import argparse
import functools
import os
import resource
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numba
import numpy as np

from slices.data.adapters.embedded import open_embedded
from slices.domain.bars import Adjustment
from slices.domain.parameters import DEFAULT_COSTS
from slices.quant.averages import averages
from slices.quant.panel import Panel, read_panel
from slices.quant.signals.catalogue import checked_parameters, strategy
from slices.quant.simulation.sweeps import Sweep, sweep
from tests.benchmarks.harness import Contest, Figure, print_figures, run, timed
from tests.slices.quant.market import us_closes
from tests.support.frames import load

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGES = ("numpy", "numba", "vectorbt", "raptorbt")
CAPITAL = 100_000.0
MOST_DIFFERENT = 0.02
os.environ.setdefault("RAPTORBT_NO_VERSION_CHECK", "1")


@functools.cache
def googl() -> Panel:
    """Raw bars of GOOGL, 2,148 sessions."""
    with tempfile.TemporaryDirectory() as folder:
        source = open_embedded(None, ["GOOGL"])
        return read_panel(load(source, Path(folder), "GOOGL", adjustment=Adjustment.RAW))


@functools.cache
def twenty() -> Panel:
    """Closes of 20 names, 8,313 sessions."""
    sessions, symbols, closes = us_closes()
    return Panel(symbols=symbols, sessions=sessions, close=closes.copy(), periods_per_year=252)


def pairs(count: int) -> np.ndarray:
    """Pairs of averages, the faster one first."""
    slowest = 5 + count // 50
    grid = [(fast, slow) for slow in range(6, slowest + 200) for fast in range(2, min(slow, 52))]
    return np.array(grid[:count], dtype=np.int64)


def ours(panel: Panel, chosen: np.ndarray) -> Sweep:
    """Our sweep, parameters checked and all."""
    configurations = [
        checked_parameters("sma_cross", {"fast": fast, "slow": slow})
        for fast, slow in chosen.tolist()
    ]
    return sweep(panel, strategy("sma_cross"), configurations, costs=DEFAULT_COSTS)


def swept(panel: Panel, configurations: list) -> Sweep:
    """Our sweep alone."""
    return sweep(panel, strategy("sma_cross"), configurations, costs=DEFAULT_COSTS)


@numba.njit(parallel=True, cache=True)
def floor_kernel(closes, opens, table, rows, rate, capital):  # noqa: ANN001, ANN201 - compiled
    """Return C x 4: final equity, trades, Sharpe ratio, drawdown."""
    figures = np.empty((rows.shape[0], 4))
    for c in numba.prange(rows.shape[0]):
        fast, slow = table[rows[c, 0]], table[rows[c, 1]]
        cash, shares, before, peak, fall = capital, 0.0, capital, capital, 0.0
        total, squares, trades, wanted = 0.0, 0.0, 0, False
        for t in range(closes.size):
            if wanted and shares == 0.0:
                shares, cash = cash / (opens[t] * (1.0 + rate)), 0.0
            elif shares > 0.0 and not wanted:
                cash, shares, trades = shares * opens[t] * (1.0 - rate), 0.0, trades + 1
            equity = cash + shares * closes[t]
            change = equity / before - 1.0
            total += change
            squares += change * change
            peak = max(peak, equity)
            fall = max(fall, 1.0 - equity / peak)
            before = equity
            if fast[t] > slow[t]:
                wanted = True
            elif fast[t] < slow[t]:
                wanted = False
        count = closes.size - 1
        deviation = np.sqrt((squares - total * total / count) / (count - 1))
        figures[c, 0], figures[c, 1], figures[c, 3] = before, trades, fall
        figures[c, 2] = total / count / deviation * np.sqrt(252.0) if deviation > 0 else np.nan
    return figures


def floor(panel: Panel, chosen: np.ndarray) -> np.ndarray:
    """Final equity of every pair by the floor."""
    closes, opens = panel.close[:, 0].copy(), panel.fill_prices[:, 0].copy()
    windows, rows = np.unique(chosen, return_inverse=True)
    sums = np.concatenate([[0.0], np.cumsum(closes)])
    table = np.full((windows.size, closes.size), np.nan)
    for k, window in enumerate(windows):
        table[k, window - 1 :] = (sums[window:] - sums[:-window]) / window
    found = floor_kernel(closes, opens, table, rows.reshape(-1, 2), DEFAULT_COSTS.rate, CAPITAL)
    return np.asarray(found[:, 0])


def by_vectorbt(panel: Panel, chosen: np.ndarray) -> np.ndarray:
    """Final equity of every pair by vectorbt."""
    import pandas as pd
    import vectorbt as vbt

    index = pd.DatetimeIndex(panel.sessions)
    closes, opens = (
        pd.Series(each[:, 0], index=index) for each in (panel.close, panel.fill_prices)
    )
    fast = vbt.MA.run(closes, chosen[:, 0].tolist(), short_name="fast")
    slow = vbt.MA.run(closes, chosen[:, 1].tolist(), short_name="slow")
    above = fast.ma.to_numpy() > slow.ma.to_numpy()
    decided = np.vstack([np.zeros((1, above.shape[1]), dtype=bool), above[:-1]])
    account = vbt.Portfolio.from_signals(
        closes, pd.DataFrame(decided, index=index), pd.DataFrame(~decided, index=index),
        price=opens, fees=DEFAULT_COSTS.rate, init_cash=CAPITAL, freq="1D",
    )  # fmt: skip
    account.trades.count()
    account.sharpe_ratio()
    account.max_drawdown()
    return np.asarray(account.final_value())


def by_raptorbt(panel: Panel, chosen: np.ndarray) -> np.ndarray:
    """Final equity of every pair by raptorbt, from signals made by numpy."""
    import raptorbt

    windows, rows = np.unique(chosen, return_inverse=True)
    table = averages(panel.close[:, 0].copy(), windows)
    above = table[rows.reshape(-1, 2)[:, 0]] > table[rows.reshape(-1, 2)[:, 1]]
    change = np.diff(above.astype(np.int8), axis=1, prepend=0)
    items = [
        raptorbt.BatchSingleItem(str(place), each > 0, each < 0)
        for place, each in enumerate(change)
    ]
    columns = (panel.open, panel.high, panel.low, panel.close, panel.volume)
    config = raptorbt.BacktestConfig(
        initial_capital=CAPITAL, fees=DEFAULT_COSTS.rate, slippage=0.0,
        fill_timing="next_bar_open",
    )  # fmt: skip
    found = raptorbt.batch_single_backtest(
        np.arange(panel.close.shape[0], dtype=np.int64) * 86_400 * 10**9,
        *(np.ascontiguousarray(each[:, 0]) for each in columns if each is not None),
        items,
        config,
    )
    return np.array([each.equity_curve()[-1] for _, each in found])


def different(mine: Sweep, theirs: np.ndarray) -> float:
    """Return the share of pairs that end otherwise."""
    return float((np.abs(theirs / mine.final_equity - 1.0) > 1e-9).mean())


def contests(*, full: bool) -> Iterator[Contest]:
    """List the races of one symbol."""
    panel = googl()
    peers = (("floor", "numba", floor, None), ("raptorbt", "raptorbt", by_raptorbt, None))
    for count in (1_000, 10_000):
        chosen = pairs(count)
        configurations = [
            checked_parameters("sma_cross", {"fast": fast, "slow": slow})
            for fast, slow in chosen.tolist()
        ]
        vectorbt = (("vectorbt", "vectorbt", by_vectorbt, 40.0),)
        for name, needs, theirs, target in (*peers, *vectorbt):
            is_slow = name != "floor" and (count > 1_000 or not full)
            yield Contest(
                work=f"{count:,} pairs x {panel.close.shape[0]:,} sessions",
                ours=functools.partial(swept, panel, configurations),
                peer=name,
                needs=needs,
                theirs=functools.partial(theirs, panel, chosen),
                difference=different,
                tolerance=MOST_DIFFERENT,
                target=1 / 3 if name == "floor" else target,
                repeats=1 if is_slow else 7,
                warm_peer=name != "vectorbt" or count == 1_000,
            )


def figures() -> Iterator[Figure]:
    """Measure what has no peer that finishes in time, and what it takes."""
    panel, chosen = twenty(), pairs(1_000)
    seconds, found = timed(functools.partial(ours, panel, chosen))
    kept = found.block_sums.nbytes + found.block_squares.nbytes
    yield Figure(
        work=f"{found.final_equity.size * 20:,} backtests of {len(panel.sessions):,} sessions",
        value=seconds,
        unit="s",
        note=f"1,000 pairs x 20 symbols, parameters checked; {kept / 2**20:,.0f} MB kept",
    )
    yield Figure(
        work="largest memory of this process so far",
        value=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        unit="MB",
        note="Python, numba and polars included",
    )


def main() -> int:
    """Print the tables; memory first, before the peers take theirs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="repeat the slow peers too")
    arguments = parser.parse_args()
    wrong = print_figures("Sweep of 20 symbols", figures(), packages=PACKAGES)
    sys.stdout.write("\n")
    lost = run("Sweeps of one symbol", contests(full=arguments.full), packages=PACKAGES)
    return max(wrong, lost)


if __name__ == "__main__":
    sys.exit(main())
