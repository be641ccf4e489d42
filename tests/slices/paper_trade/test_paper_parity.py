"""Paper trading is the backtest lived one session at a time: the same orders, fills and equity."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import pytest

from slices.domain.dataset import DatasetRef
from slices.domain.parameters import DEFAULT_COSTS, Costs, TradingRules
from slices.domain.strategies import StrategyName
from slices.ledger.booking import fills_of
from slices.ledger.orders import orders_of
from slices.paper_trade import deciding, session, viewing
from slices.paper_trade.deciding import Rule, decided_weights, weights_of
from slices.paper_trade.session import trade_sessions
from slices.paper_trade.viewing import view_account
from slices.quant.panel import read_panel
from slices.quant.simulation.targets import simulate_targets
from tests.slices.paper_trade.paper_accounts import LOOSE, books, closes, ohlcv, rule

if TYPE_CHECKING:
    from slices.quant.panel import Panel
    from slices.quant.simulation.account import Simulation

CENT = 0.01
MONTH = 21


def daily(panel: Panel, _rule: Rule) -> np.ndarray:
    """Weights of every symbol that change at every close, from nothing but the session's date."""
    rows = [
        np.random.default_rng(each.toordinal()).dirichlet(np.ones(21)) for each in panel.sessions
    ]
    return np.array(rows)[:, : len(panel.symbols)]


def simulated(bars: DatasetRef, wanted: np.ndarray, first: int, **given: object) -> Simulation:
    options = {"costs": DEFAULT_COSTS, "rules": TradingRules(), "capital": 100_000.0} | given
    panel = read_panel(bars)
    lived = panel.between(first, len(panel.sessions))
    return simulate_targets(lived, decided_weights(wanted[first:]), **options)


def check_same(account: str, bars: DatasetRef, tested: Simulation, first: int) -> None:
    """Compare every close, every fill and every order with the backtest's."""
    panel = read_panel(bars)
    with books() as ledger:
        view = viewing.read_book(ledger, account)
        fills, orders = fills_of(ledger, account), orders_of(ledger, account)
    paper = np.array([float(each.equity) for each in view.curve])
    assert [each.session for each in view.curve] == list(panel.sessions[first:])
    assert np.abs(paper - tested.equity).max() < CENT
    made = tested.fills
    mine = sorted((each.session, each.symbol, float(each.quantity)) for each in fills)
    theirs = sorted(
        (panel.sessions[first + row], panel.symbols[column], float(quantity))
        for row, column, quantity in zip(made.rows, made.columns, made.quantities, strict=True)
    )
    assert [each[:2] for each in mine] == [each[:2] for each in theirs]
    assert [each[2] for each in mine] == pytest.approx([each[2] for each in theirs], abs=1e-6)
    assert sum(float(each.costs) for each in fills) == pytest.approx(made.costs.sum(), abs=CENT)
    filled = {(each.order.session, each.order.symbol) for each in orders if each.filled_quantity}
    assert len(filled) <= made.rows.size


@pytest.mark.slow
def test_new_weights_of_twenty_symbols_at_every_close(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (deciding, session):
        monkeypatch.setattr(module, "weights_of", daily)
    bars = closes(sessions=MONTH)
    panel = read_panel(bars)
    done = trade_sessions("daily", bars, rule(), replay_from=panel.sessions[0], limits=LOOSE)
    assert (done.decided, done.denied) == (MONTH, 0)
    assert done.placed == MONTH * 20
    check_same("daily", bars, simulated(bars, daily(panel, rule()), 0), 0)


@pytest.mark.parametrize(
    ("name", "costs", "rules"),
    [
        ("plain", DEFAULT_COSTS, TradingRules()),
        ("whole", DEFAULT_COSTS, TradingRules(whole_shares=True)),
        (
            "carry",
            Costs(commission_per_share=0.01, commission_minimum=1, cash_rate=0.03),
            TradingRules(gross_exposure=0.8),
        ),
    ],
)
def test_a_strategy_on_bars_with_opens(name: str, costs: Costs, rules: TradingRules) -> None:
    bars = ohlcv()
    panel = read_panel(bars)
    first = panel.sessions.index(dt.date(2012, 10, 1))
    decides = rule(fast=5, slow=15, gross=rules.gross_exposure)
    done = trade_sessions(
        f"opens-{name}",
        bars,
        decides,
        replay_from=panel.sessions[first],
        costs=costs,
        rules=rules,
        limits=LOOSE,
    )
    assert done.placed > 10
    tested = simulated(bars, weights_of(panel, decides), first, costs=costs, rules=rules)
    check_same(f"opens-{name}", bars, tested, first)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("strategy", "settings", "history", "lived"),
    [
        (StrategyName.SMA_CROSS, {"fast": 10, "slow": 50}, 60, 6 * MONTH),
        (StrategyName.CROSS_SECTIONAL_MOMENTUM, {}, 300, 3 * MONTH),
    ],
)
def test_a_strategy_on_twenty_symbols(
    strategy: StrategyName, settings: dict[str, float], history: int, lived: int
) -> None:
    bars = closes(sessions=history + lived)
    panel, decides = read_panel(bars), rule(strategy, **settings)
    first = history
    account = strategy.value[:20]
    done = trade_sessions(account, bars, decides, replay_from=panel.sessions[first])
    assert (done.decided, done.denied) == (lived, 0)
    check_same(account, bars, simulated(bars, weights_of(panel, decides), first), first)
    view = view_account(account, bars, decides, done, is_replay=True)
    assert view.parity is not None
    assert view.parity.is_equal
    assert view.parity.total.total == pytest.approx(0.0, abs=CENT)
    assert view.unattended == ()
