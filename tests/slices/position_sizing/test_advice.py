from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slices.domain.errors import ParameterError
from slices.domain.sizing import SizeAdvice, SizeFailure, SizingRules
from slices.position_sizing.advice import RANGE_SESSIONS, average_range, size_advice
from slices.quant.sizing import risk_weight, shrunk_kelly_weight, volatility_target_weight
from tests.support.frames import FrameSource, load, ohlcv


def walk(count: int, *, seed: int, drift: float = 0.0, volatility: float = 0.02) -> pl.DataFrame:
    """Bars of a random walk with highs and lows around it."""
    random = np.random.default_rng(seed)
    closes = 100 * np.exp(np.cumsum(random.normal(drift, volatility, count)))
    spread = np.abs(random.normal(0, volatility / 2, count))
    return ohlcv(count).with_columns(
        open=pl.Series(closes),
        close=pl.Series(closes),
        high=pl.Series(closes * (1 + spread)),
        low=pl.Series(closes * (1 - spread)),
    )


def advised(tmp_path: Path, frame: pl.DataFrame, **options: SizingRules) -> SizeAdvice:
    bars = load(FrameSource({"AAA": frame}), tmp_path, "AAA")
    (found,) = size_advice(bars, ("AAA",), **options)
    assert isinstance(found, SizeAdvice)
    return found


def test_the_size_is_the_smallest_of_what_the_rules_allow(tmp_path: Path) -> None:
    found = advised(tmp_path, walk(400, seed=1, drift=0.002))
    allowed = (found.volatility_weight, found.risk_weight, found.kelly_weight, 0.25)
    assert found.weight == min(allowed) > 0
    assert found.quantity == math.floor(100_000 * found.weight / found.close)
    assert found.bound_by in found.explanation


def test_no_edge_is_no_size(tmp_path: Path) -> None:
    found = advised(tmp_path, walk(800, seed=2, drift=-0.003))
    assert found.weight == found.kelly_weight == found.quantity == 0
    assert found.bound_by == "shrunk Kelly"


def test_a_stop_that_is_hit_loses_the_risk(tmp_path: Path) -> None:
    found = advised(
        tmp_path, walk(400, seed=3, drift=0.01), sizing=SizingRules(target_volatility=2, largest=1)
    )
    assert found.bound_by == "risk per trade"
    assert found.weight * (1 - found.stop_price / found.close) == pytest.approx(0.01)


def test_volatility_follows_the_newest_quarter(tmp_path: Path) -> None:
    frame = walk(400, seed=4, drift=0.001)
    found = advised(tmp_path, frame)
    changes = frame["close"].pct_change().tail(63)
    assert found.annualized_volatility == pytest.approx(float(changes.std() or 0) * math.sqrt(252))
    assert found.volatility_weight * found.annualized_volatility == pytest.approx(0.1)


def test_too_little_history_and_a_dead_price_are_named(tmp_path: Path) -> None:
    flat = ohlcv(100).with_columns(
        pl.lit(5.0).alias(name) for name in ("open", "high", "low", "close")
    )
    bars = load(FrameSource({"NEW": walk(40, seed=5), "FLAT": flat}), tmp_path, "NEW", "FLAT")
    found = size_advice(bars, ("NEW", "FLAT"))
    assert [type(each) for each in found] == [SizeFailure, SizeFailure]
    assert "found 40" in found[0].reason  # type: ignore[union-attr]


def test_the_average_range_is_wilders_and_without_highs_the_average_change() -> None:
    frame = walk(60, seed=6)
    close, high, low = (frame[name].to_numpy() for name in ("close", "high", "low"))
    before = close[:-1]
    ranges = np.maximum(high[1:], before) - np.minimum(low[1:], before)
    expected = ranges[:RANGE_SESSIONS].mean()
    for each in ranges[RANGE_SESSIONS:]:
        expected += (each - expected) / RANGE_SESSIONS
    assert average_range(close, high, low) == pytest.approx(expected / close[-1], rel=1e-12)
    changes = np.abs(np.diff(close))[-RANGE_SESSIONS:].mean()
    assert average_range(close, None, None) == pytest.approx(changes / close[-1])


@given(mean=st.floats(1e-4, 0.01), spread=st.floats(0.005, 0.05), count=st.integers(10, 500))
def test_kelly_is_shrunk_more_the_less_is_known(mean: float, spread: float, count: int) -> None:
    sample = np.random.default_rng(0).normal(size=count)
    sample = mean + spread * (sample - sample.mean()) / sample.std(ddof=1)
    full = mean / spread**2
    shrunk = shrunk_kelly_weight(sample, fraction=1.0)
    assert 0 < shrunk < full
    assert shrunk < shrunk_kelly_weight(np.tile(sample, 4), fraction=1.0) * 1.001
    assert shrunk_kelly_weight(sample, fraction=0.5) == pytest.approx(shrunk / 2)


def test_undefined_inputs_have_no_size() -> None:
    assert math.isnan(shrunk_kelly_weight(np.array([0.01]), fraction=0.5))
    assert math.isinf(volatility_target_weight(0.0, target=0.1))
    with pytest.raises(ParameterError, match="stop_distance"):
        risk_weight(0.0, risk=0.01)
