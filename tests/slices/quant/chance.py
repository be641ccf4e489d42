"""Strategies without skill, and planted skill, on real prices."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from slices.data.sources import open_source
from slices.domain.parameters import DEFAULT_COSTS, DEFAULT_RULES, Costs
from slices.quant.panel import Panel, read_panel
from slices.quant.signals.strategy import changes
from slices.quant.simulation.targets import simulate_targets
from slices.quant.validity.sharpe import period_sharpe_ratio
from tests.slices.quant.market import us_closes
from tests.support.frames import load

YEAR = 252
RATE = 0.001
"""Costs of 10 bps of what is traded."""

FREE = Costs(commission_bps=0.0, slippage_bps=0.0)

KINDS = ("long_flat", "long_short", "timing", "switching", "weights", "seldom", "portfolio")


@dataclass(frozen=True)
class Case:
    """Returns with and without costs, and those of holding the same symbols.

    Attributes:
        trial_sharpes: Per-period Sharpe ratios of all it was chosen from; None for the only one.
    """

    kind: str
    gross: np.ndarray
    net: np.ndarray
    benchmark: np.ndarray
    trial_sharpes: np.ndarray | None = None


@lru_cache(maxsize=1)
def close_panel() -> Panel:
    """The 20 names with closes alone."""
    sessions, symbols, closes = us_closes()
    return Panel(symbols=symbols, sessions=sessions, close=closes, periods_per_year=YEAR)


@lru_cache(maxsize=1)
def ohlcv_panel() -> Panel:
    """The five names with all prices and volume."""
    symbols = ("AAPL", "MSFT", "GOOGL", "IBM", "META")
    with tempfile.TemporaryDirectory() as folder:
        source = open_source("embedded", feed="us_ohlcv5")
        return read_panel(load(source, Path(folder), *symbols))


def returns_of(panel: Panel, random: np.random.Generator) -> np.ndarray:
    """Daily returns of some random symbols over a random period of 1 to 33 years."""
    symbols = random.permutation(panel.close.shape[1])[: random.integers(1, 11)]
    closes = panel.close[:, symbols]
    closes = closes[np.isfinite(closes).all(axis=1)]
    longest = closes.shape[0] - 1
    size = min(longest, int(YEAR * np.exp(random.uniform(0.0, np.log(33.0)))))
    start = int(random.integers(0, longest - size + 1))
    chosen = closes[start : start + size + 1]
    return chosen[1:] / chosen[:-1] - 1.0


def switches(size: int, random: np.random.Generator, *, stay: float, share: float) -> np.ndarray:
    """A Markov chain of True and False: sessions True lasts, and its share of all sessions."""
    leave, enter = 1.0 / stay, min(1.0, share / (1.0 - share) / stay)
    count = max(4, int(2 * size / (1.0 / leave + 1.0 / enter)) + 8)
    on, off = random.geometric(leave, count), random.geometric(enter, count)
    first = bool(random.random() < share)
    lengths = np.stack((on, off) if first else (off, on), axis=1).ravel()
    marks = np.repeat(np.tile([first, not first], count), lengths)
    return marks[:size] if marks.size >= size else np.resize(marks, size)


def random_weights(
    kind: str, sessions: int, symbols: int, random: np.random.Generator
) -> np.ndarray:
    """T x N held weights that know nothing."""
    stay = float(np.exp(random.uniform(0.0, np.log(YEAR))))
    share = float(random.uniform(0.2, 0.8))

    def chain() -> np.ndarray:
        return switches(sessions, random, stay=stay, share=share).astype(float)

    match kind:
        case "long_flat":
            return np.stack([chain() for _ in range(symbols)], axis=1) / symbols
        case "long_short":
            return (2.0 * np.stack([chain() for _ in range(symbols)], axis=1) - 1.0) / symbols
        case "timing":
            return np.tile(chain()[:, None] / symbols, symbols)
        case "seldom":
            marks = switches(sessions, random, stay=5.0, share=0.03).astype(float)
            return np.tile(marks[:, None] / symbols, symbols)
    if kind == "portfolio":
        stay = math.inf
    changed = np.cumsum(random.random(sessions) < 1.0 / stay)
    table = random.dirichlet(np.ones(symbols), changed[-1] + 1)
    if kind == "switching":
        table = np.eye(symbols)[random.integers(0, symbols, changed[-1] + 1)]
    return table[changed]


def traded(weights: np.ndarray, returns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gross and net returns of weights held through each session; changes are paid before it."""
    gross = (weights * returns).sum(axis=1)
    turnover = np.abs(np.diff(weights, axis=0, prepend=0.0)).sum(axis=1)
    return gross, gross - RATE * turnover


def held(returns: np.ndarray) -> np.ndarray:
    """Returns of buying equal amounts once."""
    wealth = np.concatenate((np.ones((1, returns.shape[1])), np.cumprod(1.0 + returns, axis=0)))
    account = wealth.mean(axis=1)
    return account[1:] / account[:-1] - 1.0


def random_strategies(count: int, *, seed: int) -> Iterator[Case]:
    """Strategies of all kinds on both sets of prices."""
    random = np.random.default_rng(seed)
    for number in range(count):
        panel = ohlcv_panel() if random.random() < 0.3 else close_panel()
        returns, kind = returns_of(panel, random), KINDS[number % len(KINDS)]
        weights = random_weights(kind, *returns.shape, random)
        yield Case(kind, *traded(weights, returns), held(returns))


def simulated_strategies(
    count: int, *, seed: int, share: float = 1.0, cash_rate: float = 0.0
) -> Iterator[Case]:
    """The same decisions on a share of the account, traded by the simulation, free and at costs."""
    free, dear = (
        each.model_copy(update={"cash_rate": cash_rate}) for each in (FREE, DEFAULT_COSTS)
    )
    random = np.random.default_rng(seed)
    for number in range(count):
        whole = ohlcv_panel() if random.random() < 0.3 else close_panel()
        panel = _some_of(whole, random)
        kind = KINDS[number % len(KINDS)]
        targets = share * random_weights(kind, *panel.close.shape, random)
        hold = np.full(panel.close.shape, np.nan)
        hold[0] = 1.0 / len(panel.symbols)
        gross, net, held_returns = (
            _simulated(panel, weights, costs)
            for weights, costs in (
                (changes(targets), free),
                (changes(targets), dear),
                (hold, dear),
            )
        )
        yield Case(kind, gross, net, held_returns)


def _some_of(panel: Panel, random: np.random.Generator) -> Panel:
    """Some random symbols over a random period of 1 to 33 years in which all have bars."""
    places = random.permutation(len(panel.symbols))[: random.integers(1, 11)]
    chosen = panel.columns([int(each) for each in places])
    first = int(np.isfinite(chosen.close).all(axis=1).argmax())
    longest = len(panel.sessions) - first
    size = min(longest, int(YEAR * np.exp(random.uniform(0.0, np.log(33.0)))))
    start = first + int(random.integers(0, longest - size + 1))
    return chosen.between(start, start + size)


def _simulated(panel: Panel, weights: np.ndarray, costs: Costs) -> np.ndarray:
    account = simulate_targets(panel, weights, costs=costs, rules=DEFAULT_RULES, capital=1e6)
    equity = np.concatenate(([account.capital], account.equity))
    return equity[1:] / equity[:-1] - 1.0


def planted_strategies(
    count: int, *, seed: int, sharpe: float = 2.0, years: int = 10
) -> Iterator[Case]:
    """Long or short by a signal that real noise hides: its net Sharpe ratio is known."""
    random = np.random.default_rng(seed)
    closes, size = close_panel().close, years * YEAR
    for _ in range(count):
        start, column = random.integers(0, closes.shape[0] - size), random.integers(0, 20)
        prices = closes[start : start + size + 1, column]
        real = prices[1:] / prices[:-1] - 1.0
        stay = float(np.exp(random.uniform(np.log(2.0), np.log(40.0))))
        signal = 2.0 * switches(size, random, stay=stay, share=0.5) - 1.0
        costs = RATE * np.abs(np.diff(signal, prepend=0.0))
        skill = sharpe * real.std() / np.sqrt(YEAR) + costs.mean()
        predictable = real - real.mean() + signal * skill
        gross = signal * predictable
        yield Case("planted", gross, gross - costs, predictable + real.mean())


def best_of(trials: int, count: int, *, seed: int) -> Iterator[Case]:
    """The best of random strategies on the same symbols, with the Sharpe ratios of all."""
    random = np.random.default_rng(seed)
    for number in range(count):
        returns, kind = returns_of(close_panel(), random), KINDS[number % len(KINDS)]
        accounts = [
            traded(random_weights(kind, *returns.shape, random), returns) for _ in range(trials)
        ]
        ratios = np.array([period_sharpe_ratio(net) for _, net in accounts])
        gross, net = accounts[int(np.nanargmax(ratios))]
        yield Case(kind, gross, net, held(returns), ratios)
