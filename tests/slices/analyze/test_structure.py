from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from slices.analyze.structure import diversification
from slices.domain.errors import BadDataError, ParameterError
from tests.slices.quant.market import stored, us_closes, us_dataset

if TYPE_CHECKING:
    from pathlib import Path

    from slices.domain.dataset import DatasetRef


def test_the_structure_of_twenty_names(tmp_path: Path) -> None:
    found = diversification(us_dataset(tmp_path))
    closes = us_closes()[2]
    expected = np.corrcoef((closes[1:] / closes[:-1] - 1).T)
    assert found.sessions == len(closes)
    assert np.array(found.correlations) == pytest.approx(expected, abs=1e-12)
    assert found.average_correlation == pytest.approx((expected.sum() - 20) / 380)
    assert sorted(found.order) == sorted(found.symbols)
    assert found.most_alike[:2] == ("CVX", "XOM")
    assert found.most_alike[2] == pytest.approx(expected[~np.eye(20, dtype=bool)].max())
    assert found.least_alike[2] == pytest.approx(expected.min())


def test_clusters_hold_every_symbol_once_largest_first(tmp_path: Path) -> None:
    found = diversification(us_dataset(tmp_path))
    assert sorted(sum(found.clusters, ())) == sorted(found.symbols)
    sizes = [len(each) for each in found.clusters]
    assert sizes == sorted(sizes, reverse=True)
    assert any({"CVX", "XOM"} <= set(each) for each in found.clusters)


def test_the_order_of_symbols_changes_nothing_but_the_order(tmp_path: Path) -> None:
    dates, names, closes = us_closes()
    by_name = dict(zip(names[:8], closes[-500:, :8].T, strict=True))
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one = diversification(stored(tmp_path / "a", dates[-500:], by_name))
    other = diversification(
        stored(tmp_path / "b", dates[-500:], dict(reversed(list(by_name.items()))))
    )
    assert {frozenset(each) for each in one.clusters} == {
        frozenset(each) for each in other.clusters
    }
    assert set(one.most_alike[:2]) == set(other.most_alike[:2])
    assert one.average_correlation == pytest.approx(other.average_correlation)


def correlated(
    folder: Path, correlation: float, *, symbols: int, sessions: int = 2000
) -> DatasetRef:
    """Symbols that all have this correlation with each other."""
    random = np.random.default_rng(3)
    common = random.normal(0.0, 0.01, (sessions, 1))
    own = random.normal(0.0, 0.01, (sessions, symbols))
    returns = np.sqrt(correlation) * common + np.sqrt(1 - correlation) * own
    closes = 100 * np.cumprod(1 + returns, axis=0)
    return stored(folder, us_closes()[0][:sessions], dict(zip("ABCDE", closes.T, strict=False)))


@pytest.mark.parametrize("symbols", [2, 3, 5])
@pytest.mark.parametrize(
    ("correlation", "found_as"), [(0.9998, "one"), (0.6, "one"), (0.4, "single")]
)
def test_clusters_are_cut_at_a_correlation_of_one_half(
    tmp_path: Path, symbols: int, correlation: float, found_as: str
) -> None:
    found = diversification(correlated(tmp_path, correlation, symbols=symbols))
    assert len(found.clusters) == (symbols if found_as == "single" else 1)


def test_independent_symbols_are_single_clusters(tmp_path: Path) -> None:
    found = diversification(correlated(tmp_path, 0.0, symbols=5))
    assert {len(each) for each in found.clusters} == {1}


def test_of_two_symbols_the_most_alike_are_the_least_alike(tmp_path: Path) -> None:
    found = diversification(us_dataset(tmp_path, symbols=2, sessions=100))
    assert found.most_alike == found.least_alike


def test_returns_that_span_a_dropped_session_are_left_out(tmp_path: Path) -> None:
    dates, names, closes = us_closes()
    chosen = closes[-300:, :3].copy()
    chosen[[100, 200], 1] = np.nan
    bars = stored(tmp_path, dates[-300:], dict(zip(names[:3], chosen.T, strict=True)))
    found = diversification(bars)
    returns = chosen[1:] / chosen[:-1] - 1
    expected = np.corrcoef(returns[~np.isnan(returns).any(axis=1)].T)
    assert found.sessions == 298
    assert np.array(found.correlations) == pytest.approx(expected, abs=1e-12)


def test_one_symbol_has_no_structure(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="symbols: found AAPL; allowed: at least two"):
        diversification(us_dataset(tmp_path, symbols=1, sessions=100))


def test_a_symbol_that_never_moves_is_named(tmp_path: Path) -> None:
    closes = {"A": us_closes()[2][:50, 0], "B": np.full(50, 10.0), "C": us_closes()[2][:50, 1]}
    bars = stored(tmp_path, us_closes()[0][:50], closes)
    with pytest.raises(BadDataError, match="B: the close never changes"):
        diversification(bars)
