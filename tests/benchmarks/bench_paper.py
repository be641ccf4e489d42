"""A year of paper trading, against the simulation alone: `python -m tests.benchmarks.bench_paper`.

Both live through the same decisions, one in sessions with a ledger that survives a power cut, the
other at once and in memory; their account values are compared at every close.
"""

from __future__ import annotations

import os
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.backtests import StrategyChoice
from slices.domain.limits import RiskLimits
from slices.domain.parameters import DEFAULT_COSTS, DEFAULT_RULES
from slices.domain.strategies import StrategyName
from slices.ledger.accounts import read_book
from slices.paper_trade import session
from slices.paper_trade.beginning import CAPITAL, paper_ledger
from slices.paper_trade.deciding import Rule, decided_weights, rule_of, weights_of
from slices.quant.panel import read_panel
from slices.quant.simulation.targets import simulate_targets
from tests.benchmarks.harness import Figure, print_figures, timed
from tests.slices.quant.market import us_dataset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from slices.domain.dataset import DatasetRef
    from slices.quant.panel import Panel
    from slices.quant.types import FloatArray

YEAR, HISTORY = 252, 60
CENT = 0.01
PACKAGES = ("numpy", "numba", "sqlalchemy")
LOOSE = RiskLimits(
    max_gross_exposure=20,
    max_net_exposure=20,
    max_leverage=20,
    max_daily_loss=1.0,
    max_drawdown=1.0,
)


def daily(panel: Panel, _rule: Rule) -> FloatArray:
    """Weights of every symbol that change at every close."""
    rows = [np.random.default_rng(day.toordinal()).dirichlet(np.ones(21)) for day in panel.sessions]
    return np.array(rows)[:, : len(panel.symbols)]


def slow_rule() -> Rule:
    """A cross of moving averages, which trades a few times a month."""
    settings = (("fast", 10), ("slow", 50), ("short", False))
    choice = StrategyChoice(strategy=StrategyName.SMA_CROSS, parameters=settings)
    return rule_of(choice, sizing="equal_shares", target_volatility=0.15, rules=DEFAULT_RULES)


def backtested(panel: Panel, weights: FloatArray) -> FloatArray:
    """The same decisions, simulated at once."""
    simulation = simulate_targets(
        panel, decided_weights(weights), costs=DEFAULT_COSTS, rules=DEFAULT_RULES, capital=CAPITAL
    )
    return simulation.equity


def replayed(account: str, bars: DatasetRef, rule: Rule) -> int:
    """Live through the year in sessions; return the number of orders."""
    first = read_panel(bars).sessions[HISTORY]
    return session.trade_sessions(account, bars, rule, replay_from=first, limits=LOOSE).placed


def year(
    work: str, account: str, bars: DatasetRef, decide: Callable[[Panel, Rule], FloatArray]
) -> Iterator[Figure]:
    """Measure one year of decisions."""
    vars(session)["weights_of"] = decide
    rule, panel = slow_rule(), read_panel(bars)
    weights = decide(panel, rule)[HISTORY:]
    lived = panel.between(HISTORY, len(panel.sessions))
    alone = min(timed(partial(backtested, lived, weights))[0] for _ in range(5))
    seconds, placed = timed(partial(replayed, account, bars, rule))
    again, _ = timed(partial(replayed, account, bars, rule))
    with paper_ledger() as ledger:
        curve = read_book(ledger, account).curve
    paper = np.array([float(each.equity) for each in curve])
    gap = float(np.abs(paper - backtested(lived, weights)).max())
    wrong = f"account values differ by up to {gap:,.2f}" if gap > CENT else ""
    note = f"{placed:,} orders; {seconds / alone:,.0f} times the simulation alone; gap {gap:.1e}"
    yield Figure(work=work, value=seconds, unit="s", note=note, wrong=wrong)
    yield Figure(work=f"{work}: sessions a second", value=YEAR / seconds, unit="1/s")
    yield Figure(work=f"{work}: again, nothing to do", value=again, unit="s")


def figures(folder: Path) -> Iterator[Figure]:
    """Measure a rule that trades everything daily, and one that seldom trades."""
    bars = us_dataset(folder, symbols=20, sessions=YEAR + HISTORY)
    replayed("warm", us_dataset(folder, symbols=1, sessions=HISTORY + 2), slow_rule())
    bars = us_dataset(folder, symbols=20, sessions=YEAR + HISTORY)
    yield from year("20 symbols, 252 sessions, new weights daily", "daily", bars, daily)
    yield from year("20 symbols, 252 sessions, a slow strategy", "slow", bars, weights_of)


def main() -> int:
    """Print the table."""
    with tempfile.TemporaryDirectory(prefix="tradeflows-bench-") as name:
        os.environ["TRADEFLOWS_HOME"] = name
        return print_figures("Paper trading", figures(Path(name)), packages=PACKAGES)


if __name__ == "__main__":
    sys.exit(main())
