from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from slices.analyze.holdings import holdings_risk
from slices.domain.errors import BadDataError, InsufficientHistoryError, ParameterError
from slices.domain.portfolio import TailMethod
from slices.quant.metrics import tails
from tests.slices.quant.market import stored, us_closes, us_dataset

if TYPE_CHECKING:
    from pathlib import Path

    from slices.domain.dataset import DatasetRef


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> DatasetRef:
    return us_dataset(tmp_path_factory.mktemp("bars"), symbols=5, sessions=1000)


def portfolio_returns(weights: np.ndarray) -> np.ndarray:
    closes = us_closes()[2][-1000:, :5]
    return (closes[1:] / closes[:-1] - 1) @ weights


def test_equal_weights_are_the_default(bars: DatasetRef) -> None:
    assert holdings_risk(bars).weights == pytest.approx([0.2] * 5)


def test_weights_follow_their_symbols(bars: DatasetRef) -> None:
    held = {name: weight for weight, name in enumerate(reversed(bars.symbols))}
    held = {name: weight / 10 for name, weight in held.items()}
    found = holdings_risk(bars, held_weights=held)
    assert found.weights == pytest.approx([0.4, 0.3, 0.2, 0.1, 0.0])
    assert [each.symbol for each in found.contributions] == list(bars.symbols)


def test_contributions_sum_to_the_annualized_volatility(bars: DatasetRef) -> None:
    found = holdings_risk(bars)
    volatility = portfolio_returns(np.full(5, 0.2)).std(ddof=1) * 252**0.5
    assert found.performance.annualized_volatility == pytest.approx(volatility, rel=1e-9)
    total = sum(each.contribution for each in found.contributions)
    assert total == pytest.approx(volatility, rel=1e-9)
    assert sum(each.share for each in found.contributions) == pytest.approx(1.0)


def test_tails_by_every_method(bars: DatasetRef) -> None:
    found = holdings_risk(bars, confidence=0.99)
    returns = portfolio_returns(np.full(5, 0.2))
    assert [each.method for each in found.tails] == list(TailMethod)
    assert all(each.confidence == 0.99 for each in found.tails)
    historical, normal, corrected = found.tails
    assert historical.value_at_risk == pytest.approx(tails.value_at_risk(returns, confidence=0.99))
    assert normal.expected_shortfall == pytest.approx(
        tails.normal_expected_shortfall(returns, confidence=0.99)
    )
    assert corrected.value_at_risk > normal.value_at_risk
    assert all(each.expected_shortfall > each.value_at_risk > 0 for each in found.tails)


def test_the_drawdown_curve_has_the_maximum_as_its_highest_point(bars: DatasetRef) -> None:
    found = holdings_risk(bars)
    assert found.drawdown_sessions == us_closes()[0][-999:]
    assert max(found.drawdowns) == pytest.approx(found.performance.max_drawdown)
    assert found.diversification_ratio > 1
    assert found.effective_bets == pytest.approx(found.diversification_ratio**2)
    assert 1 <= found.effective_bets <= 5


def test_a_single_holding_is_one_bet(tmp_path: Path) -> None:
    bars = us_dataset(tmp_path, symbols=1, sessions=300)
    found = holdings_risk(bars, capital=5.0)
    assert found.capital == 5.0
    assert found.diversification_ratio == pytest.approx(1.0)
    assert found.effective_bets == pytest.approx(1.0)
    assert found.contributions[0].share == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("held", "sentence"),
    [
        ({"AAPL": 1.0}, "found weights for AAPL; allowed: one weight for each of AAPL, AMD"),
        (dict.fromkeys(("AAPL", "AMD", "BAC", "BBY", "CVX"), 0.3), "found a sum of 1.5"),
        (dict.fromkeys(("AAPL", "AMD", "BAC", "BBY", "CVX"), float("nan")), "a sum of nan"),
    ],
)
def test_weights_that_do_not_fit_are_refused(
    bars: DatasetRef, held: dict[str, float], sentence: str
) -> None:
    with pytest.raises(ParameterError, match=sentence):
        holdings_risk(bars, held_weights=held)


def with_gaps(folder: Path, gaps: list[int], *, sessions: int = 300) -> DatasetRef:
    """Two symbols, the second without a bar in some sessions."""
    dates, names, closes = us_closes()
    chosen = closes[-sessions:, :2].copy()
    chosen[gaps, 1] = np.nan
    return stored(folder, dates[-sessions:], dict(zip(names[:2], chosen.T, strict=True)))


def test_returns_that_span_a_dropped_session_are_left_out(tmp_path: Path) -> None:
    found = holdings_risk(with_gaps(tmp_path, [100, 101, 200]))
    closes = us_closes()[2][-300:, :2].copy()
    closes[[100, 101, 200], 1] = np.nan
    returns = (closes[1:] / closes[:-1] - 1).mean(axis=1)
    returns = returns[~np.isnan(returns)]
    assert found.performance.sessions == returns.size == 294
    assert found.performance.annualized_volatility == pytest.approx(
        returns.std(ddof=1) * 252**0.5, rel=1e-9
    )
    assert us_closes()[0][-300:][102] not in found.drawdown_sessions
    assert us_closes()[0][-300:][103] in found.drawdown_sessions


def test_a_sparse_symbol_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BadDataError, match=r"most lacks AMD \(79\.7%\)"):
        holdings_risk(with_gaps(tmp_path, [i for i in range(301) if i % 5], sessions=301))


def test_a_symbol_that_ends_early_is_judged_up_to_its_end(tmp_path: Path) -> None:
    found = holdings_risk(with_gaps(tmp_path, list(range(250, 300))))
    assert found.performance.sessions == 249
    assert found.drawdown_sessions[-1] == us_closes()[0][-51]


def test_symbols_that_share_no_session_are_named(tmp_path: Path) -> None:
    closes = us_closes()[2][:40, :2].copy()
    closes[:20, 0] = closes[20:, 1] = np.nan
    bars = stored(tmp_path, us_closes()[0][:40], {"AAA": closes[:, 0], "BBB": closes[:, 1]})
    with pytest.raises(BadDataError, match="AAA and BBB share 0 sessions"):
        holdings_risk(bars)


def test_two_sessions_are_not_enough(tmp_path: Path) -> None:
    closes = us_closes()[2][:3, :2].copy()
    closes[1, 0] = np.nan
    bars = stored(tmp_path, us_closes()[0][:3], dict(zip("AB", closes.T, strict=True)))
    sentence = "A and B, in the sessions they share: needs 3 sessions of bars, found 2"
    with pytest.raises(InsufficientHistoryError, match=sentence):
        holdings_risk(bars)
