"""The simulation against other engines: `python -m tests.benchmarks.bench_simulation [--full]`.

Every peer trades the same decisions at the same prices with the same costs; the difference is the
largest of the equity curves, relative to ours. The floor is a minimal kernel of our own that keeps
an equity curve and nothing else: no fills, no checks, no positions. Its ratio is below 1 by nature
and is wanted to be at least 0.2, which is within 5 times.
"""

from __future__ import annotations

import argparse
import functools
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from slices.data.sources import open_source
from slices.domain.bars import Adjustment
from slices.domain.parameters import DEFAULT_RULES, Costs
from slices.quant.panel import Panel, read_panel
from slices.quant.signals.strategy import changes
from slices.quant.simulation.orders import OrderIntent, simulate_orders
from slices.quant.simulation.targets import simulate_targets
from tests.benchmarks.harness import Contest, run
from tests.slices.quant.market import panel_of, us_closes
from tests.slices.quant.test_simulation_oracles import crossing
from tests.support.frames import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PACKAGES = ("numpy", "numba", "vectorbt", "raptorbt", "bt")
RATE, CAPITAL = 0.001, 1e5
TEN_BPS = Costs(commission_bps=10, slippage_bps=0)
FLOOR = 0.2


@njit(cache=True)
def floor_signals(closes: np.ndarray, fills: np.ndarray, signals: np.ndarray) -> np.ndarray:
    """Equity of one symbol, all in or out."""
    equity, cash, shares = np.empty(closes.size), CAPITAL, 0.0
    for t in range(closes.size):
        wanted = signals[t - 1] if t else 0.0
        if wanted > 0 and shares == 0.0:
            shares, cash = cash / (fills[t] * (1 + RATE)), 0.0
        elif wanted == 0 and shares > 0.0:
            shares, cash = 0.0, cash + shares * fills[t] * (1 - RATE)
        equity[t] = cash + shares * closes[t]
    return equity


@njit(cache=True)
def floor_weights(closes: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Equity of shared cash, costs solved exactly."""
    sessions, symbols = closes.shape
    equity, cash, shares = np.empty(sessions), CAPITAL, np.zeros(symbols)
    for t in range(sessions):
        value = cash
        for i in range(symbols):
            value += shares[i] * closes[t, i]
        if t:
            left = renewed = value
            while True:
                sold, bought = 0.0, 0.0
                for i in range(symbols):
                    held, weight = shares[i] * closes[t, i], weights[t - 1, i]
                    side = 1.0 if left * weight > held else -1.0
                    sold += side * held
                    bought += side * weight
                renewed = (value + RATE * sold) / (1.0 + RATE * bought)
                if renewed >= left:
                    break
                left = renewed
            cash = value = left
            for i in range(symbols):
                shares[i] = left * weights[t - 1, i] / closes[t, i]
                cash -= left * weights[t - 1, i]
        equity[t] = value
    return equity


def googl() -> Panel:
    """The embedded raw bars of GOOGL."""
    source = open_source("embedded", feed="us_ohlcv5")
    with tempfile.TemporaryDirectory() as folder:
        return read_panel(load(source, Path(folder), "GOOGL", adjustment=Adjustment.RAW))


def twenty(sessions: int | None = None) -> Panel:
    """The newest closes of 20 names."""
    closes = us_closes()[2]
    return panel_of(np.ascontiguousarray(closes if sessions is None else closes[-sessions:]))


def ours(panel: Panel, weights: np.ndarray) -> np.ndarray:
    """Equity of one account."""
    simulation = simulate_targets(
        panel, weights, costs=TEN_BPS, rules=DEFAULT_RULES, capital=CAPITAL
    )
    return simulation.equity


def our_sleeves(panels: list[Panel], weights: list[np.ndarray]) -> np.ndarray:
    """Equity of one account per symbol, added up."""
    return np.sum([ours(*each) for each in zip(panels, weights, strict=True)], axis=0)


def our_orders(panel: Panel, orders: list[OrderIntent]) -> np.ndarray:
    """Equity of one account that trades orders."""
    options = {"costs": TEN_BPS, "rules": DEFAULT_RULES, "capital": CAPITAL}
    return simulate_orders(panel, orders, **options).equity


def floor_sleeves(columns: list[tuple[np.ndarray, ...]]) -> np.ndarray:
    """Equity of one minimal account per symbol, added up, from closes, fill prices and signals."""
    return np.sum([floor_signals(*each) for each in columns], axis=0)


def raptor(panel: Panel, signals: np.ndarray) -> np.ndarray:
    """Equity of one account per symbol in raptorbt, added up; it fills at the next open."""
    os.environ["RAPTORBT_NO_VERSION_CHECK"] = "1"
    import raptorbt

    config = raptorbt.BacktestConfig(
        initial_capital=CAPITAL, fees=RATE, slippage=0.0, fill_timing="next_bar_open"
    )
    days = np.arange(len(panel.sessions), dtype=np.int64) * 86_400 * 10**9
    curves = []
    for i in range(signals.shape[1]):
        fills, closes = (
            np.ascontiguousarray(each[:, i]) for each in (panel.fill_prices, panel.close)
        )
        change = np.diff(signals[:, i], prepend=0.0)
        extremes = np.maximum(fills, closes), np.minimum(fills, closes)
        bars = (days, fills, *extremes, closes, np.ones(closes.size))
        found = raptorbt.run_single_backtest(*bars, change > 0, change < 0, config=config)
        curves.append(found.equity_curve())
    return np.sum(curves, axis=0)


def vector_signals(panel: Panel, signals: np.ndarray) -> np.ndarray:
    """Equity of one account per symbol in vectorbt, added up."""
    import vectorbt

    change = np.diff(signals, axis=0, prepend=0.0)
    late = np.vstack([np.zeros((1, signals.shape[1])), change[:-1]])
    account = vectorbt.Portfolio.from_signals(
        panel.close,
        late > 0,
        late < 0,
        price=panel.fill_prices,
        fees=RATE,
        init_cash=CAPITAL,
        freq="1D",
    )
    return np.asarray(account.value()).reshape(panel.close.shape).sum(axis=1)


def vector_weights(panel: Panel, weights: np.ndarray) -> np.ndarray:
    """Equity of shared cash in vectorbt, which orders one symbol after the other."""
    import vectorbt

    late = np.vstack([np.full((1, weights.shape[1]), np.nan), weights[:-1]])
    account = vectorbt.Portfolio.from_orders(
        panel.close,
        size=late,
        size_type="targetpercent",
        price=panel.close,
        fees=RATE,
        init_cash=CAPITAL,
        cash_sharing=True,
        group_by=True,
        call_seq="auto",
        freq="1D",
    )
    return np.asarray(account.value()).ravel()


def bt_weights(panel: Panel, weights: np.ndarray) -> np.ndarray:
    """Equity of shared cash in bt, which orders one symbol after the other."""
    import bt
    import pandas as pd

    index = pd.DatetimeIndex(panel.sessions)
    prices = pd.DataFrame(panel.close, index=index, columns=list(panel.symbols))
    late = pd.DataFrame(weights, index=index, columns=prices.columns).shift(1).dropna()
    rule = bt.Strategy("rule", [bt.algos.WeighTarget(late), bt.algos.Rebalance()])
    test = bt.Backtest(
        rule,
        prices,
        initial_capital=CAPITAL,
        commissions=lambda quantity, price: abs(quantity) * price * RATE,
        integer_positions=False,
        progress_bar=False,
    )
    test.run()
    return np.asarray(test.strategy.data["value"].iloc[1:])


def apart(mine: np.ndarray, other: np.ndarray) -> float:
    """Largest relative difference of two equity curves."""
    return float(np.abs(other / mine - 1.0).max())


def contest(
    work: str,
    mine: Callable[[], np.ndarray],
    peer: str,
    theirs: Callable[[], np.ndarray],
    *,
    tolerance: float = 1e-11,
    target: float | None = None,
    repeats: int = 15,
) -> Contest[np.ndarray]:
    """One piece of work of ours against one peer."""
    return Contest(
        work=work,
        ours=mine,
        peer=peer,
        needs="numba" if peer == "floor" else peer,
        theirs=theirs,
        difference=apart,
        tolerance=tolerance,
        target=target,
        repeats=repeats,
        warm_peer=repeats > 1,
    )


def one_symbol() -> Iterator[Contest[np.ndarray]]:
    """One backtest of GOOGL."""
    panel = googl()
    signals = crossing(panel.close)
    weights = changes(signals)
    mine = functools.partial(ours, panel, weights)
    columns = [np.ascontiguousarray(each[:, 0]) for each in (panel.close, panel.fill_prices)]
    held = np.ascontiguousarray(signals[:, 0])
    work = "one backtest, GOOGL, 2,148 sessions"
    yield contest(work, mine, "floor", functools.partial(floor_signals, *columns, held))
    yield contest(work, mine, "raptorbt", functools.partial(raptor, panel, signals))
    yield contest(work, mine, "vectorbt", functools.partial(vector_signals, panel, signals))
    rows = np.flatnonzero(~np.isnan(weights[:, 0]))
    orders = [OrderIntent(row=int(t), column=0, weight=float(weights[t, 0])) for t in rows]
    trading = functools.partial(our_orders, panel, orders)
    yield contest(
        "the same as orders", trading, "raptorbt", functools.partial(raptor, panel, signals)
    )


def sleeves() -> Iterator[Contest[np.ndarray]]:
    """Twenty accounts of one symbol each."""
    panel = twenty()
    signals = crossing(panel.close)
    panels = [panel.columns([i]) for i in range(20)]
    weights = [changes(signals[:, [i]]) for i in range(20)]
    mine = functools.partial(our_sleeves, panels, weights)
    work = "20 sleeves x 8,313 sessions, signals"
    columns = [
        tuple(
            np.ascontiguousarray(each[:, i]) for each in (panel.close, panel.fill_prices, signals)
        )
        for i in range(20)
    ]
    floor = functools.partial(floor_sleeves, columns)
    yield contest(work, mine, "floor", floor, target=FLOOR)
    yield contest(work, mine, "raptorbt", functools.partial(raptor, panel, signals), repeats=5)
    theirs = functools.partial(vector_signals, panel, signals)
    yield contest(work, mine, "vectorbt", theirs, target=20, repeats=5)


def shared_cash(*, full: bool) -> Iterator[Contest[np.ndarray]]:
    """Twenty symbols brought to new weights every session."""
    panel = twenty()
    weights = np.random.default_rng(4).dirichlet(np.ones(21), panel.close.shape[0])[:, :20].copy()
    weights = 0.98 * np.full_like(weights, 0.05) + 0.01 * weights
    mine = functools.partial(ours, panel, weights)
    work = "20 x 8,313, shared cash, daily target weights"
    floor = functools.partial(floor_weights, panel.close, weights)
    yield contest(work, mine, "floor", floor, target=FLOOR)
    theirs = functools.partial(vector_weights, panel, weights)
    yield contest(work, mine, "vectorbt", theirs, tolerance=5e-3, target=20, repeats=5)
    less = twenty(None if full else 500)
    few = weights[-len(less.sessions) :]
    yield contest(
        f"the same, {len(less.sessions):,} sessions",
        functools.partial(ours, less, few),
        "bt",
        functools.partial(bt_weights, less, few),
        tolerance=5e-3,
        repeats=1,
    )


def contests(*, full: bool) -> Iterator[Contest[np.ndarray]]:
    """List the work; `full` adds what takes a peer a quarter of a minute."""
    yield from one_symbol()
    yield from sleeves()
    yield from shared_cash(full=full)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="all sizes; takes a minute")
    arguments = parser.parse_args()
    return run("Simulation", contests(full=arguments.full), packages=PACKAGES)


if __name__ == "__main__":
    sys.exit(main())
