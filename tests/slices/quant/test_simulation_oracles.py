"""The engine against others on real bars, with the same decisions, fills and costs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from slices.data.sources import open_source
from slices.domain.bars import Adjustment
from slices.domain.parameters import Costs
from slices.quant.metrics.drawdown import max_drawdown
from slices.quant.panel import Panel, read_panel
from slices.quant.returns import simple_returns
from slices.quant.signals.strategy import changes
from slices.quant.simulation.account import Simulation
from slices.quant.simulation.orders import OrderIntent, simulate_orders
from slices.quant.simulation.round_trips import round_trips
from slices.quant.simulation.targets import simulate_targets
from tests.slices.quant.market import panel_of, us_closes
from tests.slices.quant.simulated import RULES
from tests.support.frames import load

TEN_BPS = Costs(commission_bps=10, slippage_bps=0)
RATE = 0.001
CAPITAL = 1e5


def crossing(closes: np.ndarray, fast: int = 10, slow: int = 50) -> np.ndarray:
    """1 where the fast average is above the slow one, 0 where below; a tie keeps what was."""
    signals = np.zeros(closes.shape)
    for t in range(slow - 1, closes.shape[0]):
        short = closes[t - fast + 1 : t + 1].sum(axis=0) / fast
        long = closes[t - slow + 1 : t + 1].sum(axis=0) / slow
        is_tie = np.abs(short - long) <= 1e-12 * long
        signals[t] = np.where(is_tie, signals[t - 1], short > long)
    return signals


def run(panel: Panel, signals: np.ndarray, capital: float = CAPITAL) -> Simulation:
    return simulate_targets(panel, changes(signals), costs=TEN_BPS, rules=RULES, capital=capital)


def all_in(fills: np.ndarray, closes: np.ndarray, signals: np.ndarray) -> np.ndarray:
    """Equity of one symbol held all in or not at all, vectorised: the product of what it earned."""
    held = np.concatenate([[0.0, 0.0], signals[:-1]])
    before, now = held[:-1], held[1:]
    previous = np.concatenate([closes[:1], closes[:-1]])
    growth = np.where(before > 0, fills / previous, 1.0) * np.where(now > 0, closes / fills, 1.0)
    growth *= np.where(now > before, 1 / (1 + RATE), 1.0) * np.where(now < before, 1 - RATE, 1.0)
    return CAPITAL * np.cumprod(growth)


@pytest.fixture(scope="module")
def googl(tmp_path_factory: pytest.TempPathFactory) -> Panel:
    folder = tmp_path_factory.mktemp("googl")
    source = open_source("embedded", feed="us_ohlcv5")
    return read_panel(load(source, folder, "GOOGL", adjustment=Adjustment.RAW))


@pytest.fixture(scope="module")
def twenty() -> Panel:
    return panel_of(us_closes()[2].copy())


def test_the_golden_run_of_one_symbol(googl: Panel) -> None:
    account = run(googl, crossing(googl.close))
    closed, still_open = round_trips(account)
    assert len(googl.sessions) == 2148
    assert account.equity[-1] == pytest.approx(337_675.891767, rel=1e-11)
    assert max_drawdown(simple_returns(account.equity)) == pytest.approx(0.2894, abs=5e-5)
    assert (closed.pnl.size, still_open.pnl.size) == (20, 1)


def test_looking_ahead_would_make_a_different_account(googl: Panel) -> None:
    honest = crossing(googl.close)
    ahead = np.vstack([honest[1:], honest[-1:]])
    assert run(googl, ahead).equity[-1] > 1.3 * run(googl, honest).equity[-1]


def test_one_symbol_equals_a_vectorised_product(googl: Panel) -> None:
    signals = crossing(googl.close)
    assert googl.open is not None
    expected = all_in(googl.open[:, 0], googl.close[:, 0], signals[:, 0])
    assert run(googl, signals).equity == pytest.approx(expected, rel=1e-12)


def test_orders_and_target_weights_give_the_same_account(googl: Panel) -> None:
    signals = crossing(googl.close)
    decided = np.flatnonzero(np.diff(signals[:, 0], prepend=0.0))
    orders = [OrderIntent(row=int(t), column=0, weight=float(signals[t, 0])) for t in decided]
    options = {"costs": TEN_BPS, "rules": RULES, "capital": CAPITAL}
    ordered = simulate_orders(googl, orders, **options)
    account = run(googl, signals)
    assert ordered.equity == pytest.approx(account.equity, rel=1e-12)
    assert ordered.fills.quantities == pytest.approx(account.fills.quantities, rel=1e-12)
    assert {each.status.value for each in ordered.outcomes} == {"filled"}


@pytest.mark.slow
def test_twenty_sleeves_are_the_sum_of_twenty_runs(twenty: Panel) -> None:
    signals = crossing(twenty.close)
    runs = [
        run(twenty.columns([i]), signals[:, [i]], CAPITAL).equity for i in range(signals.shape[1])
    ]
    expected = [
        all_in(twenty.close[:, i], twenty.close[:, i], signals[:, i]) for i in range(len(runs))
    ]
    assert sum(runs) == pytest.approx(sum(expected), rel=1e-12)
    assert sum(each[-1] for each in runs) / 1e6 == pytest.approx(85.0, abs=0.05)


def test_raptorbt_agrees(googl: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPTORBT_NO_VERSION_CHECK", "1")
    import raptorbt

    signals = crossing(googl.close)
    change = np.diff(signals[:, 0], prepend=0.0)
    columns = (googl.open, googl.high, googl.low, googl.close, googl.volume)
    theirs = raptorbt.run_single_backtest(
        np.arange(change.size, dtype=np.int64) * 86_400 * 10**9,
        *(np.ascontiguousarray(each[:, 0]) for each in columns if each is not None),
        change > 0,
        change < 0,
        config=raptorbt.BacktestConfig(
            initial_capital=CAPITAL, fees=RATE, slippage=0.0, fill_timing="next_bar_open"
        ),
    )
    account = run(googl, signals)
    assert account.equity == pytest.approx(theirs.equity_curve(), rel=1e-12)
    entries = [trade.size for trade in theirs.trades()]
    bought = account.fills.quantities[account.fills.quantities > 0]
    assert bought == pytest.approx(entries, rel=1e-12)


def bt_equity(panel: Panel, weights: np.ndarray, *, rate: float) -> np.ndarray:
    """Trade weights decided at each close one session later with bt, which fills at closes."""
    import bt

    index = pd.DatetimeIndex(panel.sessions)
    prices = pd.DataFrame(panel.close, index=index, columns=list(panel.symbols))
    shifted = pd.DataFrame(weights, index=index, columns=prices.columns).shift(1).dropna()
    rule = bt.Strategy("rule", [bt.algos.WeighTarget(shifted), bt.algos.Rebalance()])
    test = bt.Backtest(
        rule,
        prices,
        initial_capital=CAPITAL,
        commissions=lambda quantity, price: abs(quantity) * price * rate,
        integer_positions=False,
        progress_bar=False,
    )
    test.run()
    return np.asarray(test.strategy.data["value"].iloc[1:])


BT_WARNINGS = pytest.mark.filterwarnings(
    # bt and ffn 1.x under pandas 3.
    "ignore::FutureWarning",
    "ignore::DeprecationWarning",
    "ignore::pandas.errors.Pandas4Warning",
    "ignore:.*fragmented.*",
)


@BT_WARNINGS
@pytest.mark.slow
def test_bt_agrees_on_one_symbol_with_costs(googl: Panel) -> None:
    panel = panel_of(googl.close)
    signals = crossing(googl.close)
    decided = changes(signals)
    expected = bt_equity(panel, decided, rate=RATE)
    assert run(panel, signals).equity == pytest.approx(expected, rel=1e-12)


@BT_WARNINGS
@pytest.mark.slow
def test_bt_agrees_on_shared_cash_without_costs(twenty: Panel) -> None:
    panel = twenty.between(0, 400).columns(range(6))
    random = np.random.default_rng(3)
    weights = random.dirichlet(np.ones(7), 400)[:, :6]
    weights[np.arange(400) % 5 != 0] = np.nan
    free = Costs(commission_bps=0, slippage_bps=0)
    account = simulate_targets(panel, weights, costs=free, rules=RULES, capital=CAPITAL)
    assert account.equity == pytest.approx(bt_equity(panel, weights, rate=0.0), rel=1e-12)
