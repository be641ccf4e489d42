"""What holds for every allocator."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slices.adaptive_portfolio.allocators import ALLOCATORS, allocate, compared
from slices.domain.errors import (
    BadDataError,
    InfeasibleError,
    InsufficientHistoryError,
    ParameterError,
)
from slices.domain.parameters import WeightBounds
from slices.domain.portfolio import Allocator
from slices.quant.covariance import ledoit_wolf_covariance, sample_covariance
from tests.slices.quant.market import factor_returns, us_closes, us_returns
from tests.slices.quant.peers import skfolio_weights

every_allocator = pytest.mark.parametrize("allocator", ALLOCATORS)
SHARES_RISK = [
    Allocator.INVERSE_VOLATILITY,
    Allocator.RISK_PARITY,
    Allocator.HIERARCHICAL_RISK_PARITY,
]


def market(seed: int, symbols: int = 8, sessions: int = 120) -> np.ndarray:
    """Returns whose means are all positive, so that every allocator has an answer."""
    returns = factor_returns(sessions, symbols, seed=seed)
    return returns - returns.mean(axis=0) + np.linspace(2e-4, 9e-4, symbols)


@every_allocator
@settings(max_examples=25)
@given(
    seed=st.integers(0, 10_000),
    smallest=st.sampled_from([0.0, 0.01, 0.1, 0.125]),
    largest=st.sampled_from([0.125, 0.15, 0.3, 1.0]),
)
def test_weights_sum_to_one_within_bounds(
    allocator: Allocator, seed: int, smallest: float, largest: float
) -> None:
    weights = allocate(
        allocator, market(seed), bounds=WeightBounds(smallest=smallest, largest=largest)
    )
    assert weights.shape == (8,)
    assert weights.sum() == pytest.approx(1.0, abs=1e-9)
    assert weights.min() >= smallest
    assert weights.max() <= largest


@every_allocator
@settings(max_examples=40)
@given(seed=st.integers(0, 10_000), largest=st.sampled_from([1.0, 0.6]))
def test_real_weights_never_leave_their_bounds(
    allocator: Allocator, seed: int, largest: float
) -> None:
    random = np.random.default_rng(seed)
    closes = us_closes()[2]
    chosen = random.choice(20, size=int(random.integers(2, 8)), replace=False)
    end = int(random.integers(253, len(closes)))
    window = closes[end - 253 : end, chosen]
    try:
        weights = allocate(
            allocator, window[1:] / window[:-1] - 1, bounds=WeightBounds(largest=largest)
        )
    except InfeasibleError:
        assert allocator is Allocator.MAX_SHARPE
        return
    assert abs(weights.sum() - 1.0) <= 1e-15
    assert 0.0 <= weights.min() <= weights.max() <= largest


@every_allocator
@settings(max_examples=25)
@given(seed=st.integers(0, 10_000))
def test_permuting_symbols_permutes_weights(allocator: Allocator, seed: int) -> None:
    # Eight symbols: a mirrored leaf order halves the same way, which odd numbers would not.
    returns = market(seed)
    order = np.random.default_rng(seed).permutation(8)
    weights = allocate(allocator, returns)
    permuted = allocate(allocator, returns[:, order])
    assert permuted == pytest.approx(weights[order], abs=1e-7)


@every_allocator
@given(scale=st.floats(0.1, 10.0))
@settings(max_examples=10)
def test_the_scale_of_returns_does_not_matter(allocator: Allocator, scale: float) -> None:
    returns = market(5)
    weights = allocate(allocator, returns)
    assert allocate(allocator, returns * scale) == pytest.approx(weights, abs=1e-6)


@every_allocator
def test_the_order_of_sessions_does_not_matter(allocator: Allocator) -> None:
    returns = market(5)
    assert allocate(allocator, returns[::-1]) == pytest.approx(
        allocate(allocator, returns), abs=1e-7
    )


@every_allocator
def test_one_symbol_has_everything(allocator: Allocator) -> None:
    assert allocate(allocator, market(1, symbols=1)).tolist() == pytest.approx([1.0])


@every_allocator
def test_two_equal_symbols_can_be_held_together(allocator: Allocator) -> None:
    returns = market(2, symbols=4)
    twins = returns[:, [0, 0, 1, 2, 3]]
    weights = allocate(allocator, twins)
    assert weights.sum() == pytest.approx(1.0, abs=1e-9)
    assert weights.min() >= 0


@every_allocator
def test_more_symbols_than_sessions_are_allowed(allocator: Allocator) -> None:
    weights = allocate(allocator, market(3, symbols=30, sessions=20))
    assert weights.sum() == pytest.approx(1.0, abs=1e-9)
    assert weights.min() >= 0


@every_allocator
def test_a_symbol_that_never_moves_is_held_or_refused_by_name(allocator: Allocator) -> None:
    returns = market(4)
    returns[:, 3] = 0.0
    if allocator in SHARES_RISK:
        with pytest.raises(InfeasibleError, match="1 of 8 symbols have no variance"):
            allocate(allocator, returns)
    else:
        assert allocate(allocator, returns).sum() == pytest.approx(1.0, abs=1e-9)


@every_allocator
@pytest.mark.parametrize(
    ("smallest", "largest", "sentence"),
    [(0.0, 0.1, r"sum to 80\.00%, below 100%"), (0.2, 1.0, r"sum to 160\.00%, above 100%")],
)
def test_bounds_that_exclude_a_sum_of_one_are_refused(
    allocator: Allocator, smallest: float, largest: float, sentence: str
) -> None:
    bounds = WeightBounds(smallest=smallest, largest=largest)
    with pytest.raises(InfeasibleError, match=sentence):
        allocate(allocator, market(1), bounds=bounds)


@every_allocator
def test_missing_returns_are_refused(allocator: Allocator) -> None:
    returns = market(1)
    returns[4, 2] = np.nan
    with pytest.raises(BadDataError, match="hold NaN or infinities"):
        allocate(allocator, returns)


@every_allocator
def test_one_return_is_refused(allocator: Allocator) -> None:
    with pytest.raises(InsufficientHistoryError):
        allocate(allocator, np.full((1, 3), 0.01))


@every_allocator
def test_returns_are_left_as_they_were(allocator: Allocator) -> None:
    returns = market(1)
    before = returns.copy()
    allocate(allocator, returns)
    assert np.array_equal(returns, before)


@pytest.mark.slow
@every_allocator
def test_real_returns_give_skfolios_weights(allocator: Allocator) -> None:
    returns = us_returns(504)
    assert allocate(allocator, returns) == pytest.approx(
        skfolio_weights(allocator, returns), abs=1e-4
    )


@every_allocator
def test_a_start_changes_nothing(allocator: Allocator) -> None:
    returns = us_returns(504)
    warm = allocate(allocator, returns, start=np.full(20, 0.05))
    assert warm == pytest.approx(allocate(allocator, returns), abs=1e-9)


def test_held_weights_are_compared_with_all_that_are_fitted() -> None:
    assert len(ALLOCATORS) == 7
    assert compared(None) == list(ALLOCATORS)
    assert compared({"A": 1.0}) == [Allocator.HELD_WEIGHTS, *ALLOCATORS]


def test_held_weights_do_not_follow_from_returns() -> None:
    with pytest.raises(ParameterError, match="found held_weights; allowed: equal_weight, inverse"):
        allocate(Allocator.HELD_WEIGHTS, market(1))


def test_another_covariance_can_be_given() -> None:
    returns = us_returns(504)
    plain = allocate(Allocator.MIN_VARIANCE, returns)
    same = allocate(Allocator.MIN_VARIANCE, returns, covariance=sample_covariance(returns))
    shrunk = allocate(Allocator.MIN_VARIANCE, returns, covariance=ledoit_wolf_covariance(returns))
    assert same.tolist() == plain.tolist()
    assert np.abs(shrunk - plain).max() > 1e-4


def test_falling_markets_have_no_highest_sharpe_ratio() -> None:
    with pytest.raises(InfeasibleError, match="positive expected excess return"):
        allocate(Allocator.MAX_SHARPE, market(1) - 0.01)


def test_the_risk_free_rate_counts_for_the_highest_sharpe_ratio() -> None:
    returns = us_returns(504)
    plain = allocate(Allocator.MAX_SHARPE, returns)
    with_rate = allocate(Allocator.MAX_SHARPE, returns, risk_free_rate=0.03 / 252)
    assert np.abs(plain - with_rate).max() > 1e-3
