from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from slices.analyze.market import market_structure, top_pairs
from slices.analyze.structure import diversification
from slices.domain.dataset import DatasetRef
from slices.domain.errors import InsufficientHistoryError, ParameterError
from slices.runtime.codec import decode, encode
from tests.slices.quant.market import factor_returns, stored, us_closes, us_dataset


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> DatasetRef:
    return us_dataset(tmp_path_factory.mktemp("market"), sessions=600)


def test_correlations_are_those_of_the_newest_sessions(names: DatasetRef) -> None:
    found = market_structure(names, lookback_sessions=100)
    closes = us_closes()[2][-101:]
    expected = np.corrcoef((closes[1:] / closes[:-1] - 1).T)
    assert np.array(found.structure.correlations) == pytest.approx(expected, abs=1e-12)
    assert found.structure.sessions == 101
    assert not found.left_out


def test_all_sessions_give_the_same_as_the_structure_of_holdings(names: DatasetRef) -> None:
    assert market_structure(names, lookback_sessions=9_999).structure == diversification(names)


def test_pairs_are_the_extremes_of_all_pairs(names: DatasetRef) -> None:
    found = market_structure(names, most_pairs=7)
    values = np.array(found.structure.correlations)[np.triu_indices(20, k=1)]
    assert [x.correlation for x in found.most_alike] == sorted(values, reverse=True)[:7]
    assert [x.correlation for x in found.least_alike] == sorted(values)[:7]
    first = found.most_alike[0]
    assert (first.first, first.second, first.correlation) == found.structure.most_alike
    assert len(top_pairs(found.structure, most=999)) == 190


def test_a_symbol_that_began_late_is_left_out_by_name_and_costs_the_others_nothing(
    tmp_path: Path,
) -> None:
    dates, symbols, closes = us_closes()
    chosen = closes[-300:, :4].copy()
    chosen[:200, 2] = np.nan
    chosen[:, 3] = 7.0
    ref = stored(tmp_path, dates[-300:], dict(zip(symbols[:4], chosen.T, strict=True)))
    found = market_structure(ref)
    assert [each.name for each in found.left_out] == list(symbols[2:4])
    assert found.left_out[0].reason == "has bars in 100 of the newest 253 sessions"
    assert "never changes" in found.left_out[1].reason
    assert found.structure.symbols == symbols[:2]
    assert found.structure.sessions == 253


def test_a_symbol_without_any_bar_there_is_left_out(tmp_path: Path) -> None:
    dates, symbols, closes = us_closes()
    chosen = closes[-300:, :3].copy()
    chosen[100:, 0] = np.nan
    ref = stored(tmp_path, dates[-300:], dict(zip(symbols[:3], chosen.T, strict=True)))
    found = market_structure(ref, lookback_sessions=100)
    assert found.left_out[0].reason == "has bars in 0 of the newest 101 sessions"


def test_one_symbol_is_no_market(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="symbols: found AAPL; allowed: at least two"):
        market_structure(us_dataset(tmp_path, symbols=1, sessions=50))


def test_too_few_symbols_with_bars_are_named(tmp_path: Path) -> None:
    dates, symbols, closes = us_closes()
    chosen = closes[-300:, :2].copy()
    chosen[:200, 1] = np.nan
    ref = stored(tmp_path, dates[-300:], dict(zip(symbols[:2], chosen.T, strict=True)))
    with pytest.raises(InsufficientHistoryError, match=f"{symbols[1]}: needs 253 .* found 100"):
        market_structure(ref)


@pytest.mark.slow
def test_five_hundred_symbols_have_a_structure(tmp_path: Path) -> None:
    returns = factor_returns(300, 505)
    closes = 100 * np.cumprod(1 + returns, axis=0)
    names = [f"S{place:03}" for place in range(505)]
    ref = stored(tmp_path, us_closes()[0][:300], dict(zip(names, closes.T, strict=True)))
    found = market_structure(ref)
    assert sorted(found.structure.order) == sorted(names)
    assert sum(len(each) for each in found.structure.clusters) == 505
    assert len(found.most_alike) == 10
    text = encode(found)
    assert decode(text) == found
