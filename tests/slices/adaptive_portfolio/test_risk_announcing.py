"""A breach is announced once, and never lost where announcing it failed."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from slices.adaptive_portfolio.risk_watch import announce_once
from slices.domain.alerts import Event, Level, LimitBreached
from slices.domain.errors import StorageError
from slices.domain.limits import LimitLine
from slices.domain.risk_monitoring import RiskWatch

LINE = LimitLine(
    name="max_drawdown",
    subject="",
    unit="fraction of equity",
    used=0.55,
    allowed=0.5,
    headroom=-0.1,
    is_breached=True,
)


def watch(session: int = 5) -> RiskWatch:
    seen = SimpleNamespace(account="bleeding", session=dt.date(2024, 3, session))
    return cast("RiskWatch", seen)


@pytest.fixture(autouse=True)
def own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRADEFLOWS_HOME", str(tmp_path))


def test_a_breach_is_announced_once_for_account_mode_limit_and_session() -> None:
    told: list[Event] = []
    other = dataclasses.replace(LINE, name="max_daily_loss")
    asked = [
        (watch(), LINE, "paper"),
        (watch(), LINE, "paper"),
        (watch(), other, "paper"),
        (watch(), LINE, "live"),
        (watch(6), LINE, "paper"),
        (watch(), LINE, "live"),
    ]
    sent = [announce_once(seen, line, mode=m, announce=told.append) for seen, line, m in asked]
    assert sent == [True, False, True, True, True, False]
    assert [type(each) for each in told] == [LimitBreached] * 4
    assert [each.level for each in told[:2]] == [Level.CRITICAL, Level.ERROR]


def test_an_announcement_that_failed_is_made_again() -> None:
    def broken(_: Event) -> None:
        raise StorageError(path="outbox.db", problem="no space left")

    told: list[Event] = []
    with pytest.raises(StorageError):
        announce_once(watch(), LINE, mode="paper", announce=broken)
    assert announce_once(watch(), LINE, mode="paper", announce=told.append)
    assert not announce_once(watch(), LINE, mode="paper", announce=told.append)
    assert len(told) == 1
