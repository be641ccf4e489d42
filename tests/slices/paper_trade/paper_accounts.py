"""Paper accounts over real prices, for the tests of paper trading."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

import numpy as np

from slices.data.adapters.embedded import open_embedded
from slices.domain.accounts import TradingMode
from slices.domain.backtests import StrategyChoice
from slices.domain.bars import Adjustment
from slices.domain.dataset import DatasetRef
from slices.domain.limits import RiskLimits
from slices.domain.parameters import Costs, TradingRules
from slices.domain.strategies import StrategyName
from slices.ledger.dump import canonical_dump
from slices.ledger.opening import ledger_for
from slices.paper_trade.deciding import Rule, rule_of
from slices.quant.signals.catalogue import checked_parameters
from tests.slices.quant.market import stored, us_closes
from tests.support.frames import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from slices.ledger.opening import Ledger

OHLCV = ("AAPL", "MSFT", "GOOGL", "IBM", "META")
LOOSE = RiskLimits(
    max_gross_exposure=20,
    max_net_exposure=20,
    max_leverage=20,
    max_concentration=20,
    max_daily_loss=1.0,
    max_drawdown=1.0,
)
"""Limits nothing here comes near to, for what is compared with an account without a gate."""

YEAR = 252


@lru_cache(maxsize=4)
def closes(symbols: int = 20, sessions: int = YEAR + 60) -> DatasetRef:
    """The newest closes of 20 US names, at which everything also fills."""
    dates, names, values = us_closes()
    chosen = {name: values[-sessions:, i].copy() for i, name in enumerate(names[:symbols])}
    return stored(Path(mkdtemp(prefix="tradeflows-tests-")), dates[-sessions:], chosen)


@lru_cache(maxsize=4)
def ohlcv(*symbols: str, end: dt.date | None = None) -> DatasetRef:
    """Embedded bars with opens."""
    chosen = symbols or OHLCV
    folder = Path(mkdtemp(prefix="tradeflows-tests-"))
    return load(open_embedded(None, chosen), folder, *chosen, end=end, adjustment=Adjustment.TOTAL)


def rule(
    strategy: StrategyName = StrategyName.SMA_CROSS, *, gross: float = 1.0, **settings: float
) -> Rule:
    """A strategy with some of its parameters set, sized in equal shares."""
    checked = checked_parameters(strategy, settings)
    return rule_of(
        StrategyChoice(strategy=strategy, parameters=tuple(checked.model_dump().items())),
        sizing="equal_shares",
        target_volatility=0.15,
        rules=TradingRules(gross_exposure=gross),
    )


@contextmanager
def books() -> Iterator[Ledger]:
    """The ledger the settings name."""
    ledger = ledger_for(TradingMode.PAPER)
    try:
        yield ledger
    finally:
        ledger.close()


def dumped(account: str) -> bytes:
    """Everything the database knows of an account."""
    with books() as ledger:
        return canonical_dump(ledger, account)


def revised(bars: DatasetRef, symbol: str, session: dt.date, factor: float) -> DatasetRef:
    """The same closes with one of them changed afterwards."""
    from slices.quant.panel import read_panel

    panel = read_panel(bars)
    values = panel.close.copy()
    row, column = panel.sessions.index(session), panel.symbols.index(symbol)
    values[row, column] *= factor
    folder = Path(mkdtemp(prefix="tradeflows-tests-"))
    columns = {each: np.ascontiguousarray(values[:, i]) for i, each in enumerate(panel.symbols)}
    return stored(folder, panel.sessions, columns)


FREE = Costs(commission_bps=0, slippage_bps=0)
