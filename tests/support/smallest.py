"""The smallest inputs with which every flow reaches all of its steps, as words of the command."""

from __future__ import annotations

import dataclasses
import datetime as dt
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flows.ml_monitoring import ml_model_monitoring
from flows.positions import portfolio_rebalance, stop_loss_monitor
from slices.ml_strategy.bundles.files import bundle_files
from slices.runtime import registry
from slices.runtime.mlflow_store import open_tracking
from slices.runtime.tracking import TrackedPart, TrackedRun, track
from tests.slices.live_trade.live_accounts import switches
from tests.slices.live_trade.live_orders import ACCOUNT
from tests.support.planted import planted
from tests.support.served import LATER, trained

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.support.broker_server import Exchange

MODEL, NO_MODEL = "smallest", "smallest-nobody"
SESSIONS = 760
BEFORE, DAY, LOWER = "2012-09-20", "2012-09-21", "2012-10-19"
"""Apple fell by 12.7 % between the last two."""

PAIR = "--symbols AAPL MSFT --start 2010-01-04"
FOUR = "--symbols AAPL MSFT GOOGL IBM --start 2009-01-02"
HELD = f"{PAIR} --account held --as-of {LOWER}"
MARKET = "--symbols {symbols} --source files --feed {feed} --adjustment split"
SPLITS = "--splits.folds 2 --splits.first-train-sessions 400 --splits.combinatorial-blocks 4"
LIVE = f"--symbols AAPL MSFT --adjustment split --execution live --account {ACCOUNT}"
TIGHT = "--protection.reducing-drawdown 0.01 --protection.halting-drawdown 0.02"


@dataclass(frozen=True)
class Case:
    """One flow with one set of inputs.

    Attributes:
        words: After the name of the flow; `{symbols}`, `{feed}` and `{last}` are of the planted
            market.
        is_live: Whether the account is a live one.
    """

    flow: str
    words: str
    is_live: bool = False


CASES = (
    Case("quick_test", "--symbols AAPL --start 2011-01-03"),
    Case("simple_backtest", PAIR),
    Case("full_analysis", f"{PAIR} --detailed-symbols 1"),
    Case("portfolio_analysis", f"{PAIR} --lookback-sessions 60"),
    Case("optimization", "--symbols GOOGL --trials 40 --ranges fast=2:12 slow=20:40"),
    Case("optimization", "--symbols GOOGL --trials 20 --method tpe --ranges fast=2:12 slow=20:40"),
    Case(
        "multi_strategy_portfolio",
        "--symbols AAPL MSFT --start 2011-06-01 --lookback-sessions 60"
        " --strategies buy_and_hold sma_cross",
    ),
    Case("risk_parity_portfolio", f"{PAIR} --lookback-sessions 60"),
    Case("momentum_portfolio", f"{FOUR} --lookback-sessions 126"),
    Case("mean_reversion_portfolio", FOUR),
    Case("paper_trading", f"{PAIR} --account new --as-of {DAY}"),
    Case(
        "paper_trading",
        f"{PAIR} --account new --replay-from 2012-09-19 --replay-to {DAY}",
    ),
    Case("portfolio_rebalance", f"{PAIR} --account new --as-of {DAY} --execution paper"),
    Case("portfolio_rebalance", f"{LIVE} --as-of {BEFORE}", is_live=True),
    Case("stop_loss_monitor", f"{HELD} --default-stop.kind trailing --default-stop.fraction 0.08"),
    Case("stop_loss_monitor", f"{LIVE} --as-of {BEFORE}", is_live=True),
    Case("risk_adjusted_trading", f"{PAIR} --account new --as-of {DAY}"),
    Case("risk_adjusted_trading", f"{LIVE} --as-of {BEFORE}", is_live=True),
    Case("drawdown_protection", f"{HELD} {TIGHT} --liquidate true"),
    Case("drawdown_protection", f"{LIVE} --as-of {BEFORE}", is_live=True),
    Case("risk_monitoring", f"{HELD} --execution paper"),
    Case("risk_monitoring", f"{LIVE} --as-of {BEFORE}", is_live=True),
    Case("position_sizing", HELD),
    Case("ml_feature_engineering", f"{FOUR} --families momentum volatility"),
    Case(
        "ml_model_training",
        f"{MARKET} --model {NO_MODEL}-trained --features momentum_21 reversal_5"
        f" --kinds linear --trials 1 {SPLITS}",
    ),
    Case("ml_model_monitoring", f"{MARKET} --model {NO_MODEL}"),
    Case("ml_model_monitoring", f"{MARKET} --model {MODEL}"),
    Case(
        "ml_portfolio_optimization",
        f"{MARKET} --model {MODEL} --account new --views.lookback-sessions 60"
        " --views.fewest-sessions 60",
    ),
    Case(
        "ml_portfolio_optimization",
        f"{MARKET} --model {MODEL} --account {ACCOUNT} --views.lookback-sessions 60"
        " --views.fewest-sessions 60 --execution live",
        is_live=True,
    ),
    Case("ml_prediction_trading", f"{MARKET} --model {MODEL} --account new"),
    Case(
        "ml_prediction_trading",
        f"{MARKET} --model {MODEL} --account {ACCOUNT} --execution live",
        is_live=True,
    ),
    Case("ml_driven", f"{MARKET} --model {MODEL}"),
    Case("ml_driven", f"{MARKET} --model {NO_MODEL} --kinds linear {SPLITS}"),
    Case(
        "ml_strategy_selection",
        "--symbols AAPL MSFT --start 2008-01-02 --end 2012-12-31"
        " --strategies buy_and_hold sma_cross --tuning-trials 20"
        " --periods.train-periods 24 --periods.refit-periods 12",
    ),
)


@dataclass
class World:
    """Everything the cases need, made once: a market, its champion, accounts that hold something.

    Attributes:
        exchange: The broker's stand-in.
        folder: Of every ledger; `held.db` is the one that paper accounts begin with.
        runs: How many began.
        told: What commands printed and logged, by what was ordered.
    """

    folder: Path
    exchange: Exchange
    symbols: tuple[str, ...]
    feed: Path
    sessions: tuple[dt.date, ...]
    runs: int = 0
    told: list[tuple[str, bytes]] = field(default_factory=list)

    def words(self, case: Case) -> list[str]:
        """Write the whole command of a case."""
        filled = case.words.format(symbols=" ".join(self.symbols), feed=self.feed)
        return ["run", case.flow, *filled.split()]

    def begin(self, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
        """Give a run books of its own, and a broker who knows nothing yet."""
        self.runs += 1
        for name in ("LEDGER", "LIVE_LEDGER"):
            fresh = self.folder / f"{name.lower()}-{self.runs}.db"
            if name == "LEDGER":
                copied(self.folder / "held.db", fresh)
            monkeypatch.setenv(f"TRADEFLOWS_{name}_URL", f"sqlite:///{fresh}")
        forget(self.exchange)
        day = BEFORE if "{feed}" not in case.words else str(self.sessions[-1])
        self.exchange.now = dt.datetime.fromisoformat(f"{day}T21:30:00+00:00")
        for name, value in switches(self.exchange).items():
            monkeypatch.setenv(name, value)


def copied(source: Path, target: Path) -> None:
    """Copy a database of SQLite with what is in its journal."""
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)
    target.chmod(source.stat().st_mode)


def forget(exchange: Exchange) -> None:
    """Empty the account at the broker."""
    for each in (exchange.orders, exchange.activities, exchange.faults):
        each.clear()
    exchange.positions.clear()


def make_world(folder: Path, exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> World:
    """Make the market, the champion and the account that holds Apple and Microsoft."""
    market = planted(symbols=12, sessions_on=SESSIONS, sessions_off=0, strength=0.15)
    feed = market.write(folder / "planted.parquet")
    register_champion(feed, market.symbols)
    monkeypatch.setenv("TRADEFLOWS_LEDGER_URL", f"sqlite:///{folder}/held.db")
    held = {"symbols": ["AAPL", "MSFT"], "start": "2010-01-04", "account": "held"}
    halves = {"target_weights": {"AAPL": 0.5, "MSFT": 0.5}, "execution": "paper"}
    portfolio_rebalance(as_of=BEFORE, **held, **halves)
    guard = {"default_stop": {"kind": "trailing", "fraction": 0.08}}
    stop_loss_monitor(as_of=DAY, **held, **guard)
    return World(
        folder=folder, exchange=exchange, symbols=market.symbols, feed=feed,
        sessions=market.sessions,
    )  # fmt: skip


def register_champion(feed: Path, symbols: tuple[str, ...]) -> None:
    """Train a small model on the bars that flows will load and let it be champion."""
    market = {"symbols": list(symbols), "source": "files", "feed": str(feed)}
    bars = ml_model_monitoring(**market, adjustment="split", model=NO_MODEL).bars
    bundle = dataclasses.replace(trained(bars, SESSIONS - LATER), name=MODEL)
    open_tracking()
    part = TrackedPart(name=MODEL, parameters=(), metrics=())
    run_id = track(TrackedRun(experiment="smallest", key=MODEL, main=part))
    version = registry.register(MODEL, run_id=run_id, files=bundle_files(bundle), key=MODEL)
    registry.set_champion(MODEL, version.version, "for a test")
