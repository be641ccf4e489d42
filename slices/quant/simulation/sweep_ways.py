"""The three ways of a sweep: crosses of averages, given signals, and the engine for the rest."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.parameters import DEFAULT_RULES, Costs
from slices.domain.strategies import StrategyName, StrategyParameters
from slices.quant.panel import Panel
from slices.quant.signals.crosses import AverageCross
from slices.quant.signals.strategy import Strategy, changes
from slices.quant.types import FloatArray, IntArray

if TYPE_CHECKING:
    from slices.quant.simulation.account import Simulation
    from slices.quant.simulation.sweep_kernels import Figures, Market

SIGNAL_BYTES = 32 * 2**20
"""Memory that the signals of configurations run together may take."""

FEWEST_PER_THREAD = 32
"""Configurations that are worth starting a thread for."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SweepAccount:
    """What all configurations of a sweep share.

    Attributes:
        panel: All sessions, those before the account's first included.
        strategy: What decides.
        costs: Of every fill.
        capital: Of all sleeves together.
        first: The account's first session.
        ends: B sessions at which blocks of returns end, counted from the first.
    """

    panel: Panel
    strategy: Strategy
    costs: Costs
    capital: float
    first: int
    ends: IntArray

    @property
    def is_plain(self) -> bool:
        """Whether costs are proportional and every symbol has all bars from its first one on."""
        parts = (
            self.costs.commission_per_share, self.costs.commission_minimum, self.costs.impact,
            self.costs.borrow_rate, self.costs.cash_rate, self.costs.debt_rate,
        )  # fmt: skip
        missing = np.isnan(self.panel.close)
        is_broken = (missing[1:] & ~missing[:-1]).any() or missing[-1].any()
        return not any(parts) and not is_broken

    def market(self) -> Market:
        """Return prices from the account's first session on, a row per symbol."""
        from slices.quant.simulation.sweep_kernels import Market

        closes = np.ascontiguousarray(self.panel.close[self.first :].T)
        prices = np.ascontiguousarray(self.panel.fill_prices[self.first :].T)
        begins = np.argmax(~np.isnan(closes), axis=1).astype(np.int64)
        return Market(closes, prices, begins, self.ends)


Way = Callable[[SweepAccount, Sequence[StrategyParameters], "Figures"], None]


def way(account: SweepAccount) -> Way:
    """Choose the fastest way that is exact for this account."""
    if account.strategy.joint or not account.is_plain:
        return by_engine
    if account.strategy.name is StrategyName.SMA_CROSS:
        return by_crosses
    return by_signals


def blank_figures(configurations: int, blocks: int) -> Figures:
    """Return figures to be written."""
    from slices.quant.simulation.sweep_kernels import Figures

    return Figures(
        equity=np.empty(configurations),
        trades=np.empty(configurations, dtype=np.int64),
        drawdowns=np.empty(configurations),
        sums=np.empty((configurations, blocks)),
        squares=np.empty((configurations, blocks)),
    )


def by_crosses(
    account: SweepAccount, configurations: Sequence[StrategyParameters], figures: Figures
) -> None:
    """Run crosses of plain averages from one table of them, on all processors."""
    from slices.quant.averages import averages
    from slices.quant.simulation.sweep_kernels import sweep_crosses

    crosses = [each for each in configurations if isinstance(each, AverageCross)]
    wanted = np.array([(each.fast, each.slow) for each in crosses], dtype=np.int64)
    windows, rows = np.unique(wanted, return_inverse=True)
    closes = np.ascontiguousarray(account.panel.close.T)
    table = np.stack([averages(each, windows) for each in closes])
    pairs = rows.reshape(wanted.shape).astype(np.int64)
    is_short = np.array([each.short for each in crosses], dtype=np.bool_)
    market, money = account.market(), (account.costs.rate, account.capital)

    def run(start: int, stop: int) -> None:
        sweep_crosses(market, table, pairs, is_short, account.first, (start, stop), money, figures)

    in_threads(len(crosses), run)


def by_signals(
    account: SweepAccount, configurations: Sequence[StrategyParameters], figures: Figures
) -> None:
    """Run configurations from the signals the strategy gives for each."""
    from slices.quant.simulation.sweep_kernels import sweep_signals

    sessions, symbols = account.panel.close.shape
    together = max(1, SIGNAL_BYTES // (sessions * symbols * 8))
    market = account.market()
    for start in range(0, len(configurations), together):
        signals = _signals(account, configurations[start : start + together])

        def run(begin: int, stop: int, signals: FloatArray = signals, offset: int = start) -> None:
            sweep_signals(
                market,
                signals[begin:stop],
                offset + begin,
                account.costs.rate,
                account.capital,
                figures,
            )

        in_threads(len(signals), run)


def by_engine(
    account: SweepAccount, configurations: Sequence[StrategyParameters], figures: Figures
) -> None:
    """Run configurations one by one through the engine: any costs, any gaps, joint signals."""
    from slices.quant.simulation.sweep_kernels import write_figures

    for place, each in enumerate(configurations):
        sleeves = engine_sleeves(account, each)
        equity = np.sum([sleeve.equity for sleeve in sleeves], axis=0)
        figures.trades[place] = sum(closed_trades(sleeve.shares) for sleeve in sleeves)
        write_figures(equity, account.ends, place, figures)


def engine_sleeves(account: SweepAccount, parameters: StrategyParameters) -> tuple[Simulation, ...]:
    """Simulate every symbol in a sleeve of its own; all in one where signals are joint."""
    from slices.quant.simulation.targets import simulate_targets

    panel, stop = account.panel, len(account.panel.sessions)
    if account.strategy.joint:
        places = [list(range(len(panel.symbols)))]
        weights = account.strategy.target_weights(panel, parameters)
    else:
        places = [[place] for place in range(len(panel.symbols))]
        weights = account.strategy.signals(panel, parameters)
    return tuple(
        simulate_targets(
            panel.columns(chosen).between(account.first, stop),
            changes(weights[account.first :, chosen]),
            costs=account.costs,
            rules=DEFAULT_RULES,
            capital=account.capital * len(chosen) / len(panel.symbols),
        )
        for chosen in places
    )


def closed_trades(shares: FloatArray) -> int:
    """Count positions that were closed or turned around.

    >>> closed_trades(np.array([[0.0], [2.0], [1.0], [0.0], [3.0], [-3.0], [-3.0]]))
    2
    """
    before, after = shares[:-1], shares[1:]
    return int(((before != 0.0) & (before * after <= 0.0)).sum())


def in_threads(count: int, run: Callable[[int, int], None]) -> None:
    """Split work over the processors; the kernels release the interpreter lock."""
    threads = max(1, min(os.cpu_count() or 1, count // FEWEST_PER_THREAD))
    edges = np.linspace(0, count, threads + 1).astype(int).tolist()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(run, edges[:-1], edges[1:]))


def _signals(account: SweepAccount, configurations: Sequence[StrategyParameters]) -> FloatArray:
    """Return C x N x T signals from the account's first session on."""
    decided = [account.strategy.signals(account.panel, each) for each in configurations]
    return np.ascontiguousarray(np.stack(decided)[:, account.first :].transpose(0, 2, 1))
